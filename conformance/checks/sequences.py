"""Check `sequences`: what one request, key or transform leaves behind for the next.

Directions change on one transform, keys change between requests and while others wait, several
transforms and several messages are in work at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from tcrypt import facts
from tcrypt.checks.cipher_sequences import cipher_scenarios
from tcrypt.checks.common import make_bench, reference_for
from tcrypt.checks.hash_sequences import hash_scenarios
from tcrypt.checks.upkeep import cipher_upkeep, hash_upkeep
from tcrypt.cipher_bench import CipherBench
from tcrypt.engine.api.flags import AlgType
from tcrypt.hash_bench import HashBench
from tcrypt.oracle import HashReference
from tcrypt.plan import Plan
from tcrypt.problems import Problem
from tcrypt.recorder import Recorder
from tcrypt.settings import Settings
from tcrypt.subject import Subject
from tcrypt.vectors.catalogue import Catalogue
from tcrypt.watchdog import Watchdog

__all__ = ("CHECK", "plans")

CHECK = "sequences"


def plans(subject: Subject, settings: Settings, catalogue: Catalogue) -> Iterator[Plan]:
    """One item for each driver whose algorithm the oracle knows."""
    if reference_for(subject) is not None and not settings.vector:
        yield Plan(CHECK, subject, _Sequences(subject).run)


class _Sequences:
    def __init__(self, subject: Subject) -> None:
        self.subject = subject

    def run(self, recorder: Recorder, watchdog: Watchdog) -> None:
        """Play every scenario on a machine of its own."""
        bench = make_bench(self.subject, watchdog)
        for name, play in self._scenarios(bench):
            if not recorder.takes(name):
                continue
            bench.refresh()
            found = bench.guarded("sequence", play)
            bench.broken = True
            recorder.result(name, [_about_isolation(p) for p in found], token=name)

    def _scenarios(
        self, bench: CipherBench | HashBench
    ) -> Iterator[tuple[str, Callable[[], list[Problem]]]]:
        reference = reference_for(self.subject)
        assert reference is not None
        if self.subject.type is AlgType.AHASH:
            assert isinstance(reference, HashReference)
            assert isinstance(bench, HashBench)
            yield from hash_scenarios(bench, reference)
            yield "memory-is-given-back", partial(hash_upkeep, bench, reference)
            return
        assert not isinstance(reference, HashReference)
        assert isinstance(bench, CipherBench)
        yield from cipher_scenarios(bench, reference)
        yield "memory-is-given-back", partial(cipher_upkeep, bench, reference)


def _about_isolation(problem: Problem) -> Problem:
    """Wrong bytes in a sequence are a matter of isolation: alone the same requests are right."""
    if problem.fact != facts.OUTPUT:
        return problem
    return problem._replace(fact=facts.ISOLATION)
