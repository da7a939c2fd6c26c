"""Templates seqiv and echainiv: AEADs that make the IV themselves, from a sequence number.

The caller's IV is the sequence number.  Behind the associated data both lists have room for an IV,
which belongs to the text: encryption writes it there, decryption reads it from there.  It is
authenticated.  Each transform draws a salt when it is opened.

* seqiv: the IV is the sequence number xor the salt.
* echainiv, for cbc: salt times sequence number is the IV of a block of zeros in front of the text;
  the ciphertext of that block is the IV that is sent.

Both depend on nothing but salt and sequence number: a caller who gives the same number twice gets
the same IV twice.  A user of AF_ALG, who sets the IV of a request and not a sequence number, sees
the same IV with each request (real-kernel, section 3).
"""

from __future__ import annotations

import errno

from tcrypt.engine.api.algorithms import AeadAlg
from tcrypt.engine.api.errors import crypto_error
from tcrypt.engine.api.flags import AlgType
from tcrypt.engine.api.requests import AeadRequest
from tcrypt.engine.api.templates import Template
from tcrypt.engine.api.transforms import Aead
from tcrypt.engine.templates.over_aead import OverAead, creator, step
from tcrypt.engine.templates.parts import xor
from tcrypt.engine.templates.steps import Work

__all__ = ("TEMPLATES", "Echainiv", "Seqiv")

_WORD = 8
_WORD_MASK = (1 << 64) - 1


class _Geniv(OverAead):
    """What both have in common."""

    def __init__(self, child: AeadAlg) -> None:
        if child.ivsize < _WORD:
            what = f"{self.template}: {child.cra_driver_name} has an IV of {child.ivsize} bytes"
            raise crypto_error(-errno.EINVAL, what)
        super().__init__(child)

    def init_tfm(self, tfm: Aead) -> int:
        """Open the child and draw the salt."""
        status = super().init_tfm(tfm)
        if not status:
            tfm.ctx.salt = tfm.machine.random(self.ivsize)
        return status

    def request_status(self, request: AeadRequest, *, encrypt: bool) -> int:
        """-EINVAL for a text without a whole IV in front."""
        least = self.ivsize if encrypt else self.ivsize + request.tfm.authsize
        return -errno.EINVAL if request.cryptlen < least else 0

    def sealed(self, request: AeadRequest, child: AeadRequest) -> None:
        """Fill in the child's request for an encryption in the destination."""
        raise NotImplementedError

    def work(self, request: AeadRequest, *, encrypt: bool) -> Work:
        """One request to the child: the IV is associated data, or the text begins with it."""
        src, dst, assoclen, ivsize = request.src, request.dst, request.assoclen, self.ivsize
        assert request.iv is not None, f"{self.template} was called without an IV"
        child = request.tfm.ctx.child.request()
        if encrypt:
            if dst is not src:
                dst.write(src.read(assoclen + request.cryptlen))
            self.sealed(request, child)
        else:
            request.iv.write(src.read(ivsize, assoclen))
            child.set_crypt(src, dst, request.cryptlen - ivsize, request.iv)
            child.set_ad(assoclen + ivsize)
        yield step(child, encrypt=encrypt)
        return 0


class Seqiv(_Geniv):
    """`seqiv(rfc4106(gcm(aes)))`."""

    template = "seqiv"

    def sealed(self, request: AeadRequest, child: AeadRequest) -> None:
        """The IV goes behind the associated data and is part of the child's."""
        assert request.iv is not None
        iv = xor(request.iv.read(self.ivsize), request.tfm.ctx.salt)
        request.iv.write(iv)
        request.dst.write(iv, request.assoclen)
        length = request.cryptlen - self.ivsize
        child.set_crypt(request.dst, request.dst, length, request.iv)
        child.set_ad(request.assoclen + self.ivsize)


class Echainiv(_Geniv):
    """`echainiv(authenc(hmac(sha1),cbc(aes)))`."""

    template = "echainiv"

    def sealed(self, request: AeadRequest, child: AeadRequest) -> None:
        """The child encrypts a block of zeros in front of the text, which becomes the IV."""
        assert request.iv is not None
        given = request.iv.read(self.ivsize)
        request.iv.write(multiplied(request.tfm.ctx.salt, given))
        request.dst.write(bytes(self.ivsize), request.assoclen)
        child.set_crypt(request.dst, request.dst, request.cryptlen, request.iv)
        child.set_ad(request.assoclen)


def multiplied(salt: bytes, iv: bytes) -> bytes:
    """Each 8-byte word of the salt, made odd, times the big-endian number at the IV's end.

    Words are little-endian, products are cut to 64 bits.
    """
    number = int.from_bytes(iv[-_WORD:], "big")
    words = (salt[i : i + _WORD] for i in range(0, len(salt), _WORD))
    products = (((int.from_bytes(word, "little") | 1) * number) & _WORD_MASK for word in words)
    return b"".join(product.to_bytes(_WORD, "little") for product in products)


TEMPLATES = tuple(
    Template(kind.template, AlgType.AEAD, creator(kind)) for kind in (Seqiv, Echainiv)
)
