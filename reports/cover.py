"""Functional coverage: which bins of a driver's model were hit, added up over all processes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

__all__ = (
    "VERSION",
    "CoverCross",
    "CoverGoal",
    "Coverage",
    "DriverCover",
    "LeftOut",
    "percent",
)

VERSION = 1
"""That of the member `coverage` of a report; it rises when an old reader would misread it."""

Bins = dict[str, tuple[str, ...]]


class LeftOut(msgspec.Struct, frozen=True, kw_only=True):
    """Bins of a cross that are not counted: how many, of which kind, and why."""

    cross: str
    kind: str
    reason: str
    bins: int
    where: str


class CoverCross(msgspec.Struct, frozen=True, kw_only=True):
    """A point or a cross of one driver.

    Bins stand under those of all points but the last, joined with ` x `, as in `{"24 x decrypt":
    ["in place", "one to one"]}`; a point's own stand under the empty text.  `elsewhere` is how
    many of the holes another driver of the same provider and type has shown, or the same driver on
    its main machine.
    """

    name: str
    bins: int
    hit: Bins = msgspec.field(default_factory=dict)
    holes: Bins = msgspec.field(default_factory=dict)
    elsewhere: int = 0

    @property
    def hits(self) -> int:
        """How many of the bins were hit."""
        return sum(map(len, self.hit.values()))

    @property
    def names_hit(self) -> Iterator[str]:
        """Every bin that was hit, as one text."""
        return _named(self.hit)

    @property
    def names_missed(self) -> Iterator[str]:
        """Every hole, as one text."""
        return _named(self.holes)


class DriverCover(msgspec.Struct, frozen=True, kw_only=True):
    """The coverage of one driver.

    `waived` says why no goal holds for it, empty when they do.  `main` is the provider that has
    the driver's main machine, empty when this is it: on another, only the goals for what it has
    shown with its like hold.
    """

    provider: str
    driver: str
    algorithm: str
    crosses: tuple[CoverCross, ...]
    left_out: tuple[LeftOut, ...] = ()
    waived: str = ""
    main: str = ""

    @property
    def bins(self) -> int:
        """How many bins all its crosses have."""
        return sum(cross.bins for cross in self.crosses)

    @property
    def hits(self) -> int:
        """How many of them were hit."""
        return sum(cross.hits for cross in self.crosses)


class CoverGoal(msgspec.Struct, frozen=True, kw_only=True):
    """What a cross of every driver must reach, in percent: by itself, and with its like."""

    own: int
    shared: int


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """The coverage of a run.

    `goals` are those of the crosses of this name; `*` is for all others, `point` for those of a
    single point.  `waived` says why they do not hold for this run.
    """

    version: int = VERSION
    goals: dict[str, CoverGoal] = msgspec.field(default_factory=dict)
    waived: str = ""
    drivers: tuple[DriverCover, ...] = ()

    @property
    def bins(self) -> int:
        """How many bins all drivers have."""
        return sum(driver.bins for driver in self.drivers)

    @property
    def hits(self) -> int:
        """How many of them were hit."""
        return sum(driver.hits for driver in self.drivers)

    def goal_of(self, driver: DriverCover, cross: str) -> CoverGoal:
        """What a cross of a driver must reach; nothing when the run had no goals."""
        general = self.goals.get("*" if " x " in cross else "point", CoverGoal(own=0, shared=0))
        goal = self.goals.get(cross, general)
        return CoverGoal(own=0, shared=goal.shared) if driver.main else goal


def percent(hits: int, bins: int) -> float:
    """How much of the bins was hit; 100 of none.  It is 100 only when all were."""
    if hits == bins:
        return 100.0
    return min(99.9, 100.0 * hits / bins)


def _named(bins: Mapping[str, Iterable[str]]) -> Iterator[str]:
    for front, words in bins.items():
        for word in words:
            yield f"{front} x {word}" if front else word
