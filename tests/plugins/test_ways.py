"""Other ways to the suite than `--pyargs tcrypt`, and a report that cannot be written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import tcrypt

pytest_plugins = ("pytester",)

_HOME = str(Path(tcrypt.__path__[0]))
_ONE = ("--tcrypt-driver", "cbc(aes-generic)", "--tcrypt-check", "keys")
_OWN = "def test_keys(tcrypt_plans, tcrypt_run):\n    tcrypt_run(tcrypt_plans)\n"


@pytest.mark.parametrize("place", [_HOME, f"{_HOME}/test_keys.py"])
def test_suite_can_be_named_by_its_folder(inside: Any, place: str) -> None:
    outcome = inside.pytest(place, *_ONE)
    assert outcome.status == 0, outcome.out
    assert [item.check for item in outcome.report.items] == ["keys"]


def test_project_may_run_plans_in_tests_of_its_own(inside: Any) -> None:
    inside.write("test_own.py", _OWN)
    outcome = inside.pytest("test_own.py", *_ONE)
    assert outcome.status == 0, outcome.out
    assert len(outcome.report.items) == 1


def test_test_without_a_plan_is_skipped(inside: Any) -> None:
    inside.write("test_own.py", _OWN.replace("keys", "fuzz"))
    outcome = inside.pytest("test_own.py", *_ONE, "-rs")
    assert "no selected driver has items of this check" in outcome.out
    assert outcome.status != 0


def test_usage_error_in_the_middle_of_collection_is_no_traceback(inside: Any) -> None:
    inside.write("test_own.py", _OWN)
    outcome = inside.pytest("test_own.py", "--tcrypt-check", "kees")
    assert outcome.status == 2
    assert "--tcrypt-check 'kees': there is none; did you mean 'keys'?" in outcome.out
    assert "Traceback" not in outcome.out + outcome.err


def test_workers_want_the_suite_to_be_named(tcrypt: Any) -> None:
    tcrypt.write("test_own.py", _OWN)
    outcome = tcrypt.command("pytest", "test_own.py", *_ONE, "-n", "1")
    assert outcome.status != 0
    assert "name the suite on the command line, as `--pyargs tcrypt`" in outcome.out + outcome.err


def test_report_that_cannot_be_written_is_said_and_not_good(inside: Any) -> None:
    inside.write(
        "test_own.py",
        "from pathlib import Path\n\ndef test_own():\n"
        "    Path('conformance-report/index.html/x').mkdir(parents=True)\n",
    )
    outcome = inside.run("test_own.py", "--driver", "cbc(aes-generic)", "--check", "keys")
    assert outcome.status == 3
    assert "the report could not be written" in outcome.out


@pytest.mark.parametrize("option", ["--setup-plan", "--setup-only", "--fixtures", "--markers"])
def test_run_that_only_shows_something_writes_nothing(inside: Any, option: str) -> None:
    outcome = inside.run("--driver", "cbc(aes-generic)", "--check", "keys", option)
    assert outcome.status == 0
    assert not outcome.reported


def test_option_is_known_with_its_prefix_and_without(inside: Any) -> None:
    for words in (("--check=keys",), ("--tcrypt-check=keys",), ("--tcrypt-check", "keys")):
        outcome = inside.run("--driver", "cbc(aes-generic)", *words)
        assert [item.check for item in outcome.report.items] == ["keys"]


def test_help_lists_the_options(tcrypt: Any) -> None:
    outcome = tcrypt.command("tcrypt", "run", "--help")
    assert outcome.status == 0
    for option in ("provider", "driver", "profile", "seed", "allow-untested", "baseline"):
        assert f"--tcrypt-{option}" in outcome.out
    assert "tcrypt" in tcrypt.command("tcrypt", "--version").out
