"""A chooser that follows a list of small numbers, so that a schedule is a short text.

Every tie of the simulation is answered with the next number of the list.  When the list has ended
it is answered with 0, the event that is due first, or with what follows from a seed.  What was
offered and taken is remembered: a search goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from tcrypt.engine.sim import Event

__all__ = ("Script", "choices_text", "parse_choices")

_LARGEST = 255


class Script:
    """Decides ties by a list of choices.

    Args:
        choices: one number for each tie, in order; taken modulo what is offered, so that every
            list is a schedule.
        watch: called before each tie behind the end of the list; it may raise to end the run.
        then: the seed of the choices behind the end of the list; 0 for zeros.

    Attributes:
        offers: how many events each tie so far had.
        taken: what was chosen.
    """

    def __init__(
        self,
        choices: Sequence[int] = (),
        watch: Callable[[], None] | None = None,
        then: int = 0,
    ) -> None:
        self.choices = tuple(choices)
        self._drawn = Random(then) if then else None
        self.watch = watch
        self.offers: list[int] = []
        self.taken: list[int] = []

    def choose(self, ready: Sequence[Event]) -> int:
        """The next choice; 0 behind the end of the list."""
        return self.pick(len(ready))

    def pick(self, count: int, *, watched: bool = True) -> int:
        """Choose one of `count` (2 or more) possibilities; `watched` as between events."""
        place = len(self.offers)
        behind = place >= len(self.choices)
        if behind and watched and self.watch is not None:
            self.watch()
        chosen = self._behind(count) if behind else self.choices[place] % count
        self.offers.append(count)
        self.taken.append(chosen)
        return chosen

    def _behind(self, count: int) -> int:
        return self._drawn.randrange(count) if self._drawn else 0


def choices_text(choices: Sequence[int]) -> str:
    """Choices as a token holds them, `0.2.1`; zeros at the end say nothing and are left out."""
    kept = list(choices)
    while kept and not kept[-1]:
        kept.pop()
    return ".".join(map(str, kept))


def parse_choices(text: str) -> tuple[int, ...]:
    """Read choices back; ValueError for what is not a list of numbers from 0 to 255."""
    words = text.split(".") if text else []
    for word in words:
        if not word.isascii() or not word.isdecimal() or int(word) > _LARGEST:
            raise ValueError(f"choices={text!r}: {word!r} is not a number from 0 to {_LARGEST}")
    return tuple(map(int, words))
