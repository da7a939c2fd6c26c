"""The hash cores: intermediate states and final digests from any state, in memory byte order.

A state is held as the bytes that the state record or the SA record contains: native words,
little-endian.  Digests are returned as the standards print them.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from tcrypt.engine import compression
from tcrypt.engine.compression import BLOCK_BYTES, State
from tcrypt.engine.eip93.records import Digest, swap_words

__all__ = ("HASHES", "HashAlgorithm", "HashCore")

_REMEMBERED: Final = 1024
_Key = tuple[str, bytes, int]


@dataclass(frozen=True, slots=True)
class HashAlgorithm:
    """One hash of the engine.

    Attributes:
        name: Its name in hashlib.
        initial: The initial state as memory holds it; its length is that of every state.
        digest_bytes: Length of the digest.
        compress: The compression function, over native words.
        big_endian: Whether the standard writes words big-endian, against memory.
    """

    name: str
    initial: bytes
    digest_bytes: int
    compress: Callable[[State, bytes], State]
    big_endian: bool

    def in_memory(self, digest: bytes) -> bytes:
        """The digest as the engine stores it: SHA words have their bytes reversed."""
        return swap_words(digest) if self.big_endian else digest


def _memory(words: State) -> bytes:
    return struct.pack(f"<{len(words)}I", *words)


def _words(state: bytes) -> State:
    return struct.unpack(f"<{len(state) // 4}I", state)


HASHES: Final[Mapping[Digest, HashAlgorithm]] = MappingProxyType(
    {
        Digest.MD5: HashAlgorithm(
            "md5", _memory(compression.MD5_INITIAL), 16, compression.md5_compress, False
        ),
        Digest.SHA1: HashAlgorithm(
            "sha1", _memory(compression.SHA1_INITIAL), 20, compression.sha1_compress, True
        ),
        Digest.SHA224: HashAlgorithm(
            "sha224", _memory(compression.SHA224_INITIAL), 28, compression.sha256_compress, True
        ),
        Digest.SHA256: HashAlgorithm(
            "sha256", _memory(compression.SHA256_INITIAL), 32, compression.sha256_compress, True
        ),
    }
)


class HashCore:
    """The hash cores of one device.

    Compression in Python is thousands of times slower than hashlib, so the core remembers, for
    each intermediate state that it has computed, a hashlib object that has absorbed the same data.
    A packet that goes on from such a state (the inner and outer digests of an HMAC key, most
    often) is finished by a copy of that object.  A state from elsewhere is computed in full.
    """

    def __init__(self) -> None:
        self._absorbed: dict[_Key, Any] = {}

    def intermediate(
        self, algorithm: HashAlgorithm, state: bytes, count: int, data: bytes
    ) -> bytes:
        """The state after the whole blocks of `data`, `count` bytes having gone before."""
        blocks = data[: len(data) // BLOCK_BYTES * BLOCK_BYTES]
        after = _memory(algorithm.compress(_words(state), blocks))
        absorbed = self._find(algorithm, state, count)
        if absorbed is not None:
            absorbed.update(blocks)
            self._remember((algorithm.name, after, count + len(blocks)), absorbed)
        return after

    def final(self, algorithm: HashAlgorithm, state: bytes, count: int, data: bytes) -> bytes:
        """The digest of `count` bytes that led to `state`, followed by `data`."""
        absorbed = self._find(algorithm, state, count)
        if absorbed is not None:
            absorbed.update(data)
            digest: bytes = absorbed.digest()
            return digest
        message = data + _padding(len(data), count + len(data), algorithm.big_endian)
        after = _memory(algorithm.compress(_words(state), message))[: algorithm.digest_bytes]
        return algorithm.in_memory(after)

    def _find(self, algorithm: HashAlgorithm, state: bytes, count: int) -> Any:
        """A fresh hashlib object that has absorbed what led to `state`; None if not known."""
        if count == 0 and state == algorithm.initial:
            return hashlib.new(algorithm.name, usedforsecurity=False)
        key = (algorithm.name, state, count)
        known = self._absorbed.pop(key, None)
        if known is None:
            return None
        self._remember(key, known)
        return known.copy()

    def _remember(self, key: _Key, absorbed: Any) -> None:
        """Keep an object; the one that was used longest ago makes room."""
        memory = self._absorbed
        memory.pop(key, None)
        if len(memory) >= _REMEMBERED:
            del memory[next(iter(memory))]
        memory[key] = absorbed


def _padding(position: int, total: int, big_endian: bool) -> bytes:
    """Bit, zeros and 64-bit length behind a message that ends at `position` modulo 64."""
    zeros = bytes((BLOCK_BYTES - 9 - position) % BLOCK_BYTES)
    bits = total * 8 % 2**64
    return b"\x80" + zeros + bits.to_bytes(8, "big" if big_endian else "little")
