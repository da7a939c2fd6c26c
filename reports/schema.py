"""The JSON Schema of a report, made from its types.

`python -m tcrypt.reports.schema` prints it; the file beside this module is that output.
"""

from __future__ import annotations

import inspect
import sys
from typing import Any

import msgspec

from tcrypt.reports.model import FORMAT, Report

__all__ = ("report_schema", "schema_text")


def report_schema() -> dict[str, Any]:
    """Return the JSON Schema of report.json; members it does not name are allowed."""
    schema = msgspec.json.schema(Report)
    for definition in schema["$defs"].values():
        # From Python 3.13 on the compiler takes the indentation out of docstrings.
        definition["description"] = inspect.cleandoc(definition.get("description", ""))
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"tcrypt report, format {FORMAT}",
    }
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(head | schema))
    return plain


def schema_text() -> str:
    """Return the schema as it is shipped."""
    text = msgspec.json.format(msgspec.json.encode(report_schema(), order="sorted"), indent=2)
    return text.decode() + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_text())
