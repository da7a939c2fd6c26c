"""A complete driver of one's own, in one file: cbc(aes) on a toy accelerator.

Run the whole suite against it with

    tcrypt run --from examples/my_driver.py --provider my_driver

The "hardware" knows AES with 128-bit keys only, holds four jobs at once and raises an interrupt
when one is done.  The driver has the shape of a real one: requests wait in a `crypto_engine`
queue, key sizes that the hardware lacks go to a software fallback, a tasklet completes requests.
Replace the class `ToyDevice` with a model of your hardware and `ToyDriver` with your driver.
"""

from __future__ import annotations

import errno
from collections import deque
from dataclasses import dataclass

from Crypto.Cipher import AES

from tcrypt.engine.api.algorithms import SkcipherAlg
from tcrypt.engine.api.dma import DmaBus, DmaDirection, DmaError
from tcrypt.engine.api.flags import AlgFlag, ReqFlag
from tcrypt.engine.api.machine import Accelerator, Machine
from tcrypt.engine.api.requests import SkcipherRequest
from tcrypt.engine.api.scatterlist import Segment
from tcrypt.engine.api.transforms import Skcipher
from tcrypt.engine.crypto_engine import CryptoEngine
from tcrypt.engine.sim import BusError, Context, IrqLine, Simulation, Tasklet

BLOCK = 16
KEY_SIZES = (16, 24, 32)
HARDWARE_KEY_SIZE = 16
QUEUE_DEPTH = 4
NS_PER_BLOCK = 40
NS_PER_JOB = 1_500


# ------------------------------------------------------------------------------ the hardware


@dataclass(slots=True)
class ToyJob:
    """What the device works from: it sees bus addresses and the key, and no request."""

    encrypt: bool
    key: bytes
    iv: bytes
    sources: list[Segment]
    destinations: list[Segment]
    bus_error: bool = False


class ToyDevice:
    """An AES-CBC engine that takes up to four jobs and does one after the other.

    Attributes:
        jobs: how many jobs were done since power-on.
        done: finished jobs that the driver has not yet taken.
    """

    def __init__(self, sim: Simulation, bus: DmaBus, irq: IrqLine) -> None:
        self.sim = sim
        self.bus = bus
        self.irq = irq
        self.jobs = 0
        self.done: deque[ToyJob] = deque()
        self._waiting: deque[ToyJob] = deque()

    @property
    def full(self) -> bool:
        """Whether all slots are taken; a slot is free again once the driver took the result."""
        return len(self._waiting) + len(self.done) >= QUEUE_DEPTH

    def push(self, job: ToyJob) -> None:
        """Give the device a job.  The caller looks at `full` first."""
        self._waiting.append(job)
        if len(self._waiting) == 1:
            self._start(job)

    def acknowledge(self) -> None:
        """Lower the interrupt line, once `done` has been emptied."""
        self.irq.set_level(False)

    def _start(self, job: ToyJob) -> None:
        # Nothing happens at once in hardware: the work is an event some nanoseconds from now.
        size = sum(source.length for source in job.sources)
        delay = NS_PER_JOB + NS_PER_BLOCK * (size // BLOCK)
        self.sim.schedule(delay, Context.DEVICE, "toy: job", self._finish)

    def _finish(self) -> None:
        job = self._waiting.popleft()
        try:
            self._work(job)
        except BusError:
            # All memory is reached over the bus, which refuses what the driver did not map.
            job.bus_error = True
        self.jobs += 1
        self.done.append(job)
        self.irq.set_level(True)
        if self._waiting:
            self._start(self._waiting[0])

    def _work(self, job: ToyJob) -> None:
        data = b"".join(self.bus.read(*source) for source in job.sources)
        cipher = AES.new(job.key, AES.MODE_CBC, iv=job.iv)
        out = cipher.encrypt(data) if job.encrypt else cipher.decrypt(data)
        for address, length in job.destinations:
            self.bus.write(address, out[:length])
            out = out[length:]


# -------------------------------------------------------------------------------- the driver


@dataclass(slots=True)
class ToyContext:
    """What the driver keeps for each transform: the fallback, and the key if it is ours."""

    fallback: Skcipher
    key: bytes = b""


@dataclass(slots=True)
class ToyWork:
    """What the driver keeps for each request, from its submission to its completion."""

    encrypt: bool
    key: bytes
    mappings: list[tuple[int, int, DmaDirection]]
    next_iv: bytes = b""


class ToyDriver:
    """The driver: its methods are the operations of the algorithm that it registers."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.irq = IrqLine(machine.sim, "toy")
        self.device = ToyDevice(machine.sim, machine.dma, self.irq)
        self.engine = CryptoEngine(machine, "toy", retry_support=True)
        self.tasklet = Tasklet(machine.sim, "toy: done", self.done_task)
        self.in_flight: deque[SkcipherRequest] = deque()
        self.irq.request(self.interrupt)
        self.engine.start()

    def alg(self) -> SkcipherAlg:
        """The descriptor, with the kernel's field names."""
        return SkcipherAlg(
            cra_name="cbc(aes)",
            cra_driver_name="cbc(aes-toy)",
            cra_priority=400,
            cra_flags=AlgFlag.ASYNC | AlgFlag.NEED_FALLBACK | AlgFlag.KERN_DRIVER_ONLY,
            cra_blocksize=BLOCK,
            cra_module="my_driver",
            min_keysize=min(KEY_SIZES),
            max_keysize=max(KEY_SIZES),
            ivsize=BLOCK,
            setkey=self.setkey,
            encrypt=self.encrypt,
            decrypt=self.decrypt,
            init=self.init_tfm,
            exit=self.exit_tfm,
            do_one_request=self.do_one_request,
        )

    def init_tfm(self, tfm: Skcipher) -> int:
        """A new transform: find the fallback, which must not need one itself."""
        try:
            fallback = self.machine.registry.alloc_skcipher("cbc(aes)", 0, AlgFlag.NEED_FALLBACK)
        except OSError as error:
            return -(error.errno or errno.ENOENT)
        tfm.ctx = ToyContext(fallback)
        tfm.reqsize = 64 + fallback.reqsize
        return 0

    def exit_tfm(self, tfm: Skcipher) -> None:
        """The transform goes away, and its fallback with it."""
        self.machine.registry.free(tfm.ctx.fallback)

    def setkey(self, tfm: Skcipher, key: bytearray) -> int:
        """Key the fallback always, so that it is ready whatever the key's size."""
        if len(key) not in KEY_SIZES:
            return -errno.EINVAL
        context: ToyContext = tfm.ctx
        fallback = context.fallback
        # The fallback must see the same policy flags as the caller's transform.
        fallback.clear_flags(ReqFlag.request_mask())
        fallback.set_flags(tfm.flags)
        try:
            fallback.setkey(bytes(key))
        except OSError as error:
            return -(error.errno or errno.EINVAL)
        # The key is copied: the buffer that it came in is wiped when setkey returns.
        context.key = bytes(key)
        return 0

    def encrypt(self, request: SkcipherRequest) -> int:
        """Submit an encryption; the status, which is -EINPROGRESS when it completes later."""
        return self.submit(request, encrypt=True)

    def decrypt(self, request: SkcipherRequest) -> int:
        """Submit a decryption; the status, which is -EINPROGRESS when it completes later."""
        return self.submit(request, encrypt=False)

    def submit(self, request: SkcipherRequest, *, encrypt: bool) -> int:
        """Refuse what no implementation could do, then choose hardware or software."""
        length = request.cryptlen
        if length % BLOCK:
            return -errno.EINVAL
        if request.src.nents_for_len(length) < 0 or request.dst.nents_for_len(length) < 0:
            return -errno.EINVAL
        if not length:
            return 0
        context: ToyContext = request.tfm.ctx
        if len(context.key) != HARDWARE_KEY_SIZE:
            return self.run_fallback(request, encrypt=encrypt)
        request.ctx = ToyWork(encrypt, context.key, [])
        return self.engine.transfer(request)

    def run_fallback(self, request: SkcipherRequest, *, encrypt: bool) -> int:
        """The whole request in software; the caller's callback serves if that is asynchronous."""
        fallback: Skcipher = request.tfm.ctx.fallback
        inner = fallback.request()
        inner.set_callback(request.flags, request.complete, request.data)
        inner.set_crypt(request.src, request.dst, request.cryptlen, request.iv)
        return fallback.encrypt(inner) if encrypt else fallback.decrypt(inner)

    def do_one_request(self, engine: CryptoEngine, request: SkcipherRequest) -> int:
        """Start one request, or say why not: the engine then ends it with the status.

        -ENOSPC, before anything is touched, means that the hardware is full: it waits its turn.
        """
        if self.device.full:
            return -errno.ENOSPC
        work: ToyWork = request.ctx
        length = request.cryptlen
        assert request.iv is not None
        if not work.encrypt:
            # In place, the last ciphertext block is gone once the device has run.
            work.next_iv = request.src.read(BLOCK, length - BLOCK)
        sources = list(request.src.walk(length))
        destinations = list(request.dst.walk(length))
        try:
            if request.src is request.dst:
                self.map(work, sources, DmaDirection.BIDIRECTIONAL)
            else:
                self.map(work, sources, DmaDirection.TO_DEVICE)
                self.map(work, destinations, DmaDirection.FROM_DEVICE)
        except DmaError:
            self.unmap(work)
            # An error returned from here would stop the engine for good.
            self.machine.sim.local_bh_disable()
            self.engine.finalize(request, -errno.ENOMEM)
            self.machine.sim.local_bh_enable()
            return 0
        self.in_flight.append(request)
        job = ToyJob(work.encrypt, work.key, request.iv.read(BLOCK), sources, destinations)
        self.device.push(job)
        return 0

    def map(self, work: ToyWork, pieces: list[Segment], direction: DmaDirection) -> None:
        """Open memory to the device, and remember it for `unmap`; DmaError when that fails."""
        for address, length in pieces:
            self.machine.dma.map(address, length, direction)
            work.mappings.append((address, length, direction))

    def unmap(self, work: ToyWork) -> None:
        """Give back what was mapped, which is not all of it when a mapping failed."""
        for mapping in work.mappings:
            self.machine.dma.unmap(*mapping)

    def interrupt(self) -> None:
        """Hard interrupt: silence the line, and leave the work to the tasklet."""
        self.device.acknowledge()
        self.tasklet.schedule()

    def done_task(self) -> None:
        """Softirq: complete everything that is done, in the order of submission."""
        while self.device.done:
            job = self.device.done.popleft()
            self.complete(self.in_flight.popleft(), -errno.EIO if job.bus_error else 0)

    def complete(self, request: SkcipherRequest, status: int) -> None:
        """Give the memory back, leave the next IV in the request, and tell the engine."""
        work: ToyWork = request.ctx
        self.unmap(work)
        if work.encrypt:
            work.next_iv = request.dst.read(BLOCK, request.cryptlen - BLOCK)
        if not status:
            assert request.iv is not None
            request.iv.write(work.next_iv)
        self.engine.finalize(request, status)


# ----------------------------------------------------------------------------- the connection


def register(machine: Machine) -> None:
    """Called for every machine that the suite boots: attach the device, bind the driver."""
    driver = ToyDriver(machine)
    driver.engine.register(driver.alg())
    # Without this the suite could not see who did the work, and would say so.
    machine.attach(
        Accelerator(
            name="toy",
            jobs=lambda: driver.device.jobs,
            supports=lambda algorithm, key_size: key_size == HARDWARE_KEY_SIZE,
            depth=QUEUE_DEPTH,
            in_order=True,
        )
    )
