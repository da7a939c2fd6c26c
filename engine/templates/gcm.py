"""`gcm(CIPHER)` and `gcm_base(CTR,GHASH)`: Galois/Counter Mode (SP 800-38D) over a ctr cipher.

The cipher gets one request for both the block that masks the tag and the text: a block of zeros in
front of the text, and the counter block J0 as IV.  So the list has an entry more than the
caller's, and the key stream of the text begins at counter 2.

Decryption writes the text before the tag is compared, as the kernel's does: of a message that is
-EBADMSG the destination must not be used (kernel-crypto, section 6.4).  Associated data are
not copied to another destination.
"""

from __future__ import annotations

import errno
import hmac
from collections.abc import Sequence

from tcrypt.engine.api.algorithms import AeadAlg, AhashAlg, ShashAlg, SkcipherAlg
from tcrypt.engine.api.errors import crypto_error
from tcrypt.engine.api.flags import AlgType
from tcrypt.engine.api.memory import Buffer
from tcrypt.engine.api.requests import AeadRequest, SkcipherRequest
from tcrypt.engine.api.scatterlist import Scatterlist, Segment
from tcrypt.engine.api.templates import Builder, Template, check_count
from tcrypt.engine.api.transforms import Aead, Skcipher
from tcrypt.engine.templates.aead_parts import (
    Piece,
    behind,
    chain,
)
from tcrypt.engine.templates.cipher_mac import CipherMac, CipherMacParts
from tcrypt.engine.templates.parts import key_part, xor
from tcrypt.engine.templates.steps import Scratch, Work, finish

__all__ = ("TEMPLATES", "Gcm", "check_counter_mode", "masked_request")

_BLOCK = 16
_IV = 12
_AUTH_SIZES = frozenset((4, 8, 12, 13, 14, 15, 16))


def check_counter_mode(template: str, ctr: SkcipherAlg) -> None:
    """OSError(EINVAL) unless a part is a stream cipher `ctr(...)` with a 16-byte IV."""
    if not (ctr.cra_name.startswith("ctr(") and ctr.ivsize == _BLOCK and ctr.cra_blocksize == 1):
        raise crypto_error(-errno.EINVAL, f"{template}: {ctr.cra_driver_name} is no 128-bit ctr")


def masked_request(
    request: AeadRequest, cipher: Skcipher, textlen: int, front: int, iv: Buffer
) -> SkcipherRequest:
    """A request for the block at address `front`, then the text of an AEAD request."""
    first = Segment(front, _BLOCK)
    source = chain(first, behind(request.src, request.assoclen))
    same = request.dst is request.src
    target = source if same else chain(first, behind(request.dst, request.assoclen))
    child = cipher.request()
    child.set_crypt(source, target, textlen + _BLOCK, iv)
    return child


class Gcm(CipherMac):
    """One instance; the methods are the operations of its AEAD."""

    template = "gcm"
    # The block that masks the tag, the counter; what the hash is given beside the caller's memory.
    room = 2 * _BLOCK + 3 * _BLOCK

    def __init__(self, ctr: SkcipherAlg, ghash: AhashAlg | ShashAlg) -> None:
        check_counter_mode("gcm", ctr)
        if ghash.cra_name != "ghash" or ghash.digestsize != _BLOCK:
            raise crypto_error(-errno.EINVAL, f"gcm: {ghash.cra_driver_name} is no ghash")
        super().__init__(ctr, ghash)

    def alg(self, flags: int) -> AeadAlg:
        """The descriptor; `flags` are those that it inherits (kernel-crypto, 6.8)."""
        ctr, ghash = self.cipher, self.hash
        return self.describe(
            f"gcm{ctr.cra_name.removeprefix('ctr')}",
            f"gcm_base({ctr.cra_driver_name},{ghash.cra_driver_name})",
            (ctr.cra_priority + ghash.cra_priority) // 2,
            _IV,
            flags,
        )

    def setkey(self, tfm: Aead, key: bytearray) -> int:
        """Key the cipher, and GHASH with the encryption of a block of zeros (H)."""
        parts: CipherMacParts = tfm.ctx
        cipher, memory = parts.cipher, tfm.machine.memory
        status = key_part(cipher, tfm, bytes(key))
        if status:
            return status
        with Scratch(memory, 2 * _BLOCK) as room:
            memory.write(room, bytes(2 * _BLOCK))
            block = Scatterlist(memory, [Segment(room, _BLOCK)])
            request = cipher.request()
            request.set_crypt(block, block, _BLOCK, Buffer(memory, room + _BLOCK, _BLOCK))
            status = finish(tfm.machine.sim, cipher.encrypt, request)
            subkey = memory.read(room, _BLOCK)
        return status or key_part(parts.mac.tfm, tfm, subkey)

    def setauthsize(self, tfm: Aead, authsize: int) -> int:
        """4, 8 or 12 to 16 bytes (SP 800-38D, 5.2.1.2); -EINVAL for others."""
        return 0 if authsize in _AUTH_SIZES else -errno.EINVAL

    def seal(self, request: AeadRequest) -> Work:
        """Encrypt, then authenticate the ciphertext."""
        parts: CipherMacParts = request.tfm.ctx
        memory, textlen = request.tfm.machine.memory, request.cryptlen
        with Scratch(memory, 2 * _BLOCK) as room:
            memory.write(room, bytes(_BLOCK) + _first_counter(request))
            iv = Buffer(memory, room + _BLOCK, _BLOCK)
            yield (
                parts.cipher.encrypt,
                masked_request(request, parts.cipher, textlen, room, iv),
            )
            mask = memory.read(room, _BLOCK)
            mac = yield from parts.mac.digest(_hashed(request, request.dst, textlen))
        request.dst.write(xor(mac, mask)[: request.tfm.authsize], request.assoclen + textlen)
        return 0

    def open(self, request: AeadRequest) -> Work:
        """Authenticate the ciphertext, decrypt, and compare at last."""
        parts: CipherMacParts = request.tfm.ctx
        memory, authsize = request.tfm.machine.memory, request.tfm.authsize
        textlen = request.cryptlen - authsize
        tag = request.src.read(authsize, request.assoclen + textlen)
        with Scratch(memory, 2 * _BLOCK) as room:
            memory.write(room, bytes(_BLOCK) + _first_counter(request))
            mac = yield from parts.mac.digest(_hashed(request, request.src, textlen))
            iv = Buffer(memory, room + _BLOCK, _BLOCK)
            yield (
                parts.cipher.decrypt,
                masked_request(request, parts.cipher, textlen, room, iv),
            )
            mask = memory.read(room, _BLOCK)
        good = hmac.compare_digest(tag, xor(mac, mask)[:authsize])
        return 0 if good else -errno.EBADMSG


def _first_counter(request: AeadRequest) -> bytes:
    """J0 for a 96-bit IV (SP 800-38D, 7.1)."""
    assert request.iv is not None, "gcm was called without an IV"
    return request.iv.read(_IV) + b"\0\0\0\1"


def _hashed(request: AeadRequest, text: Scatterlist, textlen: int) -> list[Piece]:
    """Associated data and ciphertext, each filled up to whole blocks, then their lengths."""
    assoclen = request.assoclen
    lengths = (assoclen * 8).to_bytes(8, "big") + (textlen * 8).to_bytes(8, "big")
    return [
        (request.src, assoclen, 0),
        bytes(-assoclen % _BLOCK),
        (text, textlen, assoclen),
        bytes(-textlen % _BLOCK) + lengths,
    ]


def _create(builder: Builder, arguments: Sequence[str]) -> AeadAlg:
    check_count("gcm", arguments, 1)
    ctr, ghash = builder.skcipher(f"ctr({arguments[0]})"), builder.ahash("ghash")
    return Gcm(ctr, ghash).alg(builder.flags)


def _create_base(builder: Builder, arguments: Sequence[str]) -> AeadAlg:
    check_count("gcm_base", arguments, 2)
    ctr, ghash = builder.skcipher(arguments[0]), builder.ahash(arguments[1])
    return Gcm(ctr, ghash).alg(builder.flags)


TEMPLATES = (
    Template("gcm", AlgType.AEAD, _create),
    Template("gcm_base", AlgType.AEAD, _create_base),
)
