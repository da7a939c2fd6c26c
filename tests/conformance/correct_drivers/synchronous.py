"""No engine, no queue, no callback: the submission polls the device until it is done."""

from __future__ import annotations

import errno

from toy_accelerator import Driver, Work

from tcrypt.engine.api.algorithms import SkcipherAlg
from tcrypt.engine.api.dma import DmaError
from tcrypt.engine.api.flags import AlgFlag
from tcrypt.engine.api.machine import Machine
from tcrypt.engine.api.requests import SkcipherRequest

# What waits for nothing has no queue to fill and no interrupt to lose.
NOT_ASKED = {"faults", "interleavings", "retry", "world"}


class Synchronous(Driver):
    def alg(self) -> SkcipherAlg:
        found = super().alg()
        found.cra_flags &= ~AlgFlag.ASYNC
        found.do_one_request = None
        return found

    def enlist(self, alg: SkcipherAlg) -> None:
        self.machine.registry.register(alg)

    def hand_over(self, request: SkcipherRequest) -> int:
        work: Work = request.ctx
        try:
            job = self.prepare(request)
        except (DmaError, MemoryError):
            self.release(work)
            return -errno.ENOMEM
        self.device.work(job)
        self.release(work)
        status = -errno.EIO if job.broken else 0
        self.leave_iv(request, status)
        return status


def register(machine: Machine) -> None:
    Synchronous(machine).attach()
