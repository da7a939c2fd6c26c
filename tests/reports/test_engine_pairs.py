"""The states of the engine that a run has met, from the logs to the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tcrypt.reports import events as ev
from tcrypt.reports.build import build_report
from tcrypt.reports.engine_pairs import engine_table
from tcrypt.reports.html import render_html

if TYPE_CHECKING:
    from conftest import Runs

_PAIRS = ev.EngineStates(
    "linux-6.17",
    [
        ("idle", "start", "it runs"),
        ("idle", "transfer", ""),
        ("wedged", "start", ""),
        ("wedged", "transfer", ""),
    ],
)


def test_counts_of_all_items_and_workers_are_added_up(runs: Runs):
    logs = [
        runs.log(
            runs.started(worker),
            _PAIRS,
            ev.EngineCoverage("i1", [("idle", "transfer", 3)]),
            ev.EngineCoverage("i2", [("idle", "transfer", 4), ("wedged", "transfer", 1)]),
            ev.RunFinished(0, 1.0),
            name=f"{worker}.ndjson",
        )
        for worker in ("gw0", "gw1")
    ]
    found = [(p.state, p.event, p.count, p.impossible) for p in build_report(logs).engine_pairs]
    assert found == [
        ("idle", "start", 0, "it runs"),
        ("idle", "transfer", 14, ""),
        ("wedged", "start", 0, ""),
        ("wedged", "transfer", 2, ""),
    ]


def test_a_run_without_engines_says_nothing_of_their_states(runs: Runs):
    report = runs.report(_PAIRS)
    assert report.engine_pairs == ()
    assert engine_table(report.engine_pairs) is None
    assert "States of crypto_engine" not in render_html(report)


def test_a_pair_that_no_table_names_is_shown_all_the_same(runs: Runs):
    report = runs.report(_PAIRS, ev.EngineCoverage("i", [("new", "odd", 2)]))
    last = report.engine_pairs[-1]
    assert (last.state, last.event, last.count) == ("new", "odd", 2)


def test_the_table_has_states_across_and_names_what_was_not_reached(runs: Runs):
    report = runs.report(_PAIRS, ev.EngineCoverage("i", [("idle", "transfer", 1_234)]))
    table = engine_table(report.engine_pairs)
    assert table is not None
    assert table.states == ("idle", "wedged")
    assert [name for name, _ in table.rows] == ["start", "transfer"]
    assert (table.reached, table.possible) == (1, 3)
    assert table.unreached == (("wedged", ("start", "transfer")),)


def test_the_page_shows_counts_gaps_and_reasons(runs: Runs):
    page = render_html(runs.report(_PAIRS, ev.EngineCoverage("i", [("idle", "transfer", 1_234)])))
    assert "1 of 3 possible pairs" in page
    assert '<td class="num">1,234</td>' in page
    assert 'title="idle: it runs"' in page
    assert "start; transfer" in page


def test_the_semantics_stand_in_the_header_and_in_junit(runs: Runs):
    started = runs.started(semantics="linux-5.8")
    report = build_report([runs.log(started, ev.RunFinished(0, 1.0))])
    assert report.run.semantics == "linux-5.8"
    assert "<dt>crypto_engine</dt><dd>linux-5.8</dd>" in render_html(report)


def test_logs_of_different_semantics_are_not_of_one_run(runs: Runs):
    logs = [
        runs.log(runs.started(w, semantics=s), ev.RunFinished(0, 1.0), name=w)
        for w, s in (("gw0", "guide"), ("gw1", "fixed"))
    ]
    text = "\n".join(build_report(logs).problems)
    assert "semantics is 'guide' in gw0 and 'fixed' in gw1" in text
