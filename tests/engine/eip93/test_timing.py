"""The timing model against the measurements of eip93, section 6."""

from __future__ import annotations

import statistics
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tcrypt.engine.eip93.calibration import PUBLISHED, Host, engine_ns, error, modelled
from tcrypt.engine.eip93.variants import MT7621, Timing

CHECKOUT = Path(__file__).parents[3]


def test_model_explains_the_published_figures():
    errors = [abs(error(point)) for point in PUBLISHED]
    assert len(errors) == 20
    assert statistics.median(errors) <= 0.10
    assert max(errors) <= 0.25


@pytest.mark.parametrize("host", Host)
def test_larger_requests_are_faster(host):
    points = [
        p for p in PUBLISHED if p.host is host and p.name.startswith(("cbc(aes), 256", "ctr"))
    ]
    speeds = [modelled(point) for point in sorted(points, key=lambda point: point.length)]
    assert speeds == sorted(speeds)


def test_rounds_set_the_pace_of_large_packets():
    """Section 6: AES-128 to AES-256 as 65 to 47.5, near the ratio of 14 to 10 rounds."""
    large = {p.name: p for p in PUBLISHED if p.host is Host.LOADED and p.length == 16384}
    small_key, big_key = (large[f"cbc(aes), {bits}-bit key"] for bits in (128, 256))
    assert modelled(small_key) / modelled(big_key) == pytest.approx(1.37, abs=0.03)


def test_slower_engine_shows_in_every_figure_that_it_limits():
    slow = replace(MT7621, timing=Timing(aes_round=4.5))
    for point in PUBLISHED:
        if point.command.cipher == 3:
            assert engine_ns(point.command, point.length, slow) > engine_ns(
                point.command, point.length
            )


@pytest.mark.skipif(
    not (CHECKOUT / "benchmarks").exists(), reason="benchmarks are in the checkout only"
)
def test_documented_table_is_what_the_benchmark_prints():
    script = CHECKOUT / "benchmarks" / "eip93_timing.py"
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=True, timeout=60
    )
    table = done.stdout.strip()
    assert table in (CHECKOUT / "docs" / "timing.md").read_text(encoding="utf-8")
