"""Check `world`: random programs of a whole machine, under random schedules.

Transforms of all the provider's asynchronous drivers, requests of every kind, keys changed in
flight, queues and rings of any size, faults, stops, unbinding: Hypothesis draws programs and
shrinks what fails to the fewest steps and choices, which are the token that replays it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hypothesis import strategies as st

from tcrypt.checks.common import reference_for
from tcrypt.engine.api.flags import AlgFlag
from tcrypt.plan import Plan
from tcrypt.problems import Problem
from tcrypt.recorder import Recorder
from tcrypt.search.program import Program, Step
from tcrypt.search.runner import Runner, program_of
from tcrypt.search.script import Script, choices_text
from tcrypt.search.shortest import shortest
from tcrypt.settings import Settings
from tcrypt.smallest import Smallest
from tcrypt.subject import Subject
from tcrypt.vectors.catalogue import Catalogue
from tcrypt.watchdog import Watchdog

__all__ = ("CHECK", "plans", "programs")

CHECK = "world"
_MOST_STEPS = 16
# Numbers of drivers count round among those that there are.
_MOST_DRIVERS = 39
_MOST_CHOICES = 24
_RINGS = (0, 2, 3, 4, 5, 8, 16, 64, 512)
_WINDOWS = (0, 600, 3_000, 30_000)
_TORN_NS = (0, 0, 0, 700)
_SUBMISSIONS = "eeedddEDc"
_TRANSFORMS = st.integers(0, 3)


def plans(subject: Subject, settings: Settings, catalogue: Catalogue) -> Iterator[Plan]:
    """One item for each driver whose algorithm the oracle knows."""
    if not settings.vector and reference_for(subject) is not None:
        yield Plan(CHECK, subject, _World(subject, settings).run)


def _step(kinds: Sequence[str], numbers: st.SearchStrategy[int]) -> st.SearchStrategy[Step]:
    return st.builds(Step, st.sampled_from(kinds), numbers, st.just(0))


def _steps() -> st.SearchStrategy[Step]:
    """One step; submissions and letting things happen are the most frequent."""
    submission = st.builds(Step, st.sampled_from(_SUBMISSIONS), _TRANSFORMS, st.integers(0, 19))
    passing = _step("r", st.integers(1, 12))
    opening = _step("o", st.integers(0, _MOST_DRIVERS))
    keying = _step("kkbx", _TRANSFORMS)
    fault = _step(("fl", "fd", "fs", "fe", "fw"), st.just(0))
    failing = _step(("fm", "fa"), st.integers(0, 5))
    control = _step(("i", "i", "s", "t", "t", "R", "u"), st.just(0))
    weighted = [*[submission] * 6, *[passing] * 2, opening, keying, fault, failing, control]
    return st.integers(0, len(weighted) - 1).flatmap(weighted.__getitem__)


def _text(steps: Sequence[Step]) -> str:
    return ".".join(step.text for step in steps)


def programs() -> st.SearchStrategy[Program]:
    """Programs that start with an open transform of the driver under test."""
    body = st.lists(_steps(), min_size=1, max_size=_MOST_STEPS)
    task = st.lists(_steps(), min_size=1, max_size=_MOST_STEPS // 4)
    alone: st.SearchStrategy[list[list[Step]]] = st.just([])
    tasks = st.one_of(alone, st.lists(task, min_size=2, max_size=3))
    return st.builds(
        Program,
        ring=st.sampled_from(_RINGS),
        queue=st.integers(0, 16),
        steps=body.map(lambda steps: f"o0.{_text(steps)}"),
        tasks=tasks.map(lambda lists: "+".join(map(_text, lists))),
        window=st.sampled_from(_WINDOWS),
        preempt=st.sampled_from((0, 0, 1)),
        choices=st.lists(st.integers(0, 3), max_size=_MOST_CHOICES).map(choices_text),
        then=st.one_of(st.just(0), st.integers(1, 1 << 16)),
        torn=st.sampled_from(_TORN_NS),
    )


class _World:
    def __init__(self, subject: Subject, settings: Settings) -> None:
        self.subject = subject
        self.settings = settings

    def run(self, recorder: Recorder, watchdog: Watchdog) -> None:
        """Search, or replay the one program that was asked for."""
        if not self.subject.alg.cra_flags & AlgFlag.ASYNC:
            reason = "a synchronous driver: nothing happens between submission and status"
            recorder.unexecuted("not-applicable", reason, ["all"])
            return
        if not recorder.repeats("search"):
            return
        runner = Runner(self.subject, watchdog, alone=False)
        asked = self.settings.case
        program = program_of(asked) if asked else None
        if program is not None:
            recorder.result(asked, runner.play(program, timeline=True), token=asked)
        elif not asked or not recorder.wants("example"):
            if not runner.has_engine:
                reason = "no crypto_engine: steps that stop and start engines do nothing"
                recorder.unexecuted("not-applicable", reason, ["stop-and-start"])
            self._search(recorder, runner)

    def _search(self, recorder: Recorder, runner: Runner) -> None:
        programs_at_most = self.settings.share(self.subject, self.settings.limits.programs)
        search = Smallest(
            runner.play,
            self.settings.seed,
            programs_at_most,
            known=lambda program, problems: recorder.forgives(program.token, problems),
        )
        failing = search.search(programs()) or search.expected
        search.record(recorder)
        if failing is not None:
            program, problems = _written_out(runner, *failing)
            problems = runner.play(program, timeline=True) or problems
            recorder.result(program.token, problems, token=program.token)


def _written_out(
    runner: Runner, program: Program, problems: list[Problem]
) -> tuple[Program, list[Problem]]:
    """The program with its drawn choices written out, and as few of them as possible."""
    if not program.then:
        return program, problems
    script = Script(program.schedule(), then=program.then)
    runner.play(program, script)
    short = shortest(runner, program, script.taken, problems)
    found = runner.play(short)
    return (short, found) if found else (program, problems)
