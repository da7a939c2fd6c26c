"""Single-block ciphers on a library: aes, des and des3_ede; the generic ones are pycryptodome's.

Key rules are those of kernel-crypto, section 6.2.  Whole-message modes come from the library; a
template that wants blocks gets them one by one.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from Crypto.Cipher import AES, DES, DES3

from tcrypt.engine.api.algorithms import BlockModes, CipherAlg
from tcrypt.engine.api.des_keys import check_des3_key, check_des_key
from tcrypt.engine.api.transforms import Cipher, Skcipher

__all__ = ("PRIORITY", "PYCRYPTODOME", "BlockLibrary", "cipher_algs")

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


def _triple(first: bytes, second: bytes, third: bytes) -> _Keyed:
    """EDE; the library refuses two equal neighbours, of which one undoes the other."""
    bare = [part.translate(_NO_PARITY) for part in (first, second, third)]
    if bare[0] == bare[1]:
        return _Keyed(DES, third)
    if bare[1] == bare[2]:
        return _Keyed(DES, first)
    return _Keyed(DES3, first + second + third)


@dataclass(frozen=True, slots=True)
class BlockLibrary:
    """A library's block ciphers under a key.

    Attributes:
        module: who owns the drivers, for listings.
        suffix: what their names end in.
        priority: of the drivers.
        aes: for a key of 16, 24 or 32 bytes.
        des: for a key of 8 bytes.
        des3: EDE for three keys of 8 bytes, equal or not.
    """

    module: str
    suffix: str
    priority: int
    aes: Callable[[bytes], BlockModes]
    des: Callable[[bytes], BlockModes]
    des3: Callable[[bytes, bytes, bytes], BlockModes]


PYCRYPTODOME = BlockLibrary(
    "software", "generic", PRIORITY, partial(_Keyed, AES), partial(_Keyed, DES), _triple
)
"""What the generics compute with."""

_AnyCipher: TypeAlias = Cipher | Skcipher
# Keys a transform, whose context becomes a `BlockModes`; the status.
_Setkey: TypeAlias = Callable[[BlockLibrary, Any, bytearray], int]


def _aes_setkey(library: BlockLibrary, tfm: _AnyCipher, key: bytearray) -> int:
    if len(key) not in _AES_KEY_SIZES:
        return -errno.EINVAL
    tfm.ctx = library.aes(bytes(key))
    return 0


def _des_setkey(library: BlockLibrary, tfm: _AnyCipher, key: bytearray) -> int:
    status = check_des_key(key, tfm.flags)
    if not status:
        tfm.ctx = library.des(bytes(key))
    return status


def _des3_setkey(library: BlockLibrary, tfm: _AnyCipher, key: bytearray) -> int:
    status = check_des3_key(key, tfm.flags, fips=tfm.machine.setup.fips)
    if not status:
        tfm.ctx = library.des3(bytes(key[:8]), bytes(key[8:16]), bytes(key[16:]))
    return status


@dataclass(frozen=True, slots=True)
class _Rules:
    """A block cipher's sizes in bytes, and what keys it."""

    block: int
    min_keysize: int
    max_keysize: int
    setkey: _Setkey


_RULES = {
    "aes": _Rules(16, 16, 32, _aes_setkey),
    "des": _Rules(8, 8, 8, _des_setkey),
    "des3_ede": _Rules(8, 24, 24, _des3_setkey),
}


def _encrypt_block(tfm: Cipher, block: bytes) -> bytes:
    return _modes(tfm).ecb(block, True)


def _decrypt_block(tfm: Cipher, block: bytes) -> bytes:
    return _modes(tfm).ecb(block, False)


def _modes(tfm: Cipher) -> BlockModes:
    keyed: BlockModes = tfm.ctx
    return keyed


def _exit(tfm: Cipher) -> None:
    tfm.ctx = None


def _alg(name: str, library: BlockLibrary) -> CipherAlg:
    rules = _RULES[name]
    return CipherAlg(
        cra_name=name,
        cra_driver_name=f"{name}-{library.suffix}",
        cra_priority=library.priority,
        cra_blocksize=rules.block,
        cra_module=library.module,
        min_keysize=rules.min_keysize,
        max_keysize=rules.max_keysize,
        setkey=partial(rules.setkey, library),
        encrypt_block=_encrypt_block,
        decrypt_block=_decrypt_block,
        modes=_modes,
        exit=_exit,
    )


def cipher_algs(library: BlockLibrary = PYCRYPTODOME) -> list[CipherAlg]:
    """New descriptors of a library's block ciphers."""
    return [_alg(name, library) for name in _RULES]
