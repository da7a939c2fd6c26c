"""One process's part of a run: what it found, what it planned, where it records."""

from __future__ import annotations

import platform
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from types import ModuleType

from tcrypt.checks import boundaries, fallback, fuzz, keys, registration, retry, sequences, vectors
from tcrypt.checks.common import reference_for
from tcrypt.mutants import plant
from tcrypt.plan import Plan
from tcrypt.plugins.discovery import BrokenProvider, discover
from tcrypt.plugins.providers import Providers
from tcrypt.recorder import EventSink, Recorder
from tcrypt.reports.events import (
    FORMAT,
    AlgorithmFound,
    CoverageLost,
    Event,
    ItemPlanned,
    Note,
    RunFinished,
    RunStarted,
    Untested,
)
from tcrypt.reports.log import EventLog, log_path
from tcrypt.settings import Settings
from tcrypt.subject import Subject, properties_of
from tcrypt.vectors.catalogue import Catalogue
from tcrypt.watchdog import Watchdog

__all__ = ("CHECKS", "NothingSelectedError", "TcryptSession")

CHECKS: dict[str, ModuleType] = {
    module.CHECK: module
    for module in (
        registration,
        keys,
        vectors,
        boundaries,
        fuzz,
        sequences,
        fallback,
        retry,
    )
}
_LIBRARIES = ("pytest", "hypothesis", "cryptography", "pycryptodome", "cryptography-vectors")


class NothingSelectedError(Exception):
    """The selection leaves no driver, no check or no case; the message lists what there is."""


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
        mutants: ids of defects to plant for the whole session.

    Raises:
        NothingSelectedError: no driver matches the selection.
    """

    def __init__(
        self,
        settings: Settings,
        providers: Providers,
        catalogue: Catalogue,
        mutants: tuple[str, ...] = (),
    ) -> None:
        self.settings = settings
        self.catalogue = catalogue
        self.mutants = mutants
        self._planted = ExitStack()
        for mutant in mutants:
            self._planted.enter_context(plant(mutant))
        every, broken = discover(providers)
        selection = settings.selection
        self.subjects = [subject for subject in every if selection.takes(subject)]
        self.broken = [b for b in broken if selection.takes_provider(b.provider.name)]
        if not self.subjects and not self.broken:
            raise NothingSelectedError(_nothing(every))
        self.watchdog = Watchdog(settings.limits.patience)
        self.sink: EventSink = EventSink()
        self._began = time.monotonic()

    def plans(self, check: str) -> Iterator[Plan]:
        """All items of a check for the selected drivers."""
        if self.settings.selection.takes_check(check):
            for subject in self.subjects:
                yield from CHECKS[check].plans(subject, self.settings, self.catalogue)

    def untested(self) -> list[tuple[Subject, str]]:
        """Selected algorithms for which there is neither a reference nor a vector."""
        reason = "no vectors and no reference implementation: only its registration was looked at"
        return [
            (subject, reason)
            for subject in self.subjects
            if reference_for(subject) is None
            and not any(
                file.available and file.kind == subject.type.word
                for file in self.catalogue.files(subject.algorithm)
            )
        ]

    def open_log(
        self, directory: Path, *, worker: str, run: str, arguments: list[str], version: str
    ) -> None:
        """Start the event log of this process and write down what was found."""
        self.sink = sink = _LogSink(log_path(directory, worker))
        sink.append(
            RunStarted(
                format=FORMAT,
                version=version,
                seed=self.settings.seed,
                profile=self.settings.profile,
                started=datetime.now(UTC).isoformat(timespec="seconds"),
                python=platform.python_version(),
                platform=platform.platform(),
                versions=_versions(),
                arguments=arguments,
                worker=worker,
                selection=_selection(self.settings),
                run=run,
            )
        )
        for mutant in self.mutants:
            sink.append(Note(f"defect {mutant} of the catalogue is planted: this run must fail"))
        for subject in self.subjects:
            sink.append(_found(subject))
        for broken in self.broken:
            sink.append(_lost_provider(broken))

    def record_untested(self, allowed: list[str]) -> None:
        """Report what nothing tests, unless its name was allowed."""
        for subject, reason in self.untested():
            if subject.algorithm in allowed or subject.driver in allowed:
                self.sink.append(Note(f"{subject.id} is not tested, as allowed: {reason}"))
                continue
            self.sink.append(
                Untested(subject.provider.name, subject.driver, subject.algorithm, reason)
            )

    def record_missing_sources(self, required: list[str]) -> None:
        """Report required sources of vectors that are not there."""
        for source in required:
            files = [
                file
                for name in self.catalogue.algorithms()
                for file in self.catalogue.files(name)
                if file.source == source
            ]
            missing = [file for file in files if not file.available]
            if missing or not files:
                why = missing[0].why_not if missing else "no source of this name is known"
                got = f"{len(files) - len(missing)} files"
                lost = CoverageLost(f"vectors of {source}", f"{len(files)} files", got, why)
                self.sink.append(lost)

    def record_plan(self, plan: Plan) -> None:
        """Write down that an item will run."""
        subject = plan.subject
        self.sink.append(
            ItemPlanned(
                plan.item,
                subject.provider.name,
                subject.driver,
                subject.algorithm,
                plan.check,
                plan.cases,
            )
        )

    def run(self, plan: Plan) -> Recorder:
        """Run one item; its record."""
        recorder = Recorder(self.sink, plan, self.settings)
        try:
            plan.body(recorder, self.watchdog)
            self._nothing_ran(recorder)
        finally:
            recorder.finish()
        return recorder

    def _nothing_ran(self, recorder: Recorder) -> None:
        if not recorder.executed and not recorder.skip_reason:
            wanted = self.settings.case or self.settings.vector or "any case"
            recorder.unexecuted("skipped", f"{wanted} is not in this item", ["all"])

    def close(self, exit_status: int) -> None:
        """End the log and take planted defects out again."""
        seconds = time.monotonic() - self._began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        self.sink.append(RunFinished(exit_status, seconds, peak))
        if isinstance(self.sink, _LogSink):
            self.sink.close()
        self._planted.close()


def _nothing(every: list[Subject]) -> str:
    lines = [f"  {s.provider.name:<20} {s.driver}" for s in every]
    return "no registered driver matches the selection; there are\n" + "\n".join(lines)


def _found(subject: Subject) -> AlgorithmFound:
    properties = properties_of(subject.alg)
    flags = str(properties.pop("flags")).split()
    return AlgorithmFound(
        provider=subject.provider.name,
        driver=subject.driver,
        algorithm=subject.algorithm,
        type=subject.type.word,
        priority=int(properties.pop("priority")),
        flags=flags,
        properties=properties,
    )


def _lost_provider(broken: BrokenProvider) -> CoverageLost:
    what = f"provider {broken.provider.name}"
    return CoverageLost(what, "a machine with its algorithms", "nothing", broken.why)


def _versions() -> dict[str, str]:
    found = {"python": sys.version.split()[0]}
    for name in _LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def _selection(settings: Settings) -> dict[str, list[str]]:
    chosen = settings.selection
    named = {
        "provider": chosen.providers,
        "driver": chosen.drivers,
        "algorithm": chosen.algorithms,
        "type": chosen.types,
        "check": chosen.checks,
        "vector": (settings.vector,) if settings.vector else (),
        "case": (settings.case,) if settings.case else (),
    }
    return {name: list(values) for name, values in named.items() if values}
