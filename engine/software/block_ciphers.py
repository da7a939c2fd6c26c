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
from tcrypt.engine.api.des_keys import check_des3_key, check_des_key
from tcrypt.engine.api.transforms import Cipher

__all__ = ("PRIORITY", "cipher_algs")

PRIORITY = 100
_AES_KEY_SIZES = (16, 24, 32)
_NO_PARITY = bytes(byte & 0xFE for byte in range(256))


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
    status = check_des_key(key, tfm.flags)
    if not status:
        tfm.ctx = _Keyed(DES, bytes(key))
    return status


def _des3_setkey(tfm: Cipher, key: bytearray) -> int:
    status = check_des3_key(key, tfm.flags, fips=tfm.machine.setup.fips)
    if not status:
        tfm.ctx = _triple(bytes(key[:8]), bytes(key[8:16]), bytes(key[16:]))
    return status


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
