"""A number for the state of a machine: equal states have equal numbers.

The state is what later behaviour can depend on: queued events (which, not when), everything that
is reachable from them, from the engines and from the interrupt handlers, the content of allocated
memory, and the DMA mappings.  It is found by walking the objects themselves, closures included, so
a driver need not describe its state.  Times and statistics are left out, or no state would ever
be reached twice.  What a driver keeps in globals is not seen.
"""

from __future__ import annotations

import enum
import gc
from collections.abc import Callable, Iterable
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from tcrypt.engine.api.algorithms import AeadAlg, AhashAlg, CipherAlg, ShashAlg, SkcipherAlg
from tcrypt.engine.api.dma import DmaBus
from tcrypt.engine.api.machine import Machine
from tcrypt.engine.api.memory import Memory
from tcrypt.engine.api.registry import Entry, Registry
from tcrypt.engine.sim import Event, Simulation

__all__ = ("LEFT_OUT", "Apart", "fingerprint")

# Statistics, times and constant tables, by class and attribute.
LEFT_OUT: frozenset[tuple[str, str]] = frozenset(
    {
        ("tcrypt.engine.engine_state.EngineState", "retries"),
        ("tcrypt.engine.engine_state.EngineState", "started"),
        ("tcrypt.engine.engine_state.EngineState", "coverage"),
        ("tcrypt.engine.engine_state.EngineState", "semantics"),
        ("tcrypt.engine.engine_state.EngineState", "_watch"),
        ("tcrypt.engine.crypto_engine.CryptoEngine", "_algs"),
        ("tcrypt.engine.irq_line.IrqLine", "delivered"),
        ("tcrypt.engine.irq_line.IrqLine", "lost"),
        ("tcrypt.engine.irq_line.IrqLine", "stuck"),
        ("tcrypt.engine.eip93.device.Device", "_readers"),
        ("tcrypt.engine.eip93.device.Device", "_writers"),
        ("tcrypt.engine.eip93.device.Device", "_registers"),
        ("tcrypt.engine.eip93.rings.Rings", "_waiting_since"),
        ("tcrypt.engine.eip93.driver.core.Core", "counters"),
        ("tcrypt.ticket.Ticket", "ahead"),
    }
)
# Adding it to small numbers tells -1 and -2 apart, which have one hash.
_AWAY = 1 << 40
_ATOMS = frozenset({str, bytes, bool, float, type(None)})
_FIXED = (type, ModuleType, CodeType, enum.Enum)
# These are looked at by themselves, or are the same in all states of a search.
_APART = (Machine, Simulation, Memory, DmaBus, Registry, Entry)
_Names = Callable[[Any], Iterable[Any]]


class Apart:
    """Something of the suite that a request leads to, and that is no state of the machine."""

    __slots__ = ()

    @property
    def name_apart(self) -> int | str:
        """What tells it from others of its kind."""
        return ""


def fingerprint(machine: Machine, more: Iterable[Any] = ()) -> int:
    """The number of a machine's state, and of `more` objects with all that they refer to."""
    late = machine.sim.now + 1_000_000
    events = sorted(
        ((e.time > late, e.context.value, e.label, e) for e in machine.sim.pending()),
        key=lambda entry: entry[:3],
    )
    found: list[Any] = [entry[:3] for entry in events]
    # The requests come first, so that a set of them has an order.
    roots = [*more, *(entry[3].callback for entry in events)]
    _walk([*roots, machine.engines, machine.sim.irq_lines], found)
    found += machine.memory.live_content()
    found += machine.dma.mappings()
    return hash(tuple(found))


def _walk(roots: list[Any], found: list[Any]) -> None:
    """Append what is reachable to `found`; an object that was met before is its number."""
    numbers: dict[int, int] = {}
    stack = roots[::-1]
    pop, append = stack.pop, found.append
    while stack:
        thing = pop()
        kind = type(thing)
        if kind is int:
            append(thing + _AWAY)
        elif kind in _ATOMS:
            append(thing)
        elif id(thing) in numbers:
            append(("again", numbers[id(thing)]))
        elif kind is set or kind is frozenset:
            append(tuple(sorted(_rank(member, numbers) for member in thing)))
        else:
            numbers[id(thing)] = len(numbers)
            append(kind)
            names = _PARTS.get(kind)
            if names is None:
                names = _PARTS[kind] = _parts_of(kind)
            stack.extend(names(thing))


def _rank(member: Any, numbers: dict[int, int]) -> str:
    """What orders the members of a set: their value, or when they were met; others are alike."""
    if type(member) is int or type(member) in _ATOMS:
        return repr(member)
    return f"object {numbers.get(id(member), -1):06}"


def _parts_of(kind: type) -> _Names:
    """How to get at the parts of objects of a type."""
    if issubclass(kind, Apart):
        return _named
    if issubclass(kind, _APART):
        return _nothing
    if issubclass(kind, _FIXED):
        return _itself
    if issubclass(kind, list | tuple):
        return _counted
    if issubclass(kind, bytearray | memoryview):
        return _content
    if issubclass(kind, AeadAlg | AhashAlg | CipherAlg | ShashAlg | SkcipherAlg):
        return _algorithm
    special = _SPECIAL.get(kind)
    if special is not None:
        return special
    if hasattr(kind, "__getattr__"):
        # It may take the question for a use, as what stands in a completed request does.
        return gc.get_referents
    if kind.__module__ == "builtins" or kind.__module__ in ("collections", "functools"):
        return gc.get_referents
    return _by_name(kind)


def _by_name(kind: type) -> _Names:
    """The attributes of an instance, without those that are left out."""
    places = {(f"{base.__module__}.{base.__qualname__}", base) for base in kind.__mro__}
    barred = frozenset(name for place, name in LEFT_OUT if place in {p for p, _ in places})
    slots = [
        slot
        for base in kind.__mro__
        for slot in getattr(base, "__slots__", ())
        if slot not in barred and not slot.startswith("__")
    ]

    def parts(thing: Any) -> list[Any]:
        values = [getattr(thing, slot, None) for slot in slots]
        attributes = getattr(thing, "__dict__", None)
        if attributes:
            values += [value for name, value in attributes.items() if name not in barred]
        return values

    return parts


def _nothing(thing: Any) -> tuple[Any, ...]:
    return ()


def _named(thing: Apart) -> tuple[int | str]:
    return (thing.name_apart,)


def _itself(thing: Any) -> tuple[Any, ...]:
    return (id(thing),)


def _counted(thing: Any) -> list[Any]:
    return [len(thing), *thing]


def _content(thing: Any) -> tuple[Any, ...]:
    return (bytes(thing),)


def _mapping(thing: dict[Any, Any]) -> list[Any]:
    return [len(thing), *thing.keys(), *thing.values()]


def _function(thing: FunctionType) -> list[Any]:
    cells = thing.__closure__ or ()
    return [thing.__code__, thing.__defaults__, *cells]


def _builtin(thing: BuiltinFunctionType) -> tuple[Any, ...]:
    return thing.__name__, thing.__self__


def _method(thing: MethodType) -> tuple[Any, ...]:
    return thing.__func__, thing.__self__


def _algorithm(thing: Any) -> list[Any]:
    """A descriptor is its name, and the driver's objects whose methods it has."""
    owners = [getattr(value, "__self__", None) for value in vars(thing).values()]
    return [thing.cra_driver_name, *owners]


def _event(thing: Event) -> tuple[Any, ...]:
    # When it is due and when it was queued are times.
    return thing.cancelled, thing.label, thing.callback


_SPECIAL: dict[type, _Names] = {
    dict: _mapping,
    FunctionType: _function,
    BuiltinFunctionType: _builtin,
    MethodType: _method,
    Event: _event,
}
_PARTS: dict[type, _Names] = {}
