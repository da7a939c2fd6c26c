"""Two reports compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tcrypt.reports import events as ev
from tcrypt.reports.compare import changes, lost_coverage, with_baseline
from tcrypt.reports.model import Report

if TYPE_CHECKING:
    from conftest import Runs


def _passed(runs: Runs, *cases: str, **where: str) -> list[ev.AnyEvent]:
    name = "/".join(where.values()) or "i1"
    return runs.item(name, ev.CasesPassed(name, list(cases)), **where)


def test_a_report_has_lost_nothing_since_itself(mixed_report: Report):
    assert lost_coverage(mixed_report, mixed_report) == []
    assert changes(mixed_report, mixed_report) == []


def test_a_case_that_is_gone_is_named(runs: Runs):
    before = runs.report(*_passed(runs, "a", "b", "c"))
    now = runs.report(*_passed(runs, "a", "c", "d"))
    (loss,) = lost_coverage(before, now)
    assert loss.what == "eip93/cbc-aes-eip93/cbc(aes)/vectors"
    assert loss.reason == "no longer there: b"


def test_a_case_that_failed_had_been_executed_too(runs: Runs):
    before = runs.one_item(runs.failed("a"), ev.CasesPassed("i1", ["b"]), verdict="failed")
    now = runs.report(*_passed(runs, "b"))
    (loss,) = lost_coverage(before, now)
    assert (loss.expected, loss.got) == ("2 cases ran", "1 cases ran")
    assert loss.reason == "no longer there: a"


def test_a_case_that_is_skipped_now_is_lost_and_says_why(runs: Runs):
    before = runs.report(*_passed(runs, "a", "b"))
    now = runs.one_item(ev.CasesPassed("i1", ["a"]), ev.CasesSet("i1", "skipped", "slow", ["b"]))
    (loss,) = lost_coverage(before, now)
    assert loss.reason == "skipped (slow): b"


def test_cases_that_moved_to_another_chunk_are_not_lost(runs: Runs):
    before = runs.report(
        *runs.item("chunk-1", ev.CasesPassed("chunk-1", ["a", "b"])),
        *runs.item("chunk-2", ev.CasesPassed("chunk-2", ["c"])),
    )
    now = runs.report(*_passed(runs, "a", "b", "c"))
    assert lost_coverage(before, now) == []


def test_a_case_that_ran_twice_and_runs_once_is_lost(runs: Runs):
    before = runs.report(
        *runs.item("chunk-1", ev.CasesPassed("chunk-1", ["a"])),
        *runs.item("chunk-2", ev.CasesPassed("chunk-2", ["a"])),
    )
    assert len(lost_coverage(before, runs.report(*_passed(runs, "a")))) == 1


def test_a_driver_that_is_gone_is_one_loss(runs: Runs):
    before = runs.report(
        *_passed(runs, "a", driver="x", check="vectors"),
        *_passed(runs, "a", "b", driver="x", check="layouts"),
        *_passed(runs, "a", driver="y", check="vectors"),
    )
    now = runs.report(*_passed(runs, "a", driver="y", check="vectors"))
    (loss,) = lost_coverage(before, now)
    assert (loss.what, loss.expected) == ("eip93/x", "3 cases ran")


def test_a_provider_that_is_gone_is_one_loss(runs: Runs):
    before = runs.report(
        *_passed(runs, "a", provider="board", driver="x"),
        *_passed(runs, "a", "b", provider="board", driver="y"),
        *_passed(runs, "a", provider="software", driver="x"),
    )
    now = runs.report(*_passed(runs, "a", provider="software", driver="x"))
    (loss,) = lost_coverage(before, now)
    assert (loss.what, loss.expected) == ("board", "3 cases ran")


def test_a_cell_that_is_gone_is_a_loss(runs: Runs):
    before = runs.report(
        *_passed(runs, "a", driver="x", check="vectors"),
        *_passed(runs, "b", driver="x", check="layouts"),
    )
    now = runs.report(*_passed(runs, "a", driver="x", check="vectors"))
    assert [loss.what for loss in lost_coverage(before, now)] == ["eip93/x/cbc(aes)/layouts"]


def test_what_another_of_more_drivers_runs_now_is_no_loss(runs: Runs):
    first, second = {"check": "boundaries"}, {"driver": "ctr-aes-eip93", "check": "boundaries"}
    before = runs.report(*_passed(runs, "a", "b", **first))
    now = runs.report(*_passed(runs, "a", **first), *_passed(runs, "b", **second))
    assert lost_coverage(before, now) == []


def test_what_none_of_more_drivers_runs_now_is_lost(runs: Runs):
    first, second = {"check": "boundaries"}, {"driver": "ctr-aes-eip93", "check": "boundaries"}
    before = runs.report(*_passed(runs, "a", "b", **first))
    now = runs.report(*_passed(runs, "a", **first), *_passed(runs, "c", **second))
    assert [loss.reason for loss in lost_coverage(before, now)] == ["no longer there: b"]


def test_what_each_driver_must_run_is_lost_though_another_runs_it(runs: Runs):
    before = runs.report(*_passed(runs, "a", "b"))
    now = runs.report(*_passed(runs, "a"), *_passed(runs, "b", driver="ctr-aes-eip93"))
    assert [loss.reason for loss in lost_coverage(before, now)] == ["no longer there: b"]


def test_as_many_drivers_must_run_what_they_ran(runs: Runs):
    first, second = {"check": "boundaries"}, {"driver": "ctr-aes-eip93", "check": "boundaries"}
    before = runs.report(*_passed(runs, "a", "b", **first), *_passed(runs, "a", **second))
    now = runs.report(*_passed(runs, "a", **first), *_passed(runs, "a", "b", **second))
    assert [loss.reason for loss in lost_coverage(before, now)] == ["no longer there: b"]


def test_what_the_other_machine_of_a_driver_runs_now_is_no_loss(runs: Runs):
    before = runs.report(*_passed(runs, "a", "b", check="boundaries"))
    other = _passed(runs, "b", "c", check="boundaries", provider="eip93-tiny-ring")
    now = runs.report(*_passed(runs, "a", check="boundaries"), *other)
    assert lost_coverage(before, now) == []


def test_what_no_machine_of_a_driver_runs_now_is_lost(runs: Runs):
    before = runs.report(*_passed(runs, "a", "b", "c", check="boundaries"))
    other = _passed(runs, "b", check="boundaries", provider="eip93-tiny-ring")
    now = runs.report(*_passed(runs, "a", check="boundaries"), *other)
    assert [loss.reason for loss in lost_coverage(before, now)] == ["no longer there: b, c"]


def test_another_driver_on_another_machine_takes_nothing_over(runs: Runs):
    before = runs.report(*_passed(runs, "a", "b", check="boundaries"))
    other = {"provider": "eip93-tiny-ring", "driver": "ctr-aes-eip93", "check": "boundaries"}
    now = runs.report(*_passed(runs, "a", check="boundaries"), *_passed(runs, "b", "c", **other))
    assert [loss.reason for loss in lost_coverage(before, now)] == ["no longer there: b"]


def test_more_coverage_is_no_loss(runs: Runs):
    before = runs.report(*_passed(runs, "a"))
    assert lost_coverage(before, runs.report(*_passed(runs, "a", "b"))) == []


def test_many_lost_cases_are_one_event_with_a_few_names(runs: Runs):
    before = runs.report(*_passed(runs, *[f"case-{n}" for n in range(1000)]))
    (loss,) = lost_coverage(before, runs.report(*_passed(runs, "case-0")))
    assert loss.reason.endswith("and 994 more")


def test_cells_that_broke_and_were_fixed_are_told_apart(runs: Runs):
    good = _passed(runs, "a", check="one")
    bad = runs.item("two", runs.failed("a", "two"), verdict="failed", check="two")
    before = runs.report(*good, *bad)
    now = runs.report(
        *runs.item("one", runs.failed("a", "one"), verdict="failed", check="one"),
        *_passed(runs, "a", check="two"),
    )
    assert [(c.check, c.kind, c.before, c.now) for c in changes(before, now)] == [
        ("one", "broken", "1 passed", "1 of 1 failed"),
        ("two", "fixed", "1 of 1 failed", "1 passed"),
    ]


def test_a_pass_that_lost_coverage_since_the_baseline_is_no_pass(runs: Runs):
    before = runs.report(*_passed(runs, "a", "b"))
    now = runs.report(*_passed(runs, "a"))
    assert now.exit_status == 0
    judged = with_baseline(now, before, "old.json")
    assert (judged.verdict, judged.exit_status) == ("incomplete", 1)
    assert judged.baseline == "old.json"
    assert "1 loss of coverage" in judged.headline


def test_a_pass_that_kept_its_coverage_stays_one(runs: Runs):
    report = runs.report(*_passed(runs, "a"))
    assert with_baseline(report, report, "old.json").verdict == "passed"
