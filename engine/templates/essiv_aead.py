"""Template essiv over authenc: `essiv(authenc(hmac(sha256),cbc(aes)),sha256)`.

The block cipher of the mode, keyed with the digest of both keys, encrypts the caller's IV, in the
caller's memory.  dm-crypt lets the associated data end in the IV, so encryption authenticates them
with the encrypted IV in its place, and whatever the caller had there is overwritten: in the source
when that is the destination as well, else in what the MAC sees.  Decryption writes it to the
destination.  So what is decrypted elsewhere than in place must bring the encrypted IV along.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence

from tcrypt.engine.api.algorithms import AeadAlg, ShashAlg
from tcrypt.engine.api.authenc import split_authenc_key
from tcrypt.engine.api.errors import crypto_error
from tcrypt.engine.api.flags import AlgType
from tcrypt.engine.api.requests import AeadRequest
from tcrypt.engine.api.scatterlist import Scatterlist, Segment
from tcrypt.engine.api.templates import Builder, Template, check_count
from tcrypt.engine.api.transforms import Aead, Cipher
from tcrypt.engine.templates.aead_parts import behind, status_of
from tcrypt.engine.templates.essiv_salt import salt_cipher, salted
from tcrypt.engine.templates.over_aead import Inner, OverAead, step
from tcrypt.engine.templates.parts import key_part
from tcrypt.engine.templates.steps import Scratch, Work

__all__ = ("TEMPLATE",)


class _Inner(Inner):
    """What a transform keeps: the cipher for the IVs as well."""

    __slots__ = ("cipher",)

    def __init__(self, child: Aead, cipher: Cipher) -> None:
        super().__init__(child)
        self.cipher = cipher


class _Essiv(OverAead):
    """An instance over one authenc; the methods are operations of its AEAD."""

    template = "essiv"

    def __init__(self, child: AeadAlg, digest: ShashAlg, cipher: str) -> None:
        super().__init__(child)
        self.digest = digest
        self.cipher = cipher
        self.room = child.ivsize

    def names(self) -> tuple[str, str]:
        """Both names tell the hash as well."""
        child, digest = self.child, self.digest
        return (
            f"essiv({child.cra_name},{digest.cra_name})",
            f"essiv({child.cra_driver_name},{digest.cra_driver_name})",
        )

    def init_tfm(self, tfm: Aead) -> int:
        """Open the child, and whatever implements its block cipher."""
        status = super().init_tfm(tfm)
        if status:
            return status
        child: Aead = tfm.ctx.child
        try:
            tfm.ctx = _Inner(child, tfm.machine.registry.alloc_cipher(self.cipher))
        except OSError as error:
            tfm.machine.registry.free(child)
            return status_of(error)
        return 0

    def exit_tfm(self, tfm: Aead) -> None:
        """Release both."""
        tfm.machine.registry.free(tfm.ctx.cipher)
        super().exit_tfm(tfm)

    def setkey(self, tfm: Aead, key: bytearray) -> int:
        """The child's key rules, then the cipher's for the digest of cipher key and MAC key."""
        status = super().setkey(tfm, key)
        keys = split_authenc_key(key)
        if status or keys is None:
            return status or -errno.EINVAL
        try:
            salt = salted(tfm, self.digest, keys.enckey + keys.authkey)
        except OSError as error:
            return status_of(error)
        return key_part(tfm.ctx.cipher, tfm, salt)

    def request_status(self, request: AeadRequest, *, encrypt: bool) -> int:
        """-EINVAL for associated data that have no room for an IV."""
        return -errno.EINVAL if request.assoclen < self.ivsize else 0

    def work(self, request: AeadRequest, *, encrypt: bool) -> Work:
        """One request to the child, with the encrypted IV at the end of the associated data."""
        inner: _Inner = request.tfm.ctx
        memory, assoclen, iv = request.tfm.machine.memory, request.assoclen, request.iv
        assert iv is not None, "essiv was called without an IV"
        encrypted = inner.cipher.encrypt_block(iv.read(self.ivsize))
        iv.write(encrypted)
        source, front = request.src, assoclen - self.ivsize
        with Scratch(memory, self.room) as room:
            if encrypt and request.dst is not request.src:
                memory.write(room, encrypted)
                pieces = [*source.walk(front), Segment(room, self.ivsize)]
                source = Scatterlist(memory, [*pieces, *behind(source, assoclen).entries])
            else:
                request.dst.write(encrypted, front)
            child = inner.child.request()
            child.set_crypt(source, request.dst, request.cryptlen, iv)
            child.set_ad(assoclen)
            yield step(child, encrypt=encrypt)
        return 0


def _create(builder: Builder, arguments: Sequence[str]) -> AeadAlg:
    check_count("essiv", arguments, 2)
    child, digest = builder.aead(arguments[0]), builder.shash(arguments[1])
    if not child.cra_name.startswith("authenc("):
        raise crypto_error(-errno.EINVAL, f"essiv({child.cra_driver_name}): takes authenc only")
    cipher = salt_cipher(builder, child.cra_name, child.ivsize, digest)
    return _Essiv(child, digest, cipher).alg(builder.flags)


TEMPLATE = Template("essiv", AlgType.AEAD, _create)
