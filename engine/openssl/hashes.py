"""Hashes and HMACs on OpenSSL.

OpenSSL digests whole messages here.  Through this library its states can neither be read nor set,
so an exported state is computed as that of the generics is, and a message that was imported is
finished from there (see `software.hashes`).
"""

from __future__ import annotations

import errno
from dataclasses import replace
from typing import NamedTuple

from tcrypt.engine.api.algorithms import ShashAlg
from tcrypt.engine.api.shash import Shash, ShashDesc
from tcrypt.engine.openssl.library import HASHES, hmac_digest
from tcrypt.engine.software.hashes import Hash, Message, hashes_of

__all__ = ("hash_algs",)

_IPAD = bytes(byte ^ 0x36 for byte in range(256))
_OPAD = bytes(byte ^ 0x5C for byte in range(256))
# 112 bits, the least that SP 800-131A leaves for FIPS mode.
_FIPS_MIN_KEY = 14


class _Key(NamedTuple):
    """The key, no longer than a block, and the blocks that it makes of it (RFC 2104)."""

    key: bytes
    inner: bytes
    outer: bytes


class _Hmac(Hash):
    """The HMAC of a hash; a message in work begins with the inner block of the key."""

    def alg(self) -> ShashAlg:
        """The descriptor to register."""
        plain, name = super().alg(), self.kind.name
        return replace(
            plain,
            cra_name=f"hmac({name})",
            cra_driver_name=f"hmac-{name}-{self.library.suffix}",
            setkey=self.setkey,
            exit=self.exit,
        )

    def setkey(self, tfm: Shash, key: bytearray) -> int:
        """Any length; a key longer than a block is hashed first.  In FIPS mode not below 14."""
        if tfm.machine.setup.fips and len(key) < _FIPS_MIN_KEY:
            return -errno.EINVAL
        kept = bytes(key)
        if len(kept) > self.block:
            kept = self.library.digest(self.kind.name, kept)
        padded = kept.ljust(self.block, b"\0")
        tfm.ctx = _Key(kept, padded.translate(_IPAD), padded.translate(_OPAD))
        return 0

    def exit(self, tfm: Shash) -> None:
        """Forget the key."""
        tfm.ctx = None

    def hash_init(self, desc: ShashDesc) -> int:
        """Start a message behind the inner block."""
        keyed: _Key = desc.tfm.ctx
        desc.ctx = Message(self.kind.initial, 0, keyed.inner)
        return 0

    def final(self, desc: ShashDesc, out: bytearray) -> int:
        """OpenSSL's HMAC, or of an imported message the outer hash of an inner one."""
        message: Message = desc.ctx
        keyed: _Key = desc.tfm.ctx
        if message.hashed:
            inner = self.composed(message)
            out[:] = self.library.digest(self.kind.name, keyed.outer + inner)
            return 0
        return self.digest(desc, bytes(message.data[self.block :]), out)

    def digest(self, desc: ShashDesc, data: bytes, out: bytearray) -> int:
        """The HMAC of one whole message."""
        out[:] = hmac_digest(self.kind.name, desc.tfm.ctx.key, data)
        return 0


def hash_algs() -> list[ShashAlg]:
    """New descriptors of the hashes, and of an HMAC for each."""
    return [hash_.alg() for make in (Hash, _Hmac) for hash_ in hashes_of(HASHES, make)]
