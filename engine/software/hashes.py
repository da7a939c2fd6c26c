"""md5, sha1 and SHA-2 on a library; the generic ones are hashlib's.

The exported state is the kernel's (`struct md5_state`, `sha1_state`, `sha256_state`,
`sha512_state`): digest words, byte count, the bytes of the unfinished block.  No library gives
that, so it is computed from the message when somebody asks, and a message that was imported goes
on from there.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

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

__all__ = ("HASHLIB", "Hash", "HashLibrary", "Kind", "Message", "hash_algs", "hashes_of")

# Bytes of a message that are kept; all that real callers hash in one piece is shorter.
_MOST = 1 << 21

_Order: TypeAlias = Literal["little", "big"]


class Message:
    """A message in work: what came before it was imported, and the bytes since."""

    __slots__ = ("data", "hashed", "state")

    def __init__(self, state: State, hashed: int = 0, data: bytes | bytearray = b"") -> None:
        self.state = state
        self.hashed = hashed
        self.data = bytearray(data)


@dataclass(frozen=True, slots=True)
class HashLibrary:
    """A library's hashes of whole messages.

    Attributes:
        module: who owns the drivers, for listings.
        suffix: what their names end in.
        priority: of the drivers, in the kernel's order of preference.
        digest: the digest under a hash's name (`md5`, `sha256`) of a message.
    """

    module: str
    suffix: str
    priority: int
    digest: Callable[[str, bytes | bytearray], bytes]


@dataclass(frozen=True, slots=True)
class Kind:
    """What is particular to one hash (RFC 1321: little-endian; FIPS 180-4: big-endian).

    Attributes:
        name: as the library and the kernel call it.
        digestsize: bytes.
        initial: the state before the first block.
        compress: the state after some more whole blocks.
        order: of the bytes in words, count and padding.
    """

    name: str
    digestsize: int
    initial: State
    compress: Callable[[State, bytes], State]
    order: _Order = "big"


class Hash:
    """One hash of one library; the methods are the driver's operations.

    Words, count and padding as in RFC 1321 (MD5) and FIPS 180-4.
    """

    def __init__(self, kind: Kind, library: HashLibrary) -> None:
        self.kind = kind
        self.library = library
        self.digestsize = kind.digestsize
        self.compress = kind.compress
        wide = kind.compress is sha512_compress
        self.block = 128 if wide else 64
        self.count_size = 16 if wide else 8
        words = f"{len(kind.initial)}{'Q' if wide else 'I'}"
        self.words = struct.Struct(f"{'>' if kind.order == 'big' else '<'}{words}")
        # The count is a u64 (two of them in SHA-512's), aligned to 8 bytes: SHA-1's has a hole
        # before it.  In MD5's structure it stands last.
        hole = "4x" if len(kind.initial) % 2 else ""
        self.count_last = kind.order == "little"
        tail = f"64s{self.count_size}s" if self.count_last else f"{self.count_size}s{self.block}s"
        self.structure = struct.Struct(f"<{words}{hole}{tail}")

    def alg(self) -> ShashAlg:
        """The descriptor to register."""
        return ShashAlg(
            cra_name=self.kind.name,
            cra_driver_name=f"{self.kind.name}-{self.library.suffix}",
            cra_priority=self.library.priority,
            cra_blocksize=self.block,
            cra_module=self.library.module,
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
        desc.ctx = Message(self.kind.initial)
        return 0

    def update(self, desc: ShashDesc, data: bytes) -> int:
        """Take more data; what the library is not going to digest in one go is compressed."""
        message: Message = desc.ctx
        message.data += data
        if len(message.data) > _MOST:
            state, hashed, rest = self._split(message)
            desc.ctx = Message(state, hashed, rest)
        return 0

    def final(self, desc: ShashDesc, out: bytearray) -> int:
        """Write the digest: the library's, or of an imported message one composed of blocks."""
        message: Message = desc.ctx
        if message.hashed:
            out[:] = self.composed(message)
        else:
            out[:] = self.library.digest(self.kind.name, message.data)
        return 0

    def composed(self, message: Message) -> bytes:
        """The digest of a message whose beginning is known by its state alone."""
        state, hashed, rest = self._split(message)
        zeros = -(len(rest) + 1 + self.count_size) % self.block
        bits = ((hashed + len(rest)) * 8).to_bytes(self.count_size, self.kind.order)
        last = self.compress(state, rest + b"\x80" + bytes(zeros) + bits)
        return self.words.pack(*last)[: self.digestsize]

    def digest(self, desc: ShashDesc, data: bytes, out: bytearray) -> int:
        """Hash one whole message."""
        out[:] = self.library.digest(self.kind.name, data)
        return 0

    def copy(self, desc: ShashDesc) -> Message:
        """The same message in work again."""
        message: Message = desc.ctx
        return Message(message.state, message.hashed, message.data)

    def _split(self, message: Message) -> tuple[State, int, bytes]:
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
        desc.ctx = Message(tuple(words), count - rest, block[:rest])
        return 0


def _hashlib_digest(name: str, data: bytes | bytearray) -> bytes:
    digest: bytes = getattr(hashlib, name)(data, usedforsecurity=False).digest()
    return digest


HASHLIB = HashLibrary("software", "generic", PRIORITY, _hashlib_digest)
"""What the generics compute with."""

_KINDS = (
    Kind("md5", 16, MD5_INITIAL, md5_compress, "little"),
    Kind("sha1", 20, SHA1_INITIAL, sha1_compress),
    Kind("sha224", 28, SHA224_INITIAL, sha256_compress),
    Kind("sha256", 32, SHA256_INITIAL, sha256_compress),
    Kind("sha384", 48, SHA384_INITIAL, sha512_compress),
    Kind("sha512", 64, SHA512_INITIAL, sha512_compress),
)


def hashes_of(
    library: HashLibrary, make: Callable[[Kind, HashLibrary], Hash] = Hash
) -> list[Hash]:
    """A library's hashes, or what else `make` makes of them."""
    return [make(kind, library) for kind in _KINDS]


# Nothing of a hash depends on the machine.
_GENERIC = hashes_of(HASHLIB)


def hash_algs() -> list[ShashAlg]:
    """New descriptors of the generic hashes.  The kernel gives md5-generic no priority at all."""
    algs = [hash_.alg() for hash_ in _GENERIC]
    algs[0].cra_priority = 0
    return algs
