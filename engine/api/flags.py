"""Numbers of the crypto API: request flags, algorithm flags, types (kernel-crypto, 6.1)."""

from __future__ import annotations

import enum

__all__ = (
    "ALG_TYPE_MASK",
    "INHERITED_FLAGS",
    "AlgFlag",
    "AlgType",
    "ReqFlag",
    "flag_names",
)

ALG_TYPE_MASK = 0xF


class ReqFlag(enum.IntFlag):
    """Flags of a transform or a request (`CRYPTO_TFM_*`, `CRYPTO_TFM_REQ_*`)."""

    NEED_KEY = 0x001
    FORBID_WEAK_KEYS = 0x100
    MAY_SLEEP = 0x200
    MAY_BACKLOG = 0x400

    @staticmethod
    def request_mask() -> int:
        """The bits that a caller may set and that a driver passes on to its fallback."""
        return 0x700


class AlgFlag(enum.IntFlag):
    """Flags of a registered algorithm (`CRYPTO_ALG_*`)."""

    LARVAL = 0x10
    DEAD = 0x20
    DYING = 0x40
    ASYNC = 0x80
    NEED_FALLBACK = 0x100
    TESTED = 0x400
    INSTANCE = 0x800
    KERN_DRIVER_ONLY = 0x1000
    INTERNAL = 0x2000
    OPTIONAL_KEY = 0x4000
    NOLOAD = 0x8000
    ALLOCATES_MEMORY = 0x10000
    FIPS_INTERNAL = 0x20000


class AlgType(enum.IntEnum):
    """The type nibble of an algorithm's flags."""

    CIPHER = 0x1
    AEAD = 0x3
    SKCIPHER = 0x5
    SHASH = 0xE
    AHASH = 0xF

    @property
    def word(self) -> str:
        """The name that `/proc/crypto` and reports use."""
        return self.name.lower()

    @property
    def lookup_mask(self) -> int:
        """Which type bits a lookup compares: one for an ahash takes a shash as well (6.1)."""
        return 0xE if self is AlgType.AHASH else ALG_TYPE_MASK


# What a template instance takes over from each of its parts (kernel-crypto, 6.6).
INHERITED_FLAGS = int(AlgFlag.ASYNC | AlgFlag.NEED_FALLBACK | AlgFlag.ALLOCATES_MEMORY)


def flag_names(flags: int) -> list[str]:
    """The names of the algorithm flags set in `flags`, in bit order."""
    return [flag.name for flag in AlgFlag if flags & flag and flag.name]
