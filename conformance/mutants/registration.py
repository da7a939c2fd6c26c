"""What is registered: names, sizes, flags."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

from tcrypt.engine.api.algorithms import AeadAlg, AhashAlg, AnyAlg, SkcipherAlg
from tcrypt.engine.api.flags import AlgFlag
from tcrypt.engine.api.transforms import Aead, Skcipher
from tcrypt.engine.eip93.driver.aead import AeadContext, EipAead
from tcrypt.engine.eip93.driver.ahash import EipHash
from tcrypt.engine.eip93.driver.ciphers import CipherSpec
from tcrypt.engine.eip93.driver.core import Core
from tcrypt.engine.eip93.driver.policy import FallbackPolicy
from tcrypt.engine.eip93.driver.probe import Driver
from tcrypt.engine.eip93.driver.skcipher import CipherContext, EipSkcipher
from tcrypt.engine.eip93.records import CipherMode
from tcrypt.mutants import mutant
from tcrypt.mutants.seams import Planted, replaced

__all__: tuple[str, ...] = ()

_BLOCK = 16
_SHORT_KEY = 24
_TOP_PRIORITY = 1500
_RECORD_BYTES = 128


def _registered(change: Callable[[SkcipherAlg], dict[str, Any]]) -> Planted:
    """Every skcipher registered with the changes that a function names."""
    original = EipSkcipher.alg

    def alg(self: EipSkcipher) -> SkcipherAlg:
        found = original(self)
        changed: SkcipherAlg = found.variant(**change(found))
        return changed

    return replaced((EipSkcipher, "alg", alg))


def _hashes(change: Callable[[AhashAlg], dict[str, Any]]) -> Planted:
    """Every hash registered with the changes that a function names."""
    original = EipHash.alg

    def alg(self: EipHash) -> AhashAlg:
        found = original(self)
        changed: AhashAlg = found.variant(**change(found))
        return changed

    return replaced((EipHash, "alg", alg))


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
    original, initialise = EipSkcipher.alg, EipSkcipher.__init__

    def init(self: EipSkcipher, core: Core, spec: CipherSpec, policy: FallbackPolicy) -> None:
        initialise(self, core, spec, policy)
        self.has_iv = spec.streams

    def alg(self: EipSkcipher) -> SkcipherAlg:
        sizes = {CipherMode.ECB: self.spec.block, CipherMode.CBC: 0}
        changed: SkcipherAlg = original(self).variant(
            ivsize=sizes.get(self.mode, self.spec.ivsize)
        )
        return changed

    return replaced((EipSkcipher, "__init__", init), (EipSkcipher, "alg", alg))


@mutant("RG-05", "key size limits wrong")
def small_max_keysize() -> Planted:
    """AES keys end at 24 bytes."""
    return _registered(lambda alg: {"max_keysize": _SHORT_KEY})


@mutant("RG-06", "a typing error in the driver name")
def typo() -> Planted:
    """ecb(aes-eip93) is registered as ebc(aes-eip93)."""
    return _registered(lambda alg: {"cra_driver_name": alg.cra_driver_name.replace("ecb", "ebc")})


@mutant("RG-06b", "a typing error in the driver name of one cipher")
def ebc_des() -> Planted:
    """ecb(des-eip93) is registered as ebc(des-eip93), as in mainline until March 2026."""
    return _registered(
        lambda alg: {"cra_driver_name": "ebc(des-eip93)"} if alg.cra_name == "ecb(des)" else {}
    )


@mutant("RG-06c", "a blank in a driver name")
def blank_in_name() -> Planted:
    """One AEAD's name has a blank behind its comma, as mainline's, so no template finds it."""
    original = EipAead.alg

    def alg(self: EipAead) -> AeadAlg:
        found = original(self)
        if found.cra_name != "authenc(hmac(md5),cbc(aes))":
            return found
        changed: AeadAlg = found.variant(cra_driver_name=found.cra_driver_name.replace(",", ", "))
        return changed

    return replaced((EipAead, "alg", alg))


@mutant("RG-06d", "the templates inside of a driver name change places")
def templates_swapped() -> Planted:
    """The AEADs over rfc3686 are named as if counter mode were the outer one."""
    original = EipAead.alg

    def alg(self: EipAead) -> AeadAlg:
        found = original(self)
        name = found.cra_driver_name.replace("rfc3686(ctr(", "ctr(rfc3686(")
        changed: AeadAlg = found.variant(cra_driver_name=name)
        return changed

    return replaced((EipAead, "alg", alg))


@mutant("RG-08", "a priority higher than that of faster software")
def top_priority() -> Planted:
    """The hashes, which software does faster, are everybody's first choice."""
    return _hashes(lambda alg: {"cra_priority": _TOP_PRIORITY})


@mutant("RG-09", "CRYPTO_ALG_ASYNC is missing")
def not_async() -> Planted:
    """The skciphers are registered as synchronous."""
    return _registered(lambda alg: {"cra_flags": alg.cra_flags & ~AlgFlag.ASYNC})


@mutant("RG-09b", "CRYPTO_ALG_ASYNC is missing from the hashes")
def hashes_not_async() -> Planted:
    """The hashes are registered as synchronous."""
    return _hashes(lambda alg: {"cra_flags": alg.cra_flags & ~AlgFlag.ASYNC})


@mutant("RG-11", "a statesize of zero")
def no_statesize() -> Planted:
    """The hashes are registered without room for an exported state."""
    return _hashes(lambda alg: {"statesize": 0})


@mutant("RG-12", "AEADs are registered before the hash that they look up")
def aead_before_hash() -> Planted:
    """Setkey of the AEAD asks for the driver's own hash, which its self-test does not find yet."""
    algorithms, setkey = Driver.algorithms, EipAead.setkey

    def reversed_algorithms(self: Driver) -> list[AnyAlg]:
        return algorithms(self)[::-1]

    def looking_setkey(self: EipAead, tfm: Aead, key: bytearray) -> int:
        registry = tfm.machine.registry
        try:
            registry.free(registry.alloc_ahash("sha1-eip93"))
        except OSError as error:
            return -(error.errno or errno.ENOENT)
        return setkey(self, tfm, key)

    return replaced(
        (Driver, "algorithms", reversed_algorithms), (EipAead, "setkey", looking_setkey)
    )


@mutant("RG-14", "CRYPTO_ALG_ALLOCATES_MEMORY is missing")
def allocates_secretly() -> Planted:
    """The skciphers promise not to allocate, and allocate bounce buffers."""
    return _registered(lambda alg: {"cra_flags": alg.cra_flags & ~AlgFlag.ALLOCATES_MEMORY})


@mutant("RG-14b", "CRYPTO_ALG_ALLOCATES_MEMORY is missing from the hashes")
def hashes_allocate_secretly() -> Planted:
    """The hashes promise not to allocate, and allocate bounce buffers."""
    return _hashes(lambda alg: {"cra_flags": alg.cra_flags & ~AlgFlag.ALLOCATES_MEMORY})


@mutant("RG-16", "CTR with a chunk size of 1")
def ctr_chunks() -> Planted:
    """ctr(aes) may be cut anywhere, it says, though not every cut keeps the counter."""
    return _registered(lambda alg: {"chunksize": 1} if alg.cra_name == "ctr(aes)" else {})


@mutant("KF-01b", "an init that finds no fallback goes unnoticed")
def init_without_fallback() -> Planted:
    """A transform is handed out although there is no software for what the engine lacks."""
    original, key_fallback, leave = (
        EipSkcipher.init_tfm,
        EipSkcipher.setkey_fallback,
        EipSkcipher.exit_tfm,
    )

    def init_tfm(self: EipSkcipher, tfm: Skcipher) -> int:
        if original(self, tfm):
            nobody: Any = None
            tfm.ctx = CipherContext(nobody)
        return 0

    def setkey_fallback(self: EipSkcipher, tfm: Skcipher, key: bytes) -> int:
        return 0 if tfm.ctx.fallback is None else key_fallback(self, tfm, key)

    def exit_tfm(self: EipSkcipher, tfm: Skcipher) -> None:
        if tfm.ctx.fallback is not None:
            leave(self, tfm)

    return replaced(
        (EipSkcipher, "init_tfm", init_tfm),
        (EipSkcipher, "setkey_fallback", setkey_fallback),
        (EipSkcipher, "exit_tfm", exit_tfm),
    )


@mutant("KF-01c", "an init that finds no fallback leaves what it had allocated")
def init_half_open() -> Planted:
    """A transform's own record is allocated first, and not given back when the fallback fails."""
    original, leave = EipSkcipher.init_tfm, EipSkcipher.exit_tfm
    records: dict[int, int] = {}

    def init_tfm(self: EipSkcipher, tfm: Skcipher) -> int:
        records[id(tfm)] = tfm.machine.memory.alloc(_RECORD_BYTES)
        return original(self, tfm)

    def exit_tfm(self: EipSkcipher, tfm: Skcipher) -> None:
        leave(self, tfm)
        tfm.machine.memory.free(records.pop(id(tfm)))

    return replaced((EipSkcipher, "init_tfm", init_tfm), (EipSkcipher, "exit_tfm", exit_tfm))


@mutant("KF-19b", "the fallback is looked up without saying what it must not be")
def fallback_is_itself() -> Planted:
    """Without NEED_FALLBACK in the mask the best implementation of the name is the driver."""

    def init_tfm(self: EipSkcipher, tfm: Skcipher) -> int:
        try:
            tfm.ctx = CipherContext(tfm.machine.registry.alloc_skcipher(self.name))
        except OSError as error:
            return -(error.errno or errno.ENOENT)
        return 0

    return replaced((EipSkcipher, "init_tfm", init_tfm))


@mutant("RG-12d", "the loop over the algorithms ends one early")
def last_left_out() -> Planted:
    """The last one is neither registered nor unregistered."""
    original = Driver.algorithms

    def algorithms(self: Driver) -> list[AnyAlg]:
        return original(self)[:-1]

    return replaced((Driver, "algorithms", algorithms))


@mutant("KF-19c", "CRYPTO_ALG_NEED_FALLBACK is missing from the AEAD")
def needs_fallback_secretly() -> Planted:
    """The AEAD takes a fallback by its driver name, and does not say that it needs one."""
    original = EipAead.alg

    def alg(self: EipAead) -> Any:
        found = original(self)
        return found.variant(cra_flags=found.cra_flags & ~AlgFlag.NEED_FALLBACK)

    def init_tfm(self: EipAead, tfm: Aead) -> int:
        name = self.driver_name.replace("eip93", "generic")
        tfm.ctx = AeadContext(tfm.machine.registry.alloc_aead(name))
        return 0

    return replaced((EipAead, "alg", alg), (EipAead, "init_tfm", init_tfm))
