"""The heart of the driver: probe, interrupt, completion tasklet, jobs in flight.

A *job* is one crypto request on the hardware: one or more descriptors, the DMA mappings behind
them, and a slot of coherent memory with its own SA record and state records.  The SA record is
the job's, not the transform's: a later setkey, or the other direction, cannot reach it.
"""

from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Callable
from typing import Protocol

from tcrypt.engine.api.dma import DmaDirection
from tcrypt.engine.api.machine import Machine
from tcrypt.engine.api.requests import AnyRequest
from tcrypt.engine.crypto_engine import CryptoEngine
from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.descriptors import (
    Descriptor,
    command_control,
    command_length,
    result_status,
)
from tcrypt.engine.eip93.driver.rings import Rings
from tcrypt.engine.sim import IrqLine, Tasklet

__all__ = (
    "MAX_DESCRIPTOR_BYTES",
    "SECOND_SA",
    "STATE_A",
    "STATE_B",
    "Core",
    "Job",
    "Mmio",
    "status_to_errno",
)

# The length field has 20 bits; pieces stay multiples of the largest block (64 bytes).
MAX_DESCRIPTOR_BYTES = (1 << 20) - 64
STATE_A = 128
STATE_B = 192
SECOND_SA = 256
_SLOT_BYTES = 384
_HANDLE = 0xFFFF
_LAST = 1 << 19
_RDR = reg.INT_RDR_THRESH
_THRESHOLDS = 0x9400_01E0
_BUFFERS = 0x0080_0080
_RESET_NS = 10_000
_DRAIN_POLLS = 100
_DRAIN_POLL_NS = 10_000_000


class Mmio(Protocol):
    """The device's register door."""

    def read32(self, offset: int) -> int:
        """Read the register at a byte offset."""

    def write32(self, offset: int, value: int) -> None:
        """Write the register at a byte offset."""


def status_to_errno(status: int) -> int:
    """The errno for a result's status byte (eip93, section 4.4); 0 for success.

    The bits are tested one by one, a forged message first: two of them may stand together.
    A sequence number error is left to the caller's protocol, as on all known drivers.
    """
    if status & (reg.ERR_AUTH | reg.ERR_PAD):
        return -errno.EBADMSG
    if not status & reg.ERR_EXTENDED:
        return 0 if not status & ~reg.ERR_SEQNUM else -errno.EINVAL
    return _EXTENDED.get(status & 0xF8, -errno.EINVAL)


_EXTENDED = {
    reg.ERR_BUS: -errno.EIO,
    reg.ERR_DESCRIPTOR: -errno.EACCES,
    reg.ERR_OPERATION: -errno.EINVAL,
    reg.ERR_ALGORITHM: -errno.EINVAL,
    reg.ERR_SPI: -errno.EINVAL,
    reg.ERR_ZERO_LENGTH: -errno.EBADMSG,
    reg.ERR_LENGTH: -errno.EBADMSG,
    reg.ERR_BLOCK_SIZE: -errno.EBADMSG,
    reg.ERR_PROCESSING: -errno.EIO,
}


class Job:
    """One request on the hardware, from its first descriptor to its completion.

    Attributes:
        request: the crypto request.
        slot: address of the SA record; two state records and a second SA record follow, at
            STATE_A, STATE_B and SECOND_SA.
        finish: called with (job, errno) once all results are in, to copy out and complete.
        status: the first error among the results, as an errno.
    """

    __slots__ = ("bounces", "finish", "handle", "mappings", "pending", "request", "slot", "status")

    def __init__(self, request: AnyRequest, slot: int, finish: Callable[[Job, int], None]) -> None:
        self.request = request
        self.slot = slot
        self.finish = finish
        self.handle = 0
        self.pending = 0
        self.status = 0
        self.mappings: list[tuple[int, int, DmaDirection]] = []
        self.bounces: list[int] = []


class Core:
    """One EIP-93 as its driver sees it.

    Attributes:
        engine: the crypto_engine that all requests go through.
        option: the capability word, read once at probe.
        counters: how often each (driver name, outcome) happened: `hardware`, or the reason for
            a fallback; what a debugfs file would show.
    """

    def __init__(
        self, machine: Machine, mmio: Mmio, irq: IrqLine, name: str, ring_size: int
    ) -> None:
        self.machine = machine
        self.mmio = mmio
        self.irq = irq
        self.name = name
        self.rings = Rings(machine.dma, ring_size)
        self.counters: Counter[tuple[str, str]] = Counter()
        self._slots: list[int] = []
        self._pool = 0
        self._jobs: dict[int, Job] = {}
        self._next_handle = 0
        self._tasklet = Tasklet(machine.sim, f"{name}: done", self.done_task)
        self.engine = CryptoEngine(machine, name, retry_support=True, qlen=ring_size)
        self._allocate_slots()
        self.option = self._initialise()
        irq.request(self.interrupt)
        self.engine.start()

    def _allocate_slots(self) -> None:
        count = self.rings.capacity
        self._pool = self.machine.dma.alloc_coherent(count * _SLOT_BYTES)
        self._slots = [self._pool + i * _SLOT_BYTES for i in reversed(range(count))]

    def _initialise(self) -> int:
        """Bring the engine up (eip93, 1.8): rings first, then reset, clocks, interrupts."""
        write = self.mmio.write32
        write(reg.PE_CDR_BASE, self.rings.commands)
        write(reg.PE_RDR_BASE, self.rings.results)
        stride = reg.DESCRIPTOR_BYTES // 4 << reg.RING_CONFIG_STRIDE_SHIFT
        write(reg.PE_RING_CONFIG, stride | (self.rings.size - 1))
        self.reset()
        option = self.mmio.read32(reg.PE_OPTION_1)
        write(reg.PE_CLOCK_CTRL, reg.CLOCK_CTRL_ALL & ~reg.CLOCK_CTRL_ARC4)
        write(reg.PE_BUF_THRESH, _BUFFERS)
        write(reg.PE_RING_THRESH, _THRESHOLDS)
        write(reg.INT_MASK_DISABLE, 0xFFFF_FFFF)
        write(reg.INT_CLR, 0xFFFF_FFFF)
        write(reg.INT_MASK_ENABLE, _RDR)
        return option

    def reset(self) -> None:
        """Reset engine and rings and enter autonomous ring mode."""
        running = reg.CONFIG_MODE_ARM | reg.CONFIG_EN_CDR_UPDATE
        self.mmio.write32(reg.PE_CONFIG, running | reg.CONFIG_RST_PE | reg.CONFIG_RST_RING)
        self.machine.sim.sleep(_RESET_NS, f"{self.name}: reset")
        self.mmio.write32(reg.PE_CONFIG, running)

    def remove(self) -> int:
        """Stop the engine and give everything back; -EBUSY when it does not come to rest.

        Then nothing is freed, because the device may still write there.
        """
        status = self.engine.exit() or self.drain()
        if status:
            return status
        self.mmio.write32(reg.INT_MASK_DISABLE, 0xFFFF_FFFF)
        self.irq.free()
        self.machine.dma.free_coherent(self._pool, self.rings.capacity * _SLOT_BYTES)
        self.rings.release()
        return 0

    def drain(self) -> int:
        """Wait for the jobs in flight, which the engine's stop does not; -EBUSY after a second."""
        for _ in range(_DRAIN_POLLS):
            if not self._jobs:
                return 0
            self.machine.sim.sleep(_DRAIN_POLL_NS, f"{self.name}: remove")
        return -errno.EBUSY

    def begin(
        self, request: AnyRequest, count: int, finish: Callable[[Job, int], None]
    ) -> Job | None:
        """A job with room for `count` descriptors, or None when the ring is too full.

        Room for all of them is checked before anything is touched, so that a request which is
        put back on the queue leaves no trace and can be started again.
        """
        if self.rings.free < count:
            return None
        return Job(request, self._slots.pop(), finish)

    def map(self, job: Job, address: int, length: int, direction: DmaDirection) -> None:
        """Map memory for the life of a job."""
        self.machine.dma.map(address, length, direction)
        job.mappings.append((address, length, direction))

    def bounce(self, job: Job, data: bytes, size: int) -> int:
        """A mapped, contiguous buffer of `size` bytes that starts with `data`; its address."""
        memory = self.machine.memory
        address = memory.alloc(size)
        memory.write(address, data)
        job.bounces.append(address)
        self.map(job, address, size, DmaDirection.BIDIRECTIONAL)
        return address

    def put(
        self,
        job: Job,
        source: int,
        destination: int,
        length: int,
        *,
        sa: int = 0,
        state: int = STATE_A,
        hash_final: bool = True,
    ) -> None:
        """Add one descriptor to a job; nothing reaches the device before `ring_doorbell`.

        `sa` and `state` say which records of the job's slot it uses.
        """
        if not job.pending:
            job.handle = self._new_handle(job)
        job.pending += 1
        self.rings.put(
            Descriptor(
                command_control(hash_final=hash_final),
                source,
                destination,
                job.slot + sa,
                job.slot + state,
                0,
                job.handle,
                command_length(length),
            )
        )

    def _new_handle(self, job: Job) -> int:
        handle = self._next_handle
        while handle in self._jobs:
            handle = handle + 1 & _HANDLE
        self._next_handle = handle + 1 & _HANDLE
        self._jobs[handle] = job
        return handle

    def ring_doorbell(self, count: int) -> None:
        """Hand `count` descriptors to the engine; the register takes at most 255 at a time."""
        while count > 0:
            step = min(count, reg.COUNT_STEP)
            self.mmio.write32(reg.PE_CD_COUNT, step)
            count -= step

    def interrupt(self) -> None:
        """Interrupt handler: mask the result interrupt and leave the rest to the tasklet."""
        pending = self.mmio.read32(reg.INT_MASK_STAT)
        if pending & _RDR:
            self.mmio.write32(reg.INT_MASK_DISABLE, _RDR)
            self._tasklet.schedule()
            pending &= ~_RDR
        if pending:
            # Nothing else is expected; errors are seen in the result descriptors.
            self.mmio.write32(reg.INT_CLR, pending)
            self.mmio.write32(reg.INT_MASK_DISABLE, pending)

    def done_task(self) -> None:
        """Take all results, complete the jobs that have all of theirs, unmask the interrupt."""
        while True:
            count = self.mmio.read32(reg.PE_RD_COUNT) & reg.COUNT_VALUE
            if not count:
                break
            finished, stalled = self.take_results(count)
            for job in finished:
                self.complete(job)
            if stalled:
                self._tasklet.schedule()
                return
        self.mmio.write32(reg.INT_CLR, _RDR)
        self.mmio.write32(reg.INT_MASK_ENABLE, _RDR)

    def take_results(self, count: int) -> tuple[list[Job], bool]:
        """Up to `count` results: the jobs they finish, and whether one was not ready yet."""
        finished: list[Job] = []
        taken = 0
        while taken < count:
            result = self.rings.take()
            if result is None:
                break
            taken += 1
            job = self._jobs.get(result.user_id & _HANDLE)
            if job is None:
                self.machine.warn(f"{self.name}: result for unknown handle {result.user_id:#x}")
                continue
            self.note_result(job, result)
            if not job.pending:
                finished.append(job)
        self._acknowledge(taken)
        return finished, taken < count

    def note_result(self, job: Job, result: Descriptor) -> None:
        """Count one result towards its job; the first error of a job is the one that stays."""
        job.pending -= 1
        status = result_status(result.control)
        if status:
            job.status = job.status or status_to_errno(status)
            if status == reg.ERR_BUS:
                self.recover()

    def recover(self) -> None:
        """Restart the engine after a bus error, which stops it; rings and counts survive."""
        running = reg.CONFIG_MODE_ARM | reg.CONFIG_EN_CDR_UPDATE
        self.mmio.write32(reg.PE_CONFIG, running | reg.CONFIG_RST_PE)
        self.mmio.write32(reg.PE_CONFIG, running)

    def _acknowledge(self, count: int) -> None:
        while count > 0:
            step = min(count, reg.COUNT_STEP)
            self.mmio.write32(reg.PE_RD_COUNT, step)
            count -= step

    def complete(self, job: Job) -> None:
        """Unmap, let the algorithm finish, release, and hand the request back to the engine."""
        del self._jobs[job.handle]
        for mapping in job.mappings:
            self.machine.dma.unmap(*mapping)
        status = job.status
        job.finish(job, status)
        for address in job.bounces:
            self.machine.memory.free(address)
        self.release_slot(job.slot)
        self.engine.finalize(job.request, status)

    def release_slot(self, slot: int) -> None:
        """Wipe the SA record with its key and return the slot."""
        self.machine.memory.write(slot, _WIPED)
        self._slots.append(slot)


_WIPED = bytes(_SLOT_BYTES)
