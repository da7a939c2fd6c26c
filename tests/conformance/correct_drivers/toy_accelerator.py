"""A toy AES-CBC accelerator and a plain driver for it, which the drivers beside it change.

Each of them does something that the kernel's API leaves open, and that a suite might take for
wrong.  Run one with `tcrypt run --from tests/conformance/correct_drivers/lanes.py`.
"""

from __future__ import annotations

import errno
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from Crypto.Cipher import AES

from tcrypt.engine.api.algorithms import SkcipherAlg
from tcrypt.engine.api.dma import DmaBus, DmaDirection, DmaError
from tcrypt.engine.api.flags import AlgFlag, ReqFlag
from tcrypt.engine.api.machine import Accelerator, Machine
from tcrypt.engine.api.requests import SkcipherRequest
from tcrypt.engine.api.transforms import Skcipher
from tcrypt.engine.crypto_engine import CryptoEngine
from tcrypt.engine.sim import BusError, Context, IrqLine, Simulation, Tasklet

BLOCK = 16
KEY_SIZES = (16, 24, 32)
HARDWARE_KEY_SIZE = 16
DEPTH = 4
_NS_PER_JOB, _NS_PER_BLOCK = 1_500, 40

Piece = tuple[int, int]


@dataclass(slots=True)
class Job:
    """What the device works from; `tag` comes back with it."""

    encrypt: bool
    key: bytes
    iv: bytes
    sources: list[Piece]
    destinations: list[Piece]
    tag: Any
    broken: bool = False


class Device:
    """It holds four jobs and does one after the other; `done` keeps those that are finished."""

    def __init__(self, sim: Simulation, bus: DmaBus, irq: IrqLine) -> None:
        self.sim, self.bus, self.irq = sim, bus, irq
        self.jobs = 0
        self.waiting: deque[Job] = deque()
        self.done: deque[Job] = deque()

    @property
    def full(self) -> bool:
        return len(self.waiting) + len(self.done) >= DEPTH

    def push(self, job: Job) -> None:
        """Take a job; nothing happens at once in hardware."""
        self.waiting.append(job)
        if len(self.waiting) == 1:
            self.begin(job)

    def begin(self, job: Job) -> None:
        self.finish_later(job, lambda: self.finish(job))

    def finish_later(self, job: Job, act: Callable[[], None]) -> None:
        blocks = sum(length for _, length in job.sources) // BLOCK
        delay = _NS_PER_JOB + _NS_PER_BLOCK * blocks
        self.sim.schedule(delay, Context.DEVICE, "toy: job", act)

    def finish(self, job: Job) -> None:
        self.waiting.remove(job)
        self.work(job)
        self.done.append(job)
        self.irq.set_level(True)
        if self.waiting:
            self.begin(self.waiting[0])

    def work(self, job: Job) -> None:
        """Read, compute, write; a bus error is noted in the job."""
        self.jobs += 1
        try:
            data = b"".join(self.bus.read(*source) for source in job.sources)
            cipher = AES.new(job.key, AES.MODE_CBC, iv=job.iv)
            out = cipher.encrypt(data) if job.encrypt else cipher.decrypt(data)
            for address, length in job.destinations:
                self.bus.write(address, out[:length])
                out = out[length:]
        except BusError:
            job.broken = True


@dataclass(slots=True)
class Keyed:
    """What the driver keeps for a transform."""

    fallback: Any
    key: bytes = b""


@dataclass(slots=True)
class Work:
    """What the driver keeps for a request."""

    encrypt: bool
    key: bytes
    iv_out: bytes = b""
    mappings: list[tuple[int, int, DmaDirection]] = field(default_factory=list)
    bounce: int = 0
    job: Any = None


class Driver:
    """The plain driver: a crypto_engine with retry support, a tasklet, a software fallback."""

    retry_support = True
    queue_length = 10
    shortest = 1
    waits = 0
    device_class: type[Device] = Device

    def __init__(self, machine: Machine) -> None:
        self.machine, self.sim = machine, machine.sim
        self.irq = IrqLine(machine.sim, "toy")
        self.device = self.device_class(machine.sim, machine.dma, self.irq)
        self.engine = CryptoEngine(
            machine, "toy", retry_support=self.retry_support, qlen=self.queue_length
        )
        self.tasklet = Tasklet(machine.sim, "toy: done", self.done_task)
        self.irq.request(self.interrupt)
        self.engine.start()

    def alg(self) -> SkcipherAlg:
        flags = AlgFlag.ASYNC | AlgFlag.NEED_FALLBACK | AlgFlag.KERN_DRIVER_ONLY
        return SkcipherAlg(
            cra_name="cbc(aes)",
            cra_driver_name="cbc(aes-toy)",
            cra_priority=400,
            cra_flags=flags,
            cra_blocksize=BLOCK,
            cra_module="toy",
            min_keysize=min(KEY_SIZES),
            max_keysize=max(KEY_SIZES),
            ivsize=BLOCK,
            setkey=self.setkey,
            encrypt=lambda request: self.submit(request, encrypt=True),
            decrypt=lambda request: self.submit(request, encrypt=False),
            init=self.init_tfm,
            exit=lambda tfm: self.machine.registry.free(tfm.ctx.fallback),
            do_one_request=self.do_one_request,
        )

    def attach(self) -> None:
        """Register, and give the suite its evidence."""
        self.enlist(self.alg())
        self.machine.attach(
            Accelerator(
                name="toy",
                jobs=lambda: self.device.jobs,
                supports=lambda algorithm, size: size == HARDWARE_KEY_SIZE,
                depth=DEPTH,
                shortest=lambda algorithm: self.shortest,
                queue=self.waits,
            )
        )

    def enlist(self, alg: SkcipherAlg) -> None:
        self.engine.register(alg)

    # Transforms.

    def init_tfm(self, tfm: Skcipher) -> int:
        try:
            fallback = self.machine.registry.alloc_skcipher("cbc(aes)", 0, AlgFlag.NEED_FALLBACK)
        except OSError as error:
            return -(error.errno or errno.ENOENT)
        tfm.ctx = Keyed(fallback)
        return 0

    def setkey(self, tfm: Skcipher, key: bytearray) -> int:
        if len(key) not in KEY_SIZES:
            return -errno.EINVAL
        fallback = tfm.ctx.fallback
        fallback.clear_flags(ReqFlag.request_mask())
        fallback.set_flags(tfm.flags)
        try:
            fallback.setkey(bytes(key))
        except OSError as error:
            return -(error.errno or errno.EINVAL)
        tfm.ctx.key = bytes(key)
        return 0

    # Requests.

    def submit(self, request: SkcipherRequest, *, encrypt: bool) -> int:
        length = request.cryptlen
        short = request.src.nents_for_len(length) < 0 or request.dst.nents_for_len(length) < 0
        if length % BLOCK or short:
            return -errno.EINVAL
        if not length:
            return 0
        key = request.tfm.ctx.key
        if len(key) != HARDWARE_KEY_SIZE or length < self.shortest:
            return self.run_fallback(request, encrypt=encrypt)
        request.ctx = Work(encrypt, key)
        return self.hand_over(request)

    def hand_over(self, request: SkcipherRequest) -> int:
        """Give a request that the hardware can do to the engine; the status."""
        return self.engine.transfer(request)

    def run_fallback(self, request: SkcipherRequest, *, encrypt: bool) -> int:
        fallback = request.tfm.ctx.fallback
        inner = fallback.request()
        inner.set_callback(request.flags, request.complete, request.data)
        inner.set_crypt(request.src, request.dst, request.cryptlen, request.iv)
        return int(fallback.encrypt(inner) if encrypt else fallback.decrypt(inner))

    def do_one_request(self, engine: CryptoEngine, request: SkcipherRequest) -> int:
        if self.device.full:
            return -errno.ENOSPC
        try:
            job = self.prepare(request)
        except (DmaError, MemoryError):
            self.release(request.ctx)
            self.softly(lambda: self.engine.finalize(request, -errno.ENOMEM))
            return 0
        self.device.push(job)
        return 0

    def prepare(self, request: SkcipherRequest) -> Job:
        """Map the request's memory, and make its job; DmaError or MemoryError when that fails."""
        work, length = request.ctx, request.cryptlen
        self.remember_iv(request)
        pieces = [list(map(tuple, entries.walk(length))) for entries in (request.src, request.dst)]
        in_place = pieces[0] == pieces[1]
        ways = (DmaDirection.TO_DEVICE, DmaDirection.FROM_DEVICE)
        for way, some in zip(ways, pieces[:1] if in_place else pieces, strict=False):
            for address, size in some:
                self.map(work, address, size, DmaDirection.BIDIRECTIONAL if in_place else way)
        return self.job(request, pieces[0], pieces[1])

    def remember_iv(self, request: SkcipherRequest) -> None:
        """In place, the last ciphertext block is gone once the device has decrypted."""
        if not request.ctx.encrypt:
            request.ctx.iv_out = request.src.read(BLOCK, request.cryptlen - BLOCK)

    def job(
        self, request: SkcipherRequest, sources: list[Piece], destinations: list[Piece]
    ) -> Job:
        assert request.iv is not None
        work: Work = request.ctx
        iv = request.iv.read(BLOCK)
        return Job(work.encrypt, work.key, iv, sources, destinations, request)

    def map(self, work: Work, address: int, length: int, way: DmaDirection) -> None:
        self.machine.dma.map(address, length, way)
        work.mappings.append((address, length, way))

    def release(self, work: Work) -> None:
        """Give back what a request holds."""
        for mapping in work.mappings:
            self.machine.dma.unmap(*mapping)
        work.mappings.clear()

    def softly(self, act: Callable[[], object]) -> None:
        """Do something with bottom halves disabled, as completions want it."""
        self.sim.local_bh_disable()
        act()
        self.sim.local_bh_enable()

    # Completion.

    def interrupt(self) -> None:
        self.irq.set_level(False)
        self.tasklet.schedule()

    def done_task(self) -> None:
        while self.device.done:
            job = self.device.done.popleft()
            self.complete(job.tag, -errno.EIO if job.broken else 0)

    def complete(self, request: SkcipherRequest, status: int) -> None:
        """Unmap, leave the next IV, and tell the engine."""
        self.release(request.ctx)
        self.leave_iv(request, status)
        self.engine.finalize(request, status)

    def leave_iv(self, request: SkcipherRequest, status: int) -> None:
        work: Work = request.ctx
        if work.encrypt:
            work.iv_out = request.dst.read(BLOCK, request.cryptlen - BLOCK)
        if not status:
            assert request.iv is not None
            request.iv.write(work.iv_out)


def register(machine: Machine) -> None:
    """The plain driver."""
    Driver(machine).attach()
