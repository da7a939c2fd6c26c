"""The life of a transform: opened, keyed and freed it leaves nothing, even where a step fails.

What a step asks for is counted first, and then each thing that it asked for fails once: memory,
and the allocation of another transform.  A driver's exit is not called after its init has failed,
so init takes back itself what it had taken (crypto API, 6.6).
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tcrypt import facts
from tcrypt.checks.common import SpecRunner
from tcrypt.checks.fallback_needs import keyed
from tcrypt.checks.registry_conduct import entry_of
from tcrypt.checks.trial import good_spec
from tcrypt.engine.api.entries import Entry
from tcrypt.engine.api.errors import errno_name
from tcrypt.engine.api.machine import Machine
from tcrypt.problems import Problem
from tcrypt.subject import Subject
from tcrypt.watchdog import Watchdog

__all__ = ("init_fails", "references_kept", "setkey_fails")

_POINTS = 8
_REFUSED = -errno.EKEYREJECTED

_Left = tuple[dict[Entry, int], int, int]


def references_kept(subject: Subject) -> list[Problem]:
    """After a transform's life every algorithm has the users that it had before.

    The first life does not count: it may build instances of templates, and a driver may take then
    what it keeps for all of its transforms.
    """
    machine = subject.provider.boot()
    entry_of(machine, subject)
    _live(machine, subject)
    before = _users(machine)
    _live(machine, subject)
    kept = [
        f"{entry.alg.cra_driver_name}: {before.get(entry, 0)} users before, {users} after"
        for entry, users in _users(machine).items()
        if users != before.get(entry, 0)
    ]
    if not kept:
        return []
    return [Problem("users left behind by a freed transform", facts.USERS, details=tuple(kept))]


def init_fails(subject: Subject) -> list[Problem]:
    """Init fails at each thing that it asks for, leaves nothing each time, and works then."""
    machine = subject.provider.boot()
    entry_of(machine, subject)
    _live(machine, subject)
    before = _left(machine)
    with _counted(machine) as asked:
        _live(machine, subject)
    for what, count in asked.items():
        for point in range(min(count, _POINTS)):
            with _failing(machine, what, point):
                _attempt(lambda: _live(machine, subject))
            found = _compared(before, _left(machine), f"{what} {point} of a life fails")
            if found:
                return found
    status = _attempt(lambda: _live(machine, subject))
    if status:
        message = "not usable after an init that failed"
        return [Problem(message, facts.HALF_OPEN, "0", errno_name(status))]
    return []


def setkey_fails(subject: Subject, watchdog: Watchdog) -> list[Problem]:
    """Setkey fails at each thing that it asks for, and in the fallback; the next one works."""
    runner = SpecRunner(subject, watchdog)
    case: Any = good_spec(runner.reference).case(runner.reference)  # type: ignore[arg-type]
    if case.key is None or runner.problems(good_spec(runner.reference, 1)):
        # Other checks judge a driver that cannot do a plain request.
        return []
    machine, tfm = runner.bench.machine, runner.bench.tfm
    with _counted(machine) as asked:
        tfm.setkey(case.key)
    before = _left(machine)
    for what, count in asked.items():
        for point in range(min(count, _POINTS)):
            with _failing(machine, what, point):
                _attempt(lambda: tfm.setkey(case.key))
            # The key before, or none, may have had what this one was refused.
            _attempt(lambda: tfm.setkey(case.key))
            found = _compared(before, _left(machine), f"{what} {point} of setkey fails")
            found = found or runner.problems(good_spec(runner.reference, 2 + point))
            if found:
                return found
    return _fallback_refuses(runner, case.key)


def _fallback_refuses(runner: SpecRunner, key: bytes) -> list[Problem]:
    """A key that the fallback was given and refused is refused, with its errno."""
    machine, subject, tfm = runner.bench.machine, runner.subject, runner.bench.tfm
    own = entry_of(machine, subject)
    for entry in list(machine.registry.entries()):
        if entry is own or own.parts or entry.alg.cra_name != subject.algorithm:
            continue
        before = _left(machine)
        with _refusing(entry) as calls:
            status = _attempt(lambda: tfm.setkey(key))
        if calls and status != _REFUSED:
            wanted, got = errno_name(_REFUSED), errno_name(status)
            message = "wrong status of a key that the fallback refused"
            return [Problem(message, facts.FALLBACK_KEY, wanted, got)]
        _attempt(lambda: tfm.setkey(key))
        found = _compared(before, _left(machine), "the fallback refuses a key")
        found = found or runner.problems(good_spec(runner.reference, 2))
        if found:
            return found
    return []


def _live(machine: Machine, subject: Subject) -> None:
    """A transform's life: opened, keyed, freed; OSError where that fails."""
    machine.registry.free(keyed(machine, subject))


def _attempt(act: Callable[[], object]) -> int:
    """0, or the errno with which something fails."""
    try:
        act()
    except OSError as error:
        return -(error.errno or 0)
    return 0


def _users(machine: Machine) -> dict[Entry, int]:
    return {entry: entry.users for entry in machine.registry.entries()}


def _left(machine: Machine) -> _Left:
    """What a step that failed must leave as it was."""
    return _users(machine), machine.memory.live_blocks, machine.dma.live_mappings


def _compared(before: _Left, after: _Left, when: str) -> list[Problem]:
    """The problem of more users, blocks or mappings than before; fewer are no leak."""
    users = {entry: count for entry, count in after[0].items() if count > before[0].get(entry, 0)}
    if not users and after[1] <= before[1] and after[2] <= before[2]:
        return []
    names = tuple(f"a user more of {entry.alg.cra_driver_name}" for entry in users)
    wanted, got = (
        f"{sum(counts.values())} users, {blocks} blocks, {maps} mappings"
        for counts, blocks, maps in (before, after)
    )
    message = "a step that failed leaves something"
    return [Problem(message, facts.HALF_OPEN, wanted, got, details=(when, *names))]


@contextmanager
def _counted(machine: Machine) -> Iterator[dict[str, int]]:
    """Count what is asked for meanwhile: blocks of memory, mappings, and lookups."""
    registry, lookup = machine.registry, machine.registry.lookup
    asked = {"allocation": -machine.memory.allocations, "mapping": -machine.dma.maps, "lookup": 0}

    def counting(*arguments: Any, **more: Any) -> Entry:
        asked["lookup"] += 1
        return lookup(*arguments, **more)

    registry.lookup = counting  # type: ignore[method-assign]
    try:
        yield asked
    finally:
        del registry.lookup
        asked["allocation"] += machine.memory.allocations
        asked["mapping"] += machine.dma.maps


@contextmanager
def _failing(machine: Machine, what: str, point: int) -> Iterator[None]:
    """Let one thing fail that is asked for, after `point` others that work."""
    if what == "allocation":
        machine.memory.fail_allocs(point)
    elif what == "mapping":
        machine.dma.fail_maps(point)
    else:
        _fail_lookup(machine, point)
    try:
        yield
    finally:
        machine.memory.mend()
        machine.dma.mend()
        vars(machine.registry).pop("lookup", None)


def _fail_lookup(machine: Machine, point: int) -> None:
    registry, lookup = machine.registry, machine.registry.lookup
    seen = [0]

    def failing(*arguments: Any, **more: Any) -> Entry:
        seen[0] += 1
        if seen[0] == point + 1:
            raise OSError(errno.ENOMEM, f"lookup of {arguments[0]}: injected fault")
        return lookup(*arguments, **more)

    registry.lookup = failing  # type: ignore[method-assign]


@contextmanager
def _refusing(entry: Entry) -> Iterator[list[int]]:
    """Let every setkey of an algorithm fail; how long the keys were that it was given."""
    alg: Any = entry.alg
    setkey, calls = alg.setkey, []

    def refuse(tfm: object, key: bytearray) -> int:
        calls.append(len(key))
        return _REFUSED

    alg.setkey = refuse
    try:
        yield calls
    finally:
        alg.setkey = setkey
