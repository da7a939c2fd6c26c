"""The hashes of the EIP-93 and their HMACs: what is registered, keys, steps, exported states.

How one step lies on the hardware is `hash_jobs`' part.
"""

from __future__ import annotations

import errno
import struct
from dataclasses import dataclass, field

from tcrypt.engine.api.algorithms import AhashAlg
from tcrypt.engine.api.flags import AlgFlag
from tcrypt.engine.api.memory import Buffer
from tcrypt.engine.api.requests import AhashRequest
from tcrypt.engine.api.transforms import Ahash
from tcrypt.engine.compression import BLOCK_BYTES
from tcrypt.engine.eip93.driver.core import Core
from tcrypt.engine.eip93.driver.digests import DigestSpec
from tcrypt.engine.eip93.driver.hash_jobs import HashJobs, HashState
from tcrypt.engine.eip93.driver.sa import digest_bytes

__all__ = ("PRIORITY", "STATE_SIZE", "EipHash", "HmacKey")

# Below the software generics' users' choice for most sizes: one descriptor costs more than a
# short hash in software, so mainline registers hashes at 300 and ciphers at 1500.
PRIORITY = 300
# The layout of the mainline driver's export (eip93, section 5.1), 116 bytes and 4 of padding:
# message length, waiting bytes, hashed bytes, digest words, waiting data.
_EXPORT = struct.Struct("<QIQ32s64s4x")
STATE_SIZE = _EXPORT.size


@dataclass(slots=True)
class HmacKey:
    """What a keyed transform keeps: the inner key block, and the outer state for the SA."""

    inner_block: bytes = field(repr=False)
    outer: bytes = field(repr=False)


class EipHash(HashJobs):
    """One hash, plain or as HMAC, on one device; the methods are the driver's operations."""

    def __init__(self, core: Core, spec: DigestSpec, *, keyed: bool) -> None:
        super().__init__(core, spec, keyed=keyed)
        self.name = f"hmac({spec.name})" if keyed else spec.name

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

    def exit_tfm(self, tfm: Ahash) -> None:
        """Forget the key."""
        tfm.ctx = None

    def setkey(self, tfm: Ahash, key: bytearray) -> int:
        """Prepare both HMAC passes for a key of any length (RFC 2104)."""
        spec = self.spec
        tfm.ctx = HmacKey(spec.inner_block(bytes(key)), spec.outer_state(bytes(key)))
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
            return self.refuse(-errno.EINVAL)
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
            request.result.write(self.spec.of(b""))
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
            return self.refuse(-errno.EINVAL)
        if not self.fits(state):
            return self.refuse(-errno.EINVAL)
        return self.enqueue(request)

    def too_short(self, request: AhashRequest, length: int) -> bool:
        """Whether the source lacks some of the `length` bytes that it should have."""
        return bool(length) and (request.src is None or request.src.nents_for_len(length) < 0)

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
