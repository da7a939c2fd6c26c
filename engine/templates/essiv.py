"""Template essiv over an skcipher: the IV is encrypted under a hash of the key.

`essiv(cbc(aes),sha256)` turns a sector number into an IV that nobody can predict without the key:
the block cipher of the mode, keyed with the digest of the key, encrypts it.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from dataclasses import dataclass

from tcrypt.engine.api.algorithms import ShashAlg, SkcipherAlg
from tcrypt.engine.api.flags import AlgType
from tcrypt.engine.api.requests import SkcipherRequest
from tcrypt.engine.api.templates import Builder, Template, check_count
from tcrypt.engine.api.transforms import Cipher, Skcipher
from tcrypt.engine.templates import essiv_aead
from tcrypt.engine.templates.essiv_salt import salt_cipher, salted
from tcrypt.engine.templates.parts import Room, key_part
from tcrypt.engine.templates.steps import Work, run_steps

__all__ = ("TEMPLATES", "create_skcipher")


@dataclass(slots=True)
class _Context:
    child: Skcipher
    cipher: Cipher


class _Essiv:
    """An instance over one skcipher; the methods are operations of the skcipher."""

    def __init__(self, child: SkcipherAlg, digest: ShashAlg, cipher: str) -> None:
        self.child = child
        self.digest = digest
        self.cipher = cipher

    def init(self, tfm: Skcipher) -> int:
        """Open the mode, and whatever implements its block cipher."""
        registry = tfm.machine.registry
        child = registry.spawn_skcipher(self.child)
        try:
            tfm.ctx = _Context(child, registry.alloc_cipher(self.cipher))
        except OSError as error:
            registry.free(child)
            return -(error.errno or errno.EINVAL)
        tfm.reqsize = self.child.ivsize + child.reqsize
        return 0

    def exit(self, tfm: Skcipher) -> None:
        """Close both."""
        for part in (tfm.ctx.cipher, tfm.ctx.child):
            tfm.machine.registry.free(part)
        tfm.ctx = None

    def setkey(self, tfm: Skcipher, key: bytearray) -> int:
        """The mode's key rules, then the cipher's for the digest."""
        context: _Context = tfm.ctx
        status = key_part(context.child, tfm, key)
        if status:
            return status
        try:
            salt = salted(tfm, self.digest, bytes(key))
        except OSError as error:
            return -(error.errno or errno.EINVAL)
        return key_part(context.cipher, tfm, salt)

    def encrypt(self, request: SkcipherRequest) -> int:
        """The mode's encryption with the encrypted IV."""
        return run_steps(request, self.work(request, encrypt=True))

    def decrypt(self, request: SkcipherRequest) -> int:
        """The mode's decryption with the encrypted IV: encryption here as well."""
        return run_steps(request, self.work(request, encrypt=False))

    def work(self, request: SkcipherRequest, *, encrypt: bool) -> Work:
        """The encrypted IV has memory of its own: the caller's stays what it is."""
        context: _Context = request.tfm.ctx
        assert request.iv is not None, "essiv was called without an IV"
        with Room(request, self.child.ivsize) as hidden:
            iv = request.iv.read(self.child.ivsize)
            hidden.buffer.write(context.cipher.encrypt_block(iv))
            inner = context.child.request()
            inner.set_crypt(request.src, request.dst, request.cryptlen, hidden.buffer)
            yield (context.child.encrypt if encrypt else context.child.decrypt), inner
        return 0


def create_skcipher(builder: Builder, arguments: Sequence[str]) -> SkcipherAlg:
    """An instance over an skcipher; OSError as a part's lookup, EINVAL when they do not fit."""
    check_count("essiv", arguments, 2)
    child = builder.skcipher(arguments[0])
    digest = builder.shash(arguments[1])
    cipher = salt_cipher(builder, child.cra_name, child.ivsize, digest)
    shared = _Essiv(child, digest, cipher)
    return SkcipherAlg(
        cra_name=f"essiv({child.cra_name},{digest.cra_name})",
        cra_driver_name=f"essiv({child.cra_driver_name},{digest.cra_driver_name})",
        cra_priority=child.cra_priority,
        cra_flags=builder.flags,
        cra_blocksize=child.cra_blocksize,
        cra_alignmask=child.cra_alignmask,
        cra_module="essiv",
        min_keysize=child.min_keysize,
        max_keysize=child.max_keysize,
        ivsize=child.ivsize,
        chunksize=child.chunksize,
        setkey=shared.setkey,
        encrypt=shared.encrypt,
        decrypt=shared.decrypt,
        init=shared.init,
        exit=shared.exit,
    )


TEMPLATES = (Template("essiv", AlgType.SKCIPHER, create_skcipher, [essiv_aead.TEMPLATE]),)
