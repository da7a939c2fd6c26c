"""The ciphers that the driver offers, as data: each skcipher, and the cipher half of each AEAD."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tcrypt.engine.api.des_keys import check_des3_key, check_des_key
from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.records import Cipher, CipherMode

__all__ = ("AEAD_CIPHERS", "CIPHERS", "CipherSpec", "key_bit")

_FIRST_BLOCK: Final = (1).to_bytes(4)
_AES_BITS: Final = {16: reg.OPTION_1_AES_128, 24: reg.OPTION_1_AES_192, 32: reg.OPTION_1_AES_256}


@dataclass(frozen=True, slots=True)
class CipherSpec:
    """A cipher in one mode.

    Attributes:
        name: what the crypto API calls it.
        driver_name: what the driver registers it as (eip93, section 5.1).
        cipher: the engine's core.
        mode: the engine's mode.
        block: bytes that the core works on at once.
        key_sizes: the core's key sizes in bytes.
        nonce: bytes at the end of a key that begin every counter block; RFC 3686 has 4.
    """

    name: str
    driver_name: str
    cipher: Cipher
    mode: CipherMode
    block: int
    key_sizes: tuple[int, ...]
    nonce: int = 0

    @property
    def streams(self) -> bool:
        """Whether messages may end inside a block."""
        return self.mode is CipherMode.CTR

    @property
    def blocksize(self) -> int:
        """The granularity of messages in bytes."""
        return 1 if self.streams else self.block

    @property
    def ivsize(self) -> int:
        """Bytes of the IV that a caller gives: of the counter block only what is not fixed."""
        if self.mode is CipherMode.ECB:
            return 0
        return self.block - self.nonce - len(_FIRST_BLOCK) if self.nonce else self.block

    @property
    def core_bit(self) -> int:
        """The OPTION_1 bit of the core."""
        return reg.OPTION_1_AES if self.cipher is Cipher.AES else reg.OPTION_1_TDES

    def split_key(self, key: bytes) -> tuple[bytes, bytes] | None:
        """The core's key and the nonce behind it; None when the length is wrong."""
        split = len(key) - self.nonce
        return (key[:split], key[split:]) if split in self.key_sizes else None

    def check_key(self, key: bytes, flags: int, *, fips: bool) -> int:
        """The errno for a key of the core that is too weak under a transform's flags, or 0."""
        if self.cipher is Cipher.DES:
            return check_des_key(key, flags)
        return check_des3_key(key, flags, fips=fips) if self.cipher is Cipher.TDES else 0

    def sizes_on(self, option: int) -> tuple[int, ...]:
        """The core's key sizes that a device with this OPTION_1 has, in bytes."""
        return tuple(size for size in self.key_sizes if self.on_device(option, size))

    def on_device(self, option: int, key_size: int) -> bool:
        """Whether a device with this OPTION_1 has the core with keys of `key_size` bytes."""
        return bool(option & self.core_bit) and bool(option & key_bit(self.cipher, key_size))

    def first_block(self, nonce: bytes, iv: bytes) -> bytes:
        """What the state record starts from: the IV, or the counter block of RFC 3686, 4."""
        return nonce + iv + _FIRST_BLOCK if self.nonce else iv


def key_bit(cipher: Cipher, key_size: int) -> int:
    """The OPTION_1 bit that says the device has a cipher with this key size; 0 for no such key."""
    return _AES_BITS.get(key_size, 0) if cipher is Cipher.AES else reg.OPTION_1_TDES


_AES: Final = (Cipher.AES, 16, (16, 24, 32))
_CORES: Final[Mapping[str, tuple[Cipher, int, tuple[int, ...]]]] = {
    "des": (Cipher.DES, 8, (8,)),
    "des3_ede": (Cipher.TDES, 8, (24,)),
    "aes": _AES,
}


def _spec(mode: CipherMode, core: str) -> CipherSpec:
    cipher, block, key_sizes = _CORES[core]
    word = mode.name.lower()
    return CipherSpec(f"{word}({core})", f"{word}({core}-eip93)", cipher, mode, block, key_sizes)


_RFC3686: Final = CipherSpec(
    "rfc3686(ctr(aes))", "rfc3686(ctr(aes-eip93))", _AES[0], CipherMode.CTR, *_AES[1:], nonce=4
)
_BLOCK_MODES: Final = tuple(
    _spec(mode, core) for core in _CORES for mode in (CipherMode.ECB, CipherMode.CBC)
)

CIPHERS: Final[tuple[CipherSpec, ...]] = (*_BLOCK_MODES, _spec(CipherMode.CTR, "aes"), _RFC3686)
"""The skciphers."""

AEAD_CIPHERS: Final = (
    *(spec for spec in _BLOCK_MODES if spec.mode is CipherMode.CBC),
    _RFC3686,
)
"""Those that the driver combines with an HMAC."""
