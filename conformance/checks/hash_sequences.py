"""Scenarios of several messages, keys and transforms of a hash."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from tcrypt import facts
from tcrypt.engine.api.scatterlist import Scatterlist, Segment
from tcrypt.hash_bench import HashBench, Steps
from tcrypt.material import draw
from tcrypt.oracle import HashReference
from tcrypt.problems import Problem, hex_excerpt

__all__ = ("hash_scenarios",)

_Scenario = Callable[[], list[Problem]]
_KEY_SIZE = 32


def hash_scenarios(bench: HashBench, reference: HashReference) -> Iterator[tuple[str, _Scenario]]:
    """Name and function of every scenario."""
    play = _Player(bench, reference)
    yield "updates-of-one-byte", partial(play.updates, [1] * 70)
    yield "updates-around-blocks", partial(play.updates, [63, 2, 64, 64, 1, 0, 127, 128])
    yield "empty-updates", partial(play.updates, [0, 0, 64, 0, 64, 0])
    yield "data-then-empty-final", partial(play.updates, [128, 0])
    yield "data-then-empty-finup", partial(play.updates, [100, 0], finup=True)
    yield "nothing-then-final", partial(play.updates, [])
    yield "two-messages-in-turn", play.two_messages
    yield "init-again-forgets", play.init_again
    yield "message-abandoned", play.abandoned
    for events in range(6):
        yield f"init-{events}-events-into-another", partial(play.init_in_flight, events)
    for done in (0, 1, 63, 64, 65, 128, 200):
        yield f"export-after-{done}", partial(play.export_after, done)
    yield "export-twice", play.export_twice
    yield "export-then-both-go-on", play.fork
    if reference.keyed:
        yield "new-key-each-message", play.rekey
        yield "two-keys-in-turn", play.two_keys
        yield "import-on-another-transform", play.import_elsewhere


class _Player:
    """Plays messages step by step and compares digests with the reference's."""

    def __init__(self, bench: HashBench, reference: HashReference) -> None:
        self.bench = bench
        self.reference = reference

    def key(self, seed: int = 1) -> bytes | None:
        """A key for a keyed hash, set on the bench's transform; None for another."""
        if not self.reference.keyed:
            return None
        size = _KEY_SIZE if self.reference.key_sizes is None else self.reference.key_sizes[0]
        key = draw(f"sequence key {seed}", size)
        self.bench.tfm.setkey(key)
        return key

    def segment(self, data: bytes) -> list[Segment]:
        """`data` in memory of its own, so that messages in work do not share any."""
        address = self.bench.own_memory(max(1, len(data)))
        self.bench.memory.write(address, data)
        return [Segment(address, len(data))]

    def steps(self) -> Steps:
        """A message with a result buffer of its own."""
        return Steps(self.bench, result=self.bench.guarded_buffer(self.bench.digestsize))

    def judge(self, steps: Steps, key: bytes | None, message: bytes) -> list[Problem]:
        """The problems of the steps, or a wrong digest."""
        if steps.found:
            return steps.found
        wanted, got = self.reference.digest(key, message), steps.result.read()
        if got == wanted:
            return []
        return [Problem("wrong digest", facts.ISOLATION, hex_excerpt(wanted), hex_excerpt(got))]

    def updates(self, lengths: list[int], finup: bool = False) -> list[Problem]:
        """One message in updates of the given lengths."""
        key = self.key()
        message = draw("sequence", sum(lengths))
        steps = self.steps()
        steps.init()
        start = 0
        for index, length in enumerate(lengths):
            segments = self.segment(message[start : start + length])
            start += length
            if finup and index == len(lengths) - 1:
                steps.finup(segments)
            else:
                steps.update(segments)
        if not finup:
            steps.final()
        return self.judge(steps, key, message)

    def two_messages(self) -> list[Problem]:
        """Two requests of one transform, step by step in turn."""
        key = self.key()
        texts = [draw("message a", 200), draw("message b", 333)]
        both = [self.steps(), self.steps()]
        for steps in both:
            steps.init()
        for cut in (slice(0, 100), slice(100, 150), slice(150, None)):
            for steps, text in zip(both, texts, strict=True):
                steps.update(self.segment(text[cut]))
        for steps, text in zip(both, texts, strict=True):
            steps.final()
            found = self.judge(steps, key, text)
            if found:
                return found
        return []

    def init_again(self) -> list[Problem]:
        """A request that has hashed something starts another message."""
        key = self.key()
        message = draw("again", 150)
        steps = self.steps()
        steps.init()
        steps.update(self.segment(draw("before", 190)))
        steps.init()
        steps.update(self.segment(message))
        steps.final()
        return self.judge(steps, key, message)

    def abandoned(self) -> list[Problem]:
        """A message that is never finished, then another request."""
        self.key()
        unfinished = self.steps()
        unfinished.init()
        unfinished.update(self.segment(draw("unfinished", 777)))
        return unfinished.found or self.updates([20, 100])

    def init_in_flight(self, events: int) -> list[Problem]:
        """A message starts when so many events of another's update have run."""
        key = self.key()
        texts = [draw("running", 300), draw("starting", 150)]
        running, starting = self.steps(), self.steps()
        running.init()
        bench, request = self.bench, running.request
        segments = self.segment(texts[0])
        request.set_crypt(Scatterlist(bench.memory, segments), running.result, len(texts[0]))
        ticket = bench.submit(request, bench.tfm.update)
        for _ in range(events):
            bench.sim.step()
        starting.init()
        bench.settle()
        found = ticket.problems() or bench.status_problems("update", ticket)
        if found:
            return found
        starting.update(self.segment(texts[1]))
        running.final()
        starting.final()
        return self.judge(running, key, texts[0]) or self.judge(starting, key, texts[1])

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

    def rekey(self) -> list[Problem]:
        """A new key for every message, then the first again."""
        message = draw("rekey", 123)
        for seed in (1, 2, 3, 1):
            key = self.key(seed)
            steps = self.steps()
            steps.digest(self.segment(message))
            found = self.judge(steps, key, message)
            if found:
                return found
        return []

    def two_keys(self) -> list[Problem]:
        """Two transforms with a key each, used in turn without new setkeys."""
        key = self.key(1)
        first, other = (
            self.bench.tfm,
            self.bench.machine.registry.alloc_ahash(self.bench.subject.driver),
        )
        self.bench.tfm = other
        other_key = self.key(2)
        message = draw("two keys", 99)
        for tfm, used in ((first, key), (other, other_key), (first, key), (other, other_key)):
            self.bench.tfm = tfm
            steps = self.steps()
            steps.digest(self.segment(message))
            found = self.judge(steps, used, message)
            if found:
                return found
        return []

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
