"""A report as JSON: to bytes, and back from a file."""

from __future__ import annotations

from pathlib import Path

import msgspec

from tcrypt.reports.model import FORMAT, Report

__all__ = ("ReportError", "encode_report", "read_report")


class ReportError(Exception):
    """A file is no report, or is one that this version would misread."""


class _Head(msgspec.Struct):
    format: int


def encode_report(report: Report) -> bytes:
    """Return the JSON of a report: UTF-8, indented, one case id on each line."""
    return msgspec.json.format(msgspec.json.encode(report), indent=1) + b"\n"


def read_report(path: Path) -> Report:
    """Read a report back from its JSON.

    Raises:
        ReportError: The file is not a report, or has a newer format than this version reads.
        OSError: The file cannot be read.
    """
    text = path.read_bytes()
    try:
        head = msgspec.json.decode(text, type=_Head)
        if head.format > FORMAT:
            raise ReportError(
                f"{path}: the report has format {head.format}, this version reads up to {FORMAT}"
            )
        return msgspec.json.decode(text, type=Report)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ReportError(f"{path}: not a report of tcrypt: {error}") from error
