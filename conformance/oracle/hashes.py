"""What a correct hash or MAC returns: the digest, and setkey's status.

Hashes come from pycryptodome, because the software drivers use hashlib; CMAC and the ciphers of
the other MACs come from OpenSSL, because the software drivers' ciphers are pycryptodome's.  Key
rules: kernel-crypto, section 6.2.
"""

from __future__ import annotations

import errno
from abc import ABC, abstractmethod
from functools import lru_cache
from typing import NamedTuple, Protocol

from Crypto.Hash import MD5, SHA1, SHA224, SHA256, SHA384, SHA512
from cryptography.hazmat.primitives.ciphers.modes import CBC, ECB
from cryptography.hazmat.primitives.cmac import CMAC

from tcrypt.oracle.blocks import BLOCK_CIPHERS, BlockCipher, xor
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

_INNER_PAD = bytes(byte ^ 0x36 for byte in range(256))
_OUTER_PAD = bytes(byte ^ 0x5C for byte in range(256))


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
    inner = function.new(padded.translate(_INNER_PAD))
    outer = function.new(padded.translate(_OUTER_PAD))
    return inner, outer


class _CipherMac(HashReference):
    """A MAC whose keys are those of a block cipher."""

    def __init__(self, name: str, cipher: BlockCipher, block_size: int) -> None:
        super().__init__(f"{name}({cipher.name})", cipher.block_size, block_size, cipher.key_sizes)
        self._cipher = cipher

    def setkey(self, key: bytes, *, fips: bool = False) -> int:
        allowed = self._cipher.setkey_allowed(key, False, fips)
        return 0 if 0 in allowed else -errno.EINVAL

    def digest(self, key: bytes | None, message: bytes) -> bytes:
        if key is None or self.setkey(key):
            wanted = f"must be one of {self.key_sizes} bytes"
            raise ValueError(f"{self.name}: key {key!r}: {wanted}")
        return self._mac(key, message)

    @abstractmethod
    def _mac(self, key: bytes, message: bytes) -> bytes:
        """The MAC under a key of an accepted length."""

    def _chained(self, key: bytes, blocks: bytes) -> bytes:
        """The last block of a CBC encryption from a zero block; zeros when there is none."""
        size = self._cipher.block_size
        return (bytes(size) + self._cipher.crypt(key, CBC(bytes(size)), blocks, True))[-size:]


class _Cmac(_CipherMac):
    """SP 800-38B."""

    def __init__(self, cipher: BlockCipher) -> None:
        super().__init__("cmac", cipher, cipher.block_size)

    def _mac(self, key: bytes, message: bytes) -> bytes:
        mac = CMAC(self._cipher.make(key))
        mac.update(message)
        return mac.finalize()


class _Xcbc(_CipherMac):
    """RFC 3566, section 4; the kernel takes AES-192 and AES-256 keys as well."""

    def __init__(self, cipher: BlockCipher) -> None:
        super().__init__("xcbc", cipher, cipher.block_size)

    def _mac(self, key: bytes, message: bytes) -> bytes:
        size = self._cipher.block_size
        constants = b"".join(bytes([number]) * size for number in (1, 2, 3))
        derived = self._cipher.crypt(key, ECB(), constants, True)
        first, second, third = derived[:size], derived[size : 2 * size], derived[2 * size :]
        whole = bool(message) and not len(message) % size
        padded = message if whole else message + b"\x80" + bytes(-(len(message) + 1) % size)
        last = xor(padded[-size:], second if whole else third)
        return self._chained(first, padded[:-size] + last)


class _CbcMac(_CipherMac):
    """The CBC-MAC inside of CCM: zeros fill the last block (RFC 3610, section 2.2).

    It is registered with a block size of 1.
    """

    def __init__(self, cipher: BlockCipher) -> None:
        super().__init__("cbcmac", cipher, 1)

    def _mac(self, key: bytes, message: bytes) -> bytes:
        return self._chained(key, message + bytes(-len(message) % self._cipher.block_size))


class _Ghash(HashReference):
    """SP 800-38D, section 6.4; zeros fill the last block.

    No library offers it for a key of one's choice, so it is computed bit by bit (section 6.3).
    """

    def __init__(self) -> None:
        super().__init__("ghash", 16, 16, (16,))

    def setkey(self, key: bytes, *, fips: bool = False) -> int:
        return 0 if len(key) == 16 else -errno.EINVAL

    def digest(self, key: bytes | None, message: bytes) -> bytes:
        if key is None or self.setkey(key):
            raise ValueError(f"ghash: key {key!r}: must be 16 bytes")
        subkey, state = int.from_bytes(key, "big"), 0
        for start in range(0, len(message), 16):
            block = message[start : start + 16].ljust(16, b"\0")
            state = _ghash_product(state ^ int.from_bytes(block, "big"), subkey)
        return state.to_bytes(16, "big")


def _ghash_product(left: int, right: int) -> int:
    """SP 800-38D, algorithm 1: the leftmost bit of a block is the coefficient of x^0."""
    product = 0
    for bit in range(127, -1, -1):
        if left >> bit & 1:
            product ^= right
        right = right >> 1 ^ (0xE1 << 120 if right & 1 else 0)
    return product


def build_hash(name: Name) -> HashReference | None:
    """The reference for a parsed name; None when there is none."""
    match name:
        case Name(algorithm, ()) if algorithm in _HASHES:
            return _Unkeyed(algorithm)
        case Name("hmac", (Name(algorithm, ()),)) if algorithm in _HASHES:
            return _Hmac(algorithm)
        case Name("ghash", ()):
            return _Ghash()
        case Name("cmac", (Name(cipher, ()),)) if cipher in BLOCK_CIPHERS:
            return _Cmac(BLOCK_CIPHERS[cipher])
        case Name("xcbc", (Name("aes", ()),)):
            return _Xcbc(BLOCK_CIPHERS["aes"])
        case Name("cbcmac", (Name(cipher, ()),)) if cipher in BLOCK_CIPHERS:
            return _CbcMac(BLOCK_CIPHERS[cipher])
    return None
