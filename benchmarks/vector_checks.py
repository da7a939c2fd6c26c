"""Vector checks per second through a driver, as a ratio to a raw loop over the same vectors.

The floor parses the files and calls the library directly.  The suite parses the same files, lays
every vector out between guards, goes through the crypto API (and, for the EIP-93, through
crypto_engine, rings, DMA and interrupt), compares all memory and records every case.  Both sides
are timed in turn in one process, in CPU seconds, and the median of the ratios is what counts.

    python benchmarks/vector_checks.py [--algorithm 'cbc(aes)'] [--rounds 7]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from Crypto.Cipher import AES

from tcrypt.checks import vectors
from tcrypt.plugins.providers import Providers
from tcrypt.plugins.session import TcryptSession
from tcrypt.settings import Selection, Settings
from tcrypt.vectors.catalogue import Catalogue
from tcrypt.vectors.model import Operation, SkcipherVector

_MODES = {"ecb(aes)": AES.MODE_ECB, "cbc(aes)": AES.MODE_CBC}
_PROVIDERS = ("software", "eip93-mt7621")


def floor(catalogue: Catalogue, algorithm: str) -> int:
    """Parse and compute every CAVP vector of an algorithm; how many there were."""
    mode, count = _MODES[algorithm], 0
    for file in catalogue.files(algorithm):
        if file.source != "cavp":
            continue
        for vector in file.load().vectors:
            assert isinstance(vector, SkcipherVector)
            iv = {"iv": vector.iv} if vector.iv else {}
            cipher = AES.new(vector.key, mode, **iv)
            if vector.operation is Operation.ENCRYPT:
                assert cipher.encrypt(vector.ptext) == vector.ctext
            else:
                assert cipher.decrypt(vector.ctext) == vector.ptext
            count += 1
    return count


def suite(catalogue: Catalogue, algorithm: str, provider: str, directory: Path) -> int:
    """Run the same vectors through a driver as the suite does; how many cases passed."""
    providers = Providers()
    providers.add_entry_points()
    chosen = Selection(providers=(provider,), algorithms=(algorithm,))
    session = TcryptSession(Settings(selection=chosen), providers, catalogue)
    session.open_log(directory, [], worker="", run="")
    count = 0
    # Vectors of an earlier round are kept for the next driver; the floor parses in every round.
    vectors.vectors_of.cache_clear()
    for plan in session.plans(vectors.CHECK):
        if plan.part.startswith("cavp:"):
            recorder = session.run(plan)
            assert not recorder.failures
            count += recorder.executed
    session.close(0)
    return count


def timed(function: Callable[[], int]) -> tuple[int, float]:
    """What a function counted, and the CPU seconds that it took."""
    began = time.process_time()
    count = function()
    return count, time.process_time() - began


def main() -> None:
    """Time floor and suite in turn and print rates and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--algorithm", choices=sorted(_MODES), default="cbc(aes)")
    parser.add_argument("--rounds", type=int, default=7)
    chosen = parser.parse_args()
    catalogue = Catalogue.load()
    print(f"CAVP {chosen.algorithm}, median of {chosen.rounds} rounds, CPU time")
    for provider in _PROVIDERS:
        ratios, rates, floors = [], [], []
        for _ in range(chosen.rounds):
            with tempfile.TemporaryDirectory() as name:
                directory = Path(name)
                cases, spent = timed(
                    lambda p=provider, d=directory: suite(catalogue, chosen.algorithm, p, d)
                )
            count, least = timed(lambda: floor(catalogue, chosen.algorithm))
            assert cases == count, f"{cases} cases for {count} vectors"
            ratios.append(spent / least)
            rates.append(cases / spent)
            floors.append(count / least)
        print(
            f"{provider:<14} {statistics.median(rates):>8.0f} checks/s, "
            f"floor {statistics.median(floors):>8.0f}/s, "
            f"ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        )


if __name__ == "__main__":
    main()
