"""The JSON Schema of a report, made from its types.

`python -m tcrypt.reports.schema` prints it; the file beside this module is that output.
"""

from __future__ import annotations

import sys
from typing import Any

import msgspec

from tcrypt.reports.model import FORMAT, Report

__all__ = ("report_schema", "schema_text")


def report_schema() -> dict[str, Any]:
    """Return the JSON Schema of report.json; members it does not name are allowed."""
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"tcrypt report, format {FORMAT}",
    }
    return head | msgspec.json.schema(Report)


def schema_text() -> str:
    """Return the schema as it is shipped."""
    text = msgspec.json.format(msgspec.json.encode(report_schema(), order="sorted"), indent=2)
    return text.decode() + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_text())
