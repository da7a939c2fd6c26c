"""The files of a report."""

from __future__ import annotations

import os
import stat
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tcrypt.reports.model import Report
from tcrypt.reports.store import read_report
from tcrypt.reports.write import write_all


def test_all_files_are_written_and_nothing_else(tmp_path: Path, mixed_report: Report):
    target = tmp_path / "deep" / "down"
    paths = write_all(target, mixed_report)
    assert [path.name for path in paths] == ["report.json", "index.html", "junit.xml"]
    assert sorted(target.iterdir()) == sorted(paths)
    assert read_report(paths[0]) == mixed_report
    assert paths[1].read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert ET.parse(paths[2]).getroot().tag == "testsuites"


def test_files_are_as_readable_as_the_umask_allows(tmp_path: Path, mixed_report: Report):
    before = os.umask(0o027)
    try:
        paths = write_all(tmp_path, mixed_report)
    finally:
        os.umask(before)
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o640}


def test_a_failed_write_leaves_the_old_file_and_no_litter(
    tmp_path: Path, mixed_report: Report, monkeypatch: pytest.MonkeyPatch
):
    write_all(tmp_path, mixed_report)
    old = (tmp_path / "report.json").read_bytes()

    def full(self: Path, data: bytes) -> int:
        with self.open("wb") as file:
            file.write(data[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        write_all(tmp_path, mixed_report)
    assert (tmp_path / "report.json").read_bytes() == old
    assert len(list(tmp_path.iterdir())) == 3
