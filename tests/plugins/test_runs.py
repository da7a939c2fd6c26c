"""The same run in other ways: twice, with another seed, in two processes, beside other tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest

pytest_plugins = ("pytester",)

_WORDS = ("--algorithm", "cbc(aes)", "--seed", "7")
_PROVIDERS = ("--provider", "software", "--provider", "wrong_iv")


def _verdicts(report: Any) -> dict[tuple[str, str], str]:
    found = {}
    for item in report.items:
        found |= {(item.item, case): "passed" for case in item.passed}
        found |= {(item.item, case): "failed" for case in item.failed}
        found |= {(item.item, c): group.verdict for group in item.others for c in group.ids}
    return found


@pytest.fixture(scope="module")
def words(drivers: Callable[[str], str]) -> tuple[str, ...]:
    return (*_PROVIDERS, "--from", drivers("wrong_iv"), *_WORDS)


@pytest.fixture(scope="module")
def once(tcrypt_once: Any, words: tuple[str, ...]) -> Any:
    return tcrypt_once().run(*words, "-W", "error")


@pytest.fixture(scope="module")
def in_two_processes(tcrypt_once: Any, words: tuple[str, ...]) -> Any:
    return tcrypt_once().run(*words, "-n", "2")


def test_same_seed_gives_the_same_cases_and_verdicts(
    once: Any, inside: Any, words: tuple[str, ...], failures: Callable[[Any], Any]
) -> None:
    again = inside.run(*words).report
    assert _verdicts(again) == _verdicts(once.report)
    assert failures(again) == failures(once.report)


@pytest.mark.parametrize(("check", "changes"), [("fuzz", True), ("boundaries", False)])
def test_seed_decides_what_is_fuzzed_and_nothing_else(
    inside: Any, drivers: Callable[[str], str], check: str, changes: bool
) -> None:
    seen = []
    for number, seed in enumerate(("7", "8", "7")):
        log = inside.folder / f"requests-{number}"
        words = ("--from", drivers("logged"), "--provider", "logged", "--check", check)
        assert inside.run(*words, "--seed", seed, REQUEST_LOG=str(log)).status == 0
        seen.append(log.read_text())
    assert seen[0] == seen[2]
    assert (seen[0] != seen[1]) is changes


def test_fuzz_cases_do_not_depend_on_the_modules_of_a_project(
    tcrypt: Any, drivers: Callable[[str], str]
) -> None:
    # Hypothesis would draw these numbers, which fit everything that is drawn here.
    tcrypt.write("numbers/conftest.py", f"NUMBERS = {list(range(1, 700))}\n")
    seen = []
    for name in ("plain", "numbers"):
        log = tcrypt.write(f"{name}/log", "")
        inner = type(tcrypt)(tcrypt.folder / name)
        words = ("--from", drivers("logged"), "--provider", "logged", "--check", "fuzz")
        assert inner.run(*words, REQUEST_LOG=str(log)).status == 0
        seen.append(log.read_text())
        assert not (inner.folder / ".hypothesis").exists()
    assert seen[0] == seen[1] != ""


def test_two_processes_run_the_same_cases_with_the_same_verdicts(
    once: Any, in_two_processes: Any, failures: Callable[[Any], Any]
) -> None:
    assert in_two_processes.status == once.status == 1
    report = in_two_processes.report
    assert report.totals == once.report.totals
    assert _verdicts(report) == _verdicts(once.report)
    assert failures(report) == failures(once.report)


def test_two_processes_make_one_report(in_two_processes: Any) -> None:
    report = in_two_processes.report
    assert {worker.name for worker in report.run.workers} == {"gw0", "gw1"}
    assert {item.worker for item in report.items} == {"gw0", "gw1"}
    assert not report.interrupted
    assert not report.problems
    assert in_two_processes.out.count("= conformance =") == 1


def test_worker_that_dies_is_seen(tcrypt: Any) -> None:
    tcrypt.write(
        "mine.py",
        """
import os
from tcrypt.engine.api.flags import AlgType

def register(machine):
    def encrypt(request):
        os._exit(3)

    generic = machine.registry.find("cbc(aes-generic)", AlgType.SKCIPHER)
    machine.registry.register(generic.variant(cra_driver_name="cbc-deadly", encrypt=encrypt))
""",
    )
    words = ("--from", "mine.py", "--provider", "mine", "--provider", "software")
    checks = ("--algorithm", "cbc(aes)", "--check", "keys")
    outcome = tcrypt.run(*words, *checks, "-n", "1")
    assert outcome.status != 0
    assert outcome.report.interrupted
    software = [item for item in outcome.report.items if item.provider == "software"]
    assert {item.verdict for item in software} == {"passed"}


def test_junit_has_one_test_case_for_each_driver_algorithm_and_check(once: Any) -> None:
    tree = ElementTree.parse(once.folder / "conformance-report/junit.xml")
    names = [(case.get("classname"), case.get("name")) for case in tree.iter("testcase")]
    # Besides there are a few about the run itself, and some that say what was not executed.
    of_drivers = [name for name in names if name[0] != "run" and not name[1].endswith("]")]
    assert sorted(of_drivers) == sorted(
        (f"{c.provider}.{c.driver}", f"{c.algorithm} {c.check}") for c in once.report.cells
    )
    assert len(set(of_drivers)) == len(of_drivers)
    failed = [case for case in tree.iter("testcase") if case.find("failure") is not None]
    assert len(failed) == sum(cell.verdict == "failed" for cell in once.report.cells) > 0


def test_collect_only_lists_items_and_writes_nothing(inside: Any) -> None:
    outcome = inside.run("--provider", "software", "--check", "keys", "--collect-only", "-q")
    assert outcome.status == 0
    assert "test_keys[software/cbc(aes-generic)]" in outcome.out
    listed = outcome.out.count("test_keys[software/")
    assert listed > 20, "hashes and instances of templates"
    assert f"{listed} tests collected" in outcome.out
    assert not outcome.reported
    assert "conformance =" not in outcome.out


def test_item_can_be_named_like_any_test(inside: Any) -> None:
    name = "tcrypt.test_keys::test_keys[software/cbc(aes-generic)]"
    outcome = inside.pytest("--pyargs", name)
    assert outcome.status == 0, outcome.out
    (item,) = outcome.report.items
    assert item.item == "keys/software/cbc(aes-generic)"
    assert not outcome.report.coverage_lost


_OWN = "def test_good():\n    pass\n\ndef test_bad():\n    assert {} == 1\n"


@pytest.mark.parametrize(("own", "status"), [(_OWN.format(1), 0), (_OWN.format(2), 1)])
def test_suite_runs_beside_the_tests_of_a_project(inside: Any, own: str, status: int) -> None:
    inside.write("tests/test_own.py", own)
    inside.write("pyproject.toml", "[tool.pytest.ini_options]\nfilterwarnings = ['error']\n")
    outcome = inside.run("tests", "--driver", "cbc(aes-generic)", "--check", "keys")
    assert outcome.status == status
    assert f"{3 - status} passed" in outcome.out
    assert len(outcome.report.items) == 1
    assert outcome.report.exit_status == status


def test_alarm_of_the_project_survives_the_suite(inside: Any) -> None:
    inside.write(
        "test_alarm.py",
        """
import signal
import pytest

@pytest.fixture(scope="session", autouse=True)
def alarm():
    handler = signal.signal(signal.SIGALRM, lambda *arguments: None)
    signal.setitimer(signal.ITIMER_REAL, 500)
    yield
    left = signal.setitimer(signal.ITIMER_REAL, 0)[0]
    signal.signal(signal.SIGALRM, handler)
    assert 400 < left < 500

def test_nothing():
    pass
""",
    )
    outcome = inside.run("test_alarm.py", "--driver", "cbc(aes-generic)", "--check", "keys")
    assert outcome.status == 0, outcome.out


def test_warnings_as_errors_do_not_disturb(once: Any) -> None:
    assert once.status == 1
    assert "Warning" not in once.out + once.err
