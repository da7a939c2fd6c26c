"""All the files of a report, each of them whole or not there."""

from __future__ import annotations

import os
from pathlib import Path

from tcrypt.reports.html import render_html
from tcrypt.reports.junit import render_junit
from tcrypt.reports.model import Report
from tcrypt.reports.store import encode_report

__all__ = ("write_all",)


def write_all(directory: Path, report: Report) -> list[Path]:
    """Write report.json, index.html and junit.xml into a folder, which is created when missing.

    Each file replaces its predecessor in one step: a reader sees the old or the new one.

    Raises:
        OSError: A file cannot be written; its predecessor then still stands.
    """
    directory.mkdir(parents=True, exist_ok=True)
    contents = {
        "report.json": encode_report(report),
        "index.html": render_html(report).encode(),
        "junit.xml": render_junit(report),
    }
    return [_replace(directory / name, data) for name, data in contents.items()]


def _replace(path: Path, data: bytes) -> Path:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(data)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    return path
