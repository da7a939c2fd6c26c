"""Memory: overruns, leaks, mappings, and what is left behind in it."""

from __future__ import annotations

import errno
from collections.abc import Callable
from contextlib import suppress
from weakref import WeakKeyDictionary

from tcrypt.engine.api.dma import DmaDirection, DmaError
from tcrypt.engine.api.requests import AeadRequest, AhashRequest, SkcipherRequest
from tcrypt.engine.crypto_engine import CryptoEngine
from tcrypt.engine.eip93.driver.aead_jobs import AeadJob, AeadJobs
from tcrypt.engine.eip93.driver.ahash import EipHash
from tcrypt.engine.eip93.driver.cipher_jobs import CipherJob, CipherJobs, Piece
from tcrypt.engine.eip93.driver.core import STATE_A, Core, Job
from tcrypt.engine.eip93.driver.hash_jobs import HashJobs
from tcrypt.engine.eip93.driver.skcipher import EipSkcipher
from tcrypt.engine.eip93.records import swap_words
from tcrypt.mutants import mutant
from tcrypt.mutants.seams import Planted, replaced

__all__: tuple[str, ...] = ()

_FIXED_DIGEST = 32
_LINE = 32


@mutant("ML-02", "the digest is written with a fixed 32 bytes")
def fixed_digest() -> Planted:
    """Every hash copies eight words to the result, however short its digest is."""

    def write_result(self: EipHash, request: AhashRequest, digest: bytes) -> None:
        assert request.result is not None
        request.result.write(swap_words(digest)[:_FIXED_DIGEST])

    return replaced((HashJobs, "write_result", write_result))


@mutant("ML-03", "the destination length is that of the whole list")
def whole_list_copied() -> Planted:
    """A bounced result is copied out to the end of the destination list."""
    original = EipSkcipher.finish

    def finish(self: EipSkcipher, job: Job, status: int) -> None:
        original(self, job, status)
        request = job.request
        assert isinstance(request, SkcipherRequest)
        if job.bounces and not status:
            data = self.core.machine.memory.read(job.bounces[0], request.cryptlen)
            request.dst.write(data.ljust(request.dst.total, b"\0"))

    return replaced((CipherJobs, "finish", finish))


@mutant("ML-03b", "a bounced decryption is copied out with its tag")
def tag_copied_out() -> Planted:
    """The destination takes what the source holds, if the list describes so much."""
    original = AeadJobs.finish

    def finish(self: AeadJobs, job: Job, status: int) -> None:
        original(self, job, status)
        request = job.request
        assert isinstance(request, AeadRequest)
        plan: AeadJob = request.ctx
        if not status and not plan.encrypt and not plan.direct:
            request.dst.write(self.core.machine.memory.read(job.bounces[0], plan.source))

    return replaced((AeadJobs, "finish", finish))


@mutant("ML-04", "the cache lines around an unaligned destination are damaged")
def lines_restored() -> Planted:
    """What shares a line with the destination is put back as it was when the job began."""
    map_pieces, finish = EipSkcipher.map_pieces, EipSkcipher.finish
    edges: dict[int, list[tuple[int, bytes]]] = {}

    def snapshot(self: EipSkcipher, job: Job, pieces: list[Piece]) -> None:
        memory = self.core.machine.memory
        assert isinstance(job.request, SkcipherRequest)
        for start, length in job.request.dst.walk(job.request.cryptlen):
            end = start + length
            for first, last in ((start & -_LINE, start), (end, -(-end // _LINE) * _LINE)):
                saved = first, memory.read(first, last - first)
                edges.setdefault(id(job), []).append(saved)
        map_pieces(self, job, pieces)

    def restore(self: EipSkcipher, job: Job, status: int) -> None:
        for address, data in edges.pop(id(job), ()):
            self.core.machine.memory.write(address, data)
        finish(self, job, status)

    return replaced((CipherJobs, "map_pieces", snapshot), (CipherJobs, "finish", restore))


@mutant("ML-06", "memory mapped in the wrong direction")
def wrong_direction() -> Planted:
    """A destination of its own is mapped for the device to read."""
    original = Core.map

    def map_memory(
        self: Core, job: Job, address: int, length: int, direction: DmaDirection
    ) -> None:
        if direction is DmaDirection.FROM_DEVICE:
            direction = DmaDirection.TO_DEVICE
        original(self, job, address, length, direction)

    return replaced((Core, "map", map_memory))


@mutant("ML-06b", "a buffer that is filled after it was mapped")
def mapped_too_soon() -> Planted:
    """The bounce buffer's data is written when the device owns the memory already."""

    def bounce(self: Core, job: Job, data: bytes, size: int) -> int:
        address = self.machine.memory.alloc(size)
        job.bounces.append(address)
        self.map(job, address, size, DmaDirection.BIDIRECTIONAL)
        self.machine.memory.write(address, data)
        return address

    return replaced((Core, "bounce", bounce))


@mutant("ML-06c", "a buffer that is read before it was unmapped")
def copied_too_soon() -> Planted:
    """The algorithm finishes, and takes what the device wrote, before the mappings are gone."""

    def complete(self: Core, job: Job) -> None:
        del self._jobs[job.handle]
        job.finish(job, job.status)
        self.release(job)
        self.engine.finalize(job.request, job.status)

    return replaced((Core, "complete", complete))


@mutant("ML-08", "a mapping that failed is not recognised")
def failed_mapping_used() -> Planted:
    """The device is sent to the memory whether or not it could be mapped."""
    original = Core.map

    def map_memory(
        self: Core, job: Job, address: int, length: int, direction: DmaDirection
    ) -> None:
        with suppress(DmaError):
            original(self, job, address, length, direction)

    return replaced((Core, "map", map_memory))


@mutant("ML-10", "not all entries are unmapped")
def trailing_mappings() -> Planted:
    """Of several mappings of a request the last one is forgotten."""
    original = Core.complete

    def complete(self: Core, job: Job) -> None:
        if len(job.mappings) > 1:
            del job.mappings[-1]
        original(self, job)

    return replaced((Core, "complete", complete))


@mutant("ML-11", "keys are left in freed memory")
def key_left() -> Planted:
    """A job's SA record, key and all, is given back without being wiped."""

    def release_slot(self: Core, slot: int) -> None:
        self._slots.append(slot)

    return replaced((Core, "release_slot", release_slot))


@mutant("ML-11e", "keys are wiped from memory that was freed")
def wiped_after_free() -> Planted:
    """A bounce buffer is given back first and overwritten then, when it may be another's."""

    def release(self: Core, job: Job) -> None:
        self.unmap(job)
        request = job.request
        for address in job.bounces:
            self.machine.memory.free(address)
            length = request.nbytes if isinstance(request, AhashRequest) else request.cryptlen
            self.machine.memory.write(address, bytes(length))
        self.release_slot(job.slot)

    return replaced((Core, "release", release))


@mutant("ML-13", "a template keeps the mode bits of the job before")
def stale_mode_bits() -> Planted:
    """HASH_FINAL is set in the descriptor template by one job, and never cleared."""
    original = Core.put
    final: WeakKeyDictionary[Core, bool] = WeakKeyDictionary()

    def put(
        self: Core,
        job: Job,
        source: int,
        destination: int,
        length: int,
        *,
        sa: int = 0,
        state: int = STATE_A,
        hash_final: bool = True,
    ) -> None:
        final[self] = hash_final = hash_final or final.get(self, False)
        original(self, job, source, destination, length, sa=sa, state=state, hash_final=hash_final)

    return replaced((Core, "put", put))


@mutant("ML-14", "a bounce buffer leaks when the ring is full")
def bounce_leaked() -> Planted:
    """The bounce buffer is allocated before anybody looks for room, and not freed without."""
    original = EipSkcipher.do_one_request

    def do_one_request(self: EipSkcipher, engine: CryptoEngine, request: SkcipherRequest) -> int:
        plan: CipherJob = request.ctx
        if plan.bounced and self.core.rings.free < plan.count:
            self.core.machine.memory.alloc(request.cryptlen)
            return -errno.ENOSPC
        return original(self, engine, request)

    return replaced((CipherJobs, "do_one_request", do_one_request))


@mutant("ML-14e", "a refused request keeps its buffer")
def buffer_of_a_refused_one() -> Planted:
    """A buffer is allocated first and the lengths are checked then; no error path frees it."""
    original = EipSkcipher.check

    def check(self: EipSkcipher, request: SkcipherRequest) -> int:
        status = original(self, request)
        if status:
            self.core.machine.memory.alloc(request.cryptlen)
        return status

    return replaced((EipSkcipher, "check", check))


@mutant("ML-14d", "a bounce buffer is freed while the device works on it")
def freed_too_soon() -> Planted:
    """Once the doorbell was rung the buffer is freed, as if its data had been copied."""
    start = Core.start

    def start_and_free(self: Core, job: Job, prepare: Callable[[Job], Callable[[], None]]) -> int:
        status = start(self, job, prepare)
        for address in job.bounces if job.pending else ():
            self.machine.memory.free(address)
        return status

    def release(self: Core, job: Job) -> None:
        self.unmap(job)
        self.release_slot(job.slot)

    return replaced((Core, "start", start_and_free), (Core, "release", release))


@mutant("ML-15", "an error is used as a pointer")
def error_as_pointer() -> Planted:
    """The address of a bounce buffer that could not be allocated is its errno."""
    original = Core.bounce

    def bounce(self: Core, job: Job, data: bytes, size: int) -> int:
        try:
            return original(self, job, data, size)
        except MemoryError:
            return -errno.ENOMEM & 0xFFFF_FFFF

    return replaced((Core, "bounce", bounce))
