"""A run is judged by its coverage, as far as it was asked for whole; what shrinks is named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tcrypt.checks import boundaries, boundary_limits, retry
from tcrypt.cover import goals
from tcrypt.layouts import CIPHER_LAYOUTS

pytest_plugins = ("pytester",)

_DRIVER = str(Path(__file__).parents[1] / "conformance/correct_drivers/toy_accelerator.py")
_WORDS = ("--from", _DRIVER, "--provider", "toy_accelerator")
_SOFTWARE = ("--provider", "software", "--driver", "cbc(aes-generic)")


@pytest.fixture
def all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the quick profile wanted every bin of every driver."""
    wanted = goals.Goal(100, 100)
    monkeypatch.setattr("tcrypt.plugins.journal.GOALS", {"quick": {"*": wanted, "point": wanted}})


def _nothing(*arguments: Any) -> Iterator[Any]:
    return iter(())


def test_a_users_driver_reaches_the_goals_and_is_told_its_holes(inside: Any) -> None:
    outcome = inside.run(*_WORDS)
    assert outcome.status == 0, outcome.out
    assert "functional coverage" in outcome.text
    assert "judged by the goals of its profile" in outcome.text
    (driver,) = outcome.report.coverage.drivers
    assert driver.provider == "toy_accelerator"
    assert not driver.waived
    told = inside.command("tcrypt", "coverage", "--holes")
    assert told.status == 0
    holes = [name for cross in driver.crosses for name in cross.names_missed]
    assert holes
    assert all(f"{driver.driver}: {hole}: never seen" in told.out for hole in holes)


@pytest.mark.usefixtures("all_of_it")
def test_a_missed_goal_fails_the_run_and_names_the_holes(inside: Any) -> None:
    outcome = inside.run(*_WORDS)
    assert outcome.status == 1
    report = outcome.report
    assert report.verdict == "incomplete"
    assert not report.failures
    (loss,) = [e for e in report.coverage_lost if e.what.endswith("coverage of edges x layout")]
    (driver,) = report.coverage.drivers
    (cross,) = [cross for cross in driver.crosses if cross.name == "edges x layout"]
    assert next(cross.names_missed) in loss.reason
    assert loss.expected.startswith("100 % of 40 bins")


@pytest.mark.usefixtures("all_of_it")
@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--check", "fuzz"), "--check"),
        (("--algorithm", "cbc(aes)", "--check", "keys"), "--algorithm"),
        (("--type", "skcipher", "--check", "keys"), "--type"),
        (("-k", "test_keys"), "pytest was told to leave items out"),
    ],
)
def test_a_part_of_the_suite_is_not_judged_and_says_why(
    inside: Any, words: tuple[str, ...], why: str
) -> None:
    outcome = inside.run(*_WORDS, *words)
    assert outcome.status == 0
    assert why in outcome.report.coverage.waived
    assert "not judged: only a part of the suite ran" in outcome.text


def test_a_check_that_is_gone_is_seen_in_the_bins_that_go_with_it(
    inside: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert inside.run(*_WORDS, "--report-dir", "before").status == 0
    monkeypatch.setattr(retry, "plans", _nothing)
    outcome = inside.run(*_WORDS, "--baseline", "before/report.json")
    assert outcome.status == 1
    (loss,) = [e for e in outcome.report.coverage_lost if "bins of queue x key size" in e.what]
    assert loss.what.startswith("toy_accelerator/cbc(aes-toy)/cbc(aes): bins of")
    assert "refused x 16" in loss.reason


def test_a_check_that_forgets_layouts_is_seen_though_it_runs_as_many_cases(
    inside: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = (*_SOFTWARE, "--check", "boundaries")
    assert inside.run(*words, "--report-dir", "before").status == 0
    same = inside.run(*words, "--baseline", "before/report.json")
    assert same.status == 0
    # The walk goes through the same sizes, all of them in one place.
    alike = CIPHER_LAYOUTS[2:3] * len(CIPHER_LAYOUTS)
    for module in (boundaries, boundary_limits):
        monkeypatch.setattr(module, "CIPHER_LAYOUTS", alike, raising=False)
    outcome = inside.run(*words, "--baseline", "before/report.json")
    assert outcome.status == 1
    lost = {loss.what: loss.reason for loss in outcome.report.coverage_lost}
    reason = lost["software/cbc(aes-generic)/cbc(aes): bins of direction x length x layout"]
    assert "encrypt x below a block x in place" in reason


def test_the_command_prints_a_table_holes_and_reasons(inside: Any) -> None:
    words = (*_SOFTWARE, "--check", "fuzz")
    assert inside.run(*words).status == 0
    table = inside.command("tcrypt", "coverage", "--left-out")
    assert "cbc(aes-generic)" in table.out
    assert "not judged: only a part of the suite ran" in table.out
    assert "cbc(aes) refuses such lengths" in table.out
    found = json.loads(inside.command("tcrypt", "coverage", "--json").out)
    assert found["version"] == 1
    assert found["drivers"][0]["driver"] == "cbc(aes-generic)"
    none = inside.command("tcrypt", "coverage", "--driver", "nothing*")
    assert none.status == 2
    assert "no driver is so called" in none.err


def test_the_command_says_when_there_is_no_report(inside: Any) -> None:
    outcome = inside.command("tcrypt", "coverage", "nowhere.json")
    assert outcome.status == 2
    assert "nowhere.json" in outcome.err


def test_coverage_of_two_workers_is_that_of_one_process(tcrypt: Any) -> None:
    words = ("--provider", "software", "--algorithm", "cbc(aes)", "--algorithm", "ctr(aes)")
    checks = ("--check", "boundaries", "--check", "keys")
    alone = tcrypt.run(*words, *checks, "--report-dir", "alone")
    both = tcrypt.run(*words, *checks, "-n", "2", "--report-dir", "both")
    assert alone.status == both.status == 0
    assert alone.read("alone").coverage == both.read("both").coverage
