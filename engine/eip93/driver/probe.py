"""Probe and remove: which algorithms a device gets, by its capability bits (eip93, 1.5)."""

from __future__ import annotations

from tcrypt.engine.api.algorithms import AnyAlg
from tcrypt.engine.api.machine import Machine
from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.driver.aead import AuthencSha1Cbc
from tcrypt.engine.eip93.driver.ahash import HASHES, EipHash
from tcrypt.engine.eip93.driver.core import Core
from tcrypt.engine.eip93.driver.policy import FallbackPolicy
from tcrypt.engine.eip93.driver.skcipher import AesSkcipher
from tcrypt.engine.eip93.records import CipherMode, Digest
from tcrypt.engine.preemption import Mmio
from tcrypt.engine.sim import IrqLine

__all__ = ("Driver", "probe")

_DIGEST_BITS = {Digest.SHA1: reg.OPTION_1_SHA_1, Digest.SHA256: reg.OPTION_1_SHA_256}
_MODES = (CipherMode.ECB, CipherMode.CBC, CipherMode.CTR)


class Driver:
    """A bound driver: the device's core, and what was registered for it."""

    def __init__(self, core: Core, policy: FallbackPolicy) -> None:
        self.core = core
        self.policy = policy
        self.algs: list[AnyAlg] = self.algorithms()

    def algorithms(self) -> list[AnyAlg]:
        """Descriptors of everything that the device can do, hashes before what needs them."""
        option = self.core.option
        found: list[AnyAlg] = []
        for spec in HASHES:
            if option & _DIGEST_BITS[spec.digest]:
                found += [EipHash(self.core, spec, keyed=keyed).alg() for keyed in (False, True)]
        if option & reg.OPTION_1_AES:
            found += [AesSkcipher(self.core, mode, self.policy).alg() for mode in _MODES]
            if option & reg.OPTION_1_SHA_1:
                found.append(AuthencSha1Cbc(self.core).alg())
        return found

    def register(self) -> None:
        """Register all algorithms, or none: OSError as the registry says."""
        done: list[AnyAlg] = []
        try:
            for alg in self.algs:
                self.core.engine.register(alg)
                done.append(alg)
        except OSError:
            for alg in reversed(done):
                self.core.machine.registry.unregister(alg)
            self.core.remove()
            raise

    def remove(self) -> int:
        """Unregister exactly what was registered, then stop the device; its error, or 0."""
        for alg in self.algs:
            self.core.machine.registry.unregister(alg)
        return self.core.remove()


def probe(
    machine: Machine,
    mmio: Mmio,
    irq: IrqLine,
    *,
    name: str = "eip93",
    ring_size: int = 512,
    policy: FallbackPolicy | None = None,
) -> Driver:
    """Bind the driver to a device and register its algorithms.

    Args:
        machine: where to register; the generics must be there already, as fallbacks.
        mmio: the device's registers.
        irq: its interrupt line.
        name: the engine's name in messages.
        ring_size: entries of each ring, 2 to 1024.
        policy: what goes to software although the hardware could do it.

    Raises:
        OSError: ENOMEM without memory for the rings, or what registering an algorithm gave; then
            nothing is left behind.
    """
    driver = Driver(Core(machine, mmio, irq, name, ring_size), policy or FallbackPolicy())
    driver.register()
    return driver
