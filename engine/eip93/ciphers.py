"""The cipher cores: block ciphers in the modes of the engine, on raw byte strings.

A function of this module takes a key, an IV and data, and returns the output together with the IV
that the engine holds afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Final, Protocol

from Crypto.Cipher import AES, DES, DES3

from tcrypt.engine.eip93.records import Cipher, CipherMode

__all__ = ("AES_BLOCK", "DES_BLOCK", "CipherCore", "CipherFunction")

AES_BLOCK: Final = 16
DES_BLOCK: Final = 8
_SHORT_CTR_BLOCKS: Final = 16
_COUNTERS: Final = 1 << 32
_CACHED_KEYS: Final = 64

CipherFunction = Callable[[bytes, bytes, bytes], tuple[bytes, bytes]]


class _Cipher(Protocol):
    """What all cipher objects of pycryptodome share, as far as it is used here."""

    def encrypt(self, plaintext: bytes) -> bytes: ...

    def decrypt(self, ciphertext: bytes) -> bytes: ...


class CipherCore:
    """The DES, Triple-DES and AES cores of one device, with their key schedules cached.

    `ctr_tail_counts` says whether the next IV counts a partial CTR block, `icm_counter_bits` how
    wide the counter of ICM mode is.
    """

    def __init__(self, *, ctr_tail_counts: bool, icm_counter_bits: int = 16) -> None:
        self._tail_counts = ctr_tail_counts
        self._icm_bits = icm_counter_bits
        self._functions: dict[tuple[int, int, bool], CipherFunction] = {}
        self._aes = lru_cache(_CACHED_KEYS)(partial(_electronic, Cipher.AES))

    def function(self, cipher: Cipher, mode: CipherMode, inbound: bool) -> CipherFunction:
        """The function for a cipher and mode; it wants whole blocks, except in CTR mode."""
        selector = (cipher.value, mode.value, inbound)
        if selector not in self._functions:
            self._functions[selector] = self._make(cipher, mode, inbound)
        return self._functions[selector]

    def _make(self, cipher: Cipher, mode: CipherMode, inbound: bool) -> CipherFunction:
        if cipher is Cipher.NULL:
            return _copy
        if mode is CipherMode.CTR:
            return self._ctr
        if mode is CipherMode.ICM:
            return self._icm
        return (_cbc if mode is CipherMode.CBC else _ecb)(cipher, inbound)

    def _ctr(self, key: bytes, iv: bytes, data: bytes) -> tuple[bytes, bytes]:
        """Counter mode as the engine does it: the counter is 32 bits wide and carries nowhere."""
        length = len(data)
        blocks = -(-length // AES_BLOCK)
        nonce, counter = iv[:12], int.from_bytes(iv[12:], "big")
        if blocks <= _SHORT_CTR_BLOCKS:
            numbers = (counter + number & 0xFFFF_FFFF for number in range(blocks))
            stream = b"".join([nonce + number.to_bytes(4, "big") for number in numbers])
            stream = self._aes(key).encrypt(stream)[:length]
            output = _xor(data, stream)
        else:
            # The counter of this object wraps to zero after 2^32 - 1 as well.
            output = AES.new(key, AES.MODE_CTR, nonce=nonce, initial_value=counter).encrypt(data)
        used = blocks if self._tail_counts else length // AES_BLOCK
        return output, nonce + ((counter + used) % _COUNTERS).to_bytes(4, "big")

    def _icm(self, key: bytes, iv: bytes, data: bytes) -> tuple[bytes, bytes]:
        """Integer counter mode: like CTR, with a counter of the width that the variant says."""
        length, span = len(data), 1 << self._icm_bits
        blocks = -(-length // AES_BLOCK)
        start = int.from_bytes(iv)
        fixed, counter = start - start % span, start % span
        numbers = (fixed + (counter + number) % span for number in range(blocks))
        stream = b"".join([number.to_bytes(AES_BLOCK) for number in numbers])
        output = _xor(data, self._aes(key).encrypt(stream)[:length])
        used = blocks if self._tail_counts else length // AES_BLOCK
        return output, (fixed + (counter + used) % span).to_bytes(AES_BLOCK)


class _Chain:
    """A CBC object that serves any number of packets with one key and direction.

    Making one costs more than using it.  One that exists has chained up to some last ciphertext
    block L, so the first block of a packet with another IV is corrected by L xor IV.
    """

    __slots__ = ("_block", "_last", "_mode")

    def __init__(self, cipher: Cipher, key: bytes) -> None:
        self._block = AES_BLOCK if cipher is Cipher.AES else DES_BLOCK
        self._last = 0
        self._mode = _chained(cipher, key, bytes(self._block))

    def encrypt(self, iv: bytes, data: bytes) -> tuple[bytes, bytes]:
        block = self._block
        if not data:
            return data, iv
        first = int.from_bytes(data[:block]) ^ int.from_bytes(iv) ^ self._last
        output = self._mode.encrypt(first.to_bytes(block) + data[block:])
        last = output[-block:]
        self._last = int.from_bytes(last)
        return output, last

    def decrypt(self, iv: bytes, data: bytes) -> tuple[bytes, bytes]:
        block = self._block
        if not data:
            return data, iv
        output = self._mode.decrypt(data)
        first = int.from_bytes(output[:block]) ^ int.from_bytes(iv) ^ self._last
        last = data[-block:]
        self._last = int.from_bytes(last)
        return first.to_bytes(block) + output[block:], last


def _ecb(cipher: Cipher, inbound: bool) -> CipherFunction:
    cached = lru_cache(_CACHED_KEYS)(partial(_electronic, cipher))

    def encrypt(key: bytes, iv: bytes, data: bytes) -> tuple[bytes, bytes]:
        return cached(key).encrypt(data), iv

    def decrypt(key: bytes, iv: bytes, data: bytes) -> tuple[bytes, bytes]:
        return cached(key).decrypt(data), iv

    return decrypt if inbound else encrypt


def _cbc(cipher: Cipher, inbound: bool) -> CipherFunction:
    cached = lru_cache(_CACHED_KEYS)(partial(_Chain, cipher))

    def encrypt(key: bytes, iv: bytes, data: bytes) -> tuple[bytes, bytes]:
        return cached(key).encrypt(iv, data)

    def decrypt(key: bytes, iv: bytes, data: bytes) -> tuple[bytes, bytes]:
        return cached(key).decrypt(iv, data)

    return decrypt if inbound else encrypt


def _copy(key: bytes, iv: bytes, data: bytes) -> tuple[bytes, bytes]:
    return data, iv


def _xor(left: bytes, right: bytes) -> bytes:
    return (int.from_bytes(left) ^ int.from_bytes(right)).to_bytes(len(left))


def _triple_des_key(key: bytes) -> tuple[bool, bytes]:
    """Whether three different keys remain, and the key to use.

    pycryptodome refuses keys that degenerate, the engine does not: encrypt-decrypt-encrypt with
    two equal neighbours is single DES with the third.  Parity bits take no part.
    """
    first, second, third = key[:8], key[8:16], key[16:24]
    if _without_parity(first) == _without_parity(second):
        return False, third
    if _without_parity(second) == _without_parity(third):
        return False, first
    return True, key


def _without_parity(key: bytes) -> bytes:
    return bytes(byte & 0xFE for byte in key)


def _electronic(cipher: Cipher, key: bytes) -> _Cipher:
    if cipher is Cipher.AES:
        return AES.new(key, AES.MODE_ECB)
    triple, key = _triple_des_key(key) if cipher is Cipher.TDES else (False, key)
    return DES3.new(key, DES3.MODE_ECB) if triple else DES.new(key, DES.MODE_ECB)


def _chained(cipher: Cipher, key: bytes, iv: bytes) -> _Cipher:
    if cipher is Cipher.AES:
        return AES.new(key, AES.MODE_CBC, iv)
    triple, key = _triple_des_key(key) if cipher is Cipher.TDES else (False, key)
    return DES3.new(key, DES3.MODE_CBC, iv) if triple else DES.new(key, DES.MODE_CBC, iv)
