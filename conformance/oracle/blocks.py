"""Block ciphers from OpenSSL: key sizes, weak keys, and one run over some data.

OpenSSL is reached through the `cryptography` package, because the software drivers compute with
pycryptodome: a defect of one library cannot hide itself in the other's answer.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import BlockCipherAlgorithm, Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC, CTR, ECB, XTS

__all__ = (
    "ACCEPTED",
    "BLOCK_CIPHERS",
    "INVALID",
    "SEMI_WEAK_DES_KEYS",
    "WEAK_DES_KEYS",
    "BlockCipher",
    "run",
    "xor",
)

Mode: TypeAlias = CBC | CTR | ECB | XTS

ACCEPTED = frozenset({0})
INVALID = frozenset({-errno.EINVAL})

WEAK_DES_KEYS = tuple(
    bytes.fromhex(key)
    for key in ("0101010101010101", "fefefefefefefefe", "1f1f1f1f0e0e0e0e", "e0e0e0e0f1f1f1f1")
)
"""The 4 keys that make DES its own inverse (SP 800-67 rev. 2, section 3.3.2), with odd parity."""

SEMI_WEAK_DES_KEYS = tuple(
    bytes.fromhex(key)
    for key in (
        "01fe01fe01fe01fe",
        "fe01fe01fe01fe01",
        "1fe01fe00ef10ef1",
        "e01fe01ff10ef10e",
        "01e001e001f101f1",
        "e001e001f101f101",
        "1ffe1ffe0efe0efe",
        "fe1ffe1ffe0efe0e",
        "011f011f010e010e",
        "1f011f010e010e01",
        "e0fee0fef1fef1fe",
        "fee0fee0fef1fef1",
    )
)
"""The 12 keys that undo another key of the list (same section), neighbours being the pairs."""


@dataclass(frozen=True, eq=False)
class BlockCipher:
    """A block cipher under its kernel name.

    Attributes:
        name: `aes`, `des` or `des3_ede`.
        block_size: bytes.
        key_sizes: the accepted key lengths in bytes, ascending.
        make: the OpenSSL key object for a key of an accepted length.
        refusal: the statuses setkey may return for a key of an accepted length, given
            (key, forbid_weak, fips).
    """

    name: str
    block_size: int
    key_sizes: tuple[int, ...]
    make: Callable[[bytes], BlockCipherAlgorithm]
    refusal: Callable[[bytes, bool, bool], frozenset[int]]

    def setkey_allowed(self, key: bytes, forbid_weak: bool, fips: bool) -> frozenset[int]:
        """The statuses that a correct setkey may return for `key`."""
        if len(key) not in self.key_sizes:
            return INVALID
        return self.refusal(key, forbid_weak, fips)

    def crypt(self, key: bytes, mode: Mode, data: bytes, encrypt: bool) -> bytes:
        """Run `mode` over `data`, which must suit the mode.

        Raises:
            ValueError: the length of the key or of the mode's IV is wrong.
        """
        return run(_schedule(self, key), mode, data, encrypt)


def run(schedule: BlockCipherAlgorithm, mode: Mode, data: bytes, encrypt: bool) -> bytes:
    """One pass of OpenSSL over whole blocks (ECB, CBC) or any data (CTR, XTS).

    The context is not finalized: none of these modes holds anything back for that.
    """
    cipher = Cipher(schedule, mode)
    return (cipher.encryptor() if encrypt else cipher.decryptor()).update(data)


def xor(left: bytes, right: bytes) -> bytes:
    """The exclusive or of two strings of one length."""
    whole = int.from_bytes(left, "big") ^ int.from_bytes(right, "big")
    return whole.to_bytes(len(left), "big")


@lru_cache(maxsize=256)
def _schedule(cipher: BlockCipher, key: bytes) -> BlockCipherAlgorithm:
    """The key object; kept, because a fuzzer uses one key for many requests."""
    if len(key) not in cipher.key_sizes:
        raise ValueError(
            f"{cipher.name}: key of {len(key)} bytes: must be one of {cipher.key_sizes}"
        )
    return cipher.make(key)


def _aes_refusal(_key: bytes, _forbid_weak: bool, _fips: bool) -> frozenset[int]:
    return ACCEPTED


def _without_parity(key: bytes) -> bytes:
    return bytes(byte & 0xFE for byte in key)


_WEAK_WITHOUT_PARITY = frozenset(map(_without_parity, WEAK_DES_KEYS + SEMI_WEAK_DES_KEYS))


def _des_refusal(key: bytes, forbid_weak: bool, _fips: bool) -> frozenset[int]:
    """Weak and semi-weak keys, parity bits ignored, only when the caller forbids them."""
    return INVALID if forbid_weak and _without_parity(key) in _WEAK_WITHOUT_PARITY else ACCEPTED


def _des3_refusal(key: bytes, forbid_weak: bool, fips: bool) -> frozenset[int]:
    """Neighbouring keys equal in every bit, and in FIPS mode any two.

    Outside FIPS mode the kernel's own helper for drivers answers -ENOKEY where its description
    promises -EINVAL (kernel-crypto, section 6.2), so both are right.
    """
    first, second, third = key[:8], key[8:16], key[16:]
    single_des = first == second or second == third
    if fips:
        return INVALID if single_des or first == third else ACCEPTED
    return INVALID | {-errno.ENOKEY} if forbid_weak and single_des else ACCEPTED


def _single_des(key: bytes) -> BlockCipherAlgorithm:
    """DES as EDE with three equal keys: OpenSSL keeps plain DES in its legacy provider."""
    return TripleDES(key * 3)


BLOCK_CIPHERS = {
    cipher.name: cipher
    for cipher in (
        BlockCipher("aes", 16, (16, 24, 32), AES, _aes_refusal),
        BlockCipher("des", 8, (8,), _single_des, _des_refusal),
        BlockCipher("des3_ede", 8, (24,), TripleDES, _des3_refusal),
    )
}
