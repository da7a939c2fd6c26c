"""Requests per second of the EIP-93's model, by submission mode and length, against the library.

The floor is the bare call of the library that the model computes with: AES-128-CBC by pycryptodome
on messages of the same lengths.  The other side lays its requests out once, submits them in
batches, and lets them complete through driver, device and interrupt.  Floor and modes are timed
in turn in one process, in CPU seconds; the median of the ratios is what counts.  Simulated figures
come from the simulation's own clock, and say what the modelled hardware would do.

    python benchmarks/submission.py [--rounds 5] [--batch 24] [--lengths 16 1024 65536]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any, get_args

from Crypto.Cipher import AES

from tcrypt.engine import software
from tcrypt.engine.api.flags import ReqFlag
from tcrypt.engine.api.machine import Machine
from tcrypt.engine.api.memory import Buffer
from tcrypt.engine.api.scatterlist import Scatterlist, Segment
from tcrypt.engine.eip93.driver.submission import Mode
from tcrypt.engine.eip93.variants import MT7621
from tcrypt.plugins.eip93 import attach_eip93

_LENGTHS = (16, 64, 256, 1024, 4096, 16_384, 65_536)
_KEY, _IV = bytes(range(16)), bytes(16)
_MODES: tuple[Mode, ...] = get_args(Mode)


class Load:
    """A batch of equal requests on a machine of one mode."""

    def __init__(self, mode: Mode, length: int, batch: int) -> None:
        self.machine = machine = Machine()
        software.register(machine)
        attach_eip93(machine, MT7621, mode=mode)
        self.tfm: Any = machine.registry.alloc_skcipher("cbc(aes-eip93)")
        self.tfm.setkey(_KEY)
        self.done = 0
        self.requests = [self._request(length) for _ in range(batch)]

    def _request(self, length: int) -> Any:
        memory = self.machine.memory
        data, iv = memory.zalloc(length), memory.zalloc(16)
        request = self.tfm.request()
        lies = Scatterlist(memory, [Segment(data, length)])
        request.set_crypt(lies, lies, length, Buffer(memory, iv, 16))
        request.set_callback(int(ReqFlag.MAY_BACKLOG), self._completed, None)
        return request

    def _completed(self, data: Any, status: int) -> None:
        assert status == 0, f"a request ended with {status}"
        self.done += 1

    def run(self) -> None:
        """Submit the batch, and run the machine until it is done."""
        before = self.done
        for request in self.requests:
            self.tfm.encrypt(request)
        self.machine.sim.run()
        assert self.done - before == len(self.requests), "a request was lost"


def floor(length: int, batch: int) -> Callable[[], None]:
    """The bare library calls of a batch."""
    data = bytes(length)

    def run() -> None:
        for _ in range(batch):
            AES.new(_KEY, AES.MODE_CBC, _IV).encrypt(data)

    return run


def spent(run: Callable[[], None]) -> float:
    """CPU seconds of a call."""
    began = time.process_time()
    run()
    return time.process_time() - began


def row(length: int, batch: int, rounds: int) -> str:
    """One length: the floor's rate, and each mode's rate, speed, ratio and simulated speed."""
    bare = floor(length, batch)
    loads = {mode: Load(mode, length, batch) for mode in _MODES}
    floors: list[float] = []
    times: dict[Mode, list[float]] = {mode: [] for mode in _MODES}
    ratios: dict[Mode, list[float]] = {mode: [] for mode in _MODES}
    for load in loads.values():
        load.run()
    starts = {mode: load.machine.sim.now for mode, load in loads.items()}
    for _ in range(rounds):
        floors.append(spent(bare))
        for mode, load in loads.items():
            times[mode].append(spent(load.run))
            ratios[mode].append(times[mode][-1] / floors[-1])
    cells = [f"{length}", f"{batch / statistics.median(floors):,.0f}"]
    for mode, load in loads.items():
        rate = batch / statistics.median(times[mode])
        simulated = rounds * batch * length * 1_000 / (load.machine.sim.now - starts[mode])
        cells += [
            f"{rate:,.0f}",
            f"{rate * length / 1e6:.2f}",
            f"{statistics.median(ratios[mode]):,.1f}",
            f"{simulated:.1f}",
        ]
    return f"| {' | '.join(cells)} |"


def table(lengths: Sequence[int], batch: int, rounds: int) -> str:
    """All lengths, as a Markdown table."""
    head = ["bytes", "floor/s"]
    for mode in _MODES:
        head += [f"{mode}/s", "MB/s", "ratio", "simulated MB/s"]
    lines = [f"| {' | '.join(head)} |", "|" + "---:|" * len(head)]
    return "\n".join([*lines, *(row(length, batch, rounds) for length in lengths)])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, default=24)
    parser.add_argument("--lengths", type=int, nargs="+", default=_LENGTHS)
    chosen = parser.parse_args()
    print(f"cbc(aes), 128-bit key, median of {chosen.rounds} rounds of {chosen.batch} requests")
    print(table(chosen.lengths, chosen.batch, chosen.rounds))


if __name__ == "__main__":
    main()
