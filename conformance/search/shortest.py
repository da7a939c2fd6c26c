"""Makes the schedule of a failure short: as many choices as possible are those of no schedule."""

from __future__ import annotations

from collections.abc import Sequence

from tcrypt.problems import Problem
from tcrypt.search.program import Program
from tcrypt.search.runner import Runner
from tcrypt.search.script import Script

__all__ = ("shortest",)


def shortest(
    runner: Runner, program: Program, choices: Sequence[int], problems: Sequence[Problem]
) -> Program:
    """The program under the schedule with the most choices set to 0 that still fails like that.

    Args:
        runner: plays it.
        program: what failed.
        choices: under which schedule.
        problems: what was wrong; the message of the first is what has to be seen again.
    """
    kept = list(choices)
    size = len(kept)
    while size:
        for start in range(0, len(kept), size):
            part = kept[start : start + size]
            if not any(part):
                continue
            tried = [*kept[:start], *[0] * len(part), *kept[start + size :]]
            found = runner.play(program, Script(tried))
            if found and found[0].message == problems[0].message:
                kept = tried
        size //= 2
    return program.scheduled(tuple(kept))
