"""Planted defects of the catalogue: each proves that a check can fail.

A mutant is a context manager that changes the driver, the engine, the device or a registration
for as long as it is entered.  It stands under its catalogue id in the module of its category; a
small letter behind the id tells variants of one entry apart.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

__all__ = ("MUTANTS", "Mutant", "UnknownMutantError", "all_mutants", "mutant", "plant")

# One for each category of the catalogue, imported when the first mutant is asked for.
_MODULES = (
    "iv",
    "ctr",
    "sg",
    "sg_hash",
    "length",
    "keys",
    "hash",
    "hash_shared",
    "hmac",
    "aead",
    "queue",
    "async_fallback",
    "ring",
    "interrupts",
    "concurrency",
    "registration",
    "memory",
    "key_memory",
)

Plant = Callable[[], AbstractContextManager[None]]


class UnknownMutantError(LookupError):
    """No mutant of this id; the message names near ones."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One planted defect: its catalogue id, what it does, and how to enter it."""

    id: str
    summary: str
    plant: Plant


MUTANTS: dict[str, Mutant] = {}


def mutant(name: str, summary: str) -> Callable[[Plant], Plant]:
    """Register a context manager function under a catalogue id."""

    def register(function: Plant) -> Plant:
        if name in MUTANTS:
            raise ValueError(f"mutant {name} is defined twice")
        MUTANTS[name] = Mutant(name, summary, function)
        return function

    return register


def plant(name: str) -> AbstractContextManager[None]:
    """The context manager of a mutant; UnknownMutantError when there is none."""
    _load()
    if name not in MUTANTS:
        near = difflib.get_close_matches(name, MUTANTS, n=3)
        hint = (
            f"; did you mean {' or '.join(near)}?" if near else f"; there are {', '.join(MUTANTS)}"
        )
        raise UnknownMutantError(f"no mutant {name!r}{hint}")
    return MUTANTS[name].plant()


def all_mutants() -> Iterator[Mutant]:
    """Every mutant, in the order of the modules."""
    _load()
    return iter(MUTANTS.values())


def _load() -> None:
    for module in _MODULES:
        importlib.import_module(f"{__name__}.{module}")
