"""report.json: round trip, schema, refusals."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import fastjsonschema
import pytest

from tcrypt.reports.build import build_report
from tcrypt.reports.model import FORMAT, Report
from tcrypt.reports.schema import report_schema, schema_text
from tcrypt.reports.store import ReportError, encode_report, read_report

if TYPE_CHECKING:
    from conftest import Runs


def test_a_report_read_back_is_equal(tmp_path: Path, mixed_report: Report):
    path = tmp_path / "report.json"
    path.write_bytes(encode_report(mixed_report))
    assert read_report(path) == mixed_report


def test_the_case_ids_of_every_verdict_are_in_the_json(mixed_report: Report):
    text = encode_report(mixed_report).decode()
    for item in mixed_report.items:
        for case, _, _ in item.cases():
            assert json.dumps(case) in text


def test_the_shipped_schema_is_that_of_the_types():
    shipped = files("tcrypt.reports").joinpath("report.schema.json").read_text(encoding="utf-8")
    assert shipped == schema_text(), "run: python -m tcrypt.reports.schema"


def test_the_module_prints_the_schema():
    command = [sys.executable, "-m", "tcrypt.reports.schema"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True)
    assert json.loads(printed.stdout) == report_schema()


def test_produced_reports_validate_and_broken_ones_do_not(mixed_report: Report):
    validate = fastjsonschema.compile(report_schema())
    for report in (mixed_report, build_report([])):
        validate(json.loads(encode_report(report)))
    broken = json.loads(encode_report(mixed_report))
    broken["cells"][0]["verdict"] = "green"
    with pytest.raises(fastjsonschema.JsonSchemaException, match="verdict"):
        validate(broken)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not a report"),
        ('{"verdict": "passed"}', "format"),
        ('{"format": 1, "verdict": "green"}', "green"),
        (f'{{"format": {FORMAT + 1}}}', f"format {FORMAT + 1}, this version reads up to"),
    ],
)
def test_what_is_no_report_is_refused_by_name(tmp_path: Path, text: str, words: str):
    path = tmp_path / "baseline.json"
    path.write_text(text)
    with pytest.raises(ReportError, match=words) as error:
        read_report(path)
    assert "baseline.json" in str(error.value)


def test_fields_of_a_later_version_are_ignored(tmp_path: Path, runs: Runs):
    report = runs.one_item()
    path = tmp_path / "report.json"
    path.write_text(json.dumps(json.loads(encode_report(report)) | {"colour": "blue"}))
    assert read_report(path) == report
