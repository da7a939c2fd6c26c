"""How a skcipher request lies on the EIP-93: descriptors, records, bounce buffers, IVs.

A request becomes one descriptor per piece of memory; the engine chains the IV from piece to piece
through the state record.  Two things the engine cannot do are done here: memory that is not
aligned to words or cut inside a block goes through a bounce buffer, and a counter that wraps its
low 32 bits is split, because the engine counts only those (eip93, sections 3.7 and 5.4).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from tcrypt.engine.api.dma import DmaDirection
from tcrypt.engine.api.requests import SkcipherRequest
from tcrypt.engine.api.scatterlist import pair_segments
from tcrypt.engine.crypto_engine import CryptoEngine
from tcrypt.engine.eip93.driver.ciphers import CipherSpec
from tcrypt.engine.eip93.driver.core import MAX_DESCRIPTOR_BYTES, STATE_A, STATE_B, Core, Job
from tcrypt.engine.eip93.driver.offload import Offload

__all__ = ("CipherJob", "CipherJobs", "Piece", "carried", "cut")

_WORD = 4
_COUNTER_SPAN = 1 << 32
_COUNTERS = 1 << 128

Piece: TypeAlias = tuple[int, int, int]


@dataclass(slots=True)
class CipherJob:
    """A request between submission and completion.

    Attributes:
        sa: the SA record as it was when the request was submitted.
        iv: the state record's IV as it was then: for rfc3686 the whole counter block.
        pieces: (source, destination, length); empty when the request goes through a bounce buffer.
        bounced: whether it does.
        split: how many leading bytes run before the low counter word wraps; 0 for no wrap.
        count: how many descriptors the request needs.
    """

    sa: bytes
    iv: bytes
    pieces: list[Piece]
    bounced: bool
    split: int
    count: int


class CipherJobs(Offload):
    """The hardware's half of one skcipher on one device.

    Attributes:
        spec: the cipher.
        mode: its mode.
        has_iv: whether requests have an IV.
    """

    def __init__(self, core: Core, spec: CipherSpec) -> None:
        super().__init__(core, spec.driver_name)
        self.spec = spec
        self.mode = spec.mode
        self.has_iv = bool(spec.ivsize)

    def plan(self, request: SkcipherRequest, sa: bytes) -> CipherJob:
        """Decide on pieces, bounce buffer and counter split, without touching anything."""
        length = request.cryptlen
        iv = self.first_block(request)
        split = self.wrap_split(iv, length) if self.spec.streams else 0
        pieces = self.direct_pieces(request)
        if pieces is not None:
            pieces = cut(pieces, split)
        if pieces is None or len(pieces) > self.core.rings.capacity:
            count = len(cut([(0, 0, length)], split))
            return CipherJob(sa, iv, [], True, split, count)
        return CipherJob(sa, iv, pieces, False, split, len(pieces))

    def first_block(self, request: SkcipherRequest) -> bytes:
        """What the state record starts from; empty where there is no IV."""
        if request.iv is None or not self.has_iv:
            return b""
        return self.spec.first_block(request.tfm.ctx.nonce, request.iv.read(self.spec.ivsize))

    def direct_pieces(self, request: SkcipherRequest) -> list[Piece] | None:
        """The request's memory as the engine can take it, or None when it needs a bounce.

        Addresses must be word-aligned, and no piece but the last may end inside a block: the
        engine would pad it, or lose the rest of the key stream.
        """
        pieces = pair_segments(request.src, request.dst, request.cryptlen)
        for source, destination, _ in pieces:
            if source % _WORD or destination % _WORD:
                return None
        block = self.spec.block
        for _, _, length in pieces[:-1]:
            if length % block:
                return None
        return pieces

    def wrap_split(self, iv: bytes, length: int) -> int:
        """How many bytes run before the low counter word wraps; 0 when all of them do."""
        before = (_COUNTER_SPAN - int.from_bytes(iv[12:], "big")) * self.spec.block
        return before if length > before else 0

    def do_one_request(self, engine: CryptoEngine, request: SkcipherRequest) -> int:
        """Start a queued request: 0, or -ENOSPC when the ring has no room for all of it."""
        plan: CipherJob = request.ctx
        return self.launch(request, plan.count, self.prepare)

    def prepare(self, job: Job) -> Callable[[], None]:
        """Fill the job's records and map its memory; what then writes its descriptors."""
        request, core = job.request, self.core
        assert isinstance(request, SkcipherRequest)
        plan: CipherJob = request.ctx
        core.machine.memory.write(job.slot, plan.sa + plan.iv)
        pieces = plan.pieces
        if plan.bounced:
            length = request.cryptlen
            address = core.bounce(job, request.src.read(length), length)
            pieces = cut([(address, address, length)], plan.split)
        else:
            self.map_pieces(job, pieces)
        if plan.split:
            core.machine.memory.write(job.slot + STATE_B, carried(plan.iv))
        return partial(self.put_pieces, job, pieces, plan.split)

    def map_pieces(self, job: Job, pieces: list[Piece]) -> None:
        """Map every piece for the device."""
        for source, destination, length in pieces:
            if source == destination:
                self.core.map(job, source, length, DmaDirection.BIDIRECTIONAL)
            else:
                self.core.map(job, source, length, DmaDirection.TO_DEVICE)
                self.core.map(job, destination, length, DmaDirection.FROM_DEVICE)

    def put_pieces(self, job: Job, pieces: list[Piece], split: int) -> None:
        """One descriptor per piece; those behind the counter split use the second state record."""
        done = 0
        for source, destination, length in pieces:
            state = STATE_B if split and done >= split else STATE_A
            self.core.put(job, source, destination, length, state=state)
            done += length

    def finish(self, job: Job, status: int) -> None:
        """Copy a bounced result out and write the IV back, unless the request failed."""
        if status:
            return
        request = job.request
        assert isinstance(request, SkcipherRequest)
        if job.bounces:
            length = request.cryptlen
            request.dst.write(self.core.machine.memory.read(job.bounces[0], length))
        if self.has_iv and not self.spec.nonce:
            self.write_back_iv(job, request)

    def write_back_iv(self, job: Job, request: SkcipherRequest) -> None:
        """Leave the next IV in the request: the saved one for CBC, the counted one for CTR.

        The engine's own saved counter lacks the carry out of the low word, and is not valid after
        a partial block (eip93, section 3.7).  An IV that is only a part of the counter block, as
        in rfc3686, has no next one.
        """
        assert request.iv is not None
        block = self.spec.block
        if self.spec.streams:
            blocks = -(-request.cryptlen // block)
            counter = int.from_bytes(request.ctx.iv, "big") + blocks
            request.iv.write((counter % _COUNTERS).to_bytes(block, "big"))
        else:
            request.iv.write(self.core.machine.memory.read(job.slot + STATE_A, block))


def carried(iv: bytes) -> bytes:
    """The counter block after the low 32 bits have wrapped: upper 96 bits plus one, then zero."""
    upper = int.from_bytes(iv[:12], "big") + 1
    return (upper % (1 << 96)).to_bytes(12, "big") + bytes(4)


def cut(pieces: list[Piece], split: int) -> list[Piece]:
    """Cut pieces so that none crosses byte `split` (0: nowhere) or is too long for the engine."""
    found: list[Piece] = []
    done = 0
    for source, destination, length in pieces:
        while length:
            size = min(length, MAX_DESCRIPTOR_BYTES)
            if done < split:
                size = min(size, split - done)
            found.append((source, destination, size))
            source, destination, length = source + size, destination + size, length - size
            done += size
    return found
