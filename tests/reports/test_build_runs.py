"""Whole runs: interrupted, spread over workers, of other runs, and large."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import pytest

from tcrypt.reports import events as ev
from tcrypt.reports.build import build_report
from tcrypt.reports.model import Report

if TYPE_CHECKING:
    from conftest import Runs


def test_a_run_without_its_end_is_interrupted_and_says_what_is_missing(runs: Runs):
    events = [
        runs.started(),
        *runs.item("done", ev.CasesPassed("done", ["a"])),
        runs.planned("cut", 5),
        runs.planned("never", 7),
        ev.ItemStarted("cut"),
        ev.CasesPassed("cut", ["x", "y"]),
    ]
    report = build_report([runs.log(*events)])
    assert (report.verdict, report.exit_status, report.interrupted) == ("interrupted", 2, True)
    assert [item.item for item in report.items_that_ended("interrupted")] == ["cut"]
    assert [item.item for item in report.items_that_ended("not-run")] == ["never"]
    assert (report.totals.passed, report.totals.not_run) == (3, 3 + 7)
    assert "1 item started and not finished; 1 item not run" in report.headline


@pytest.mark.parametrize(("status", "interrupted"), [(0, False), (1, False), (2, True), (3, True)])
def test_a_runner_that_was_stopped_says_so_by_its_status(
    runs: Runs, status: int, interrupted: bool
):
    report = runs.report(*runs.item("i1", ev.CasesPassed("i1", ["a"])), status=status)
    assert report.interrupted is interrupted
    assert (report.exit_status == 0) == (status == 0)


def test_an_item_that_was_planned_and_forgotten_interrupts_a_run_that_ended(runs: Runs):
    report = runs.report(*runs.item("i1", ev.CasesPassed("i1", ["a"])), runs.planned("i2", 3))
    assert report.verdict == "interrupted"


def test_a_worker_that_died_interrupts_the_run(runs: Runs):
    lead = runs.log(*runs.whole(*runs.item("i1", ev.CasesPassed("i1", ["a"]))))
    dead = runs.log(runs.started("gw0"), name="events-gw0.ndjson")
    report = build_report([lead, dead])
    assert report.verdict == "interrupted"
    assert [(w.name, w.finished) for w in report.run.workers] == [("", True), ("gw0", False)]


def test_which_worker_ran_what_does_not_change_the_report(runs: Runs):
    names = [f"item-{number}" for number in range(12)]

    def report(seed: int) -> Report:
        chance = random.Random(seed)
        plan = [runs.planned(name, 1, check=f"check-{int(name[5:]) % 3}") for name in names]
        logs = {worker: [runs.started(worker), *plan] for worker in ("", "gw0", "gw1")}
        for name in chance.sample(names, len(names)):
            logs[chance.choice(("gw0", "gw1"))] += [
                ev.ItemStarted(name),
                ev.CasesPassed(name, [f"{name}-case"]),
                ev.ItemFinished(name, "passed", 0.5),
            ]
        return build_report(
            [
                runs.log(*events, ev.RunFinished(0, 2.0, 10), name=f"events-{worker}.ndjson")
                for worker, events in logs.items()
            ]
        )

    one, two = report(1), report(2)
    assert one.cells == two.cells
    assert [item.item for item in one.items] == [item.item for item in two.items]
    assert one.totals.passed == len(names)
    assert one.items != two.items, "the two runs were spread in the same way"
    assert not one.problems
    assert one.verdict == "passed"


def test_items_are_in_the_order_in_which_people_count(runs: Runs):
    names = ["item-2", "item-10", "item-1"]
    events = [e for name in names for e in runs.item(name, ev.CasesPassed(name, ["a"]))]
    assert [item.item for item in runs.report(*events).items] == ["item-1", "item-2", "item-10"]


def test_logs_of_different_runs_are_not_taken_for_one(runs: Runs):
    events = runs.item("i1", ev.CasesPassed("i1", ["a"]))
    lead = runs.log(*runs.whole(*events))
    stale = runs.log(runs.started("gw0", seed=7), ev.RunFinished(0, 1.0), name="events-gw0.ndjson")
    report = build_report([lead, stale])
    assert any("seed is 42" in problem and "7" in problem for problem in report.problems)
    assert report.verdict == "incomplete"


def test_what_the_run_says_of_itself_is_kept_and_not_repeated(runs: Runs):
    said = [
        ev.Note("n"),
        ev.SourceUsed("wycheproof", "o", "d", 3),
        ev.CoverageLost("w", "e", "g", "r"),
    ]
    events = [*said, *runs.item("i1", ev.CasesPassed("i1", ["a"]))]
    other = runs.log(runs.started("gw0"), *said, ev.RunFinished(0, 1.0, 9), name="events-gw0.n")
    report = build_report([runs.log(*runs.whole(*events)), other])
    assert report.notes == ("n",)
    assert [source.name for source in report.sources] == ["wycheproof"]
    assert [loss.what for loss in report.coverage_lost] == ["w"]


def test_run_information_is_that_of_the_leading_process(runs: Runs):
    worker = runs.log(runs.started("gw0", started="later"), ev.RunFinished(0, 1.0, 900))
    lead = runs.log(*runs.whole(*runs.item("i1", ev.CasesPassed("i1", ["a"]))))
    run = build_report([worker, lead]).run
    assert (run.started, run.seed, run.seconds) == ("2026-11-22T10:00:00Z", 42, 1.5)
    assert run.peak_rss_kib == 50_000


def test_no_log_at_all_and_an_empty_log_are_no_success(runs: Runs):
    for logs in ([], [runs.log()]):
        report = build_report(logs)
        assert report.verdict == "interrupted"
        assert report.exit_status != 0


def test_a_hundred_thousand_cases_are_built_in_about_a_second(runs: Runs):
    # The bound tells a quadratic build from a linear one; a slow machine stays far below it.
    events: list[ev.AnyEvent] = []
    for number in range(100):
        name = f"item-{number}"
        ids = [f"vectors/aes-cbc/{name}/case-{case}" for case in range(1000)]
        events += runs.item(
            name, *[ev.CasesPassed(name, ids[i : i + 100]) for i in range(0, 1000, 100)]
        )
    log = runs.log(*runs.whole(*events))
    began = time.process_time()
    report = build_report([log])
    assert time.process_time() - began < 3
    assert report.totals.passed == 100_000
