"""The EIP-93's timing model against published measurements, as the table of docs/timing.md.

python benchmarks/eip93_timing.py
"""

from __future__ import annotations

import statistics

from tcrypt.engine.eip93.calibration import PUBLISHED, error, modelled

_HEAD = """| algorithm | processor | bytes | published MB/s | modelled MB/s | error |
|---|---|---:|---:|---:|---:|"""


def table() -> str:
    """All points, and the median and the worst error."""
    rows = [
        f"| {p.name} | {p.host.name.lower()} | {p.length} | {p.speed:.2f} | {modelled(p):.2f} "
        f"| {error(p):+.1%} |"
        for p in PUBLISHED
    ]
    errors = [abs(error(p)) for p in PUBLISHED]
    summary = f"Median error {statistics.median(errors):.1%}, worst {max(errors):.1%}."
    return "\n".join((_HEAD, *rows, "", summary))


if __name__ == "__main__":
    print(table())
