"""Failures that a driver's author expects are forgiven until their date, and not in silence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

pytest_plugins = ("pytester",)

_TOY = (Path(__file__).parents[2] / "examples" / "my_driver.py").read_text()
_FILE = "known.yaml"
_MESSAGE = "wrong output IV"
_NOVEMBER = "1795392000"  # 2026-11-23, in seconds since 1970


def _entry(**fields: str) -> str:
    values = {"id": "*", "reason": "the IV stays behind", "expires": "2027-03-01"} | fields
    return "- " + "\n  ".join(f'{name}: "{value}"' for name, value in values.items()) + "\n"


@pytest.fixture
def run(inside: Any, drivers: Callable[[str], str]) -> Callable[..., Any]:
    """Runs a driver that never writes the IV back, with a file that has these entries."""

    def run(entries: Sequence[str], *words: str, **environment: str) -> Any:
        inside.write(_FILE, "".join(entries))
        who = ("--from", drivers("wrong_iv"), "--provider", "wrong_iv")
        file = ("--expect-failures", _FILE)
        return inside.run(*who, *file, *words, **{"SOURCE_DATE_EPOCH": _NOVEMBER} | environment)

    return run


def _states(report: Any) -> list[str]:
    return [judged.state for judged in report.expectations]


_WHOLE = _entry(driver="cbc-wrong-iv", message=_MESSAGE, profile="quick")


def test_run_whose_only_failures_are_expected_succeeds_and_counts_them(run: Any) -> None:
    outcome = run([_WHOLE])
    report = outcome.report
    assert outcome.status == 0
    assert report.failures == ()
    assert len(report.expected_failures) == report.totals.expected_failure > 300
    assert f"{report.totals.expected_failure} expected failures" in outcome.text
    assert "the IV stays behind" in outcome.text
    assert " failed" not in outcome.out.splitlines()[-1]
    page = (outcome.folder / "conformance-report" / "index.html").read_text()
    assert "the IV stays behind" in page
    junit = ElementTree.parse(outcome.folder / "conformance-report" / "junit.xml").getroot()
    assert (junit.get("failures"), junit.get("errors")) == ("0", "0")


def test_the_same_failures_are_expected_by_several_processes(
    tcrypt: Any, drivers: Callable[[str], str]
) -> None:
    tcrypt.write(_FILE, _WHOLE + _entry(id="nosuch", profile="quick"))
    words = ("--from", drivers("wrong_iv"), "--provider", "wrong_iv", "--check", "keys")
    report = tcrypt.run(*words, "--expect-failures", _FILE, "-n", "2").report
    assert report.failures == ()
    assert _states(report) == ["in-use", "not-judged"]
    assert "the selection leaves out" in report.expectations[1].detail


def test_expected_failure_is_reproduced_by_its_command(run: Any, inside: Any) -> None:
    (first, *_) = run([_WHOLE], "--check", "boundaries").report.expected_failures
    again = inside.again(first.command)
    assert again.status == 1
    (failure,) = again.read("conformance-report/single").failures
    assert (failure.id, failure.message) == (first.id, first.message)


def test_other_failures_of_the_same_driver_still_fail(run: Any) -> None:
    only = _entry(driver="cbc-wrong-iv", check="vectors", message=_MESSAGE)
    outcome = run([only], "--check", "vectors", "--check", "boundaries")
    assert outcome.status == 1
    assert {failure.check for failure in outcome.report.failures} == {"boundaries"}
    assert {failure.check for failure in outcome.report.expected_failures} == {"vectors"}


def test_failure_with_another_message_is_not_forgiven(run: Any) -> None:
    outcome = run([_entry(driver="cbc-wrong-iv", message="wrong output")], "--check", "boundaries")
    assert outcome.status == 1
    assert outcome.report.expected_failures == ()
    assert _states(outcome.report) == ["fails-otherwise"]


def _toy(inside: Any, *changes: tuple[str, str]) -> tuple[str, ...]:
    """The words that run the example driver with parts of it replaced."""
    text = _TOY
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    inside.write("my_driver.py", text)
    return "--from", "my_driver.py", "--provider", "my_driver"


@pytest.mark.parametrize("check", ["interleavings", "world"])
def test_search_that_meets_an_expected_failure_goes_on_and_finds_another(
    inside: Any, check: str
) -> None:
    known = ("request.iv.write(work.next_iv)", "pass")
    rare = ("return -errno.ENOSPC", "return 0")
    words = _toy(inside, known, rare, ("QUEUE_DEPTH = 4", "QUEUE_DEPTH = 2"))
    inside.write(_FILE, _entry(message=_MESSAGE, check=check))
    before = inside.run(*words, "--check", check).report
    assert {failure.message for failure in before.failures} == {_MESSAGE}
    after = inside.run(*words, "--check", check, "--expect-failures", _FILE).report
    assert {failure.message for failure in after.failures} == {"accepted and never completed"}


def test_fuzzing_goes_on_behind_an_expected_failure(
    inside: Any, drivers: Callable[[str], str]
) -> None:
    last = "    machine.registry.register("
    lies = (
        "    def decrypt(request: SkcipherRequest) -> int:\n"
        "        return 0 if request.cryptlen > 64 else generic.decrypt(request)\n\n"
    )
    text = Path(drivers("wrong_iv")).read_text().replace(last, lies + last)
    inside.write("lies.py", text.replace("encrypt=encrypt", "encrypt=encrypt, decrypt=decrypt"))
    inside.write(_FILE, _entry(message=_MESSAGE))
    words = ("--from", "lies.py", "--provider", "lies", "--check", "fuzz")
    before = inside.run(*words).report
    assert [failure.message for failure in before.failures] == [_MESSAGE]
    after = inside.run(*words, "--expect-failures", _FILE).report
    assert [failure.message for failure in after.failures] == ["wrong output"]


def test_case_is_named_by_its_id_alone(run: Any) -> None:
    case = run([_WHOLE], "--check", "boundaries").report.expected_failures[0].case
    outcome = run([_entry(id=case)], "--check", "boundaries")
    (forgiven,) = outcome.report.expected_failures
    assert forgiven.case == case
    assert case not in {failure.case for failure in outcome.report.failures}


def test_unexpected_pass_fails_the_run_by_name(run: Any) -> None:
    names = {"driver": "cbc-wrong-iv", "profile": "quick"}
    known = _entry(**names, check="vectors", message=_MESSAGE)
    gone = _entry(**names, id="*e*", check="registration")
    outcome = run([known, gone], "--check", "registration", "--check", "vectors")
    assert outcome.status == 1
    assert _states(outcome.report) == ["in-use", "unexpected-pass"]
    assert "UNEXPECTED PASS: remove the entry" in outcome.out
    assert f"{_FILE}:8: *e*, driver" in outcome.text


@pytest.mark.parametrize("names", [{"driver": "cbc-typo"}, {"check": "vektors"}])
def test_entry_for_what_does_not_exist_fails_the_run_by_name(
    run: Any, names: dict[str, str]
) -> None:
    entries = [_WHOLE, _entry(message=_MESSAGE, **names)]
    outcome = run(entries, "--check", "boundaries")
    assert outcome.status == 1
    assert _states(outcome.report) == ["in-use", "stale"]
    assert "1 stale entry of expected failures" in outcome.text


def test_unknown_case_of_a_driver_that_ran_fails_the_run(run: Any) -> None:
    entry = _entry(id="length-9999", driver="cbc-wrong-iv", check="keys", profile="quick")
    outcome = run([entry], "--check", "keys", "--check", "registration")
    assert _states(outcome.report) == ["stale"]
    assert outcome.status == 1


@pytest.mark.parametrize(
    "words",
    [("--check", "registration"), ("-k", "registration")],
    ids=["selection", "pytest"],
)
def test_entry_of_which_the_run_leaves_out_a_part_is_named_and_not_judged(
    run: Any, words: tuple[str, ...]
) -> None:
    outcome = run([_WHOLE], *words)
    assert outcome.status == 0
    assert _states(outcome.report) == ["not-judged"]
    assert "expected failures that this run does not judge" in outcome.out


def test_driver_of_many_that_divide_a_check_is_judged_alone(inside: Any) -> None:
    words = ("--provider", "eip93-mt7621", "--check", "boundaries")
    one = {"provider": "eip93-mt7621", "check": "boundaries", "message": "gone"}
    lone = {**one, "profile": "quick", "driver": "cbc(aes-eip93)"}
    everyone = {**one, "profile": "quick", "driver": "*(aes-eip93)"}
    inside.write(_FILE, _entry(**lone) + _entry(**everyone))
    file = ("--expect-failures", _FILE)
    alone = inside.run(*words, "--driver", "cbc(aes-eip93)", *file)
    assert _states(alone.report) == ["unexpected-pass", "not-judged"]
    several = inside.run(*words, "--driver", "*(aes-eip93)", *file)
    assert _states(several.report) == ["not-judged", "unexpected-pass"]
    assert "cbc(aes-eip93) runs a part of check boundaries" in several.text


def test_entries_for_a_provider_that_is_broken_are_not_stale(
    inside: Any, drivers: Callable[[str], str]
) -> None:
    inside.write(_FILE, _entry(provider="broken", message="gone", profile="quick"))
    providers = ("--from", drivers("broken"), "--provider", "broken")
    outcome = inside.run(*providers, "--expect-failures", _FILE)
    assert outcome.status != 0
    assert _states(outcome.report) == ["not-judged"]
    assert "provider broken is broken" in outcome.text


def test_one_case_alone_judges_no_entry(run: Any) -> None:
    words = ("--check", "keys", "--case", "length-16")
    outcome = run([_entry(id="length-16", driver="cbc-wrong-iv", check="keys")], *words)
    assert outcome.status == 0
    assert _states(outcome.read("conformance-report/single")) == ["not-judged"]


def test_entry_forgives_on_its_last_day_and_no_longer(run: Any) -> None:
    entry = _entry(driver="cbc-wrong-iv", message=_MESSAGE, expires="2026-11-23")
    assert run([entry], "--check", "boundaries").status == 0
    next_day = str(int(_NOVEMBER) + 86_400)
    outcome = run([entry], "--check", "boundaries", SOURCE_DATE_EPOCH=next_day)
    assert outcome.status == 1
    assert outcome.report.expected_failures == ()
    assert _states(outcome.report) == ["expired"]
    assert "expired on 2026-11-23" in outcome.text
    assert outcome.report.today == "2026-11-24"


def test_today_is_that_of_the_clock_where_nobody_says_otherwise(run: Any) -> None:
    before = datetime.now(UTC).date()
    report = run([_WHOLE], "--check", "registration", SOURCE_DATE_EPOCH="").report
    after = datetime.now(UTC).date() + timedelta(days=1)
    assert before.isoformat() <= report.today < after.isoformat()


def test_crashes_are_never_forgiven(inside: Any, drivers: Callable[[str], str]) -> None:
    inside.write(_FILE, _entry(message="*raise*") + _entry(message="accepted*"))
    words = ("--from", drivers("hostile"), "--provider", "hostile", "--check", "fuzz")
    file = ("--expect-failures", _FILE, "--check", "keys")
    outcome = inside.run(*words, *file, HOSTILE="raise,exit,bad-init,never")
    report = outcome.report
    assert outcome.status == 1
    assert {f.driver for f in report.failures} == {"cbc-raise", "cbc-exit", "cbc-bad-init"}
    assert all(failure.grave for failure in report.failures)
    assert {f.driver for f in report.expected_failures} == {"cbc-never"}


def test_hangs_are_never_forgiven(
    inside: Any, drivers: Callable[[str], str], impatient: None
) -> None:
    inside.write(_FILE, _entry(message="*h[au]ng*") + _entry(message="*never ends"))
    words = ("--from", drivers("hostile"), "--provider", "hostile", "--check", "fuzz")
    outcome = inside.run(*words, "--expect-failures", _FILE, HOSTILE="loop,busy")
    assert outcome.status == 1
    assert {f.driver for f in outcome.report.failures} == {"cbc-loop", "cbc-busy"}
    assert outcome.report.expected_failures == ()


def test_faults_of_the_suite_are_never_forgiven(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tcrypt.checks.keys._Keys.run", lambda *arguments: None)
    outcome = run([_entry(message="the item*")], "--check", "keys")
    assert outcome.status == 1
    assert [f.message for f in outcome.report.failures] == ["the item recorded no case"]


def test_wrong_engine_that_is_expected_is_no_other_complaint_of_the_run(inside: Any) -> None:
    toy = _toy(inside, ("len(context.key) != HARDWARE_KEY_SIZE", "True"))
    words = (*toy, "--check", "fallback")
    before = inside.run(*words).report
    (message,) = {failure.message for failure in before.failures}
    inside.write(_FILE, _entry(message=message, check="fallback"))
    outcome = inside.run(*words, "--expect-failures", _FILE)
    assert outcome.report.expected_failures
    assert (outcome.status, outcome.report.verdict) == (0, "passed")


def test_planted_defect_is_seen_whatever_is_expected(inside: Any) -> None:
    inside.write(_FILE, _entry(message="wrong*"))
    words = ("--provider", "eip93-mt7621", "--algorithm", "cbc(aes)", "--check", "keys")
    outcome = inside.run(*words, "--mutant", "IV-01", "--expect-failures", _FILE)
    assert outcome.status == 1
    assert outcome.report.expected_failures == ()
    assert any("not used" in note for note in outcome.report.notes)


def test_report_is_made_again_from_the_events_alone(run: Any, inside: Any) -> None:
    whole = run([_WHOLE, _entry(id="x", driver="typo")], "--check", "boundaries").report
    for name in (_FILE, "conformance-report/report.json"):
        (inside.folder / name).unlink()
    again = inside.command("tcrypt", "report", "conformance-report")
    assert again.status == 1
    assert again.report == whole
    assert "1 stale entry" in again.text


_GOOD = _entry()
_BROKEN = {
    "no list": ("id: x\n", ":1: want a list of entries, found a mapping"),
    "empty": ("", ": the file is empty"),
    "no reason": ("- id: x\n  expires: 2027-03-01\n", ":1: entry 1.reason: missing"),
    "blank reason": (_entry(id="x", reason=" "), ":2: entry 1.reason: empty"),
    "no date": ("- id: x\n  reason: r\n", ":1: entry 1.expires: missing"),
    "no day": (_entry(id="x", expires="2027-02-30"), ":3: entry 1.expires: no day of the"),
    "a word": (_entry(id="x", expires="soon"), ":3: entry 1.expires: want a date, YYYY-MM-DD"),
    "another field": (_entry(id="x", until="x"), ":4: entry 1.until: unknown field"),
    "twice": (_entry(id="x") * 2, ":4: entry 2.id: names the same as the entry at known.yaml:1"),
    "all there is": (_GOOD, ":1: entry 1.id: '*' names every case"),
    "no profile": (_entry(id="x", profile="all"), ":4: entry 1.profile: want one of quick"),
    "no YAML": ("- id: [\n", ":2: not YAML"),
    "deep": ("[" * 4000, ":1: brackets more than 50 deep"),
    "aliases": ("- &a {id: x, reason: r, expires: 2027-03-01}\n- *a\n", ":1: entry 2.id: names"),
}


@pytest.mark.parametrize(("text", "said"), _BROKEN.values(), ids=_BROKEN)
def test_broken_file_is_refused_with_file_line_and_field(run: Any, text: str, said: str) -> None:
    outcome = run([text])
    assert outcome.status == pytest.ExitCode.USAGE_ERROR
    assert f"--tcrypt-expect-failures: {_FILE}{said}" in outcome.err
    assert not outcome.reported


def test_file_that_is_no_text_or_not_there_is_refused(run: Any, inside: Any) -> None:
    (inside.folder / "latin").write_bytes(b"- id: x\n  reason: \xe9\n")
    outcome = run([_WHOLE], "--expect-failures", "latin")
    assert "latin:2: not UTF-8: byte 0xe9" in outcome.err
    assert outcome.status == pytest.ExitCode.USAGE_ERROR
    assert "nowhere: No such file" in run([_WHOLE], "--expect-failures", "nowhere").err


def test_file_without_end_is_refused(run: Any) -> None:
    outcome = run([_WHOLE], "--expect-failures", "/dev/zero")
    assert outcome.status == pytest.ExitCode.USAGE_ERROR
    assert "/dev/zero: want at most 4,194,304 bytes" in outcome.err


def test_day_that_is_no_number_is_refused(run: Any) -> None:
    outcome = run([_WHOLE], SOURCE_DATE_EPOCH="today")
    assert outcome.status == pytest.ExitCode.USAGE_ERROR
    assert "SOURCE_DATE_EPOCH 'today'" in outcome.err


def test_several_files_add_up_and_do_not_repeat_each_other(run: Any, inside: Any) -> None:
    parts = [_entry(driver="cbc-wrong-iv", message=_MESSAGE, check=c) for c in ("vectors", "fuzz")]
    inside.write("more.yaml", parts[1])
    words = ("--check", "vectors", "--check", "fuzz", "--expect-failures", "more.yaml")
    outcome = run(parts[:1], *words)
    assert outcome.status == 0
    assert [judged.entry.file for judged in outcome.report.expectations] == [_FILE, "more.yaml"]
    assert (
        "more.yaml:1: entry 1.id: names the same as the entry at known" in run(parts, *words).err
    )
