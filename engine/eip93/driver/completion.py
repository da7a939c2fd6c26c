"""From the interrupt to the jobs that are done: the driver's half of a device's results.

The handler only masks the interrupt; a tasklet takes results until there are none, in whose
context all requests are completed.
"""

from __future__ import annotations

from tcrypt.engine.api.machine import Machine
from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.descriptors import Descriptor
from tcrypt.engine.eip93.driver import bringup
from tcrypt.engine.eip93.driver.jobs import HANDLE, Job
from tcrypt.engine.eip93.driver.rings import Rings
from tcrypt.engine.preemption import Mmio, SpinLock
from tcrypt.engine.sim import Tasklet

__all__ = ("Completion",)

_RDR = bringup.INTERRUPT


class Completion:
    """The jobs in flight on one device, and what becomes of its interrupts.

    Attributes:
        machine: where the device is.
        mmio: its registers.
        name: what messages call it.
        write_lock: held, with interrupts off, by whoever writes descriptors or takes results.
    """

    rings: Rings

    def __init__(self, machine: Machine, mmio: Mmio, name: str) -> None:
        self.machine = machine
        self.mmio = mmio
        self.name = name
        self.write_lock = SpinLock(machine.sim, f"{name}: write lock")
        self._jobs: dict[int, Job] = {}
        self._tasklet = Tasklet(machine.sim, f"{name}: done", self.done_task)

    def note_result(self, job: Job, result: Descriptor) -> None:
        """Count one result towards its job."""
        raise NotImplementedError

    def complete(self, job: Job) -> None:
        """End a job that has all of its results."""
        raise NotImplementedError

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
        with self.write_lock:
            results = self.rings.take_ready(count)
        for result in results:
            job = self._jobs.get(result.user_id & HANDLE)
            if job is None:
                self.machine.warn(f"{self.name}: result for unknown handle {result.user_id:#x}")
                continue
            self.note_result(job, result)
            if not job.pending:
                finished.append(job)
        self._acknowledge(len(results))
        return finished, len(results) < count

    def _acknowledge(self, count: int) -> None:
        bringup.count_in_steps(self.mmio, reg.PE_RD_COUNT, count)
