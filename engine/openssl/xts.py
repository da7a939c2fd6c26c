"""xts(aes) on OpenSSL.

OpenSSL's XTS refuses AES-192 and keys with equal halves.  The kernel takes both, so under such a
key the mode is composed of OpenSSL's block cipher (IEEE 1619-2007, section 5).
"""

from __future__ import annotations

import errno
from typing import Protocol

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import XTS

from tcrypt.engine.api.algorithms import BlockModes, SkcipherAlg
from tcrypt.engine.api.flags import ReqFlag
from tcrypt.engine.api.requests import SkcipherRequest
from tcrypt.engine.api.transforms import Skcipher
from tcrypt.engine.openssl.library import BLOCKS, MODULE, PRIORITY
from tcrypt.engine.templates.parts import xor
from tcrypt.engine.templates.xts import tweak_masks

__all__ = ("xts_alg",)

_BLOCK = 16
_KEY_SIZES = (32, 48, 64)
_LIBRARY_KEY_SIZES = (32, 64)
_FORBID_WEAK = int(ReqFlag.FORBID_WEAK_KEYS)


class _Keyed(Protocol):
    """XTS with a key: at least one block of data, an IV of one block."""

    def crypt(self, data: bytes, iv: bytes, encrypt: bool) -> bytes: ...


class _Library:
    """OpenSSL's own."""

    def __init__(self, key: bytes) -> None:
        self._schedule = AES(key)

    def crypt(self, data: bytes, iv: bytes, encrypt: bool) -> bytes:
        cipher = Cipher(self._schedule, XTS(iv))
        return (cipher.encryptor() if encrypt else cipher.decryptor()).update(data)


class _Composed:
    """Masks around the block cipher; a tail steals from the block before it."""

    def __init__(self, data: BlockModes, tweak: BlockModes) -> None:
        self._data = data
        self._tweak = tweak

    def crypt(self, data: bytes, iv: bytes, encrypt: bool) -> bytes:
        count, tail = divmod(len(data), _BLOCK)
        front = count * _BLOCK
        masks = tweak_masks(self._tweak.ecb(iv, True), count + bool(tail))
        own, last = masks[:front], masks[front:]
        if tail and not encrypt:
            # The tail's mask comes last, and decryption needs it for the block before.
            own, last = own[:-_BLOCK] + last, own[-_BLOCK:]
        out = self._masked(data[:front], own, encrypt)
        if not tail:
            return out
        robbed = out[-_BLOCK:]
        whole = self._masked(data[front:] + robbed[tail:], last, encrypt)
        return out[:-_BLOCK] + whole + robbed[:tail]

    def _masked(self, blocks: bytes, masks: bytes, encrypt: bool) -> bytes:
        return xor(self._data.ecb(xor(blocks, masks), encrypt), masks)


def _setkey(tfm: Skcipher, key: bytearray) -> int:
    """-EINVAL for a wrong length, and for equal halves if the caller or FIPS forbids them."""
    if len(key) not in _KEY_SIZES:
        return -errno.EINVAL
    whole, half = bytes(key), len(key) // 2
    equal = whole[:half] == whole[half:]
    if equal and (tfm.machine.setup.fips or tfm.flags & _FORBID_WEAK):
        return -errno.EINVAL
    composed = equal or len(key) not in _LIBRARY_KEY_SIZES
    tfm.ctx = (
        _Composed(BLOCKS.aes(whole[:half]), BLOCKS.aes(whole[half:]))
        if composed
        else _Library(whole)
    )
    return 0


def _exit(tfm: Skcipher) -> None:
    tfm.ctx = None


def _crypt(request: SkcipherRequest, encrypt: bool) -> int:
    """Anything from one block on."""
    length = request.cryptlen
    lists = request.src, request.dst
    if length < _BLOCK or any(one.nents_for_len(length) < 0 for one in lists):
        return -errno.EINVAL
    assert request.iv is not None, "xts was called without an IV"
    keyed: _Keyed = request.tfm.ctx
    request.dst.write(keyed.crypt(request.src.read(length), request.iv.read(_BLOCK), encrypt))
    return 0


def xts_alg() -> SkcipherAlg:
    """A new descriptor."""
    return SkcipherAlg(
        cra_name="xts(aes)",
        cra_driver_name=f"xts-aes-{MODULE}",
        cra_priority=PRIORITY,
        cra_blocksize=_BLOCK,
        cra_module=MODULE,
        min_keysize=min(_KEY_SIZES),
        max_keysize=max(_KEY_SIZES),
        ivsize=_BLOCK,
        chunksize=_BLOCK,
        setkey=_setkey,
        encrypt=lambda request: _crypt(request, True),
        decrypt=lambda request: _crypt(request, False),
        exit=_exit,
    )
