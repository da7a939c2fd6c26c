"""What scenarios of hashes share: keys, messages in memory of their own, and their judgement."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tcrypt.bench import Ticket
from tcrypt.engine.api.scatterlist import Scatterlist, Segment
from tcrypt.hash_bench import HashBench, Steps
from tcrypt.material import draw
from tcrypt.oracle import HashReference
from tcrypt.problems import Problem

__all__ = ("HashPlayer", "Scenario")

Scenario = Callable[[], list[Problem]]
_KEY_SIZE = 32


class HashPlayer:
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
        """The problems of the steps, or a wrong digest, or a result that has no end."""
        if steps.found:
            return steps.found
        return self.bench.judge(self.reference.digest(key, message), steps.result)

    def segments(self, data: bytes, lengths: Sequence[int]) -> list[Segment]:
        """`data` in entries of these lengths, each in memory of its own; 0 is an empty entry."""
        assert sum(lengths) == len(data)
        found, start = [], 0
        for length in lengths:
            found += self.segment(data[start : start + length])
            start += length
        return found

    def launch(
        self, steps: Steps, name: str, segments: list[Segment], nbytes: int | None = None
    ) -> Ticket:
        """Submit a step of a message, `update`, `final`, `finup` or `digest`, and run nothing.

        It takes all of the segments, or the first `nbytes` of them.
        """
        request, tfm = steps.request, self.bench.tfm
        if nbytes is None:
            nbytes = sum(segment.length for segment in segments)
        source = Scatterlist(self.bench.memory, segments) if segments else None
        request.set_crypt(source, steps.result, nbytes)
        return self.bench.submit(request, getattr(tfm, name))

    def landed(self, name: str, ticket: Ticket) -> list[Problem]:
        """What is wrong with the life of a step that was launched, after the machine settled."""
        return ticket.problems() or self.bench.status_problems(name, ticket)
