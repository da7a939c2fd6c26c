"""Who registers what: the built-in providers, and those of entry points, hooks and files.

A provider is a name and a function that registers algorithms on a machine.  The software generics
are registered on every machine first, as fallbacks; what a provider adds is what is tested.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from tcrypt.engine import openssl as openssl_drivers
from tcrypt.engine import software as generics
from tcrypt.engine.api.flags import AlgType
from tcrypt.engine.api.machine import Machine, Setup
from tcrypt.engine.eip93.driver.policy import OPENWRT, OUT_OF_TREE_2020, FallbackPolicy
from tcrypt.engine.eip93.driver.submission import Mode
from tcrypt.engine.eip93.variants import (
    AES128_ONLY,
    AN7583,
    FLAKY,
    MT7621,
    NO_MD5,
    SLOW_IRQ,
    TINY_RING,
    Variant,
)
from tcrypt.engine.templates.cryptd import cryptd
from tcrypt.importing import import_from, told
from tcrypt.plugins.eip93 import attach_eip93
from tcrypt.plugins.instances import (
    EIP93_AGAIN,
    EIP93_INSTANCES,
    OPENSSL_DRIVERS,
    OPENSSL_VECTORS,
    SOFTWARE_INSTANCES,
    offer,
)
from tcrypt.subject import Provider

__all__ = (
    "ENTRY_POINT_GROUP",
    "ProviderError",
    "Providers",
    "eip93_aes128_only",
    "eip93_an7583",
    "eip93_async_fallback",
    "eip93_dhm",
    "eip93_direct",
    "eip93_flaky",
    "eip93_mt7621",
    "eip93_no_md5",
    "eip93_openwrt",
    "eip93_slow_irq",
    "eip93_templates",
    "eip93_tiny_ring",
    "load_file",
    "openssl",
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

    def of(self, wanted: Callable[[str], bool]) -> Providers:
        """Those whose name is wanted."""
        some = Providers()
        some._providers = {n: p for n, p in self._providers.items() if wanted(n)}
        return some

    def __iter__(self) -> Iterator[Provider]:
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


def openssl(machine: Machine) -> None:
    """The same algorithms as the software generics', on OpenSSL, and templates over them."""
    openssl_drivers.register(machine)
    machine.settle()
    offer(machine, OPENSSL_DRIVERS)
    offer(machine, OPENSSL_VECTORS, checks=("vectors",))


def eip93_mt7621(machine: Machine) -> None:
    """The driver on an EIP-93 as in the MediaTek MT7621: all of its algorithms."""
    attach_eip93(machine, MT7621)


def eip93_an7583(machine: Machine) -> None:
    """The driver on an EIP-93 as in the Airoha AN7583."""
    _again(machine, AN7583)


def eip93_aes128_only(machine: Machine) -> None:
    """The driver on an EIP-93 that has AES with 128-bit keys only."""
    _again(machine, AES128_ONLY)


def eip93_no_md5(machine: Machine) -> None:
    """The driver on an EIP-93 without MD5, so without what is built over it."""
    _again(machine, NO_MD5)


def eip93_tiny_ring(machine: Machine) -> None:
    """The driver on an EIP-93 with rings of four entries."""
    _again(machine, TINY_RING)


def eip93_slow_irq(machine: Machine) -> None:
    """A device whose interrupts come late; short AES requests are left to software, as in 2020."""
    _again(machine, SLOW_IRQ, OUT_OF_TREE_2020)


def eip93_flaky(machine: Machine) -> None:
    """A device with transient faults, none of which a correct driver lets its users see."""
    _again(machine, FLAKY)


def eip93_dhm(machine: Machine) -> None:
    """The driver in direct host mode: no rings, no DMA, and one request after another."""
    _again(machine, replace(MT7621, name="dhm", ring_size=16), mode="dhm")


def eip93_direct(machine: Machine) -> None:
    """The driver with a queue of its own instead of crypto_engine, on rings that are soon full."""
    _again(machine, replace(MT7621, name="direct", ring_size=8), mode="direct")


def eip93_openwrt(machine: Machine) -> None:
    """The MT7621's device; AES requests of up to 512 bytes are left to software."""
    _again(machine, replace(MT7621, name="openwrt"), OPENWRT)


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
    _again(machine, replace(AES128_ONLY, name="async-fallback"))


def _again(
    machine: Machine,
    variant: Variant,
    policy: FallbackPolicy | None = None,
    mode: Mode = "engine",
) -> None:
    """A device of which only what may differ from the MT7621's is tested again.

    Everything is registered: the rest stays there to be used, and to be looked at.
    """
    attach_eip93(machine, variant, policy, mode)
    machine.settle()
    offer(machine, EIP93_AGAIN[variant.name])
