"""Memory is mapped in prepare_request; what is not started is unmapped again (until Linux 6.5)."""

from __future__ import annotations

from toy_accelerator import Driver, Job

from tcrypt.engine.api.algorithms import SkcipherAlg
from tcrypt.engine.api.dma import DmaError
from tcrypt.engine.api.machine import Machine
from tcrypt.engine.api.requests import SkcipherRequest
from tcrypt.engine.crypto_engine import CryptoEngine

SEMANTICS = "linux-6.1"


class Hooks(Driver):
    def alg(self) -> SkcipherAlg:
        found = super().alg()
        found.prepare_request, found.unprepare_request = self.map_all, self.unmap_all
        return found

    def map_all(self, engine: CryptoEngine, request: SkcipherRequest) -> int:
        """A failure is kept for do_one_request: a hook that fails stops the engine (wedge I)."""
        try:
            request.ctx.job = super().prepare(request)
        except DmaError:
            request.ctx.job = None
        return 0

    def unmap_all(self, engine: CryptoEngine, request: SkcipherRequest) -> int:
        super().release(request.ctx)
        return 0

    def prepare(self, request: SkcipherRequest) -> Job:
        if request.ctx.job is None:
            raise DmaError("not mapped by prepare_request")
        return request.ctx.job


def register(machine: Machine) -> None:
    Hooks(machine).attach()
