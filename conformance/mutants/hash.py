"""Hash state: what is kept, exported and forgotten between the steps of a message."""

from __future__ import annotations

import hashlib
import struct

from tcrypt.engine.api.algorithms import AhashAlg
from tcrypt.engine.api.dma import DmaDirection
from tcrypt.engine.api.memory import Buffer
from tcrypt.engine.api.requests import AhashRequest
from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.driver.ahash import STATE_SIZE, EipHash
from tcrypt.engine.eip93.driver.core import SECOND_SA, STATE_A, Job
from tcrypt.engine.eip93.driver.hash_jobs import HashJobs, HashState
from tcrypt.mutants import mutant
from tcrypt.mutants.seams import Planted, replaced

__all__: tuple[str, ...] = ()

_BLOCK = 64
# The start of the exported state: message length, waiting bytes, hashed bytes, digest words.
_HEAD = struct.Struct("<QIQ32s")
_DIGEST_AT = _HEAD.size - 32


def _edit(out: Buffer, offset: int, data: bytes) -> None:
    """Overwrite a part of an exported state."""
    out.memory.write(out.address + offset, data)


@mutant("HS-02", "the empty-message shortcut looks at the last call only")
def last_call_only() -> Planted:
    """A final step without data answers with the digest of the empty message."""
    original = EipHash.end

    def end(self: EipHash, request: AhashRequest, nbytes: int) -> int:
        if nbytes:
            return original(self, request, nbytes)
        assert request.result is not None
        request.result.write(hashlib.new(self.spec.name, usedforsecurity=False).digest())
        return 0

    return replaced((EipHash, "end", end))


@mutant("HS-03", "a full block left in the buffer is dropped")
def full_block_dropped() -> Planted:
    """At the end, a buffer filled to a multiple of the block size counts as empty."""
    original = EipHash.end

    def end(self: EipHash, request: AhashRequest, nbytes: int) -> int:
        state: HashState = request.ctx
        if not len(state.waiting) % _BLOCK:
            state.waiting = b""
        return original(self, request, nbytes)

    return replaced((EipHash, "end", end))


@mutant("HS-05", "the byte counter is lost over an import")
def counter_lost() -> Planted:
    """Import restores digest and waiting bytes, and counts from zero."""
    original = EipHash.import_state

    def import_state(self: EipHash, request: AhashRequest, state: Buffer) -> int:
        status = original(self, request, state)
        if not status:
            request.ctx.hashed = 0
        return status

    return replaced((EipHash, "import_state", import_state))


class _Imported(HashState):
    """A state that no hardware job has worked on since it was imported."""


@mutant("HS-06", "a second export without hardware work in between loses the count")
def exported_twice() -> Planted:
    """Export of a state that was only imported writes a byte count of zero."""
    export, load, finish = EipHash.export, EipHash.import_state, EipHash.finish

    def import_state(self: EipHash, request: AhashRequest, state: Buffer) -> int:
        status = load(self, request, state)
        if not status:
            old: HashState = request.ctx
            request.ctx = _Imported(old.digest, old.hashed, old.waiting)
        return status

    def export_state(self: EipHash, request: AhashRequest, out: Buffer) -> int:
        state: HashState = request.ctx
        if isinstance(state, _Imported):
            state.hashed = 0
        return export(self, request, out)

    def worked(self: EipHash, job: Job, status: int) -> None:
        finish(self, job, status)
        state: HashState = job.request.ctx
        if isinstance(state, _Imported):
            job.request.ctx = HashState(state.digest, state.hashed, state.waiting)

    return replaced(
        (EipHash, "import_state", import_state),
        (EipHash, "export", export_state),
        (HashJobs, "finish", worked),
    )


@mutant("HS-07", "a pending block is lost in the export")
def pending_modulo() -> Planted:
    """The exported fill level is taken modulo the block size, and a full buffer becomes empty."""
    original = EipHash.export

    def export(self: EipHash, request: AhashRequest, out: Buffer) -> int:
        state: HashState = request.ctx
        waiting = state.waiting
        state.waiting = waiting[: len(waiting) % _BLOCK]
        status = original(self, request, out)
        state.waiting = waiting
        return status

    return replaced((EipHash, "export", export))


@mutant("HS-08", "export with nothing pending")
def nothing_pending() -> Planted:
    """Without waiting bytes the digest words in the exported state are zero."""
    original = EipHash.export

    def export(self: EipHash, request: AhashRequest, out: Buffer) -> int:
        status = original(self, request, out)
        if not request.ctx.waiting:
            _edit(out, _DIGEST_AT, bytes(32))
        return status

    return replaced((EipHash, "export", export))


@mutant("HS-10", "update writes to the result buffer")
def update_writes_result() -> Planted:
    """Every hash job copies its digest words to the result, finished or not."""
    original = EipHash.finish

    def finish(self: EipHash, job: Job, status: int) -> None:
        request = job.request
        assert isinstance(request, AhashRequest)
        if not status and request.result is not None:
            record = self.core.machine.memory.read(job.slot + STATE_A, reg.STATE_BYTES)
            self.write_result(request, record[reg.STATE_DIGEST :])
        original(self, job, status)

    return replaced((HashJobs, "finish", finish))


@mutant("HS-11", "export larger than statesize")
def small_statesize() -> Planted:
    """The declared state is 16 bytes smaller than what export writes."""
    original = EipHash.alg

    def alg(self: EipHash) -> AhashAlg:
        found: AhashAlg = original(self).variant(statesize=STATE_SIZE - 16)
        return found

    return replaced((EipHash, "alg", alg))


@mutant("HS-12", "the exported state points to live buffers")
def state_is_pointer() -> Planted:
    """Export writes a pointer to the state in work; import goes on in that same state."""
    live: list[HashState] = []

    def export(self: EipHash, request: AhashRequest, out: Buffer) -> int:
        live.append(request.ctx)
        out.write(_HEAD.pack(len(live) - 1, 0, 0, b"").ljust(STATE_SIZE, b"\0"))
        return 0

    def import_state(self: EipHash, request: AhashRequest, state: Buffer) -> int:
        request.ctx = live[_HEAD.unpack(state.read(_HEAD.size))[0]]
        return 0

    return replaced((EipHash, "export", export), (EipHash, "import_state", import_state))


@mutant("HS-19", "the default finup calls itself")
def recursive_finup() -> Planted:
    """Finup hands over to the transform's finup, which is this one."""

    def finup(self: EipHash, request: AhashRequest) -> int:
        return request.tfm.finup(request)

    return replaced((EipHash, "finup", finup))


@mutant("HS-20", "the message length wraps")
def length_wraps() -> Planted:
    """Bytes are counted in 16 bits, as a stand-in for 32 that a test can reach."""
    original = EipHash.write_records

    def write_records(self: EipHash, job: Job, request: AhashRequest, state: HashState) -> None:
        state.hashed %= 1 << 16
        original(self, job, request, state)

    return replaced((HashJobs, "write_records", write_records))


@mutant("HS-22", "more entries than the hardware's list holds")
def list_overflow() -> Planted:
    """Entries from the 17th on overwrite the first ones of a list of 16."""
    original = EipHash.direct_pieces

    def direct_pieces(
        self: EipHash, request: AhashRequest, state: HashState, length: int
    ) -> list[tuple[int, int]]:
        table: list[tuple[int, int]] = []
        for index, piece in enumerate(original(self, request, state, length)):
            table[index % 16 : index % 16 + 1] = [piece]
        return table

    return replaced((HashJobs, "direct_pieces", direct_pieces))


@mutant("HS-23", "the digest goes to memory that was never mapped")
def result_as_destination() -> Planted:
    """The engine is sent to the caller's result, which may stand on a stack without a mapping."""
    original = HashJobs.put_pieces

    def put_pieces(
        self: HashJobs, job: Job, pieces: list[tuple[int, int]], state: HashState
    ) -> None:
        request = job.request
        assert isinstance(request, AhashRequest)
        original(self, job, pieces if not state.last else pieces[:-1], state)
        if state.last and request.result is not None:
            address, size = pieces[-1]
            self.core.put(job, address, request.result.address, size, sa=SECOND_SA)

    return replaced((HashJobs, "put_pieces", put_pieces))


@mutant("HS-23b", "the caller's result is mapped for the device")
def mapped_result() -> Planted:
    """The last step maps the result, which a caller may have on its stack."""
    original = HashJobs.put_pieces

    def put_pieces(
        self: HashJobs, job: Job, pieces: list[tuple[int, int]], state: HashState
    ) -> None:
        request = job.request
        assert isinstance(request, AhashRequest)
        if state.last and request.result is not None:
            room = self.spec.digestsize
            self.core.map(job, request.result.address, room, DmaDirection.FROM_DEVICE)
        original(self, job, pieces, state)

    return replaced((HashJobs, "put_pieces", put_pieces))


@mutant("HS-24", "init does not forget a message in work")
def init_keeps() -> Planted:
    """A request that has hashed something keeps its bytes and count over init."""
    original = EipHash.hash_init

    def hash_init(self: EipHash, request: AhashRequest) -> int:
        old = request.ctx
        status = original(self, request)
        if not status and isinstance(old, HashState):
            request.ctx.hashed, request.ctx.waiting = old.hashed, old.waiting
        return status

    return replaced((EipHash, "hash_init", hash_init))
