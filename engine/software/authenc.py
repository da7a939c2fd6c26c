"""Generic authenc(hmac(sha1),cbc(aes)) on pycryptodome and hmac.

The MAC covers AAD and ciphertext; decryption checks it before it looks at anything else, so that
a forged message of a bad length is -EBADMSG, not -EINVAL (kernel-crypto, section 6.4).
"""

from __future__ import annotations

import errno
import hmac
from dataclasses import dataclass
from typing import Any

from Crypto.Cipher import AES

from tcrypt.engine.api.algorithms import AeadAlg
from tcrypt.engine.api.authenc import split_authenc_key
from tcrypt.engine.api.requests import AeadRequest
from tcrypt.engine.api.transforms import Aead
from tcrypt.engine.software.block_ciphers import PRIORITY

__all__ = ("authenc_algs",)

_SHA1_SIZE = 20
AES_KEY_SIZES = (16, 24, 32)
BLOCK = 16


@dataclass(frozen=True, slots=True)
class _Keys:
    auth: bytes
    enc: bytes


def _setkey(tfm: Aead, key: bytearray) -> int:
    keys = split_authenc_key(key)
    if keys is None or len(keys.enckey) not in AES_KEY_SIZES:
        return -errno.EINVAL
    tfm.ctx = _Keys(keys.authkey, keys.enckey)
    return 0


def _read(request: AeadRequest, extra: int) -> tuple[bytes, bytes] | None:
    """AAD and text of a request whose output has `extra` bytes more than its input, or None."""
    assoclen, cryptlen = request.assoclen, request.cryptlen
    data = request.src.read(assoclen + cryptlen)
    wanted = assoclen + cryptlen + extra
    if len(data) != assoclen + cryptlen or request.dst.nents_for_len(wanted) < 0:
        return None
    return data[:assoclen], data[assoclen:]


def _tag(tfm: Aead, assoc: bytes, ctext: bytes) -> bytes:
    keys: _Keys = tfm.ctx
    return hmac.digest(keys.auth, assoc + ctext, "sha1")[: tfm.authsize]


def _cipher(request: AeadRequest) -> Any:
    assert request.iv is not None, "cbc was called without an IV"
    return AES.new(request.tfm.ctx.enc, AES.MODE_CBC, iv=request.iv.read(BLOCK))


def _encrypt(request: AeadRequest) -> int:
    tfm = request.tfm
    parts = _read(request, tfm.authsize)
    if parts is None or request.cryptlen % BLOCK:
        return -errno.EINVAL
    assoc, ptext = parts
    ctext = _cipher(request).encrypt(ptext)
    request.dst.write(assoc + ctext + _tag(tfm, assoc, ctext))
    return 0


def _decrypt(request: AeadRequest) -> int:
    tfm = request.tfm
    authsize = tfm.authsize
    parts = _read(request, -authsize)
    if parts is None:
        return -errno.EINVAL
    assoc, text = parts
    split = len(text) - authsize
    ctext, tag = text[:split], text[split:]
    if not hmac.compare_digest(tag, _tag(tfm, assoc, ctext)):
        return -errno.EBADMSG
    if split % BLOCK:
        return -errno.EINVAL
    request.dst.write(assoc + _cipher(request).decrypt(ctext))
    return 0


def authenc_algs() -> list[AeadAlg]:
    """New descriptors of the generic authenc algorithms."""
    return [
        AeadAlg(
            cra_name="authenc(hmac(sha1),cbc(aes))",
            cra_driver_name="authenc(hmac(sha1-generic),cbc(aes-generic))",
            cra_priority=PRIORITY,
            cra_blocksize=BLOCK,
            cra_module="software",
            ivsize=BLOCK,
            chunksize=BLOCK,
            maxauthsize=_SHA1_SIZE,
            setkey=_setkey,
            encrypt=_encrypt,
            decrypt=_decrypt,
        )
    ]
