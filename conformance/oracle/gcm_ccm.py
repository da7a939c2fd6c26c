"""GCM (SP 800-38D), CCM (SP 800-38C), and both as ESP uses them (RFC 4106, 4309 and 4543)."""

from __future__ import annotations

import errno
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import GCM

from tcrypt.oracle.aead import AeadReference
from tcrypt.oracle.blocks import ACCEPTED, INVALID

__all__ = ("AES_AEADS",)

AES_KEY_SIZES = (16, 24, 32)
GCM_AUTH_SIZES = (4, 8, 12, 13, 14, 15, 16)
ESP_AUTH_SIZES = (8, 12, 16)
CCM_AUTH_SIZES = (4, 6, 8, 10, 12, 14, 16)
ESP_ASSOC_SIZES = (16, 20)
"""SPI, sequence number of 4 or 8 bytes, and the 8-byte IV that RFC 4106 users append."""


class _AesAead(AeadReference):
    """What the three have in common: AES keys, a 16-byte tag cut short, any length of text."""

    def __init__(self, name: str, ivsize: int, auth_sizes: tuple[int, ...], salt: int = 0) -> None:
        super().__init__(
            name,
            block_size=1,
            ivsize=ivsize,
            chunksize=16,
            maxauthsize=16,
            key_sizes=tuple(size + salt for size in AES_KEY_SIZES),
            aad_copied_to_dst=False,
        )
        self._auth_sizes = auth_sizes

    def setkey_allowed(
        self, key: bytes, *, forbid_weak: bool = False, fips: bool = False
    ) -> frozenset[int]:
        return ACCEPTED if self.key_sizes and len(key) in self.key_sizes else INVALID

    def authsize_status(self, authsize: int) -> int:
        return 0 if authsize in self._auth_sizes else -errno.EINVAL

    def _text_status(self, encrypt: bool, assoclen: int, textlen: int, iv: bytes) -> int:
        return 0


class GcmReference(_AesAead):
    """`gcm(aes)` with the 12-byte IV that the kernel fixes."""

    def __init__(self) -> None:
        super().__init__("gcm(aes)", 12, GCM_AUTH_SIZES)

    def _seal(self, key: bytes, iv: bytes, assoc: bytes, ptext: bytes, authsize: int) -> bytes:
        return _gcm_seal(key, iv, assoc, ptext, authsize)

    def _open(self, key: bytes, iv: bytes, assoc: bytes, ctext: bytes, tag: bytes) -> bytes | int:
        return _gcm_open(key, iv, assoc, ctext, tag)


class _EspReference(_AesAead):
    """What the ESP forms have in common: a salt in the key, associated data of two lengths."""

    assoc_sizes = ESP_ASSOC_SIZES

    def _text_status(self, encrypt: bool, assoclen: int, textlen: int, iv: bytes) -> int:
        return 0 if assoclen in ESP_ASSOC_SIZES else -errno.EINVAL


class Rfc4106Reference(_EspReference):
    """`rfc4106(gcm(aes))`: nonce = the key's last 4 bytes and the 8-byte IV.

    The associated data ends in a copy of the IV, which is not authenticated as such.
    """

    def __init__(self) -> None:
        super().__init__("rfc4106(gcm(aes))", 8, ESP_AUTH_SIZES, salt=4)

    def authenticated(self, assoclen: int) -> int:
        """All but the copy of the IV."""
        return assoclen - 8

    def _seal(self, key: bytes, iv: bytes, assoc: bytes, ptext: bytes, authsize: int) -> bytes:
        return _gcm_seal(key[:-4], key[-4:] + iv, assoc[:-8], ptext, authsize)

    def _open(self, key: bytes, iv: bytes, assoc: bytes, ctext: bytes, tag: bytes) -> bytes | int:
        return _gcm_open(key[:-4], key[-4:] + iv, assoc[:-8], ctext, tag)


class Rfc4309Reference(_EspReference):
    """`rfc4309(ccm(aes))`: nonce = the key's last 3 bytes and the 8-byte IV; a 4-byte length."""

    def __init__(self) -> None:
        super().__init__("rfc4309(ccm(aes))", 8, ESP_AUTH_SIZES, salt=3)

    def authenticated(self, assoclen: int) -> int:
        """All but the copy of the IV."""
        return assoclen - 8

    def _seal(self, key: bytes, iv: bytes, assoc: bytes, ptext: bytes, authsize: int) -> bytes:
        return AESCCM(key[:-3], authsize).encrypt(key[-3:] + iv, ptext, assoc[:-8])

    def _open(self, key: bytes, iv: bytes, assoc: bytes, ctext: bytes, tag: bytes) -> bytes | int:
        return _ccm_open(key[:-3], key[-3:] + iv, assoc[:-8], ctext, tag)


class Rfc4543Reference(_EspReference):
    """`rfc4543(gcm(aes))`: the text stays as it is and is authenticated with all that precedes."""

    def __init__(self) -> None:
        super().__init__("rfc4543(gcm(aes))", 8, (16,), salt=4)
        self.aad_copied_to_dst = True

    def _seal(self, key: bytes, iv: bytes, assoc: bytes, ptext: bytes, authsize: int) -> bytes:
        return ptext + _gcm_seal(key[:-4], key[-4:] + iv, assoc + ptext, b"", authsize)

    def _open(self, key: bytes, iv: bytes, assoc: bytes, ctext: bytes, tag: bytes) -> bytes | int:
        opened = _gcm_open(key[:-4], key[-4:] + iv, assoc + ctext, b"", tag)
        return opened if isinstance(opened, int) else ctext


class CcmReference(_AesAead):
    """`ccm(aes)`: the 16-byte IV is L - 1, the nonce of 15 - L bytes, and L bytes not looked at.

    L is the size of the length field.  A text that does not fit in it is refused; at exactly
    256^L bytes the generic implementation lets the length overflow instead, which is a defect of
    it and not followed here.
    """

    picky_iv = True

    def __init__(self) -> None:
        super().__init__("ccm(aes)", 16, CCM_AUTH_SIZES)

    def good_iv(self, drawn: bytes) -> bytes:
        """The same with an L from 2 to 8."""
        return bytes([drawn[0] % 7 + 1]) + drawn[1:]

    def _text_status(self, encrypt: bool, assoclen: int, textlen: int, iv: bytes) -> int:
        if not 1 <= iv[0] <= 7:
            return -errno.EINVAL
        return -errno.EOVERFLOW if textlen >= 256 ** (iv[0] + 1) else 0

    def _seal(self, key: bytes, iv: bytes, assoc: bytes, ptext: bytes, authsize: int) -> bytes:
        return AESCCM(key, authsize).encrypt(iv[1 : 15 - iv[0]], ptext, assoc)

    def _open(self, key: bytes, iv: bytes, assoc: bytes, ctext: bytes, tag: bytes) -> bytes | int:
        return _ccm_open(key, iv[1 : 15 - iv[0]], assoc, ctext, tag)


@lru_cache(maxsize=256)
def _gcm(key: bytes) -> AESGCM:
    return AESGCM(key)


def _gcm_seal(key: bytes, nonce: bytes, assoc: bytes, ptext: bytes, authsize: int) -> bytes:
    return _gcm(key).encrypt(nonce, ptext, assoc)[: len(ptext) + authsize]


def _gcm_open(key: bytes, nonce: bytes, assoc: bytes, ctext: bytes, tag: bytes) -> bytes | int:
    # AESGCM verifies full tags only; the context below is the one that takes short ones.
    opener = Cipher(AES(key), GCM(nonce, tag, min_tag_length=4)).decryptor()
    opener.authenticate_additional_data(assoc)
    text = opener.update(ctext)
    try:
        return text + opener.finalize()
    except InvalidTag:
        return -errno.EBADMSG


def _ccm_open(key: bytes, nonce: bytes, assoc: bytes, ctext: bytes, tag: bytes) -> bytes | int:
    try:
        return AESCCM(key, len(tag)).decrypt(nonce, ctext + tag, assoc)
    except InvalidTag:
        return -errno.EBADMSG


AES_AEADS: dict[str, AeadReference] = {
    alg.name: alg
    for alg in (
        CcmReference(),
        GcmReference(),
        Rfc4106Reference(),
        Rfc4309Reference(),
        Rfc4543Reference(),
    )
}
