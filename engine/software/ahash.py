"""Generic sha1, sha256 and their HMACs on hashlib and hmac.

The exported state is the kernel's (`struct sha1_state`, `struct sha256_state`): digest words, byte
count, the bytes of the unfinished block.  hashlib cannot give that, so it is computed from
the message when somebody asks, and a message that was imported goes on from there.
"""

from __future__ import annotations

import errno
import hashlib
import hmac
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from tcrypt.engine.api.algorithms import AhashAlg
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
from tcrypt.engine.software.skcipher import PRIORITY

__all__ = ("ahash_algs",)

_IPAD = bytes(byte ^ 0x36 for byte in range(256))
_OPAD = bytes(byte ^ 0x5C for byte in range(256))


@dataclass(frozen=True, slots=True)
class _Spec:
    name: str
    digestsize: int
    initial: State
    compress: Callable[[State, bytes], State]
    words: struct.Struct
    state: struct.Struct


_SPECS = (
    _Spec(
        "sha1", 20, SHA1_INITIAL, sha1_compress, struct.Struct(">5I"), struct.Struct("<5I4xQ64s")
    ),
    _Spec(
        "sha256",
        32,
        SHA256_INITIAL,
        sha256_compress,
        struct.Struct(">8I"),
        struct.Struct("<8IQ64s"),
    ),
)


@dataclass(slots=True)
class _Message:
    """A message in work: what came before it was imported, and the bytes since."""

    state: State
    hashed: int = 0
    data: bytearray = field(default_factory=bytearray)

    def split(self, spec: _Spec) -> tuple[State, int, bytes]:
        """The state after all whole blocks, how many bytes they were, and the rest."""
        whole = len(self.data) // BLOCK_BYTES * BLOCK_BYTES
        state = spec.compress(self.state, bytes(self.data[:whole])) if whole else self.state
        return state, self.hashed + whole, bytes(self.data[whole:])

    def digest(self, spec: _Spec) -> bytes:
        """The digest of the whole message."""
        if not self.hashed:
            return hashlib.new(spec.name, self.data, usedforsecurity=False).digest()
        state, hashed, rest = self.split(spec)
        zeros = -(len(rest) + 9) % BLOCK_BYTES
        bits = struct.pack(">Q", (hashed + len(rest)) * 8)
        return spec.words.pack(*spec.compress(state, rest + b"\x80" + bytes(zeros) + bits))


class _Hash:
    """One hash, plain or as HMAC; the methods are the driver's operations."""

    def __init__(self, spec: _Spec, *, keyed: bool) -> None:
        self.spec = spec
        self.keyed = keyed

    def alg(self) -> AhashAlg:
        """The descriptor to register."""
        name = self.spec.name
        return AhashAlg(
            cra_name=f"hmac({name})" if self.keyed else name,
            cra_driver_name=f"hmac({name}-generic)" if self.keyed else f"{name}-generic",
            cra_priority=PRIORITY,
            cra_blocksize=BLOCK_BYTES,
            cra_module="software",
            digestsize=self.spec.digestsize,
            statesize=self.spec.state.size,
            hash_init=self.hash_init,
            update=self.update,
            final=self.final,
            finup=self.finup,
            digest=self.digest,
            export=self.export,
            import_state=self.import_state,
            setkey=self.setkey if self.keyed else None,
        )

    def setkey(self, tfm: Ahash, key: bytearray) -> int:
        """Keep the key, or its digest when it is longer than a block (RFC 2104)."""
        kept = bytes(key)
        if len(kept) > BLOCK_BYTES:
            kept = hashlib.new(self.spec.name, kept, usedforsecurity=False).digest()
        tfm.ctx = kept
        return 0

    def hash_init(self, request: AhashRequest) -> int:
        """Start a message; for HMAC with the inner key block as its first data."""
        request.ctx = message = _Message(self.spec.initial)
        if self.keyed:
            message.data += request.tfm.ctx.ljust(BLOCK_BYTES, b"\0").translate(_IPAD)
        return 0

    def update(self, request: AhashRequest) -> int:
        """Take more data; -EINVAL when the source is shorter than it says."""
        data = b""
        if request.nbytes:
            if request.src is None or request.src.nents_for_len(request.nbytes) < 0:
                return -errno.EINVAL
            data = request.src.read(request.nbytes)
        request.ctx.data += data
        return 0

    def final(self, request: AhashRequest) -> int:
        """Write the digest."""
        digest = request.ctx.digest(self.spec)
        if self.keyed:
            outer = request.tfm.ctx.ljust(BLOCK_BYTES, b"\0").translate(_OPAD)
            digest = hashlib.new(self.spec.name, outer + digest, usedforsecurity=False).digest()
        assert request.result is not None
        request.result.write(digest)
        return 0

    def finup(self, request: AhashRequest) -> int:
        """Take more data and write the digest."""
        return self.update(request) or self.final(request)

    def digest(self, request: AhashRequest) -> int:
        """Hash one whole message."""
        if not self.keyed or not request.nbytes:
            return self.hash_init(request) or self.finup(request)
        if request.src is None or request.src.nents_for_len(request.nbytes) < 0:
            return -errno.EINVAL
        assert request.result is not None
        data = request.src.read(request.nbytes)
        request.result.write(hmac.digest(request.tfm.ctx, data, self.spec.name))
        return 0

    def export(self, request: AhashRequest, out: Buffer) -> int:
        """Write the kernel's state structure to `out`."""
        state, hashed, rest = request.ctx.split(self.spec)
        out.write(self.spec.state.pack(*state, hashed + len(rest), rest))
        return 0

    def import_state(self, request: AhashRequest, state: Buffer) -> int:
        """Continue from an exported state."""
        *words, count, block = self.spec.state.unpack(state.read(self.spec.state.size))
        rest = count % BLOCK_BYTES
        request.ctx = _Message(tuple(words), count - rest, bytearray(block[:rest]))
        return 0


def ahash_algs() -> list[AhashAlg]:
    """New descriptors of the generic hashes."""
    return [_Hash(spec, keyed=keyed).alg() for spec in _SPECS for keyed in (False, True)]
