"""Keying a software fallback, and handing a request over to it."""

from __future__ import annotations

import errno
from typing import Any

from tcrypt.engine.api.flags import AlgFlag, ReqFlag
from tcrypt.engine.api.requests import AeadRequest, SkcipherRequest
from tcrypt.engine.api.transforms import Aead, Skcipher

__all__ = ("CIPHER_FLAGS", "hand_over", "key_alike")

# Both kinds of cipher complete later, go to software for what the device lacks, are of use to the
# kernel only, and allocate a bounce buffer for some requests.
CIPHER_FLAGS = (
    AlgFlag.ASYNC | AlgFlag.NEED_FALLBACK | AlgFlag.KERN_DRIVER_ONLY | AlgFlag.ALLOCATES_MEMORY
)


def key_alike(fallback: Skcipher | Aead, flags: int, key: bytes) -> int:
    """Give a fallback the key and the request flags of its owner; its errno when it refuses."""
    fallback.clear_flags(ReqFlag.request_mask())
    fallback.set_flags(flags)
    try:
        fallback.setkey(key)
    except OSError as error:
        return -(error.errno or errno.EINVAL)
    return 0


def hand_over(
    request: SkcipherRequest | AeadRequest,
    inner: SkcipherRequest | AeadRequest,
    *,
    encrypt: bool,
) -> int:
    """Let the fallback do a request, with the caller's own flags and callback; the status."""
    inner.set_callback(request.flags, request.complete, request.data)
    inner.set_crypt(request.src, request.dst, request.cryptlen, request.iv)
    if isinstance(inner, AeadRequest):
        assert isinstance(request, AeadRequest)
        inner.set_ad(request.assoclen)
    request.ctx = inner
    tfm: Any = inner.tfm
    status: int = tfm.encrypt(inner) if encrypt else tfm.decrypt(inner)
    return status
