"""What a run says of failures that were expected, by the events alone."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import msgspec
import pytest

from tcrypt.reports import events as ev
from tcrypt.reports.build import build_report
from tcrypt.reports.compare import changes, lost_coverage
from tcrypt.reports.expectations import Expectation
from tcrypt.reports.html import render_html
from tcrypt.reports.junit import render_junit
from tcrypt.reports.model import Report
from tcrypt.reports.terminal import summary_lines
from tcrypt.reports.words import ExpectationState

if TYPE_CHECKING:
    from conftest import Runs

_TODAY = "2026-11-23"


def _entry(case: str = "c1", **fields: object) -> Expectation:
    values: dict[str, object] = {
        "file": "known.yaml",
        "line": 2,
        "id": case,
        "reason": "the ring is too short",
        "expires": "2027-03-01",
    }
    return Expectation(**(values | fields))  # type: ignore[arg-type]


def _read(*entries: Expectation) -> ev.ExpectationsRead:
    return ev.ExpectationsRead(_TODAY, list(entries))


def _expected(runs: Runs, *entries: int, **fields: str) -> ev.CaseExpected:
    return ev.CaseExpected(runs.failed(**fields), list(entries) or [0])


@pytest.fixture
def forgiven(runs: Runs) -> Report:
    """Two cases passed, one failed as an entry says."""
    item = runs.item(
        "i1",
        ev.CasesPassed("i1", ["a", "b"]),
        _expected(runs, command="tcrypt run --case c1"),
        verdict="expected-failure",
    )
    return runs.report(_read(_entry()), *item)


def test_expected_failures_ran_and_do_not_fail_the_run(forgiven: Report):
    assert (forgiven.verdict, forgiven.exit_status) == ("passed", 0)
    assert (forgiven.totals.executed, forgiven.totals.expected_failure) == (3, 1)
    assert forgiven.failures == ()
    assert forgiven.headline == "Passed: 2 of 3 cases on 1 driver; 1 expected failure"


def test_what_expected_failures_were_is_kept_whole(forgiven: Report):
    (failure,) = forgiven.expected_failures
    assert (failure.case, failure.command) == ("c1", "tcrypt run --case c1")
    assert [forgiven.expectations[n].entry.reason for n in failure.expected_by] == [
        "the ring is too short"
    ]
    (judged,) = forgiven.expectations
    assert (judged.state, judged.cases) == ("in-use", 1)


def test_a_cell_with_expected_failures_is_not_called_passed(forgiven: Report):
    (cell,) = forgiven.cells
    assert cell.verdict == "expected-failure"
    (item,) = forgiven.items
    assert ("c1", "expected-failure", "") in list(item.cases())


def test_the_id_of_a_failure_is_the_same_whether_expected_or_not(runs: Runs, forgiven: Report):
    plain = runs.one_item(runs.failed(), verdict="failed")
    assert plain.failures[0].id == forgiven.expected_failures[0].id


@pytest.mark.parametrize("first", ["failed", "expected"])
def test_a_case_that_fails_in_two_ways_of_which_one_is_expected_has_failed(runs: Runs, first: str):
    pair = [runs.failed(message="other"), _expected(runs)]
    ordered = pair if first == "failed" else pair[::-1]
    report = runs.report(_read(_entry()), *runs.item("i1", *ordered, verdict="failed"))
    assert report.verdict == "failed"
    assert (report.totals.failed, report.totals.expected_failure) == (1, 0)
    assert report.problems == ()


@pytest.mark.parametrize("verdict", ["failed", "expected-failure"])
def test_an_item_that_ended_badly_without_a_failure_of_that_kind_has_failed(
    runs: Runs, verdict: str
):
    middle = [_expected(runs)] if verdict == "failed" else []
    report = runs.report(_read(_entry()), *runs.item("i1", *middle, verdict=verdict))
    assert report.verdict == "failed"
    assert report.failures[0].attribution == "suite"


def test_expected_failures_without_entries_are_a_fault_of_the_record(runs: Runs):
    report = runs.one_item(_expected(runs), verdict="expected-failure")
    assert report.exit_status == 1
    assert report.problems == ("1 failures were expected by entries that no log has",)


_PASSED = ("b", "c1", "c2")


@pytest.mark.parametrize(
    ("entry", "state", "words"),
    [
        (_entry("c1"), "unexpected-pass", "1 case ran and none failed so: remove the entry"),
        (_entry("c[12]"), "unexpected-pass", "2 cases ran"),
        (_entry("*", message="x", check="vec*"), "unexpected-pass", "3 cases ran"),
        (_entry("c9"), "stale", "no case c9"),
        (_entry("c1", driver="typo", unknown=True), "stale", "no driver and check of these names"),
        (_entry("x", driver="typo", profile="full", unknown=True), "stale", "no driver and check"),
        (_entry("c1", left_out="--check leaves out keys"), "not-judged", "--check leaves out"),
        (_entry("s"), "not-judged", "1 case skipped (slow)"),
        (_entry("f"), "fails-otherwise", "1 case failed in another way"),
        (_entry("*", message="x", profile="full"), "not-judged", "profile default runs less"),
        (_entry("c1", profile="full"), "unexpected-pass", "1 case ran"),
        (_entry("c9", profile="full"), "not-judged", "profile default runs less"),
        (_entry("c9", profile="quick"), "stale", "no case c9"),
        (_entry("c1", divided="others run the rest"), "unexpected-pass", "1 case ran"),
        (_entry("c9", divided="others run the rest"), "not-judged", "others run the rest"),
        (_entry("c[12]", divided="others run the rest"), "not-judged", "others run the rest"),
        (_entry("c1", expires="2026-11-22"), "expired", "it expired on 2026-11-22"),
        (_entry("f", expires="2026-11-22"), "expired", "1 case that it names failed"),
        (_entry("c1", expires=_TODAY), "unexpected-pass", "1 case ran"),
    ],
    ids=lambda value: value.text if isinstance(value, Expectation) else None,
)
def test_an_entry_that_forgives_nothing_is_named_with_why(
    runs: Runs, entry: Expectation, state: ExpectationState, words: str
):
    item = runs.item(
        "i1",
        ev.CasesPassed("i1", list(_PASSED)),
        ev.CasesSet("i1", "skipped", "slow", ["s"]),
        *([runs.failed("f")] if "f" in (entry.id, state) else []),
        verdict="failed" if entry.id == "f" else "passed",
    )
    report = runs.report(_read(entry), *item)
    (judged,) = report.expectations
    assert judged.state == state
    assert words in judged.detail
    fails = state in ("unexpected-pass", "stale") or entry.id == "f"
    assert report.exit_status == int(fails)
    assert "known.yaml:2" in "\n".join(summary_lines(report))


@pytest.mark.parametrize(
    ("case", "state", "words"),
    [
        ("op=enc,len=16", "not-judged", "was not drawn: name it by a pattern"),
        ("op=*", "unexpected-pass", "no case that was drawn failed so"),
        ("*", "unexpected-pass", "1 case ran and none failed so"),
        ("example-9", "stale", "no case example-9"),
    ],
)
def test_a_case_that_is_drawn_is_not_there_when_it_does_not_fail(
    runs: Runs, case: str, state: ExpectationState, words: str
):
    entry = _entry(case, check="fuzz", message="wrong output")
    item = runs.item("i1", ev.CasesPassed("i1", ["example-1"]), check="fuzz")
    (judged,) = runs.report(_read(entry), *item).expectations
    assert judged.state == state
    assert words in judged.detail


def test_a_case_in_one_of_several_items_says_nothing_where_drivers_divide_it(runs: Runs):
    read = _read(_entry("c1", divided="others run the rest"))
    first = runs.item("i1", ev.CasesPassed("i1", ["c1"]))
    second = runs.item("i2", ev.CasesPassed("i2", ["c2"]), driver="ecb-aes-eip93")
    (judged,) = runs.report(read, *first, *second).expectations
    assert judged.state == "not-judged"


@pytest.mark.parametrize("case", ["c1", "c9", "c?"])
def test_nothing_is_judged_of_an_item_in_which_the_driver_crashed(runs: Runs, case: str):
    crash = msgspec.structs.replace(runs.failed("all"), grave=True)
    item = runs.item("i1", ev.CasesPassed("i1", ["c1"]), crash, verdict="failed")
    (judged,) = runs.report(_read(_entry(case)), *item).expectations
    assert judged.state == "not-judged"
    assert "a crash or a hang" in judged.detail


def test_nothing_is_judged_of_an_item_that_was_blocked(runs: Runs):
    blocked = ev.CasesSet("i1", "blocked", "given up", ["the rest"])
    item = runs.item("i1", ev.CasesPassed("i1", ["c1"]), blocked)
    (judged,) = runs.report(_read(_entry("c9")), *item).expectations
    assert judged.state == "not-judged"


def test_an_entry_whose_failure_another_entry_forgives_is_an_unexpected_pass(runs: Runs):
    entries = [_entry("c*", message="ciphertext*"), _entry("*", message="IV differs")]
    item = runs.item("i1", _expected(runs), verdict="expected-failure")
    report = runs.report(_read(*entries), *item)
    assert [judged.state for judged in report.expectations] == ["in-use", "unexpected-pass"]
    assert (report.verdict, report.exit_status) == ("failed", 1)
    assert report.headline.startswith("Failed: the file of expected failures is out of date")


@pytest.mark.parametrize("entry", [_entry("c1"), _entry("c9")])
def test_nothing_is_judged_by_a_run_that_was_killed(runs: Runs, entry: Expectation):
    events = [
        runs.started(),
        _read(entry, _entry("e")),
        *runs.item("i1", ev.CasesPassed("i1", ["c1"]), _expected(runs, 1, case="e")),
        runs.planned("i2"),
        ev.ItemStarted("i2"),
    ]
    report = build_report([runs.log(*events)])
    assert [judged.state for judged in report.expectations] == ["not-judged", "in-use"]
    assert (report.verdict, report.exit_status) == ("interrupted", 2)
    assert report.totals.expected_failure == 1


def test_entries_of_several_processes_are_the_same_entries(runs: Runs, forgiven: Report):
    read = _read(_entry())
    logs = [
        runs.log(*runs.whole(read), name="events-gw0.ndjson"),
        runs.log(
            *[runs.started("gw1"), read],
            *runs.item("i1", _expected(runs), verdict="expected-failure"),
            ev.RunFinished(0, 1.0),
            name="events-gw1.ndjson",
        ),
    ]
    report = build_report(logs)
    assert report.expectations == forgiven.expectations


def test_a_newly_expected_failure_is_no_change_of_the_driver(runs: Runs, forgiven: Report):
    passes = ev.CasesPassed("i1", ["a", "b"])
    failed = runs.one_item(passes, runs.failed(), verdict="failed")
    green = runs.one_item(passes, ev.CasesPassed("i1", ["c1"]))
    worse = runs.one_item(ev.CasesPassed("i1", ["a"]), runs.failed(), runs.failed("b"))
    assert changes(failed, forgiven) == changes(forgiven, failed) == []
    assert [c.kind for c in changes(forgiven, green)] == ["fixed"]
    assert [c.kind for c in changes(green, forgiven)] == []
    assert [c.kind for c in changes(forgiven, worse)] == ["broken"]
    for one in (failed, green, forgiven):
        assert lost_coverage(one, forgiven) == lost_coverage(forgiven, one) == []


def test_junit_calls_expected_failures_skipped_with_their_reason(forgiven: Report):
    root = ET.fromstring(render_junit(forgiven))
    (case,) = [
        c for c in root.iter("testcase") if str(c.get("name")).endswith("[expected-failure]")
    ]
    skipped = case.find("skipped")
    assert skipped is not None
    assert "1 cases: the ring is too short (known.yaml:2" in str(skipped.get("message"))
    assert root.get("failures") == "0"


def test_junit_calls_no_check_passed_of_which_every_case_failed(runs: Runs):
    item = runs.item("i1", _expected(runs), verdict="expected-failure")
    root = ET.fromstring(render_junit(runs.report(_read(_entry()), *item)))
    (case,) = [c for c in root.iter("testcase") if c.get("name") == "cbc(aes) vectors"]
    assert case.find("skipped") is not None


def test_junit_fails_when_entries_are_out_of_date(runs: Runs):
    report = runs.report(_read(_entry("c9")), *runs.item("i1", ev.CasesPassed("i1", ["a"])))
    root = ET.fromstring(render_junit(report))
    (failure,) = root.iter("failure")
    assert str(failure.get("message")).startswith("stale: known.yaml:2: c9")


def test_page_and_terminal_show_entries_reasons_and_commands(forgiven: Report):
    page, terminal = render_html(forgiven), "\n".join(summary_lines(forgiven))
    for text in ("the ring is too short", "known.yaml:2", "2027-03-01"):
        assert text in page
        assert text in " ".join(terminal.split())
    assert "tcrypt run --case c1" in page
    assert "xfail 1/3" in terminal
