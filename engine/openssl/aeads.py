"""gcm(aes) and ccm(aes) on OpenSSL, whole messages at a time.

Both take the tag lengths of kernel-crypto, section 6.4.  Text is written only once the tag was
compared, and associated data are not copied to another destination.
"""

from __future__ import annotations

import errno
from abc import ABC, abstractmethod

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import GCM

from tcrypt.engine.api.algorithms import AeadAlg
from tcrypt.engine.api.requests import AeadRequest
from tcrypt.engine.api.transforms import Aead
from tcrypt.engine.openssl.library import MODULE, PRIORITY
from tcrypt.engine.templates.aead_parts import check_lists

__all__ = ("aead_algs",)

_BLOCK = 16
_KEY_SIZES = (16, 24, 32)


class _AesAead(ABC):
    """One AEAD over AES; the methods are its operations.

    Attributes:
        mode: the name in front of `(aes)`.
        ivsize: bytes of the request's IV.
        auth_sizes: the tag lengths that setauthsize takes.
    """

    mode: str
    ivsize: int
    auth_sizes: frozenset[int]

    def alg(self) -> AeadAlg:
        """The descriptor to register."""
        return AeadAlg(
            cra_name=f"{self.mode}(aes)",
            cra_driver_name=f"{self.mode}-aes-{MODULE}",
            cra_priority=PRIORITY,
            cra_blocksize=1,
            cra_module=MODULE,
            ivsize=self.ivsize,
            chunksize=_BLOCK,
            maxauthsize=_BLOCK,
            setkey=self.setkey,
            setauthsize=self.setauthsize,
            encrypt=self.encrypt,
            decrypt=self.decrypt,
            exit=self.exit,
        )

    def setkey(self, tfm: Aead, key: bytearray) -> int:
        """Take a key of AES."""
        if len(key) not in _KEY_SIZES:
            return -errno.EINVAL
        tfm.ctx = bytes(key)
        return 0

    def exit(self, tfm: Aead) -> None:
        """Forget the key."""
        tfm.ctx = None

    def setauthsize(self, tfm: Aead, authsize: int) -> int:
        """-EINVAL for a tag length that the mode does not have."""
        return 0 if authsize in self.auth_sizes else -errno.EINVAL

    def encrypt(self, request: AeadRequest) -> int:
        """Write ciphertext and tag behind the associated data."""
        authsize, textlen = request.tfm.authsize, request.cryptlen
        status = check_lists(request, authsize, encrypt=True)
        status = status or self.request_status(request, textlen)
        if status:
            return status
        text = request.src.read(textlen, request.assoclen)
        sealed = self.seal(request.tfm.ctx, _iv(request), _assoc(request), text, authsize)
        request.dst.write(sealed, request.assoclen)
        return 0

    def decrypt(self, request: AeadRequest) -> int:
        """Write the plaintext behind the associated data; -EBADMSG for a forgery."""
        authsize = request.tfm.authsize
        textlen = request.cryptlen - authsize
        status = check_lists(request, authsize, encrypt=False)
        status = status or self.request_status(request, textlen)
        if status:
            return status
        sealed = request.src.read(request.cryptlen, request.assoclen)
        text, tag = sealed[:textlen], sealed[textlen:]
        try:
            opened = self.open(request.tfm.ctx, _iv(request), _assoc(request), text, tag)
        except InvalidTag:
            return -errno.EBADMSG
        request.dst.write(opened, request.assoclen)
        return 0

    def request_status(self, request: AeadRequest, textlen: int) -> int:
        """The errno of a request that must be refused whatever its data are; 0 otherwise."""
        return 0

    @abstractmethod
    def seal(self, key: bytes, iv: bytes, assoc: bytes, text: bytes, authsize: int) -> bytes:
        """Ciphertext and tag."""

    @abstractmethod
    def open(self, key: bytes, iv: bytes, assoc: bytes, text: bytes, tag: bytes) -> bytes:
        """The plaintext; `InvalidTag` for a forgery."""


class _Gcm(_AesAead):
    """SP 800-38D with a 96-bit IV; a short tag is the front of the whole one (5.2.1.2)."""

    mode = "gcm"
    ivsize = 12
    auth_sizes = frozenset((4, 8, 12, 13, 14, 15, 16))

    def seal(self, key: bytes, iv: bytes, assoc: bytes, text: bytes, authsize: int) -> bytes:
        """Ciphertext and tag."""
        return AESGCM(key).encrypt(iv, text, assoc)[: len(text) + authsize]

    def open(self, key: bytes, iv: bytes, assoc: bytes, text: bytes, tag: bytes) -> bytes:
        """The plaintext: by a context of OpenSSL's, since `AESGCM` compares whole tags only."""
        opener = Cipher(AES(key), GCM(iv, tag, min_tag_length=len(tag))).decryptor()
        opener.authenticate_additional_data(assoc)
        return opener.update(text) + opener.finalize()


class _Ccm(_AesAead):
    """SP 800-38C; the IV is L - 1, the nonce of 15 - L bytes, and L bytes not looked at."""

    mode = "ccm"
    ivsize = 16
    auth_sizes = frozenset((4, 6, 8, 10, 12, 14, 16))

    def request_status(self, request: AeadRequest, textlen: int) -> int:
        """-EINVAL for an L outside of 2 .. 8, -EOVERFLOW for a length that L bytes cannot tell."""
        size = _iv(request)[0] + 1
        if not 2 <= size <= 8:
            return -errno.EINVAL
        return -errno.EOVERFLOW if textlen >> 8 * size else 0

    def seal(self, key: bytes, iv: bytes, assoc: bytes, text: bytes, authsize: int) -> bytes:
        """Ciphertext and tag."""
        return AESCCM(key, authsize).encrypt(iv[1 : 15 - iv[0]], text, assoc)

    def open(self, key: bytes, iv: bytes, assoc: bytes, text: bytes, tag: bytes) -> bytes:
        """The plaintext."""
        return AESCCM(key, len(tag)).decrypt(iv[1 : 15 - iv[0]], text + tag, assoc)


def _iv(request: AeadRequest) -> bytes:
    assert request.iv is not None, "an AEAD was called without an IV"
    return request.iv.read(request.tfm.alg.ivsize)


def _assoc(request: AeadRequest) -> bytes:
    return request.src.read(request.assoclen)


def aead_algs() -> list[AeadAlg]:
    """New descriptors of both."""
    return [_Gcm().alg(), _Ccm().alg()]
