"""Compression functions of MD5, SHA-1 and SHA-2: the state of a hash between two blocks.

`hashlib` gives digests but never that state, which hardware hands out, drivers store for chained
updates and as the HMAC inner and outer digest, and the generics export.  A state is a tuple of
native words: 64 bits wide in SHA-384 and SHA-512, 32 bits in all others.

Source: RFC 1321 (MD5), FIPS 180-4 (SHA-1, SHA-2).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterator
from functools import lru_cache, wraps
from typing import Final, TypeAlias

from tcrypt.engine.native_compression import native_compress

__all__ = (
    "BLOCK_BYTES",
    "MD5_INITIAL",
    "SHA1_INITIAL",
    "SHA224_INITIAL",
    "SHA256_INITIAL",
    "SHA384_INITIAL",
    "SHA512_INITIAL",
    "State",
    "md5_compress",
    "sha1_compress",
    "sha256_compress",
    "sha512_compress",
)

State = tuple[int, ...]

BLOCK_BYTES: Final = 64
_M: Final = 0xFFFF_FFFF  # 32 bits
_M64: Final = 0xFFFF_FFFF_FFFF_FFFF
# A word times this stands twice in 64 bits, so that a plain right shift rotates it; what is left
# above bit 31 falls to the mask at the end of each sum.
_TWICE: Final = 0x1_0000_0001
_TWICE_64: Final = 0x1_0000_0000_0000_0001

MD5_INITIAL: Final[State] = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476)
SHA1_INITIAL: Final[State] = (*MD5_INITIAL, 0xC3D2E1F0)


def _primes() -> Iterator[int]:
    number = 2
    while True:
        if all(number % divisor for divisor in range(2, math.isqrt(number) + 1)):
            yield number
        number += 1


def _cube_root(value: int) -> int:
    """The integer part of the cube root, by bisection: floats are too short for it."""
    low, high = 0, 1 << (value.bit_length() // 3 + 1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if middle**3 <= value else (low, middle)
    return low


_PRIMES: Final = [prime for prime, _ in zip(_primes(), range(80), strict=False)]
# FIPS 180-4, 5.3.3 and 5.3.2: 64 bits of the fractions of the square roots of 8 primes each.
SHA256_INITIAL: Final[State] = tuple(math.isqrt(prime << 64) & _M for prime in _PRIMES[:8])
SHA224_INITIAL: Final[State] = tuple(math.isqrt(prime << 128) & _M for prime in _PRIMES[8:16])
# FIPS 180-4, 4.2.2: 32 bits of the fractions of the cube roots of the first 64 primes.
_SHA256_K: Final = tuple(_cube_root(prime << 96) & _M for prime in _PRIMES[:64])
# FIPS 180-4, 5.3.5, 5.3.4 and 4.2.3: the same to 64 bits, and 80 constants.
SHA512_INITIAL: Final[State] = tuple(math.isqrt(prime << 128) & _M64 for prime in _PRIMES[:8])
SHA384_INITIAL: Final[State] = tuple(math.isqrt(prime << 128) & _M64 for prime in _PRIMES[8:16])
_SHA512_K: Final = tuple(_cube_root(prime << 192) & _M64 for prime in _PRIMES)


_Compress: TypeAlias = Callable[[State, bytes], State]
_LONG: Final = 1024
_REMEMBERED: Final = 256
_WORDS: Final = {"md5": 4, "sha1": 5, "sha256": 8, "sha512": 8}


def _fast(name: str) -> Callable[[_Compress], _Compress]:
    """Prefer the same function out of OpenSSL, if it is there and agrees on a block."""

    def choose(compress: _Compress) -> _Compress:
        native = native_compress(name)
        state, block = tuple(range(1, 1 + _WORDS[name])), bytes(range(128))
        if native is not None and native(state, block) == compress(state, block):
            return wraps(compress)(native)
        return _remembering(compress)

    return choose


def _remembering(compress: _Compress) -> _Compress:
    """Remember the states after long runs: a suite asks every driver for the same messages."""
    long_run = lru_cache(maxsize=_REMEMBERED)(compress)

    @wraps(compress)
    def either(state: State, data: bytes) -> State:
        return compress(state, data) if len(data) < _LONG else long_run(state, bytes(data))

    return either


def _md5_round(
    first: int, step: tuple[int, int], shifts: tuple[int, ...]
) -> tuple[tuple[int, int, int], ...]:
    """Sixteen steps of one round: index of the message word, constant, right rotation."""
    rows = []
    for number in range(first, first + 16):
        # RFC 1321, 3.4: the constants are 2^32 times the sines of 1..64, in radians.
        constant = int(abs(math.sin(number + 1)) * 2**32)
        index = ((number - first) * step[0] + step[1]) % 16
        rows.append((index, constant, 32 - shifts[number % 4]))
    return tuple(rows)


_MD5_ROUND_1: Final = _md5_round(0, (1, 0), (7, 12, 17, 22))
_MD5_ROUND_2: Final = _md5_round(16, (5, 1), (5, 9, 14, 20))
_MD5_ROUND_3: Final = _md5_round(32, (3, 5), (4, 11, 16, 23))
_MD5_ROUND_4: Final = _md5_round(48, (7, 0), (6, 10, 15, 21))


@_fast("md5")
def md5_compress(state: State, data: bytes) -> State:
    """The 4-word state after the blocks of `data`, a multiple of 64 bytes."""
    a, b, c, d = state
    for word in struct.iter_unpack("<16I", data):
        before = a, b, c, d
        for index, constant, right in _MD5_ROUND_1:
            sum_ = (a + (d ^ b & (c ^ d)) + word[index] + constant & _M) * _TWICE
            a, d, c, b = d, c, b, b + (sum_ >> right) & _M
        for index, constant, right in _MD5_ROUND_2:
            sum_ = (a + (c ^ d & (b ^ c)) + word[index] + constant & _M) * _TWICE
            a, d, c, b = d, c, b, b + (sum_ >> right) & _M
        for index, constant, right in _MD5_ROUND_3:
            sum_ = (a + (b ^ c ^ d) + word[index] + constant & _M) * _TWICE
            a, d, c, b = d, c, b, b + (sum_ >> right) & _M
        for index, constant, right in _MD5_ROUND_4:
            sum_ = (a + (c ^ (b | d ^ _M)) + word[index] + constant & _M) * _TWICE
            a, d, c, b = d, c, b, b + (sum_ >> right) & _M
        a, b, c, d = (old + new & _M for old, new in zip(before, (a, b, c, d), strict=True))
    return a, b, c, d


@_fast("sha1")
def sha1_compress(state: State, data: bytes) -> State:
    """The 5-word state after the blocks of `data`, a multiple of 64 bytes."""
    a, b, c, d, e = state
    for block in struct.iter_unpack(">16I", data):
        before = a, b, c, d, e
        w = list(block)
        for i in range(16, 80):
            w.append((w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16]) * _TWICE >> 31 & _M)
        for word in w[:20]:
            new = (a * _TWICE >> 27) + (d ^ b & (c ^ d)) + e + word + 0x5A827999 & _M
            e, d, c, b, a = d, c, b * _TWICE >> 2 & _M, a, new
        for word in w[20:40]:
            new = (a * _TWICE >> 27) + (b ^ c ^ d) + e + word + 0x6ED9EBA1 & _M
            e, d, c, b, a = d, c, b * _TWICE >> 2 & _M, a, new
        for word in w[40:60]:
            new = (a * _TWICE >> 27) + (b & c | d & (b | c)) + e + word + 0x8F1BBCDC & _M
            e, d, c, b, a = d, c, b * _TWICE >> 2 & _M, a, new
        for word in w[60:]:
            new = (a * _TWICE >> 27) + (b ^ c ^ d) + e + word + 0xCA62C1D6 & _M
            e, d, c, b, a = d, c, b * _TWICE >> 2 & _M, a, new
        a, b, c, d, e = (old + new & _M for old, new in zip(before, (a, b, c, d, e), strict=True))
    return a, b, c, d, e


@_fast("sha256")
def sha256_compress(state: State, data: bytes) -> State:
    """The 8-word state of SHA-224 or SHA-256 after the blocks of `data`, a multiple of 64."""
    a, b, c, d, e, f, g, h = state
    for block in struct.iter_unpack(">16I", data):
        before = a, b, c, d, e, f, g, h
        w = list(block)
        for i in range(16, 64):
            x, y = w[i - 15], w[i - 2]
            xx, yy = x * _TWICE, y * _TWICE
            near = xx >> 7 ^ xx >> 18 ^ x >> 3
            far = yy >> 17 ^ yy >> 19 ^ y >> 10
            w.append(w[i - 16] + w[i - 7] + near + far & _M)
        for word, constant in zip(w, _SHA256_K, strict=True):
            aa, ee = a * _TWICE, e * _TWICE
            first = h + (ee >> 6 ^ ee >> 11 ^ ee >> 25) + (g ^ e & (f ^ g)) + word + constant
            second = (aa >> 2 ^ aa >> 13 ^ aa >> 22) + (a & b | c & (a | b))
            h, g, f, e, d, c, b, a = g, f, e, d + first & _M, c, b, a, first + second & _M
        after = a, b, c, d, e, f, g, h
        a, b, c, d, e, f, g, h = (old + new & _M for old, new in zip(before, after, strict=True))
    return a, b, c, d, e, f, g, h


@_fast("sha512")
def sha512_compress(state: State, data: bytes) -> State:
    """The 8-word state of SHA-384 or SHA-512 after the blocks of `data`, a multiple of 128."""
    a, b, c, d, e, f, g, h = state
    for block in struct.iter_unpack(">16Q", data):
        before = a, b, c, d, e, f, g, h
        w = list(block)
        for i in range(16, 80):
            x, y = w[i - 15], w[i - 2]
            xx, yy = x * _TWICE_64, y * _TWICE_64
            near = xx >> 1 ^ xx >> 8 ^ x >> 7
            far = yy >> 19 ^ yy >> 61 ^ y >> 6
            w.append(w[i - 16] + w[i - 7] + near + far & _M64)
        for word, constant in zip(w, _SHA512_K, strict=True):
            aa, ee = a * _TWICE_64, e * _TWICE_64
            first = h + (ee >> 14 ^ ee >> 18 ^ ee >> 41) + (g ^ e & (f ^ g)) + word + constant
            second = (aa >> 28 ^ aa >> 34 ^ aa >> 39) + (a & b | c & (a | b))
            h, g, f, e, d, c, b, a = g, f, e, d + first & _M64, c, b, a, first + second & _M64
        after = a, b, c, d, e, f, g, h
        a, b, c, d, e, f, g, h = (old + new & _M64 for old, new in zip(before, after, strict=True))
    return a, b, c, d, e, f, g, h
