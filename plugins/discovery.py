"""Finds what is registered: boots every provider once and lists the algorithms it adds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tcrypt.engine.api.algorithms import AnyAlg, CipherAlg, ShashAlg
from tcrypt.engine.api.entries import Entry
from tcrypt.engine.api.flags import AlgFlag, AlgType
from tcrypt.engine.api.machine import Machine, Offer
from tcrypt.engine.api.shash import ahash_view
from tcrypt.plugins.blame import place_in_own_code
from tcrypt.problems import WatchdogError
from tcrypt.subject import Provider, Subject
from tcrypt.watchdog import Watchdog

__all__ = ("BrokenProvider", "discover", "subjects_of")

_REGISTERS_NOTHING = "registers nothing"


@dataclass(frozen=True, slots=True)
class BrokenProvider:
    """A provider whose machine does not boot, and why."""

    provider: Provider
    why: str


def subjects_of(provider: Provider) -> list[Subject]:
    """The algorithms that a provider adds to a machine, in the order of registration.

    Instances that came about on the way, such as a driver's fallback, are not the provider's; the
    ones that it offers are.  A single-block cipher is tested as `ecb` over it, unless the provider
    offers that itself.

    Raises:
        OSError: an instance that is offered cannot be built.
    """
    machine = provider.boot()
    return [
        Subject(provider, _tested_as(entry.alg), bool(entry.flags & AlgFlag.INSTANCE), checks)
        for entry, checks in _own(machine)
    ]


def _own(machine: Machine) -> Iterator[tuple[Entry, tuple[str, ...]]]:
    """What a provider's machine has to be tested, and by which checks; by all if it names none."""
    offered = list(machine.offers)
    for entry in reversed(list(machine.registry.entries())):
        alg = entry.alg
        if alg in machine.settled or entry.flags & AlgFlag.INSTANCE:
            continue
        if isinstance(alg, CipherAlg):
            ecb = f"ecb({alg.cra_driver_name})"
            if all(offer.name != ecb for offer in offered):
                offered.append(Offer(AlgType.SKCIPHER, ecb))
        else:
            yield entry, ()
    for kind, name, checks in offered:
        yield machine.registry.lookup(name, kind), checks


def _tested_as(alg: AnyAlg) -> AnyAlg:
    """A synchronous hash is used, and so tested, as an ahash."""
    return ahash_view(alg) if isinstance(alg, ShashAlg) else alg


def discover(
    providers: Iterable[Provider], watchdog: Watchdog
) -> tuple[list[Subject], list[BrokenProvider]]:
    """The algorithms of all providers; one that fails or hangs is named and the others go on."""
    found: list[Subject] = []
    broken: list[BrokenProvider] = []
    for provider in providers:
        try:
            with watchdog.watching(provider.name):
                watchdog.arm()
                own = subjects_of(provider)
        except (Exception, SystemExit, WatchdogError) as error:
            why = f"{type(error).__name__}: {error}{place_in_own_code(error)}"
            broken.append(BrokenProvider(provider, f"{provider.origin}: {why}"))
            continue
        if not own:
            broken.append(BrokenProvider(provider, f"{provider.origin}: {_REGISTERS_NOTHING}"))
        found += own
    return found, broken
