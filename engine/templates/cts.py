"""Template cts over cbc: ciphertext stealing, variant CS3.

The last two blocks always change places, on whole blocks too (RFC 3962, section 5; the addendum to
SP 800-38A).  One block alone is plain CBC, less is refused (kernel-crypto, section 6.3).
"""

from __future__ import annotations

import errno
from collections.abc import Sequence

from tcrypt.engine.api.algorithms import SkcipherAlg
from tcrypt.engine.api.errors import crypto_error
from tcrypt.engine.api.flags import AlgType
from tcrypt.engine.api.requests import SkcipherRequest
from tcrypt.engine.api.templates import Builder, Template, check_count
from tcrypt.engine.api.transforms import Skcipher
from tcrypt.engine.templates.parts import Room, key_part, xor
from tcrypt.engine.templates.steps import Work, run_steps

__all__ = ("TEMPLATES",)


class _Cts:
    """An instance over one CBC; the methods are operations of the skcipher."""

    def __init__(self, child: SkcipherAlg) -> None:
        self.child = child
        self.size = child.cra_blocksize

    def init(self, tfm: Skcipher) -> int:
        """Open the CBC."""
        tfm.ctx = child = tfm.machine.registry.spawn_skcipher(self.child)
        tfm.reqsize = 2 * self.size + child.reqsize
        return 0

    def exit(self, tfm: Skcipher) -> None:
        """Close the CBC."""
        tfm.machine.registry.free(tfm.ctx)
        tfm.ctx = None

    def setkey(self, tfm: Skcipher, key: bytearray) -> int:
        """The child's key rules are the template's."""
        return key_part(tfm.ctx, tfm, key)

    def encrypt(self, request: SkcipherRequest) -> int:
        """CBC of all but the last 1 to `size` bytes, then of these alone."""
        if self.refuses(request):
            return -errno.EINVAL
        single = request.cryptlen == self.size
        return run_steps(request, self.one(request) if single else self.forwards(request))

    def decrypt(self, request: SkcipherRequest) -> int:
        """CBC of the whole blocks, then of the block that was stolen from."""
        if self.refuses(request):
            return -errno.EINVAL
        single = request.cryptlen == self.size
        work = self.one(request, decrypt=True) if single else self.backwards(request)
        return run_steps(request, work)

    def refuses(self, request: SkcipherRequest) -> bool:
        """Whether there is less than a block, or a list is too short."""
        length = request.cryptlen
        lists = request.src, request.dst
        return length < self.size or any(one.nents_for_len(length) < 0 for one in lists)

    def one(self, request: SkcipherRequest, *, decrypt: bool = False) -> Work:
        """A single block has nothing to steal from."""
        child: Skcipher = request.tfm.ctx
        inner = child.request()
        inner.set_crypt(request.src, request.dst, request.cryptlen, request.iv)
        yield (child.decrypt if decrypt else child.encrypt), inner
        return 0

    def forwards(self, request: SkcipherRequest) -> Work:
        """The second step continues from the IV that the first one left, not in the caller's."""
        size, length, dst = self.size, request.cryptlen, request.dst
        assert request.iv is not None, "cts was called without an IV"
        front = (length - 1) // size * size
        child: Skcipher = request.tfm.ctx
        with Room(request, size) as last, Room(request, size) as iv:
            iv.buffer.write(request.iv.read(size))
            last.buffer.write(request.src.read(length - front, front).ljust(size, b"\0"))
            inner = child.request()
            inner.set_crypt(request.src, dst, front, iv.buffer)
            yield child.encrypt, inner
            stolen = dst.read(length - front, front - size)
            inner = child.request()
            inner.set_crypt(last.list, last.list, size, iv.buffer)
            yield child.encrypt, inner
            dst.write(last.buffer.read() + stolen, front - size)
        return 0

    def backwards(self, request: SkcipherRequest) -> Work:
        """The last whole block gives back what was stolen from the one before it."""
        size, length, dst = self.size, request.cryptlen, request.dst
        front = (length - 1) // size * size
        child: Skcipher = request.tfm.ctx
        assert request.iv is not None, "cts was called without an IV"
        first = request.iv.read(size)
        before = request.src.read(size, front - 2 * size) if front > size else first
        tail = request.src.read(length - front, front)
        with Room(request, size) as last, Room(request, size) as iv:
            iv.buffer.write(first)
            inner = child.request()
            inner.set_crypt(request.src, dst, front, iv.buffer)
            yield child.decrypt, inner
            padded = xor(dst.read(size, front - size), before)
            last.buffer.write(tail + padded[len(tail) :])
            iv.buffer.write(before)
            inner = child.request()
            inner.set_crypt(last.list, last.list, size, iv.buffer)
            yield child.decrypt, inner
            dst.write(last.buffer.read() + xor(tail, padded[: len(tail)]), front - size)
        return 0


def _create(builder: Builder, arguments: Sequence[str]) -> SkcipherAlg:
    check_count("cts", arguments, 1)
    child = builder.skcipher(arguments[0])
    if child.ivsize != child.cra_blocksize or not child.cra_name.startswith("cbc("):
        raise crypto_error(-errno.EINVAL, f"cts({arguments[0]})")
    shared = _Cts(child)
    return SkcipherAlg(
        cra_name=f"cts({child.cra_name})",
        cra_driver_name=f"cts({child.cra_driver_name})",
        cra_priority=child.cra_priority,
        cra_flags=builder.flags,
        cra_blocksize=child.cra_blocksize,
        cra_alignmask=child.cra_alignmask,
        cra_module="cts",
        min_keysize=child.min_keysize,
        max_keysize=child.max_keysize,
        ivsize=child.cra_blocksize,
        chunksize=child.chunksize,
        setkey=shared.setkey,
        encrypt=shared.encrypt,
        decrypt=shared.decrypt,
        init=shared.init,
        exit=shared.exit,
    )


TEMPLATES = (Template("cts", AlgType.SKCIPHER, _create),)
