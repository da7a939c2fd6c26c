"""Check `interleavings`: every schedule of small worlds.

A few requests on a few transforms, a ring that one request fills, and each order in which
submitters, worker, device, interrupt and tasklet can run.  States that were met before are not
explored again.  A world of which the profile's bound lets only a part be explored says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial

from tcrypt.checks.common import reference_for
from tcrypt.engine.api.flags import AlgFlag
from tcrypt.plan import Plan
from tcrypt.problems import Problem
from tcrypt.recorder import Recorder
from tcrypt.search.exhaustive import Outcome, explore
from tcrypt.search.program import Program
from tcrypt.search.runner import Runner, program_of
from tcrypt.search.script import Script
from tcrypt.search.shortest import shortest
from tcrypt.settings import Settings
from tcrypt.subject import Subject
from tcrypt.vectors.catalogue import Catalogue
from tcrypt.watchdog import Watchdog

__all__ = ("CHECK", "WORLDS", "plans", "search")

CHECK = "interleavings"
# Wider than any latency, narrower than any time for which something sleeps.
_WINDOW = 1_000_000
# As long as the host needs to look at a result twice.
_TORN_NS = 700
# A first schedule may end in a state it has been in; a few reach an end.
_LOOK = 4
_small = partial(Program, ring=2, queue=1, steps="o0.o0", window=_WINDOW)

# The smallest worlds come first.
WORLDS: Mapping[str, Program] = {
    "two-requests": _small(tasks="e0+d1"),
    # What strikes while the second finds the ring full may be all that would have started it.
    "struck-when-full": _small(tasks="e0.d0", preempt=1),
    # The third result stands where the first one stood, which the driver has seen to be ready.
    "torn-around-the-ring": _small(queue=2, tasks="e0.d0.e1", torn=_TORN_NS),
    "next-from-callback": _small(tasks="c0+d1"),
    "bus-error": _small(tasks="fe.e0+d1"),
    "stopped": _small(tasks="e0+s.e0.E1"),
    "lost-interrupt": _small(tasks="fl.e0+d1"),
    "spurious-interrupt": _small(tasks="e0.d0+fs"),
    "output-unreachable": _small(tasks="fw.e0+d1.e1"),
    "torn-results": _small(ring=4, queue=2, tasks="e0.d0+e1", torn=_TORN_NS),
    "three-requests": _small(tasks="e0.e0+d1"),
    "stop-and-start": _small(ring=3, tasks="e0.e1+s.t.e0"),
    "new-key-in-flight": _small(tasks="e0.k0.e0+d1"),
    "refused-and-backlogged": _small(tasks="e0.E0+D1.e1"),
    "mixed-sizes": _small(ring=4, queue=2, tasks="e0/6.d0/1+d1/15"),
    "four-requests": _small(ring=3, queue=2, tasks="e0.d0+d1.e1"),
    "struck-at-registers": _small(ring=4, queue=2, tasks="e0.d0+e1", preempt=1),
}


def plans(subject: Subject, settings: Settings, catalogue: Catalogue) -> Iterator[Plan]:
    """One item for each driver whose algorithm the oracle knows."""
    if not settings.vector and reference_for(subject) is not None:
        yield Plan(CHECK, subject, _Interleavings(subject, settings).run)


def _stops(program: Program) -> bool:
    """Whether a program stops or starts engines."""
    return any(step.what in ("s", "t") for task in program.parallel() for step in task)


def search(
    runner: Runner,
    program: Program,
    bound: int,
    *,
    known: Callable[[list[Problem]], bool] = lambda problems: False,
) -> Outcome:
    """Explore the schedules of a program, in at most `bound` runs.

    A known defect must not hide a new one: the search goes on behind a failure that is `known`,
    and ends with the first of those where no other turns up.
    """
    expected: list[tuple[tuple[int, ...], list[Problem]]] = []

    def play(script: Script, look: Callable[[int], None]) -> list[Problem]:
        problems = runner.play(program, script, look)
        if not problems or not known(problems):
            return problems
        expected.append((tuple(script.taken), problems))
        return []

    outcome = explore(play, bound)
    if outcome.failing is None and expected:
        return replace(outcome, failing=expected[0])
    return outcome


class _Interleavings:
    def __init__(self, subject: Subject, settings: Settings) -> None:
        self.subject = subject
        self.settings = settings

    def run(self, recorder: Recorder, watchdog: Watchdog) -> None:
        """Explore every world, or replay the one schedule that was asked for."""
        if not self.subject.alg.cra_flags & AlgFlag.ASYNC:
            reason = "a synchronous driver: nothing happens between submission and status"
            recorder.unexecuted("not-applicable", reason, ["all"])
            return
        runner = Runner(self.subject, watchdog, alone=True)
        program = program_of(self.settings.case) if self.settings.case else None
        if program is not None:
            token = self.settings.case
            recorder.result(token, runner.play(program, timeline=True), token=token)
            return
        left = self.settings.share(self.subject, self.settings.limits.schedules)
        look = max(2, self.settings.share(self.subject, _LOOK))
        for place, name in enumerate(WORLDS):
            if _stops(WORLDS[name]) and not runner.has_engine:
                reason = "no crypto_engine: there is none to stop and start"
                recorder.unexecuted("not-applicable", reason, [name])
            elif recorder.takes(name):
                # The smallest worlds are explored to their end; the others get a look at least.
                bound = max(look, left - look * (len(WORLDS) - place - 1))
                left -= self._explore(recorder, runner, name, bound)

    def _explore(self, recorder: Recorder, runner: Runner, name: str, bound: int) -> int:
        """Explore one world and record it; how many runs that took."""
        world = WORLDS[name]
        outcome = search(runner, world, bound, known=partial(recorder.forgives, name))
        if outcome.failing is not None:
            choices, problems = outcome.failing
            failing = shortest(runner, world, choices, problems)
            found = runner.play(failing, timeline=True) or problems
            recorder.result(name, found, token=failing.token)
            return outcome.runs
        if outcome.schedules:
            recorder.result(name, [])
        if not outcome.exhausted:
            reason = (
                f"{name}: not exhausted within {bound} runs; {outcome.states} states and"
                f" {outcome.schedules} whole schedules were seen"
            )
            recorder.unexecuted("skipped", reason, [f"{name}/beyond-the-bound"])
        return outcome.runs
