"""`ccm(CIPHER)` and `ccm_base(CTR,CBCMAC)`: Counter with CBC-MAC (SP 800-38C).

The 16-byte IV is the first counter block: one byte L - 1, the nonce of 15 - L bytes, and L bytes
that are not looked at.  Encryption authenticates the plaintext first; decryption writes it before
the tag is compared, as the kernel's does (kernel-crypto, section 6.4).  As in gcm, the block that
masks the tag goes in front of the text in one request to the cipher.
"""

from __future__ import annotations

import errno
import hmac
from collections.abc import Sequence

from tcrypt.engine.api.algorithms import AeadAlg, AhashAlg, ShashAlg, SkcipherAlg
from tcrypt.engine.api.errors import crypto_error
from tcrypt.engine.api.flags import AlgType
from tcrypt.engine.api.memory import Buffer
from tcrypt.engine.api.requests import AeadRequest
from tcrypt.engine.api.scatterlist import Scatterlist
from tcrypt.engine.api.templates import Builder, Template, check_count
from tcrypt.engine.api.transforms import Aead
from tcrypt.engine.templates.aead_parts import (
    Piece,
)
from tcrypt.engine.templates.cipher_mac import CipherMac, CipherMacParts
from tcrypt.engine.templates.gcm import check_counter_mode, masked_request
from tcrypt.engine.templates.parts import key_part
from tcrypt.engine.templates.steps import Scratch, Work

__all__ = ("TEMPLATES", "Ccm")

_BLOCK = 16
_AUTH_SIZES = frozenset((4, 6, 8, 10, 12, 14, 16))
_SHORT_ASSOC = 0xFF00


class Ccm(CipherMac):
    """One instance; the methods are the operations of its AEAD."""

    template = "ccm"
    # The block that masks the tag, the counter; what the hash is given beside the caller's memory.
    room = 2 * _BLOCK + 5 * _BLOCK

    def __init__(self, ctr: SkcipherAlg, mac: AhashAlg | ShashAlg) -> None:
        check_counter_mode("ccm", ctr)
        cipher = ctr.cra_name.removeprefix("ctr")
        if mac.cra_name != f"cbcmac{cipher}" or mac.digestsize != _BLOCK:
            raise crypto_error(-errno.EINVAL, f"ccm: {mac.cra_driver_name} is no cbcmac{cipher}")
        super().__init__(ctr, mac)

    def alg(self, flags: int) -> AeadAlg:
        """The descriptor; `flags` are those that it inherits (kernel-crypto, 6.8)."""
        ctr, mac = self.cipher, self.hash
        return self.describe(
            f"ccm{ctr.cra_name.removeprefix('ctr')}",
            f"ccm_base({ctr.cra_driver_name},{mac.cra_driver_name})",
            (ctr.cra_priority + mac.cra_priority) // 2,
            _BLOCK,
            flags,
        )

    def setkey(self, tfm: Aead, key: bytearray) -> int:
        """Give both parts the key."""
        parts: CipherMacParts = tfm.ctx
        return key_part(parts.cipher, tfm, bytes(key)) or key_part(parts.mac.tfm, tfm, bytes(key))

    def setauthsize(self, tfm: Aead, authsize: int) -> int:
        """Even lengths from 4 to 16 bytes (SP 800-38C, A.1); -EINVAL for others."""
        return 0 if authsize in _AUTH_SIZES else -errno.EINVAL

    def request_status(self, request: AeadRequest, textlen: int) -> int:
        """-EINVAL for an L outside of 2 .. 8, -EOVERFLOW for a length that L bytes cannot tell."""
        assert request.iv is not None, "ccm was called without an IV"
        size = request.iv.read(1)[0] + 1
        if not 2 <= size <= 8:
            return -errno.EINVAL
        return -errno.EOVERFLOW if textlen >> 8 * size else 0

    def seal(self, request: AeadRequest) -> Work:
        """Authenticate the plaintext, then encrypt it and the MAC."""
        parts: CipherMacParts = request.tfm.ctx
        memory, textlen = request.tfm.machine.memory, request.cryptlen
        with Scratch(memory, 2 * _BLOCK) as room:
            mac = yield from parts.mac.digest(_hashed(request, request.src, textlen))
            memory.write(room, mac + _first_counter(request))
            iv = Buffer(memory, room + _BLOCK, _BLOCK)
            yield (
                parts.cipher.encrypt,
                masked_request(request, parts.cipher, textlen, room, iv),
            )
            tag = memory.read(room, request.tfm.authsize)
        request.dst.write(tag, request.assoclen + textlen)
        return 0

    def open(self, request: AeadRequest) -> Work:
        """Decrypt text and tag, then authenticate the plaintext."""
        parts: CipherMacParts = request.tfm.ctx
        memory, authsize = request.tfm.machine.memory, request.tfm.authsize
        textlen = request.cryptlen - authsize
        tag = request.src.read(authsize, request.assoclen + textlen)
        with Scratch(memory, 2 * _BLOCK) as room:
            memory.write(room, tag.ljust(_BLOCK, b"\0") + _first_counter(request))
            iv = Buffer(memory, room + _BLOCK, _BLOCK)
            yield (
                parts.cipher.decrypt,
                masked_request(request, parts.cipher, textlen, room, iv),
            )
            sent = memory.read(room, authsize)
            mac = yield from parts.mac.digest(_hashed(request, request.dst, textlen))
        return 0 if hmac.compare_digest(sent, mac[:authsize]) else -errno.EBADMSG


def _first_counter(request: AeadRequest) -> bytes:
    """Counter block 0 (SP 800-38C, A.3)."""
    assert request.iv is not None
    iv = request.iv.read(_BLOCK)
    return iv[: _BLOCK - 1 - iv[0]] + bytes(iv[0] + 1)


def _hashed(request: AeadRequest, text: Scatterlist, textlen: int) -> list[Piece]:
    """Block 0, the associated data with their length in front, and the text (SP 800-38C, A.2).

    The associated data are those of the source: the destination need not have them.
    """
    assert request.iv is not None
    iv, assoclen = request.iv.read(_BLOCK), request.assoclen
    flags = iv[0] | (request.tfm.authsize - 2) // 2 << 3 | (0x40 if assoclen else 0)
    head = bytes([flags]) + iv[1 : _BLOCK - 1 - iv[0]] + textlen.to_bytes(iv[0] + 1, "big")
    if assoclen:
        head += _encoded(assoclen)
    return [
        head,
        (request.src, assoclen, 0),
        bytes(-(len(head) + assoclen) % _BLOCK),
        (text, textlen, assoclen),
        bytes(-textlen % _BLOCK),
    ]


def _encoded(assoclen: int) -> bytes:
    """The length in 2 bytes, or from 0xff00 on in 0xfffe and 4 bytes (SP 800-38C, A.2.2)."""
    if assoclen < _SHORT_ASSOC:
        return assoclen.to_bytes(2, "big")
    return b"\xff\xfe" + assoclen.to_bytes(4, "big")


def _create(builder: Builder, arguments: Sequence[str]) -> AeadAlg:
    check_count("ccm", arguments, 1)
    ctr = builder.skcipher(f"ctr({arguments[0]})")
    mac = builder.ahash(f"cbcmac({arguments[0]})")
    return Ccm(ctr, mac).alg(builder.flags)


def _create_base(builder: Builder, arguments: Sequence[str]) -> AeadAlg:
    check_count("ccm_base", arguments, 2)
    ctr, mac = builder.skcipher(arguments[0]), builder.ahash(arguments[1])
    return Ccm(ctr, mac).alg(builder.flags)


TEMPLATES = (
    Template("ccm", AlgType.AEAD, _create),
    Template("ccm_base", AlgType.AEAD, _create_base),
)
