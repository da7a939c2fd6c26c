"""All schedules of a small world, each state of the machine once.

The search replays the program from its start under ever longer lists of choices.  At every tie
behind the list that it replays, the state is looked up: one that was met before is left, for
everything behind it is explored from there; a new one is remembered, and its other choices wait
to be drawn, in an order that is always the same.  A search that reaches its bound says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tcrypt.problems import Problem
from tcrypt.search.script import Script

__all__ = ("Known", "Outcome", "explore")


class Known(BaseException):
    """The state was met before.

    Not an `Exception`, so that nothing between here and the search takes it for a failure.
    """


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a search has seen.

    Attributes:
        states: different states at ties.
        schedules: how many runs reached their end.
        runs: how many runs there were.
        exhausted: whether nothing is left to try.
        failing: the choices of the first run that failed, and what was wrong.
    """

    states: int
    schedules: int
    runs: int
    exhausted: bool
    failing: tuple[tuple[int, ...], list[Problem]] | None = None


Play = Callable[[Script, Callable[[int], None]], list[Problem]]


def explore(play: Play, bound: int, *, hashing: bool = True) -> Outcome:
    """Run all schedules, up to `bound` runs, or to the first failure.

    Args:
        play: runs the program under a script; between the events of ties it calls the function
            that it is given with the state's number, which may raise `Known`.
        bound: how many runs at most.
        hashing: whether states are remembered; without, every schedule is run.
    """
    seen: set[int] = set()
    waiting: list[tuple[int, ...]] = [()]
    drawn = Random(bound)
    runs = schedules = 0

    def look(state: int) -> None:
        if state in seen:
            raise Known
        seen.add(state)

    while waiting and runs < bound:
        # Neighbours differ in their ends alone: a search of few runs sees more when it jumps.
        place = drawn.randrange(len(waiting))
        waiting[place], waiting[-1] = waiting[-1], waiting[place]
        prefix = waiting.pop()
        script = Script(prefix)
        runs += 1
        try:
            problems = play(script, look if hashing else lambda state: None)
            schedules += 1
        except Known:
            problems = []
        if problems:
            return Outcome(len(seen), schedules, runs, False, (tuple(script.taken), problems))
        for place in range(len(prefix), len(script.offers)):
            head = tuple(script.taken[:place])
            waiting += [(*head, other) for other in range(1, script.offers[place])]
    return Outcome(len(seen), schedules, runs, not waiting)
