from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "vector_checks.py"


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
