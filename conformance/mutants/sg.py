"""Scatterlists of ciphers: segments, their order, their lengths.  Those of hashes: `sg_hash`."""

from __future__ import annotations

import errno
from collections.abc import Sequence

from tcrypt.engine.api.requests import SkcipherRequest
from tcrypt.engine.api.scatterlist import Segment, pair_segments
from tcrypt.engine.crypto_engine import CryptoEngine
from tcrypt.engine.eip93.driver.cipher_jobs import CipherJob, CipherJobs, Piece
from tcrypt.engine.eip93.driver.core import STATE_A, Core, Job
from tcrypt.engine.eip93.driver.skcipher import EipSkcipher
from tcrypt.engine.eip93.records import CipherMode
from tcrypt.mutants import mutant
from tcrypt.mutants.seams import Planted, is_inbound, replaced

__all__: tuple[str, ...] = ()

_BLOCK = 16
_WORD = 4
_RECORD = 64
# A page holds a table of 128 entries, the last of which leads to the next table.
_FIRST_TABLE = 127


@mutant("SG-02", "direction test on a zero-valued flag")
def always_source_side() -> Planted:
    """The IV of the next segment is the end of the source segment, for encryption as well."""
    put_pieces, finish = EipSkcipher.put_pieces, EipSkcipher.finish
    records: dict[int, list[int]] = {}

    def put(self: EipSkcipher, job: Job, pieces: list[Piece], split: int) -> None:
        if self.mode is not CipherMode.CBC or len(pieces) < 2:
            put_pieces(self, job, pieces, split)
            return
        machine = self.core.machine
        assert isinstance(job.request, SkcipherRequest)
        iv = job.request.ctx.iv
        own = records.setdefault(id(job), [])
        for source, destination, length in pieces[:-1]:
            own.append(machine.dma.alloc_coherent(_RECORD))
            machine.memory.write(own[-1], iv)
            self.core.put(job, source, destination, length, state=own[-1] - job.slot)
            iv = machine.memory.read(source + length - _BLOCK, _BLOCK)
        machine.memory.write(job.slot + STATE_A, iv)
        self.core.put(job, *pieces[-1])

    def done(self: EipSkcipher, job: Job, status: int) -> None:
        finish(self, job, status)
        for record in records.pop(id(job), ()):
            self.core.machine.dma.free_coherent(record, _RECORD)

    return replaced((CipherJobs, "put_pieces", put), (CipherJobs, "finish", done))


@mutant("SG-03", "the IV of the next segment is read after the in-place overwrite")
def lazy_iv() -> Planted:
    """In-place CBC decryption goes segment by segment, each with its IV fetched when it starts."""
    start, complete = EipSkcipher.do_one_request, Core.complete
    waiting: dict[int, list[Piece]] = {}

    def do_one_request(self: EipSkcipher, engine: CryptoEngine, request: SkcipherRequest) -> int:
        plan: CipherJob = request.ctx
        in_place = all(source == destination for source, destination, _ in plan.pieces)
        chained = self.mode is CipherMode.CBC and is_inbound(plan.sa) and len(plan.pieces) > 1
        if plan.bounced or not (in_place and chained):
            return start(self, engine, request)
        job = self.core.begin(request, plan.count, self.finish)
        if job is None:
            return -errno.ENOSPC
        self.core.machine.memory.write(job.slot, plan.sa + plan.iv)
        self.map_pieces(job, plan.pieces)
        waiting[id(job)] = list(plan.pieces)
        self.core.put(job, *plan.pieces[0])
        self.core.ring_doorbell(1)
        return 0

    def next_segment(self: Core, job: Job) -> None:
        pieces = waiting.get(id(job), [])
        if len(pieces) < 2 or job.status:
            waiting.pop(id(job), None)
            complete(self, job)
            return
        source, _, length = pieces.pop(0)
        memory = self.machine.memory
        memory.write(job.slot + STATE_A, memory.read(source + length - _BLOCK, _BLOCK))
        # A job with something pending keeps its handle.
        job.pending += 1
        self.put(job, *pieces[0])
        job.pending -= 1
        self.ring_doorbell(1)

    return replaced(
        (CipherJobs, "do_one_request", do_one_request), (Core, "complete", next_segment)
    )


@mutant("SG-05", "a descriptor for every entry, empty ones as well")
def empty_descriptors() -> Planted:
    """An empty entry of the source list becomes a descriptor of length zero."""
    plan_of, map_pieces = EipSkcipher.plan, EipSkcipher.map_pieces

    def plan(self: EipSkcipher, request: SkcipherRequest, sa: bytes) -> CipherJob:
        job = plan_of(self, request, sa)
        empty = [entry.address for entry in request.src.entries if not entry.length]
        if not job.bounced:
            job.pieces = [*((address, address, 0) for address in empty), *job.pieces]
            job.count += len(empty)
        return job

    def map_filled(self: EipSkcipher, job: Job, pieces: list[Piece]) -> None:
        map_pieces(self, job, [piece for piece in pieces if piece[2]])

    return replaced((CipherJobs, "plan", plan), (CipherJobs, "map_pieces", map_filled))


@mutant("SG-07", "a segment longer than the request is processed whole")
def whole_segment() -> Planted:
    """The last descriptor has the length of its segment, not of what remains of the request."""
    original = EipSkcipher.direct_pieces

    def direct_pieces(self: EipSkcipher, request: SkcipherRequest) -> list[Piece] | None:
        pieces = original(self, request)
        if pieces:
            source, destination, _ = pieces[-1]
            whole = _end_of(request.src.entries, source) - source
            pieces[-1] = source, destination, whole
        return pieces

    return replaced((CipherJobs, "direct_pieces", direct_pieces))


def _end_of(entries: Sequence[Segment], address: int) -> int:
    """Where the entry that holds an address ends."""
    return next(start + size for start, size in entries if start <= address < start + size)


@mutant("SG-08", "an array index instead of sg_next")
def first_table_only() -> Planted:
    """Entries are counted off in the first table of a long list; the next is never reached."""
    original = EipSkcipher.direct_pieces

    def direct_pieces(self: EipSkcipher, request: SkcipherRequest) -> list[Piece] | None:
        pieces = original(self, request)
        return pieces and pieces[:_FIRST_TABLE]

    return replaced((CipherJobs, "direct_pieces", direct_pieces))


@mutant("SG-09", "only the first destination segment is used")
def first_destination_only() -> Planted:
    """All output is written from the start of the first destination segment on."""
    original, finish = EipSkcipher.direct_pieces, EipSkcipher.finish

    def direct_pieces(self: EipSkcipher, request: SkcipherRequest) -> list[Piece] | None:
        pieces = original(self, request)
        if not pieces:
            return pieces
        found, done = [], 0
        for source, _, length in pieces:
            found.append((source, pieces[0][1] + done, length))
            done += length
        return found

    def contiguous(self: EipSkcipher, job: Job, status: int) -> None:
        finish(self, job, status)
        if job.bounces and not status:
            assert isinstance(job.request, SkcipherRequest)
            memory, length = self.core.machine.memory, job.request.cryptlen
            first = next(job.request.dst.walk(length)).address
            memory.write(first, memory.read(job.bounces[0], length))

    return replaced(
        (CipherJobs, "direct_pieces", direct_pieces), (CipherJobs, "finish", contiguous)
    )


@mutant("SG-16", "descriptor addresses taken after the offset was advanced")
def address_after_advance() -> Planted:
    """Each of several descriptors gets the address of the one behind it."""
    original = EipSkcipher.plan

    def plan(self: EipSkcipher, request: SkcipherRequest, sa: bytes) -> CipherJob:
        job = original(self, request, sa)
        if len(job.pieces) > 1:
            source, destination, length = job.pieces[-1]
            starts = [piece[:2] for piece in job.pieces[1:]]
            starts.append((source + length, destination + length))
            lengths = [piece[2] for piece in job.pieces]
            job.pieces = [(*s, n) for s, n in zip(starts, lengths, strict=True)]
        return job

    return replaced((CipherJobs, "plan", plan))


@mutant("SG-18b", "only the source is looked at for its alignment")
def destination_not_looked_at() -> Planted:
    """Memory goes to the engine as it is when the source begins at a word."""

    def direct_pieces(self: EipSkcipher, request: SkcipherRequest) -> list[Piece] | None:
        pieces = pair_segments(request.src, request.dst, request.cryptlen)
        cut_inside = any(length % self.spec.block for _, _, length in pieces[:-1])
        unaligned = any(source % _WORD for source, _, _ in pieces)
        return None if cut_inside or unaligned else pieces

    return replaced((CipherJobs, "direct_pieces", direct_pieces))


@mutant("SG-20", "a negative entry count stored as unsigned")
def unsigned_count() -> Planted:
    """-EINVAL from counting entries is taken for a huge count, and the walk goes on."""

    def check(self: EipSkcipher, request: SkcipherRequest) -> int:
        if request.cryptlen % self.block:
            return -errno.EINVAL
        counts = [
            scatterlist.nents_for_len(request.cryptlen) & 0xFFFF_FFFF
            for scatterlist in (request.src, request.dst)
        ]
        return 0 if all(count >= 0 for count in counts) else -errno.EINVAL

    return replaced((EipSkcipher, "check", check))


@mutant("SG-21", "the DMA length of an entry is read before it is mapped")
def stale_lengths() -> Planted:
    """Whether a piece is whole blocks is judged by what was mapped there before, if anything."""
    original = EipSkcipher.map_pieces
    mapped: dict[int, int] = {}

    def direct_pieces(self: EipSkcipher, request: SkcipherRequest) -> list[Piece] | None:
        pieces = pair_segments(request.src, request.dst, request.cryptlen)
        if any(source % _WORD or target % _WORD for source, target, _ in pieces):
            return None
        lengths = [mapped.get(source, 0) for source, _, _ in pieces[:-1]]
        return None if any(length % self.spec.block for length in lengths) else pieces

    def map_pieces(self: EipSkcipher, job: Job, pieces: list[Piece]) -> None:
        mapped.update((source, length) for source, _, length in pieces)
        original(self, job, pieces)

    return replaced(
        (CipherJobs, "direct_pieces", direct_pieces), (CipherJobs, "map_pieces", map_pieces)
    )


@mutant("SG-23", "descriptors built from entry counts, not from bytes")
def one_per_entry() -> Planted:
    """There is one descriptor for each destination entry, with the whole length of the entry."""
    original = EipSkcipher.direct_pieces

    def direct_pieces(self: EipSkcipher, request: SkcipherRequest) -> list[Piece] | None:
        if not original(self, request):
            return None
        found, done = [], 0
        for address, length in request.dst.entries:
            source = next(request.src.walk(1, done), None)
            if length and source is not None and done < request.cryptlen:
                found.append((source.address, address, length))
            done += length
        return found

    return replaced((CipherJobs, "direct_pieces", direct_pieces))


@mutant("SG-23c", "a destination that describes more than the source is refused")
def longer_destination_refused() -> Planted:
    """Both lists are taken to be as long as the request, or at least as each other."""
    original = EipSkcipher.check

    def check(self: EipSkcipher, request: SkcipherRequest) -> int:
        longer = request.dst.total > request.src.total
        return -errno.EINVAL if longer else original(self, request)

    return replaced((EipSkcipher, "check", check))
