"""What a descriptor must satisfy to be registered (kernel-crypto, sections 6.5 and 6.7)."""

from __future__ import annotations

from tcrypt.engine.api.algorithms import (
    AeadAlg,
    AhashAlg,
    AnyAlg,
    CipherAlg,
    ShashAlg,
    SkcipherAlg,
)
from tcrypt.engine.api.core_rules import CoreRules
from tcrypt.engine.api.flags import ALG_TYPE_MASK

__all__ = ("MAX_NAME", "complete_sizes", "refusal")

MAX_NAME = 128
_NEWEST = CoreRules()
# An eighth of a page.
_LARGEST_SIZE = 4096 // 8
_MAX_BLOCKSIZE = 160
_MAX_DIGESTSIZE = 64
_MAX_STATESIZE = 512
# 360 bytes behind a structure of 8.
_MAX_DESCSIZE = 368


def refusal(alg: AnyAlg, rules: CoreRules = _NEWEST) -> str:
    """Why a descriptor cannot be registered; empty when it can."""
    for field, name in (("cra_name", alg.cra_name), ("cra_driver_name", alg.cra_driver_name)):
        if not name or len(name) >= MAX_NAME:
            return f"{field} {name!r} must have 1 to {MAX_NAME - 1} characters"
    alignmask, largest = alg.cra_alignmask, rules.max_alignmask
    if alignmask & (alignmask + 1) or not 0 <= alignmask <= largest:
        return f"cra_alignmask {alignmask:#x} must be 2^n - 1, at most {largest:#x}"
    if not 0 < alg.cra_blocksize <= _MAX_BLOCKSIZE:
        return f"cra_blocksize {alg.cra_blocksize} must be 1 to {_MAX_BLOCKSIZE}"
    if alg.cra_priority < 0:
        return f"cra_priority {alg.cra_priority} is negative"
    # As a plain number: an operation on flags costs as much as all other rules together.
    if int(alg.cra_flags) & ALG_TYPE_MASK:
        return f"cra_flags {alg.cra_flags:#x} carry a type: the descriptor's class says it"
    return _size_refusal(alg)


def _size_refusal(alg: AnyAlg) -> str:
    if isinstance(alg, CipherAlg):
        return ""
    if isinstance(alg, (AhashAlg, ShashAlg)):
        # A synchronous hash without a state of its own gets a default export; an ahash does not.
        least = 1 if isinstance(alg, AhashAlg) else 0
        if not 0 < alg.digestsize <= _MAX_DIGESTSIZE:
            return f"digestsize {alg.digestsize} must be 1 to {_MAX_DIGESTSIZE}"
        if not least <= alg.statesize <= _MAX_STATESIZE:
            return f"statesize {alg.statesize} must be {least} to {_MAX_STATESIZE}"
        if isinstance(alg, ShashAlg) and not 0 <= alg.descsize <= _MAX_DESCSIZE:
            return f"descsize {alg.descsize} must be 0 to {_MAX_DESCSIZE}"
        return ""
    third = "maxauthsize" if isinstance(alg, AeadAlg) else "walksize"
    for field in ("ivsize", "chunksize", third):
        size = getattr(alg, field)
        if not 0 <= size <= _LARGEST_SIZE:
            return f"{field} {size} must be 0 to {_LARGEST_SIZE}"
    return ""


def complete_sizes(alg: AnyAlg) -> None:
    """Fill in the sizes that a driver may leave to the core, as registration does.

    No chunk size means the block size, no walk size the chunk size; a synchronous hash without an
    export of its own exports its descriptor.
    """
    if isinstance(alg, SkcipherAlg):
        alg.chunksize = alg.chunksize or alg.cra_blocksize
        alg.walksize = alg.walksize or alg.chunksize
    elif isinstance(alg, AeadAlg):
        alg.chunksize = alg.chunksize or alg.cra_blocksize
    elif isinstance(alg, ShashAlg) and alg.exports_descriptor:
        alg.statesize = alg.descsize
