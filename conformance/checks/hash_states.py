"""Scenarios of a hash whose state is exported and imported."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from tcrypt import facts
from tcrypt.checks.hash_material import HashPlayer, Scenario
from tcrypt.engine.api.errors import errno_name
from tcrypt.hash_bench import HashBench
from tcrypt.material import draw
from tcrypt.oracle import HashReference
from tcrypt.problems import Problem

__all__ = ("state_scenarios",)


def state_scenarios(bench: HashBench, reference: HashReference) -> Iterator[tuple[str, Scenario]]:
    """Name and function of every scenario."""
    play = _States(bench, reference)
    for done in (0, 1, 63, 64, 65, 128, 200):
        yield f"export-after-{done}", partial(play.export_after, done)
    yield "export-twice", play.export_twice
    yield "export-then-both-go-on", play.fork
    yield "import-over-an-unfinished-message", partial(play.import_over, 101)
    yield "import-of-nothing-over-an-unfinished-message", partial(play.import_over, 0)
    if reference.keyed:
        yield "import-on-another-transform", play.import_elsewhere


class _States(HashPlayer):
    """The scenarios."""

    def export_after(self, done: int) -> list[Problem]:
        """Export after `done` bytes, go on in another request."""
        key = self.key()
        message = draw("export", done + 91)
        steps = self.steps()
        steps.init()
        if done:
            steps.update(self.segment(message[:done]))
        steps.reimport()
        steps.update(self.segment(message[done:]))
        steps.final()
        return self.judge(steps, key, message)

    def export_twice(self) -> list[Problem]:
        """Export and import with less than a block, or nothing, in between."""
        key = self.key()
        message = draw("twice", 200)
        steps = self.steps()
        steps.init()
        steps.update(self.segment(message[:130]))
        steps.reimport()
        steps.reimport()
        steps.update(self.segment(message[130:140]))
        steps.reimport()
        steps.update(self.segment(message[140:]))
        steps.final()
        return self.judge(steps, key, message)

    def fork(self) -> list[Problem]:
        """The original and a copy from its exported state go different ways."""
        key = self.key()
        start, ends = draw("fork", 150), (draw("end a", 80), draw("end b", 61))
        original = self.steps()
        original.init()
        original.update(self.segment(start))
        state = original.export()
        original.update(self.segment(ends[0][:70]))
        copy = self.steps()
        copy.import_state(state)
        copy.update(self.segment(ends[1]))
        copy.final()
        found = original.found or self.judge(copy, key, start + ends[1])
        if found:
            return found
        original.update(self.segment(ends[0][70:]))
        original.final()
        return self.judge(original, key, start + ends[0])

    def import_over(self, done: int) -> list[Problem]:
        """A state after `done` bytes is imported over another message in work."""
        key = self.key()
        message = draw("imported", 200)
        first, other = self.steps(), self.steps()
        first.init()
        if done:
            first.update(self.segment(message[:done]))
        state = first.export()
        other.init()
        other.update(self.segment(draw("in work", 77)))
        if first.found or other.found:
            return first.found or other.found
        bench = self.bench
        bench.state.write(state)
        status = bench.tfm.import_state(other.request, bench.state)
        bench.poison(bench.state)
        if status:
            return [Problem("wrong status of import", facts.STATUS, "0", errno_name(status))]
        other.update(self.segment(message[done:]))
        other.final()
        return self.judge(other, key, message)

    def import_elsewhere(self) -> list[Problem]:
        """A keyed state imported on another transform with the same key."""
        key = self.key(1)
        message = draw("elsewhere", 222)
        steps = self.steps()
        steps.init()
        steps.update(self.segment(message[:111]))
        state = steps.export()
        if steps.found:
            return steps.found
        self.bench.tfm = self.bench.machine.registry.alloc_ahash(self.bench.subject.driver)
        self.key(1)
        there = self.steps()
        there.import_state(state)
        there.update(self.segment(message[111:]))
        there.final()
        return self.judge(there, key, message)
