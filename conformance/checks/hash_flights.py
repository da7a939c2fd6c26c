"""Scenarios of a hash with several messages of one transform in flight at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import permutations

from tcrypt import facts
from tcrypt.checks.hash_material import HashPlayer, Scenario
from tcrypt.engine.api.errors import errno_name
from tcrypt.engine.sim import Context
from tcrypt.hash_bench import HashBench, Steps
from tcrypt.material import draw
from tcrypt.oracle import HashReference
from tcrypt.problems import Problem
from tcrypt.trouble import unreachable

__all__ = ("flight_scenarios",)

_ORDERS = tuple(permutations(("update", "finup", "digest")))
# No two are alike, some wait for more data, one is empty, one is exactly a block.
_LENGTHS = (200, 7, 64, 0, 129, 333, 63, 640)


def flight_scenarios(bench: HashBench, reference: HashReference) -> Iterator[tuple[str, Scenario]]:
    """Name and function of every scenario."""
    play = _Flights(bench, reference)
    for order in _ORDERS:
        yield f"{'-'.join(order)}-in-flight", partial(play.unlike, order)
    yield "updates-and-finals-in-flight", partial(play.messages, from_softirq=False)
    yield "messages-from-softirq", partial(play.messages, from_softirq=True)
    for entry in range(3):
        yield f"bus-error-on-entry-{entry}", partial(play.bus_error, entry)
    if reference.keyed:
        yield "two-keys-step-by-step", play.two_keys


class _Flights(HashPlayer):
    """The scenarios."""

    def unlike(self, order: Sequence[str]) -> list[Problem]:
        """Different steps of three messages, each of its own length, are queued together."""
        key = self.key()
        flights = []
        for number, name in enumerate(order):
            message, steps = draw(f"step {number}", 300 - 70 * number), self.steps()
            rest = message
            if name != "digest":
                steps.init()
                steps.update(self.segment(message[:90]))
                rest = message[90:]
            flights.append((name, steps, self.segment(rest), message))
        tickets = [self.launch(steps, name, rest) for name, steps, rest, _ in flights]
        self.bench.settle()
        for (name, _, _, _), ticket in zip(flights, tickets, strict=True):
            found = self.landed(name, ticket)
            if found:
                return found
        for name, steps, _, message in flights:
            if name == "update":
                steps.final()
            found = self.judge(steps, key, message)
            if found:
                return found
        return []

    def messages(self, *, from_softirq: bool) -> list[Problem]:
        """Eight messages: all their updates in flight, then all their ends of either kind."""
        key = self.key()
        texts = [draw(f"message {number}", length) for number, length in enumerate(_LENGTHS)]
        flights = [self.steps() for _ in texts]
        for steps in flights:
            steps.init()
        cuts = [2 * len(text) // 3 for text in texts]
        heads = [text[:cut] for text, cut in zip(texts, cuts, strict=True)]
        found = self._round(flights, ["update"] * len(texts), heads, from_softirq)
        if found:
            return found
        ends = ["finup" if number % 2 else "final" for number in range(len(texts))]
        tails = [text[cut:] for text, cut in zip(texts, cuts, strict=True)]
        found = self._round(flights, ends, tails, from_softirq)
        for steps, end, head, text in zip(flights, ends, heads, texts, strict=True):
            found = found or self.judge(steps, key, text if end == "finup" else head)
        return found

    def _round(
        self,
        flights: Sequence[Steps],
        names: Sequence[str],
        data: Sequence[bytes],
        from_softirq: bool,
    ) -> list[Problem]:
        """One step of each message, all in flight at once."""
        tickets = []

        def submit() -> None:
            for steps, name, part in zip(flights, names, data, strict=True):
                segments = [] if name == "final" else self.segment(part)
                tickets.append(self.launch(steps, name, segments))

        if from_softirq:
            self.bench.sim.schedule(0, Context.SOFTIRQ, "submitter", submit)
        else:
            submit()
        self.bench.settle()
        for name, ticket in zip(names, tickets, strict=True):
            found = self.landed(name, ticket)
            if found:
                return found
        return []

    def bus_error(self, entry: int) -> list[Problem]:
        """The device cannot reach one of three entries; a driver that copies does not notice."""
        key, bench = self.key(), self.bench
        message = draw("unreachable", 384)
        broken, whole = self.steps(), self.steps()
        segments = self.segments(message, (128, 128, 128))
        bench.machine.dma.break_range(*segments[entry])
        ticket = self.launch(broken, "digest", segments)
        bench.settle()
        bench.machine.dma.mend()
        machine = bench.machine
        allowed = unreachable(machine) if machine.dma.faults else (0,)
        found = ticket.problems()
        if not found and ticket.status not in allowed:
            names = errno_name(allowed[0]), errno_name(ticket.status)
            found = [Problem("wrong status of digest", facts.BUS_ERROR, *names)]
        if not found and not ticket.status:
            found = self.judge(broken, key, message)
        whole.digest(self.segment(message))
        found = found or self.judge(whole, key, message)
        return [problem._replace(fact=facts.BUS_ERROR) for problem in found]

    def two_keys(self) -> list[Problem]:
        """Messages under two keys in turn, and then both of their last steps in flight."""
        bench = self.bench
        tfms = bench.tfm, bench.machine.registry.alloc_ahash(bench.subject.driver)
        keys, flights = [], []
        for seed, bench.tfm in enumerate(tfms):
            keys.append(self.key(seed))
            flights.append(self.steps())
        texts = [draw(f"key {seed}", 150) for seed in range(len(tfms))]
        for part in (None, slice(0, 50), slice(50, 150)):
            for tfm, steps, text in zip(tfms, flights, texts, strict=True):
                bench.tfm = tfm
                if part is None:
                    steps.init()
                else:
                    steps.update(self.segment(text[part]))
        tickets = []
        for tfm, steps in zip(tfms, flights, strict=True):
            bench.tfm = tfm
            tickets.append(self.launch(steps, "final", []))
        bench.settle()
        for ticket, steps, key, text in zip(tickets, flights, keys, texts, strict=True):
            found = self.landed("final", ticket) or self.judge(steps, key, text)
            if found:
                return found
        return []
