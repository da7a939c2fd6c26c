"""Simulated events per second on one core, bare and through crypto_engine and EIP-93.

An event is one callback of the simulation: a work item, an interrupt, a tasklet, a step of the
device.  Three loads are timed in turn in one process, in CPU seconds:

- floor: a plain heapq that is pushed to and popped from, which no simulation can beat;
- bare: events of the simulation that do nothing but queue the next one;
- engine: ecb(aes) requests of one block, a full ring of them at a time, submitted, queued, put on
  the ring, computed by the device, taken from the ring in its interrupt, and completed.

The target is 50,000 events a second through everything.  It is held against the best round: other
programs on the same cores can only make a round slower, and the median says how much they did.

    python benchmarks/engine_events.py [--events 200000] [--rounds 5]
"""

from __future__ import annotations

import argparse
import heapq
import statistics
import time
from collections.abc import Callable

from tcrypt.engine.api.flags import ReqFlag
from tcrypt.engine.api.machine import Machine
from tcrypt.engine.api.requests import SkcipherRequest
from tcrypt.engine.api.scatterlist import Scatterlist, Segment
from tcrypt.engine.sim import Context, Simulation
from tcrypt.plugins.providers import Providers

TARGET = 50_000
_PENDING = 64
_BLOCK = 16
_AT_ONCE = 500


def floor(events: int) -> int:
    """Push and pop entries as the simulation's queue has them; how many."""
    queue = [(number, number, None) for number in range(_PENDING)]
    for number in range(_PENDING, events + _PENDING):
        time_now, _, _ = heapq.heappop(queue)
        heapq.heappush(queue, (time_now + _PENDING, number, None))
    return events


def bare(events: int) -> int:
    """Run events that each queue another one; how many ran."""
    sim = Simulation()

    def again() -> None:
        if sim.steps + _PENDING <= events:
            sim.schedule(_PENDING, Context.TASK, "event", again)

    for number in range(_PENDING):
        sim.schedule(number, Context.TASK, "event", again)
    sim.run(max_steps=events + 1)
    return sim.steps


class Load:
    """An EIP-93 with as many requests as keep its ring busy."""

    def __init__(self) -> None:
        providers = Providers()
        providers.add_entry_points()
        (provider,) = (p for p in providers if p.name == "eip93-mt7621")
        self.machine: Machine = provider.boot()
        self.done = 0
        tfm = self.machine.registry.alloc_skcipher("ecb(aes-eip93)")
        tfm.setkey(bytes(range(16)))
        self.encrypt = tfm.encrypt
        self.requests = [self._request(tfm.request()) for _ in range(_AT_ONCE)]

    def _request(self, request: SkcipherRequest) -> SkcipherRequest:
        memory = self.machine.memory
        segment = Segment(memory.alloc(_BLOCK), _BLOCK)
        data = Scatterlist(memory, [segment])
        request.set_crypt(data, data, _BLOCK, None)
        request.set_callback(int(ReqFlag.MAY_BACKLOG), self._completed, None)
        return request

    def _completed(self, data: None, status: int) -> None:
        assert status == 0, f"request ended with {status}"
        self.done += 1

    def run(self, events: int) -> int:
        """Submit and complete requests until so many events have run; how many did."""
        sim = self.machine.sim
        first, wanted = sim.steps, self.done
        while sim.steps - first < events:
            for request in self.requests:
                self.encrypt(request)
            sim.run()
            wanted += _AT_ONCE
            assert self.done == wanted, f"{wanted - self.done} requests are not done"
        return sim.steps - first


def rate(load: Callable[[int], int], events: int) -> float:
    """Events per CPU second."""
    began = time.process_time()
    count = load(events)
    return count / (time.process_time() - began)


def main() -> None:
    """Time the loads in turn and print rates and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    engine = Load()
    loads = {"floor": floor, "bare": bare, "engine": engine.run}
    rates: dict[str, list[float]] = {name: [] for name in loads}
    for _ in range(chosen.rounds):
        for name, load in loads.items():
            rates[name].append(rate(load, chosen.events))
    print(f"{chosen.events} events, {chosen.rounds} rounds, CPU time of one core")
    for name, found in rates.items():
        ratios = [least / own for least, own in zip(rates["floor"], found, strict=True)]
        print(
            f"{name:<8} {max(found):>10.0f} events/s at best, {statistics.median(found):>10.0f} "
            f"in the median, ratio to the floor {statistics.median(ratios):.2f}"
        )
    measured = max(rates["engine"])
    done = engine.done / engine.machine.sim.steps
    print(f"{measured * done:.0f} requests/s, {1 / done:.2f} events for each")
    verdict = "reached" if measured >= TARGET else "missed"
    print(f"target   {TARGET:>10} events/s through the engine: {verdict}")


if __name__ == "__main__":
    main()
