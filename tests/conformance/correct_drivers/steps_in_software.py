"""A hash whose device takes whole messages only: steps, and states, are the fallback's."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Callable
from typing import Any

from toy_accelerator import DEPTH, Device, Driver, Job, Keyed, Work

from tcrypt.engine.api.algorithms import AhashAlg
from tcrypt.engine.api.dma import DmaDirection
from tcrypt.engine.api.flags import AlgFlag, AlgType
from tcrypt.engine.api.machine import Accelerator, Machine
from tcrypt.engine.api.memory import Buffer
from tcrypt.engine.sim import BusError

_NAME = "sha256"
_SOFTWARE = AlgFlag.NEED_FALLBACK | AlgFlag.ASYNC


class Digester(Device):
    def work(self, job: Job) -> None:
        self.jobs += 1
        try:
            data = b"".join(self.bus.read(*source) for source in job.sources)
            self.bus.write(job.destinations[0][0], hashlib.sha256(data).digest())
        except BusError:
            job.broken = True


class StepsInSoftware(Driver):
    device_class = Digester

    def alg(self) -> Any:
        registry = self.machine.registry
        fallback: Any = registry.find(_NAME, AlgType.AHASH, 0, _SOFTWARE)
        flags = AlgFlag.ASYNC | AlgFlag.NEED_FALLBACK | AlgFlag.KERN_DRIVER_ONLY
        return AhashAlg(
            cra_name=_NAME,
            cra_driver_name="sha256-toy",
            cra_priority=400,
            cra_flags=flags | AlgFlag.ALLOCATES_MEMORY,
            cra_blocksize=64,
            digestsize=32,
            statesize=fallback.statesize,
            hash_init=lambda request: self.step(request, "init"),
            update=lambda request: self.step(request, "update"),
            final=lambda request: self.step(request, "final"),
            finup=lambda request: self.step(request, "finup"),
            digest=self.digest,
            export=self.export,
            import_state=self.import_state,
            init=self.init_tfm,
            exit=lambda tfm: registry.free(tfm.ctx.fallback),
            do_one_request=self.do_one_request,
        )

    def attach(self) -> None:
        self.engine.register(self.alg())
        self.machine.attach(
            Accelerator(
                name="toy",
                jobs=lambda: self.device.jobs,
                supports=lambda algorithm, size: True,
                depth=DEPTH,
            )
        )

    def init_tfm(self, tfm: Any) -> int:
        try:
            fallback = self.machine.registry.alloc_ahash(_NAME, 0, _SOFTWARE)
        except OSError as error:
            return -(error.errno or errno.ENOENT)
        tfm.ctx = Keyed(fallback)
        tfm.reqsize = 64 + fallback.reqsize
        return 0

    def step(self, request: Any, name: str) -> int:
        fallback = request.tfm.ctx.fallback
        if name == "init":
            request.ctx = fallback.request()
        inner = request.ctx
        inner.set_callback(request.flags, request.complete, request.data)
        if name != "init":
            inner.set_crypt(request.src, request.result, request.nbytes)
        act: Callable[[Any], int] = getattr(fallback, name)
        return act(inner)

    def export(self, request: Any, out: Buffer) -> int:
        return int(request.tfm.ctx.fallback.export(request.ctx, out))

    def import_state(self, request: Any, state: Buffer) -> int:
        request.ctx = request.tfm.ctx.fallback.request()
        return int(request.tfm.ctx.fallback.import_state(request.ctx, state))

    def digest(self, request: Any) -> int:
        if not request.nbytes:
            return self.step(request, "init") or self.step(request, "finup")
        if request.src.nents_for_len(request.nbytes) < 0:
            return -errno.EINVAL
        request.ctx = Work(True, b"")
        return self.engine.transfer(request)

    def prepare(self, request: Any) -> Job:
        work = request.ctx
        work.bounce = self.machine.memory.alloc(32)
        self.map(work, work.bounce, 32, DmaDirection.FROM_DEVICE)
        sources = list(map(tuple, request.src.walk(request.nbytes)))
        for address, size in sources:
            self.map(work, address, size, DmaDirection.TO_DEVICE)
        return Job(True, b"", b"", sources, [(work.bounce, 32)], request)

    def release(self, work: Work) -> None:
        super().release(work)
        if work.bounce:
            self.machine.memory.free(work.bounce)
            work.bounce = 0

    def complete(self, request: Any, status: int) -> None:
        work = request.ctx
        self.machine.dma.sync_for_cpu(work.bounce, 32, DmaDirection.FROM_DEVICE)
        if not status:
            request.result.write(self.machine.memory.read(work.bounce, 32))
        self.release(work)
        self.engine.finalize(request, status)


def register(machine: Machine) -> None:
    StepsInSoftware(machine).attach()
