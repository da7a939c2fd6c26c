"""What the page shows, worked out beforehand: the template only lays it out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tcrypt.reports.cover_view import CoverView, cover_view
from tcrypt.reports.engine_pairs import EngineTable, engine_table
from tcrypt.reports.expect_view import ExpectationRow, expectation_rows
from tcrypt.reports.grouping import (
    FailureGroup,
    UnexecutedGroup,
    group_failures,
    group_unexecuted,
)
from tcrypt.reports.hexdiff import DiffRow, diff_rows
from tcrypt.reports.model import Cell, Evidence, Failure, Report
from tcrypt.reports.words import CellVerdict

__all__ = ("View", "make_view")

_MOST_DETAILED = 300  # failures of the page shown with everything known about them
_DETAILED_OF_GROUP = 20
_MOST_LISTED = 400  # failures of a group of which the page tells at least the id
_MOST_GROUPS = 400
_OPEN_GROUPS = 3
_FIRST = 4  # failures of a group that are in sight
_MOST_CHIPS = 18

_SYMBOLS: dict[CellVerdict, str] = {
    "passed": "✓",
    "failed": "✗",
    "expected-failure": "△",
    "interrupted": "◐",
    "incomplete": "◔",
    "blocked": "⊘",
    "unsupported": "∅",
    "skipped": "↷",
    "not-run": "○",
    "not-applicable": "\N{EN DASH}",
}


@dataclass(frozen=True)
class CellView:
    """A cell of the matrix: what it says, and in full what it means."""

    verdict: CellVerdict
    symbol: str
    text: str
    extra: str
    title: str
    anchor: str = ""


@dataclass(frozen=True)
class RowView:
    """A row of the matrix; a check that was not planned for it has None."""

    driver: str
    algorithm: str
    cells: tuple[CellView | None, ...]
    bad: bool
    search: str
    untested: str


@dataclass(frozen=True)
class CaseView:
    """A failure with the two sides of its difference laid out."""

    failure: Failure
    rows: tuple[DiffRow, ...]
    fact: str


@dataclass(frozen=True)
class GroupView:
    """A group of failures: some in full, of these a few in sight; more by name; then a number."""

    group: FailureGroup
    anchor: str
    open: bool
    fact: str
    first: tuple[CaseView, ...]
    detailed: tuple[CaseView, ...]
    listed: tuple[Failure, ...]
    left: int
    search: str


@dataclass(frozen=True)
class EngineRow:
    """Who did the work for an algorithm, key size by key size, mismatches first."""

    driver: str
    algorithm: str
    chips: tuple[Evidence, ...]
    left: int
    bad: bool
    search: str


@dataclass(frozen=True)
class View:
    """Everything the template needs beside the report itself."""

    checks: tuple[str, ...]
    providers: tuple[tuple[str, tuple[RowView, ...]], ...]
    driver_width: int
    algorithm_width: int
    groups: tuple[GroupView, ...]
    groups_left: int
    expectations: tuple[ExpectationRow, ...]
    unexecuted: tuple[UnexecutedGroup, ...]
    engines: tuple[EngineRow, ...]
    engine_table: EngineTable | None
    cover: CoverView
    legend: tuple[tuple[CellVerdict, str], ...]
    losses: tuple[tuple[str, ...], ...]
    untested: tuple[tuple[str, ...], ...]


def make_view(report: Report) -> View:
    """Return what the page shows of a report."""
    groups = group_failures(report.failures)
    anchors = dict.fromkeys(
        ((f.provider, f.driver, f.algorithm, f.check) for f in report.expected_failures),
        "expected",
    )
    anchors |= {
        (failure.provider, failure.driver, failure.algorithm, failure.check): f"g{number}"
        for number, group in reversed(list(enumerate(groups[:_MOST_GROUPS])))
        for failure in group.failures
    }
    checks = tuple(sorted({cell.check for cell in report.cells}))
    providers = _providers(report, checks, anchors)
    rows = [row for _, group in providers for row in group]
    used = {cell.verdict for cell in report.cells}
    return View(
        checks=checks,
        providers=providers,
        driver_width=max((len(row.driver) for row in rows), default=6),
        algorithm_width=max((len(row.algorithm) for row in rows), default=9),
        groups=tuple(_groups(groups[:_MOST_GROUPS])),
        groups_left=max(0, len(groups) - _MOST_GROUPS),
        expectations=tuple(expectation_rows(report)),
        unexecuted=tuple(group_unexecuted(report)),
        engines=tuple(_engines(report.evidence)),
        engine_table=engine_table(report.engine_pairs),
        cover=cover_view(report),
        legend=tuple((word, symbol) for word, symbol in _SYMBOLS.items() if word in used),
        losses=tuple((e.what, e.expected, e.got, e.reason) for e in report.coverage_lost),
        untested=tuple(
            (f"{u.provider}/{u.driver}", u.algorithm, u.reason) for u in report.untested
        ),
    )


def _providers(
    report: Report, checks: Sequence[str], anchors: dict[tuple[str, str, str, str], str]
) -> tuple[tuple[str, tuple[RowView, ...]], ...]:
    rows: dict[tuple[str, str, str], dict[str, CellView]] = {}
    reasons = {(u.provider, u.driver, u.algorithm): u.reason for u in report.untested}
    for found in report.algorithms:
        rows.setdefault((found.provider, found.driver, found.algorithm), {})
    for key in reasons:
        rows.setdefault(key, {})
    for cell in report.cells:
        key = (cell.provider, cell.driver, cell.algorithm)
        anchor = anchors.get((*key, cell.check), "")
        rows.setdefault(key, {})[cell.check] = _cell(cell, anchor)
    providers: dict[str, list[RowView]] = {}
    for key, cells in sorted(rows.items()):
        provider, driver, algorithm = key
        row = RowView(
            driver=driver,
            algorithm=algorithm,
            cells=tuple(cells.get(check) for check in checks),
            bad=any(c.verdict in ("failed", "interrupted", "incomplete") for c in cells.values()),
            search=_search(key),
            untested=reasons.get(key, ""),
        )
        providers.setdefault(provider, []).append(row)
    return tuple((name, tuple(group)) for name, group in providers.items())


def _cell(cell: Cell, anchor: str) -> CellView:
    counts, numbers = cell.counts, dict(cell.counts.items())
    match cell.verdict:
        case "passed":
            text = f"{counts.passed:,}"
        case "failed":
            text = f"{counts.failed:,}/{counts.executed:,}"
        case "expected-failure":
            text = f"{counts.expected_failure:,}/{counts.executed:,}"
        case "interrupted" | "incomplete":
            text = f"{counts.executed:,}/{counts.executed + counts.not_run:,}"
        case "not-applicable":
            text = ""
        case word:
            text = word
    silent = {"passed", "failed", "not-applicable", cell.verdict}
    if cell.verdict in ("interrupted", "incomplete"):
        silent.add("not-run")
    extra = ", ".join(f"+{n:,} {word}" for word, n in numbers.items() if n and word not in silent)
    told = ", ".join(f"{n:,} {word}" for word, n in numbers.items() if n) or "no case"
    items = f"{cell.items_finished} of {cell.items_planned} items finished"
    return CellView(
        verdict=cell.verdict,
        symbol=_SYMBOLS[cell.verdict],
        text=text,
        extra=extra,
        title=f"{cell.driver} {cell.algorithm}, {cell.check}: {cell.verdict}"
        f" ({told}; {items}; {cell.seconds:.2f} s)",
        anchor=anchor,
    )


def _groups(groups: Sequence[FailureGroup]) -> Iterable[GroupView]:
    # Every group keeps room for one failure in full, whatever the groups before it used up.
    room = max(0, _MOST_DETAILED - len(groups))
    for number, group in enumerate(groups):
        many = min(len(group.failures), _DETAILED_OF_GROUP, 1 + room)
        room -= many - 1
        facts = {failure.fact for failure in group.failures}
        shared = facts.pop() if len(facts) == 1 else ""
        listed = group.failures[many:_MOST_LISTED]
        detailed = tuple(_case(failure, shared) for failure in group.failures[:many])
        yield GroupView(
            group=group,
            anchor=f"g{number}",
            open=number < _OPEN_GROUPS,
            fact=shared,
            first=detailed[:_FIRST],
            detailed=detailed[_FIRST:],
            listed=listed,
            left=len(group.failures) - many - len(listed),
            search=_search((group.provider, group.driver, group.check, group.message)),
        )


def _case(failure: Failure, shared_fact: str) -> CaseView:
    rows = diff_rows(failure.expected, failure.got) if failure.expected or failure.got else []
    fact = "" if shared_fact else failure.fact
    return CaseView(failure, tuple(rows), fact)


def _engines(evidence: Iterable[Evidence]) -> Iterable[EngineRow]:
    rows: dict[tuple[str, str, str], list[Evidence]] = {}
    for seen in evidence:
        rows.setdefault((seen.provider, seen.driver, seen.algorithm), []).append(seen)
    for key, chips in rows.items():
        bad = any(not seen.matches for seen in chips)
        if len(chips) > _MOST_CHIPS:
            chips = sorted(chips, key=lambda seen: seen.matches)
        yield EngineRow(
            driver=f"{key[0]}/{key[1]}",
            algorithm=key[2],
            chips=tuple(chips[:_MOST_CHIPS]),
            left=max(0, len(chips) - _MOST_CHIPS),
            bad=bad,
            search=_search(key),
        )


def _search(words: Iterable[str]) -> str:
    return " ".join(words).lower()
