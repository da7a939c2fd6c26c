"""What nothing tests is said loudly, and costs the run its green unless it was accepted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytest_plugins = ("pytester",)

_WORDS = ("--driver", "cbc(aes-generic)", "--driver", "turn-toy", "--check", "registration")
_REASON = "no vectors and no reference implementation"


@pytest.fixture
def outcome(inside: Any, drivers: Callable[[str], str]) -> Any:
    return inside.run("--from", drivers("unknown"), *_WORDS)


def test_untested_algorithm_is_on_the_terminal(outcome: Any) -> None:
    assert "NOT TESTED" in outcome.out
    assert f"unknown/turn-toy turn(toy): {_REASON}" in outcome.text
    assert "--allow-untested 'turn(toy)'" in outcome.text


def test_untested_algorithm_is_in_the_report(outcome: Any) -> None:
    (untested,) = outcome.report.untested
    assert (untested.provider, untested.driver, untested.algorithm) == (
        *("unknown", "turn-toy", "turn(toy)"),
    )
    assert untested.reason == _REASON
    (algorithm,) = [a for a in outcome.report.algorithms if a.driver == "turn-toy"]
    assert not algorithm.tested


def test_untested_algorithm_is_in_the_page(outcome: Any) -> None:
    page = outcome.folder.joinpath("conformance-report/index.html").read_text()
    assert "turn-toy" in page
    assert _REASON in page


def test_untested_algorithm_makes_the_run_incomplete(outcome: Any) -> None:
    assert outcome.status == 1
    assert outcome.report.verdict == "incomplete"


@pytest.mark.parametrize("name", ["turn(toy)", "turn-toy", "turn*"])
def test_accepted_untested_algorithm_costs_nothing_and_is_still_told(
    inside: Any, drivers: Callable[[str], str], name: str
) -> None:
    outcome = inside.run("--from", drivers("unknown"), *_WORDS, "--allow-untested", name)
    assert outcome.status == 0
    (untested,) = outcome.report.untested
    assert "accepted with --allow-untested" in untested.reason


def test_acceptance_of_another_name_changes_nothing(
    inside: Any, drivers: Callable[[str], str]
) -> None:
    outcome = inside.run("--from", drivers("unknown"), *_WORDS, "--allow-untested", "sha1")
    assert outcome.status == 1


def test_run_of_nothing_but_an_untested_algorithm_is_not_good(
    inside: Any, drivers: Callable[[str], str]
) -> None:
    words = ("--from", drivers("unknown"), "--provider", "unknown")
    assert inside.run(*words).status == 5
    assert inside.run(*words, "--allow-untested", "turn(toy)").status == 5


def test_vectors_of_the_user_make_an_algorithm_tested(
    inside: Any, drivers: Callable[[str], str]
) -> None:
    inside.write(
        "turn.yaml",
        "format: 1\nalgorithm: turn(toy)\nkind: skcipher\n"
        "source: {title: own, section: none, url: 'https://example.org', licence: none}\n"
        "vectors:\n  - {id: one, key: '00', ptext: '010203', ctext: '030201'}\n",
    )
    words = ("--from", drivers("unknown"), "--provider", "unknown", "--vectors", "turn.yaml")
    outcome = inside.run(*words)
    assert outcome.status == 0, outcome.out
    assert {cell.check: cell.verdict for cell in outcome.report.cells} == {
        "vectors": "passed",
        "registration": "passed",
    }
    assert not outcome.report.untested
