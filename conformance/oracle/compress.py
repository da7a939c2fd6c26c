"""HMAC's two inner states, which hardware keeps in place of the key.

Whoever has them can make tags as with the key itself (RFC 2104, section 4), so a suite that looks
for key bytes in memory looks for these too.  No library hands them out, hence the two compression
functions of FIPS 180-4 (sections 6.1.2 and 6.2.2) here; the device model has its own.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from Crypto.Hash import SHA1, SHA256

__all__ = ("hmac_states",)

_WORD = 0xFFFF_FFFF
_BLOCK = 64
_IPAD = 0x36
_OPAD = 0x5C


def _primes(count: int) -> list[int]:
    found: list[int] = []
    number = 2
    while len(found) < count:
        if all(number % prime for prime in found):
            found.append(number)
        number += 1
    return found


def _root_bits(number: int, power: int) -> int:
    """The first 32 bits of the fraction of a square (2) or cube (3) root."""
    low, high = 0, 1 << 40
    target = number << 32 * power
    while low + 1 < high:
        middle = (low + high) // 2
        low, high = (middle, high) if middle**power <= target else (low, middle)
    return low & _WORD


# FIPS 180-4, 4.2.2 and 5.3.3 define these by primes, 4.2.1 and 5.3.1 give the others as numbers.
_K256 = [_root_bits(prime, 3) for prime in _primes(64)]
_H256 = [_root_bits(prime, 2) for prime in _primes(8)]
_K1 = (0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0xCA62C1D6)
_H1 = [0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0]


def _left(word: int, count: int) -> int:
    return (word << count | word >> 32 - count) & _WORD


def _sha1(block: bytes) -> bytes:
    words = list(struct.unpack(">16I", block))
    for i in range(16, 80):
        words.append(_left(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1))
    a, b, c, d, e = _H1
    for i, word in enumerate(words):
        mix = (b & c | ~b & d, b ^ c ^ d, b & c | b & d | c & d, b ^ c ^ d)[i // 20]
        a, b, c, d, e = (
            (_left(a, 5) + mix + e + _K1[i // 20] + word) & _WORD,
            a,
            _left(b, 30),
            c,
            d,
        )
    return _added(_H1, (a, b, c, d, e))


def _right(word: int, *counts: int) -> int:
    turned = 0
    for count in counts:
        turned ^= _left(word, 32 - count)
    return turned


def _sha256(block: bytes) -> bytes:
    words = list(struct.unpack(">16I", block))
    for i in range(16, 64):
        first = _right(words[i - 15], 7, 18) ^ words[i - 15] >> 3
        second = _right(words[i - 2], 17, 19) ^ words[i - 2] >> 10
        words.append((words[i - 16] + first + words[i - 7] + second) & _WORD)
    a, b, c, d, e, f, g, h = _H256
    for constant, word in zip(_K256, words, strict=True):
        one = h + _right(e, 6, 11, 25) + (e & f ^ ~e & g) + constant + word
        two = _right(a, 2, 13, 22) + (a & b ^ a & c ^ b & c)
        a, b, c, d, e, f, g, h = (one + two) & _WORD, a, b, c, (d + one) & _WORD, e, f, g
    return _added(_H256, (a, b, c, d, e, f, g, h))


def _added(start: list[int], state: tuple[int, ...]) -> bytes:
    words = [(a + b) & _WORD for a, b in zip(start, state, strict=True)]
    return struct.pack(f">{len(words)}I", *words)


_FUNCTIONS: dict[str, Callable[[bytes], bytes]] = {"sha1": _sha1, "sha256": _sha256}

_LIBRARY = {"sha1": SHA1, "sha256": SHA256}


def hmac_states(hash_name: str, key: bytes) -> tuple[bytes, bytes] | None:
    """The states after the inner and the outer key block, in the standard's byte order.

    None for a hash whose compression function is not here.
    """
    compress = _FUNCTIONS.get(hash_name)
    if compress is None:
        return None
    if len(key) > _BLOCK:
        key = _LIBRARY[hash_name].new(key).digest()
    padded = key.ljust(_BLOCK, b"\0")
    inner, outer = (compress(bytes(byte ^ pad for byte in padded)) for pad in (_IPAD, _OPAD))
    return inner, outer
