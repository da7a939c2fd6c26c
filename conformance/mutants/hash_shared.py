"""Hash state in places that requests share, or where it is not yet."""

from __future__ import annotations

import errno
from weakref import WeakKeyDictionary

from tcrypt.engine.api.memory import Buffer
from tcrypt.engine.api.requests import AhashRequest, AnyRequest
from tcrypt.engine.crypto_engine import CryptoEngine
from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.driver.ahash import EipHash
from tcrypt.engine.eip93.driver.core import STATE_A, Core, Job
from tcrypt.engine.eip93.driver.hash_jobs import HashJobs, HashState
from tcrypt.engine.eip93.driver.sa import digest_bytes
from tcrypt.mutants import mutant
from tcrypt.mutants.seams import Planted, replaced

__all__: tuple[str, ...] = ()

_EINPROGRESS = -errno.EINPROGRESS


@mutant("HS-14", "update reports done before its state is saved")
def done_too_early() -> Planted:
    """update() returns 0 as soon as the step is queued, and nobody is called back."""
    update, finalize = EipHash.update, CryptoEngine.finalize
    silent: set[int] = set()

    def eager(self: EipHash, request: AhashRequest) -> int:
        status = update(self, request)
        if status not in (_EINPROGRESS, -errno.EBUSY):
            return status
        silent.add(id(request))
        return 0

    def quiet(self: CryptoEngine, request: AnyRequest, status: int) -> None:
        complete = request.complete
        if id(request) in silent:
            silent.discard(id(request))
            request.complete = lambda data, status: None
        finalize(self, request, status)
        request.complete = complete

    return replaced((EipHash, "update", eager), (CryptoEngine, "finalize", quiet))


@mutant("HS-16", "intermediate state only in the engine")
def state_in_device() -> Planted:
    """The running digest of whoever was hashed last is what the next step of anybody uses."""
    write_records, finish = EipHash.write_records, EipHash.finish
    last: WeakKeyDictionary[Core, bytes] = WeakKeyDictionary()

    def write(self: EipHash, job: Job, request: AhashRequest, state: HashState) -> None:
        if state.hashed:
            state.digest = last.get(self.core, state.digest)
        write_records(self, job, request, state)

    def done(self: EipHash, job: Job, status: int) -> None:
        finish(self, job, status)
        if not status and not job.request.ctx.last:
            last[self.core] = job.request.ctx.digest

    return replaced((HashJobs, "write_records", write), (HashJobs, "finish", done))


@mutant("HS-17", "init touches shared engine state outside of the queue")
def init_resets_engine() -> Planted:
    """Init writes the first digest where the job in flight has its running one."""
    init, write_records, finish = EipHash.hash_init, EipHash.write_records, EipHash.finish
    running: WeakKeyDictionary[Core, int] = WeakKeyDictionary()

    def hash_init(self: EipHash, request: AhashRequest) -> int:
        if self.core in running:
            fresh = bytes(8) + digest_bytes(self.spec.initial)
            place = running[self.core] + STATE_A + reg.STATE_BYTE_COUNT
            self.core.machine.memory.write(place, fresh)
        return init(self, request)

    def write(self: EipHash, job: Job, request: AhashRequest, state: HashState) -> None:
        write_records(self, job, request, state)
        running[self.core] = job.slot

    def done(self: EipHash, job: Job, status: int) -> None:
        running.pop(self.core, None)
        finish(self, job, status)

    return replaced(
        (EipHash, "hash_init", hash_init),
        (HashJobs, "write_records", write),
        (HashJobs, "finish", done),
    )


@mutant("HS-08b", "an import of nothing leaves what waited before")
def waiting_data_kept() -> Planted:
    """Waiting bytes are copied from the state when there are some, and not cleared otherwise."""
    original = EipHash.import_state

    def import_state(self: EipHash, request: AhashRequest, state: Buffer) -> int:
        old = request.ctx
        status = original(self, request, state)
        if not status and not request.ctx.waiting and isinstance(old, HashState):
            request.ctx.waiting = old.waiting
        return status

    return replaced((EipHash, "import_state", import_state))
