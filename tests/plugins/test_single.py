"""One vector or case alone, and the commands that reports print to reproduce a failure."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any

import pytest

from tcrypt.plugins.agenda import CHECKS

pytest_plugins = ("pytester",)

_VECTOR = "curated:skcipher/cbc-aes.yaml#sp800-38a-f.2.1"
_GENERIC = ("--provider", "software", "--driver", "cbc(aes-generic)")
# FIPS 197, appendix C.1.
_SUITE_OF_ECB = """
format: 1
algorithm: ecb(aes)
kind: skcipher
source: {title: FIPS 197, section: C.1, url: "https://www.nist.gov", licence: none}
vectors:
"""
_VECTOR_OF_ECB = """
  - id: v{number}
    key: "000102030405060708090a0b0c0d0e0f"
    ptext: "00112233445566778899aabbccddeeff"
    ctext: "69c4e0d86a7b0430d8cdb78070b4c55a"
"""


def test_one_vector_runs_its_cases_and_nothing_else(inside: Any) -> None:
    outcome = inside.run(*_GENERIC, "--vector", _VECTOR)
    assert outcome.status == 0
    (item,) = outcome.read("conformance-report/single").items
    assert item.check == "vectors"
    assert {case.rpartition("/")[0] for case in item.passed} == {
        f"{_VECTOR}/enc",
        f"{_VECTOR}/dec",
    }
    assert "collected 1 item" in outcome.out


def test_one_vector_runs_as_it_does_in_the_whole(inside: Any) -> None:
    whole = inside.run(*_GENERIC, "--check", "vectors").report
    alone = inside.run(*_GENERIC, "--vector", _VECTOR).read("conformance-report/single")
    of_vector = {c for item in whole.items for c in item.passed if c.startswith(f"{_VECTOR}/")}
    assert {c for item in alone.items for c in item.passed} == of_vector


def test_vector_of_a_later_chunk_is_one_item(inside: Any) -> None:
    vectors = "".join(_VECTOR_OF_ECB.format(number=number) for number in range(1200))
    inside.write("many.yaml", _SUITE_OF_ECB + vectors)
    words = ("--vectors", "many.yaml", "--vector", "user:many.yaml#v1100")
    outcome = inside.run(*words, "--driver", "ecb(aes-generic)")
    assert outcome.status == 0, outcome.out + outcome.err
    (item,) = outcome.read("conformance-report/single").items
    assert item.item.endswith("@1000")
    assert all("#v1100/" in case for case in item.passed)


def test_only_rounds_of_monte_carlo_tests_can_be_gone_on_from(inside: Any) -> None:
    inside.write("few.yaml", _SUITE_OF_ECB + _VECTOR_OF_ECB.format(number=1))
    words = ("--vectors", "few.yaml", "--vector", "user:few.yaml#v1..")
    outcome = inside.run(*words, "--driver", "ecb(aes-generic)")
    assert outcome.status == 4
    assert "'..' is for rounds of Monte Carlo tests alone" in outcome.out + outcome.err


def test_single_run_leaves_the_report_of_the_whole_alone(inside: Any) -> None:
    inside.run(*_GENERIC, "--check", "keys")
    before = inside.folder.joinpath("conformance-report/report.json").read_bytes()
    inside.run(*_GENERIC, "--check", "keys", "--case", "length-16")
    assert inside.folder.joinpath("conformance-report/report.json").read_bytes() == before


def test_case_that_a_check_does_not_have_is_named_and_not_ok(inside: Any) -> None:
    outcome = inside.run(*_GENERIC, "--check", "keys", "--case", "lenght-17")
    assert outcome.status == 5
    assert "no case 'lenght-17' in this item; did you mean length-17" in outcome.text
    assert outcome.read("conformance-report/single").verdict == "not-tested"


def test_case_runs_on_the_drivers_that_it_fits(inside: Any) -> None:
    words = ("--provider", "software", "--check", "fuzz")
    outcome = inside.run(*words, "--case", "op=enc,key=16,len=32")
    assert outcome.status == 0
    cells = outcome.read("conformance-report/single").cells
    takes_it = {"ecb(aes)", "cbc(aes)", "ctr(aes)", "cts(cbc(aes))", "essiv(cbc(aes),sha256)"}
    assert {cell.algorithm for cell in cells} == takes_it


@pytest.fixture(scope="module")
def failed(tcrypt_once: Any) -> Any:
    """A run with a planted defect of the catalogue, in all checks."""
    words = ("--provider", "eip93-mt7621", "--driver", "cbc(aes-eip93)")
    return tcrypt_once().run(*words, "--mutant", "IV-01", "--seed", "3")


def test_planted_defect_fails_the_run_and_is_named(failed: Any) -> None:
    assert failed.status == 1
    assert failed.report.verdict == "failed"
    assert any("IV-01" in note for note in failed.report.notes)


# A wrong IV shows wherever something is encrypted, which is not so at registration.
_ENCRYPTING = sorted(set(CHECKS) - {"registration", "selftest"})


@pytest.mark.parametrize("check", _ENCRYPTING)
def test_printed_command_reproduces_the_failure_alone(
    failed: Any, inside: Any, failures: Callable[[Any], Any], check: str
) -> None:
    found = [f for f in failed.report.failures if f.check == check]
    failure = found[-1]
    assert failure.command in failed.out or len(found) > 5
    outcome = inside.again(failure.command)
    assert outcome.status == 1, outcome.out + outcome.err
    again = outcome.read("conformance-report/single")
    wanted = next(key for key in failures(failed.report) if key[2:4] == (check, failure.case))
    case = _token(failure) if check == "interleavings" else failure.case
    assert (*wanted[:3], case, *wanted[4:]) in failures(again)
    (item,) = again.items
    assert {*item.passed, *item.failed} == _belong_together(failed.report, failure)


def _token(failure: Any) -> str:
    """What the command says is to be run: of a small world, the one schedule that failed."""
    words = shlex.split(failure.command)
    return words[words.index("--case") + 1]


def _belong_together(report: Any, failure: Any) -> set[str]:
    """The cases that one command runs: all of a vector, all requests of one load, else one."""
    cut = {"vectors": 2, "retry": 1}.get(failure.check)
    if cut is None:
        return {_token(failure)}
    head = failure.case.rsplit("/", cut)[0] + "/"
    cases = [case for item in report.items for case in (*item.passed, *item.failed)]
    return {case for case in cases if case.startswith(head)}


def test_printed_command_works_in_a_shell(failed: Any, tcrypt: Any) -> None:
    failure = next(f for f in failed.report.failures if f.check == "vectors")
    assert shlex.split(failure.command)[:2] == ["tcrypt", "run"]
    outcome = tcrypt.command("sh", "-c", failure.command)
    assert outcome.status == 1
    again = outcome.read("conformance-report/single").failures
    assert failure.case in {f.case for f in again}


def test_command_repeats_what_the_drivers_depend_on(
    inside: Any, drivers: Callable[[str], str], failures: Callable[[Any], Any]
) -> None:
    words = ("--from", drivers("wrong_iv"), "--provider", "wrong_iv", "--check", "fuzz")
    outcome = inside.run(*words, "--seed", "11")
    (failure,) = outcome.report.failures
    for word in ("--from", "--seed 11", "--profile quick", "--case", "--check fuzz"):
        assert word in failure.command
    again = inside.again(failure.command).read("conformance-report/single")
    assert failures(again) == failures(outcome.report)
