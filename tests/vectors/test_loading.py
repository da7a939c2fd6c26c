"""Loading is lazy, and its benchmark runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tcrypt.vectors import files
from tcrypt.vectors.catalogue import Catalogue

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "vector_loading.py"


def test_no_file_is_read_before_it_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue = Catalogue.load()
    read: list[str] = []
    original = files.read_text

    def watched(path: Path, label: str, sha256: str = "") -> str:
        read.append(label)
        return original(path, label, sha256)

    monkeypatch.setattr(files, "read_text", watched)
    [first, *_] = [f for f in catalogue.files("cbc(aes)") if f.source == "curated"]
    assert catalogue.algorithms()
    assert not read
    first.load()
    assert read == [first.label]


@pytest.mark.skipif(not SCRIPT.exists(), reason="benchmarks are in the checkout only")
def test_the_benchmark_loads_everything_and_prints_ratios(tmp_path: Path) -> None:
    pytest.importorskip("cryptography_vectors")
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--rounds", "1"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    # 27,746 and the rest of 60,446, with 100 rounds for each of five chains, and 989 derived.
    assert f"cavp    {60_446 - 5 + 500 + 989:>8} vectors" in done.stdout
    for name in ("cavp", "shipped"):
        assert re.search(
            rf"^{name} .* ratio \d+\.\d, target .*: (reached|missed)$", done.stdout, re.M
        )
