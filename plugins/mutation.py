"""The command `tcrypt mutants`: plants each defect, runs the suite, and says what caught it."""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

import msgspec

from tcrypt.mutants import MUTANTS, BadMutantError, Mutant, all_mutants, load
from tcrypt.plugins.hunt import REGISTERING, Found, Hunt, Known, Prey
from tcrypt.plugins.providers import ProviderError, Providers, load_file
from tcrypt.plugins.selection import SelectionError
from tcrypt.plugins.session import TcryptSession
from tcrypt.plugins.side_by_side import BUILDS, print_comparison, self_tested
from tcrypt.recorder import EventSink
from tcrypt.reports.events import CaseFailed, Event
from tcrypt.settings import PROFILES, Selection
from tcrypt.vectors.catalogue import Catalogue

__all__ = ("run",)

_PROFILES = tuple(PROFILES)
_WIDE = 200
_USAGE = 2


def run(chosen: argparse.Namespace) -> int:
    """Hunt the defects; 0 when each was killed by its check, 1 if not, 2 for bad arguments."""
    providers = Providers()
    try:
        with redirect_stdout(sys.stderr):
            providers.add_entry_points()
            for where in chosen.driver_from:
                load_file(providers, where)
            mutants = _mutants(chosen.files, chosen.ids)
    except (ProviderError, BadMutantError, _UnknownError) as error:
        print(f"tcrypt mutants: {error}", file=sys.stderr)
        return _USAGE
    selection = Selection(
        providers=tuple(chosen.provider),
        algorithms=tuple(chosen.algorithm),
        checks=tuple(chosen.check),
    )
    prey = Prey(
        selection=selection,
        profiles=_PROFILES[: _PROFILES.index(chosen.profile) + 1],
        seed=chosen.seed,
        sources=tuple(chosen.driver_from),
    )
    lair = _Lair(prey, providers, Catalogue.load(), chosen.timeout)
    tell = _quiet if chosen.json else _line
    found = list(_told(lair.hunt(mutants, max(1, chosen.jobs)), tell))
    found.sort(key=lambda one: one.id)
    if chosen.compare:
        builds: dict[str, list[Found]] = {}
        for build in BUILDS[: BUILDS.index(chosen.compare) + 1]:
            lair.by_testmgr = build
            builds[build] = list(lair.hunt(mutants, max(1, chosen.jobs)))
        order = [mutant.name for mutant in mutants]
        found.sort(key=lambda one: order.index(one.id))
        print_comparison(builds, found, as_json=chosen.json)
    else:
        _print_json(found) if chosen.json else _print_table(found)
    return 0 if all(one.as_meant or one.outcome == "not applicable" for one in found) else 1


class _UnknownError(Exception):
    """There is no such defect."""


def _mutants(files: Sequence[str], ids: Sequence[str]) -> list[Mutant]:
    """The defects to hunt, in order."""
    known = [m for where in files for m in load(where)] if files else list(all_mutants())
    wanted: list[Mutant] = []
    for name in ids:
        where, mark, _ = name.rpartition("::")
        if mark:
            load(where)
        found = [m for m in (*known, *MUTANTS.values()) if name in (m.id, m.name)]
        if not found:
            choices = ", ".join(m.id for m in known)
            raise _UnknownError(f"no mutant {name!r}; there are {choices}")
        wanted.append(found[0])
    return wanted or known


class _Record(EventSink):
    """What failed without a defect."""

    def __init__(self) -> None:
        self.failures: set[tuple[str, str]] = set()

    def append(self, event: Event) -> None:
        if isinstance(event, CaseFailed):
            self.failures.add((event.item, event.message))


@dataclass
class _Lair:
    """Hunts in processes of their own, one for each defect, and looks at each kill again.

    What fails without the defect as well was not caught: the same driver and check run once more,
    in this process, with nothing planted.
    """

    prey: Prey
    providers: Providers
    vectors: Catalogue
    timeout: float
    by_testmgr: str = ""
    _controls: dict[tuple[str, str, str, str], Known] = field(default_factory=dict)

    def hunt(self, mutants: Sequence[Mutant], jobs: int) -> Iterator[Found]:
        """Hunt all of them, so many at a time, in the order in which they end."""
        waiting = list(reversed(mutants))
        running: dict[Connection, _Child] = {}
        while waiting or running:
            while waiting and len(running) < jobs:
                child = _Child(waiting.pop(), self._target)
                running[child.pipe] = child
            for pipe in wait(list(running), timeout=1.0):
                assert isinstance(pipe, Connection)
                child = running.pop(pipe)
                found = child.result()
                if self._fails_anyway(found):
                    waiting.append(child.mutant)
                else:
                    yield found
            for pipe, child in list(running.items()):
                if time.monotonic() - child.began > self.timeout:
                    del running[pipe]
                    yield child.killed(self.timeout)

    def _target(self, mutant: Mutant) -> Found:
        if self.by_testmgr:
            return self_tested(mutant, self.prey, self.providers, self.vectors, self.by_testmgr)
        return Hunt(mutant, self.prey, self.providers, self.vectors).run()

    def _fails_anyway(self, found: Found) -> bool:
        """Whether it was killed by what fails without it as well, which no later hunt heeds."""
        if found.outcome != "killed" or self.by_testmgr:
            return False
        failures = self._control(found)
        if (found.item, found.message) not in failures:
            return False
        self.prey = replace(self.prey, known=self.prey.known | failures)
        return True

    def _control(self, found: Found) -> Known:
        """What the same check says of the same driver as it is."""
        key = (found.provider, found.driver, found.check, found.profile)
        if key not in self._controls:
            self._controls[key] = self._run_control(*key)
        return self._controls[key]

    def _run_control(self, provider: str, driver: str, check: str, profile: str) -> Known:
        registering = check == REGISTERING
        selection = Selection(
            providers=(provider,),
            drivers=() if registering else (driver,),
            checks=() if registering else (check,),
        )
        settings = self.prey.settings(selection, profile, "", "")
        only = self.providers.of(lambda name: name == provider)
        try:
            session = TcryptSession(settings, only, self.vectors)
        except SelectionError:
            # Without the defect there is no such driver.
            return frozenset()
        session.sink = record = _Record()
        record.failures.update((REGISTERING, lost.why) for lost in session.broken)
        for plan in [] if registering else session.plans(check):
            session.run(plan)
        return frozenset(record.failures)


class _Child:
    """One hunt in its own process."""

    def __init__(self, mutant: Mutant, target: Callable[[Mutant], Found]) -> None:
        self.mutant = mutant
        self.began = time.monotonic()
        # Vectors and libraries are loaded once, before.
        context = multiprocessing.get_context("fork")
        self.pipe, end = context.Pipe(duplex=False)
        self.process: BaseProcess = context.Process(target=_hunt, args=(end, target, mutant))
        self.process.start()
        end.close()

    def result(self) -> Found:
        """What the process sent; a process that died is a verdict of its own."""
        try:
            found = msgspec.json.decode(self.pipe.recv_bytes(), type=Found)
        except EOFError:
            self.process.join()
            return self._lost(f"the run died with status {self.process.exitcode}")
        self.process.join()
        self.pipe.close()
        return found

    def killed(self, seconds: float) -> Found:
        """End a process that takes too long."""
        self.process.kill()
        self.process.join()
        return self._lost(f"no failure within {seconds:g} s")

    def _lost(self, why: str) -> Found:
        return Found(
            id=self.mutant.name,
            summary=self.mutant.summary,
            outcome="survived",
            reason=why,
            expected=self.mutant.place.check,
            seconds=time.monotonic() - self.began,
        )


def _hunt(end: Connection, target: Callable[[Mutant], Found], mutant: Mutant) -> None:
    with redirect_stdout(sys.stderr):
        found = target(mutant)
    end.send_bytes(msgspec.json.encode(found))


def _told(found: Iterator[Found], tell: Callable[[Found], None]) -> Iterator[Found]:
    for one in found:
        tell(one)
        yield one


def _quiet(found: Found) -> None:
    """Say nothing."""


def _line(found: Found) -> None:
    """Show progress, since a long hunt is silent otherwise."""
    print(f"{found.id}: {_outcome(found)}", file=sys.stderr)


def _outcome(found: Found) -> str:
    if found.outcome != "killed":
        return f"{found.outcome}: {found.reason}"
    where = f"{found.check}, {found.driver or found.provider}"
    meant = "" if found.as_meant else f"; {found.expected} is meant for it"
    return f"killed by {where} in {found.seconds:.1f} s: {found.message}{meant}"


def _summary(found: Sequence[Found]) -> dict[str, Any]:
    applicable = [one for one in found if one.outcome != "not applicable"]
    killed = [one for one in applicable if one.outcome == "killed"]
    return {
        "applicable": len(applicable),
        "killed": len(killed),
        "killed by the check meant for it": sum(one.as_meant for one in killed),
        "not applicable": len(found) - len(applicable),
        "median seconds to kill": statistics.median([o.seconds for o in killed] or [0.0]),
    }


def _print_json(found: Sequence[Found]) -> None:
    whole = {"summary": _summary(found), "mutants": found}
    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(whole)) + b"\n")
    sys.stdout.flush()


def _print_table(found: Sequence[Found]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for column in ("id", "outcome", "check", "driver", "case", "says", "s"):
        table.add_column(column, overflow="fold")
    for one in found:
        killed = one.outcome == "killed"
        check = one.check if one.as_meant or not killed else f"{one.check} (not {one.expected})"
        driver = f"{one.provider}: {one.driver}" if killed else ""
        says = one.message if killed else one.reason
        cells = (one.id, one.outcome, check, driver, one.case, says, f"{one.seconds:.1f}")
        table.add_row(*map(Text, cells))
    Console(width=None if sys.stdout.isatty() else _WIDE).print(table)
    total = _summary(found)
    print(
        f"\n{total['killed']} of {total['applicable']} killed"
        f" ({total['killed by the check meant for it']} by the check meant for it),"
        f" {total['not applicable']} not applicable;"
        f" median time to kill {total['median seconds to kill']:.2f} s"
    )
    for one in found:
        if one.command:
            print(f"  {one.id}: {one.command}")
