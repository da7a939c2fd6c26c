"""Who registers what: the built-in providers, and those of entry points, hooks and files.

A provider is a name and a function that registers algorithms on a machine.  The software generics
are registered on every machine first, as fallbacks; what a provider adds is what is tested.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from tcrypt.engine import software as generics
from tcrypt.engine.api.flags import AlgType
from tcrypt.engine.api.machine import Accelerator, Machine, Setup, Shape
from tcrypt.engine.eip93.device import Device
from tcrypt.engine.eip93.driver.policy import OPENWRT, FallbackPolicy
from tcrypt.engine.eip93.driver.probe import Driver, probe
from tcrypt.engine.eip93.options import Options
from tcrypt.engine.eip93.records import Cipher, Digest
from tcrypt.engine.eip93.variants import AES128_ONLY, MT7621, TINY_RING, Variant
from tcrypt.engine.preemption import Mmio, PreemptibleMmio
from tcrypt.engine.sim import IrqLine
from tcrypt.engine.templates.cryptd import cryptd
from tcrypt.importing import import_from, told
from tcrypt.plugins.instances import EIP93_INSTANCES, SOFTWARE_INSTANCES, offer
from tcrypt.subject import Provider

__all__ = (
    "ENTRY_POINT_GROUP",
    "ProviderError",
    "Providers",
    "eip93_aes128_only",
    "eip93_async_fallback",
    "eip93_mt7621",
    "eip93_openwrt",
    "eip93_templates",
    "eip93_tiny_ring",
    "load_file",
    "software",
)

ENTRY_POINT_GROUP = "tcrypt.providers"
Register = Callable[[Machine], Any]


class ProviderError(Exception):
    """A provider cannot be used; the message names it and says why."""


class Providers:
    """The providers of a run, by name; what hooks and entry points add to."""

    def __init__(self) -> None:
        self._providers: dict[str, Provider] = {}

    def add(self, name: str, register: Register, *, origin: str = "") -> None:
        """Add a provider.

        Args:
            name: as options and reports will use it; unique.
            register: called with a new machine for every boot; registers on `machine.registry`.
            origin: where it comes from, for messages.

        Raises:
            ProviderError: the name is taken or empty, or `register` cannot be called.
        """
        if not name or name in self._providers:
            taken = self._providers[name].origin if name else "nothing"
            raise ProviderError(f"provider name {name!r} of {origin} is taken by {taken}")
        if not callable(register):
            raise ProviderError(f"provider {name!r} of {origin}: {register!r} is not callable")
        build = partial(_build, register, name != "software")
        self._providers[name] = Provider(name, build, origin)

    def add_entry_points(self, points: Iterable[Any] | None = None) -> None:
        """Add what installed distributions offer under `tcrypt.providers`."""
        found = entry_points(group=ENTRY_POINT_GROUP) if points is None else points
        for point in found:
            self.add(point.name, _Late(point), origin=f"entry point {point.value}")

    def __iter__(self) -> Any:
        return iter(self._providers.values())

    def names(self) -> list[str]:
        """The names, in the order in which they were added."""
        return list(self._providers)


class _Late:
    """An entry point that is imported when its first machine boots."""

    def __init__(self, point: Any) -> None:
        self._point = point
        self._register: Register | None = None

    def __call__(self, machine: Machine) -> None:
        if self._register is None:
            self._register = self._point.load()
        self._register(machine)


def _build(register: Register, own: bool, setup: Setup) -> Machine:
    machine = Machine(setup=setup)
    if own:
        generics.register(machine)
        machine.settle()
    register(machine)
    return machine


def load_file(providers: Providers, where: str) -> None:
    """Add the provider of a Python file or module that has a function `register(machine)`.

    Raises:
        ProviderError: it cannot be imported, or has no such function.
    """
    try:
        module = import_from(where)
    except (Exception, SystemExit) as error:
        raise ProviderError(f"--from {where}: {told(error)}") from error
    register = getattr(module, "register", None)
    if not callable(register):
        raise ProviderError(f"--from {where}: it has no function register(machine)")
    name = Path(where).stem if where.endswith(".py") else where.rpartition(".")[2]
    providers.add(str(getattr(module, "PROVIDER", name)), register, origin=where)


def software(machine: Machine) -> None:
    """The software generics themselves, and what templates make of them."""
    generics.register(machine)
    offer(machine, SOFTWARE_INSTANCES)


def eip93_mt7621(machine: Machine) -> None:
    """The driver on an EIP-93 as in the MediaTek MT7621."""
    attach_eip93(machine, MT7621)


def eip93_aes128_only(machine: Machine) -> None:
    """The driver on an EIP-93 that has AES with 128-bit keys only."""
    attach_eip93(machine, AES128_ONLY)


def eip93_tiny_ring(machine: Machine) -> None:
    """The driver on an EIP-93 with rings of four entries."""
    attach_eip93(machine, TINY_RING)


def eip93_openwrt(machine: Machine) -> None:
    """The MT7621's device; AES requests of up to 512 bytes are left to software."""
    attach_eip93(machine, MT7621, OPENWRT)


def eip93_templates(machine: Machine) -> None:
    """What templates make of the driver of eip93-mt7621, which itself is not tested again."""
    attach_eip93(machine, MT7621)
    machine.settle()
    offer(machine, EIP93_INSTANCES)


def eip93_async_fallback(machine: Machine) -> None:
    """An EIP-93 with 128-bit keys only, whose fallbacks are asynchronous and backlogged early.

    The generic ciphers that the driver falls back to are wrapped by cryptd with a queue of two;
    the authenc template, which it falls back to as well, is built over the wrapped one.
    """
    for name in ("ecb(aes)", "cbc(aes)", "ctr(aes)"):
        cryptd(machine, machine.registry.find(name, AlgType.SKCIPHER), qlen=2)
    attach_eip93(machine, AES128_ONLY)


def attach_eip93(machine: Machine, variant: Variant, policy: FallbackPolicy | None = None) -> None:
    """Put a device on a machine, bind the driver, and give the suite its evidence.

    Knobs: `ring_size` (entries); `preempt`, the ns that each register access takes while
    interrupts and other work strike in it, 0 to only offer the places (`preemption_points`);
    `torn_result`, the ns between a result's count and its last word.
    """
    torn = machine.setup.knobs.get("torn_result", variant.torn_result_ns)
    variant = replace(variant, torn_result_ns=torn)
    irq = IrqLine(machine.sim, variant.name)
    device = Device(machine.sim, machine.dma, irq, variant)
    used = policy or FallbackPolicy()
    bound = _Bound(
        partial(
            probe,
            machine,
            _door(machine, device),
            irq,
            name=variant.name,
            ring_size=machine.setup.knobs.get("ring_size", variant.ring_size),
            policy=used,
        )
    )
    machine.attach(
        Accelerator(
            name=variant.name,
            jobs=lambda: device.jobs,
            supports=partial(_supports, device.options),
            depth=bound.driver.core.rings.capacity,
            shortest=partial(_shortest, used),
            ceiling=_ceiling,
            takes=_takes,
            drives=bound.drives,
            in_order=True,
            unbind=bound.unbind,
            rebind=bound.rebind,
        )
    )


class _Bound:
    """A device that its driver can be taken off, and put on again without a power cycle."""

    def __init__(self, bind: Callable[[], Driver]) -> None:
        self._bind = bind
        self.driver = bind()

    def drives(self, name: str) -> bool:
        """Whether a driver name is one of those that the device's driver registers."""
        return any(alg.cra_driver_name == name for alg in self.driver.algs)

    def unbind(self) -> int:
        """Remove the driver; its status."""
        return self.driver.remove()

    def rebind(self) -> None:
        """Probe the device again; OSError as from `probe`."""
        self.driver = self._bind()


def _door(machine: Machine, device: Device) -> Mmio:
    """The device's registers; the driver can be interrupted there if the setup says so."""
    cost = machine.setup.knobs.get("preempt")
    if cost is None:
        return device
    sim = machine.sim
    if cost and sim.preemption_points is None:
        sim.preemption_points = lambda _: sim.let_pass(cost)
    return PreemptibleMmio(device, sim)


def _shortest(policy: FallbackPolicy, algorithm: str) -> int:
    """The policy is about the AES skciphers only."""
    return policy.software_up_to + 1 if algorithm in ("ecb(aes)", "cbc(aes)", "ctr(aes)") else 1


# As the mainline driver does it: hashes at 300, since most are too short to be worth a descriptor.
_HASH_CEILING = 300


def _ceiling(algorithm: str) -> int | None:
    """The policy is about hashes alone."""
    return None if "aes" in algorithm else _HASH_CEILING


def _takes(algorithm: str, shape: Shape) -> bool:
    """AAD and tag are counted in words, the AAD in eight bits; there must be whole blocks."""
    words = not shape.assoc % 4 and shape.assoc <= 4 * 255 and not shape.tag % 4
    return words and shape.text > 0 and not shape.text % 16


_DIGESTS = {"sha1": Digest.SHA1, "sha256": Digest.SHA256}


def _supports(options: Options, algorithm: str, key_size: int) -> bool:
    """Whether the capability bits name every part of an algorithm, with this AES key size."""
    digests = [digest for name, digest in _DIGESTS.items() if name in algorithm]
    if not all(options.supports_digest(digest) for digest in digests):
        return False
    return "aes" not in algorithm or options.supports_cipher(Cipher.AES, key_size)
