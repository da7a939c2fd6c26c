"""Template rfc3686 over a counter mode: the nonce is part of the key (RFC 3686).

Counter block = 4 bytes of nonce, 8 bytes of IV, and a counter of 4 bytes that begins with 1.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from dataclasses import dataclass

from tcrypt.engine.api.algorithms import SkcipherAlg
from tcrypt.engine.api.errors import crypto_error
from tcrypt.engine.api.flags import AlgType
from tcrypt.engine.api.requests import SkcipherRequest
from tcrypt.engine.api.templates import Builder, Template, check_count
from tcrypt.engine.api.transforms import Skcipher
from tcrypt.engine.templates.parts import Room, key_part
from tcrypt.engine.templates.steps import Work, run_steps

__all__ = ("TEMPLATES",)

_NONCE = 4
_IV = 8
_BLOCK = 16
_FIRST_COUNTER = b"\0\0\0\1"


@dataclass(slots=True)
class _Context:
    child: Skcipher
    nonce: bytes = b""


class _Rfc3686:
    """An instance over one counter mode; the methods are operations of the skcipher."""

    def __init__(self, child: SkcipherAlg) -> None:
        self.child = child

    def init(self, tfm: Skcipher) -> int:
        """Open the counter mode."""
        child = tfm.machine.registry.spawn_skcipher(self.child)
        tfm.ctx = _Context(child)
        tfm.reqsize = _BLOCK + child.reqsize
        return 0

    def exit(self, tfm: Skcipher) -> None:
        """Close the counter mode."""
        tfm.machine.registry.free(tfm.ctx.child)
        tfm.ctx = None

    def setkey(self, tfm: Skcipher, key: bytearray) -> int:
        """The last four bytes are the nonce; -EINVAL without them, or as the child says."""
        if len(key) < _NONCE:
            return -errno.EINVAL
        context: _Context = tfm.ctx
        context.nonce = bytes(key[-_NONCE:])
        return key_part(context.child, tfm, key[:-_NONCE])

    def crypt(self, request: SkcipherRequest) -> int:
        """Either direction: the child's encryption with the whole counter block."""
        return run_steps(request, self.work(request))

    def work(self, request: SkcipherRequest) -> Work:
        """The child works on a counter block of its own: the caller's IV has no room for it."""
        context: _Context = request.tfm.ctx
        assert request.iv is not None, "rfc3686 was called without an IV"
        with Room(request, _BLOCK) as block:
            block.buffer.write(context.nonce + request.iv.read(_IV) + _FIRST_COUNTER)
            inner = context.child.request()
            inner.set_crypt(request.src, request.dst, request.cryptlen, block.buffer)
            yield context.child.encrypt, inner
        return 0


def _create(builder: Builder, arguments: Sequence[str]) -> SkcipherAlg:
    check_count("rfc3686", arguments, 1)
    child = builder.skcipher(arguments[0])
    if child.ivsize != _BLOCK or child.cra_blocksize != 1:
        raise crypto_error(-errno.EINVAL, f"rfc3686({arguments[0]})")
    shared = _Rfc3686(child)
    return SkcipherAlg(
        cra_name=f"rfc3686({child.cra_name})",
        cra_driver_name=f"rfc3686({child.cra_driver_name})",
        cra_priority=child.cra_priority,
        cra_flags=builder.flags,
        cra_blocksize=1,
        cra_alignmask=child.cra_alignmask,
        cra_module="rfc3686",
        min_keysize=child.min_keysize + _NONCE,
        max_keysize=child.max_keysize + _NONCE,
        ivsize=_IV,
        chunksize=child.chunksize,
        setkey=shared.setkey,
        encrypt=shared.crypt,
        decrypt=shared.crypt,
        init=shared.init,
        exit=shared.exit,
    )


TEMPLATES = (Template("rfc3686", AlgType.SKCIPHER, _create),)
