"""Generic md5, sha1 and SHA-2 on hashlib.

The exported state is the kernel's (`struct md5_state`, `sha1_state`, `sha256_state`,
`sha512_state`): digest words, byte count, the bytes of the unfinished block.  hashlib cannot give
that, so it is computed from the message when somebody asks, and a message that was imported goes
on from there.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable
from typing import Any, Literal, TypeAlias

from tcrypt.engine.api.algorithms import ShashAlg
from tcrypt.engine.api.shash import ShashDesc
from tcrypt.engine.compression import (
    MD5_INITIAL,
    SHA1_INITIAL,
    SHA224_INITIAL,
    SHA256_INITIAL,
    SHA384_INITIAL,
    SHA512_INITIAL,
    State,
    md5_compress,
    sha1_compress,
    sha256_compress,
    sha512_compress,
)
from tcrypt.engine.software.block_ciphers import PRIORITY

__all__ = ("hash_algs",)

_Order: TypeAlias = Literal["little", "big"]


class _Message:
    """A message in work: what came before it was imported, and the bytes since."""

    __slots__ = ("data", "hashed", "state")

    def __init__(self, state: State, hashed: int = 0, data: bytes | bytearray = b"") -> None:
        self.state = state
        self.hashed = hashed
        self.data = bytearray(data)


class _Hash:
    """One hash; the methods are the driver's operations.

    Words, count and padding as in RFC 1321 (MD5: little-endian) and FIPS 180-4 (big-endian).
    """

    def __init__(
        self,
        name: str,
        digestsize: int,
        initial: State,
        compress: Callable[[State, bytes], State],
        *,
        order: _Order = "big",
        priority: int = PRIORITY,
    ) -> None:
        self.name = name
        self.digestsize = digestsize
        self.initial = initial
        self.compress = compress
        self.order: _Order = order
        self.priority = priority
        self.library: Callable[..., Any] = getattr(hashlib, name)
        wide = compress is sha512_compress
        self.block = 128 if wide else 64
        self.count_size = 16 if wide else 8
        words = f"{len(initial)}{'Q' if wide else 'I'}"
        self.words = struct.Struct(f"{'>' if order == 'big' else '<'}{words}")
        # The count is a u64 (two of them in SHA-512's), aligned to 8 bytes: SHA-1's has a hole
        # before it.  In MD5's structure it stands last.
        hole = "4x" if len(initial) % 2 else ""
        self.count_last = order == "little"
        tail = f"64s{self.count_size}s" if self.count_last else f"{self.count_size}s{self.block}s"
        self.structure = struct.Struct(f"<{words}{hole}{tail}")

    def alg(self) -> ShashAlg:
        """The descriptor to register."""
        return ShashAlg(
            cra_name=self.name,
            cra_driver_name=f"{self.name}-generic",
            cra_priority=self.priority,
            cra_blocksize=self.block,
            cra_module="software",
            digestsize=self.digestsize,
            statesize=self.structure.size,
            hash_init=self.hash_init,
            update=self.update,
            final=self.final,
            export=self.export,
            import_state=self.import_state,
            digest=self.digest,
            copy=self.copy,
        )

    def hash_init(self, desc: ShashDesc) -> int:
        """Start a message."""
        desc.ctx = _Message(self.initial)
        return 0

    def update(self, desc: ShashDesc, data: bytes) -> int:
        """Take more data."""
        message: _Message = desc.ctx
        message.data += data
        return 0

    def final(self, desc: ShashDesc, out: bytearray) -> int:
        """Write the digest: the library's, or of an imported message one composed of blocks."""
        message: _Message = desc.ctx
        if not message.hashed:
            out[:] = self.library(message.data, usedforsecurity=False).digest()
            return 0
        state, hashed, rest = self._split(message)
        zeros = -(len(rest) + 1 + self.count_size) % self.block
        bits = ((hashed + len(rest)) * 8).to_bytes(self.count_size, self.order)
        last = self.compress(state, rest + b"\x80" + bytes(zeros) + bits)
        out[:] = self.words.pack(*last)[: self.digestsize]
        return 0

    def digest(self, desc: ShashDesc, data: bytes, out: bytearray) -> int:
        """Hash one whole message."""
        out[:] = self.library(data, usedforsecurity=False).digest()
        return 0

    def copy(self, desc: ShashDesc) -> _Message:
        """The same message in work again."""
        message: _Message = desc.ctx
        return _Message(message.state, message.hashed, message.data)

    def _split(self, message: _Message) -> tuple[State, int, bytes]:
        """The state after all whole blocks, how many bytes they were, and the rest."""
        data = bytes(message.data)
        whole = len(data) // self.block * self.block
        state = self.compress(message.state, data[:whole]) if whole else message.state
        return state, message.hashed + whole, data[whole:]

    def export(self, desc: ShashDesc, out: bytearray) -> int:
        """Write the kernel's structure."""
        words, hashed, rest = self._split(desc.ctx)
        count = (hashed + len(rest)).to_bytes(self.count_size, "little")
        tail = (rest, count) if self.count_last else (count, rest)
        out[:] = self.structure.pack(*words, *tail)
        return 0

    def import_state(self, desc: ShashDesc, state: bytes) -> int:
        """Continue from the kernel's structure."""
        *words, first, second = self.structure.unpack(state)
        block, count_bytes = (first, second) if self.count_last else (second, first)
        count = int.from_bytes(count_bytes, "little")
        rest = count % self.block
        desc.ctx = _Message(tuple(words), count - rest, block[:rest])
        return 0


# Nothing of a hash depends on the machine.  The kernel gives md5-generic no priority at all.
_HASHES = (
    _Hash("md5", 16, MD5_INITIAL, md5_compress, order="little", priority=0),
    _Hash("sha1", 20, SHA1_INITIAL, sha1_compress),
    _Hash("sha224", 28, SHA224_INITIAL, sha256_compress),
    _Hash("sha256", 32, SHA256_INITIAL, sha256_compress),
    _Hash("sha384", 48, SHA384_INITIAL, sha512_compress),
    _Hash("sha512", 64, SHA512_INITIAL, sha512_compress),
)


def hash_algs() -> list[ShashAlg]:
    """New descriptors of the generic hashes."""
    return [hash_.alg() for hash_ in _HASHES]
