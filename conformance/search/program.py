"""Programs: what happens in a world, as a short text that replays it exactly.

A token such as `ring=4,queue=2,steps=o0.e0.E0/3.i,tasks=e0.d0+e0,choices=0.2.1` holds the sizes of
the machine, the steps, the tasks that run at the same time, and the schedule.  Any list of steps
is a program: a step names a transform by a number that counts round among those that are open,
and one that makes no sense where it stands does nothing.

| step | what happens |
|---|---|
| `o2` | open a transform of driver 2 (0 is the driver under test) and set a key |
| `k0`, `b0` | set a new key on transform 0, or one that the driver must refuse |
| `e0/3`, `d0/3` | submit variant 3 of an encryption (a digest) or decryption, with MAY_BACKLOG |
| `E0/3`, `D0/3` | the same without MAY_BACKLOG |
| `c0/3` | the same as `e`, and another one from its completion callback |
| `r5` | let five events happen |
| `i` | wait until nothing happens any more |
| `x0` | free transform 0, if nothing of it is in flight |
| `s`, `t` | stop the engines, start them |
| `u` | unregister the driver under test while transforms of it exist |
| `R` | let all drain, free all transforms, unbind the driver, bind it again |
| `fl`, `fd`, `fs` | the next interrupt is lost, or late; one comes without a cause |
| `fe`, `fw` | the device cannot reach the source, or the destination, of the next request |
| `fm2`, `fa2` | the third DMA mapping, or memory allocation, of the next submission fails |
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import NamedTuple

from tcrypt.search.script import choices_text, parse_choices
from tcrypt.specs import SpecError, _Spec

__all__ = ("Program", "Step", "parse_steps")

_STEP = re.compile(r"(f[ldsewma]|[okbedEDcrixstuR])([0-9]{1,3})?(?:/([0-9]{1,2}))?")
_PLAIN = frozenset({"i", "s", "t", "u", "R", "fl", "fd", "fs", "fe", "fw"})
_VARIED = frozenset("edEDc")


class Step(NamedTuple):
    """One step: what, on which transform or how many, and which variant."""

    what: str
    number: int = 0
    variant: int = 0

    @property
    def text(self) -> str:
        """The step as a token has it."""
        number = "" if self.what in _PLAIN else str(self.number)
        return f"{self.what}{number}" + (f"/{self.variant}" if self.variant else "")


def parse_steps(text: str) -> tuple[Step, ...]:
    """Read steps; SpecError with the one that is none."""
    found = []
    for word in text.split(".") if text else []:
        match = _STEP.fullmatch(word)
        wrong = match is None or (match[2] is None) is not (match[1] in _PLAIN)
        if match is None or wrong or (match[3] is not None and match[1] not in _VARIED):
            raise SpecError(f"step {word!r} is not one that this version knows")
        found.append(Step(match[1], int(match[2] or 0), int(match[3] or 0)))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Program(_Spec):
    """A world and what happens in it.

    Attributes:
        ring: entries of the device's rings; 0 for the provider's own.
        queue: requests that the engine's queue holds; 0 for the provider's own.
        steps: played one after the other.
        tasks: lists of steps, with `+` between them, that are played at the same time after that.
        window: how far apart (ns) events may be due and still be reordered.
        preempt: whether interrupts and tasks may strike where a driver touches a register.
        choices: the schedule.
        then: the seed of the choices behind its end; 0 for none, what is due first comes first.
        torn: how much later (ns) than its count the end of a result reaches memory.
        semantics: the engine's, where it is not that of the provider.
    """

    ring: int = 0
    queue: int = 0
    steps: str = ""
    tasks: str = ""
    window: int = 0
    preempt: int = 0
    choices: str = ""
    then: int = 0
    torn: int = 0
    semantics: str = ""

    def sequence(self) -> tuple[Step, ...]:
        """The steps."""
        return parse_steps(self.steps)

    def parallel(self) -> tuple[tuple[Step, ...], ...]:
        """The tasks."""
        return tuple(parse_steps(task) for task in self.tasks.split("+")) if self.tasks else ()

    def schedule(self) -> tuple[int, ...]:
        """The choices; SpecError where they are none."""
        try:
            return parse_choices(self.choices)
        except ValueError as error:
            raise SpecError(str(error)) from None

    def check(self) -> None:
        """Refuse what cannot be played; SpecError says what."""
        self.sequence()
        self.parallel()
        self.schedule()
        if self.ring == 1:
            raise SpecError("ring=1: a ring has 2 entries or more")

    def scheduled(self, choices: tuple[int, ...]) -> Program:
        """The same program with another schedule, and nothing else behind its end."""
        return replace(self, choices=choices_text(choices), then=0)
