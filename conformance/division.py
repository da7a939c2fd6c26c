"""Drivers that share a device, and their code, divide work: who with whom."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from zlib import crc32

from tcrypt.subject import Subject

__all__ = ("Part", "Standing", "standings")


class Part(NamedTuple):
    """Which of the cases of a walk are a driver's.

    Attributes:
        team: of how many, which one is the driver's.
        teams: how many there are; 1 when all run everything.
        machine: the same for its machine, among the further ones.
        machines: how many parts these make; 1 for the main machine.
    """

    team: int
    teams: int
    machine: int
    machines: int

    def takes(self, case: str) -> bool:
        """Whether a case is in the part; it is in the same one in each run."""
        if self.machines > 1 and crc32(case.encode(), 1) % self.machines != self.machine:
            return False
        return self.teams <= 1 or crc32(case.encode()) % self.teams == self.team


class Standing(NamedTuple):
    """How a driver stands among those that it divides work with.

    Attributes:
        member: its number in its crowd, from 0.
        crowd: how many the crowd are: the drivers of its provider and type.
        machine: which of the driver's further machines its provider has, from 0; None for the
            main one, which is that of the provider with the most drivers, the first of several.
        main: the provider that has the main machine.
    """

    member: int
    crowd: int
    machine: int | None
    main: str

    def part(self, teams: int, machines: int) -> Part:
        """The driver's part of what so many teams and further machines divide."""
        team = _digit_sum(self.member, teams) % teams if teams > 1 else 0
        if self.machine is None:
            return Part(team, teams, 0, 1)
        return Part(team, teams, self._turn % machines, machines)

    def repeats(self, case: str, parts: int) -> bool:
        """Whether a case that the main machine runs is the driver's; one further one in `parts`.

        Another driver of the same machine repeats other cases.
        """
        return self.machine is None or not (crc32(case.encode(), 2) + self._turn) % parts

    @property
    def _turn(self) -> int:
        return (self.machine or 0) + self.member


def standings(subjects: Iterable[Subject], *, together: bool) -> dict[str, Standing]:
    """Who divides work with whom, for `tcrypt.settings.Settings`, by the ids of the subjects.

    Args:
        subjects: what is selected.
        together: whether providers that test a driver of the same name, which is the same
            driver on another machine, are one crowd.
    """
    subjects = list(subjects)
    crowds = _crowds(subjects, together=together)
    machines: dict[tuple[str, ...], list[Subject]] = {}
    for subject in subjects:
        same = (subject.type.word, subject.driver, *subject.checks)
        machines.setdefault(same, []).append(subject)
    drivers = Counter(subject.provider.name for subject in subjects)
    found: dict[str, Standing] = {}
    for group in machines.values():
        main = max(group, key=lambda subject: drivers[subject.provider.name])
        for place, subject in enumerate([main, *(s for s in group if s is not main)]):
            crowd = crowds[_crowd_of(subject)]
            found[subject.id] = Standing(
                crowd.index(subject.id),
                len(crowd),
                place - 1 if place else None,
                main.provider.name,
            )
    return found


def _crowds(subjects: Sequence[Subject], *, together: bool) -> dict[str, list[str]]:
    """The subjects of each crowd, by the names of those that are joined to it."""
    first: dict[tuple[str, str], str] = {}
    joined = {crowd: crowd for crowd in map(_crowd_of, subjects)}
    members: dict[str, list[str]] = {}
    for subject in subjects if together else ():
        own = joined[_crowd_of(subject)]
        other = joined[first.setdefault((subject.type.word, subject.driver), own)]
        if own != other:
            joined = {crowd: other if name == own else name for crowd, name in joined.items()}
    for subject in subjects:
        members.setdefault(joined[_crowd_of(subject)], []).append(subject.id)
    return {own: members[crowd] for own, crowd in joined.items()}


def _crowd_of(subject: Subject) -> str:
    """Drivers that are tested in a few ways only are no help to the others."""
    return "/".join((subject.provider.name, subject.type.word, *subject.checks))


def _digit_sum(number: int, base: int) -> int:
    # By digits, so that drivers that stand at regular distances (one digest each) spread as well.
    total = 0
    while number:
        number, digit = divmod(number, base)
        total += digit
    return total
