"""Every request goes through one buffer of the driver's, and none of its memory is ever mapped."""

from __future__ import annotations

from toy_accelerator import Driver, Job, Work

from tcrypt.engine.api.algorithms import SkcipherAlg
from tcrypt.engine.api.dma import DmaDirection
from tcrypt.engine.api.flags import AlgFlag
from tcrypt.engine.api.machine import Machine
from tcrypt.engine.api.requests import SkcipherRequest


class Bouncing(Driver):
    def alg(self) -> SkcipherAlg:
        found = super().alg()
        found.cra_flags |= AlgFlag.ALLOCATES_MEMORY
        return found

    def prepare(self, request: SkcipherRequest) -> Job:
        work, length = request.ctx, request.cryptlen
        self.remember_iv(request)
        work.bounce = self.machine.memory.alloc(length)
        self.machine.memory.write(work.bounce, request.src.read(length))
        self.map(work, work.bounce, length, DmaDirection.BIDIRECTIONAL)
        piece = [(work.bounce, length)]
        return self.job(request, piece, piece)

    def release(self, work: Work) -> None:
        super().release(work)
        if work.bounce:
            self.machine.memory.free(work.bounce)
            work.bounce = 0

    def complete(self, request: SkcipherRequest, status: int) -> None:
        if not status:
            work, way = request.ctx, DmaDirection.BIDIRECTIONAL
            self.machine.dma.sync_for_cpu(work.bounce, request.cryptlen, way)
            data = self.machine.memory.read(request.ctx.bounce, request.cryptlen)
            request.dst.write(data)
        super().complete(request, status)


def register(machine: Machine) -> None:
    Bouncing(machine).attach()
