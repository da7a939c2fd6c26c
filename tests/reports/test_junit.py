"""JUnit XML: structure, and no phase that hides another."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest

from tcrypt.reports import events as ev
from tcrypt.reports.build import build_report
from tcrypt.reports.junit import render_junit
from tcrypt.reports.model import Report

if TYPE_CHECKING:
    from conftest import Runs


def _parse(report: Report) -> ET.Element:
    return ET.fromstring(render_junit(report))


def _suite(root: ET.Element, name: str) -> ET.Element:
    (suite,) = [suite for suite in root.iter("testsuite") if suite.get("name") == name]
    return suite


def _cases(suite: ET.Element) -> dict[str, ET.Element]:
    cases = {case.get("name", ""): case for case in suite.iter("testcase")}
    assert len(cases) == len(list(suite.iter("testcase"))), "names are not unique"
    return cases


def _outcome(case: ET.Element) -> str:
    return " ".join(child.tag for child in case) or "passed"


def test_one_suite_for_a_driver_and_one_case_for_each_of_its_cells(mixed_report: Report):
    root = _parse(mixed_report)
    names = [suite.get("name") for suite in root]
    drivers = {f"{c.provider}/{c.driver}" for c in (*mixed_report.cells, *mixed_report.untested)}
    assert names == [*sorted(drivers), "run"]
    for cell in mixed_report.cells:
        case = _cases(_suite(root, f"{cell.provider}/{cell.driver}"))[
            f"{cell.algorithm} {cell.check}"
        ]
        assert case.get("assertions") == str(cell.counts.executed)
        assert case.get("classname") == f"{cell.provider}.{cell.driver}"


def test_sums_agree_with_the_cases(mixed_report: Report):
    root = _parse(mixed_report)
    for element in (root, *root.iter("testsuite")):
        cases = list(element.iter("testcase"))
        assert element.get("tests") == str(len(cases))
        for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped",) * 2):
            found = sum(case.find(tag) is not None for case in cases)
            assert element.get(attribute) == str(found)
    assert root.get("assertions") == str(mixed_report.totals.executed)


def test_a_failure_has_its_messages_and_the_reproducing_commands(mixed_report: Report):
    case = _cases(_suite(_parse(mixed_report), "eip93/cbc-aes-eip93"))["cbc(aes) iv-out"]
    failure = case.find("failure")
    assert failure is not None
    assert failure.get("message") == "ciphertext differs (30)"
    assert "pytest --pyargs tcrypt --tcrypt-case f0" in (failure.text or "")
    assert "and 10 more cases" in (failure.text or "")


def test_properties_name_seed_profile_and_versions(runs: Runs):
    events = [
        runs.started(versions={"openssl": "3.5.2"}),
        *runs.item("i1", ev.CasesPassed("i1", ["a"])),
        ev.RunFinished(0, 1.0),
    ]
    suite = _suite(_parse(build_report([runs.log(*events)])), "eip93/cbc-aes-eip93")
    values = {p.get("name"): p.get("value") for p in suite.iter("property")}
    assert values["seed"] == "42"
    assert values["profile"] == "default"
    assert values["version.openssl"] == "3.5.2"


@pytest.mark.parametrize("verdict", ["skipped", "unsupported", "blocked", "not-applicable"])
def test_what_did_not_run_stands_beside_what_passed(runs: Runs, verdict: str):
    unexecuted = ev.CasesSet("i1", verdict, "because", ["b"])  # type: ignore[arg-type]
    report = runs.one_item(ev.CasesPassed("i1", ["a"]), unexecuted)
    cases = _cases(_suite(_parse(report), "eip93/cbc-aes-eip93"))
    assert _outcome(cases["cbc(aes) vectors"]) == "passed"
    beside = cases[f"cbc(aes) vectors [{verdict}]"]
    assert _outcome(beside) == "skipped"
    message = beside.find("skipped").get("message")  # type: ignore[union-attr]
    assert message == f"{verdict}: 1 cases: because"


def test_a_check_of_which_nothing_ran_keeps_its_name_and_did_not_pass(runs: Runs):
    report = runs.one_item(
        ev.CasesSet("i1", "blocked", "policy", ["a"]), ev.CasesSet("i1", "skipped", "slow", ["b"])
    )
    cases = _cases(_suite(_parse(report), "eip93/cbc-aes-eip93"))
    assert _outcome(cases["cbc(aes) vectors"]) == "skipped"
    assert len(cases) == 2
    assert "passed" not in map(_outcome, cases.values())


def test_interrupted_items_and_items_not_run_are_errors(runs: Runs):
    events = [
        runs.started(),
        runs.planned("cut", 5),
        runs.planned("never", 7, check="layouts"),
        ev.ItemStarted("cut"),
        ev.CasesPassed("cut", ["a"]),
    ]
    root = _parse(build_report([runs.log(*events)]))
    cases = _cases(_suite(root, "eip93/cbc-aes-eip93"))
    assert _outcome(cases["cbc(aes) vectors"]) == "error"
    assert _outcome(cases["cbc(aes) vectors [not-run]"]) == "error"
    assert _outcome(cases["cbc(aes) layouts"]) == "error"
    assert _outcome(_cases(_suite(root, "run"))["came to its end"]) == "error"


def test_faults_that_belong_to_no_driver_are_not_green(mixed_report: Report):
    outcomes = {
        name: _outcome(c) for name, c in _cases(_suite(_parse(mixed_report), "run")).items()
    }
    assert outcomes == {
        "came to its end": "error",
        "is recorded whole": "passed",
        "lost no coverage": "failure",
        "work was done by the expected engine": "failure",
    }


def test_an_untested_algorithm_is_there_and_did_not_pass(mixed_report: Report):
    case = _cases(_suite(_parse(mixed_report), "eip93/rng-eip93"))["stdrng not-tested"]
    assert _outcome(case) == "skipped"


def test_characters_that_xml_cannot_hold_are_written_out(runs: Runs):
    message = "got \x00\x1b[31m <b> & \ufffe"
    report = runs.one_item(runs.failed("c", message=message), verdict="failed")
    failure = _parse(report).find(".//failure")
    assert failure is not None
    assert failure.get("message") == "got \\x00\\x1b[31m <b> & \\xfffe (1)"
