"""How long all vectors take to load, as a ratio to reading the bytes of their files.

The floor reads every file of a source and takes its SHA-256, as loading must.  The loaders do the
same, parse the files, and count what they found.  Both sides are timed in turn in one process, in
CPU seconds; the median of the rounds counts.  Targets: CAVP in 1 s, what is shipped in 0.5 s.

    python benchmarks/vector_loading.py [--rounds 7]
"""

from __future__ import annotations

import argparse
import hashlib
import statistics
import time
from collections.abc import Callable

from tcrypt.vectors.catalogue import Catalogue, VectorFile

_TARGETS = {"cavp": 1.0, "shipped": 0.5}
_SHIPPED = ("curated", "kernel-6.1")


def floor(files: list[VectorFile]) -> int:
    """Read and digest every file; the number of bytes."""
    size = 0
    for file in files:
        assert file._path is not None
        data = file._path.read_bytes()
        hashlib.sha256(data).digest()
        size += len(data)
    return size


def load(files: list[VectorFile]) -> int:
    """Load every file; the number of vectors, those that are not applicable included."""
    count = 0
    for file in files:
        loaded = file.load()
        count += len(loaded.vectors) + len(loaded.inapplicable) + len(loaded.chains)
    return count


def timed(function: Callable[[list[VectorFile]], int], files: list[VectorFile]) -> float:
    """The CPU seconds that a function takes."""
    began = time.process_time()
    function(files)
    return time.process_time() - began


def main() -> None:
    """Time floor and loaders in turn and print seconds, ratios and whether the target is met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    began = time.process_time()
    files = [file for file in Catalogue.load().everything() if file.available]
    listing = time.process_time() - began
    sets = {
        "cavp": [file for file in files if file.source == "cavp"],
        "shipped": [file for file in files if file.source in _SHIPPED],
    }
    print(f"median of {rounds} rounds, CPU time; listing {len(files)} files {listing:.3f} s")
    for name, chosen in sets.items():
        if not chosen:
            print(f"{name:<8} not installed")
            continue
        spent = [(timed(floor, chosen), timed(load, chosen)) for _ in range(rounds)]
        seconds = statistics.median(loading for _, loading in spent)
        ratio = statistics.median(loading / reading for reading, loading in spent)
        verdict = "reached" if seconds <= _TARGETS[name] else "missed"
        print(
            f"{name:<8}{load(chosen):>8} vectors, {floor(chosen) / 1e6:6.1f} MB, "
            f"{seconds:.3f} s, ratio {ratio:.1f}, target {_TARGETS[name]} s: {verdict}"
        )


if __name__ == "__main__":
    main()
