"""Scatterlists of hashes and AEADs."""

from __future__ import annotations

from tcrypt.engine.api.dma import DmaDirection
from tcrypt.engine.api.requests import AeadRequest, AhashRequest
from tcrypt.engine.compression import BLOCK_BYTES
from tcrypt.engine.crypto_engine import CryptoEngine
from tcrypt.engine.eip93.driver.aead import EipAead
from tcrypt.engine.eip93.driver.aead_jobs import AeadJob, AeadJobs
from tcrypt.engine.eip93.driver.ahash import EipHash
from tcrypt.engine.eip93.driver.core import Core, Job
from tcrypt.engine.eip93.driver.hash_jobs import HashJobs, HashState
from tcrypt.mutants import mutant
from tcrypt.mutants.seams import Planted, is_inbound, replaced

__all__: tuple[str, ...] = ()

_PAGE = 4096

_Pieces = list[tuple[int, int]]


@mutant("SG-05b", "a hash descriptor for every entry, empty ones as well")
def empty_hash_descriptors() -> Planted:
    """An empty entry in a hash's list becomes a descriptor of length zero."""
    original, map_memory = EipHash.direct_pieces, Core.map

    def direct_pieces(
        self: EipHash, request: AhashRequest, state: HashState, length: int
    ) -> _Pieces:
        pieces = original(self, request, state, length)
        if pieces and request.src is not None:
            pieces[:0] = [(address, 0) for address, size in request.src.entries if not size]
        return pieces

    def map_filled(
        self: Core, job: Job, address: int, length: int, direction: DmaDirection
    ) -> None:
        if length:
            map_memory(self, job, address, length, direction)

    return replaced((HashJobs, "direct_pieces", direct_pieces), (Core, "map", map_filled))


@mutant("SG-07b", "a hash segment longer than the message is hashed whole")
def whole_hash_segment() -> Planted:
    """The last descriptor of a message has the length of its segment."""
    original = EipHash.direct_pieces

    def direct_pieces(
        self: EipHash, request: AhashRequest, state: HashState, length: int
    ) -> _Pieces:
        pieces = original(self, request, state, length)
        if pieces and state.last and request.src is not None:
            last = pieces[-1][0]
            pieces[-1] = last, next(n for address, n in request.src.entries if address == last)
        return pieces

    return replaced((HashJobs, "direct_pieces", direct_pieces))


@mutant("SG-10", "a loop uses the previous entry's length")
def previous_length() -> Planted:
    """Every entry but the first is hashed with the length of the entry before it."""
    original = EipHash.direct_pieces

    def direct_pieces(
        self: EipHash, request: AhashRequest, state: HashState, length: int
    ) -> _Pieces:
        pieces = original(self, request, state, length)
        lengths = [size for _, size in pieces]
        shifted = [*lengths[:1], *lengths[:-1]]
        return [(address, size) for (address, _), size in zip(pieces, shifted, strict=True)]

    return replaced((HashJobs, "direct_pieces", direct_pieces))


@mutant("SG-13", "the border of AAD and payload inside a segment mishandled")
def first_segment_is_aad() -> Planted:
    """A first segment that is not longer than the AAD is taken for all of it."""
    original = EipAead.do_one_request

    def do_one_request(self: EipAead, engine: CryptoEngine, request: AeadRequest) -> int:
        plan: AeadJob = request.ctx
        entries = request.src.entries
        if len(entries) > 1 and entries[0].length <= request.assoclen:
            plan.sa = self.build_sa(
                request.tfm.ctx,
                inbound=is_inbound(plan.sa),
                assoclen=entries[0].length,
                authsize=plan.authsize,
            )
        return original(self, engine, request)

    return replaced((AeadJobs, "do_one_request", do_one_request))


@mutant("SG-13b", "a destination that begins with the source's AAD is taken for the source")
def same_head_is_in_place() -> Planted:
    """Where both lists begin in the same memory the result goes to the source."""
    original = EipAead.finish

    def finish(self: EipAead, job: Job, status: int) -> None:
        request = job.request
        assert isinstance(request, AeadRequest)
        destination = request.dst
        if request.src.entries[0].address == destination.entries[0].address:
            request.dst = request.src
        original(self, job, status)
        request.dst = destination

    return replaced((EipAead, "finish", finish))


@mutant("SG-14", "the tag is assumed to lie in the last segment in one piece")
def tag_in_last_segment() -> Planted:
    """The tag goes to the last bytes of the last destination segment, however short that is."""
    original = EipAead.finish_tag

    def finish_tag(self: EipAead, job: Job, request: AeadRequest, plan: AeadJob) -> None:
        if len(request.dst.entries) < 2:
            original(self, job, request, plan)
            return
        memory = self.core.machine.memory
        plain = request.assoclen + plan.textlen
        before = request.dst.read(plan.authsize, plain)
        original(self, job, request, plan)
        tag = request.dst.read(plan.authsize, plain)
        request.dst.write(before, plain)
        last = request.dst.entries[-1]
        memory.write(last.address + last.length - plan.authsize, tag)

    return replaced((AeadJobs, "finish_tag", finish_tag))


@mutant("SG-17", "a linearising copy does not advance inside an entry")
def copy_restarts() -> Planted:
    """The copy into the bounce buffer goes page by page, and begins every page at the front."""

    def read(self: EipHash, request: AhashRequest, length: int) -> bytes:
        if not length:
            return b""
        assert request.src is not None
        memory = self.core.machine.memory
        return b"".join(
            memory.read(address, min(_PAGE, size - done))
            for address, size in request.src.walk(length)
            for done in range(0, size, _PAGE)
        )

    return replaced((HashJobs, "read", read))


@mutant("SG-18", "the offset inside an entry is ignored behind a partial copy")
def resumes_at_start() -> Planted:
    """What fills up the waiting block is hashed again as the beginning of the rest."""
    original = EipHash.bounced_pieces

    def bounced_pieces(
        self: EipHash, job: Job, request: AhashRequest, state: HashState, length: int
    ) -> _Pieces:
        pieces = original(self, job, request, state, length)
        waiting = len(state.waiting)
        if waiting and length > BLOCK_BYTES and request.src is not None:
            rest = request.src.read(length - BLOCK_BYTES)
            self.core.machine.memory.write(job.bounces[0] + BLOCK_BYTES, rest)
        return pieces

    return replaced((HashJobs, "bounced_pieces", bounced_pieces))
