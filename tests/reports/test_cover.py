"""Coverage: added up over processes, what is left out told apart, goals and baselines held."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from tcrypt.reports import events as ev
from tcrypt.reports.build import build_report
from tcrypt.reports.compare import with_baseline
from tcrypt.reports.cover import Coverage, CoverCross, percent
from tcrypt.reports.cover_view import cover_view, hole_lines
from tcrypt.reports.expectations import Expectation
from tcrypt.reports.html import render_html
from tcrypt.reports.log import ReadLog
from tcrypt.reports.model import Report
from tcrypt.reports.terminal import summary_lines

if TYPE_CHECKING:
    from conftest import Runs

_POINTS = [("size", ["16", "24"]), ("direction", ["encrypt", "decrypt"])]
_RULE = ev.CoverRule("impossible", "never so", {"size": ["24"], "direction": ["encrypt"]})
_ME = ("eip93", "cbc-aes-eip93", "cbc(aes)")
_MAIN = ("eip93-main", *_ME[1:])
_OTHER = ("eip93", "ctr-aes-eip93", "ctr(aes)")


def _model(who: tuple[str, str, str] = _ME, waived: str = "") -> ev.CoverModelled:
    return ev.CoverModelled(*who, _POINTS, [[0], [1], [0, 1]], [_RULE], waived)


def _found(who: tuple[str, str, str]) -> ev.AlgorithmFound:
    return ev.AlgorithmFound(*who, "skcipher", 300)


def _hits(*hits: list[int], who: tuple[str, str, str] = _ME) -> ev.CoverHits:
    return ev.CoverHits(*who, list(hits))


def _goals(own: int, shared: int, waived: str = "") -> ev.CoverGoals:
    return ev.CoverGoals({"*": (own, shared)}, waived)


def _passed(runs: Runs, *events: ev.AnyEvent) -> Report:
    return runs.report(*runs.item("i1", ev.CasesPassed("i1", ["a"])), *events)


def _coverage(report: Report) -> Coverage:
    assert report.coverage is not None
    return report.coverage


def _cross(report: Report, name: str) -> CoverCross:
    (driver,) = [d for d in _coverage(report).drivers if d.driver == _ME[1]]
    (cross,) = [cross for cross in driver.crosses if cross.name == name]
    return cross


def test_hits_of_all_processes_are_added_up(runs: Runs):
    logs = [
        ReadLog(f"events-gw{n}.ndjson", [runs.started(f"gw{n}"), _model(), _hits(hit)], [], {})
        for n, hit in enumerate(([2, 0, 0], [2, 1, 1]))
    ]
    cross = _cross(build_report(logs), "size x direction")
    assert list(cross.names_hit) == ["16 x encrypt", "24 x decrypt"]
    assert list(cross.names_missed) == ["16 x decrypt"]


def test_what_a_rule_leaves_out_is_neither_bin_nor_hole(runs: Runs):
    report = _passed(runs, _model(), _hits([2, 0, 0], [2, 1, 0]))
    cross = _cross(report, "size x direction")
    assert (cross.bins, cross.hits) == (3, 1)
    (out,) = _coverage(report).drivers[0].left_out
    assert (out.kind, out.reason, out.bins) == ("impossible", "never so", 1)


def test_a_rule_of_two_points_leaves_the_points_themselves_whole(runs: Runs):
    assert _cross(_passed(runs, _model()), "size").bins == 2


def test_a_hole_that_another_driver_of_its_kind_has_shown_is_told_apart(runs: Runs):
    events = [_found(_ME), _found(_OTHER), _model(), _model(_OTHER)]
    report = _passed(runs, *events, _hits([2, 0, 0]), _hits([2, 0, 1], who=_OTHER))
    cross = _cross(report, "size x direction")
    assert cross.elsewhere == 1
    assert list(cross.names_missed) == ["16 x decrypt", "24 x decrypt"]


def test_a_bin_that_the_model_lacks_is_dropped(runs: Runs):
    assert _cross(_passed(runs, _model(), _hits([2, 7, 7])), "size x direction").hits == 0


def test_a_missed_goal_names_the_holes_and_fails_the_run(runs: Runs):
    report = _passed(runs, _model(), _hits([2, 0, 0]), _goals(50, 50))
    (loss,) = report.coverage_lost
    assert loss.what == "eip93/cbc-aes-eip93/cbc(aes): coverage of size x direction"
    assert (loss.expected, loss.got) == ("50 % of 3 bins by itself", "33.3 %")
    assert loss.reason == "never seen: 16 x decrypt; 24 x decrypt"
    assert report.verdict == "incomplete"
    assert report.exit_status == 1


def test_a_goal_for_all_of_a_kind_counts_what_others_showed(runs: Runs):
    events = [_found(_ME), _found(_OTHER), _model(), _model(_OTHER), _goals(10, 100)]
    whole = [[2, 0, 0], [2, 0, 1], [2, 1, 1]]
    report = _passed(runs, *events, _hits(whole[0]), _hits(*whole, who=_OTHER))
    assert not report.coverage_lost
    alone = _passed(runs, *events, _hits(whole[0]), _hits(*whole[:2], who=_OTHER))
    assert [loss.expected for loss in alone.coverage_lost] == [
        "100 % of 3 bins with its like",
        "100 % of 3 bins with its like",
    ]


@pytest.mark.parametrize(("main", "kept"), [("", False), (_MAIN[0], True)])
def test_on_another_machine_only_the_goal_with_its_like_holds(runs: Runs, main: str, kept: bool):
    both = [[2, 0, 0], [2, 0, 1], [2, 1, 1]]
    events = [_found(_ME), _found(_MAIN), msgspec.structs.replace(_model(), main=main)]
    hits = [_hits([2, 0, 0]), _hits(*both, who=_MAIN)]
    report = _passed(runs, *events, _model(_MAIN), *hits, _goals(50, 100))
    assert (report.verdict == "passed") == kept
    assert {d.provider: d.main for d in _coverage(report).drivers} == {
        _ME[0]: main,
        _MAIN[0]: "",
    }


def test_what_neither_machine_has_shown_misses_the_goal(runs: Runs):
    events = [_found(_ME), _found(_MAIN), msgspec.structs.replace(_model(), main=_MAIN[0])]
    hits = [_hits([2, 0, 0]), _hits([2, 0, 0], [2, 0, 1], who=_MAIN)]
    report = _passed(runs, *events, _model(_MAIN), *hits, _goals(50, 100))
    lost = [loss for loss in report.coverage_lost if loss.what.startswith("eip93/")]
    assert [loss.expected for loss in lost] == ["100 % of 3 bins with its like"]


@pytest.mark.parametrize(
    "events",
    [
        [_model(), _hits([2, 0, 0]), _goals(50, 50, "only a part of the suite ran: --check")],
        [_model(waived="only its vectors run"), _hits([2, 0, 0]), _goals(50, 50)],
        [_model(), _hits([2, 0, 0])],
    ],
    ids=["run-waived", "driver-waived", "no-goals"],
)
def test_a_goal_that_does_not_hold_fails_nothing(runs: Runs, events: list[ev.AnyEvent]):
    assert _passed(runs, *events).verdict == "passed"


def test_a_driver_that_failed_is_not_judged_by_its_coverage(runs: Runs):
    failed = runs.item("i1", runs.failed("a"), verdict="failed")
    report = runs.report(*failed, _model(), _hits([2, 0, 0]), _goals(50, 50))
    assert report.verdict == "failed"
    assert not report.coverage_lost


def test_a_driver_that_failed_as_expected_is_not_judged_by_its_coverage(runs: Runs):
    entry = Expectation(file="f", line=1, id="a", reason="r", expires="2027-01-01")
    read = ev.ExpectationsRead("2026-11-23", [entry])
    events = [_model(), _hits([2, 0, 0]), _goals(50, 50)]
    failed = ev.CaseExpected(runs.failed("a"), [0])
    report = runs.report(read, *runs.item("i1", failed, verdict="expected-failure"), *events)
    assert (report.verdict, report.exit_status) == ("passed", 0)
    assert not report.coverage_lost


def test_a_run_that_was_cut_off_is_not_judged_by_its_coverage(runs: Runs):
    events = [runs.planned("i1"), ev.ItemStarted("i1"), _model(), _hits([2, 0, 0])]
    report = build_report([ReadLog("e.ndjson", [runs.started(), *events, _goals(50, 50)], [], {})])
    assert report.interrupted
    assert _cross(report, "size x direction").hits == 1
    assert not report.coverage_lost


def test_every_bin_that_a_baseline_hit_and_this_run_did_not_is_named(runs: Runs):
    before = _passed(runs, _model(), _hits([2, 0, 0], [2, 0, 1], [0, 0], [0, 1]))
    now = _passed(runs, _model(), _hits([2, 0, 0], [2, 1, 1], [0, 0], [0, 1]))
    report = with_baseline(now, before, "before.json")
    (loss,) = report.coverage_lost
    assert loss.what == "eip93/cbc-aes-eip93/cbc(aes): bins of size x direction"
    assert (loss.expected, loss.got) == ("2 hit", "1 of them hit")
    assert loss.reason == "not hit any more: 16 x decrypt"
    assert report.exit_status == 1


def test_more_bins_than_the_baseline_hit_are_no_loss(runs: Runs):
    before = _passed(runs, _model(), _hits([2, 0, 0]))
    now = _passed(runs, _model(), _hits([2, 0, 0], [2, 0, 1]))
    assert with_baseline(now, before, "before.json").verdict == "passed"


def test_a_bin_that_a_new_driver_of_the_provider_took_over_is_not_lost(runs: Runs):
    other = runs.item("i2", ev.CasesPassed("i2", ["a"]), driver=_OTHER[1], algorithm=_OTHER[2])
    before = _passed(runs, _model(), _hits([2, 0, 0], [2, 0, 1]))
    events = [_model(), _hits([2, 0, 0]), _model(_OTHER), _hits([2, 0, 1], who=_OTHER)]
    now = _passed(runs, *other, *events)
    assert with_baseline(now, before, "before.json").verdict == "passed"


def test_coverage_is_called_whole_only_when_it_is():
    assert percent(999_999, 1_000_000) == 99.9
    assert percent(3, 3) == percent(0, 0) == 100


def test_page_terminal_and_lines_name_the_holes(runs: Runs):
    report = _passed(runs, _found(_ME), _model(), _hits([2, 0, 0]))
    page = render_html(report)
    assert "16 x decrypt; 24 x decrypt" in page
    assert "never so" in page
    assert any("functional coverage: 14.3 % of 7 bins" in line for line in summary_lines(report))
    lines = list(hole_lines(_coverage(report).drivers[0]))
    assert "cbc-aes-eip93: 16 x decrypt: never seen (size x direction)" in lines
    (table,) = cover_view(report).tables
    assert (table.provider, table.type, table.bins) == ("eip93", "skcipher", 7)


def test_a_report_without_coverage_shows_none(runs: Runs):
    report = _passed(runs)
    assert report.coverage is None
    assert "Functional coverage" not in render_html(report)
