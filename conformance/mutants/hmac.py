"""HMAC: its key, and what its first block does to counts and exports."""

from __future__ import annotations

import hashlib
import struct

from tcrypt.engine.api.algorithms import AhashAlg
from tcrypt.engine.api.flags import AlgFlag
from tcrypt.engine.api.memory import Buffer
from tcrypt.engine.api.requests import AhashRequest
from tcrypt.engine.api.transforms import Ahash
from tcrypt.engine.eip93.driver.ahash import EipHash, HmacKey
from tcrypt.engine.eip93.driver.hash_jobs import HashState
from tcrypt.mutants import mutant
from tcrypt.mutants.seams import Planted, replaced

__all__: tuple[str, ...] = ()

_BLOCK = 64
_ROUND = 256
_RECORD_DIGEST = 32
_COUNTS = struct.Struct("<QIQ")


@mutant("HM-01", "a key longer than a block is truncated")
def long_key_truncated() -> Planted:
    """A long key is used by its first block instead of its digest."""
    original = EipHash.setkey

    def setkey(self: EipHash, tfm: Ahash, key: bytearray) -> int:
        return original(self, tfm, key[:_BLOCK])

    return replaced((EipHash, "setkey", setkey))


@mutant("HM-02", "the key is fed again to later rounds")
def key_fed_again() -> Planted:
    """Once more than 256 bytes were hashed, a step begins with the inner key block again."""
    original = EipHash.queue

    def queue(
        self: EipHash, request: AhashRequest, *, last: bool, nbytes: int | None = None
    ) -> int:
        state: HashState = request.ctx
        if self.keyed and state.hashed > _ROUND:
            state.waiting = request.tfm.ctx.inner_block + state.waiting
        return original(self, request, last=last, nbytes=nbytes)

    return replaced((EipHash, "queue", queue))


@mutant("HM-04", "usable before setkey")
def usable_without_key() -> Planted:
    """HMAC is registered with an optional key, and a missing one counts as blocks of zeros."""
    alg_of, init = EipHash.alg, EipHash.hash_init

    def alg(self: EipHash) -> AhashAlg:
        found = alg_of(self)
        flags = found.cra_flags | (AlgFlag.OPTIONAL_KEY if self.keyed else 0)
        changed: AhashAlg = found.variant(cra_flags=flags)
        return changed

    def hash_init(self: EipHash, request: AhashRequest) -> int:
        if self.keyed and request.tfm.ctx is None:
            request.tfm.ctx = HmacKey(bytes(_BLOCK), bytes(_RECORD_DIGEST))
        return init(self, request)

    return replaced((EipHash, "alg", alg), (EipHash, "hash_init", hash_init))


@mutant("HM-06", "the state is exported without the inner block")
def inner_block_subtracted() -> Planted:
    """Export leaves the inner key block out of the counts, and import does not add it again."""
    original = EipHash.export

    def export(self: EipHash, request: AhashRequest, out: Buffer) -> int:
        status = original(self, request, out)
        if self.keyed:
            total, waiting, hashed = _COUNTS.unpack(out.read(_COUNTS.size))
            if hashed:
                hashed -= _BLOCK
            else:
                waiting = (waiting - _BLOCK) % (1 << 32)
            out.write(_COUNTS.pack((total - _BLOCK) % (1 << 64), waiting, hashed))
        return status

    return replaced((EipHash, "export", export))


@mutant("HM-07", "the digest of a long key is written with alignment slack")
def digest_with_slack() -> Planted:
    """The digest of a long key is stored as a whole line, over the outer state behind it."""
    original = EipHash.setkey

    def setkey(self: EipHash, tfm: Ahash, key: bytearray) -> int:
        status = original(self, tfm, key)
        if not status and len(key) > _BLOCK:
            size = self.spec.digestsize
            allocation = bytearray(size) + tfm.ctx.outer.ljust(_BLOCK, b"\0")
            hashed = hashlib.new(self.spec.name, key, usedforsecurity=False).digest()
            allocation[:_BLOCK] = hashed.ljust(_BLOCK, b"\0")
            tfm.ctx.outer = bytes(allocation[size : size + _RECORD_DIGEST])
        return status

    return replaced((EipHash, "setkey", setkey))


@mutant("HM-09", "per-transform setup is not redone on a new key")
def outer_kept() -> Planted:
    """The outer state of the first key stays for all later ones."""
    original = EipHash.setkey

    def setkey(self: EipHash, tfm: Ahash, key: bytearray) -> int:
        old = tfm.ctx
        status = original(self, tfm, key)
        if not status and isinstance(old, HmacKey):
            tfm.ctx.outer = old.outer
        return status

    return replaced((EipHash, "setkey", setkey))
