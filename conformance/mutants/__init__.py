"""Planted defects: each proves that a check can fail.

A mutant is a context manager that changes the driver, the engine, the device or a registration
for as long as it is entered.  Those of the catalogue stand under their ids in the module of
their category; a small letter behind the id tells variants of one entry apart.  Anybody's file
can hold more: it decorates functions with `mutant`, and its mutants are named `FILE::ID`.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cache

from tcrypt.importing import import_from, told

__all__ = (
    "MUTANTS",
    "BadMutantError",
    "Mutant",
    "NotApplicableError",
    "Place",
    "UnknownMutantError",
    "all_mutants",
    "load",
    "mutant",
    "plant",
)

# One for each category of the catalogue, imported when the first mutant is asked for.
_MODULES = (
    "iv",
    "ctr",
    "sg",
    "sg_hash",
    "length",
    "keys",
    "key_shapes",
    "hash",
    "hash_shared",
    "hmac",
    "aead",
    "ipsec",
    "queue",
    "own_queue",
    "host_mode",
    "async_fallback",
    "ring",
    "interrupts",
    "concurrency",
    "registration",
    "memory",
    "key_memory",
    "lifetimes",
    "edge_cases",
)

Plant = Callable[[], AbstractContextManager[None]]


class UnknownMutantError(LookupError):
    """No mutant of this id; the message names near ones."""


class BadMutantError(Exception):
    """A file of mutants cannot be imported, or holds none; the message names it and says why."""


class NotApplicableError(Exception):
    """Raised by what plants a defect that cannot be had here; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a defect shows first; empty for "anywhere".

    Attributes:
        provider: the provider whose driver has it, by name.
        algorithm: the `cra_name` that it shows with.
        check: the check that is meant for it.
        says: the message of that check.
        profile: the least profile in which it is seen.
        case: the case of the check, where running all of them takes long.
        patience: seconds of real time that one case may take, before it counts as hung.
    """

    provider: str = ""
    algorithm: str = ""
    check: str = ""
    says: str = ""
    profile: str = "quick"
    case: str = ""
    patience: float = 10.0


@dataclass(frozen=True, slots=True)
class Mutant:
    """One planted defect: its id, what it does, how to enter it, where it shows, its file."""

    id: str
    summary: str
    plant: Plant
    place: Place = Place()
    origin: str = ""

    @property
    def name(self) -> str:
        """What `--mutant` calls it."""
        return f"{self.origin}{_MARK}{self.id}" if self.origin else self.id


MUTANTS: dict[str, Mutant] = {}
_MARK = "::"
# Where what is being imported comes from; empty for the modules here.
_origin = ""


def mutant(name: str, summary: str, place: Place = Place()) -> Callable[[Plant], Plant]:
    """Register a function that makes a context manager as a mutant.

    Args:
        name: its id, unique in its file.
        summary: the defect in a few words.
        place: where it shows first, if that is known.

    Raises:
        ValueError: the id is taken.
    """

    def register(function: Plant) -> Plant:
        found = Mutant(name, summary, function, place, _origin)
        if found.name in MUTANTS:
            raise ValueError(f"mutant {name} is defined twice")
        MUTANTS[found.name] = found
        return function

    return register


def load(where: str) -> list[Mutant]:
    """The mutants of a Python file or an importable module, in its order.

    Raises:
        BadMutantError: it cannot be imported, or has none.
    """
    global _origin
    _load()
    mine = [found for found in MUTANTS.values() if found.origin == where]
    if not mine:
        _origin = where
        try:
            import_from(where)
        except (Exception, SystemExit) as error:
            for found in [name for name, m in MUTANTS.items() if m.origin == where]:
                del MUTANTS[found]
            raise BadMutantError(f"{where}: {told(error)}") from error
        finally:
            _origin = ""
        mine = [found for found in MUTANTS.values() if found.origin == where]
    if not mine:
        raise BadMutantError(f"{where}: it decorates nothing with tcrypt.mutants.mutant")
    return mine


def plant(name: str) -> AbstractContextManager[None]:
    """The context manager of a mutant, by id or as `FILE::ID`.

    Raises:
        UnknownMutantError: there is none of this id.
        BadMutantError: the file cannot be imported.
    """
    _load()
    where, mark, _ = name.rpartition(_MARK)
    if mark:
        load(where)
    if name not in MUTANTS:
        near = difflib.get_close_matches(name, MUTANTS, n=3)
        hint = (
            f"; did you mean {' or '.join(near)}?" if near else f"; there are {', '.join(MUTANTS)}"
        )
        raise UnknownMutantError(f"no mutant {name!r}{hint}")
    return MUTANTS[name].plant()


def all_mutants() -> Iterator[Mutant]:
    """Every mutant of the catalogue, in the order of the modules."""
    _load()
    return iter([found for found in MUTANTS.values() if not found.origin])


@cache
def _load() -> None:
    for module in _MODULES:
        importlib.import_module(f"{__name__}.{module}")
    places = importlib.import_module(f"{__name__}.places").PLACES
    for name in MUTANTS.keys() & places.keys():
        MUTANTS[name] = replace(MUTANTS[name], place=places[name])
