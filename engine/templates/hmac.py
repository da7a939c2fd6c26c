"""Template hmac over an unkeyed synchronous hash (RFC 2104)."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from typing import NamedTuple

from tcrypt.engine.api.algorithms import ShashAlg
from tcrypt.engine.api.errors import crypto_error
from tcrypt.engine.api.flags import AlgType
from tcrypt.engine.api.shash import Shash, ShashDesc
from tcrypt.engine.api.templates import Builder, Template, check_count

__all__ = ("TEMPLATES",)

_IPAD = bytes(byte ^ 0x36 for byte in range(256))
_OPAD = bytes(byte ^ 0x5C for byte in range(256))
# 112 bits, the least that SP 800-131A leaves for FIPS mode.
_FIPS_MIN_KEY = 14


class _Keyed(NamedTuple):
    """The hash, and a message for each side that ends after the padded key."""

    shash: Shash
    inner: ShashDesc | None
    outer: ShashDesc | None


class _Hmac:
    """An instance over one hash; the methods are operations of the shash."""

    def __init__(self, inner: ShashAlg) -> None:
        self.inner = inner

    def init(self, tfm: Shash) -> int:
        """Open the hash."""
        tfm.ctx = _Keyed(tfm.machine.registry.spawn_shash(self.inner), None, None)
        return 0

    def exit(self, tfm: Shash) -> None:
        """Close the hash."""
        tfm.machine.registry.free(tfm.ctx.shash)
        tfm.ctx = None

    def setkey(self, tfm: Shash, key: bytearray) -> int:
        """Any length; a key longer than a block is hashed first.  In FIPS mode not below 14."""
        if tfm.machine.setup.fips and len(key) < _FIPS_MIN_KEY:
            return -errno.EINVAL
        shash: Shash = tfm.ctx.shash
        block, kept = self.inner.cra_blocksize, bytes(key)
        if len(kept) > block:
            short = bytearray(self.inner.digestsize)
            status = shash.digest(ShashDesc(shash), kept, short)
            if status:
                return status
            kept = bytes(short)
        padded = kept.ljust(block, b"\0")
        sides = shash.start(), shash.start()
        status = 0
        for side, pad in zip(sides, (_IPAD, _OPAD), strict=True):
            status = status or self.inner.update(side, padded.translate(pad))
        tfm.ctx = _Keyed(shash, *sides)
        return status

    def hash_init(self, desc: ShashDesc) -> int:
        """Start behind the inner key block."""
        keyed: _Keyed = desc.tfm.ctx
        assert keyed.inner is not None, "the core lets nobody start without a key"
        desc.ctx = keyed.shash.copy(keyed.inner)
        return 0

    def update(self, desc: ShashDesc, data: bytes) -> int:
        """Take more data."""
        return self.inner.update(desc.ctx, data)

    def final(self, desc: ShashDesc, out: bytearray) -> int:
        """The outer hash of the inner digest."""
        alg, keyed = self.inner, desc.tfm.ctx
        digest = bytearray(alg.digestsize)
        status = alg.final(desc.ctx, digest)
        if status:
            return status
        outer = keyed.shash.copy(keyed.outer)
        return alg.update(outer, bytes(digest)) or alg.final(outer, out)

    def export(self, desc: ShashDesc, out: bytearray) -> int:
        """The inner hash's state, which counts the key block as data."""
        return self.inner.export(desc.ctx, out)

    def import_state(self, desc: ShashDesc, state: bytes) -> int:
        """Continue from an inner state."""
        desc.ctx = ShashDesc(desc.tfm.ctx.shash)
        return self.inner.import_state(desc.ctx, state)

    def copy(self, desc: ShashDesc) -> ShashDesc:
        """A second message that goes on from the same state."""
        keyed: _Keyed = desc.tfm.ctx
        return keyed.shash.copy(desc.ctx)


def _create(builder: Builder, arguments: Sequence[str]) -> ShashAlg:
    check_count("hmac", arguments, 1)
    inner = builder.shash(arguments[0])
    if inner.setkey is not None or inner.digestsize > inner.cra_blocksize:
        raise crypto_error(-errno.EINVAL, f"hmac({arguments[0]})")
    hmac = _Hmac(inner)
    return ShashAlg(
        cra_name=f"hmac({inner.cra_name})",
        cra_driver_name=f"hmac({inner.cra_driver_name})",
        cra_priority=inner.cra_priority,
        cra_flags=builder.flags,
        cra_blocksize=inner.cra_blocksize,
        cra_alignmask=inner.cra_alignmask,
        cra_module="hmac",
        digestsize=inner.digestsize,
        statesize=inner.statesize,
        hash_init=hmac.hash_init,
        update=hmac.update,
        final=hmac.final,
        export=hmac.export,
        import_state=hmac.import_state,
        copy=hmac.copy,
        setkey=hmac.setkey,
        init=hmac.init,
        exit=hmac.exit,
    )


TEMPLATES = (Template("hmac", AlgType.SHASH, _create),)
