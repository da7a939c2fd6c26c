"""Rings, results and interrupts: how completions are lost, mixed up or misread."""

from __future__ import annotations

from collections.abc import Callable
from weakref import WeakKeyDictionary

from tcrypt.engine.api.requests import AnyRequest
from tcrypt.engine.crypto_engine import CryptoEngine
from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.descriptors import Descriptor
from tcrypt.engine.eip93.driver import bringup, core
from tcrypt.engine.eip93.driver.completion import Completion
from tcrypt.engine.eip93.driver.core import Core, Job
from tcrypt.engine.eip93.driver.rings import Rings
from tcrypt.mutants import mutant
from tcrypt.mutants.seams import Planted, replaced

__all__: tuple[str, ...] = ()

_EMPTY = bytes(reg.DESCRIPTOR_BYTES)
_SPARE_SLOTS = 1200
_WRONG_RESET = 1 << 2
_RESET_NS = 10_000
_NO_TIMEOUT = 4 << reg.RING_THRESH_RDR_SHIFT


def _with_spare_slots(free: property) -> Planted:
    """Rings with another idea of what is free, and a driver that has records for more jobs."""
    original = Core._allocate_slots

    def allocate_slots(self: Core) -> None:
        original(self)
        extra = self.machine.dma.alloc_coherent(_SPARE_SLOTS * core._SLOT_BYTES)
        self._slots[:0] = [extra + i * core._SLOT_BYTES for i in range(_SPARE_SLOTS)]

    return replaced((Core, "_allocate_slots", allocate_slots), (Rings, "free", free))


@mutant("CR-01", "the test for a full ring is off by one")
def full_looks_empty() -> Planted:
    """What is used is the distance of the pointers, and the last entry is used as well."""

    def free(self: Rings) -> int:
        return self.size - (self._write - self._read) % self.size

    return _with_spare_slots(property(free))


@mutant("CR-03", "no test for a full ring")
def never_full() -> Planted:
    """There is always room, so descriptors that wait are overwritten."""

    def free(self: Rings) -> int:
        return self.size

    return _with_spare_slots(property(free))


@mutant("CR-04", "a result slot leaks when the command ring is full")
def result_slot_leaked() -> Planted:
    """The result ring's write pointer moves on although there was no room for the command."""
    begin_job, put_descriptor = Core.begin, Rings.put
    ahead: WeakKeyDictionary[Rings, int] = WeakKeyDictionary()

    def begin(
        self: Core, request: AnyRequest, count: int, finish: Callable[[Job, int], None]
    ) -> Job | None:
        job = begin_job(self, request, count, finish)
        if job is None:
            ahead[self.rings] = ahead.get(self.rings, 0) + 1
        return job

    def put(self: Rings, command: Descriptor) -> None:
        own = self.results + self._write * reg.DESCRIPTOR_BYTES
        slot = (self._write + ahead.get(self, 0)) % self.size
        before = self._memory.read(own, reg.DESCRIPTOR_BYTES)
        put_descriptor(self, command)
        self._memory.write(own, before)
        self._memory.write(self.results + slot * reg.DESCRIPTOR_BYTES, _EMPTY)

    return replaced((Core, "begin", begin), (Rings, "put", put))


@mutant("CR-07", "a stale result token is parsed")
def stale_token() -> Planted:
    """The status of a result is that of the previous lap of the ring; of the first lap, none."""
    put_descriptor, take_result = Rings.put, Rings.take
    tokens: WeakKeyDictionary[Rings, dict[int, int]] = WeakKeyDictionary()

    def put(self: Rings, command: Descriptor) -> None:
        address = self.results + self._write * reg.DESCRIPTOR_BYTES
        stale = Descriptor.unpack(self._memory.read(address, reg.DESCRIPTOR_BYTES))
        tokens.setdefault(self, {})[self._write] = stale.control
        put_descriptor(self, command)

    def take(self: Rings) -> Descriptor | None:
        index = self._read
        result = take_result(self)
        return None if result is None else result._replace(control=tokens[self][index])

    return replaced((Rings, "put", put), (Rings, "take", take))


@mutant("CR-09", "the hardware's error flags are not passed on")
def always_success() -> Planted:
    """Every request is completed with 0."""
    original = Core.note_result

    def note_result(self: Core, job: Job, result: Descriptor) -> None:
        original(self, job, result)
        job.status = 0

    return replaced((Core, "note_result", note_result))


@mutant("CR-10", "a positive hardware code is used as errno")
def raw_status() -> Planted:
    """Callbacks get the status byte of the result."""

    def status_to_errno(status: int) -> int:
        return status

    return replaced((core, "status_to_errno", status_to_errno))


@mutant("CR-15", "wrong ring reset bit")
def wrong_reset_bit() -> Planted:
    """Bit 2 of PE_CONFIG is set for a ring reset; it does nothing."""

    def reset(self: Core) -> None:
        running = reg.CONFIG_MODE_ARM | reg.CONFIG_EN_CDR_UPDATE
        self.mmio.write32(reg.PE_CONFIG, running | reg.CONFIG_RST_PE | _WRONG_RESET)
        self.machine.sim.sleep(_RESET_NS, "reset")
        self.mmio.write32(reg.PE_CONFIG, running)

    return replaced((Core, "reset", reset))


@mutant("CR-16", "the wrong request is completed")
def current_request() -> Planted:
    """What is completed is the request that was started last, not the one that is done."""
    start, finalize = CryptoEngine._do_one_request, CryptoEngine.finalize
    current: WeakKeyDictionary[CryptoEngine, AnyRequest] = WeakKeyDictionary()

    def do_one_request(self: CryptoEngine, request: AnyRequest) -> int:
        status = start(self, request)
        if not status:
            current[self] = request
        return status

    def finalize_current(self: CryptoEngine, request: AnyRequest, status: int) -> None:
        finalize(self, current.get(self, request), status)

    return replaced(
        (CryptoEngine, "_do_one_request", do_one_request),
        (CryptoEngine, "finalize", finalize_current),
    )


@mutant("CR-19", "only one completion is handled per interrupt")
def one_per_interrupt() -> Planted:
    """All results are acknowledged, and one of them is looked at."""
    original = Completion.take_results

    def take_results(self: Completion, count: int) -> tuple[list[Job], bool]:
        found = original(self, 1)
        self._acknowledge(count - 1)
        return found

    return replaced((Completion, "take_results", take_results))


@mutant("CR-20", "the interrupt threshold is set so that the tail waits")
def threshold_without_timeout() -> Planted:
    """An interrupt comes for more than four results, and no timeout tells of fewer."""
    return replaced((bringup, "_THRESHOLDS", _NO_TIMEOUT))


@mutant("CR-23", "an error interrupt masks completions")
def error_branch_first() -> Planted:
    """Whatever is more than a result interrupt is switched off before results are looked for."""
    original, initialise = Completion.interrupt, Core._initialise

    def with_errors(self: Core) -> int:
        option = initialise(self)
        self.mmio.write32(reg.INT_MASK_ENABLE, reg.INT_PROC_ERR)
        return option

    def interrupt(self: Completion) -> None:
        pending = self.mmio.read32(reg.INT_MASK_STAT)
        if pending != reg.INT_RDR_THRESH:
            self.mmio.write32(reg.INT_CLR, pending)
            self.mmio.write32(reg.INT_MASK_DISABLE, pending)
            return
        original(self)

    return replaced((Core, "_initialise", with_errors), (Completion, "interrupt", interrupt))
