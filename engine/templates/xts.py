"""Template xts over an ecb mode: XTS with ciphertext stealing (IEEE 1619-2007, section 5).

The key is two keys of the cipher, for data and for the tweak.  Every block is masked before and
after the cipher with the encrypted tweak, doubled once for each block; the last bytes of a message
that is no whole number of blocks steal from the block before them.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from dataclasses import dataclass

from tcrypt.engine.api.algorithms import SkcipherAlg
from tcrypt.engine.api.errors import crypto_error
from tcrypt.engine.api.flags import AlgType, ReqFlag
from tcrypt.engine.api.requests import SkcipherRequest
from tcrypt.engine.api.templates import Builder, Template, check_count
from tcrypt.engine.api.transforms import Cipher, Skcipher
from tcrypt.engine.templates.parts import Room, key_part, xor
from tcrypt.engine.templates.steps import Work, run_steps

__all__ = ("TEMPLATES", "tweak_masks")

_BLOCK = 16
_FORBID_WEAK = int(ReqFlag.FORBID_WEAK_KEYS)
# x^128 + x^7 + x^2 + x + 1, little-endian.
_POLYNOMIAL = 1 << 128 | 0x87


@dataclass(slots=True)
class _Context:
    child: Skcipher
    tweak: Cipher


class _Xts:
    """An instance over one ecb; the methods are operations of the skcipher."""

    def __init__(self, child: SkcipherAlg, cipher: str) -> None:
        self.child = child
        self.cipher = cipher

    def init(self, tfm: Skcipher) -> int:
        """Open the ecb, and whatever implements the cipher for the tweak."""
        registry = tfm.machine.registry
        child = registry.spawn_skcipher(self.child)
        try:
            tfm.ctx = _Context(child, registry.alloc_cipher(self.cipher))
        except OSError as error:
            registry.free(child)
            return -(error.errno or errno.EINVAL)
        tfm.reqsize = 2 * _BLOCK + child.reqsize
        return 0

    def exit(self, tfm: Skcipher) -> None:
        """Close both."""
        for part in (tfm.ctx.tweak, tfm.ctx.child):
            tfm.machine.registry.free(part)
        tfm.ctx = None

    def setkey(self, tfm: Skcipher, key: bytearray) -> int:
        """-EINVAL for an odd length, and for equal halves if the caller or FIPS forbids them."""
        half, odd = divmod(len(key), 2)
        if odd:
            return -errno.EINVAL
        strict = tfm.machine.setup.fips or tfm.flags & _FORBID_WEAK
        if strict and key[:half] == key[half:]:
            return -errno.EINVAL
        context: _Context = tfm.ctx
        return key_part(context.tweak, tfm, key[half:]) or key_part(context.child, tfm, key[:half])

    def encrypt(self, request: SkcipherRequest) -> int:
        """Anything from one block on."""
        return self.submit(request, encrypt=True)

    def decrypt(self, request: SkcipherRequest) -> int:
        """Anything from one block on."""
        return self.submit(request, encrypt=False)

    def submit(self, request: SkcipherRequest, *, encrypt: bool) -> int:
        """-EINVAL for less than a block or a list that is too short; else the work's status."""
        length = request.cryptlen
        lists = request.src, request.dst
        if length < _BLOCK or any(one.nents_for_len(length) < 0 for one in lists):
            return -errno.EINVAL
        return run_steps(request, self.work(request, encrypt))

    def work(self, request: SkcipherRequest, encrypt: bool) -> Work:
        """All whole blocks at once, masked in dst; then the stealing, if there is a tail."""
        context: _Context = request.tfm.ctx
        assert request.iv is not None, "xts was called without an IV"
        src, dst, length = request.src, request.dst, request.cryptlen
        count, tail = divmod(length, _BLOCK)
        front = count * _BLOCK
        masks = tweak_masks(
            context.tweak.encrypt_block(request.iv.read(_BLOCK)), count + bool(tail)
        )
        stolen = src.read(tail, front)
        own = masks[:front]
        if tail and not encrypt:
            # The tail's mask comes last, and decryption needs it for the block before.
            own, masks = masks[: front - _BLOCK] + masks[front:], masks[:front]
        dst.write(xor(src.read(front), own))
        inner = context.child.request()
        inner.set_crypt(dst, dst, front, None)
        yield (context.child.encrypt if encrypt else context.child.decrypt), inner
        dst.write(xor(dst.read(front), own))
        if not tail:
            return 0
        with Room(request, _BLOCK) as last:
            mask = masks[-_BLOCK:]
            robbed = dst.read(_BLOCK, front - _BLOCK)
            last.buffer.write(xor(stolen + robbed[tail:], mask))
            inner = context.child.request()
            inner.set_crypt(last.list, last.list, _BLOCK, None)
            yield (context.child.encrypt if encrypt else context.child.decrypt), inner
            dst.write(xor(last.buffer.read(), mask) + robbed[:tail], front - _BLOCK)
        return 0


def tweak_masks(tweak: bytes, count: int) -> bytes:
    """The encrypted tweak times the powers of x in GF(2^128), one for each block."""
    value = int.from_bytes(tweak, "little")
    masks = []
    for _ in range(count):
        masks.append(value.to_bytes(_BLOCK, "little"))
        value <<= 1
        if value >> 128:
            value ^= _POLYNOMIAL
    return b"".join(masks)


def _child(builder: Builder, name: str) -> SkcipherAlg:
    """The ecb mode: itself by name, or that of a cipher."""
    try:
        return builder.skcipher(name)
    except OSError as error:
        if error.errno != errno.ENOENT:
            raise
    return builder.skcipher(f"ecb({name})")


def _create(builder: Builder, arguments: Sequence[str]) -> SkcipherAlg:
    check_count("xts", arguments, 1)
    child = _child(builder, arguments[0])
    cipher = child.cra_name.removeprefix("ecb(").removesuffix(")")
    if child.cra_blocksize != _BLOCK or child.ivsize or child.cra_name != f"ecb({cipher})":
        raise crypto_error(-errno.EINVAL, f"xts({arguments[0]})")
    shared = _Xts(child, cipher)
    return SkcipherAlg(
        cra_name=f"xts({cipher})",
        cra_driver_name=f"xts({child.cra_driver_name})",
        cra_priority=child.cra_priority,
        cra_flags=builder.flags,
        cra_blocksize=_BLOCK,
        cra_alignmask=child.cra_alignmask,
        cra_module="xts",
        min_keysize=2 * child.min_keysize,
        max_keysize=2 * child.max_keysize,
        ivsize=_BLOCK,
        chunksize=child.chunksize,
        setkey=shared.setkey,
        encrypt=shared.encrypt,
        decrypt=shared.decrypt,
        init=shared.init,
        exit=shared.exit,
    )


TEMPLATES = (Template("xts", AlgType.SKCIPHER, _create),)
