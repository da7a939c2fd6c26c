"""Event logs in, report out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tcrypt.reports import events as ev
from tcrypt.reports.cover_tally import CoverTally, missed_goals
from tcrypt.reports.engine_pairs import PairTally
from tcrypt.reports.expect_tally import ExpectTally
from tcrypt.reports.items import ItemState
from tcrypt.reports.judge import STOPPED_EARLY_EXCEPT, judged, merged_counts
from tcrypt.reports.log import ReadLog, read_directory
from tcrypt.reports.model import (
    FORMAT,
    Algorithm,
    Cell,
    Counts,
    Evidence,
    LostCoverage,
    Report,
    RunInfo,
    Source,
    UntestedAlgorithm,
    WorkerInfo,
)
from tcrypt.reports.tally import Tally
from tcrypt.reports.words import ENGINES

__all__ = ("build_report", "report_of")

_Key = tuple[str, str, str]


def report_of(directory: Path) -> Report:
    """Build the report of a run from the event logs in a folder.

    Raises:
        LogFormatError: The folder holds no log, or one of a newer format.
        OSError: A log cannot be read.
    """
    return build_report(read_directory(directory))


def build_report(logs: Sequence[ReadLog]) -> Report:
    """Build the report of a run from the logs of all its processes, in any state."""
    builder = _Builder()
    for log in logs:
        builder.add(log)
    return builder.report()


class _Builder:
    def __init__(self) -> None:
        self._starts: list[ev.RunStarted] = []
        self._workers: list[WorkerInfo] = []
        self._items: dict[str, ItemState] = {}
        self._algorithms: dict[_Key, ev.AlgorithmFound] = {}
        self._untested: dict[_Key, str] = {}
        self._lost: dict[LostCoverage, None] = {}
        self._sources: dict[Source, None] = {}
        self._notes: dict[str, None] = {}
        self._work: dict[tuple[str, str, str, int, str], Counter[str]] = {}
        self._pairs = PairTally()
        self._cover = CoverTally()
        self._expect = ExpectTally()
        self._problems: list[str] = []
        self._unknown: Counter[str] = Counter()
        self._worker = ""
        self._take: dict[type[ev.Event], Callable[[Any], None]] = {
            ev.RunStarted: self._run_started,
            ev.AlgorithmFound: self._algorithm_found,
            ev.ItemPlanned: self._item_planned,
            ev.ItemStarted: lambda event: self._item(event.item).start(self._worker),
            ev.CasesPassed: lambda event: self._item(event.item).passed(event.ids),
            ev.CaseFailed: lambda event: self._item(event.item).failed(event),
            ev.CaseExpected: lambda event: self._item(event.failure.item).expected(event),
            ev.ExpectationsRead: self._expect.read,
            ev.CasesSet: lambda event: self._item(event.item).set(event),
            ev.ItemFinished: lambda event: self._item(event.item).finish(event),
            ev.WorkSeen: self._work_seen,
            ev.EngineStates: self._pairs.states,
            ev.EngineCoverage: self._pairs.coverage,
            ev.CoverModelled: self._cover.modelled,
            ev.CoverHits: self._cover.hit,
            ev.CoverGoals: self._cover.goals,
            ev.CoverageLost: self._coverage_lost,
            ev.Untested: self._untested_said,
            ev.SourceUsed: self._source_used,
            ev.Note: lambda event: self._notes.setdefault(event.text),
            ev.RunFinished: lambda event: None,
        }

    def add(self, log: ReadLog) -> None:
        self._problems += log.problems
        self._unknown.update(log.unknown)
        starts = [event for event in log.events if isinstance(event, ev.RunStarted)]
        ends = [event for event in log.events if isinstance(event, ev.RunFinished)]
        if len(starts) != 1:
            self._problems.append(f"{log.name}: {len(starts)} RunStarted events instead of one")
        self._worker = starts[0].worker if starts else Path(log.name).stem
        end = ends[-1] if ends else None
        self._workers.append(
            WorkerInfo(
                name=self._worker,
                log=log.name,
                finished=end is not None,
                exit_status=end.exit_status if end else None,
                seconds=end.seconds if end else 0.0,
                peak_rss_kib=end.peak_rss_kib if end else 0,
            )
        )
        for event in log.events:
            self._take[type(event)](event)

    def report(self) -> Report:
        tally = Tally(list(self._items.values()))
        interrupted = self._was_interrupted(tally)
        cells = tally.cells
        coverage = self._cover.coverage({k: found.type for k, found in self._algorithms.items()})
        lost = [*self._lost, *tally.lost]
        if coverage is not None and not interrupted:
            lost += missed_goals(coverage, _in_trouble(cells))
        tested = {(c.provider, c.driver, c.algorithm) for c in cells if c.counts.executed}
        self._problems += tally.problems + self._expect.problems(tally)
        self._problems += [
            f"{'/'.join(key)}: said to be untested ({reason}), yet cases of it ran"
            for key, reason in sorted(self._untested.items())
            if key in tested
        ]
        return judged(
            Report(
                format=FORMAT,
                verdict="passed",
                exit_status=0,
                headline="",
                interrupted=interrupted,
                run=self._run_info(),
                totals=merged_counts(cells),
                algorithms=self._algorithm_list(tested),
                cells=cells,
                failures=tally.failures,
                expected_failures=tally.expected,
                expectations=self._expect.judged(tally, self._profile(), interrupted),
                today=self._expect.today,
                evidence=self._evidence(),
                engine_pairs=self._pairs.pairs(),
                coverage=coverage,
                coverage_lost=tuple(sorted(lost, key=lambda loss: (loss.what, loss.reason))),
                untested=self._untested_list(cells, tested),
                sources=tuple(sorted(self._sources, key=lambda source: source.name)),
                notes=tuple(self._notes),
                problems=tuple(self._problems),
                unknown_events=dict(sorted(self._unknown.items())),
                items=tuple(tally.records),
            )
        )

    def _item(self, name: str) -> ItemState:
        state = self._items.get(name)
        if state is None:
            state = self._items[name] = ItemState(name)
        return state

    def _run_started(self, event: ev.RunStarted) -> None:
        if self._starts:
            for name in ("run", "seed", "profile", "semantics", "version"):
                theirs, ours = getattr(event, name), getattr(self._starts[0], name)
                if theirs != ours:
                    self._problems.append(
                        f"the logs are not of one run: {name} is {ours!r} in"
                        f" {self._workers[0].log} and {theirs!r} in {self._workers[-1].log}"
                    )
        self._starts.append(event)

    def _algorithm_found(self, event: ev.AlgorithmFound) -> None:
        self._algorithms.setdefault((event.provider, event.driver, event.algorithm), event)

    def _item_planned(self, event: ev.ItemPlanned) -> None:
        self._item(event.item).plan(event)

    def _work_seen(self, event: ev.WorkSeen) -> None:
        key = (event.provider, event.driver, event.algorithm, event.key_size, event.expected)
        self._work.setdefault(key, Counter())[event.engine] += event.jobs

    def _coverage_lost(self, event: ev.CoverageLost) -> None:
        loss = LostCoverage(
            what=event.what, expected=event.expected, got=event.got, reason=event.reason
        )
        self._lost.setdefault(loss)

    def _untested_said(self, event: ev.Untested) -> None:
        self._untested.setdefault((event.provider, event.driver, event.algorithm), event.reason)

    def _source_used(self, event: ev.SourceUsed) -> None:
        source = Source(
            name=event.name, origin=event.origin, digest=event.digest, cases=event.cases
        )
        self._sources.setdefault(source)

    def _was_interrupted(self, tally: Tally) -> bool:
        # A worker that did not live to report a status has None, which is none of these.
        stopped = any(worker.exit_status not in STOPPED_EARLY_EXCEPT for worker in self._workers)
        return stopped or not self._workers or tally.unfinished

    def _profile(self) -> str:
        return self._starts[0].profile if self._starts else ""

    def _run_info(self) -> RunInfo:
        statuses = [w.exit_status for w in self._workers if w.exit_status is not None]
        common: dict[str, Any] = {
            "seconds": max((w.seconds for w in self._workers), default=0.0),
            "peak_rss_kib": max((w.peak_rss_kib for w in self._workers), default=0),
            "runner_status": max(statuses, default=None),
            "workers": tuple(self._workers),
        }
        if not self._starts:
            return RunInfo(**common)
        lead = next((start for start in self._starts if not start.worker), self._starts[0])
        return RunInfo(
            version=lead.version,
            run=lead.run,
            seed=lead.seed,
            profile=lead.profile,
            semantics=lead.semantics,
            started=lead.started,
            python=lead.python,
            platform=lead.platform,
            versions=lead.versions,
            arguments=tuple(lead.arguments),
            selection={name: tuple(values) for name, values in lead.selection.items()},
            **common,
        )

    def _algorithm_list(self, tested: set[_Key]) -> tuple[Algorithm, ...]:
        return tuple(
            Algorithm(
                provider=found.provider,
                driver=found.driver,
                algorithm=found.algorithm,
                type=found.type,
                priority=found.priority,
                flags=tuple(found.flags),
                properties=found.properties,
                tested=key in tested,
            )
            for key, found in sorted(self._algorithms.items())
        )

    def _untested_list(
        self, cells: Sequence[Cell], tested: set[_Key]
    ) -> tuple[UntestedAlgorithm, ...]:
        planned: dict[_Key, list[Cell]] = {}
        for cell in cells:
            planned.setdefault((cell.provider, cell.driver, cell.algorithm), []).append(cell)
        reasons = {key: "no check was planned for it" for key in self._algorithms}
        reasons |= {key: _why_untested(merged_counts(group)) for key, group in planned.items()}
        reasons |= self._untested
        return tuple(
            UntestedAlgorithm(provider=key[0], driver=key[1], algorithm=key[2], reason=reason)
            for key, reason in sorted(reasons.items())
            if key not in tested
        )

    def _evidence(self) -> tuple[Evidence, ...]:
        return tuple(
            Evidence(
                provider=provider,
                driver=driver,
                algorithm=algorithm,
                key_size=key_size,
                expected=next((engine for engine in ENGINES if engine == expected), ""),
                hardware=jobs["hardware"],
                software=jobs["software"],
                none=jobs["none"],
            )
            for (provider, driver, algorithm, key_size, expected), jobs in sorted(
                self._work.items()
            )
        )


def _in_trouble(cells: Sequence[Cell]) -> set[_Key]:
    """The drivers of which cases failed, or did not have their turn."""
    return {
        (cell.provider, cell.driver, cell.algorithm)
        for cell in cells
        if cell.counts.failed
        or cell.counts.expected_failure
        or cell.counts.blocked
        or cell.verdict == "interrupted"
    }


def _why_untested(counts: Counts) -> str:
    numbers = [f"{number:,} {verdict}" for verdict, number in counts.items() if number]
    return f"no case ran: {', '.join(numbers) or 'no case was recorded'}"
