"""The report as plain text for a terminal: what to know, what to do, where to read on."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from tcrypt.reports.cover import Coverage, percent
from tcrypt.reports.cover_view import judgement
from tcrypt.reports.expect_view import expectation_sections
from tcrypt.reports.grouping import FailureGroup, group_failures, group_unexecuted
from tcrypt.reports.hexdiff import clipped_pair
from tcrypt.reports.judge import merged_counts, merged_verdict
from tcrypt.reports.model import Cell, Counts, Report
from tcrypt.reports.words import CellVerdict

__all__ = ("summary_lines",)

_MOST_ROWS = 24
_MOST_LINES = 8  # of a list that is not about failures
_COLOURS = {"good": "32", "bad": "1;31", "warn": "33", "dim": "2", "bold": "1"}
_TONES: dict[str, str] = {
    "passed": "good",
    "failed": "bad",
    "interrupted": "bad",
    "expected-failure": "warn",
    "incomplete": "warn",
    "blocked": "warn",
    "not-run": "warn",
    "not-tested": "warn",
}


def summary_lines(
    report: Report, width: int = 80, color: bool = False, location: str = "", failures: int = 8
) -> list[str]:
    """Return a summary of the report in lines of at most `width` characters.

    Commands are never broken, so that they can be copied; they alone may be longer.

    Args:
        report: What to summarise.
        width: Columns of the terminal.
        color: Whether to use ANSI colours.
        location: Where the whole report is, for the last line.
        failures: How many groups of failures to show.
    """
    writer = _Writer(max(width, 40), color)
    _matrix(writer, report)
    _unexecuted(writer, report)
    _failures(writer, report, failures)
    _expected(writer, report)
    _warnings(writer, report)
    writer.blank()
    if report.coverage is not None:
        writer.prose(_coverage(report.coverage), "dim")
    writer.prose(report.headline, _TONES[report.verdict])
    writer.prose(_how(report), "dim")
    if location:
        writer.lines.append(f"report: {location}")
    return writer.lines


class _Writer:
    def __init__(self, width: int, color: bool) -> None:
        self.width = width
        self.lines: list[str] = []
        self._color = color

    def paint(self, text: str, tone: str) -> str:
        if not self._color or not tone or not text.strip():
            return text
        return f"\x1b[{_COLOURS[tone]}m{text}\x1b[0m"

    def blank(self) -> None:
        if self.lines and self.lines[-1]:
            self.lines.append("")

    def title(self, text: str, tone: str = "bold") -> None:
        self.blank()
        self.lines.append(self.paint(text, tone))

    def prose(self, text: str, tone: str = "", first: str = "", rest: str = "  ") -> None:
        """Add text, broken between words; `first` and `rest` begin its lines."""
        for line in textwrap.wrap(
            _visible(text), self.width, initial_indent=first, subsequent_indent=rest
        ):
            self.lines.append(self.paint(line, tone))

    def listed(self, texts: Sequence[str], tone: str = "") -> None:
        for text in texts[:_MOST_LINES]:
            self.prose(text, tone, "  ", "    ")
        if len(texts) > _MOST_LINES:
            self.prose(f"... and {len(texts) - _MOST_LINES:,} more", "dim", "  ")


def _visible(text: str) -> str:
    """Return text in which control characters cannot steer the terminal."""
    return "".join(c if c.isprintable() or c in " \n\t" else f"\\x{ord(c):02x}" for c in text)


def _matrix(writer: _Writer, report: Report) -> None:
    checks = sorted({cell.check for cell in report.cells})
    rows = _rows(report)
    if len(rows) > _MOST_ROWS:
        rows = _folded(rows)
    texts = {
        (name, check): _cell_text([cell for cell in cells if cell.check == check])
        for name, cells in rows.items()
        for check in checks
    }
    first = min(max(len(name) for name in ("driver", *rows)), writer.width * 5 // 9)
    for block in _blocks(checks, texts, rows, writer.width - first):
        _block(writer, block, texts, rows, first)


def _rows(report: Report) -> dict[str, list[Cell]]:
    rows: dict[str, list[Cell]] = {}
    for cell in report.cells:
        rows.setdefault(_visible(f"{cell.provider}/{cell.driver}"), []).append(cell)
    return rows


def _folded(rows: dict[str, list[Cell]]) -> dict[str, list[Cell]]:
    """Return one row for all the drivers of a provider that passed every check."""
    folded: dict[str, list[Cell]] = {}
    for name, cells in rows.items():
        provider = _visible(cells[0].provider)
        key = f"{provider}: all that passed" if _all_passed(cells) else name
        folded.setdefault(key, []).extend(cells)
    return folded


def _all_passed(cells: Iterable[Cell]) -> bool:
    return all(cell.verdict in ("passed", "not-applicable") for cell in cells)


def _cell_text(cells: Sequence[Cell]) -> tuple[str, str]:
    """Return the text of a cell and its tone."""
    if not cells:
        return "-", "dim"
    verdict = merged_verdict(cells)
    return _words(verdict, merged_counts(cells)), _TONES.get(verdict, "dim")


def _words(verdict: CellVerdict, counts: Counts) -> str:
    match verdict:
        case "passed":
            return f"ok {counts.passed:,}"
        case "failed":
            return f"FAIL {counts.failed:,}/{counts.executed:,}"
        case "expected-failure":
            return f"xfail {counts.expected_failure:,}/{counts.executed:,}"
        case "interrupted":
            return f"CUT OFF {counts.executed:,}/{counts.total:,}"
        case "incomplete":
            return f"PART {counts.executed:,}/{counts.executed + counts.not_run:,}"
        case "not-applicable":
            return "n/a"
        case "not-run":
            return f"NOT RUN {counts.not_run:,}"
    return f"{verdict} {dict(counts.items())[verdict]:,}"


def _heading(check: str) -> list[str]:
    """Return the name of a check, broken at its hyphens into short lines."""
    return textwrap.wrap(_visible(check), 14, break_long_words=False) or ["-"]


def _blocks(
    checks: Sequence[str],
    texts: dict[tuple[str, str], tuple[str, str]],
    rows: Iterable[str],
    room: int,
) -> list[dict[str, int]]:
    """Return the columns and their widths, in as many blocks as the room asks for."""
    blocks: list[dict[str, int]] = []
    used = room + 1
    for check in checks:
        cells = [texts[row, check][0] for row in rows]
        width = 2 + max(len(text) for text in (*_heading(check), *cells))
        if used + width > room:
            blocks.append({})
            used = 0
        blocks[-1][check] = width
        used += width
    return blocks


def _block(
    writer: _Writer,
    columns: dict[str, int],
    texts: dict[tuple[str, str], tuple[str, str]],
    rows: Iterable[str],
    first: int,
) -> None:
    writer.blank()
    headings = {check: _heading(check) for check in columns}
    height = max(len(lines) for lines in headings.values())
    for level in range(height):
        name = "driver" if level == height - 1 else ""
        line = name.ljust(first)
        for check, width in columns.items():
            lines = [""] * (height - len(headings[check])) + headings[check]
            line += "  " + lines[level].ljust(width - 2)
        writer.lines.append(writer.paint(line.rstrip(), "bold"))
    for row in rows:
        line = (row if len(row) <= first else f"..{row[2 - first :]}").ljust(first)
        for check, width in columns.items():
            text, tone = texts[row, check]
            line += "  " + writer.paint(text, tone) + " " * (width - 2 - len(text))
        writer.lines.append(line.rstrip())


def _unexecuted(writer: _Writer, report: Report) -> None:
    groups = [g for g in group_unexecuted(report) if g.verdict != "not-applicable"]
    if not groups:
        return
    writer.title("did not run")
    writer.listed(
        [
            f"{g.cases:,} {g.verdict}: {g.reason} ({len(g.drivers)} drivers)"
            if len(g.drivers) > 1
            else f"{g.cases:,} {g.verdict}: {g.reason} ({g.drivers[0]})"
            for g in groups
        ]
    )


def _failures(writer: _Writer, report: Report, most: int) -> None:
    groups = group_failures(report.failures)
    for group in groups[:most]:
        _failure_group(writer, group)
    left = groups[most:]
    if left:
        cases = sum(len(group.failures) for group in left)
        writer.blank()
        writer.prose(f"... and {len(left):,} more kinds of failure ({cases:,} cases)", "bad")


def _failure_group(writer: _Writer, group: FailureGroup) -> None:
    first, number = group.failures[0], len(group.failures)
    writer.blank()
    writer.prose(f"FAILED {group.title}: {group.message}", "bad")
    layout = f", layout {first.layout}" if first.layout else ""
    many = f"{number:,} cases, the first: " if number > 1 else ""
    writer.prose(f"{many}{first.algorithm} {first.case}{layout}", "", "  ", "    ")
    if first.fact:
        writer.prose(f"fact       {first.fact}", "", "  ", " " * 13)
    if first.expected or first.got:
        pair = clipped_pair(_visible(first.expected), _visible(first.got), writer.width - 13)
        writer.lines += [f"  expected   {pair[0]}", f"  got        {pair[1]}"]
    if first.attribution != "unknown":
        writer.lines.append(f"  points at  {first.attribution}")
    if first.command:
        writer.lines.append(f"  reproduce  {_visible(first.command)}")


def _expected(writer: _Writer, report: Report) -> None:
    for title, tone, lines in expectation_sections(report):
        writer.title(title, tone)
        writer.listed(lines)


def _warnings(writer: _Writer, report: Report) -> None:
    wrong = [e for e in report.evidence if not e.matches]
    sections = {
        "WRONG ENGINE": [
            f"{e.provider}/{e.driver} {e.algorithm}, key of {e.key_size} bytes: expected"
            f" {e.expected}; hardware did {e.hardware:,}, software {e.software:,},"
            f" nobody {e.none:,} requests"
            for e in wrong
        ],
        "NOT TESTED": [
            f"{u.provider}/{u.driver} {u.algorithm}: {u.reason}" for u in report.untested
        ],
        "COVERAGE LOST": [
            f"{loss.what}: expected {loss.expected}, got {loss.got} ({loss.reason})"
            for loss in report.coverage_lost
        ],
        "STARTED AND NOT FINISHED": [i.item for i in report.items_that_ended("interrupted")],
        "FAULTS IN THE RECORD OF THE RUN": list(report.problems),
        "BROKEN SINCE THE BASELINE": [
            f"{c.provider}/{c.driver}/{c.algorithm}/{c.check}: {c.before}, now {c.now}"
            for c in report.changes
            if c.kind == "broken"
        ],
    }
    for title, texts in sections.items():
        if texts:
            writer.title(title, "warn")
            writer.listed(texts)


def _coverage(coverage: Coverage) -> str:
    reached = percent(coverage.hits, coverage.bins)
    bins = f"{coverage.bins:,} bins on {len(coverage.drivers):,} drivers"
    return f"functional coverage: {reached:.1f} % of {bins}; {judgement(coverage)}"


def _how(report: Report) -> str:
    run = report.run
    seed = "unknown" if run.seed is None else str(run.seed)
    parts = [f"seed {seed}", f"profile {run.profile}" if run.profile else "", run.semantics]
    parts += [f"{run.seconds:.1f} s", f"tcrypt {run.version}" if run.version else ""]
    return ", ".join(part for part in parts if part)
