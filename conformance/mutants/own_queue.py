"""Submission without crypto_engine: how drivers with their own queue lose or hold up requests.

Most of it is what drivers do that write descriptors from their callers' context: the mainline
EIP-93 driver sleeps while its ring is full, and others had each of these in a queue of their own.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tcrypt.engine.api.flags import ReqFlag
from tcrypt.engine.api.requests import AnyRequest
from tcrypt.engine.eip93.driver.core import Core, Job
from tcrypt.engine.eip93.driver.own_queue import OwnQueue
from tcrypt.engine.sim import WorkItem
from tcrypt.mutants import mutant
from tcrypt.mutants.seams import Planted, replaced

__all__: tuple[str, ...] = ()

_MAY_BACKLOG = int(ReqFlag.MAY_BACKLOG)
_EINPROGRESS, _ENOSPC = -errno.EINPROGRESS, -errno.ENOSPC
_FULL_NS = 500_000


def _waits_for_room(wait: Callable[[OwnQueue], None]) -> Planted:
    """A submission that finds no room waits for it itself, and tries again, for ever."""

    def transfer(self: OwnQueue, request: AnyRequest) -> int:
        while (status := self._try(request)) == _ENOSPC:
            wait(self)
        return status or _EINPROGRESS

    return replaced((OwnQueue, "transfer", transfer))


@mutant("CC-13b", "a submission allocates as a worker may")
def sleeping_bounce() -> Planted:
    """Bounce buffers come from memory that may be waited for, in whatever context."""
    original = Core.bounce

    def bounce(self: Core, job: Job, data: bytes, size: int) -> int:
        self.machine.sim.might_sleep("allocation of a bounce buffer")
        return original(self, job, data, size)

    return replaced((Core, "bounce", bounce))


@mutant("CC-13c", "a submission sleeps while the ring is full")
def sleep_while_full() -> Planted:
    """What the mainline driver does: 500 us, and another try, without regard to the context."""

    def wait(self: OwnQueue) -> None:
        self.machine.sim.sleep(_FULL_NS, "the ring is full")

    return _waits_for_room(wait)


@mutant("EQ-19b", "a submission polls while the ring is full")
def poll_while_full() -> Planted:
    """It does not sleep; but what would make room cannot run on the processor that it holds."""
    return _waits_for_room(lambda queue: None)


@mutant("EQ-09b", "-EBUSY for a full ring, and nothing queued")
def full_ring_is_busy() -> Planted:
    """There is no queue: what finds no room is answered -EBUSY, as if it were on a backlog."""

    def transfer(self: OwnQueue, request: AnyRequest) -> int:
        with self._locked():
            status = self._try(request)
        return -errno.EBUSY if status == _ENOSPC else status or _EINPROGRESS

    return replaced((OwnQueue, "transfer", transfer))


@mutant("EQ-10b", "MAY_BACKLOG is ignored")
def no_backlog() -> Planted:
    """A full queue refuses every request."""
    original = OwnQueue.transfer

    def transfer(self: OwnQueue, request: AnyRequest) -> int:
        if len(self.queue) >= self.queue.max_qlen:
            return _ENOSPC
        return original(self, request)

    return replaced((OwnQueue, "transfer", transfer))


def _told(notices: Callable[[AnyRequest, AnyRequest | None], list[AnyRequest]]) -> Planted:
    """A feeder that decides whom it tells -EINPROGRESS, from who starts and who was promoted."""

    def feed_one(self: OwnQueue) -> bool:
        with self._locked():
            request = next(iter(self.queue), None)
            status = _ENOSPC if request is None else self._try(request)
            if request is None or status == _ENOSPC:
                return False
            promoted = self.queue.backlog
            self.queue.dequeue()
        for told in notices(request, promoted):
            told.complete(told.data, _EINPROGRESS)
        if status:
            request.complete(request.data, status)
        return True

    return replaced((OwnQueue, "_feed_one", feed_one))


@mutant("EQ-03b", "the backlog never hears that it was accepted")
def silent_backlog() -> Planted:
    """Requests of the backlog are started like any other, and only completed."""
    return _told(lambda request, promoted: [])


@mutant("EQ-12b", "every request that has waited hears -EINPROGRESS")
def notice_for_all() -> Planted:
    """A request is told when it starts, also one whose submitter was answered -EINPROGRESS."""
    return _told(lambda request, promoted: [request])


@mutant("EQ-04b", "a new request overtakes those that wait")
def overtaking() -> Planted:
    """A submission starts whenever there is room for it, whoever waits for more room."""

    def transfer(self: OwnQueue, request: AnyRequest) -> int:
        with self._locked():
            status = self._try(request)
            if status != _ENOSPC:
                return status or _EINPROGRESS
            return self.queue.enqueue(request)

    return replaced((OwnQueue, "transfer", transfer))


@mutant("CR-19b", "completions do not start what waits")
def fed_by_submissions() -> Planted:
    """Only the next submission looks at the queue; after the last one nobody does."""
    original = OwnQueue.transfer

    def transfer(self: OwnQueue, request: AnyRequest) -> int:
        self._feed()
        return original(self, request)

    def finalize(self: OwnQueue, request: AnyRequest, status: int) -> None:
        request.complete(request.data, status)

    return replaced((OwnQueue, "transfer", transfer), (OwnQueue, "finalize", finalize))


@mutant("CC-09b", "room is looked for, and a request queued, without a lock")
def unlocked_queue() -> Planted:
    """The last completion can come between, and find nothing to start."""

    @contextmanager
    def unlocked(self: OwnQueue) -> Iterator[None]:
        self.machine.sim.preemption_point("no lock")
        yield

    return replaced((OwnQueue, "_locked", unlocked))


@mutant("CC-10b", "the queue's lock is taken with bottom halves enabled")
def lock_with_softirqs() -> Planted:
    """The completion tasklet takes it as well, and may strike its holder."""

    @contextmanager
    def locked(self: OwnQueue) -> Iterator[None]:
        self._lock.acquire()
        self.machine.sim.preemption_point("queue lock")
        try:
            yield
        finally:
            self._lock.release()

    return replaced((OwnQueue, "_locked", locked))


@mutant("EQ-15b", "what waits is thrown away when the driver is removed")
def dropped_at_removal() -> Planted:
    """Only what the hardware has is waited for."""

    def stop(self: OwnQueue) -> int:
        self.running = False
        while self.queue.dequeue() is not None:
            pass
        return 0

    return replaced((OwnQueue, "stop", stop))


@mutant("EQ-22b", "the queue is fed by a worker that leaves bottom halves enabled")
def fed_by_a_worker() -> Planted:
    """Notices come from a work item, whose context is not that of a completion."""
    feed = OwnQueue._feed

    def later(self: OwnQueue) -> None:
        WorkItem(self.machine.sim, f"{self.name}: feed", lambda: feed(self)).queue()

    return replaced((OwnQueue, "_feed", later))


@mutant("EQ-06b", "a submission that fails is called back as well")
def failure_called_back() -> Planted:
    """The caller's memory is gone by then: it was told that nothing more would come."""

    def not_started(self: OwnQueue, request: AnyRequest, status: int) -> int:
        request.complete(request.data, status)
        return status

    return replaced((OwnQueue, "not_started", not_started))
