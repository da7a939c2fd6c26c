"""A run that tested less than was promised is not good, however green its cases are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tcrypt.vectors.catalogue import Catalogue

pytest_plugins = ("pytester",)

_WORDS = ("--provider", "software", "--algorithm", "cbc(aes)", "--algorithm", "ctr(aes)")
_REPORT = "conformance-report/report.json"


def test_baseline_that_covered_more_fails_the_run(inside: Any) -> None:
    checks = ("--check", "keys", "--check", "fuzz")
    assert inside.run(*_WORDS, *checks, "--report-dir", "before").status == 0
    outcome = inside.run(*_WORDS, "--check", "keys", "--baseline", "before/report.json")
    assert outcome.status == 1
    assert outcome.report.verdict == "incomplete"
    lost = {loss.what for loss in outcome.report.coverage_lost}
    assert {what for what in lost if "bins of" not in what} == {
        "software/cbc(aes-generic)/cbc(aes)/fuzz",
        "software/ctr(aes-generic)/ctr(aes)/fuzz",
    }
    assert "software/cbc(aes-generic)/cbc(aes): bins of direction x length x layout" in lost
    assert "COVERAGE LOST" in outcome.out


def test_driver_that_is_gone_since_the_baseline_fails_the_run(inside: Any) -> None:
    inside.run(*_WORDS, "--check", "keys", "--report-dir", "before")
    words = ("--driver", "cbc(aes-generic)", "--check", "keys")
    outcome = inside.run(*words, "--baseline", "before/report.json")
    assert outcome.status == 1
    (loss,) = outcome.report.coverage_lost
    assert loss.what == "software/ctr(aes-generic)"


def test_report_that_the_run_replaces_can_be_its_baseline(inside: Any) -> None:
    words = (*_WORDS, "--check", "keys")
    assert inside.run(*words).status == 0
    same = inside.run(*words, "--baseline", _REPORT)
    assert same.status == 0
    assert same.report.baseline == _REPORT
    fewer = inside.run("--driver", "cbc(aes-generic)", "--check", "keys", "--baseline", _REPORT)
    assert fewer.status == 1


def test_baseline_that_is_no_report_is_refused_before_the_run(inside: Any) -> None:
    inside.write("other.json", "[]")
    outcome = inside.run(*_WORDS, "--baseline", "other.json")
    assert outcome.status == 4
    assert "--tcrypt-baseline" in outcome.err
    assert not outcome.reported


@pytest.fixture
def without_cavp(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the package with the published vectors were not installed."""
    from importlib.resources import files

    def missing(name: str) -> Any:
        if name == "cryptography_vectors":
            raise ModuleNotFoundError(name)
        return files(name)

    monkeypatch.setattr("tcrypt.vectors.catalogue.importlib.resources.files", missing)
    assert not any(file.available for file in Catalogue.load().files("cbc(aes)")[:1])


@pytest.mark.usefixtures("without_cavp")
def test_required_source_that_is_missing_fails_the_run(inside: Any) -> None:
    outcome = inside.run(*_WORDS, "--check", "vectors", "--require", "cavp")
    assert outcome.status == 1
    (loss,) = outcome.report.coverage_lost
    assert loss.what == "vectors of cavp"
    assert loss.got == "0 files"
    assert "pip install" in loss.reason


@pytest.mark.usefixtures("without_cavp")
def test_missing_source_that_nobody_required_is_told(inside: Any) -> None:
    outcome = inside.run(*_WORDS, "--check", "vectors")
    assert outcome.status == 0
    assert outcome.report.totals.not_run > 0
    assert "not-run" in outcome.text


@pytest.mark.usefixtures("without_cavp")
def test_vector_of_a_missing_source_is_refused(inside: Any) -> None:
    outcome = inside.run("--vector", "cavp:AES/CBC/CBCGFSbox128.rsp#e0")
    assert outcome.status == 4
    assert "pip install" in outcome.err


def test_required_source_that_is_there_costs_nothing(inside: Any) -> None:
    assert inside.run(*_WORDS, "--check", "keys", "--require", "c*").status == 0


def test_checks_that_pytest_was_set_up_to_overlook_are_lost(inside: Any) -> None:
    inside.write("pytest.ini", "[pytest]\npython_files = test_k*.py check_*.py\n")
    outcome = inside.run("--driver", "cbc(aes-generic)")
    assert outcome.status == 1
    lost = {loss.what: loss for loss in outcome.report.coverage_lost}
    assert "check fuzz" in lost
    assert "check keys" not in lost
    assert "python_files" in lost["check fuzz"].reason


def test_suite_that_pytest_overlooks_wholly_is_not_good(inside: Any) -> None:
    inside.write("pytest.ini", "[pytest]\npython_files = check_*.py\n")
    inside.write("check_own.py", "def test_own():\n    pass\n")
    outcome = inside.run("check_own.py", "--driver", "cbc(aes-generic)")
    assert outcome.status != 0
    lost = {loss.what for loss in outcome.report.coverage_lost}
    assert lost >= {f"check {check}" for check in ("vectors", "keys", "fuzz", "registration")}


def test_checks_that_were_deselected_by_hand_are_not_lost(inside: Any) -> None:
    outcome = inside.run("--driver", "cbc(aes-generic)", "-k", "test_keys or test_registration")
    assert outcome.status == 0
    assert {item.check for item in outcome.report.items} == {"keys", "registration"}
    assert not outcome.report.coverage_lost


def test_failures_of_a_run_make_its_status_non_zero(
    inside: Any, drivers: Callable[[str], str]
) -> None:
    words = ("--provider", "wrong_iv", "--check", "fuzz")
    outcome = inside.run("--from", drivers("wrong_iv"), *words)
    assert outcome.status == 1
    assert outcome.report.verdict == "failed"
