"""The profiles `testmgr` and `testmgr-extra`: what the kernel would say of a driver."""

from __future__ import annotations

from typing import Any

import pytest

pytest_plugins = ("pytester",)

_DRIVER = ("--provider", "eip93-mt7621", "--driver", "cbc(aes-eip93)")


@pytest.mark.parametrize("profile", ["testmgr", "testmgr-extra"])
def test_a_correct_driver_passes_and_nothing_else_is_run(inside: Any, profile: str) -> None:
    outcome = inside.run(*_DRIVER, "--profile", profile)
    assert outcome.status == 0, outcome.out
    (item,) = outcome.report.items
    assert item.check == "selftest"
    drawn = [case for case in item.passed if "/random-" in case or "/random " in case]
    assert bool(drawn) == (profile == "testmgr-extra")


def test_a_wrong_driver_fails_at_the_first_thing_that_testmgr_sees(inside: Any) -> None:
    outcome = inside.run(*_DRIVER, "--profile", "testmgr", "--mutant", "IV-01")
    assert outcome.status == 1
    (failure,) = outcome.report.failures
    assert (failure.check, failure.message) == ("selftest", "wrong output IV")
    assert "--profile testmgr" in failure.command
    assert "testmgr stops at an algorithm's first failure" in outcome.out


def test_what_only_the_suite_sees_passes(inside: Any) -> None:
    outcome = inside.run(*_DRIVER, "--profile", "testmgr", "--mutant", "SG-03")
    assert outcome.status == 0, outcome.out


def test_an_algorithm_that_testmgr_has_no_vectors_for_is_not_tested(inside: Any) -> None:
    words = ("--provider", "eip93-mt7621", "--algorithm", "authenc(hmac(md5),cbc(aes))")
    outcome = inside.run(*words, "--profile", "testmgr", "-rs")
    assert outcome.report.verdict != "passed"
    assert "the kernel would not test it" in outcome.out


@pytest.mark.parametrize(
    ("profile", "check"), [("testmgr", "fuzz"), ("default", "selftest"), ("quick", "selftest")]
)
def test_a_check_that_the_profile_does_not_run_is_refused(
    inside: Any, profile: str, check: str
) -> None:
    outcome = inside.run(*_DRIVER, "--profile", profile, "--check", check)
    assert outcome.status == 4
    assert f"profile {profile} does not run {check}" in outcome.err
