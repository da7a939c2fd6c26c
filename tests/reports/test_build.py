"""From events to a report: no case is lost, and no word says more than what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tcrypt.reports import events as ev

if TYPE_CHECKING:
    from conftest import Runs


def test_every_case_is_in_its_item_with_its_verdict(runs: Runs):
    report = runs.one_item(
        ev.CasesPassed("i1", ["a", "b"]),
        runs.failed("c"),
        ev.CasesSet("i1", "skipped", "slow", ["d"]),
        ev.CasesSet("i1", "blocked", "policy", ["e", "f"]),
        verdict="failed",
    )
    (item,) = report.items
    assert sorted(item.cases()) == [
        ("a", "passed", ""),
        ("b", "passed", ""),
        ("c", "failed", ""),
        ("d", "skipped", "slow"),
        ("e", "blocked", "policy"),
        ("f", "blocked", "policy"),
    ]
    assert dict(report.totals.items()) == {
        "passed": 2,
        "failed": 1,
        "expected-failure": 0,
        "skipped": 1,
        "unsupported": 0,
        "blocked": 2,
        "not-applicable": 0,
        "not-run": 0,
    }


def test_the_items_of_a_check_are_one_cell(runs: Runs):
    report = runs.report(
        *runs.item("chunk-1", ev.CasesPassed("chunk-1", ["a"])),
        *runs.item("chunk-2", ev.CasesPassed("chunk-2", ["b", "c"])),
    )
    (cell,) = report.cells
    assert cell.counts.passed == 3
    assert (cell.items_planned, cell.items_finished, cell.seconds) == (2, 2, 1.0)
    assert cell.verdict == "passed"


def test_a_run_where_all_passed_exits_with_0(runs: Runs):
    report = runs.one_item(ev.CasesPassed("i1", ["a"]))
    assert (report.verdict, report.exit_status) == ("passed", 0)
    assert report.headline == "Passed: 1 case on 1 driver"
    assert not report.interrupted


def test_a_failure_carries_everything_that_was_said_of_it(runs: Runs):
    event = runs.failed("c", details=["d1"], timeline=["t1", "t2"])
    report = runs.one_item(event, verdict="failed")
    (failure,) = report.failures
    for name in ("message", "fact", "expected", "got", "layout", "attribution", "command"):
        assert getattr(failure, name) == getattr(event, name) != ""
    assert (failure.details, failure.timeline) == (("d1",), ("t1", "t2"))
    assert (failure.provider, failure.driver) == ("eip93", "cbc-aes-eip93")
    assert (failure.algorithm, failure.check, failure.case) == ("cbc(aes)", "vectors", "c")
    assert (report.verdict, report.exit_status) == ("failed", 1)


def test_the_id_of_a_failure_depends_on_neither_chunk_nor_wording(runs: Runs):
    one = runs.report(*runs.item("chunk-1", runs.failed("c", "chunk-1"), verdict="failed"))
    two = runs.report(
        *runs.item("k", runs.failed("c", "k", message="other", got="00"), verdict="failed")
    )
    assert one.failures[0].id == two.failures[0].id
    other = runs.report(*runs.item("k", runs.failed("d", "k"), verdict="failed"))
    assert other.failures[0].id != one.failures[0].id


def test_two_failures_of_one_case_are_one_case_and_two_failures(runs: Runs):
    report = runs.one_item(
        runs.failed("c"), runs.failed("c", message="IV differs"), verdict="failed"
    )
    assert report.totals.failed == 1
    assert len({failure.id for failure in report.failures}) == 2
    assert not report.problems


@pytest.mark.parametrize(
    "verdict", ["skipped", "unsupported", "blocked", "not-applicable", "not-run"]
)
def test_an_item_in_which_nothing_ran_never_passed(runs: Runs, verdict: str):
    report = runs.one_item(ev.CasesSet("i1", verdict, "why", ["a"]))  # type: ignore[arg-type]
    assert report.items[0].verdict == verdict
    assert report.cells[0].verdict == verdict
    assert (report.verdict, report.exit_status) == ("not-tested", 5)
    (untested,) = report.untested
    assert untested.reason == f"no case ran: 1 {verdict}"


def test_cases_that_never_had_their_turn_make_a_cell_incomplete(runs: Runs):
    report = runs.one_item(
        ev.CasesPassed("i1", ["a"]), ev.CasesSet("i1", "not-run", "stopped", ["b"])
    )
    assert report.cells[0].verdict == "incomplete"


def test_an_item_that_passed_with_fewer_cases_than_planned_is_lost_coverage(runs: Runs):
    report = runs.report(
        runs.planned("i1", 10),
        ev.ItemStarted("i1"),
        ev.CasesPassed("i1", ["a", "b"]),
        ev.ItemFinished("i1", "passed"),
    )
    (loss,) = report.coverage_lost
    assert (loss.expected, loss.got) == ("10 cases", "2 cases")
    assert "i1" in loss.what
    assert report.totals.not_run == 8
    assert (report.verdict, report.exit_status) == ("incomplete", 1)


def test_an_item_that_passed_and_holds_no_case_is_lost_coverage(runs: Runs):
    report = runs.report(
        *runs.item("i1", ev.CasesPassed("i1", ["a"])),
        runs.planned("i2", 0),
        ev.ItemStarted("i2"),
        ev.ItemFinished("i2", "passed"),
    )
    assert [loss.expected for loss in report.coverage_lost] == ["at least one case"]
    assert report.verdict == "incomplete"


def test_an_item_without_cases_of_its_own_is_its_one_case(runs: Runs):
    report = runs.one_item()
    assert report.items[0].passed == ("i1",)
    assert report.verdict == "passed"


def test_an_item_that_failed_without_naming_a_case_is_a_failure(runs: Runs):
    report = runs.one_item(verdict="failed")
    (failure,) = report.failures
    assert (failure.case, failure.attribution) == ("i1", "suite")
    assert report.verdict == "failed"


def test_a_failing_case_outweighs_an_item_that_says_it_passed(runs: Runs):
    report = runs.one_item(runs.failed("c"), verdict="passed")
    assert report.items[0].verdict == "failed"
    assert report.verdict == "failed"


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([ev.CasesPassed("i1", ["a", "a"])], "1 case ids are recorded twice, first 'a'"),
        (
            [ev.CasesPassed("i1", ["a"]), ev.CasesSet("i1", "skipped", "r", ["a"])],
            "case 'a' is both passed and skipped, counted as skipped",
        ),
        ([ev.CasesPassed("ghost", ["a"]), ev.CasesPassed("i1", ["a"])], "none planned it"),
    ],
)
def test_contradictions_are_told_and_spoil_a_pass(
    runs: Runs, events: list[ev.AnyEvent], words: str
):
    report = runs.one_item(*events)
    assert any(words in problem for problem in report.problems)
    assert report.verdict != "passed"


@pytest.mark.parametrize(
    "other", [ev.CasesPassed("i1", ["a"]), ev.CasesSet("i1", "skipped", "slow", ["a"])]
)
@pytest.mark.parametrize("first", [True, False])
def test_a_case_that_failed_once_has_failed(runs: Runs, other: ev.AnyEvent, first: bool):
    pair = [other, runs.failed("a")]
    report = runs.one_item(*(pair if first else reversed(pair)))
    assert (report.totals.failed, report.totals.total) == (1, 1)
    assert report.problems


def test_a_registered_algorithm_that_nothing_tests_is_named(runs: Runs):
    report = runs.report(
        ev.AlgorithmFound("eip93", "cbc-aes-eip93", "cbc(aes)", "skcipher", 300),
        ev.AlgorithmFound("eip93", "forgotten", "xts(aes)", "skcipher", 300),
        ev.AlgorithmFound("eip93", "rng", "stdrng", "rng", 300),
        ev.Untested("eip93", "rng", "stdrng", "no check for generators"),
        *runs.item("i1", ev.CasesPassed("i1", ["a"])),
    )
    assert {u.driver: u.reason for u in report.untested} == {
        "forgotten": "no check was planned for it",
        "rng": "no check for generators",
    }
    assert {a.driver: a.tested for a in report.algorithms} == {
        "cbc-aes-eip93": True,
        "forgotten": False,
        "rng": False,
    }
    assert "2 algorithms not tested" in report.headline


def test_calling_a_tested_algorithm_untested_is_a_contradiction(runs: Runs):
    report = runs.one_item(
        ev.CasesPassed("i1", ["a"]), ev.Untested("eip93", "cbc-aes-eip93", "cbc(aes)", "why")
    )
    assert not report.untested
    assert "said to be untested" in report.problems[0]


def _work(engine: str, expected: str, jobs: int) -> ev.WorkSeen:
    place = ("i1", "cbc(aes)", "cbc-aes-eip93", "eip93", 24)
    return ev.WorkSeen(*place, engine, expected, jobs)  # type: ignore[arg-type]


def test_work_is_summed_by_key_size_and_expectation(runs: Runs):
    report = runs.one_item(
        ev.CasesPassed("i1", ["a"]),
        _work("hardware", "hardware", 2),
        _work("hardware", "hardware", 3),
        _work("software", "software", 1),
    )
    assert [(e.key_size, e.expected, e.hardware, e.software) for e in report.evidence] == [
        (24, "hardware", 5, 0),
        (24, "software", 0, 1),
    ]
    assert report.verdict == "passed"


@pytest.mark.parametrize(
    "events",
    [
        [_work("software", "hardware", 1)],
        [_work("hardware", "hardware", 9), _work("none", "hardware", 1)],
        [_work("hardware", "hardware", 0)],
    ],
)
def test_work_by_the_wrong_engine_or_by_nobody_spoils_a_pass(
    runs: Runs, events: list[ev.AnyEvent]
):
    report = runs.one_item(ev.CasesPassed("i1", ["a"]), *events)
    assert not report.evidence[0].matches
    assert (report.verdict, report.exit_status) == ("incomplete", 1)
