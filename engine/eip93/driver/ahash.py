"""sha1, sha256 and their HMACs on the EIP-93.

The engine takes whole blocks until the last piece of a message, so 1 to 64 bytes always wait
in the request until more data or the end comes.  Digest and byte count travel through the
state record; an HMAC is the plain hash of the inner key block and the message, with an outer pass
in the final operation.  Data that cannot be hashed where it lies goes through a bounce buffer.
"""

from __future__ import annotations

import errno
import hashlib
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from tcrypt.engine.api.algorithms import AhashAlg
from tcrypt.engine.api.dma import DmaDirection
from tcrypt.engine.api.flags import AlgFlag
from tcrypt.engine.api.memory import Buffer
from tcrypt.engine.api.requests import AhashRequest
from tcrypt.engine.api.transforms import Ahash
from tcrypt.engine.compression import (
    BLOCK_BYTES,
    SHA1_INITIAL,
    SHA256_INITIAL,
    State,
    sha1_compress,
    sha256_compress,
)
from tcrypt.engine.crypto_engine import CryptoEngine
from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.driver.core import (
    MAX_DESCRIPTOR_BYTES,
    SECOND_SA,
    STATE_A,
    Core,
    Job,
)
from tcrypt.engine.eip93.driver.sa import SATemplate, digest_bytes, key_block
from tcrypt.engine.eip93.records import Digest, HashSource, Opcode, SACommand, swap_words

__all__ = ("HASHES", "STATE_SIZE", "EipHash", "HashSpec", "HashState")

# Below the software generics' users' choice for most sizes: one descriptor costs more than a
# short hash in software, so mainline registers hashes at 300 and ciphers at 1500.
PRIORITY = 300
# The layout of the mainline driver's export (eip93, section 5.1), 116 bytes and 4 of padding:
# message length, waiting bytes, hashed bytes, digest words, waiting data.
_EXPORT = struct.Struct("<QIQ32s64s4x")
STATE_SIZE = _EXPORT.size
_WORD = 4
_IPAD = 0x36
_OPAD = 0x5C


@dataclass(frozen=True, slots=True)
class HashSpec:
    """A hash that the engine has."""

    name: str
    digest: Digest
    digestsize: int
    initial: State
    compress: Callable[[State, bytes], State]


HASHES = (
    HashSpec("sha1", Digest.SHA1, 20, SHA1_INITIAL, sha1_compress),
    HashSpec("sha256", Digest.SHA256, 32, SHA256_INITIAL, sha256_compress),
)


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


@dataclass(slots=True)
class HmacKey:
    """What a keyed transform keeps: the inner key block, and the outer state for the SA."""

    inner_block: bytes = field(repr=False)
    outer: bytes = field(repr=False)


class EipHash:
    """One hash, plain or as HMAC, on one device; the methods are the driver's operations."""

    def __init__(self, core: Core, spec: HashSpec, *, keyed: bool) -> None:
        self.core = core
        self.spec = spec
        self.keyed = keyed
        self.name = f"hmac({spec.name})" if keyed else spec.name
        self.driver_name = f"hmac({spec.name}-eip93)" if keyed else f"{spec.name}-eip93"
        self._middle = self._template(hmac=False)
        self._final = self._template(hmac=keyed)

    def alg(self) -> AhashAlg:
        """The descriptor to register."""
        return AhashAlg(
            cra_name=self.name,
            cra_driver_name=self.driver_name,
            cra_priority=PRIORITY,
            cra_flags=AlgFlag.ASYNC | AlgFlag.KERN_DRIVER_ONLY | AlgFlag.ALLOCATES_MEMORY,
            cra_blocksize=BLOCK_BYTES,
            cra_module="eip93",
            digestsize=self.spec.digestsize,
            statesize=STATE_SIZE,
            reqsize=256,
            hash_init=self.hash_init,
            update=self.update,
            final=self.final,
            finup=self.finup,
            digest=self.digest,
            export=self.export,
            import_state=self.import_state,
            setkey=self.setkey if self.keyed else None,
            exit=self.exit_tfm,
            do_one_request=self.do_one_request,
        )

    def _template(self, *, hmac: bool) -> SATemplate:
        command = SACommand(
            opcode=Opcode.HASH,
            digest=self.spec.digest,
            digest_length=self.spec.digestsize // _WORD,
            hash_source=HashSource.STATE,
            save_hash=True,
            hmac=hmac,
        )
        return SATemplate(command)

    def exit_tfm(self, tfm: Ahash) -> None:
        """Forget the key."""
        tfm.ctx = None

    def setkey(self, tfm: Ahash, key: bytearray) -> int:
        """Prepare both HMAC passes for a key of any length (RFC 2104)."""
        hashed = hashlib.new(self.spec.name, key, usedforsecurity=False).digest()
        inner = key_block(bytes(key), hashed, _IPAD)
        outer = self.spec.compress(self.spec.initial, key_block(bytes(key), hashed, _OPAD))
        tfm.ctx = HmacKey(inner, digest_bytes(outer))
        return 0

    def hash_init(self, request: AhashRequest) -> int:
        """Start a message: the initial state, and for HMAC the inner key block as first data."""
        waiting = request.tfm.ctx.inner_block if self.keyed else b""
        request.ctx = HashState(digest_bytes(self.spec.initial), waiting=waiting)
        return 0

    def update(self, request: AhashRequest) -> int:
        """Hash what fills whole blocks, keep 1 to 64 bytes; the status."""
        state: HashState = request.ctx
        if len(state.waiting) + request.nbytes > BLOCK_BYTES:
            return self.queue(request, last=False)
        if self.too_short(request, request.nbytes):
            return -errno.EINVAL
        state.waiting += self.read(request, request.nbytes)
        return 0

    def final(self, request: AhashRequest) -> int:
        """End the message without more data; the status."""
        return self.end(request, 0)

    def finup(self, request: AhashRequest) -> int:
        """End the message with more data; the status."""
        return self.end(request, request.nbytes)

    def digest(self, request: AhashRequest) -> int:
        """Hash one whole message; the status."""
        status = self.hash_init(request)
        return status or self.end(request, request.nbytes)

    def end(self, request: AhashRequest, nbytes: int) -> int:
        """Queue the last step; an empty message never reaches the engine, which refuses it."""
        state: HashState = request.ctx
        if not nbytes and not state.waiting and not state.hashed:
            assert request.result is not None
            request.result.write(hashlib.new(self.spec.name, usedforsecurity=False).digest())
            return 0
        return self.queue(request, last=True, nbytes=nbytes)

    def queue(self, request: AhashRequest, *, last: bool, nbytes: int | None = None) -> int:
        """Hand one step to the engine.

        -EINVAL when the source is shorter than it says, or longer than the ring can ever hold.
        """
        state: HashState = request.ctx
        state.last = last
        state.nbytes = request.nbytes if nbytes is None else nbytes
        if self.too_short(request, state.nbytes):
            return -errno.EINVAL
        if self.take_length(state) > self.core.rings.capacity * MAX_DESCRIPTOR_BYTES:
            return -errno.EINVAL
        self.core.counters[self.driver_name, "hardware"] += 1
        return self.core.engine.transfer(request)

    def too_short(self, request: AhashRequest, length: int) -> bool:
        """Whether the source lacks some of the `length` bytes that it should have."""
        return bool(length) and (request.src is None or request.src.nents_for_len(length) < 0)

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

    def do_one_request(self, engine: CryptoEngine, request: AhashRequest) -> int:
        """Start a queued step: 0, or -ENOSPC when the ring has no room for all of it.

        Without memory or mappings it is finalized with -ENOMEM, which is 0 as well.
        """
        state: HashState = request.ctx
        core = self.core
        length = self.take_length(state)
        pieces = self.direct_pieces(request, state, length)
        count = len(pieces) if pieces else -(-length // MAX_DESCRIPTOR_BYTES)
        if count > core.rings.capacity:
            pieces, count = [], -(-length // MAX_DESCRIPTOR_BYTES)
        job = core.begin(request, count, self.finish)
        if job is None:
            return -errno.ENOSPC
        return core.start(job, partial(self.prepare, pieces))

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
        """One descriptor per piece; the last of a message pads, and does the outer HMAC pass."""
        for index, (address, size) in enumerate(pieces, 1):
            final = state.last and index == len(pieces)
            sa = SECOND_SA if final else 0
            self.core.put(job, address, address, size, sa=sa, hash_final=final)

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
        request.result.write(swap_words(digest)[: self.spec.digestsize])

    def export(self, request: AhashRequest, out: Buffer) -> int:
        """Write the state of the message to `out`, STATE_SIZE bytes."""
        state: HashState = request.ctx
        waiting = len(state.waiting)
        out.write(
            _EXPORT.pack(
                state.hashed + waiting, waiting, state.hashed, state.digest, state.waiting
            )
        )
        return 0

    def import_state(self, request: AhashRequest, state: Buffer) -> int:
        """Continue from an exported state; -EINVAL for one that `export` never writes.

        That is one with more waiting data than a block, with a part of a block hashed, or with
        blocks hashed and nothing left for the engine to end the message with.
        """
        _, waiting, hashed, digest, data = _EXPORT.unpack(state.read(STATE_SIZE))
        if waiting > BLOCK_BYTES or hashed % BLOCK_BYTES or (hashed and not waiting):
            return -errno.EINVAL
        request.ctx = HashState(digest, hashed, data[:waiting])
        return 0
