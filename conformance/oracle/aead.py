"""What a correct AEAD cipher returns: bytes, and the order of its refusals.

The layout is that of kernel-crypto, section 6.4: `cryptlen` leaves out the associated data and,
when decrypting, includes the tag.
"""

from __future__ import annotations

import errno
from abc import ABC, abstractmethod

__all__ = ("AeadReference",)


class AeadReference(ABC):
    """One algorithm; all sizes in bytes.

    Attributes:
        name: the algorithm's name, `cra_name`.
        block_size: what the text's length must be a multiple of; 1 for a stream cipher.
        ivsize: of the IV in the request.
        chunksize: what a driver may cut a stream into.
        maxauthsize: the longest tag, and the one in force when setauthsize was never called.
        key_sizes: accepted lengths, ascending; None for the blob of authenc, see `split_key`.
        aad_copied_to_dst: whether an out-of-place *encryption* by the generic implementation
            copies the associated data to the destination; None when unknown.  The API leaves it
            open, and leaves it open for every decryption.
        picky_iv: whether some IVs of the right length are refused.
        verifies_first: whether a decryption by the generic implementation compares tags before
            it writes any text; else a forged message's text may be in the destination.
        iv_in_text: whether encryption makes the IV itself and sends it in front of the text, as
            echainiv does; `ivsize` bytes of the text are then room for it.
        assoc_sizes: the accepted lengths of associated data; None for any, but see
            `crypt_status`.
        usual_assoc: an accepted length of associated data, with authenticated bytes among them;
            it counts an IV that is sent behind them as well.
    """

    picky_iv = False
    verifies_first = False
    iv_in_text = False
    assoc_sizes: tuple[int, ...] | None = None
    usual_assoc = 16

    def __init__(
        self,
        name: str,
        *,
        block_size: int,
        ivsize: int,
        chunksize: int,
        maxauthsize: int,
        key_sizes: tuple[int, ...] | None,
        aad_copied_to_dst: bool | None,
    ) -> None:
        self.name = name
        self.block_size = block_size
        self.ivsize = ivsize
        self.chunksize = chunksize
        self.maxauthsize = maxauthsize
        self.key_sizes = key_sizes
        self.aad_copied_to_dst = aad_copied_to_dst

    def setkey(self, key: bytes, *, forbid_weak: bool = False, fips: bool = False) -> int:
        """0, or the negative errno that the generic implementation documents for `key`."""
        allowed = self.setkey_allowed(key, forbid_weak=forbid_weak, fips=fips)
        return 0 if 0 in allowed else -errno.EINVAL

    @abstractmethod
    def setkey_allowed(
        self, key: bytes, *, forbid_weak: bool = False, fips: bool = False
    ) -> frozenset[int]:
        """Every status that a correct setkey may return for `key`; always contains setkey's."""

    def split_key(self, key: bytes) -> tuple[bytes, bytes] | None:
        """The authentication key and the cipher key in an authenc blob.

        None when the blob is malformed, and for an algorithm that takes a plain key.
        """
        return None

    def join_key(self, authkey: bytes, enckey: bytes) -> bytes:
        """The authenc blob of two keys; the reverse of `split_key`.

        Raises:
            ValueError: the algorithm takes a plain key.
        """
        raise ValueError(f"{self.name}: takes a plain key, not an authenc blob")

    @property
    def enckey_sizes(self) -> tuple[int, ...]:
        """The accepted lengths of the cipher's key: `key_sizes`, or the part of it in a blob."""
        assert self.key_sizes is not None, f"{self.name}: says nothing of its cipher's keys"
        return self.key_sizes

    def good_iv(self, drawn: bytes) -> bytes:
        """An IV that is accepted, made of one that may not be."""
        return drawn

    def laid_out(self, key: bytes, iv: bytes, assoc: bytes) -> bytes:
        """Associated data as a caller must lay them out; those given, by default."""
        return assoc

    def authenticated(self, assoclen: int) -> int:
        """How many bytes at the front of the associated data the tag covers."""
        return assoclen

    def header(self, encrypt: bool, assoclen: int) -> tuple[int, ...]:
        """Lengths of the pieces in front of a destination's text.

        Each is either the source's or left alone by a correct implementation.
        """
        return (assoclen,)

    @abstractmethod
    def authsize_status(self, authsize: int) -> int:
        """0 or -EINVAL: what setauthsize must return."""

    def crypt_status(
        self, encrypt: bool, assoclen: int, cryptlen: int, authsize: int, iv: bytes
    ) -> int:
        """0, or the negative errno of a request that must be refused whatever its data is.

        Args:
            encrypt: the direction.
            assoclen: length of the associated data.
            cryptlen: length of the text, with the tag when decrypting.
            authsize: a tag length that `authsize_status` accepts.
            iv: as long as `ivsize`.
        """
        if encrypt:
            return self._text_status(True, assoclen, cryptlen, iv)
        if cryptlen < authsize:
            return -errno.EINVAL
        return self._text_status(False, assoclen, cryptlen - authsize, iv)

    def encrypt(self, key: bytes, iv: bytes, assoc: bytes, ptext: bytes, authsize: int) -> bytes:
        """Ciphertext and tag of `ptext`, under a key that setkey accepts.

        Raises:
            ValueError: the kernel refuses the request (`crypt_status`), or a length is wrong.
        """
        self._require_lengths(iv, authsize)
        status = self.crypt_status(True, len(assoc), len(ptext), authsize, iv)
        if status:
            reason = f"-{errno.errorcode[-status]} for {len(assoc)} + {len(ptext)} bytes"
            raise ValueError(f"{self.name}: encryption is refused: {reason}, IV {iv.hex()}")
        return self._seal(key, iv, assoc, ptext, authsize)

    def decrypt(
        self, key: bytes, iv: bytes, assoc: bytes, ctext_and_tag: bytes, authsize: int
    ) -> bytes | int:
        """The plaintext, or the negative errno, under a key that setkey accepts.

        Raises:
            ValueError: the length of the key, the IV or the tag is wrong.
        """
        self._require_lengths(iv, authsize)
        status = self.crypt_status(False, len(assoc), len(ctext_and_tag), authsize, iv)
        if status:
            return status
        split = len(ctext_and_tag) - authsize
        return self._open(key, iv, assoc, ctext_and_tag[:split], ctext_and_tag[split:])

    def _require_lengths(self, iv: bytes, authsize: int) -> None:
        if len(iv) != self.ivsize:
            raise ValueError(f"{self.name}: IV of {len(iv)} bytes: must be {self.ivsize}")
        if self.authsize_status(authsize):
            raise ValueError(f"{self.name}: tag of {authsize} bytes: setauthsize refuses it")

    @abstractmethod
    def _text_status(self, encrypt: bool, assoclen: int, textlen: int, iv: bytes) -> int:
        """`crypt_status` for `textlen` bytes without a tag."""

    @abstractmethod
    def _seal(self, key: bytes, iv: bytes, assoc: bytes, ptext: bytes, authsize: int) -> bytes:
        """Encrypt a request that nothing forbids."""

    @abstractmethod
    def _open(self, key: bytes, iv: bytes, assoc: bytes, ctext: bytes, tag: bytes) -> bytes | int:
        """Verify and decrypt a request that `crypt_status` lets through."""
