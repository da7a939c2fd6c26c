from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "vector_checks.py"
EVENTS = SCRIPT.with_name("engine_events.py")
SUBMISSION = SCRIPT.with_name("submission.py")


@pytest.mark.skipif(not SCRIPT.exists(), reason="benchmarks are in the checkout only")
def test_the_throughput_benchmark_runs_all_vectors_and_prints_a_ratio(tmp_path: Path) -> None:
    pytest.importorskip("cryptography_vectors")
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--rounds", "1"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    for provider in ("software", "eip93-mt7621"):
        assert re.search(rf"^{provider} .* ratio \d+\.\d\d", done.stdout, re.MULTILINE)


@pytest.mark.skipif(not EVENTS.exists(), reason="benchmarks are in the checkout only")
def test_the_event_benchmark_completes_all_requests_and_says_whether_the_target_is_met(
    tmp_path: Path,
) -> None:
    done = subprocess.run(
        [sys.executable, str(EVENTS), "--events", "5000", "--rounds", "1"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    rates = {
        name: int(found)
        for name, found in re.findall(r"^(\w+) +(\d+) events/s at best", done.stdout, re.MULTILINE)
    }
    assert rates["floor"] > rates["bare"] > rates["engine"] > 0
    verdict = "reached" if rates["engine"] >= 50_000 else "missed"
    assert re.search(rf"^target +50000 events/s .*: {verdict}$", done.stdout, re.MULTILINE)


@pytest.mark.skipif(not SUBMISSION.exists(), reason="benchmarks are in the checkout only")
def test_the_submission_benchmark_has_a_row_for_each_length_and_four_figures_for_each_mode(
    tmp_path: Path,
) -> None:
    done = subprocess.run(
        [
            sys.executable,
            str(SUBMISSION),
            "--rounds",
            "1",
            "--batch",
            "2",
            "--lengths",
            "16",
            "64",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    rows = [line.strip("| ").split(" | ") for line in done.stdout.splitlines() if "| " in line]
    assert [row[0] for row in rows] == ["bytes", "16", "64"]
    assert {len(row) for row in rows} == {2 + 3 * 4}
    for row in rows[1:]:
        assert all(float(cell.replace(",", "")) > 0 for cell in row[1:3])
        ratios = [float(cell.replace(",", "")) for cell in row[4::4]]
        assert min(ratios) > 1, "driver and device cost something on top of the library's call"
