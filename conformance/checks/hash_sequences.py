"""Scenarios of several messages, keys and transforms of a hash."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from tcrypt import facts
from tcrypt.checks.hash_flights import flight_scenarios
from tcrypt.checks.hash_material import HashPlayer, Scenario
from tcrypt.checks.hash_states import state_scenarios
from tcrypt.engine.api.scatterlist import Scatterlist
from tcrypt.hash_bench import HashBench
from tcrypt.material import draw
from tcrypt.oracle import HashReference
from tcrypt.problems import Problem

__all__ = ("hash_scenarios",)


_UNEVEN = [3, 200, 61, 64, 5, 130, 1, 127, 129, 62, 0, 66, 333, 7, 191, 320, 63]


def hash_scenarios(bench: HashBench, reference: HashReference) -> Iterator[tuple[str, Scenario]]:
    """Name and function of every scenario."""
    play = _Player(bench, reference)
    yield "updates-of-one-byte", partial(play.updates, [1] * 70)
    yield "updates-around-blocks", partial(play.updates, [63, 2, 64, 64, 1, 0, 127, 128])
    yield "empty-updates", partial(play.updates, [0, 0, 64, 0, 64, 0])
    yield "data-then-empty-final", partial(play.updates, [128, 0])
    for length in (64, 100, 128):
        empty_end = partial(play.updates, [length, 0], finup=True)
        yield f"{length}-bytes-then-empty-finup", empty_end
    yield "nothing-then-empty-finup", partial(play.updates, [0], finup=True)
    yield "nothing-then-final", partial(play.updates, [])
    yield "finup-of-a-short-rest", partial(play.updates, [20, 30], finup=True)
    yield "finup-up-to-a-block", partial(play.updates, [64, 20, 44], finup=True)
    yield "updates-of-uneven-lengths", partial(play.updates, _UNEVEN)
    yield "update-of-several-entries", play.several_entries
    for where in ("first", "middle", "last"):
        yield f"empty-entry-{where}", partial(play.empty_entry, where)
    yield "lists-longer-than-their-steps", play.longer_lists
    yield "digest-in-the-middle", play.digest_in_the_middle
    yield "request-used-again", play.used_again
    yield "stale-fields-in-init-and-final", play.stale_fields
    yield "two-messages-in-turn", play.two_messages
    yield "init-again-forgets", play.init_again
    yield "message-abandoned", play.abandoned
    for events in range(6):
        yield f"init-{events}-events-into-another", partial(play.init_in_flight, events)
    yield from state_scenarios(bench, reference)
    yield from flight_scenarios(bench, reference)
    if reference.keyed:
        yield "new-key-each-message", play.rekey
        yield "two-keys-in-turn", play.two_keys


class _Player(HashPlayer):
    """The scenarios of messages one after the other."""

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

    def several_entries(self) -> list[Problem]:
        """What an update leaves for later begins in one entry and ends in another."""
        key = self.key()
        cuts = ((40, 30, 30), (70, 1, 1, 1), (64, 3, 60, 20), (1, 2, 50, 50), (10, 20), (30, 4))
        message = draw("entries", sum(map(sum, cuts)))
        steps = self.steps()
        steps.init()
        start = 0
        for lengths in cuts[:-1]:
            stop = start + sum(lengths)
            steps.update(self.segments(message[start:stop], lengths))
            start = stop
        steps.finup(self.segments(message[start:], cuts[-1]))
        return self.judge(steps, key, message)

    def empty_entry(self, where: str) -> list[Problem]:
        """An entry of no bytes in the list of an update, a finup and a digest."""
        for short in (20, 70):
            key = self.key()
            place = {"first": 0, "middle": 1, "last": 2}[where]
            lengths = [short, 3 * short]
            lengths.insert(place, 0)
            message = draw("empty entry", 8 * short)
            whole, steps = self.steps(), self.steps()
            whole.digest(self.segments(message, [2 * n for n in lengths]))
            steps.init()
            steps.update(self.segments(message[: 4 * short], lengths))
            steps.finup(self.segments(message[4 * short :], lengths))
            found = self.judge(whole, key, message) or self.judge(steps, key, message)
            if found:
                return found
        return []

    def longer_lists(self) -> list[Problem]:
        """Each step has the list of all that is left of the message, and takes the front of it."""
        key = self.key()
        message = draw("longer", 400)
        for cuts in ((20, 30, 60), (100, 64, 128), (10, 200, 7)):
            steps = self.steps()
            steps.init()
            done = 0
            for name, length in zip(("update", "update", "finup"), cuts, strict=True):
                left = len(message) - done
                segments = self.segments(message[done:], (8, length, left - length - 8))
                ticket = self.launch(steps, name, segments, length)
                self.bench.settle()
                found = self.landed(name, ticket)
                if found:
                    return found
                done += length
            found = self.judge(steps, key, message[:done])
            if found:
                return found
        return []

    def digest_in_the_middle(self) -> list[Problem]:
        """A request with an unfinished message digests another one in one step."""
        for before, length in ((100, 90), (10, 20), (64, 64)):
            key = self.key()
            message = draw("again", length)
            steps = self.steps()
            steps.init()
            steps.update(self.segment(draw("before", before)))
            steps.digest(self.segment(message))
            found = self.judge(steps, key, message)
            if found:
                return found
        return []

    def used_again(self) -> list[Problem]:
        """One request hashes message after message, with every way to end one."""
        key = self.key()
        steps = self.steps()
        for number, end in enumerate(("final", "finup", "digest", "final", "digest", "finup")):
            message = draw(f"used {number}", 150 - 25 * number)
            self.bench.poison(steps.result)
            if end == "digest":
                steps.digest(self.segment(message))
            else:
                steps.init()
                steps.update(self.segment(message[:40]))
                if end == "final":
                    steps.update(self.segment(message[40:]))
                    steps.final()
                else:
                    steps.finup(self.segment(message[40:]))
            found = self.judge(steps, key, message)
            if found:
                return found
        return []

    def stale_fields(self) -> list[Problem]:
        """Source and length that another step left in the request are none of init's or final's.

        Neither has data of its own (crypto API, 6.5); callers set the fields once for all steps.
        The result is the last step's: the buffer that an earlier one named stays as it is.
        """
        key = self.key()
        message = draw("stale", 100)
        steps, early = self.steps(), self.steps().result
        late, steps.result = steps.result, early
        segments = self.segment(message)
        for name in ("init", "update", "final"):
            if name == "final":
                steps.result = late
            ticket = self.launch(steps, name, segments)
            self.bench.settle()
            found = self.landed(name, ticket)
            if found:
                return found
        if not self.bench.is_poisoned(early):
            return [Problem("a step wrote to another step's result", facts.RESULT_KEPT)]
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
