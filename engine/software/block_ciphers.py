"""Generic single-block ciphers on pycryptodome: aes, des and des3_ede.

Key rules are those of kernel-crypto, section 6.2.  Whole-message modes come from the library; a
template that wants blocks gets them one by one.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

from Crypto.Cipher import AES, DES, DES3

from tcrypt.engine.api.algorithms import CipherAlg
from tcrypt.engine.api.flags import ReqFlag
from tcrypt.engine.api.transforms import Cipher

__all__ = ("PRIORITY", "cipher_algs")

PRIORITY = 100
_AES_KEY_SIZES = (16, 24, 32)
_FORBID_WEAK = int(ReqFlag.FORBID_WEAK_KEYS)
_NO_PARITY = bytes(byte & 0xFE for byte in range(256))

# Of these, without parity bits, the weak and semi-weak keys of DES consist: one value in the first
# and one in the last four bytes (SP 800-67 rev. 2, section 3.3.2).
_WEAK_PAIRS = ((0x00, 0x00), (0xFE, 0xFE), (0x1E, 0x0E), (0xE0, 0xF0))


def _weak_des_keys() -> frozenset[bytes]:
    """The 4 weak and 12 semi-weak keys: their bytes take turns between two of the pairs."""
    return frozenset(
        bytes((even[0], odd[0]) * 2 + (even[1], odd[1]) * 2)
        for even in _WEAK_PAIRS
        for odd in _WEAK_PAIRS
    )


_WEAK = _weak_des_keys()


class _Keyed:
    """A cipher of the library with a key: the whole-message modes of `BlockModes`."""

    __slots__ = ("_blocks", "_key", "_library")

    def __init__(self, library: Any, key: bytes) -> None:
        self._library = library
        self._key = key
        self._blocks: Any = None

    def ecb(self, data: bytes, encrypt: bool) -> bytes:
        """Each block by itself (SP 800-38A, 6.1)."""
        cipher = self._blocks
        if cipher is None:
            cipher = self._blocks = self._library.new(self._key, self._library.MODE_ECB)
        out: bytes = cipher.encrypt(data) if encrypt else cipher.decrypt(data)
        return out

    def cbc(self, data: bytes, iv: bytes, encrypt: bool) -> bytes:
        """Chained over the ciphertext (SP 800-38A, 6.2)."""
        library = self._library
        cipher = library.new(self._key, library.MODE_CBC, iv=iv)
        out: bytes = cipher.encrypt(data) if encrypt else cipher.decrypt(data)
        return out

    def ctr(self, data: bytes, iv: bytes) -> bytes:
        """The whole IV counts, big-endian (SP 800-38A, 6.5).

        It is given as the initial value: a split into nonce and counter would not carry.
        """
        library = self._library
        cipher = library.new(self._key, library.MODE_CTR, nonce=b"", initial_value=iv)
        out: bytes = cipher.encrypt(data)
        return out


def _aes_setkey(tfm: Cipher, key: bytearray) -> int:
    if len(key) not in _AES_KEY_SIZES:
        return -errno.EINVAL
    tfm.ctx = _Keyed(AES, bytes(key))
    return 0


def _des_setkey(tfm: Cipher, key: bytearray) -> int:
    if tfm.flags & _FORBID_WEAK and bytes(key.translate(_NO_PARITY)) in _WEAK:
        return -errno.EINVAL
    tfm.ctx = _Keyed(DES, bytes(key))
    return 0


def _des3_setkey(tfm: Cipher, key: bytearray) -> int:
    """Neighbouring keys must differ if the caller or FIPS wants it; in FIPS all three."""
    first, second, third = bytes(key[:8]), bytes(key[8:16]), bytes(key[16:])
    fips = tfm.machine.setup.fips
    if (first == second or second == third) and (fips or tfm.flags & _FORBID_WEAK):
        return -errno.EINVAL
    if fips and first == third:
        return -errno.EINVAL
    tfm.ctx = _triple(first, second, third)
    return 0


def _triple(first: bytes, second: bytes, third: bytes) -> _Keyed:
    """EDE; the library refuses two equal neighbours, of which one undoes the other."""
    bare = [part.translate(_NO_PARITY) for part in (first, second, third)]
    if bare[0] == bare[1]:
        return _Keyed(DES, third)
    if bare[1] == bare[2]:
        return _Keyed(DES, first)
    return _Keyed(DES3, first + second + third)


def _encrypt_block(tfm: Cipher, block: bytes) -> bytes:
    keyed: _Keyed = tfm.ctx
    return keyed.ecb(block, True)


def _decrypt_block(tfm: Cipher, block: bytes) -> bytes:
    keyed: _Keyed = tfm.ctx
    return keyed.ecb(block, False)


def _modes(tfm: Cipher) -> _Keyed:
    keyed: _Keyed = tfm.ctx
    return keyed


def _exit(tfm: Cipher) -> None:
    tfm.ctx = None


def _alg(
    name: str, block: int, keysizes: tuple[int, int], setkey: Callable[[Cipher, bytearray], int]
) -> CipherAlg:
    return CipherAlg(
        cra_name=name,
        cra_driver_name=f"{name}-generic",
        cra_priority=PRIORITY,
        cra_blocksize=block,
        cra_module="software",
        min_keysize=keysizes[0],
        max_keysize=keysizes[1],
        setkey=setkey,
        encrypt_block=_encrypt_block,
        decrypt_block=_decrypt_block,
        modes=_modes,
        exit=_exit,
    )


def cipher_algs() -> list[CipherAlg]:
    """New descriptors of the generic block ciphers."""
    return [
        _alg("aes", 16, (16, 32), _aes_setkey),
        _alg("des", 8, (8, 8), _des_setkey),
        _alg("des3_ede", 8, (24, 24), _des3_setkey),
    ]
