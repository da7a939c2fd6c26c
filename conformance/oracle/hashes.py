"""What a correct hash or MAC returns: the digest, and setkey's status.

Hashes come from pycryptodome, because the software drivers use hashlib; CMAC comes from OpenSSL,
because the software drivers' AES is pycryptodome's.  Key rules: kernel-crypto, section 6.2.
"""

from __future__ import annotations

import errno
from abc import ABC, abstractmethod
from functools import lru_cache
from typing import NamedTuple, Protocol

from Crypto.Hash import MD5, SHA1, SHA224, SHA256, SHA384, SHA512
from cryptography.hazmat.primitives.cmac import CMAC

from tcrypt.oracle.blocks import BLOCK_CIPHERS, BlockCipher
from tcrypt.oracle.names import Name

__all__ = ("HashReference", "build_hash")

FIPS_MIN_HMAC_KEY = 14
"""Bytes of the shortest HMAC key in FIPS mode (112 bits, SP 800-131A)."""


class HashReference(ABC):
    """One algorithm; all sizes in bytes.

    Attributes:
        name: the algorithm's name, `cra_name`.
        digestsize: of the whole digest; the kernel does not truncate.
        block_size: what the compression function takes at a time.
        keyed: whether the algorithm has a setkey and must be given a key first.
        key_sizes: the accepted lengths; None when any length will do or when there is no key.
    """

    keyed = True

    def __init__(
        self, name: str, digestsize: int, block_size: int, key_sizes: tuple[int, ...] | None = None
    ) -> None:
        self.name = name
        self.digestsize = digestsize
        self.block_size = block_size
        self.key_sizes = key_sizes

    @abstractmethod
    def setkey(self, key: bytes, *, fips: bool = False) -> int:
        """0 or the negative errno that setkey must return for `key`."""

    @abstractmethod
    def digest(self, key: bytes | None, message: bytes) -> bytes:
        """The digest of `message`.

        Args:
            key: a key that setkey accepts; None for an algorithm without key.
            message: the whole message.

        Raises:
            ValueError: a key is missing, is of a wrong length, or is given where none belongs.
        """


class _State(Protocol):
    """A hash computation of pycryptodome under way."""

    def update(self, data: bytes) -> object: ...

    def digest(self) -> bytes: ...

    def copy(self) -> _State: ...


class _Function(Protocol):
    """A hash module of pycryptodome."""

    def new(self, data: bytes | None = None) -> _State: ...


class _Hash(NamedTuple):
    function: _Function
    digestsize: int
    block_size: int


# Sizes: RFC 1321 for MD5, FIPS 180-4 figure 1 for the others.
_HASHES = {
    "md5": _Hash(MD5, 16, 64),
    "sha1": _Hash(SHA1, 20, 64),
    "sha224": _Hash(SHA224, 28, 64),
    "sha256": _Hash(SHA256, 32, 64),
    "sha384": _Hash(SHA384, 48, 128),
    "sha512": _Hash(SHA512, 64, 128),
}


class _Unkeyed(HashReference):
    """A plain hash: it has no setkey at all, so the core answers -ENOSYS."""

    keyed = False

    def __init__(self, name: str) -> None:
        parameters = _HASHES[name]
        super().__init__(name, parameters.digestsize, parameters.block_size)
        self._function = parameters.function

    def setkey(self, key: bytes, *, fips: bool = False) -> int:
        return -errno.ENOSYS

    def digest(self, key: bytes | None, message: bytes) -> bytes:
        if key is not None:
            raise ValueError(f"{self.name}: takes no key")
        return self._function.new(message).digest()


class _Hmac(HashReference):
    """RFC 2104: a key longer than a block is hashed first, any length is accepted."""

    def __init__(self, hash_name: str) -> None:
        parameters = _HASHES[hash_name]
        super().__init__(f"hmac({hash_name})", parameters.digestsize, parameters.block_size)
        self._hash_name = hash_name

    def setkey(self, key: bytes, *, fips: bool = False) -> int:
        return -errno.EINVAL if fips and len(key) < FIPS_MIN_HMAC_KEY else 0

    def digest(self, key: bytes | None, message: bytes) -> bytes:
        if key is None:
            raise ValueError(f"{self.name}: needs a key")
        inner, outer = (state.copy() for state in _hmac_states(self._hash_name, key))
        inner.update(message)
        outer.update(inner.digest())
        return outer.digest()


@lru_cache(maxsize=256)
def _hmac_states(hash_name: str, key: bytes) -> tuple[_State, _State]:
    """The inner and the outer hash after the padded key; only copies of them may be updated.

    Kept for each key: a fuzzer that makes one tag per case would else spend most of its time
    here (pycryptodome's own HMAC object takes 46 microseconds a tag, a pair of copies takes 10).
    """
    function, _, block_size = _HASHES[hash_name]
    if len(key) > block_size:
        key = function.new(key).digest()
    padded = key.ljust(block_size, b"\0")
    inner = function.new(bytes(byte ^ 0x36 for byte in padded))
    outer = function.new(bytes(byte ^ 0x5C for byte in padded))
    return inner, outer


class _Cmac(HashReference):
    """SP 800-38B."""

    def __init__(self, cipher: BlockCipher) -> None:
        size = cipher.block_size
        super().__init__(f"cmac({cipher.name})", size, size, cipher.key_sizes)
        self._cipher = cipher

    def setkey(self, key: bytes, *, fips: bool = False) -> int:
        return 0 if len(key) in self._cipher.key_sizes else -errno.EINVAL

    def digest(self, key: bytes | None, message: bytes) -> bytes:
        if key is None or self.setkey(key):
            wanted = f"must be one of {self.key_sizes} bytes"
            raise ValueError(f"{self.name}: key {key!r}: {wanted}")
        mac = CMAC(self._cipher.make(key))
        mac.update(message)
        return mac.finalize()


def build_hash(name: Name) -> HashReference | None:
    """The reference for a parsed name; None when there is none."""
    match name:
        case Name(algorithm, ()) if algorithm in _HASHES:
            return _Unkeyed(algorithm)
        case Name("hmac", (Name(algorithm, ()),)) if algorithm in _HASHES:
            return _Hmac(algorithm)
        case Name("cmac", (Name("aes", ()),)):
            return _Cmac(BLOCK_CIPHERS["aes"])
    return None
