"""No queue at all: what finds the device full is done at once in software, with no callback."""

from __future__ import annotations

import errno

from toy_accelerator import Driver

from tcrypt.engine.api.algorithms import SkcipherAlg
from tcrypt.engine.api.dma import DmaError
from tcrypt.engine.api.machine import Machine
from tcrypt.engine.api.requests import SkcipherRequest


class NoQueue(Driver):
    def alg(self) -> SkcipherAlg:
        found = super().alg()
        found.do_one_request = None
        return found

    def enlist(self, alg: SkcipherAlg) -> None:
        self.machine.registry.register(alg)

    def hand_over(self, request: SkcipherRequest) -> int:
        encrypt = request.ctx.encrypt
        if self.device.full:
            return self.run_fallback(request, encrypt=encrypt)
        try:
            job = self.prepare(request)
        except (DmaError, MemoryError):
            # What cannot be mapped is nothing that software could not do.
            self.release(request.ctx)
            return self.run_fallback(request, encrypt=encrypt)
        self.device.push(job)
        return -errno.EINPROGRESS

    def complete(self, request: SkcipherRequest, status: int) -> None:
        self.release(request.ctx)
        self.leave_iv(request, status)
        request.complete(request.data, status)


def register(machine: Machine) -> None:
    NoQueue(machine).attach()
