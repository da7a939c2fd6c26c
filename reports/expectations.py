"""Failures that a driver's author expects: what an entry of a file says, and what it names."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import NamedTuple

import msgspec

from tcrypt.reports.event import Event
from tcrypt.reports.words import ExpectationState

__all__ = ("Expectation", "ExpectationsRead", "JudgedExpectation", "Place")

_WILD = frozenset("*?[")


class Place(NamedTuple):
    """Where a case belongs: a check against an algorithm of a driver."""

    provider: str
    driver: str
    algorithm: str
    check: str


class Expectation(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a file of expected failures.

    `id`, the four names of a place and `message` are shell patterns; `id` is that of a case.
    `expires` is the last day (ISO 8601) on which the entry forgives.  `profile` is the smallest
    profile in which the failure is known to show.  `left_out` says why the run was not to run all
    that the entry can name; it is empty when it was.  `divided` says the same of cases that other
    drivers run.  `unknown` says that there is no driver and check of the names that it gives.
    """

    file: str
    line: int
    id: str
    provider: str = "*"
    driver: str = "*"
    algorithm: str = "*"
    check: str = "*"
    message: str = "*"
    reason: str
    expires: str
    profile: str = "default"
    left_out: str = ""
    divided: str = ""
    unknown: bool = False

    @property
    def origin(self) -> str:
        """Where it is written: file and line."""
        return f"{self.file}:{self.line}"

    @property
    def literal(self) -> bool:
        """Whether its id is that of one case, and no pattern."""
        return not _WILD.intersection(self.id)

    @property
    def text(self) -> str:
        """What it names, in words: the patterns that leave something out."""
        pairs = [(name, getattr(self, name)) for name in (*Place._fields, "message")]
        named = [f"{name} {pattern}" for name, pattern in pairs if pattern != "*"]
        return ", ".join([self.id, *named])

    def names(self, place: Place) -> bool:
        """Whether it can name cases of a place."""
        return (
            _matches(self.provider, place.provider)
            and _matches(self.driver, place.driver)
            and _matches(self.algorithm, place.algorithm)
            and _matches(self.check, place.check)
        )

    def names_case(self, case: str) -> bool:
        """Whether it names a case of a place that it names."""
        return _matches(self.id, case)

    def explains(self, message: str) -> bool:
        """Whether a failure with this message is the one that is expected."""
        return _matches(self.message, message)

    def expired(self, today: str) -> bool:
        """Whether its last day was before `today` (ISO 8601)."""
        return self.expires < today


def _matches(pattern: str, text: str) -> bool:
    # Literally as well, for names of drivers and cases may hold brackets.
    return pattern in ("*", text) or fnmatchcase(text, pattern)


class ExpectationsRead(Event, frozen=True):
    """The expected failures of the run, and the day (ISO 8601) by which they expire or do not."""

    today: str
    entries: list[Expectation]


class JudgedExpectation(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an entry: it forgave `cases` cases; `detail` says why it has its state.

    ===============  =============================================================================
    in-use           it forgave failures
    unexpected-pass  what it names ran, and no failure that it expects happened: the run fails
    fails-otherwise  what it names failed in another way, which it does not forgive
    stale            all that it can name was to run, and no case is so called: the run fails
    not-judged       not all that it can name ran, so nothing can be said
    expired          its last day is over: it forgives nothing
    ===============  =============================================================================
    """

    entry: Expectation
    state: ExpectationState
    cases: int = 0
    detail: str = ""

    @property
    def out_of_date(self) -> bool:
        """Whether the run fails because of it."""
        return self.state in ("unexpected-pass", "stale")
