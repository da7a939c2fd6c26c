"""JUnit XML, for the CI systems that read it.

A suite is a driver of a provider; a test case is a check against an algorithm, and the number of
its assertions is that of the cases that ran.  Cases that did not run are never part of a test
case that passed: each verdict of theirs becomes a test case of its own beside it.  So do failures
that were expected; they count as skipped, with their reason.  What no driver is to blame for (an
interrupted run, lost coverage, a damaged log) stands in a suite called "run".
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable

from tcrypt.reports.expect_view import origins
from tcrypt.reports.grouping import group_failures
from tcrypt.reports.model import Cell, Failure, ItemRecord, Report, UntestedAlgorithm
from tcrypt.reports.words import CaseVerdict

__all__ = ("render_junit",)

_CellKey = tuple[str, str, str, str]
_RUN = "run"
_DECLARATION = '<?xml version="1.0" encoding="utf-8"?>'
_MOST_COMMANDS = 20  # of one group of failures
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render_junit(report: Report) -> bytes:
    """Return the report as a JUnit XML document in UTF-8."""
    root = ET.Element("testsuites", name="tcrypt", time=f"{report.run.seconds:.3f}")
    failures: dict[_CellKey, list[Failure]] = {}
    for failure in report.failures:
        failures.setdefault(_key(failure), []).append(failure)
    expected: dict[_CellKey, list[Failure]] = {}
    for failure in report.expected_failures:
        expected.setdefault(_key(failure), []).append(failure)
    items: dict[_CellKey, list[ItemRecord]] = {}
    for item in report.items:
        items.setdefault(_key(item), []).append(item)
    for (provider, driver), cells, untested in _drivers(report):
        suite = ET.SubElement(root, "testsuite", name=f"{provider}/{driver}")
        _properties(suite, report, provider, driver)
        for cell in cells:
            main = _cell(suite, cell, items.get(_key(cell), []), failures.get(_key(cell), []))
            if cell.counts.expected_failure:
                told = origins(report, expected.get(_key(cell), []))
                _expected(suite, main, cell, told)
        for algorithm in untested:
            if not any(cell.algorithm == algorithm.algorithm for cell in cells):
                case = _case(suite, f"{provider}.{driver}", f"{algorithm.algorithm} not-tested")
                _say(case, "skipped", f"not-tested: {algorithm.reason}")
    _run_suite(root, report)
    for suite in root:
        _sum(suite, report.run.started)
    _sum(root, "")
    ET.indent(root)
    return f"{_DECLARATION}\n{ET.tostring(root, encoding='unicode')}\n".encode()


def _key(record: Cell | Failure | ItemRecord) -> _CellKey:
    return record.provider, record.driver, record.algorithm, record.check


def _drivers(
    report: Report,
) -> Iterable[tuple[tuple[str, str], list[Cell], list[UntestedAlgorithm]]]:
    cells: dict[tuple[str, str], list[Cell]] = {}
    untested: dict[tuple[str, str], list[UntestedAlgorithm]] = {}
    for cell in report.cells:
        cells.setdefault((cell.provider, cell.driver), []).append(cell)
    for algorithm in report.untested:
        untested.setdefault((algorithm.provider, algorithm.driver), []).append(algorithm)
    for name in sorted(cells.keys() | untested.keys()):
        yield name, cells.get(name, []), untested.get(name, [])


def _properties(suite: ET.Element, report: Report, provider: str, driver: str) -> None:
    run = report.run
    values = {
        "provider": provider,
        "driver": driver,
        "tcrypt": run.version,
        "seed": "" if run.seed is None else str(run.seed),
        "profile": run.profile,
        "semantics": run.semantics,
        "python": run.python,
        "platform": run.platform,
        **{f"version.{name}": version for name, version in sorted(run.versions.items())},
    }
    element = ET.SubElement(suite, "properties")
    for name, value in values.items():
        if value:
            ET.SubElement(element, "property", name=_clean(name), value=_clean(value))


def _cell(
    suite: ET.Element, cell: Cell, items: list[ItemRecord], failures: list[Failure]
) -> ET.Element:
    """Add the test case of a check, and those of its cases that did not run; the first of them."""
    class_name, name = f"{cell.provider}.{cell.driver}", f"{cell.algorithm} {cell.check}"
    main = _case(suite, class_name, name, cell.counts.executed, cell.seconds)
    cut_off = [item.item for item in items if item.verdict == "interrupted"]
    if failures:
        _say_failures(main, failures)
    elif cut_off:
        _say(main, "error", f"interrupted: {_listed(cut_off)} started and did not finish")
    unexecuted = [
        (verdict, number)
        for verdict, number in cell.counts.items()
        if number and verdict not in ("passed", "failed", "expected-failure")
    ]
    for verdict, number in unexecuted:
        message = f"{verdict}: {number:,} cases: {'; '.join(_reasons(items, verdict))}"
        free = not cell.counts.executed and not len(main)
        case = main if free else _case(suite, class_name, f"{name} [{verdict}]")
        _say(case, "error" if verdict == "not-run" else "skipped", message)
    if not cell.counts.executed and not len(main):
        _say(main, "error", "not-run: no case was recorded")
    return main


def _expected(suite: ET.Element, main: ET.Element, cell: Cell, told: list[str]) -> None:
    """Failures that were expected, beside what else there is of the check."""
    number = cell.counts.expected_failure
    if number == cell.counts.executed and not len(main):
        case = main
    else:
        name = f"{cell.algorithm} {cell.check} [expected-failure]"
        case = _case(suite, f"{cell.provider}.{cell.driver}", name)
    _say(case, "skipped", f"expected-failure: {number:,} cases: {'; '.join(told)}")


def _reasons(items: list[ItemRecord], verdict: CaseVerdict) -> list[str]:
    reasons = {
        group.reason: None for item in items for group in item.others if group.verdict == verdict
    }
    return list(reasons) or ["no reason is recorded"]


def _say_failures(case: ET.Element, failures: list[Failure]) -> None:
    groups = group_failures(failures)
    message = "; ".join(f"{group.message} ({len(group.failures):,})" for group in groups)
    lines = []
    for group in groups:
        lines.append(f"{group.message}: {len(group.failures):,} cases")
        for failure in group.failures[:_MOST_COMMANDS]:
            lines += _failure_lines(failure)
        left = len(group.failures) - _MOST_COMMANDS
        if left > 0:
            lines.append(f"  and {left:,} more cases, which report.json has")
    _say(case, "failure", message, "\n".join(lines))


def _failure_lines(failure: Failure) -> list[str]:
    pairs = (
        ("layout", failure.layout),
        ("fact", failure.fact),
        ("expected", failure.expected),
        ("got", failure.got),
        ("points at", failure.attribution),
        ("reproduce", failure.command),
    )
    lines = [f"  {failure.case}", *(f"    {name}: {value}" for name, value in pairs if value)]
    return lines + [f"    {detail}" for detail in failure.details]


def _run_suite(root: ET.Element, report: Report) -> None:
    suite = ET.SubElement(root, "testsuite", name=_RUN)
    case = _case(suite, _RUN, "came to its end")
    if report.interrupted:
        status = report.run.runner_status
        _say(case, "error", f"interrupted; exit status of the runner: {status}")
    case = _case(suite, _RUN, "is recorded whole")
    if report.problems:
        _say(case, "error", report.problems[0], "\n".join(report.problems))
    case = _case(suite, _RUN, "lost no coverage")
    if report.coverage_lost:
        lines = [
            f"{loss.what}: expected {loss.expected}, got {loss.got}: {loss.reason}"
            for loss in report.coverage_lost
        ]
        _say(case, "failure", lines[0], "\n".join(lines))
    case = _case(suite, _RUN, "work was done by the expected engine")
    wrong = [
        f"{e.provider}/{e.driver} {e.algorithm} key of {e.key_size} bytes: expected {e.expected},"
        f" seen hardware {e.hardware}, software {e.software}, none {e.none}"
        for e in report.evidence
        if not e.matches
    ]
    if wrong:
        _say(case, "failure", wrong[0], "\n".join(wrong))
    if report.expectations:
        _expectations(suite, report)


def _expectations(suite: ET.Element, report: Report) -> None:
    case = _case(suite, _RUN, "expected failures are up to date")
    lines = [
        f"{judged.state}: {judged.entry.origin}: {judged.entry.text}: {judged.detail}"
        for judged in report.expectations
        if judged.out_of_date
    ]
    if lines:
        _say(case, "failure", lines[0], "\n".join(lines))


def _case(
    suite: ET.Element, class_name: str, name: str, assertions: int = 0, seconds: float = 0.0
) -> ET.Element:
    return ET.SubElement(
        suite,
        "testcase",
        classname=_clean(class_name),
        name=_clean(name),
        assertions=str(assertions),
        time=f"{seconds:.3f}",
    )


def _say(case: ET.Element, kind: str, message: str, text: str = "") -> None:
    element = ET.SubElement(case, kind, message=_clean(message))
    if kind == "error":
        element.set("type", _clean(message.split(":")[0]))
    element.text = _clean(text) or None


def _sum(element: ET.Element, started: str) -> None:
    cases = list(element.iter("testcase"))
    element.set("tests", str(len(cases)))
    element.set("assertions", str(sum(int(case.get("assertions", "0")) for case in cases)))
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(name, str(sum(case.find(tag) is not None for case in cases)))
    if started:
        element.set("time", f"{sum(float(case.get('time', '0')) for case in cases):.3f}")
        element.set("timestamp", _clean(started))


def _listed(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5:,} more" if len(names) > 5 else "")


def _clean(text: str) -> str:
    """Return text without the characters that XML 1.0 cannot hold, written out instead."""
    return _ILLEGAL.sub(lambda match: f"\\x{ord(match.group()):02x}", text)
