"""`tcrypt expect` writes a file with which the same run succeeds, once its author has said why."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

pytest_plugins = ("pytester",)

_FILE = "known.yaml"
_NOVEMBER = "1795392000"  # 2026-11-23, in seconds since 1970


@pytest.fixture(scope="module")
def words(drivers: Callable[[str], str]) -> tuple[str, ...]:
    """A driver that never writes the IV back, in checks that say so in several ways."""
    checks = [w for c in ("boundaries", "fuzz", "keys", "sequences") for w in ("--check", c)]
    return ("--from", drivers("wrong_iv"), "--provider", "wrong_iv", *checks)


@pytest.fixture(scope="module")
def failed(tcrypt_once: Any, words: tuple[str, ...]) -> str:
    """The folder of the report of a run with these words."""
    outcome = tcrypt_once().run(*words)
    assert outcome.status == 1
    return str(outcome.folder / "conformance-report")


def _expect(inside: Any, *words: str) -> Any:
    return inside.command("tcrypt", "expect", *words, SOURCE_DATE_EPOCH=_NOVEMBER)


def test_run_with_the_written_file_succeeds(inside: Any, words: tuple[str, ...]) -> None:
    failures = inside.run(*words).report.failures
    written = _expect(
        inside, "--output", _FILE, "--reason", 'known: "IV"', "--expires", "2027-01-31"
    )
    assert (written.status, written.out) == (0, "")
    entries = yaml.safe_load((inside.folder / _FILE).read_text())
    assert len(entries) < len(failures) / 10
    assert {entry["expires"].isoformat() for entry in entries} == {"2027-01-31"}
    again = inside.run(*words, "--expect-failures", _FILE)
    assert again.status == 0
    assert len(again.report.expected_failures) == len(failures)
    assert {judged.state for judged in again.report.expectations} == {"in-use"}
    assert f"{len(entries)} entries for {len(failures)} failures" in written.err


def test_file_is_refused_until_its_author_says_why(
    inside: Any, words: tuple[str, ...], failed: str
) -> None:
    inside.write(_FILE, _expect(inside, failed).out)
    outcome = inside.run(*words, "--expect-failures", _FILE)
    assert outcome.status == pytest.ExitCode.USAGE_ERROR
    assert "entry 1.reason: empty" in outcome.err


def test_entries_last_ninety_days_unless_told_otherwise(inside: Any, failed: str) -> None:
    entries = yaml.safe_load(_expect(inside, failed).out)
    assert {entry["expires"].isoformat() for entry in entries} == {"2027-02-21"}


def test_entries_name_what_fails_and_not_what_passes_beside_it(inside: Any, failed: str) -> None:
    entries = yaml.safe_load(_expect(inside, failed).out)
    (walk,) = [entry for entry in entries if entry["check"] == "boundaries"]
    assert walk["id"].startswith("op=enc,key=")
    assert (walk["driver"], walk["message"]) == ("cbc-wrong-iv", "wrong output IV")
    (drawn,) = [entry for entry in entries if entry["check"] == "fuzz"]
    assert drawn["id"] == "*"


def test_file_that_exists_is_left_alone(inside: Any, failed: str) -> None:
    inside.write(_FILE, "mine")
    outcome = _expect(inside, failed, "--output", _FILE)
    assert outcome.status == 2
    assert "File exists" in outcome.err
    assert (inside.folder / _FILE).read_text() == "mine"


def test_crashes_are_left_out_and_named(inside: Any, drivers: Callable[[str], str]) -> None:
    words = ("--from", drivers("hostile"), "--provider", "hostile", "--check", "keys")
    inside.run(*words, HOSTILE="raise,never")
    outcome = _expect(inside)
    assert outcome.status == 1
    assert {entry["driver"] for entry in yaml.safe_load(outcome.out)} == {"cbc-never"}
    assert "cannot be expected: hostile/cbc-raise keys: encrypt raised" in outcome.err


def test_everything_that_is_wrong_with_a_case_is_expected(
    inside: Any, drivers: Callable[[str], str]
) -> None:
    once = "request.iv.write(iv)"
    twice = f"{once}\n        request.cryptlen += 1\n        request.tfm.machine.warn('odd')"
    inside.write("odd.py", Path(drivers("wrong_iv")).read_text().replace(once, twice))
    words = ("--from", "odd.py", "--provider", "odd", "--check", "boundaries")
    failures = inside.run(*words).report.failures
    assert any(line.startswith("also: ") for failure in failures for line in failure.details)
    _expect(inside, "--output", _FILE, "--reason", "a lie")
    again = inside.run(*words, "--expect-failures", _FILE)
    assert again.status == 0
    assert len(again.report.expected_failures) == len(failures)


def test_run_without_failures_leaves_nothing_to_expect(inside: Any) -> None:
    inside.run("--driver", "cbc(aes-generic)", "--check", "registration")
    outcome = _expect(inside, "--output", _FILE)
    assert outcome.status == 0
    assert "nothing failed that can be expected" in outcome.err
    assert not (inside.folder / _FILE).exists()


def test_folder_without_a_report_is_refused(inside: Any) -> None:
    outcome = _expect(inside, "nowhere")
    assert outcome.status == 2
    assert "nowhere" in outcome.err


@pytest.mark.parametrize("day", ["soon", "2027-02-30", "20270230"])
def test_date_that_is_none_is_refused(
    inside: Any, capsys: pytest.CaptureFixture[str], day: str
) -> None:
    with pytest.raises(SystemExit, match="2"):
        _expect(inside, "--expires", day)
