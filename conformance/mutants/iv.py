"""IV write-back: what a request leaves in `req->iv`."""

from __future__ import annotations

from collections.abc import Callable
from weakref import WeakKeyDictionary

from tcrypt.engine.api.dma import DmaDirection
from tcrypt.engine.api.memory import Buffer
from tcrypt.engine.api.requests import SkcipherRequest
from tcrypt.engine.eip93.driver.cipher_jobs import CipherJob, CipherJobs
from tcrypt.engine.eip93.driver.core import Job
from tcrypt.engine.eip93.driver.skcipher import EipSkcipher
from tcrypt.engine.eip93.records import CipherMode
from tcrypt.mutants import mutant
from tcrypt.mutants.seams import Planted, is_inbound, replaced

__all__: tuple[str, ...] = ()

_BLOCK = 16
_LINE = 32
_COUNTERS = 1 << 128


@mutant("IV-01", "no output IV at all")
def no_output_iv() -> Planted:
    """The new IV is never copied into the request."""

    def write_back_iv(self: EipSkcipher, job: Job, request: SkcipherRequest) -> None:
        return

    return replaced((CipherJobs, "write_back_iv", write_back_iv))


@mutant("IV-02", "in-place CBC decrypt saves an overwritten block")
def overwritten_block() -> Planted:
    """On CBC decryption the IV is fetched from the source once the engine is done with it."""
    original = EipSkcipher.write_back_iv

    def write_back_iv(self: EipSkcipher, job: Job, request: SkcipherRequest) -> None:
        if self.mode is not CipherMode.CBC or not is_inbound(request.ctx.sa):
            original(self, job, request)
            return
        assert request.iv is not None
        request.iv.write(request.src.read(_BLOCK, request.cryptlen - _BLOCK))

    return replaced((CipherJobs, "write_back_iv", write_back_iv))


@mutant("IV-04", "CTR write-back uses the CBC rule")
def cbc_rule_for_ctr() -> Planted:
    """After a counter mode request of a block or more, the IV is the last output block."""
    original = EipSkcipher.write_back_iv

    def write_back_iv(self: EipSkcipher, job: Job, request: SkcipherRequest) -> None:
        if self.mode is not CipherMode.CTR or request.cryptlen < _BLOCK:
            original(self, job, request)
            return
        assert request.iv is not None
        request.iv.write(request.dst.read(_BLOCK, request.cryptlen - _BLOCK))

    return replaced((CipherJobs, "write_back_iv", write_back_iv))


@mutant("IV-05", "partial last CTR block not counted")
def partial_block_not_counted() -> Planted:
    """The counter advances by the whole blocks only."""
    original = EipSkcipher.write_back_iv

    def write_back_iv(self: EipSkcipher, job: Job, request: SkcipherRequest) -> None:
        if self.mode is not CipherMode.CTR:
            original(self, job, request)
            return
        assert request.iv is not None
        counter = int.from_bytes(request.ctx.iv) + request.cryptlen // _BLOCK
        request.iv.write((counter % _COUNTERS).to_bytes(_BLOCK))

    return replaced((CipherJobs, "write_back_iv", write_back_iv))


@mutant("IV-06", "an ECB request rewrites the caller's IV field")
def ecb_writes_iv() -> Planted:
    """An IV pointer that ECB does not need is written through, with the last output block."""
    original = EipSkcipher.finish

    def finish(self: EipSkcipher, job: Job, status: int) -> None:
        original(self, job, status)
        request = job.request
        assert isinstance(request, SkcipherRequest)
        if self.mode is CipherMode.ECB and request.iv is not None and not status:
            request.iv.write(request.dst.read(_BLOCK, request.cryptlen - _BLOCK))

    return replaced((CipherJobs, "finish", finish))


@mutant("IV-08", "IV updated although the request failed")
def iv_before_status() -> Planted:
    """The write-back runs before anybody looks at the status."""
    original = EipSkcipher.finish

    def finish(self: EipSkcipher, job: Job, status: int) -> None:
        request = job.request
        assert isinstance(request, SkcipherRequest)
        if status and self.has_iv:
            self.write_back_iv(job, request)
        original(self, job, status)

    return replaced((CipherJobs, "finish", finish))


@mutant("IV-09", "a request shorter than an IV underflows the IV fetch")
def short_underflow() -> Planted:
    """The last block of a message of 1 to 15 bytes begins before the destination."""
    original = EipSkcipher.write_back_iv

    def write_back_iv(self: EipSkcipher, job: Job, request: SkcipherRequest) -> None:
        if request.cryptlen >= _BLOCK:
            original(self, job, request)
            return
        assert request.iv is not None
        start = next(request.dst.walk(1)).address + request.cryptlen - _BLOCK
        request.iv.write(self.core.machine.memory.read(start, _BLOCK))

    return replaced((CipherJobs, "write_back_iv", write_back_iv))


@mutant("IV-12", "IV write-back restores stale neighbours")
def stale_neighbours() -> Planted:
    """The cache lines around the IV are written back as they were at submission."""
    plan_of, write_back = EipSkcipher.plan, EipSkcipher.write_back_iv
    lines: dict[int, tuple[int, bytes]] = {}

    def plan(self: EipSkcipher, request: SkcipherRequest, sa: bytes) -> CipherJob:
        job = plan_of(self, request, sa)
        if request.iv is not None:
            start = request.iv.address // _LINE * _LINE
            end = -(-(request.iv.address + _BLOCK) // _LINE) * _LINE
            lines[id(job)] = start, self.core.machine.memory.read(start, end - start)
        return job

    def write_back_iv(self: EipSkcipher, job: Job, request: SkcipherRequest) -> None:
        write_back(self, job, request)
        assert request.iv is not None
        start, line = lines.pop(id(request.ctx))
        inside = request.iv.address - start
        fresh = line[:inside] + request.iv.read(_BLOCK) + line[inside + _BLOCK :]
        self.core.machine.memory.write(start, fresh)

    return replaced((CipherJobs, "plan", plan), (CipherJobs, "write_back_iv", write_back_iv))


@mutant("IV-12b", "the caller's IV is mapped for the device")
def mapped_iv() -> Planted:
    """The engine may fetch the IV where it lies, which a caller may have on its stack."""
    original = CipherJobs.prepare

    def prepare(self: CipherJobs, job: Job) -> Callable[[], None]:
        request = job.request
        assert isinstance(request, SkcipherRequest)
        if self.has_iv and request.iv is not None:
            self.core.map(job, request.iv.address, self.spec.ivsize, DmaDirection.BIDIRECTIONAL)
        return original(self, job)

    return replaced((CipherJobs, "prepare", prepare))


@mutant("IV-14", "the fallback gets the driver's own copy of the IV")
def fallback_gets_copy() -> Planted:
    """A copy that only the hardware path fills is handed to the fallback in place of the IV."""
    plan_of, fall_back = EipSkcipher.plan, EipSkcipher.run_fallback
    copies: WeakKeyDictionary[EipSkcipher, int] = WeakKeyDictionary()

    def copy(handler: EipSkcipher) -> Buffer:
        memory = handler.core.machine.memory
        if handler not in copies:
            copies[handler] = memory.zalloc(_BLOCK)
        return Buffer(memory, copies[handler], _BLOCK)

    def plan(self: EipSkcipher, request: SkcipherRequest, sa: bytes) -> CipherJob:
        if request.iv is not None:
            copy(self).write(request.iv.read())
        return plan_of(self, request, sa)

    def run_fallback(self: EipSkcipher, request: SkcipherRequest, *, encrypt: bool) -> int:
        callers = request.iv
        if callers is not None:
            request.iv = copy(self)
        try:
            return fall_back(self, request, encrypt=encrypt)
        finally:
            request.iv = callers

    return replaced((CipherJobs, "plan", plan), (EipSkcipher, "run_fallback", run_fallback))
