"""Vector checks per second through a driver, as a ratio to a raw loop over the same vectors.

The floor parses the files and calls the library directly.  The suite parses the same files, lays
every vector out between guards, goes through the crypto API (and, for the EIP-93, through
crypto_engine, rings, DMA and interrupt), compares all memory and records every case.  Both sides
are timed in turn in one process, in CPU seconds, and the median of the ratios is what counts.

    python benchmarks/vector_checks.py [--algorithm 'cbc(aes)'] [--provider software] [--rounds 7]
    python benchmarks/vector_checks.py --mix

The mix is what the peers of the suite were timed with: CBC, CTR, GCM, SHA-256 and HMAC-SHA-256.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from Crypto.Cipher import AES
from Crypto.Util import Counter

from tcrypt.checks import vectors
from tcrypt.plugins.providers import Providers
from tcrypt.plugins.session import TcryptSession
from tcrypt.settings import Selection, Settings
from tcrypt.vectors.catalogue import Catalogue
from tcrypt.vectors.model import AeadVector, HashVector, Operation, SkcipherVector, Vector

_ONE = ("ecb(aes)", "cbc(aes)")
_MIX = ("cbc(aes)", "ctr(aes)", "gcm(aes)", "sha256", "hmac(sha256)")


def floor(catalogue: Catalogue, algorithms: Sequence[str]) -> int:
    """Parse and compute every CAVP vector of some algorithms; how many there were."""
    count = 0
    for algorithm in algorithms:
        for file in catalogue.files(algorithm):
            if file.source == "cavp":
                found = file.load().vectors
                for vector in found:
                    _compute(algorithm, vector)
                count += len(found)
    return count


def _compute(algorithm: str, vector: Vector) -> None:
    if isinstance(vector, HashVector):
        digest = (
            hashlib.sha256(vector.message).digest()
            if vector.key is None
            else hmac.digest(vector.key, vector.message, "sha256")
        )
        assert digest.startswith(vector.digest)
    elif isinstance(vector, AeadVector):
        _gcm(vector)
    else:
        _skcipher(algorithm, vector)


def _skcipher(algorithm: str, vector: SkcipherVector) -> None:
    cipher = _cipher(algorithm, vector)
    if vector.operation is not Operation.DECRYPT:
        assert cipher.encrypt(vector.ptext) == vector.ctext
    else:
        assert cipher.decrypt(vector.ctext) == vector.ptext


def _cipher(algorithm: str, vector: SkcipherVector) -> Any:
    if algorithm == "ctr(aes)":
        counter = Counter.new(128, initial_value=int.from_bytes(vector.iv, "big"))
        return AES.new(vector.key, AES.MODE_CTR, counter=counter)
    if algorithm == "cbc(aes)":
        return AES.new(vector.key, AES.MODE_CBC, iv=vector.iv)
    return AES.new(vector.key, AES.MODE_ECB)


def _gcm(vector: AeadVector) -> None:
    size = vector.authsize
    cipher = AES.new(vector.key, AES.MODE_GCM, nonce=vector.iv, mac_len=size)
    cipher.update(vector.assoc)
    if vector.operation is not Operation.DECRYPT and not vector.novrfy:
        text, tag = cipher.encrypt_and_digest(vector.ptext)
        assert text + tag == vector.ctext
        return
    try:
        text = cipher.decrypt_and_verify(vector.ctext[:-size], vector.ctext[-size:])
    except ValueError:
        assert vector.novrfy
    else:
        assert text == vector.ptext


def suite(catalogue: Catalogue, algorithms: Sequence[str], provider: str, directory: Path) -> int:
    """Run the same vectors through a provider's drivers; how many cases passed."""
    providers = Providers()
    providers.add_entry_points()
    chosen = Selection(providers=(provider,), algorithms=tuple(algorithms))
    session = TcryptSession(Settings(profile="full", selection=chosen), providers, catalogue)
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


def compare(catalogue: Catalogue, algorithms: Sequence[str], provider: str, rounds: int) -> None:
    """Time floor and suite in turn and print rates and ratio."""
    ratios, rates, floors = [], [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as name:
            directory = Path(name)
            cases, spent = timed(lambda d=directory: suite(catalogue, algorithms, provider, d))  # type: ignore[misc]
        count, least = timed(lambda: floor(catalogue, algorithms))
        # A vector that vouches for both directions is two cases, and one computation of the floor.
        ratios.append(spent / cases / (least / count))
        rates.append(cases / spent)
        floors.append(count / least)
    print(
        f"{provider:<14} {statistics.median(rates):>8.0f} checks/s, "
        f"floor {statistics.median(floors):>8.0f}/s, "
        f"ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
    )


def main() -> None:
    """Read the options and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--algorithm", choices=_ONE, default="cbc(aes)")
    parser.add_argument("--mix", action="store_true", help="all that the peers were timed with")
    parser.add_argument("--provider", action="append", help="instead of software and another")
    parser.add_argument("--rounds", type=int, default=7)
    chosen = parser.parse_args()
    catalogue = Catalogue.load()
    algorithms = _MIX if chosen.mix else (chosen.algorithm,)
    other = "openssl" if chosen.mix else "eip93-mt7621"
    what = "the mix" if chosen.mix else chosen.algorithm
    print(f"CAVP, {what}, median of {chosen.rounds} rounds, CPU time")
    for provider in chosen.provider or ("software", other):
        compare(catalogue, algorithms, provider, chosen.rounds)


if __name__ == "__main__":
    main()
