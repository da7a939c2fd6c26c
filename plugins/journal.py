"""What a run writes down besides its items: versions, algorithms, what is missing."""

from __future__ import annotations

import platform
import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from importlib import metadata

from tcrypt.cover.goals import GOALS
from tcrypt.engine import coverage_table
from tcrypt.engine.semantics import semantics_of
from tcrypt.plan import Plan
from tcrypt.plugins.discovery import BrokenProvider
from tcrypt.reports.events import (
    FORMAT,
    AlgorithmFound,
    CoverageLost,
    CoverGoals,
    EngineStates,
    Event,
    ItemPlanned,
    Note,
    RunStarted,
    Untested,
)
from tcrypt.settings import Settings, matches
from tcrypt.subject import Subject, properties_of
from tcrypt.vectors.catalogue import Catalogue

__all__ = (
    "cover_goals",
    "engine_states",
    "expectations_ignored",
    "found",
    "lost_check",
    "lost_provider",
    "missing_sources",
    "planned",
    "started",
    "untested",
)

_DISTRIBUTION = "pytest-tcrypt"
_LIBRARIES = ("pytest", "hypothesis", "cryptography", "pycryptodome", "cryptography-vectors")


def started(settings: Settings, arguments: list[str], *, worker: str, run: str) -> RunStarted:
    """The first event of a log."""
    return RunStarted(
        format=FORMAT,
        version=_version(_DISTRIBUTION),
        seed=settings.seed,
        profile=settings.profile,
        semantics=settings.semantics,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        python=platform.python_version(),
        platform=platform.platform(),
        versions={"python": sys.version.split()[0], **{n: _version(n) for n in _LIBRARIES}},
        arguments=arguments,
        worker=worker,
        selection=_selection(settings),
        run=run,
    )


def engine_states(settings: Settings) -> EngineStates:
    """The pairs of state and event that the run's engines can meet."""
    rows = coverage_table.table(semantics_of(settings.semantics))
    return EngineStates(settings.semantics, [(r.state, r.event, r.reason) for r in rows])


def expectations_ignored(entries: int) -> Note:
    """That expected failures are not looked at where a defect is planted."""
    many = "entry" if entries == 1 else "entries"
    return Note(f"{entries} {many} of expected failures not used: a planted defect must be seen")


def cover_goals(settings: Settings, *, whole: bool) -> CoverGoals:
    """What coverage the run must reach, and why a part of a run is not judged by that.

    Args:
        settings: the run's; a choice of providers is no part, for each of their drivers is whole.
        whole: whether pytest runs all that was planned.
    """
    wanted = GOALS.get(settings.profile, {})
    goals = {name: (goal.own, goal.shared) for name, goal in wanted.items()}
    chosen = [name for name in _selection(settings) if name != "provider"]
    waived = ""
    if chosen:
        waived = f"only a part of the suite ran: {', '.join(f'--{name}' for name in chosen)}"
    elif not whole:
        waived = "only a part of the suite ran: pytest was told to leave items out"
    return CoverGoals(goals, waived)


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "not installed"


def _selection(settings: Settings) -> dict[str, list[str]]:
    chosen: dict[str, list[str]] = {}
    for name, value in settings.selection.options():
        chosen.setdefault(name, []).append(value)
    for name, value in (("vector", settings.vector), ("case", settings.case)):
        if value:
            chosen[name] = [value]
    return chosen


def found(subject: Subject) -> AlgorithmFound:
    """A registered algorithm with its declared properties."""
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


def planned(plan: Plan) -> ItemPlanned:
    """An item that will run."""
    subject = plan.subject
    return ItemPlanned(
        plan.item,
        subject.provider.name,
        subject.driver,
        subject.algorithm,
        plan.check,
        plan.cases,
    )


def lost_provider(broken: BrokenProvider) -> CoverageLost:
    """A provider whose algorithms could not be found out."""
    what = f"provider {broken.provider.name}"
    return CoverageLost(what, "a machine with its algorithms", "nothing", broken.why)


def lost_check(check: str, plans: Sequence[Plan]) -> CoverageLost:
    """A check that pytest left out although nobody asked for that."""
    why = "pytest did not collect its module: see python_files, python_functions and --ignore"
    return CoverageLost(f"check {check}", f"{len(plans)} items", "0 items", why)


def untested(subject: Subject, why: str, allowed: Iterable[str]) -> Iterator[Event]:
    """An algorithm that nothing tests; a loss of coverage unless its name was allowed."""
    names = (subject.algorithm, subject.driver)
    accepted = any(matches(pattern, name) for pattern in allowed for name in names)
    reason = f"{why} (accepted with --allow-untested)" if accepted else why
    yield Untested(subject.provider.name, subject.driver, subject.algorithm, reason)
    if not accepted:
        yield CoverageLost(
            f"{subject.id} {subject.algorithm}",
            "vectors or a reference implementation",
            "NOT TESTED",
            f"{why}; add vectors with --vectors FILE, or accept it with"
            f" --allow-untested {shlex.quote(subject.algorithm)}",
        )


def missing_sources(catalogue: Catalogue, required: Iterable[str]) -> Iterator[CoverageLost]:
    """Required sources of vectors of which something is not installed."""
    for source in required:
        files = [
            file
            for name in catalogue.algorithms()
            for file in catalogue.files(name)
            if matches(source, file.source)
        ]
        missing = [file for file in files if not file.available]
        if missing:
            got = f"{len(files) - len(missing)} files"
            yield CoverageLost(
                f"vectors of {source}", f"{len(files)} files", got, missing[0].why_not
            )
