"""The crypto_engine and its queue: retry, backlog, completion; and drivers that misuse them."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import fields
from functools import partial
from weakref import WeakKeyDictionary

from tcrypt.engine.api.flags import ReqFlag
from tcrypt.engine.api.queue import CryptoQueue
from tcrypt.engine.api.requests import AnyRequest, SkcipherRequest
from tcrypt.engine.crypto_engine import CryptoEngine
from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.driver.cipher_jobs import CipherJob, CipherJobs
from tcrypt.engine.eip93.driver.core import Core, Job
from tcrypt.engine.eip93.driver.offload import Offload
from tcrypt.engine.eip93.driver.skcipher import EipSkcipher
from tcrypt.engine.sim import Timer
from tcrypt.mutants import mutant
from tcrypt.mutants.seams import Planted, replaced

__all__: tuple[str, ...] = ()

_MAY_BACKLOG = int(ReqFlag.MAY_BACKLOG)
_PAGE = 4096
_DOORBELL_BATCH = 4
_GIVE_UP_NS = 50_000


@mutant("EQ-01", "a fatal error is requeued for ever")
def fatal_error_requeued() -> Planted:
    """Any error puts a request that may be backlogged back; the driver checks lengths late."""
    start, original = CryptoEngine._do_one_request, EipSkcipher.do_one_request
    check_early = EipSkcipher.check

    def requeue(self: CryptoEngine, request: AnyRequest) -> int:
        status = start(self, request)
        return -errno.ENOSPC if status < 0 and request.flags & _MAY_BACKLOG else status

    def check(self: EipSkcipher, request: SkcipherRequest) -> int:
        return 0

    def do_one_request(self: EipSkcipher, engine: CryptoEngine, request: SkcipherRequest) -> int:
        # A sound engine calls back with the error, though it stands still then (5.7, wedge F).
        return check_early(self, request) or original(self, engine, request)

    return replaced(
        (CryptoEngine, "_do_one_request", requeue),
        (EipSkcipher, "check", check),
        (CipherJobs, "do_one_request", do_one_request),
    )


@mutant("EQ-03", "the backlog pointer is stale after an insertion at the head")
def stale_backlog() -> Planted:
    """A request put back in front of a full queue does not move the start of the backlog."""

    def enqueue_head(self: CryptoQueue, request: AnyRequest) -> None:
        self._requests.appendleft(request)

    return replaced((CryptoQueue, "enqueue_head", enqueue_head))


@mutant("EQ-04", "a retry goes to the tail")
def retry_at_tail() -> Planted:
    """A request that the hardware had no room for is queued again behind all others."""

    def enqueue_head(self: CryptoQueue, request: AnyRequest) -> None:
        if len(self._requests) >= self.max_qlen:
            self._backlogged += 1
        self._requests.append(request)

    return replaced((CryptoQueue, "enqueue_head", enqueue_head))


@mutant("EQ-06", "a validation failure is notified twice")
def notified_twice() -> Planted:
    """A refused request is called back, and the error returned as well."""
    original = EipSkcipher.check

    def check(self: EipSkcipher, request: SkcipherRequest) -> int:
        status = original(self, request)
        if status:
            request.complete(request.data, status)
        return status

    return replaced((EipSkcipher, "check", check))


@mutant("EQ-07", "an early exit without finalising")
def exit_without_finalize() -> Planted:
    """A bounce buffer has one page; a request that needs more is dropped, with status 0."""
    original = EipSkcipher.do_one_request

    def do_one_request(self: EipSkcipher, engine: CryptoEngine, request: SkcipherRequest) -> int:
        plan: CipherJob = request.ctx
        if plan.bounced and request.cryptlen > _PAGE:
            return 0
        return original(self, engine, request)

    return replaced((CipherJobs, "do_one_request", do_one_request))


@mutant("EQ-09", "-EBUSY is returned but the request dropped")
def busy_and_dropped() -> Planted:
    """A full queue answers -EBUSY to a request that may be backlogged, and does not keep it."""
    original = CryptoQueue.enqueue

    def enqueue(self: CryptoQueue, request: AnyRequest) -> int:
        if len(self) >= self.max_qlen and request.flags & _MAY_BACKLOG:
            return -errno.EBUSY
        return original(self, request)

    return replaced((CryptoQueue, "enqueue", enqueue))


@mutant("EQ-10", "-EBUSY whether or not MAY_BACKLOG is set")
def busy_for_all() -> Planted:
    """A full queue takes every request and answers -EBUSY, which to some means refused."""
    original = CryptoQueue.enqueue

    def enqueue(self: CryptoQueue, request: AnyRequest) -> int:
        flags = request.flags
        request.flags |= _MAY_BACKLOG
        try:
            return original(self, request)
        finally:
            request.flags = flags

    return replaced((CryptoQueue, "enqueue", enqueue))


@mutant("EQ-10c", "a refusal by a full queue is told as -EBUSY")
def busy_for_no_room() -> Planted:
    """The errno of old kernels: who waits for the request takes it for an acceptance."""
    original = Offload.enqueue

    def enqueue(self: Offload, request: AnyRequest) -> int:
        status = original(self, request)
        return -errno.EBUSY if status == -errno.ENOSPC else status

    return replaced((Offload, "enqueue", enqueue))


@mutant("EQ-15", "pending requests are not called back at stop")
def dropped_at_stop() -> Planted:
    """Stopping the engine throws the queue away."""
    original = CryptoEngine.stop

    def stop(self: CryptoEngine) -> int:
        while self.queue.dequeue() is not None:
            pass
        self.busy = False
        return original(self)

    return replaced((CryptoEngine, "stop", stop))


class _Replayable(CipherJob):
    """A job that knows whether some of it went to the hardware before a retry."""

    replayed = False


@mutant("EQ-18", "a partial submission is replayed")
def partial_replay() -> Planted:
    """Room is looked for descriptor by descriptor; what fits runs, and is run again at a retry."""
    plan_of, start, complete = EipSkcipher.plan, EipSkcipher.do_one_request, Core.complete
    lost: set[int] = set()

    def plan_once(self: EipSkcipher, request: SkcipherRequest, sa: bytes) -> CipherJob:
        job = plan_of(self, request, sa)
        return _Replayable(**{f.name: getattr(job, f.name) for f in fields(job)})

    def do_one_request(self: EipSkcipher, engine: CryptoEngine, request: SkcipherRequest) -> int:
        core, plan = self.core, request.ctx
        free = core.rings.free
        if free >= plan.count or not free or plan.bounced or plan.replayed:
            return start(self, engine, request)
        plan.replayed = True
        job = core.begin(request, free, lambda job, status: None)
        assert job is not None, "there is room for as many descriptors as are free"
        lost.add(id(job))
        core.machine.memory.write(job.slot, plan.sa + plan.iv)
        self.map_pieces(job, plan.pieces[:free])
        self.put_pieces(job, plan.pieces[:free], 0)
        core.ring_doorbell(free)
        return -errno.ENOSPC

    def finish(self: Core, job: Job) -> None:
        if id(job) not in lost:
            complete(self, job)
            return
        lost.discard(id(job))
        _without_finalize(lambda: complete(self, job))

    return replaced(
        (CipherJobs, "plan", plan_once),
        (CipherJobs, "do_one_request", do_one_request),
        (Core, "complete", finish),
    )


def _without_finalize(body: Callable[[], None]) -> None:
    def nothing(self: CryptoEngine, request: AnyRequest, status: int) -> None:
        return

    with replaced((CryptoEngine, "finalize", nothing)):
        body()


@mutant("EQ-19", "unbounded busy retry")
def busy_retry() -> Planted:
    """A driver that finds the ring full polls for room, where no completion can make any."""
    original = Core.begin

    def begin(
        self: Core, request: AnyRequest, count: int, finish: Callable[[Job, int], None]
    ) -> Job | None:
        while self.rings.free < count:
            self.mmio.read32(reg.PE_RD_COUNT)
        return original(self, request, count, finish)

    return replaced((Core, "begin", begin))


@mutant("EQ-21", "the last partial batch is never announced")
def batch_not_announced() -> Planted:
    """The doorbell is rung for every four descriptors; nobody rings it for the rest."""
    original = Core.ring_doorbell
    unannounced: WeakKeyDictionary[Core, int] = WeakKeyDictionary()

    def ring_doorbell(self: Core, count: int) -> None:
        total = unannounced.get(self, 0) + count
        ready = total // _DOORBELL_BATCH * _DOORBELL_BATCH
        unannounced[self] = total - ready
        original(self, ready)

    return replaced((Core, "ring_doorbell", ring_doorbell))


@mutant("EQ-22", "callbacks with bottom halves enabled")
def callback_in_task() -> Planted:
    """The engine's worker calls back without entering a section with bottom halves disabled."""

    def complete(self: CryptoEngine, request: AnyRequest, status: int) -> None:
        request.complete(request.data, status)

    return replaced((CryptoEngine, "_complete", complete))


@mutant("EQ-24", "a timeout ends the request and leaves the descriptor")
def late_completion() -> Planted:
    """A job is given up after 50 us; when the engine is done with it, it is completed again."""
    begin_job, complete = Core.begin, Core.complete
    timers: dict[int, Timer] = {}

    def begin(
        self: Core, request: AnyRequest, count: int, finish: Callable[[Job, int], None]
    ) -> Job | None:
        job = begin_job(self, request, count, finish)
        if job is not None:
            give_up = partial(self.engine.finalize, request, -errno.ETIMEDOUT)
            timers[id(job)] = timer = Timer(self.machine.sim, "watchdog", give_up)
            timer.start(_GIVE_UP_NS)
        return job

    def complete_at_last(self: Core, job: Job) -> None:
        timers.pop(id(job)).cancel()
        complete(self, job)

    return replaced((Core, "begin", begin), (Core, "complete", complete_at_last))
