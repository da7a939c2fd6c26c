"""The report: everything that a writer shows, and all that it may know.

A report is built from event logs (`tcrypt.reports.build`) or read back from its JSON.  It is
immutable and holds no order that depends on which process ran what.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from tcrypt.reports.cover import Coverage
from tcrypt.reports.engine_pairs import EnginePair
from tcrypt.reports.expectations import JudgedExpectation
from tcrypt.reports.words import (
    CASE_VERDICTS,
    Attribution,
    CaseVerdict,
    CellVerdict,
    Engine,
    ExpectationState,
    ItemVerdict,
    RunVerdict,
    UnexecutedVerdict,
)

__all__ = (
    "FORMAT",
    "Algorithm",
    "CaseSet",
    "Cell",
    "Change",
    "Counts",
    "Evidence",
    "Failure",
    "ItemRecord",
    "LostCoverage",
    "Report",
    "RunInfo",
    "Source",
    "UntestedAlgorithm",
    "WorkerInfo",
)

FORMAT = 1


class Counts(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    """How many cases ended with each verdict."""

    passed: int = 0
    failed: int = 0
    expected_failure: int = 0
    skipped: int = 0
    unsupported: int = 0
    blocked: int = 0
    not_applicable: int = 0
    not_run: int = 0

    @property
    def executed(self) -> int:
        """How many cases really ran."""
        return self.passed + self.failed + self.expected_failure

    @property
    def total(self) -> int:
        """How many cases there were, whether they ran or not."""
        return sum(number for _, number in self.items())

    def items(self) -> Iterator[tuple[CaseVerdict, int]]:
        """Yield each verdict with its number, in the fixed order of the words."""
        for verdict in CASE_VERDICTS:
            yield verdict, getattr(self, verdict.replace("-", "_"))

    @classmethod
    def of(cls, numbers: dict[CaseVerdict, int]) -> Counts:
        """Return the counts of a mapping from verdict to number."""
        return cls(**{verdict.replace("-", "_"): n for verdict, n in numbers.items()})


class WorkerInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One process of the run; `name` is empty for the leading one.

    `exit_status` is None when the process did not live to report one, `peak_rss_kib` the most
    memory it held, in KiB.
    """

    name: str
    log: str
    finished: bool
    exit_status: int | None = None
    seconds: float = 0.0
    peak_rss_kib: int = 0


class RunInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What ran, where, and how to run it again.

    `runner_status` is the worst exit status a process reported, None when none did; `seconds` is
    wall time, `peak_rss_kib` that of the largest process, in KiB.  `semantics` names the kernel
    whose crypto_engine the drivers ran on.
    """

    version: str = ""
    run: str = ""
    seed: int | None = None
    profile: str = ""
    semantics: str = ""
    started: str = ""
    seconds: float = 0.0
    python: str = ""
    platform: str = ""
    versions: dict[str, str] = msgspec.field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    selection: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    peak_rss_kib: int = 0
    runner_status: int | None = None
    workers: tuple[WorkerInfo, ...] = ()


class Algorithm(msgspec.Struct, frozen=True, kw_only=True):
    """An algorithm that was registered; `tested` when at least one case ran against it."""

    provider: str
    driver: str
    algorithm: str
    type: str
    priority: int
    flags: tuple[str, ...] = ()
    properties: dict[str, int | str] = msgspec.field(default_factory=dict)
    tested: bool = False


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One check against one algorithm of one driver, all its items together."""

    provider: str
    driver: str
    algorithm: str
    check: str
    verdict: CellVerdict
    counts: Counts
    seconds: float
    items_planned: int
    items_finished: int


class CaseSet(msgspec.Struct, frozen=True, kw_only=True):
    """Cases that did not run for the same reason."""

    verdict: UnexecutedVerdict
    reason: str
    ids: tuple[str, ...]


class ItemRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One item with the id of every case it recorded.

    `planned` is the number of cases it was to record (None: not known beforehand), `unrecorded`
    how many of them left no record; those are counted under the item's own verdict when that is
    one of not having run, else as not-run.
    """

    item: str
    provider: str
    driver: str
    algorithm: str
    check: str
    verdict: ItemVerdict
    planned: int | None
    unrecorded: int
    seconds: float
    worker: str
    passed: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    expected: tuple[str, ...] = ()
    others: tuple[CaseSet, ...] = ()

    def cases(self) -> Iterator[tuple[str, CaseVerdict, str]]:
        """Yield each recorded case: its id, its verdict, and the reason when it did not run."""
        for case in self.passed:
            yield case, "passed", ""
        for case in self.failed:
            yield case, "failed", ""
        for case in self.expected:
            yield case, "expected-failure", ""
        for group in self.others:
            for case in group.ids:
                yield case, group.verdict, group.reason


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """A case that did not hold; `id` names the same failure in every run (12 hex digits).

    `grave` is a crash, a hang, or a fault of the suite, which cannot be expected.  `expected_by`
    are the numbers of the report's `expectations` that do expect this failure.
    """

    id: str
    item: str
    provider: str
    driver: str
    algorithm: str
    check: str
    case: str
    message: str
    fact: str = ""
    expected: str = ""
    got: str = ""
    details: tuple[str, ...] = ()
    layout: str = ""
    attribution: Attribution = "unknown"
    command: str = ""
    timeline: tuple[str, ...] = ()
    grave: bool = False
    expected_by: tuple[int, ...] = ()


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """Which engine did how many requests with keys of `key_size` bytes (0: no key)."""

    provider: str
    driver: str
    algorithm: str
    key_size: int
    expected: Literal[Engine, ""]
    hardware: int = 0
    software: int = 0
    none: int = 0

    @property
    def matches(self) -> bool:
        """Whether the expected engine, and no other, did the work."""
        if not self.expected:
            return True
        seen = {"hardware": self.hardware, "software": self.software, "none": self.none}
        others = sum(jobs for engine, jobs in seen.items() if engine != self.expected)
        return seen[self.expected] > 0 and others == 0


class LostCoverage(msgspec.Struct, frozen=True, kw_only=True):
    """Less was tested than was promised or than was tested before."""

    what: str
    expected: str
    got: str
    reason: str


class UntestedAlgorithm(msgspec.Struct, frozen=True, kw_only=True):
    """A registered algorithm against which no case ran, and why."""

    provider: str
    driver: str
    algorithm: str
    reason: str


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A published source of cases; `digest` pins the edition."""

    name: str
    origin: str
    digest: str = ""
    cases: int = 0


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A cell that a baseline saw pass and this run saw fail (broken), or the other way (fixed)."""

    kind: Literal["broken", "fixed"]
    provider: str
    driver: str
    algorithm: str
    check: str
    before: str
    now: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of a run.

    `verdict`, `exit_status` and `headline` follow from the rest (`tcrypt.reports.judge`).
    `problems` are faults of the record itself (damaged lines, contradictions), `unknown_events`
    counts events of a newer version, which were left out.  `expectations` are the entries of the
    files of expected failures, judged as of the day `today`; what they forgave is no failure.
    """

    format: int
    verdict: RunVerdict
    exit_status: int
    headline: str
    interrupted: bool
    run: RunInfo
    totals: Counts
    algorithms: tuple[Algorithm, ...] = ()
    cells: tuple[Cell, ...] = ()
    failures: tuple[Failure, ...] = ()
    expected_failures: tuple[Failure, ...] = ()
    expectations: tuple[JudgedExpectation, ...] = ()
    today: str = ""
    evidence: tuple[Evidence, ...] = ()
    engine_pairs: tuple[EnginePair, ...] = ()
    coverage: Coverage | None = None
    coverage_lost: tuple[LostCoverage, ...] = ()
    untested: tuple[UntestedAlgorithm, ...] = ()
    baseline: str = ""
    changes: tuple[Change, ...] = ()
    sources: tuple[Source, ...] = ()
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    unknown_events: dict[str, int] = msgspec.field(default_factory=dict)
    items: tuple[ItemRecord, ...] = ()

    @property
    def expectations_out_of_date(self) -> bool:
        """Whether an expected failure did not happen, or an entry names nothing that there is."""
        return any(judged.out_of_date for judged in self.expectations)

    def entries(self, state: ExpectationState) -> int:
        """How many entries of expected failures are in a state."""
        return sum(judged.state == state for judged in self.expectations)

    def items_that_ended(self, verdict: ItemVerdict) -> tuple[ItemRecord, ...]:
        """Return the items with this verdict."""
        return tuple(item for item in self.items if item.verdict == verdict)
