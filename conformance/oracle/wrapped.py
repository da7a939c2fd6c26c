"""AEADs around an AEAD that change its IV: essiv, seqiv and echainiv.

Facts: kernel-crypto, section 6.4; real-kernel, section 3.
"""

from __future__ import annotations

import errno
from functools import lru_cache

from Crypto.Hash import SHA256
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from tcrypt.oracle.aead import AeadReference
from tcrypt.oracle.blocks import run

__all__ = ("EssivReference", "GenivReference")


class _Wrapped(AeadReference):
    """Keys, tags and sizes are those of the AEAD inside."""

    def __init__(self, name: str, inner: AeadReference) -> None:
        super().__init__(
            name,
            block_size=inner.block_size,
            ivsize=inner.ivsize,
            chunksize=inner.chunksize,
            maxauthsize=inner.maxauthsize,
            key_sizes=inner.key_sizes,
            aad_copied_to_dst=None,
        )
        self.inner = inner
        self.verifies_first = inner.verifies_first

    @property
    def enckey_sizes(self) -> tuple[int, ...]:
        """Those of the AEAD inside."""
        return self.inner.enckey_sizes

    def setkey_allowed(
        self, key: bytes, *, forbid_weak: bool = False, fips: bool = False
    ) -> frozenset[int]:
        """Those of the AEAD inside."""
        return self.inner.setkey_allowed(key, forbid_weak=forbid_weak, fips=fips)

    def split_key(self, key: bytes) -> tuple[bytes, bytes] | None:
        """As the AEAD inside."""
        return self.inner.split_key(key)

    def join_key(self, authkey: bytes, enckey: bytes) -> bytes:
        """As the AEAD inside."""
        return self.inner.join_key(authkey, enckey)

    def authsize_status(self, authsize: int) -> int:
        """That of the AEAD inside."""
        return self.inner.authsize_status(authsize)


class EssivReference(_Wrapped):
    """`essiv(authenc(MAC,cbc(aes)),sha256)`.

    The IV is encrypted with AES under SHA-256 of cipher key and MAC key.  The associated data end
    in the encrypted IV: encryption puts it there itself, decryption may or may not, so a caller
    who wants the same answer from both brings it along.
    """

    usual_assoc = 32

    def laid_out(self, key: bytes, iv: bytes, assoc: bytes) -> bytes:
        """The encrypted IV in the place of the last bytes."""
        return assoc[: -self.ivsize] + self._iv(key, iv) if len(assoc) >= self.ivsize else assoc

    def authenticated(self, assoclen: int) -> int:
        """All but the IV: a changed one is put right by a decryption in place."""
        return max(0, assoclen - self.ivsize)

    def header(self, encrypt: bool, assoclen: int) -> tuple[int, ...]:
        """A decryption writes the encrypted IV to the destination, and nothing in front of it."""
        return (assoclen,) if encrypt else (assoclen - self.ivsize, self.ivsize)

    def _iv(self, key: bytes, iv: bytes) -> bytes:
        keys = self.split_key(key)
        if keys is None:
            raise ValueError(f"{self.name}: malformed authenc key {key.hex()}")
        return run(_salted(keys[1] + keys[0]), ECB(), iv, True)

    def _text_status(self, encrypt: bool, assoclen: int, textlen: int, iv: bytes) -> int:
        if assoclen < self.ivsize:
            return -errno.EINVAL
        return self.inner._text_status(encrypt, assoclen, textlen, iv)

    def _seal(self, key: bytes, iv: bytes, assoc: bytes, ptext: bytes, authsize: int) -> bytes:
        assoc = self.laid_out(key, iv, assoc)
        return self.inner._seal(key, self._iv(key, iv), assoc, ptext, authsize)

    def _open(self, key: bytes, iv: bytes, assoc: bytes, ctext: bytes, tag: bytes) -> bytes | int:
        return self.inner._open(key, self._iv(key, iv), assoc, ctext, tag)


class GenivReference(_Wrapped):
    """`seqiv(AEAD)` and `echainiv(AEAD)`: the text begins with the IV, which is authenticated.

    How the IV comes about is the implementation's secret (a random salt), so `encrypt` takes the
    IV that is to be sent, and `decrypt` does not look at the one it is given.
    """

    iv_in_text = True

    def __init__(self, name: str, inner: AeadReference) -> None:
        super().__init__(name, inner)
        if inner.assoc_sizes is not None:
            self.assoc_sizes = tuple(size - inner.ivsize for size in inner.assoc_sizes)
        else:
            self.usual_assoc = inner.usual_assoc + inner.ivsize

    def header(self, encrypt: bool, assoclen: int) -> tuple[int, ...]:
        """A decryption does with the IV what it does with associated data."""
        return (assoclen,) if encrypt else (assoclen, self.ivsize)

    def _text_status(self, encrypt: bool, assoclen: int, textlen: int, iv: bytes) -> int:
        size = self.ivsize
        if textlen < size:
            return -errno.EINVAL
        return self.inner._text_status(encrypt, assoclen + size, textlen - size, iv)

    def _seal(self, key: bytes, iv: bytes, assoc: bytes, ptext: bytes, authsize: int) -> bytes:
        return iv + self.inner._seal(key, iv, assoc + iv, ptext[self.ivsize :], authsize)

    def _open(self, key: bytes, iv: bytes, assoc: bytes, ctext: bytes, tag: bytes) -> bytes | int:
        sent, ctext = ctext[: self.ivsize], ctext[self.ivsize :]
        text = self.inner._open(key, sent, assoc + sent, ctext, tag)
        return text if isinstance(text, int) else sent + text


@lru_cache(maxsize=256)
def _salted(key: bytes) -> AES:
    return AES(SHA256.new(key).digest())
