"""The rules by which counts become verdicts.  No verdict hides what did not run."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tcrypt.reports.model import Cell, Counts, Report
from tcrypt.reports.words import CellVerdict, RunVerdict, UnexecutedVerdict

__all__ = (
    "STOPPED_EARLY_EXCEPT",
    "cell_verdict",
    "judged",
    "merged_counts",
    "merged_verdict",
    "unexecuted_verdict",
)

STOPPED_EARLY_EXCEPT = frozenset({0, 1, 5})
"""The exit statuses of a runner that got to its end (see `events.RunFinished`)."""

_EXIT_STATUS: dict[RunVerdict, int] = {
    "passed": 0,
    "failed": 1,
    "incomplete": 1,
    "interrupted": 2,
    "not-tested": 5,
}

_UNEXECUTED: tuple[UnexecutedVerdict, ...] = (
    "not-run",
    "blocked",
    "unsupported",
    "skipped",
    "not-applicable",
)


def cell_verdict(counts: Counts, interrupted: bool) -> CellVerdict:
    """Return the word for a group of cases; `interrupted` when an item of it did not finish.

    What passed is called passed although other cases were skipped, unsupported, blocked or not
    applicable (the counts say so); it is incomplete when cases never had their turn.  Failures
    that were expected are never called passed.
    """
    if counts.failed:
        return "failed"
    if interrupted:
        return "interrupted"
    if counts.executed and counts.not_run:
        return "incomplete"
    if counts.expected_failure:
        return "expected-failure"
    if counts.passed:
        return "passed"
    return unexecuted_verdict(counts)


def unexecuted_verdict(counts: Counts) -> UnexecutedVerdict:
    """Return the gravest word for cases of which none ran; not-run when there are none."""
    numbers = dict(counts.items())
    return next((verdict for verdict in _UNEXECUTED if numbers[verdict]), "not-run")


def merged_counts(cells: Sequence[Cell]) -> Counts:
    """Return the sum of the counts of some cells."""
    sums: dict[str, int] = {}
    for cell in cells:
        for name in Counts.__struct_fields__:
            sums[name] = sums.get(name, 0) + getattr(cell.counts, name)
    return Counts(**sums)


def merged_verdict(cells: Sequence[Cell]) -> CellVerdict:
    """Return the word for some cells together."""
    return cell_verdict(merged_counts(cells), any(cell.verdict == "interrupted" for cell in cells))


def judged(report: Report) -> Report:
    """Return the report with the verdict, exit status and headline that follow from the rest."""
    verdict = _run_verdict(report)
    status = _EXIT_STATUS[verdict]
    if verdict == "passed" and report.run.runner_status:
        status = report.run.runner_status
    return msgspec.structs.replace(
        report, verdict=verdict, exit_status=status, headline=_headline(report, verdict)
    )


def _run_verdict(report: Report) -> RunVerdict:
    if report.failures:
        return "failed"
    if report.interrupted:
        return "interrupted"
    if report.expectations_out_of_date:
        return "failed"
    if not report.totals.executed:
        return "not-tested"
    mismatch = not all(evidence.matches for evidence in report.evidence)
    if report.coverage_lost or report.problems or mismatch:
        return "incomplete"
    return "passed"


def _headline(report: Report, verdict: RunVerdict) -> str:
    executed, drivers = report.totals.executed, _drivers_executed(report)
    ran = f"{_count(executed, 'case')} on {_count(drivers, 'driver')}"
    # What failed as expected must not read as if it had passed.
    of_them = f"{report.totals.passed:,} of " if report.totals.expected_failure else ""
    cut = " and interrupted" if report.interrupted else ""
    first = {
        "passed": f"Passed: {of_them}{ran}",
        "failed": f"Failed{cut}: {report.totals.failed:,} of {ran}"
        if report.failures
        else f"Failed: the file of expected failures is out of date: {ran}",
        "interrupted": f"Interrupted after {ran}",
        "incomplete": f"Incomplete: {of_them}{ran} passed, but not all that was promised ran",
        "not-tested": "Not tested: no case ran",
    }[verdict]
    return "; ".join([first, *_reservations(report)])


def _reservations(report: Report) -> list[str]:
    mismatches = sum(not evidence.matches for evidence in report.evidence)
    pairs = (
        (len(report.items_that_ended("interrupted")), "item", "started and not finished"),
        (len(report.items_that_ended("not-run")), "item", "not run"),
        (len(report.coverage_lost), "loss", "of coverage"),
        (mismatches, "key size", "served by the wrong engine"),
        (len(report.untested), "algorithm", "not tested"),
        (len(report.problems), "fault", "in the record of the run"),
        (report.totals.expected_failure, "expected failure", ""),
        (report.entries("unexpected-pass"), "unexpected pass", ""),
        (report.entries("stale"), "stale entry", "of expected failures"),
        (report.entries("expired"), "expired entry", "of expected failures"),
    )
    return [f"{_count(number, what)} {rest}".rstrip() for number, what, rest in pairs if number]


def _drivers_executed(report: Report) -> int:
    return len({(c.provider, c.driver) for c in report.cells if c.counts.executed})


def _count(number: int, what: str) -> str:
    if number == 1:
        return f"1 {what}"
    stem, end = (what[:-1], "ies") if what.endswith("y") else (what, "s")
    return f"{number:,} {stem}{'e' if what.endswith('s') else ''}{end}"
