"""Interrupts that come at a bad moment, and what two contexts do to one device."""

from __future__ import annotations

import errno
from collections.abc import Callable
from functools import partial
from weakref import WeakKeyDictionary

from tcrypt.engine.api.dma import DmaError
from tcrypt.engine.api.requests import AhashRequest, AnyRequest
from tcrypt.engine.crypto_engine import CryptoEngine
from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.descriptors import Descriptor
from tcrypt.engine.eip93.driver import bringup
from tcrypt.engine.eip93.driver.completion import Completion
from tcrypt.engine.eip93.driver.core import Core, Job
from tcrypt.engine.eip93.driver.rings import Rings
from tcrypt.engine.eip93.interrupts import InterruptBlock
from tcrypt.engine.preemption import SpinLock
from tcrypt.engine.sim import WorkItem
from tcrypt.mutants import mutant
from tcrypt.mutants.seams import Planted, replaced

__all__: tuple[str, ...] = ()

_RDR = reg.INT_RDR_THRESH


def _enable(core: Completion) -> None:
    core.mmio.write32(reg.INT_CLR, _RDR)
    core.mmio.write32(reg.INT_MASK_ENABLE, _RDR)


@mutant("CR-06", "the status of a result is read before it is known to be there")
def early_status() -> Planted:
    """The status words are fetched first, and then the register that says how many are valid."""
    take = Rings.take
    fetched: WeakKeyDictionary[Rings, list[int]] = WeakKeyDictionary()

    def fetch(rings: Rings) -> None:
        size = reg.DESCRIPTOR_BYTES
        places = (rings.results + index * size for index in range(rings.size))
        fetched[rings] = [
            Descriptor.unpack(rings._memory.read(place, size)).control for place in places
        ]

    def take_with_early_status(self: Rings) -> Descriptor | None:
        index = self._read
        result = take(self)
        return None if result is None else result._replace(control=fetched[self][index])

    def done_task(self: Completion) -> None:
        while True:
            fetch(self.rings)
            count = self.mmio.read32(reg.PE_RD_COUNT) & reg.COUNT_VALUE
            if not count:
                break
            finished, stalled = self.take_results(count)
            for job in finished:
                self.complete(job)
            if stalled:
                self._tasklet.schedule()
                return
        _enable(self)

    return replaced((Rings, "take", take_with_early_status), (Completion, "done_task", done_task))


@mutant("CR-06d", "the place of a result still holds the one of the last lap")
def stale_result() -> Planted:
    """It is not cleared before its command is written, so that it looks ready too early."""

    def put(self: Rings, command: Descriptor) -> None:
        self._sim.preemption_point("descriptor")
        self._memory.write(self.commands + self._write * reg.DESCRIPTOR_BYTES, command.pack())
        self._write = (self._write + 1) % self.size
        self.used += 1

    return replaced((Rings, "put", put))


@mutant("CR-12", "masking an interrupt acknowledges it")
def mask_acknowledges() -> Planted:
    """The device latches a result only when it is the first, and a mask write clears the latch.

    The driver does not look for results again after it has unmasked the interrupt.
    """
    held: WeakKeyDictionary[InterruptBlock, int] = WeakKeyDictionary()

    def update(self: InterruptBlock) -> None:
        levels = self.levels()
        self._latched |= levels & ~held.get(self, 0)
        held[self] = levels
        high = self._latched & self._enabled != 0
        if high is not self._high:
            self._high = high
            self._line.set_level(high)

    def disable(self: InterruptBlock, value: int) -> None:
        self._latched = 0
        self.set_mask(self._enabled & ~value)

    return replaced((InterruptBlock, "update", update), (InterruptBlock, "disable", disable))


@mutant("CR-13", "any interrupt is taken for a completion")
def any_interrupt() -> Planted:
    """The handler looks for any source at all; then a result is waited for until it is there."""

    def interrupt(self: Completion) -> None:
        pending = self.mmio.read32(reg.INT_UNMASK_STAT)
        if pending:
            self.mmio.write32(reg.INT_MASK_DISABLE, _RDR)
            self.mmio.write32(reg.INT_CLR, pending)
            self._tasklet.schedule()

    def done_task(self: Completion) -> None:
        count = self.mmio.read32(reg.PE_RD_COUNT) & reg.COUNT_VALUE
        finished, stalled = self.take_results(max(1, count))
        for job in finished:
            self.complete(job)
        if stalled:
            self._tasklet.schedule()
        else:
            _enable(self)

    return replaced((Completion, "interrupt", interrupt), (Completion, "done_task", done_task))


@mutant("CR-18", "as many results are acknowledged as were expected")
def expected_results() -> Planted:
    """The first result of a request is taken for all of them, however many there are."""

    def take_results(self: Completion, count: int) -> tuple[list[Job], bool]:
        finished: list[Job] = []
        taken = 0
        while taken < count:
            result = self.rings.take()
            if result is None:
                break
            job = self._jobs[result.user_id & 0xFFFF]
            taken += job.pending
            self.note_result(job, result)
            while job.pending and (result := self.rings.take()) is not None:
                self.note_result(job, result)
            if not job.pending:
                finished.append(job)
        self._acknowledge(taken)
        return finished, taken < count

    return replaced((Completion, "take_results", take_results))


@mutant("CC-09", "descriptors are written without the lock")
def unlocked_hashes() -> Planted:
    """Hashes go to the ring from where they are submitted, and do not take the write lock."""
    start, transfer = Core.start, CryptoEngine.transfer

    def start_unlocked(self: Core, job: Job, prepare: Callable[[Job], Callable[[], None]]) -> int:
        if not isinstance(job.request, AhashRequest):
            return start(self, job, prepare)
        try:
            write = prepare(job)
        except (MemoryError, DmaError):
            self.give_up(job, -errno.ENOMEM)
            return 0
        write()
        self.ring_doorbell(job.pending)
        return 0

    return replaced((Core, "start", start_unlocked), (CryptoEngine, "transfer", _past(transfer)))


def _past(
    transfer: Callable[[CryptoEngine, AnyRequest], int],
) -> Callable[[CryptoEngine, AnyRequest], int]:
    """A `transfer` that starts hashes at once while there is room for them."""

    def at_once(self: CryptoEngine, request: AnyRequest) -> int:
        alg = request.tfm.alg
        if not isinstance(request, AhashRequest) or alg.do_one_request is None:
            return transfer(self, request)
        full = alg.do_one_request(self, request)
        return transfer(self, request) if full else -errno.EINPROGRESS

    return at_once


@mutant("CC-10", "the lock is taken with interrupts on")
def lock_with_interrupts() -> Planted:
    """The write lock keeps other tasks away, but not the completions, which want it as well."""

    def enter(self: SpinLock) -> None:
        self.acquire()

    def leave(self: SpinLock, *_: object) -> None:
        self.release()

    return replaced((SpinLock, "__enter__", enter), (SpinLock, "__exit__", leave))


@mutant("CC-15", "a batch completes with its first descriptor")
def first_of_a_batch() -> Planted:
    """The result of a request's first descriptor stands for the whole request."""
    original = Core.note_result

    def note_result(self: Core, job: Job, result: Descriptor) -> None:
        original(self, job, result)
        job.pending = 0

    return replaced((Core, "note_result", note_result))


@mutant("CR-15b", "the restart after an error is left to work that nobody waits for")
def restart_later() -> Planted:
    """A driver that goes in the meantime is gone when its work touches the device."""
    works: WeakKeyDictionary[Core, list[WorkItem]] = WeakKeyDictionary()

    def recover(self: Core) -> None:
        work = WorkItem(self.machine.sim, "restart", partial(bringup.restart, self.mmio))
        works.setdefault(self, []).append(work)
        work.queue()

    return replaced((Core, "recover", recover))
