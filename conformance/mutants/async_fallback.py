"""What goes wrong between a driver, its asynchronous fallback, and its own removal."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from tcrypt.engine.api.requests import REQUEST_BYTES, AeadRequest, SkcipherRequest
from tcrypt.engine.api.transforms import Skcipher
from tcrypt.engine.eip93.driver import aead, skcipher
from tcrypt.engine.eip93.driver.core import Core, Job
from tcrypt.engine.eip93.driver.skcipher import EipSkcipher
from tcrypt.engine.templates import steps
from tcrypt.mutants import mutant
from tcrypt.mutants.seams import Planted, replaced

__all__: tuple[str, ...] = ()

_Request = SkcipherRequest | AeadRequest
_EINPROGRESS = -errno.EINPROGRESS


def _handing_over(
    done: Callable[[_Request, int], None], answer: Callable[[_Request, int], int]
) -> Planted:
    """Fallback requests get the driver's own callback; `answer` sees their status."""

    def hand_over(request: _Request, inner: _Request, *, encrypt: bool) -> int:
        inner.set_callback(request.flags, done, request)
        inner.set_crypt(request.src, request.dst, request.cryptlen, request.iv)
        if isinstance(inner, AeadRequest) and isinstance(request, AeadRequest):
            inner.set_ad(request.assoclen)
        request.ctx = inner
        tfm: Any = inner.tfm
        return answer(inner, tfm.encrypt(inner) if encrypt else tfm.decrypt(inner))

    return replaced((skcipher, "hand_over", hand_over), (aead, "hand_over", hand_over))


@mutant("KF-08b", "the fallback's requests overrun the context of the driver's own")
def no_room_for_the_fallback() -> Planted:
    """The reqsize is the driver's own need, without what the fallback asks for."""
    init = EipSkcipher.init_tfm

    def init_tfm(self: EipSkcipher, tfm: Skcipher) -> int:
        status = init(self, tfm)
        tfm.reqsize = REQUEST_BYTES
        return status

    return replaced((EipSkcipher, "init_tfm", init_tfm))


@mutant("KF-09", "MAY_SLEEP is carried into a completion")
def sleeps_in_completion() -> Planted:
    """A template starts its next step from a callback with the flags of the submission."""
    return replaced((steps, "_MAY_SLEEP", 0))


@mutant("EQ-12", "a backlog notice is taken for the completion")
def notice_completes() -> Planted:
    """The fallback's callback ends the request, whatever it is called with."""

    def done(request: _Request, status: int) -> None:
        request.complete(request.data, 0 if status == _EINPROGRESS else status)

    return _handing_over(done, lambda inner, status: status)


@mutant("EQ-13", "-EBUSY of the fallback is taken for an error")
def busy_is_an_error() -> Planted:
    """Anything but 0 and -EINPROGRESS ends the request, while the fallback goes on with it."""

    def done(request: _Request, status: int) -> None:
        request.complete(request.data, status)

    def forgotten(request: _Request, status: int) -> None:
        return

    def answer(inner: _Request, status: int) -> int:
        if status in (0, _EINPROGRESS):
            return status
        inner.complete = forgotten
        return -errno.EIO

    return _handing_over(done, answer)


@mutant("EQ-16", "the number of requests in flight leaks on an error path")
def inflight_leaked() -> Planted:
    """A request is counted before it is checked, and not uncounted when it is refused."""
    submit, release, drain = EipSkcipher.submit, Core.release, Core.drain
    inflight: WeakKeyDictionary[Core, int] = WeakKeyDictionary()

    def count(self: Core, step: int) -> None:
        inflight[self] = inflight.get(self, 0) + step

    def submit_counted(self: EipSkcipher, request: SkcipherRequest, *, encrypt: bool) -> int:
        count(self.core, 1)
        status = submit(self, request, encrypt=encrypt)
        if status == 0:
            count(self.core, -1)
        return status

    def release_counted(self: Core, job: Job) -> None:
        release(self, job)
        if isinstance(job.request, SkcipherRequest):
            count(self, -1)

    def drain_counted(self: Core) -> int:
        return drain(self) or (-errno.EBUSY if inflight.get(self, 0) else 0)

    return replaced(
        (EipSkcipher, "submit", submit_counted),
        (Core, "release", release_counted),
        (Core, "drain", drain_counted),
    )


@mutant("EQ-25", "a chain is extended that the hardware is already reading")
def chain_extended() -> Planted:
    """The doorbell is rung only for an idle engine; a busy one is trusted to read on."""
    original = Core.ring_doorbell

    def ring_doorbell(self: Core, count: int) -> None:
        if len(self._jobs) <= 1:
            original(self, count)

    return replaced((Core, "ring_doorbell", ring_doorbell))
