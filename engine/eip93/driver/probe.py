"""Probe and remove: which algorithms a device gets, by its capability bits (eip93, 1.5)."""

from __future__ import annotations

from tcrypt.engine.api.algorithms import AnyAlg
from tcrypt.engine.api.machine import Machine
from tcrypt.engine.eip93.driver.aead import EipAead
from tcrypt.engine.eip93.driver.ahash import EipHash
from tcrypt.engine.eip93.driver.ciphers import AEAD_CIPHERS, CIPHERS, CipherSpec
from tcrypt.engine.eip93.driver.core import Core
from tcrypt.engine.eip93.driver.digests import DIGESTS
from tcrypt.engine.eip93.driver.host_mode import HostCore
from tcrypt.engine.eip93.driver.policy import FallbackPolicy
from tcrypt.engine.eip93.driver.skcipher import EipSkcipher
from tcrypt.engine.eip93.driver.submission import Mode
from tcrypt.engine.preemption import Mmio
from tcrypt.engine.sim import IrqLine

__all__ = ("Driver", "probe")


class Driver:
    """A bound driver: the device's core, and what was registered for it."""

    def __init__(self, core: Core, policy: FallbackPolicy) -> None:
        self.core = core
        self.policy = policy
        self.algs: list[AnyAlg] = self.algorithms()

    def algorithms(self) -> list[AnyAlg]:
        """Descriptors of everything that the device can do, hashes before what needs them."""
        core = self.core
        digests = [spec for spec in DIGESTS if core.option & spec.bit]
        found: list[AnyAlg] = [
            EipHash(core, spec, keyed=keyed).alg() for keyed in (False, True) for spec in digests
        ]
        found += [
            EipSkcipher(core, spec, self.policy).alg() for spec in CIPHERS if self._takes(spec)
        ]
        found += [
            EipAead(core, cipher, digest, self.policy).alg()
            for digest in digests
            for cipher in AEAD_CIPHERS
            if self._takes(cipher)
        ]
        return found

    def _takes(self, spec: CipherSpec) -> bool:
        """Whether the device has the cipher's core, and there is a key for it."""
        option = self.core.option
        return bool(option & spec.core_bit) and bool(self.policy.key_sizes(spec, option))

    def debugfs(self) -> str:
        """What happened to requests so far, a line for each driver and outcome.

        The outcomes are `hardware`, a reason for the fallback, a retry because the ring was full,
        and an error.
        """
        counters = sorted(self.core.counters.items())
        return "".join(f"{name}: {outcome}: {count}\n" for (name, outcome), count in counters)

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
    mode: Mode = "engine",
) -> Driver:
    """Bind the driver to a device and register its algorithms.

    Args:
        machine: where to register; the generics must be there already, as fallbacks.
        mmio: the device's registers.
        irq: its interrupt line.
        name: the engine's name in messages.
        ring_size: entries of each ring, 2 to 1024.
        policy: what goes to software although the hardware could do it.
        mode: how requests get to the hardware: over a crypto_engine to the rings (`engine`), from
            their callers' context to the rings with a queue of the driver's own (`direct`), or
            over a crypto_engine one by one through the registers, without DMA (`dhm`).

    Raises:
        OSError: ENOMEM without memory for the rings, EINVAL for a mode that does not exist, or
            what registering an algorithm gave; then nothing is left behind.
    """
    kind = HostCore if mode == "dhm" else Core
    core = kind(machine, mmio, irq, name, ring_size, mode)
    driver = Driver(core, policy or FallbackPolicy())
    driver.register()
    return driver
