"""Whatever a driver does, it gets a verdict within a bound and the others keep theirs."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest

pytest_plugins = ("pytester",)

_QUICK_TO_FAIL = (
    *("never", "raise", "exit", "nothing", "text", "positive", "lie", "late", "bad-init"),
)
_HANGING = {
    "loop": "encrypt hangs",
    "stubborn": "encrypt hangs",
    "deaf": "encrypt hangs",
    "slow-init": "the driver hung, the item could not go on",
}
_BOUND_S = 30


def _run(where: Any, drivers: Callable[[str], str], names: tuple[str, ...], *words: str) -> Any:
    return where.run(
        *("--from", drivers("hostile"), "--provider", "hostile"),
        *("--provider", "software", "--algorithm", "cbc(aes)"),
        *words,
        HOSTILE=",".join(names),
    )


@pytest.fixture(scope="module")
def failed_at_once(tcrypt_once: Any, drivers: Callable[[str], str]) -> Any:
    words = ("--check", "fuzz", "--check", "keys")
    return _run(tcrypt_once(), drivers, _QUICK_TO_FAIL, *words)


def _driver_failures(outcome: Any, name: str, check: str) -> list[Any]:
    failures = outcome.report.failures
    return [f for f in failures if f.driver == f"cbc-{name}" and f.check == check]


_EXPECTED = {
    "never": "accepted and never completed",
    "raise": "encrypt raised RuntimeError",
    "nothing": "status is neither 0 nor a negative errno",
    "text": "status is neither 0 nor a negative errno",
    "positive": "status is neither 0 nor a negative errno",
    "lie": "wrong output",
    "late": "returned a status and called back as well",
    "exit": "the driver raised SystemExit, the item could not go on",
    "bad-init": "the driver raised RuntimeError, the item could not go on",
}


@pytest.mark.parametrize("name", _QUICK_TO_FAIL)
def test_broken_promise_is_named(failed_at_once: Any, name: str) -> None:
    (failure,) = _driver_failures(failed_at_once, name, "fuzz")
    assert failure.message == _EXPECTED[name]


@pytest.mark.parametrize("name", _QUICK_TO_FAIL)
def test_failure_points_at_the_driver(failed_at_once: Any, name: str) -> None:
    failures = [f for f in failed_at_once.report.failures if f.driver == f"cbc-{name}"]
    assert {failure.attribution for failure in failures} == {"driver"}


def test_every_item_of_every_driver_has_a_verdict(failed_at_once: Any) -> None:
    items = failed_at_once.report.items
    assert len(items) == 2 * (len(_QUICK_TO_FAIL) + 1)
    assert {item.verdict for item in items} == {"failed", "passed"}
    assert not failed_at_once.report.interrupted


def test_other_drivers_stay_green_beside_hostile_ones(failed_at_once: Any) -> None:
    assert failed_at_once.status == 1
    assert _verdicts_of_software(failed_at_once) == {"passed"}


def _verdicts_of_software(outcome: Any) -> set[str]:
    return {cell.verdict for cell in outcome.report.cells if cell.provider == "software"}


def test_item_that_could_not_go_on_says_where(failed_at_once: Any) -> None:
    (failure,) = _driver_failures(failed_at_once, "bad-init", "fuzz")
    assert failure.details[0] == "the driver raised in init"
    assert "hostile.py" in failure.details[-1]


@pytest.mark.usefixtures("impatient")
def test_hanging_drivers_fail_and_are_said_to_hang(
    inside: Any, drivers: Callable[[str], str]
) -> None:
    outcome = _run(inside, drivers, tuple(_HANGING), "--check", "registration")
    assert outcome.status == 1
    assert _verdicts_of_software(outcome) == {"passed"}
    for name, message in _HANGING.items():
        found = _driver_failures(outcome, name, "registration")
        assert message in {failure.message for failure in found}
    for failure in outcome.report.failures:
        assert re.search(r"hangs$|the driver hung", failure.message)
        assert failure.attribution == "driver"
        assert "an accepted request completes" in failure.fact


@pytest.mark.usefixtures("impatient")
def test_driver_that_keeps_the_machine_busy_for_ever_fails(
    inside: Any, drivers: Callable[[str], str]
) -> None:
    outcome = _run(inside, drivers, ("busy",), "--check", "registration")
    found = outcome.report.failures
    # Whether time or events run out first depends on the machine.
    assert {failure.message.split()[0] for failure in found} == {"self-test", "encrypt"}
    assert {failure.message.partition(" ")[2] for failure in found} <= {"never ends", "hangs"}


def test_patience_of_the_quick_profile_ends_a_sleeping_driver(
    tcrypt: Any, drivers: Callable[[str], str]
) -> None:
    began = time.monotonic()
    words = ("--check", "registration", "--case", "async-flag")
    outcome = _run(tcrypt, drivers, ("sleep",), *words)
    assert time.monotonic() - began < _BOUND_S
    (failure,) = outcome.read("conformance-report/single").failures
    (detail,) = failure.details
    assert detail.startswith("no answer within 4 s of real time, in ")


@pytest.mark.usefixtures("impatient")
def test_driver_that_hangs_again_and_again_is_given_up(
    inside: Any, drivers: Callable[[str], str]
) -> None:
    outcome = _run(inside, drivers, ("loop",), "--check", "boundaries", "--check", "keys")
    items = {item.check: item for item in outcome.report.items if item.provider == "hostile"}
    assert items["boundaries"].verdict == "failed"
    assert items["keys"].verdict == "blocked"
    for item in items.values():
        assert "given up: cases of this driver have hung" in item.others[-1].reason
    assert outcome.status == 1
    assert _verdicts_of_software(outcome) == {"passed"}


def test_suite_that_raises_is_not_blamed_on_the_driver(
    inside: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*arguments: Any) -> None:
        raise LookupError("a fault of the check itself")

    monkeypatch.setattr("tcrypt.checks.keys.all_keys", stop)
    outcome = inside.run("--driver", "cbc(aes-generic)", "--check", "keys")
    (failure,) = outcome.report.failures
    assert outcome.status == 1
    assert failure.attribution == "suite"
    assert failure.message == "check keys raised LookupError, the item could not go on"


def test_item_that_records_nothing_fails(inside: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tcrypt.checks.keys._Keys.run", lambda *arguments: None)
    outcome = inside.run("--driver", "cbc(aes-generic)", "--check", "keys")
    assert outcome.status == 1
    (failure,) = outcome.report.failures
    assert failure.message == "the item recorded no case"
    assert failure.attribution == "suite"
