"""Expected failures in words, for all that shows them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tcrypt.reports.expectations import JudgedExpectation
from tcrypt.reports.model import Failure, Report
from tcrypt.reports.words import ExpectationState

__all__ = ("ExpectationRow", "expectation_rows", "expectation_sections", "origins")

_SHOWN = 20
_TITLES: dict[ExpectationState, tuple[str, str]] = {
    "unexpected-pass": ("UNEXPECTED PASS: remove the entry", "bad"),
    "stale": ("EXPECTED FAILURES OF WHAT DOES NOT EXIST: correct or remove the entry", "bad"),
    "expired": ("EXPIRED: fix the driver, or give the entry a new date", "warn"),
    "fails-otherwise": ("FAILED, BUT NOT AS EXPECTED", "warn"),
    "in-use": ("expected failures", "bold"),
    "not-judged": ("expected failures that this run does not judge", "bold"),
}


@dataclass(frozen=True)
class ExpectationRow:
    """An entry for a table: what became of it, and some of the failures that it forgave."""

    judged: JudgedExpectation
    failures: tuple[Failure, ...]
    left: int
    search: str


def expectation_sections(report: Report) -> Iterator[tuple[str, str, list[str]]]:
    """Yield for each state that occurs a title, its tone, and a line for each entry."""
    for state, (title, tone) in _TITLES.items():
        lines = [_line(judged) for judged in report.expectations if judged.state == state]
        if lines:
            yield title, tone, lines


def _line(judged: JudgedExpectation) -> str:
    entry, cases = judged.entry, judged.cases
    said = f"{cases:,} case{'' if cases == 1 else 's'}" if cases else judged.detail
    return f"{entry.origin}: {entry.text}: {said} ({entry.reason}; until {entry.expires})"


def expectation_rows(report: Report) -> list[ExpectationRow]:
    """Return the entries, those by which the run fails first."""
    order = {state: number for number, state in enumerate(_TITLES)}
    numbered = sorted(enumerate(report.expectations), key=lambda pair: order[pair[1].state])
    rows = []
    for number, judged in numbered:
        failures = [f for f in report.expected_failures if number in f.expected_by]
        entry = judged.entry
        words = (judged.state, entry.text, entry.reason, *_drivers(failures))
        rows.append(
            ExpectationRow(
                judged=judged,
                failures=tuple(failures[:_SHOWN]),
                left=max(0, len(failures) - _SHOWN),
                search=" ".join(words).lower(),
            )
        )
    return rows


def _drivers(failures: Iterable[Failure]) -> Iterable[str]:
    return dict.fromkeys(f"{f.provider}/{f.driver}" for f in failures)


def origins(report: Report, failures: Iterable[Failure]) -> list[str]:
    """Return where it is written that these failures are expected, with the reasons."""
    numbers = sorted({n for f in failures for n in f.expected_by if n < len(report.expectations)})
    entries = [report.expectations[number].entry for number in numbers]
    return [f"{entry.reason} ({entry.origin}, until {entry.expires})" for entry in entries]
