"""The hashes that the driver offers, as data: each hash, its HMAC, and the AEADs' half of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tcrypt.engine.compression import (
    MD5_INITIAL,
    SHA1_INITIAL,
    SHA224_INITIAL,
    SHA256_INITIAL,
    State,
    md5_compress,
    sha1_compress,
    sha256_compress,
)
from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.driver.sa import digest_bytes, key_block
from tcrypt.engine.eip93.records import Digest, swap_words

__all__ = ("DIGESTS", "DigestSpec")

_IPAD: Final = 0x36
_OPAD: Final = 0x5C


@dataclass(frozen=True, slots=True)
class DigestSpec:
    """A hash.

    Attributes:
        name: what the crypto API and hashlib call it.
        digest: the engine's core.
        bit: the core's bit in OPTION_1.
        digestsize: bytes of a digest, and the most of a tag.
        initial: the state before the first block.
        compress: from one state to the next.
        swapped: whether the engine's words lie in memory with their bytes reversed (1.6).
    """

    name: str
    digest: Digest
    bit: int
    digestsize: int
    initial: State
    compress: Callable[[State, bytes], State]
    swapped: bool = True

    def of(self, data: bytes) -> bytes:
        """The digest of a message, in software."""
        return hashlib.new(self.name, data, usedforsecurity=False).digest()

    def in_order(self, words: bytes) -> bytes:
        """What the engine left in memory, in the byte order of the standard."""
        return swap_words(words) if self.swapped else words

    def inner_block(self, key: bytes) -> bytes:
        """The first block of an HMAC's inner pass (RFC 2104)."""
        return key_block(key, self.of(key), _IPAD)

    def hmac_states(self, key: bytes) -> tuple[bytes, bytes]:
        """Inner and outer state of an HMAC key of any length, as records hold them."""
        hashed = self.of(key)
        inner = self.compress(self.initial, key_block(key, hashed, _IPAD))
        return digest_bytes(inner), self.outer_state(key)

    def outer_state(self, key: bytes) -> bytes:
        """The state after the first block of an HMAC's outer pass, as records hold it."""
        return digest_bytes(self.compress(self.initial, key_block(key, self.of(key), _OPAD)))


DIGESTS: Final = (
    DigestSpec("md5", Digest.MD5, reg.OPTION_1_MD5, 16, MD5_INITIAL, md5_compress, swapped=False),
    DigestSpec("sha1", Digest.SHA1, reg.OPTION_1_SHA_1, 20, SHA1_INITIAL, sha1_compress),
    DigestSpec("sha224", Digest.SHA224, reg.OPTION_1_SHA_224, 28, SHA224_INITIAL, sha256_compress),
    DigestSpec("sha256", Digest.SHA256, reg.OPTION_1_SHA_256, 32, SHA256_INITIAL, sha256_compress),
)
