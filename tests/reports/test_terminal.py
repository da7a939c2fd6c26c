"""The summary in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tcrypt.reports import events as ev
from tcrypt.reports.build import build_report
from tcrypt.reports.compare import with_baseline
from tcrypt.reports.model import Report
from tcrypt.reports.terminal import summary_lines

if TYPE_CHECKING:
    from conftest import Runs


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_only_commands_are_longer_than_the_terminal_is_wide(mixed_report: Report, width: int):
    lines = summary_lines(mixed_report, width)
    long = [line for line in lines if len(line) > width]
    assert all(line.startswith("  reproduce") for line in long)
    assert "\x1b" not in "".join(lines)


def test_colour_changes_nothing_but_the_colour(mixed_report: Report):
    import re

    plain = summary_lines(mixed_report, 100)
    coloured = summary_lines(mixed_report, 100, color=True)
    assert coloured != plain
    assert [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in coloured] == plain


def test_all_that_matters_is_said(mixed_report: Report):
    text = "\n".join(summary_lines(mixed_report, 120, location="out/index.html"))
    for words in (
        "FAIL 30/31",
        "ok 3",
        "FAILED eip93/cbc-aes-eip93 iv-out: ciphertext differs",
        "30 cases, the first: cbc(aes) f0, layout in-place",
        "reproduce  pytest --pyargs tcrypt --tcrypt-case f0",
        "2 blocked: ring too small",
        "NOT TESTED",
        "eip93/rng-eip93 stdrng: random generators are not covered",
        "COVERAGE LOST",
        "WRONG ENGINE",
        "key of 24 bytes: expected hardware; hardware did 0, software 2",
        "seed 42",
        "report: out/index.html",
    ):
        assert words in text
    assert "\nFailed and interrupted: 30 of 67 cases on 4 drivers" in text


def test_a_command_is_never_broken(runs: Runs):
    command = "pytest --pyargs tcrypt " + "--tcrypt-case " * 20
    report = runs.one_item(runs.failed("c", command=command), verdict="failed")
    assert f"  reproduce  {command}" in summary_lines(report, 80)


def test_kinds_of_failure_beyond_the_limit_are_counted(runs: Runs):
    failures = [runs.failed(f"c{n}", message=f"kind {n}") for n in range(30)]
    report = runs.one_item(*failures, verdict="failed")
    text = "\n".join(summary_lines(report, 100, failures=5))
    assert text.count("FAILED ") == 5
    assert "... and 25 more kinds of failure (25 cases)" in text


def test_many_drivers_that_passed_are_folded_and_a_failing_one_is_not(runs: Runs):
    events: list[ev.AnyEvent] = []
    for number in range(40):
        name = f"i{number}"
        middle = runs.failed("c", name) if number == 7 else ev.CasesPassed(name, ["a"])
        events += runs.item(name, middle, driver=f"driver-{number}")
    lines = summary_lines(runs.report(*events), 100)
    rows = [line for line in lines if line.startswith("eip93")]
    assert len(rows) == 2
    assert any("driver-7" in row and "FAIL 1/1" in row for row in rows)
    assert any("ok 39" in row for row in rows)


def test_interrupted_items_are_named(runs: Runs):
    events = [runs.started(), runs.planned("cut-off-item", 5), ev.ItemStarted("cut-off-item")]
    text = "\n".join(summary_lines(build_report([runs.log(*events)]), 80))
    assert "CUT OFF 0/5" in text
    assert "STARTED AND NOT FINISHED\n  cut-off-item" in text


def test_cells_broken_since_the_baseline_are_named(runs: Runs):
    good = runs.one_item(ev.CasesPassed("i1", ["c"]))
    bad = runs.one_item(runs.failed("c"), verdict="failed")
    text = "\n".join(summary_lines(with_baseline(bad, good, "old.json"), 120))
    assert "BROKEN SINCE THE BASELINE" in text
    assert "cbc(aes)/vectors: 1 passed, now 1 of 1 failed" in text


def test_control_characters_cannot_steer_the_terminal(runs: Runs):
    report = runs.one_item(
        runs.failed("c", message="\x1b]0;owned\x07", got="\x1b[2J", command="a\x1bb"),
        verdict="failed",
    )
    assert "\x1b" not in "".join(summary_lines(report, 80))


def test_a_report_of_nothing_has_a_summary():
    assert summary_lines(build_report([]), 80)[0].startswith("Interrupted")
