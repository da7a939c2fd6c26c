"""What is registered: names, sizes, flags."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tcrypt.engine.api.algorithms import AhashAlg, SkcipherAlg
from tcrypt.engine.api.flags import AlgFlag
from tcrypt.engine.eip93.driver.ahash import EipHash
from tcrypt.engine.eip93.driver.core import Core
from tcrypt.engine.eip93.driver.policy import FallbackPolicy
from tcrypt.engine.eip93.driver.skcipher import AesSkcipher
from tcrypt.engine.eip93.records import CipherMode
from tcrypt.mutants import mutant
from tcrypt.mutants.seams import Planted, replaced

__all__: tuple[str, ...] = ()

_BLOCK = 16
_SHORT_KEY = 24


def _registered(change: Callable[[SkcipherAlg], dict[str, Any]]) -> Planted:
    """Every skcipher registered with the changes that a function names."""
    original = AesSkcipher.alg

    def alg(self: AesSkcipher) -> SkcipherAlg:
        found = original(self)
        changed: SkcipherAlg = found.variant(**change(found))
        return changed

    return replaced((AesSkcipher, "alg", alg))


@mutant("RG-01", "CTR registered with a block size of 16")
def ctr_blocks() -> Planted:
    """ctr(aes) claims to take whole blocks only."""
    return _registered(lambda alg: {"cra_blocksize": _BLOCK} if alg.cra_name == "ctr(aes)" else {})


@mutant("RG-02", "a block mode registered with a block size of 1")
def cbc_bytes() -> Planted:
    """cbc(aes) claims to take any length."""
    return _registered(lambda alg: {"cra_blocksize": 1} if alg.cra_name == "cbc(aes)" else {})


@mutant("RG-03", "an IV for ECB, and none for CBC")
def ivsizes_swapped() -> Planted:
    """ecb(aes) declares an IV; cbc(aes) declares none, and starts from zeros."""
    original, initialise = AesSkcipher.alg, AesSkcipher.__init__

    def init(self: AesSkcipher, core: Core, mode: CipherMode, policy: FallbackPolicy) -> None:
        initialise(self, core, mode, policy)
        self.has_iv = mode is CipherMode.CTR

    def alg(self: AesSkcipher) -> SkcipherAlg:
        sizes = {CipherMode.ECB: _BLOCK, CipherMode.CBC: 0}
        changed: SkcipherAlg = original(self).variant(ivsize=sizes.get(self.mode, _BLOCK))
        return changed

    return replaced((AesSkcipher, "__init__", init), (AesSkcipher, "alg", alg))


@mutant("RG-05", "key size limits wrong")
def small_max_keysize() -> Planted:
    """AES keys end at 24 bytes."""
    return _registered(lambda alg: {"max_keysize": _SHORT_KEY})


@mutant("RG-06", "a typing error in the driver name")
def typo() -> Planted:
    """ecb(aes-eip93) is registered as ebc(aes-eip93)."""
    return _registered(lambda alg: {"cra_driver_name": alg.cra_driver_name.replace("ecb", "ebc")})


@mutant("RG-09", "CRYPTO_ALG_ASYNC is missing")
def not_async() -> Planted:
    """The skciphers are registered as synchronous."""
    return _registered(lambda alg: {"cra_flags": alg.cra_flags & ~AlgFlag.ASYNC})


@mutant("RG-11", "a statesize of zero")
def no_statesize() -> Planted:
    """The hashes are registered without room for an exported state."""
    original = EipHash.alg

    def alg(self: EipHash) -> AhashAlg:
        changed: AhashAlg = original(self).variant(statesize=0)
        return changed

    return replaced((EipHash, "alg", alg))


@mutant("RG-14", "CRYPTO_ALG_ALLOCATES_MEMORY is missing")
def allocates_secretly() -> Planted:
    """The skciphers promise not to allocate, and allocate bounce buffers."""
    return _registered(lambda alg: {"cra_flags": alg.cra_flags & ~AlgFlag.ALLOCATES_MEMORY})


@mutant("RG-16", "CTR with a chunk size of 1")
def ctr_chunks() -> Planted:
    """ctr(aes) may be cut anywhere, it says, though not every cut keeps the counter."""
    return _registered(lambda alg: {"chunksize": 1} if alg.cra_name == "ctr(aes)" else {})
