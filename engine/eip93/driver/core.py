"""The heart of the driver: probe and remove, and a job's way from its start to its end.

A *job* is one crypto request on the hardware: one or more descriptors, the DMA mappings behind
them, and a slot of coherent memory with its own SA record and state records.  The SA record is
the job's, not the transform's: a later setkey, or the other direction, cannot reach it.
"""

from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Callable

from tcrypt.engine.api.dma import DmaDirection, DmaError
from tcrypt.engine.api.machine import Machine
from tcrypt.engine.api.requests import AnyRequest
from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.descriptors import (
    Descriptor,
    command_control,
    command_length,
    result_status,
)
from tcrypt.engine.eip93.driver import bringup
from tcrypt.engine.eip93.driver.completion import Completion
from tcrypt.engine.eip93.driver.jobs import HANDLE, Job, status_to_errno
from tcrypt.engine.eip93.driver.rings import Rings
from tcrypt.engine.eip93.driver.submission import Mode, submission_of
from tcrypt.engine.preemption import Mmio
from tcrypt.engine.sim import IrqLine

__all__ = (
    "MAX_DESCRIPTOR_BYTES",
    "SECOND_SA",
    "STATE_A",
    "STATE_B",
    "Core",
    "Job",
    "status_to_errno",
)

# The length field has 20 bits; pieces stay multiples of the largest block (64 bytes).
MAX_DESCRIPTOR_BYTES = (1 << 20) - 64
STATE_A = 128
STATE_B = 192
SECOND_SA = 256
_SLOT_BYTES = 384
# Errors after which the engine takes no more packets (eip93, section 4.4).
_EXTENDED_CODE = 0xF8
_STOPPING = (reg.ERR_BUS, reg.ERR_PROCESSING)
# One after which it may do so: the manual's "soft reset" can be read as the engine's own.
_MAY_STOP = reg.ERR_LENGTH
_DRAIN_POLLS = 100
_DRAIN_POLL_NS = 10_000_000


class Core(Completion):
    """One EIP-93 as its driver sees it.

    Making one raises OSError(ENOMEM) when there is no memory for it, and leaves nothing behind;
    OSError(EINVAL) for a submission mode that does not exist.

    Attributes:
        engine: what all requests go through: a crypto_engine, or a queue of the driver's own.
        option: the capability word, read once at probe.
        counters: how often each (driver name, outcome) happened: `hardware`, or the reason for
            a fallback; what a debugfs file would show.
    """

    def __init__(
        self,
        machine: Machine,
        mmio: Mmio,
        irq: IrqLine,
        name: str,
        ring_size: int,
        mode: Mode = "engine",
    ) -> None:
        super().__init__(machine, mmio, name)
        self.irq = irq
        self.counters: Counter[tuple[str, str]] = Counter()
        self._slots: list[int] = []
        self._pool = 0
        self._next_handle = 0
        submission = submission_of(mode, name)
        self._allocate(ring_size)
        self.engine = submission(machine, name, ring_size)
        self.option = self._initialise()
        irq.request(self.interrupt)
        self.engine.start()

    def _allocate(self, ring_size: int) -> None:
        try:
            self.rings = self._make_rings(ring_size)
        except (MemoryError, DmaError) as error:
            raise OSError(errno.ENOMEM, f"{self.name}: rings: {error}") from error
        try:
            self._allocate_slots()
        except (MemoryError, DmaError) as error:
            self.rings.release()
            raise OSError(errno.ENOMEM, f"{self.name}: records: {error}") from error

    def _make_rings(self, size: int) -> Rings:
        return Rings(self.machine.dma, size, self.machine.sim)

    def _allocate_slots(self) -> None:
        count = self.rings.capacity
        self._pool = self.machine.dma.alloc_coherent(count * _SLOT_BYTES)
        end = self._pool + count * _SLOT_BYTES
        self._slots = [*range(self._pool, end, _SLOT_BYTES)][::-1]

    def _initialise(self) -> int:
        """Bring the engine up (eip93, 1.8): rings first, then reset, clocks, interrupts."""
        bringup.prepare_rings(self.mmio, self.rings)
        self.reset()
        return bringup.prepare_engine(self.mmio)

    def reset(self) -> None:
        """Reset engine and rings and enter autonomous ring mode."""
        bringup.reset_begins(self.mmio)
        self.machine.sim.sleep(bringup.RESET_NS, f"{self.name}: reset")
        bringup.reset_ends(self.mmio)

    def remove(self) -> int:
        """Stop the engine and give everything back; -EBUSY when it does not come to rest.

        Then nothing is freed, because the device may still write there.  The worker goes last:
        finalizing the jobs in flight still needs it, and newer kernels' exit has no status.
        """
        status = self.engine.stop() or self.drain()
        if status:
            return status
        self.engine.exit()
        self.mmio.write32(reg.INT_MASK_DISABLE, 0xFFFF_FFFF)
        self.irq.free()
        self._tasklet.kill()
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
        put back on the queue leaves no trace and can be started again.  A callback may submit
        while other jobs have left the ring and still hold their slots.
        """
        if self.rings.free < count or not self._slots:
            return None
        return Job(request, self._slots.pop(), finish)

    def start(self, job: Job, prepare: Callable[[Job], Callable[[], None]]) -> int:
        """Prepare a job and hand it to the device; the status for `do_one_request`.

        Args:
            job: a new one.
            prepare: maps and allocates what the job needs, and returns the function that writes
                its descriptors.  When it fails with MemoryError or DmaError the request ends
                with -ENOMEM, and nothing of the job stays.
        """
        try:
            write = prepare(job)
        except (MemoryError, DmaError):
            return self.give_up(job, -errno.ENOMEM)
        with self.write_lock:
            write()
            self.ring_doorbell(job.pending)
        return 0

    def give_up(self, job: Job, status: int) -> int:
        """End a job that the device knows nothing of; the status for `do_one_request`."""
        self.release(job)
        return self.engine.not_started(job.request, status)

    def map(self, job: Job, address: int, length: int, direction: DmaDirection) -> None:
        """Map memory for the life of a job; DmaError when that fails."""
        self.machine.dma.map(address, length, direction)
        job.mappings.append((address, length, direction))

    def bounce(self, job: Job, data: bytes, size: int) -> int:
        """A mapped, contiguous buffer of `size` bytes that starts with `data`; its address.

        Raises:
            MemoryError: there is no memory for it.
            DmaError: it cannot be mapped; it belongs to the job all the same.
        """
        memory = self.machine.memory
        address = memory.alloc(size)
        job.bounces.append(address)
        memory.write(address, data)
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
            handle = handle + 1 & HANDLE
        self._next_handle = handle + 1 & HANDLE
        self._jobs[handle] = job
        return handle

    def ring_doorbell(self, count: int) -> None:
        """Hand `count` descriptors to the engine; the register takes at most 255 at a time."""
        bringup.count_in_steps(self.mmio, reg.PE_CD_COUNT, count)

    def note_result(self, job: Job, result: Descriptor) -> None:
        """Count one result towards its job; the first error of a job is the one that stays."""
        job.pending -= 1
        status = result_status(result.control)
        if status:
            job.status = job.status or status_to_errno(status)
            code = status & _EXTENDED_CODE
            if code in _STOPPING:
                self.recover()
            elif code == _MAY_STOP:
                self.recover_if_stopped()

    def recover(self) -> None:
        """Restart the engine after an error that stops it; rings and counts survive."""
        bringup.restart(self.mmio)

    def recover_if_stopped(self) -> None:
        """Restart the engine unless it works on a packet, of which a restart would lose a part.

        With the lock held nobody counts a packet in, so one that stands still stays so.
        """
        with self.write_lock:
            if self.mmio.read32(reg.PE_STATUS) & reg.STATUS_OUTPUT_DONE:
                self.recover()

    def complete(self, job: Job) -> None:
        """Unmap, let the algorithm finish, release, and hand the request back to the engine."""
        del self._jobs[job.handle]
        self.unmap(job)
        status = job.status
        job.finish(job, status)
        self.release(job)
        self.engine.finalize(job.request, status)

    def unmap(self, job: Job) -> None:
        """Take back the mappings of a job."""
        for mapping in job.mappings:
            self.machine.dma.unmap(*mapping)
        job.mappings.clear()

    def release(self, job: Job) -> None:
        """Give back what a job holds: mappings, bounce buffers, slot."""
        self.unmap(job)
        for address in job.bounces:
            # An HMAC's first bounce buffer begins with its key block.
            self.machine.memory.free_sensitive(address)
        self.release_slot(job.slot)

    def release_slot(self, slot: int) -> None:
        """Wipe the SA record with its key and return the slot."""
        self.machine.memory.write(slot, _WIPED)
        self._slots.append(slot)


_WIPED = bytes(_SLOT_BYTES)
