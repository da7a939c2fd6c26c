"""`authenc(MAC,CIPHER)`: encrypt, then MAC over associated data and ciphertext.

Decryption checks the MAC before it looks at anything else, so that a forged message of a bad
length is -EBADMSG, and the destination keeps what it held (kernel-crypto, section 6.4).  The IV is
not authenticated.  Encryption copies the associated data to another destination.
"""

from __future__ import annotations

import errno
import hmac
from collections.abc import Sequence

from tcrypt.engine.api.algorithms import AeadAlg
from tcrypt.engine.api.authenc import split_authenc_key
from tcrypt.engine.api.flags import AlgType
from tcrypt.engine.api.requests import AeadRequest, SkcipherRequest
from tcrypt.engine.api.scatterlist import Scatterlist
from tcrypt.engine.api.templates import Builder, Template, check_count
from tcrypt.engine.api.transforms import Aead, Skcipher
from tcrypt.engine.templates.aead_parts import Piece, behind
from tcrypt.engine.templates.cipher_mac import CipherMac, CipherMacParts
from tcrypt.engine.templates.parts import key_part
from tcrypt.engine.templates.steps import Work

__all__ = ("TEMPLATES", "Authenc")


class Authenc(CipherMac):
    """One instance; the methods are the operations of its AEAD."""

    template = "authenc"

    def alg(self, flags: int) -> AeadAlg:
        """The descriptor; `flags` are those that it inherits (kernel-crypto, 6.8)."""
        auth, enc = self.hash, self.cipher
        return self.describe(
            f"{self.template}({auth.cra_name},{enc.cra_name})",
            f"{self.template}({auth.cra_driver_name},{enc.cra_driver_name})",
            enc.cra_priority * 10 + auth.cra_priority,
            enc.ivsize,
            flags,
        )

    def setkey(self, tfm: Aead, key: bytearray) -> int:
        """Split the blob and key the MAC, then the cipher; -EINVAL for a malformed blob."""
        keys = split_authenc_key(key)
        if keys is None:
            return -errno.EINVAL
        parts: CipherMacParts = tfm.ctx
        return key_part(parts.mac.tfm, tfm, keys.authkey) or key_part(
            parts.cipher, tfm, keys.enckey
        )

    def setauthsize(self, tfm: Aead, authsize: int) -> int:
        """Any length up to the digest's, which the core sees to."""
        return 0

    def pieces(self, text: Scatterlist, assoclen: int, textlen: int) -> Sequence[Piece]:
        """What the MAC covers of a list that holds associated data and ciphertext."""
        return [(text, assoclen + textlen, 0)]

    def seal(self, request: AeadRequest) -> Work:
        """Encrypt, then write the MAC behind the ciphertext."""
        parts: CipherMacParts = request.tfm.ctx
        dst, assoclen, textlen = request.dst, request.assoclen, request.cryptlen
        authsize = request.tfm.authsize
        if dst is not request.src and assoclen:
            dst.write(request.src.read(assoclen))
        yield parts.cipher.encrypt, self._cipher_request(request, parts.cipher, textlen)
        mac = yield from parts.mac.digest(self.pieces(dst, assoclen, textlen))
        dst.write(mac[:authsize], assoclen + textlen)
        return 0

    def open(self, request: AeadRequest) -> Work:
        """Check the MAC, then decrypt."""
        parts: CipherMacParts = request.tfm.ctx
        authsize, assoclen = request.tfm.authsize, request.assoclen
        textlen = request.cryptlen - authsize
        mac = yield from parts.mac.digest(self.pieces(request.src, assoclen, textlen))
        tag = request.src.read(authsize, assoclen + textlen)
        if not hmac.compare_digest(tag, mac[:authsize]):
            return -errno.EBADMSG
        yield parts.cipher.decrypt, self._cipher_request(request, parts.cipher, textlen)
        return 0

    def _cipher_request(
        self, request: AeadRequest, cipher: Skcipher, textlen: int
    ) -> SkcipherRequest:
        """The text of a request, in place where the request is."""
        child = cipher.request()
        source = behind(request.src, request.assoclen)
        same = request.dst is request.src
        target = source if same else behind(request.dst, request.assoclen)
        child.set_crypt(source, target, textlen, request.iv)
        return child


def _create(builder: Builder, arguments: Sequence[str]) -> AeadAlg:
    check_count("authenc", arguments, 2)
    auth, enc = builder.ahash(arguments[0]), builder.skcipher(arguments[1])
    return Authenc(enc, auth).alg(builder.flags)


TEMPLATES = (Template("authenc", AlgType.AEAD, _create),)
