"""XTS-AES: from OpenSSL where it agrees to compute it, composed of the block cipher elsewhere."""

from __future__ import annotations

import errno
from functools import lru_cache

from cryptography.hazmat.primitives.ciphers import BlockCipherAlgorithm
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB, XTS

from tcrypt.oracle.blocks import ACCEPTED, INVALID, BlockCipher, run, xor
from tcrypt.oracle.skcipher import Answer, SkcipherReference

__all__ = ("XtsReference", "compose_xts")


class XtsReference(SkcipherReference):
    """XTS-AES (IEEE 1619) with stealing at the end; key = data key, tweak key."""

    def __init__(self, cipher: BlockCipher) -> None:
        size = cipher.block_size
        super().__init__(
            f"xts({cipher.name})",
            block_size=size,
            ivsize=size,
            chunksize=size,
            key_sizes=tuple(2 * half for half in cipher.key_sizes),
        )
        self._cipher = cipher

    def setkey_allowed(
        self, key: bytes, *, forbid_weak: bool = False, fips: bool = False
    ) -> frozenset[int]:
        """Equal halves are refused on request and in FIPS mode, else accepted."""
        if len(key) not in self.key_sizes:
            return INVALID
        half = len(key) // 2
        return INVALID if (forbid_weak or fips) and key[:half] == key[half:] else ACCEPTED

    def length_status(self, length: int) -> int:
        """Anything from one block on; 0 bytes are refused too."""
        return -errno.EINVAL if length < self.block_size else 0

    def _run(self, key: bytes, iv: bytes, data: bytes, encrypt: bool) -> Answer:
        half = len(key) // 2
        if len(key) in (32, 64) and key[:half] != key[half:]:
            return Answer(run(_xts_schedule(key), XTS(iv), data, encrypt), None)
        # OpenSSL refuses equal halves, and AES-192 in this mode; the kernel takes both.
        return Answer(compose_xts(self._cipher, key, iv, data, encrypt), None)


@lru_cache(maxsize=256)
def _xts_schedule(key: bytes) -> BlockCipherAlgorithm:
    return AES(key)


def compose_xts(cipher: BlockCipher, key: bytes, iv: bytes, data: bytes, encrypt: bool) -> bytes:
    """XTS composed of the block cipher alone (IEEE 1619-2007, section 5)."""
    half = len(key) // 2
    full, tail = divmod(len(data), 16)
    masks = _xts_masks(cipher.crypt(key[half:], ECB(), iv, True), full + bool(tail))

    def masked(blocks: bytes, mask: bytes) -> bytes:
        return xor(cipher.crypt(key[:half], ECB(), xor(blocks, mask), encrypt), mask)

    if not tail:
        return masked(data, masks)
    end = 16 * (full - 1)
    earlier, later = masks[end : end + 16], masks[end + 16 :]
    first, second = (earlier, later) if encrypt else (later, earlier)
    head = masked(data[end : end + 16], first)
    stolen = masked(data[end + 16 :] + head[tail:], second)
    return masked(data[:end], masks[:end]) + stolen + head[:tail]


def _xts_masks(tweak: bytes, count: int) -> bytes:
    """`count` masks: the tweak times the powers of x in GF(2^128), little-endian."""
    value = int.from_bytes(tweak, "little")
    masks = []
    for _ in range(count):
        masks.append(value.to_bytes(16, "little"))
        value = (value << 1) ^ ((1 << 128 | 0x87) if value >> 127 else 0)
    return b"".join(masks)
