"""The capability bits of PE_OPTION_1: which ciphers, key sizes and hashes a device has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.records import Cipher, Digest

__all__ = ("Options",)

_CIPHERS: Final = {
    Cipher.DES: reg.OPTION_1_TDES,
    Cipher.TDES: reg.OPTION_1_TDES,
    Cipher.ARC4: reg.OPTION_1_ARC4,
    Cipher.AES: reg.OPTION_1_AES,
}
_AES_KEYS: Final = {
    16: reg.OPTION_1_AES_128,
    24: reg.OPTION_1_AES_192,
    32: reg.OPTION_1_AES_256,
}
_DIGESTS: Final = {
    Digest.MD5: reg.OPTION_1_MD5,
    Digest.SHA1: reg.OPTION_1_SHA_1,
    Digest.SHA224: reg.OPTION_1_SHA_224,
    Digest.SHA256: reg.OPTION_1_SHA_256,
}


@dataclass(frozen=True, slots=True)
class Options:
    """PE_OPTION_1, taken apart.

    Attributes:
        ciphers: The cipher cores that exist; the null cipher always does.
        aes_key_lengths: AES key lengths in bytes; empty without an AES core.
        digests: The hash cores that exist; the null hash always does.
    """

    ciphers: frozenset[Cipher]
    aes_key_lengths: frozenset[int]
    digests: frozenset[Digest]

    @classmethod
    def decode(cls, option_1: int) -> Options:
        """Read the bits; there is none for CTR, which comes with AES."""
        ciphers = {cipher for cipher, bit in _CIPHERS.items() if option_1 & bit}
        keys = {length for length, bit in _AES_KEYS.items() if option_1 & bit}
        return cls(
            ciphers=frozenset(ciphers | {Cipher.NULL}),
            aes_key_lengths=frozenset(keys if Cipher.AES in ciphers else ()),
            digests=frozenset(
                {d for d, bit in _DIGESTS.items() if option_1 & bit} | {Digest.NULL}
            ),
        )

    def supports_cipher(self, cipher: Cipher, key_length: int | None = None) -> bool:
        """Whether the cipher exists, for AES with keys of `key_length` bytes if that is given."""
        if cipher not in self.ciphers:
            return False
        sized = cipher is Cipher.AES and key_length is not None
        return key_length in self.aes_key_lengths if sized else True

    def supports_digest(self, digest: Digest) -> bool:
        """Whether the hash exists."""
        return digest in self.digests
