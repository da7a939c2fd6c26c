"""What a correct skcipher returns: bytes, the IV left behind, and statuses.

The rules for keys, lengths and output IVs are those of kernel-crypto, sections 6.2 and 6.3.
"""

from __future__ import annotations

import errno
from abc import ABC, abstractmethod
from typing import NamedTuple

__all__ = ("Answer", "SkcipherReference")


class Answer(NamedTuple):
    """The result of one request.

    Attributes:
        out: as long as the input.
        iv_out: what the request's IV buffer must hold afterwards; None where that is unspecified
            or where there is no IV.
    """

    out: bytes
    iv_out: bytes | None


class SkcipherReference(ABC):
    """One algorithm; all sizes in bytes.

    Attributes:
        name: the algorithm's name, `cra_name`.
        block_size: what a length must be a multiple of, where the mode asks for one; 1 for a
            stream cipher.
        ivsize: 0 for a mode without IV.
        chunksize: what a driver may cut a stream into; the cipher's block for ctr.
        key_sizes: accepted lengths, ascending.
    """

    def __init__(
        self,
        name: str,
        *,
        block_size: int,
        ivsize: int,
        chunksize: int,
        key_sizes: tuple[int, ...],
    ) -> None:
        self.name = name
        self.block_size = block_size
        self.ivsize = ivsize
        self.chunksize = chunksize
        self.key_sizes = key_sizes
        self.min_keysize = min(key_sizes)
        self.max_keysize = max(key_sizes)

    def setkey(self, key: bytes, *, forbid_weak: bool = False, fips: bool = False) -> int:
        """0, or the negative errno that the generic implementation documents for `key`."""
        allowed = self.setkey_allowed(key, forbid_weak=forbid_weak, fips=fips)
        return 0 if 0 in allowed else -errno.EINVAL

    @abstractmethod
    def setkey_allowed(
        self, key: bytes, *, forbid_weak: bool = False, fips: bool = False
    ) -> frozenset[int]:
        """Every status that a correct setkey may return for `key`; always contains setkey's."""

    def length_status(self, length: int) -> int:
        """0 when a request of `length` bytes must succeed, else -EINVAL."""
        return -errno.EINVAL if length % self.block_size else 0

    def encrypt(self, key: bytes, iv: bytes, data: bytes) -> Answer:
        """Encrypt `data` under a key that setkey accepts.

        Raises:
            ValueError: the length of the key, the IV or the data is one that the kernel refuses.
        """
        return self._crypt(key, iv, data, True)

    def decrypt(self, key: bytes, iv: bytes, data: bytes) -> Answer:
        """Decrypt `data`; the mirror of `encrypt`, with the same errors."""
        return self._crypt(key, iv, data, False)

    def _crypt(self, key: bytes, iv: bytes, data: bytes, encrypt: bool) -> Answer:
        if len(iv) != self.ivsize:
            raise ValueError(f"{self.name}: IV of {len(iv)} bytes: must be {self.ivsize}")
        if self.length_status(len(data)):
            raise ValueError(f"{self.name}: {len(data)} bytes of data: the kernel refuses them")
        return self._run(key, iv, data, encrypt)

    @abstractmethod
    def _run(self, key: bytes, iv: bytes, data: bytes, encrypt: bool) -> Answer:
        """Encrypt or decrypt data of a valid length with an IV of a valid length."""
