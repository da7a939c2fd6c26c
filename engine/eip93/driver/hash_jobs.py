"""How one step of a hash lies on the EIP-93: pieces, records, bounce buffers, digests.

The engine takes whole blocks until the last piece of a message, so 1 to 64 bytes always wait
in the request until more data or the end comes.  Digest and byte count travel through the
state record; an HMAC is the plain hash of the inner key block and the message, with an outer pass
in the final operation.  Data that cannot be hashed where it lies goes through a bounce buffer.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial

from tcrypt.engine.api.dma import DmaDirection
from tcrypt.engine.api.requests import AhashRequest
from tcrypt.engine.compression import BLOCK_BYTES
from tcrypt.engine.crypto_engine import CryptoEngine
from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.driver.core import (
    MAX_DESCRIPTOR_BYTES,
    SECOND_SA,
    STATE_A,
    STATE_B,
    Core,
    Job,
)
from tcrypt.engine.eip93.driver.digests import DigestSpec
from tcrypt.engine.eip93.driver.offload import Offload
from tcrypt.engine.eip93.driver.sa import SATemplate, template_of
from tcrypt.engine.eip93.records import HashSource, IVSource, Opcode, SACommand

__all__ = ("HashJobs", "HashState")

_WORD = 4


@dataclass(slots=True)
class HashState:
    """A message in work; lives in the request's context.

    Attributes:
        digest: the running state as the state record holds it, 32 bytes.
        hashed: bytes behind `digest`, a multiple of 64.
        waiting: bytes that were not given to the engine yet, at most 64.
        nbytes: how much of the request's source the queued step takes.
        last: whether the queued step ends the message.
    """

    digest: bytes
    hashed: int = 0
    waiting: bytes = b""
    nbytes: int = 0
    last: bool = False


class HashJobs(Offload):
    """The hardware's half of one hash on one device.

    Attributes:
        spec: the hash.
        keyed: whether it is the HMAC.
    """

    def __init__(self, core: Core, spec: DigestSpec, *, keyed: bool) -> None:
        super().__init__(core, f"hmac({spec.name}-eip93)" if keyed else f"{spec.name}-eip93")
        self.spec = spec
        self.keyed = keyed

    @cached_property
    def _middle(self) -> SATemplate:
        return self._template(hmac=False)

    @cached_property
    def _final(self) -> SATemplate:
        return self._template(hmac=self.keyed)

    def _template(self, *, hmac: bool) -> SATemplate:
        command = SACommand(
            opcode=Opcode.HASH,
            digest=self.spec.digest,
            digest_length=self.spec.digestsize // _WORD,
            iv_source=IVSource.STATE,
            save_iv=True,
            hash_source=HashSource.STATE,
            save_hash=True,
            copy_digest=True,
            copy_header=self.keyed,
            copy_pad=True,
            hmac=hmac,
        )
        return template_of(command)

    def read(self, request: AhashRequest, length: int) -> bytes:
        """`length` bytes of the source; it may be absent when there is nothing to read."""
        if not length:
            return b""
        assert request.src is not None
        return request.src.read(length)

    def take_length(self, state: HashState) -> int:
        """How many bytes the queued step gives to the engine, waiting ones included.

        Before the end that is a multiple of the block, and at least one byte stays: the engine
        cannot finish a message with nothing.
        """
        total = len(state.waiting) + state.nbytes
        return total if state.last else (total - 1) // BLOCK_BYTES * BLOCK_BYTES

    def fits(self, state: HashState) -> bool:
        """Whether an empty ring holds the queued step."""
        return self.take_length(state) <= self.core.rings.capacity * MAX_DESCRIPTOR_BYTES

    def do_one_request(self, engine: CryptoEngine, request: AhashRequest) -> int:
        """Start a queued step: 0, or -ENOSPC when the ring has no room for all of it."""
        state: HashState = request.ctx
        length = self.take_length(state)
        pieces = self.direct_pieces(request, state, length)
        count = len(pieces) if pieces else -(-length // MAX_DESCRIPTOR_BYTES)
        if count > self.core.rings.capacity:
            pieces, count = [], -(-length // MAX_DESCRIPTOR_BYTES)
        return self.launch(request, count, partial(self.prepare, pieces))

    def prepare(self, pieces: list[tuple[int, int]], job: Job) -> Callable[[], None]:
        """Fill the job's records and map its memory; what then writes its descriptors."""
        request = job.request
        assert isinstance(request, AhashRequest)
        state: HashState = request.ctx
        self.write_records(job, request, state)
        if pieces:
            for address, size in pieces:
                self.core.map(job, address, size, DmaDirection.TO_DEVICE)
        else:
            pieces = self.bounced_pieces(job, request, state, self.take_length(state))
        return partial(self.put_pieces, job, pieces, state)

    def write_records(self, job: Job, request: AhashRequest, state: HashState) -> None:
        """Fill the job's slot: state record, SA for the middle, SA for the end."""
        write = self.core.machine.memory.write
        record = bytes(16) + struct.pack("<Q", state.hashed) + state.digest
        write(job.slot, self._middle.pack(b"") + record)
        if state.last:
            outer = request.tfm.ctx.outer if self.keyed else b""
            write(job.slot + SECOND_SA, self._final.pack(b"", outer=outer))

    def direct_pieces(
        self, request: AhashRequest, state: HashState, length: int
    ) -> list[tuple[int, int]]:
        """The source as the engine can take it, or nothing when it needs a bounce.

        Addresses must be word-aligned and every piece but a message's last a number of blocks.
        """
        if state.waiting or request.src is None:
            return []
        pieces = list(request.src.walk(length))
        for address, size in pieces:
            if address % _WORD or size > MAX_DESCRIPTOR_BYTES:
                return []
        middle = pieces[:-1] if state.last else pieces
        if any(size % BLOCK_BYTES for _, size in middle):
            return []
        return [(address, size) for address, size in pieces]

    def bounced_pieces(
        self, job: Job, request: AhashRequest, state: HashState, length: int
    ) -> list[tuple[int, int]]:
        """Waiting bytes and source in one contiguous buffer, cut to the engine's maximum."""
        data = state.waiting + self.read(request, length - len(state.waiting))
        address = self.core.bounce(job, data, length)
        return [
            (address + start, min(MAX_DESCRIPTOR_BYTES, length - start))
            for start in range(0, length, MAX_DESCRIPTOR_BYTES)
        ]

    def put_pieces(self, job: Job, pieces: list[tuple[int, int]], state: HashState) -> None:
        """One descriptor per piece; the last of a message pads, and does the outer HMAC pass.

        With COPY_DIGEST set the engine may also put a digest out.  No hash needs the second state
        record, so it goes there; address 0, which known drivers give, may be taken literally.
        """
        for index, (address, size) in enumerate(pieces, 1):
            final = state.last and index == len(pieces)
            sa = SECOND_SA if final else 0
            self.core.put(job, address, job.slot + STATE_B, size, sa=sa, hash_final=final)

    def finish(self, job: Job, status: int) -> None:
        """Store the digest, or the running state and the bytes that wait."""
        if status:
            return
        request = job.request
        assert isinstance(request, AhashRequest)
        state: HashState = request.ctx
        record = self.core.machine.memory.read(job.slot + STATE_A, reg.STATE_BYTES)
        digest = record[reg.STATE_DIGEST :]
        if state.last:
            self.write_result(request, digest)
            return
        taken = self.take_length(state)
        state.waiting = self.rest(request, state, taken)
        state.hashed += taken
        state.digest = digest

    def rest(self, request: AhashRequest, state: HashState, taken: int) -> bytes:
        """The bytes behind the `taken` ones: 1 to 64, all from the end of the source."""
        assert request.src is not None
        skip = taken - len(state.waiting)
        return request.src.read(state.nbytes - skip, skip)

    def write_result(self, request: AhashRequest, digest: bytes) -> None:
        """Write the digest in the standard's byte order (eip93, section 1.6)."""
        assert request.result is not None
        request.result.write(self.spec.in_order(digest)[: self.spec.digestsize])
