"""Finds what is registered: boots every provider once and lists the algorithms it adds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tcrypt.engine.software import software_algs
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
    """The algorithms that a provider adds to a machine, in the order of registration."""
    machine = provider.boot()
    generics = 0 if provider.name == "software" else len(software_algs())
    registered = list(machine.registry)
    own = registered[: len(registered) - generics]
    return [Subject(provider, alg) for alg in reversed(own)]


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
            why = f"{type(error).__name__}: {error}"
            broken.append(BrokenProvider(provider, f"{provider.origin}: {why}"))
            continue
        if not own:
            broken.append(BrokenProvider(provider, f"{provider.origin}: {_REGISTERS_NOTHING}"))
        found += own
    return found, broken
