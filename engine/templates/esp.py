"""Templates rfc4106, rfc4309 and rfc4543: GCM, CCM and GMAC as IPsec's ESP uses them.

Each takes the last bytes of its key as a salt, an IV of 8 bytes, and associated data that end in
a copy of that IV: SPI, sequence number of 4 or 8 bytes, IV, which is 16 or 20 bytes in all.
"""

from __future__ import annotations

import errno

from tcrypt.engine.api.algorithms import AeadAlg
from tcrypt.engine.api.errors import crypto_error
from tcrypt.engine.api.flags import AlgType
from tcrypt.engine.api.memory import Buffer
from tcrypt.engine.api.requests import AeadRequest
from tcrypt.engine.api.scatterlist import Segment
from tcrypt.engine.api.templates import Template
from tcrypt.engine.api.transforms import Aead
from tcrypt.engine.templates.aead_parts import behind, chain
from tcrypt.engine.templates.over_aead import OverAead, creator, step
from tcrypt.engine.templates.parts import key_part
from tcrypt.engine.templates.steps import Scratch, Work

__all__ = ("TEMPLATES", "Rfc4106", "Rfc4309", "Rfc4543")

_IV = 8
_ASSOC_SIZES = frozenset((16, 20))
_LONGEST_ASSOC = 12


class _Esp(OverAead):
    """What the three have in common.

    Attributes:
        salt_size: how many bytes of the key are salt.
        auth_sizes: the tag lengths.
        child_iv: bytes of the child's IV.
    """

    salt_size: int
    auth_sizes: frozenset[int]
    child_iv: int
    ivsize = _IV

    def __init__(self, child: AeadAlg) -> None:
        if child.ivsize != self.child_iv or child.cra_blocksize != 1:
            what = f"{self.template}: {child.cra_driver_name} is no stream AEAD with an IV of"
            raise crypto_error(-errno.EINVAL, f"{what} {self.child_iv} bytes")
        super().__init__(child)

    def setkey(self, tfm: Aead, key: bytearray) -> int:
        """The child's key, then the salt; -EINVAL when there is no whole salt."""
        if len(key) < self.salt_size:
            return -errno.EINVAL
        split = len(key) - self.salt_size
        tfm.ctx.salt = bytes(key[split:])
        return key_part(tfm.ctx.child, tfm, key[:split])

    def setauthsize(self, tfm: Aead, authsize: int) -> int:
        """-EINVAL for a tag that ESP does not use; else the child's answer."""
        if authsize not in self.auth_sizes:
            return -errno.EINVAL
        return super().setauthsize(tfm, authsize)

    def request_status(self, request: AeadRequest, *, encrypt: bool) -> int:
        """-EINVAL for associated data of another length than ESP's."""
        return 0 if request.assoclen in _ASSOC_SIZES else -errno.EINVAL

    def nonce(self, request: AeadRequest) -> bytes:
        """The child's IV for a request."""
        assert request.iv is not None, f"{self.template} was called without an IV"
        salt: bytes = request.tfm.ctx.salt
        return salt + request.iv.read(_IV)


class Rfc4106(_Esp):
    """`rfc4106(gcm(aes))`: the nonce is salt and IV (RFC 4106, section 4).

    The child gets the associated data without the IV, from a copy in the request's context, so
    that nothing is written where those of the destination stand.
    """

    template = "rfc4106"
    salt_size = 4
    auth_sizes = frozenset((8, 12, 16))
    child_iv = 12
    room = 16 + _LONGEST_ASSOC

    def work(self, request: AeadRequest, *, encrypt: bool) -> Work:
        """One request to the child on [copied associated data][text]."""
        memory, assoclen = request.tfm.machine.memory, request.assoclen
        covered = assoclen - _IV
        with Scratch(memory, self.room) as room:
            memory.write(room, self.nonce(request))
            memory.write(room + 16, request.src.read(covered))
            front = Segment(room + 16, covered)
            source = chain(front, behind(request.src, assoclen))
            same = request.dst is request.src
            target = source if same else chain(front, behind(request.dst, assoclen))
            child = request.tfm.ctx.child.request()
            child.set_crypt(source, target, request.cryptlen, Buffer(memory, room, self.child_iv))
            child.set_ad(covered)
            yield step(child, encrypt=encrypt)
        return 0


class Rfc4309(Rfc4106):
    """`rfc4309(ccm(aes))`: L is 4, the nonce is salt and IV (RFC 4309, section 4)."""

    template = "rfc4309"
    salt_size = 3
    child_iv = 16

    def nonce(self, request: AeadRequest) -> bytes:
        """The flags byte L - 1, the nonce, and a counter of 4 bytes."""
        return b"\3" + super().nonce(request) + bytes(4)


class Rfc4543(_Esp):
    """`rfc4543(gcm(aes))`: authenticates associated data and text, encrypts nothing (RFC 4543)."""

    template = "rfc4543"
    salt_size = 4
    auth_sizes = frozenset((16,))
    child_iv = 12
    room = 16

    def work(self, request: AeadRequest, *, encrypt: bool) -> Work:
        """Copy everything to another destination; all of it is the child's associated data."""
        memory, authsize = request.tfm.machine.memory, request.tfm.authsize
        covered = request.assoclen + request.cryptlen - (0 if encrypt else authsize)
        if request.dst is not request.src:
            request.dst.write(request.src.read(covered))
        with Scratch(memory, self.room) as room:
            memory.write(room, self.nonce(request))
            child = request.tfm.ctx.child.request()
            iv = Buffer(memory, room, self.child_iv)
            child.set_crypt(request.src, request.dst, 0 if encrypt else authsize, iv)
            child.set_ad(covered)
            yield step(child, encrypt=encrypt)
        return 0


TEMPLATES = tuple(
    Template(kind.template, AlgType.AEAD, creator(kind)) for kind in (Rfc4106, Rfc4309, Rfc4543)
)
