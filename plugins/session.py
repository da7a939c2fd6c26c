"""One process's part of a run: what it found, what it plans, how an item runs and is recorded."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import chain
from pathlib import Path

import pytest

from tcrypt.checks import answers, selftest
from tcrypt.checks.common import bench_kept
from tcrypt.cover import sampling
from tcrypt.division import standings
from tcrypt.expected import Expectations
from tcrypt.mutants import plant
from tcrypt.plan import Plan, Plans
from tcrypt.plugins import journal
from tcrypt.plugins.agenda import CHECKS, Agenda
from tcrypt.plugins.blame import stopped
from tcrypt.plugins.discovery import discover
from tcrypt.plugins.expecting import with_left_out
from tcrypt.plugins.providers import Providers
from tcrypt.plugins.selection import (
    check_names,
    check_profile,
    check_selection,
    nothing_selected,
)
from tcrypt.recorder import EventSink, Recorder
from tcrypt.reports.events import Event, ExpectationsRead, Note, RunFinished
from tcrypt.reports.expectations import Expectation
from tcrypt.reports.log import EventLog, log_path
from tcrypt.settings import Settings
from tcrypt.vectors.catalogue import Catalogue
from tcrypt.watchdog import DriverGivenUpError, Watchdog

__all__ = ("TcryptSession",)

_BLOCKED = "the rest"


class _LogSink(EventSink):
    """Events into the log of this process."""

    def __init__(self, path: Path) -> None:
        self._log = EventLog(path)

    def append(self, event: Event) -> None:
        """Write one event."""
        self._log.append(event)

    def close(self) -> None:
        """Close the log."""
        self._log.close()


class TcryptSession:
    """Discovery, plans and event log of one process.

    Args:
        settings: what the run was asked for.
        providers: who may register algorithms.
        catalogue: the known vectors.
        mutants: ids of defects to plant until `release`.
        expected: failures that a file expects; a planted defect makes nothing of them.
        today: the day by which they expire (ISO 8601).

    Raises:
        SelectionError: an option names what does not exist, or nothing is left to run.
        UnknownMutantError: there is no such mutant.
    """

    def __init__(
        self,
        settings: Settings,
        providers: Providers,
        catalogue: Catalogue,
        mutants: tuple[str, ...] = (),
        expected: tuple[Expectation, ...] = (),
        today: str = "",
    ) -> None:
        self.settings = settings
        self.catalogue = catalogue
        self.mutants = mutants
        self.today = today
        self.expected = () if mutants else expected
        self._valid = Expectations.valid(self.expected, today)
        self._ignored = len(expected) - len(self.expected)
        self.sink: EventSink = EventSink()
        self.watchdog = Watchdog(settings.limits.patience)
        self._began = time.monotonic()
        self._planted = ExitStack()
        try:
            for mutant in mutants:
                self._planted.enter_context(plant(mutant))
            self._find(providers)
        except BaseException:
            self.release()
            raise

    def _find(self, providers: Providers) -> None:
        semantics = self.settings.semantics
        chosen = (p.under(replace(p.setup, semantics=semantics)) for p in providers)
        self.registered, broken = discover(chosen, self.watchdog)
        selection = self.settings.selection
        check_selection(selection, self.registered, broken, CHECKS)
        check_profile(self.settings, CHECKS, selftest.CHECK)
        self.subjects = [subject for subject in self.registered if selection.takes(subject)]
        standing = standings(self.subjects, together=self.settings.limits.together)
        self.settings = replace(self.settings, standings=standing)
        elsewhere = {name: at.main for name, at in standing.items() if at.machine is not None}
        sampling.begin(self.subjects, elsewhere)
        self.broken = [b for b in broken if selection.takes_provider(b.provider.name)]
        if not self.subjects and not self.broken:
            raise nothing_selected(selection, self.registered)
        self.agenda = Agenda(self.settings, self.subjects, self.catalogue)

    def plans(self, check: str) -> Sequence[Plan]:
        """All items of a check for the selected drivers."""
        return self.agenda.plans(check)

    def bundles(self, check: str) -> dict[str, Plans]:
        """What pytest runs at once, by the names of its items."""
        return self.agenda.bundles(check)

    def check_names(self, required: Iterable[str], allowed: Iterable[str]) -> None:
        """Refuse sources and algorithms that do not exist.

        Raises:
            SelectionError: with the name and the choices.
        """
        sources = {
            file.source
            for name in self.catalogue.algorithms()
            for file in self.catalogue.files(name)
        }
        check_names("require", required, sorted(sources))
        names = [name for s in self.registered for name in (s.algorithm, s.driver)]
        check_names("allow-untested", allowed, names)

    def open_log(self, path: Path, arguments: list[str], *, worker: str, run: str) -> None:
        """Start the event log of this process and write down what was found."""
        self.sink = sink = _LogSink(log_path(path, worker))
        sink.append(journal.started(self.settings, arguments, worker=worker, run=run))
        sink.append(journal.engine_states(self.settings))
        for mutant in self.mutants:
            sink.append(Note(f"defect {mutant} of the catalogue is planted: this run must fail"))
        if self._ignored:
            sink.append(journal.expectations_ignored(self._ignored))
        for broken in self.broken:
            sink.append(journal.lost_provider(broken))

    def record_items(self, plans: Sequence[Plan], asked: Iterable[str]) -> None:
        """Write down what will run, for which algorithms.

        Args:
            plans: the items that pytest will run.
            asked: the checks whose items pytest collected or was not meant to collect.
        """
        left_out = set(self.agenda.all) - set(asked)
        for check in sorted(left_out):
            if self.agenda.all[check]:
                self.sink.append(journal.lost_check(check, self.agenda.all[check]))
        # What a run was narrowed to with -k and the like says nothing about the other drivers.
        whole = len(plans) == sum(map(len, self.agenda.all.values())) and not self.settings.narrow
        kept = {plan.subject for plan in plans}
        for subject in self.subjects:
            if whole or subject in kept or subject in self.agenda.untested:
                self.sink.append(journal.found(subject))
        for plan in plans:
            self.sink.append(journal.planned(plan))
        self.sink.append(journal.cover_goals(self.settings, whole=whole))
        if self.expected:
            meant = chain.from_iterable(self.agenda.all.values())
            lost = [broken.provider.name for broken in self.broken]
            entries = with_left_out(
                self.expected, self.settings, self.registered, CHECKS, meant, plans, lost
            )
            self.sink.append(ExpectationsRead(self.today, entries))

    def record_losses(self, required: Iterable[str], allowed: Sequence[str]) -> None:
        """Write down what is missing: required sources, and tests for an algorithm."""
        for lost in journal.missing_sources(self.catalogue, required):
            self.sink.append(lost)
        if self.settings.narrow:
            return
        for subject, why in self.agenda.untested.items():
            for event in journal.untested(subject, why, allowed):
                self.sink.append(event)
        if self.agenda.all[answers.CHECK]:
            self.sink.append(Note(answers.unasked(subject.algorithm for subject in self.subjects)))

    def run_all(self, plans: Plans) -> list[Recorder]:
        """Run the items of a bundle one after the other; their records."""
        with bench_kept():
            return [self.run(plan) for plan in plans]

    def run(self, plan: Plan) -> Recorder:
        """Run one item; its record.  Whatever the driver does, the item gets an end."""
        recorder = Recorder(self.sink, plan, self.settings, self._valid)
        try:
            with self.watchdog.watching(plan.subject.id):
                if self.watchdog.given_up:
                    raise DriverGivenUpError(self.watchdog.given_up)
                plan.body(recorder, self.watchdog)
        except DriverGivenUpError as error:
            recorder.unexecuted("blocked", str(error), [_BLOCKED])
        except (KeyboardInterrupt, pytest.exit.Exception):
            # The item has not ended: the report must say so.
            recorder.flush()
            raise
        except BaseException as error:
            recorder.result("all", [stopped(error, plan.check)])
        recorder.finish()
        return recorder

    def close(self, exit_status: int) -> None:
        """End the log."""
        seconds = time.monotonic() - self._began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        self.sink.append(RunFinished(exit_status, seconds, peak))
        if isinstance(self.sink, _LogSink):
            self.sink.close()
            self.sink = EventSink()

    def release(self) -> None:
        """Take planted defects out again."""
        self._planted.close()
