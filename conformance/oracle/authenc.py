"""authenc and authencesn: encrypt, then MAC over the associated data and the ciphertext.

Facts: kernel-crypto, sections 6.2 and 6.4; a short tag is the first bytes of the MAC (RFC 2104,
section 5).
"""

from __future__ import annotations

import errno
import struct

from tcrypt.oracle.aead import AeadReference
from tcrypt.oracle.blocks import INVALID
from tcrypt.oracle.hashes import HashReference, build_hash
from tcrypt.oracle.modes import build_skcipher
from tcrypt.oracle.names import Name
from tcrypt.oracle.skcipher import SkcipherReference

__all__ = ("AuthencReference", "AuthencesnReference", "build_authenc")

_ATTRIBUTE = struct.Struct("<HH")
_LENGTH = struct.Struct(">I")
_HEADER_SIZE = _ATTRIBUTE.size + _LENGTH.size
_KEY_PARAM = 1


class AuthencReference(AeadReference):
    """`authenc(MAC,CIPHER)`.

    The key is a blob: u16 length 8 and u16 type 1 in the byte order of the host, here
    little-endian; u32 length of the cipher key, big-endian; the MAC's key; the cipher's key.

    A request's IV is not authenticated: with another IV cbc decrypts its first block to garbage
    and reports no error.
    """

    verifies_first = True

    def __init__(self, name: str, mac: HashReference, cipher: SkcipherReference) -> None:
        super().__init__(
            name,
            block_size=cipher.block_size,
            ivsize=cipher.ivsize,
            chunksize=cipher.chunksize,
            maxauthsize=mac.digestsize,
            key_sizes=None,
            aad_copied_to_dst=True,
        )
        self.mac = mac
        self.cipher = cipher

    @property
    def enckey_sizes(self) -> tuple[int, ...]:
        """The cipher's key sizes."""
        return self.cipher.key_sizes

    def split_key(self, key: bytes) -> tuple[bytes, bytes] | None:
        """The authentication key and the cipher key; None for a malformed blob."""
        if len(key) < _HEADER_SIZE:
            return None
        if _ATTRIBUTE.unpack_from(key) != (_HEADER_SIZE, _KEY_PARAM):
            return None
        (enckeylen,) = _LENGTH.unpack_from(key, _ATTRIBUTE.size)
        authkeylen = len(key) - _HEADER_SIZE - enckeylen
        if authkeylen < 0:
            return None
        keys = key[_HEADER_SIZE:]
        return keys[:authkeylen], keys[authkeylen:]

    def join_key(self, authkey: bytes, enckey: bytes) -> bytes:
        """The blob of two keys of any length."""
        header = _ATTRIBUTE.pack(_HEADER_SIZE, _KEY_PARAM) + _LENGTH.pack(len(enckey))
        return header + authkey + enckey

    def setkey_allowed(
        self, key: bytes, *, forbid_weak: bool = False, fips: bool = False
    ) -> frozenset[int]:
        """The blob's form first, then the authentication key, then the cipher key."""
        keys = self.split_key(key)
        if keys is None:
            return INVALID
        authkey, enckey = keys
        status = self.mac.setkey(authkey, fips=fips)
        if status:
            return frozenset({status})
        return self.cipher.setkey_allowed(enckey, forbid_weak=forbid_weak, fips=fips)

    def authsize_status(self, authsize: int) -> int:
        """Any length from 1 to the digest's."""
        return 0 if 1 <= authsize <= self.maxauthsize else -errno.EINVAL

    def _text_status(self, encrypt: bool, assoclen: int, textlen: int, iv: bytes) -> int:
        # A decryption looks at the MAC before it looks at the length, so the data decides.
        return self.cipher.length_status(textlen) if encrypt else 0

    def _seal(self, key: bytes, iv: bytes, assoc: bytes, ptext: bytes, authsize: int) -> bytes:
        authkey, enckey = self._keys(key)
        ctext = self.cipher.encrypt(enckey, iv, ptext).out
        return ctext + self.mac.digest(authkey, self._covered(assoc, ctext))[:authsize]

    def _open(self, key: bytes, iv: bytes, assoc: bytes, ctext: bytes, tag: bytes) -> bytes | int:
        authkey, enckey = self._keys(key)
        if self.mac.digest(authkey, self._covered(assoc, ctext))[: len(tag)] != tag:
            return -errno.EBADMSG
        status = self.cipher.length_status(len(ctext))
        return status or self.cipher.decrypt(enckey, iv, ctext).out

    def _covered(self, assoc: bytes, ctext: bytes) -> bytes:
        """What the MAC is made of."""
        return assoc + ctext

    def _keys(self, key: bytes) -> tuple[bytes, bytes]:
        keys = self.split_key(key)
        if keys is None:
            raise ValueError(f"{self.name}: malformed authenc key {key.hex()}")
        return keys


class AuthencesnReference(AuthencReference):
    """`authencesn(MAC,CIPHER)`: the high half of the sequence number is hashed last.

    It stands at bytes 4 to 8 of the associated data and is not sent (RFC 4303, section 2.2.1).
    """

    def authsize_status(self, authsize: int) -> int:
        """From 4 bytes to the digest's."""
        return 0 if 4 <= authsize <= self.maxauthsize else -errno.EINVAL

    def _text_status(self, encrypt: bool, assoclen: int, textlen: int, iv: bytes) -> int:
        if assoclen < 8:
            return -errno.EINVAL
        return super()._text_status(encrypt, assoclen, textlen, iv)

    def _covered(self, assoc: bytes, ctext: bytes) -> bytes:
        return assoc[:4] + assoc[8:] + ctext + assoc[4:8]


_KINDS = {"authenc": AuthencReference, "authencesn": AuthencesnReference}


def build_authenc(name: Name) -> AuthencReference | None:
    """The reference for a parsed `authenc(MAC,CIPHER)` or authencesn; None when there is none."""
    kind = _KINDS.get(name.base)
    if kind is None or len(name.args) != 2:
        return None
    mac, cipher = build_hash(name.args[0]), build_skcipher(name.args[1])
    if mac is None or cipher is None or not mac.keyed:
        return None
    return kind(str(name), mac, cipher)
