"""The command `tcrypt expect`: a file of expected failures, to begin with, from a finished run."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterable, Iterator
from datetime import date, timedelta

import yaml

from tcrypt.plugins.expecting import BadDateError, today
from tcrypt.reports.model import Failure, Report
from tcrypt.reports.store import ReportError, read_report
from tcrypt.reports.words import DRAWN_CHECKS

__all__ = ("expectation_file", "run")

_DAYS = 90
_SINGLE = 3  # failures of a kind that are named one by one
_SHOWN = 5
_ALSO = "also: "
_GAP = """  # Say why: the file is refused until every entry has a reason.
  reason: ""
"""


def run(chosen: argparse.Namespace) -> int:
    """Write the file; 1 when not every failure can be expected, 2 when there is no report."""
    path = chosen.report / "report.json" if chosen.report.is_dir() else chosen.report
    try:
        expires = chosen.expires or date.fromisoformat(today()) + timedelta(days=_DAYS)
        report = read_report(path)
        grave = [failure for failure in report.failures if failure.grave]
        text = expectation_file(report, expires, chosen.reason)
        if text and chosen.output is None:
            sys.stdout.write(text)
        elif text:
            with chosen.output.open("x", encoding="utf-8") as file:
                file.write(text)
    except (ReportError, BadDateError, OSError) as error:
        print(f"tcrypt expect: {error}", file=sys.stderr)
        return 2
    _tell(report, text, grave)
    return 1 if grave else 0


def expectation_file(report: Report, expires: date, reason: str) -> str:
    """Return a file that expects every failure of a run that can be expected; empty without one.

    Args:
        report: the run.
        expires: the last day of every entry.
        reason: why they are expected; when it is empty, each entry asks for its own.
    """
    kinds: dict[tuple[str, str, str, str], dict[str, None]] = {}
    for failure in report.failures:
        for message in _messages(failure) if not failure.grave else ():
            kind = failure.provider, failure.driver, failure.check, message
            kinds.setdefault(kind, {})[failure.case] = None
    if not kinds:
        return ""
    entries = [
        _entry(case, kind, len(cases), report, expires, reason)
        for kind, cases in kinds.items()
        for case in _ids(kind[2], list(cases))
    ]
    seed = "" if report.run.seed is None else f", seed {report.run.seed}"
    head = f"# Expected failures, from a run of profile {report.run.profile}{seed}.\n"
    return head + "".join(entries)


def _messages(failure: Failure) -> list[str]:
    """Everything that is wrong with a case: all of it must be expected."""
    further = (line for line in failure.details if line.startswith(_ALSO))
    return list(dict.fromkeys([failure.message, *(line.removeprefix(_ALSO) for line in further)]))


def _ids(check: str, cases: list[str]) -> Iterator[str]:
    """The cases of one kind by their names, or by one pattern that matches them all."""
    if check in DRAWN_CHECKS:
        # What they find is shrunk from what a seed gives: its id says nothing of the next run.
        yield "*"
    elif len(cases) <= _SINGLE:
        yield from cases
    else:
        first = _common_start(cases)
        last = _common_start([case[len(first) :][::-1] for case in cases])[::-1]
        yield f"{_escaped(first)}*{_escaped(last)}"


def _common_start(texts: list[str]) -> str:
    first, last = min(texts), max(texts)
    pairs = enumerate(zip(first, last, strict=False))
    return first[: next((n for n, (one, other) in pairs if one != other), len(first))]


def _escaped(text: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in text)


def _entry(
    case: str,
    kind: tuple[str, str, str, str],
    number: int,
    report: Report,
    expires: date,
    reason: str,
) -> str:
    provider, driver, check, message = kind
    names = {"id": case, "provider": provider, "driver": driver, "check": check}
    fields = names | {"message": message}
    lines = [f"  {name}: {_quoted(value)}\n" for name, value in fields.items()]
    many = f"\n# {number:,} cases\n" if number > _SINGLE else "\n"
    body = "".join(lines).replace("  ", "- ", 1)
    if report.run.profile in ("quick", "full"):
        body += f"  profile: {report.run.profile}\n"
    body += f"  reason: {_quoted(reason)}\n" if reason else _GAP
    return f"{many}{body}  expires: {expires.isoformat()}\n"


def _quoted(text: str) -> str:
    dumped: str = yaml.safe_dump(text, default_style='"', allow_unicode=True, width=math.inf)
    return dumped.rstrip("\n")


def _tell(report: Report, text: str, grave: list[Failure]) -> None:
    """Say on the error stream what the file has, and what it cannot have."""
    number = text.count("\n- ")
    rest = len(report.failures) - len(grave)
    many = f"{number:,} {'entry' if number == 1 else 'entries'}"
    failures = f"{rest:,} failure{'' if rest == 1 else 's'}"
    said = f"{many} for {failures}" if text else "nothing failed that can be expected"
    print(f"tcrypt expect: {said}", file=sys.stderr)
    for line in _named(grave):
        print(f"tcrypt expect: cannot be expected: {line}", file=sys.stderr)


def _named(grave: list[Failure]) -> Iterable[str]:
    names = dict.fromkeys(f"{f.provider}/{f.driver} {f.check}: {f.message}" for f in grave)
    shown = list(names)[:_SHOWN]
    more = len(names) - len(shown)
    return [*shown, f"and {more:,} more kinds"] if more else shown
