"""What a run says about itself while it runs: one small record for each thing that happened.

Producers append these to a log (`tcrypt.reports.log`), several processes each to their own.  The
format is open at its ends: a reader ignores fields and events that it does not know, and a new
field always comes with a default, so `FORMAT` rises only when an old reader would misread.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from tcrypt.reports.event import Event
from tcrypt.reports.expectations import ExpectationsRead
from tcrypt.reports.words import Attribution, CaseVerdict, Engine, UnexecutedVerdict

__all__ = (
    "FORMAT",
    "AlgorithmFound",
    "AnyEvent",
    "CaseExpected",
    "CaseFailed",
    "CasesPassed",
    "CasesSet",
    "CoverGoals",
    "CoverHits",
    "CoverModelled",
    "CoverRule",
    "CoverageLost",
    "EngineCoverage",
    "EngineStates",
    "Event",
    "ExpectationsRead",
    "ItemFinished",
    "ItemPlanned",
    "ItemStarted",
    "Note",
    "RunFinished",
    "RunStarted",
    "SourceUsed",
    "Untested",
    "WorkSeen",
)

FORMAT = 1


class RunStarted(Event, frozen=True):
    """A process began its part of a run.  The first event of every log.

    `version` is that of tcrypt, `started` an ISO 8601 time in UTC.  `worker` is empty for the
    process that leads the run.  `run` is any text shared by all the processes of one run; logs
    that disagree on it were left behind by another run.  `semantics` names the kernel whose
    crypto_engine the drivers ran on.
    """

    format: int
    version: str
    seed: int
    profile: str
    started: str
    python: str
    platform: str
    versions: dict[str, str] = msgspec.field(default_factory=dict)
    arguments: list[str] = msgspec.field(default_factory=list)
    worker: str = ""
    selection: dict[str, list[str]] = msgspec.field(default_factory=dict)
    run: str = ""
    semantics: str = ""


class AlgorithmFound(Event, frozen=True):
    """An algorithm is registered.  `properties` holds sizes in bytes unless its key says other."""

    provider: str
    driver: str
    algorithm: str
    type: str
    priority: int
    flags: list[str] = msgspec.field(default_factory=list)
    properties: dict[str, int | str] = msgspec.field(default_factory=dict)


class ItemPlanned(Event, frozen=True):
    """An item will run: some cases of one check against one algorithm of one driver.

    `cases` is how many cases it will record; None when that is known only afterwards.
    """

    item: str
    provider: str
    driver: str
    algorithm: str
    check: str
    cases: int | None = None


class ItemStarted(Event, frozen=True):
    """An item had its turn."""

    item: str


class CasesPassed(Event, frozen=True):
    """Cases that passed.  An id is unique within its item and the same in every run."""

    item: str
    ids: list[str]


class CaseFailed(Event, frozen=True):
    """A case did not hold.

    `message` names the kind of defect and leaves out values, because failures of the same driver,
    check and message are shown as one group.  Values belong into `expected` and `got` (plain hex
    is shown as an aligned dump) and `details`.  `fact` is the written fact that the check
    enforces, `command` one line that reproduces the failure, `layout` how the request lay in
    memory, `timeline` what happened up to the failure, oldest first.  `grave` is a failure that no
    file of expected failures forgives: a crash, a hang, or the suite's own fault.
    """

    item: str
    case: str
    message: str
    fact: str = ""
    expected: str = ""
    got: str = ""
    details: list[str] = msgspec.field(default_factory=list)
    layout: str = ""
    attribution: Attribution = "unknown"
    command: str = ""
    timeline: list[str] = msgspec.field(default_factory=list)
    grave: bool = False


class CaseExpected(Event, frozen=True):
    """A case failed as it was expected to; `entries` are those that say so, by their numbers.

    An entry's number is its place, from 0, in the run's `ExpectationsRead`.
    """

    failure: CaseFailed
    entries: list[int]


class CasesSet(Event, frozen=True):
    """Cases that did not run, and why."""

    item: str
    verdict: UnexecutedVerdict
    reason: str
    ids: list[str]


class WorkSeen(Event, frozen=True):
    """Who did the work of `jobs` requests with keys of `key_size` bytes (0: no key).

    `expected` is who should have done it; empty when nothing is said about that.
    """

    item: str
    algorithm: str
    driver: str
    provider: str
    key_size: int
    engine: Engine
    expected: Literal[Engine, ""] = ""
    jobs: int = 1


class EngineStates(Event, frozen=True):
    """The pairs of state and event of the crypto_engine with the run's semantics.

    Each is (state, event, why it cannot happen); the reason is empty when it can.
    """

    semantics: str
    pairs: list[tuple[str, str, str]]


class EngineCoverage(Event, frozen=True):
    """How often the engines of an item met each event in each state: (state, event, number)."""

    item: str
    counts: list[tuple[str, str, int]]


class CoverRule(msgspec.Struct, frozen=True):
    """Combinations of bins that are not counted, and why.

    `kind` is `impossible`, `unreachable` or `not asked`; `where` has points with their bins, and
    `cross` names the only cross it holds in, empty for every one that has all these points.
    """

    kind: str
    reason: str
    where: dict[str, list[str]]
    cross: str = ""


class CoverModelled(Event, frozen=True):
    """What there is to cover of a driver: points (name, bins), crosses (numbers of points), rules.

    `waived` says why no goal holds for it; empty when they do.  `main` is the provider that tests
    the same driver on its main machine; empty when this one does.
    """

    provider: str
    driver: str
    algorithm: str
    points: list[tuple[str, list[str]]]
    crosses: list[list[int]]
    rules: list[CoverRule] = msgspec.field(default_factory=list)
    waived: str = ""
    main: str = ""


class CoverHits(Event, frozen=True):
    """Bins of a driver that were hit: the number of the cross, then a bin for each point."""

    provider: str
    driver: str
    algorithm: str
    hits: list[list[int]]


class CoverGoals(Event, frozen=True):
    """What coverage the run must reach, in percent of the bins of each cross of each driver.

    `goals` has two numbers for the name of a cross: what a driver must have shown itself, and what
    together with other drivers of its provider and type.  Crosses that are not named go by `*`,
    those of a single point by `point`.  `waived` says why the run is not judged by them.
    """

    goals: dict[str, tuple[int, int]]
    waived: str = ""


class ItemFinished(Event, frozen=True):
    """An item ran to its end."""

    item: str
    verdict: CaseVerdict
    seconds: float = 0.0


class CoverageLost(Event, frozen=True):
    """Less was tested than was promised or than was tested before."""

    what: str
    expected: str
    got: str
    reason: str


class Untested(Event, frozen=True):
    """An algorithm is registered and the suite did not test it."""

    provider: str
    driver: str
    algorithm: str
    reason: str


class SourceUsed(Event, frozen=True):
    """Cases were taken from a published source; `digest` pins the edition that was used."""

    name: str
    origin: str
    digest: str = ""
    cases: int = 0


class Note(Event, frozen=True):
    """Something a reader of the report should know."""

    text: str


class RunFinished(Event, frozen=True):
    """A process ended its part of a run in good order.

    `exit_status` 0 means that all ran and passed, 1 that all ran and some failed, 5 that there
    was nothing to run; any other value that the run was stopped before its end.
    """

    exit_status: int
    seconds: float
    peak_rss_kib: int = 0


AnyEvent = (
    RunStarted
    | AlgorithmFound
    | ExpectationsRead
    | ItemPlanned
    | ItemStarted
    | CasesPassed
    | CaseFailed
    | CaseExpected
    | CasesSet
    | WorkSeen
    | EngineStates
    | EngineCoverage
    | CoverModelled
    | CoverHits
    | CoverGoals
    | ItemFinished
    | CoverageLost
    | Untested
    | SourceUsed
    | Note
    | RunFinished
)
