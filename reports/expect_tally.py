"""What became of each expected failure: in use, out of date, or not to be judged by this run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field

from tcrypt.reports.expectations import (
    Expectation,
    ExpectationsRead,
    JudgedExpectation,
    Place,
)
from tcrypt.reports.model import ItemRecord
from tcrypt.reports.tally import Tally
from tcrypt.reports.words import DRAWN_CHECKS, ExpectationState

__all__ = ("ExpectTally",)

_PROFILES = ("quick", "default", "full")
_DRAWN_MARK = "="  # the ids of drawn cases are made of pairs `name=value`


@dataclass
class _Met:
    """What a run had of the cases that an entry names.

    `items` is how many items can have them, and of these `stopped` how many a crash, a hang or the
    like may have kept from running them, `drawn` how many draw their cases.
    """

    passed: int = 0
    failed: int = 0
    expected: int = 0
    unexecuted: dict[str, int] = field(default_factory=dict)
    unfinished: int = 0
    items: int = 0
    stopped: int = 0
    drawn: int = 0

    @property
    def ran(self) -> int:
        return self.passed + self.failed + self.expected


class ExpectTally:
    """The entries of a run, which every process of it writes down alike."""

    def __init__(self) -> None:
        self.today = ""
        self._entries: list[Expectation] = []

    def read(self, event: ExpectationsRead) -> None:
        """Take the entries."""
        self.today, self._entries = event.today, event.entries

    def problems(self, tally: Tally) -> list[str]:
        """Return what contradicts itself: failures that were forgiven by nobody knows what."""
        lost = sum(max(failure.expected_by) >= len(self._entries) for failure in tally.expected)
        return [f"{lost:,} failures were expected by entries that no log has"] if lost else []

    def judged(
        self, tally: Tally, profile: str, interrupted: bool
    ) -> tuple[JudgedExpectation, ...]:
        """Each entry with what became of it; the place of an entry is its number.

        Args:
            tally: the items of the run.
            profile: how much the run was to do.
            interrupted: whether it did not get to its end.
        """
        grave = {failure.item for failure in tally.failures if failure.grave}
        used = [0] * len(self._entries)
        for failure in tally.expected:
            for number in failure.expected_by:
                # A damaged log may have lost the entries; `problems` says so.
                if number < len(used):
                    used[number] += 1
        return tuple(
            JudgedExpectation(entry=entry, state="in-use", cases=forgiven)
            if forgiven
            else self._idle(entry, _met(entry, tally.records, grave), profile, interrupted)
            for entry, forgiven in zip(self._entries, used, strict=True)
        )

    def _idle(
        self, entry: Expectation, met: _Met, profile: str, interrupted: bool
    ) -> JudgedExpectation:
        """What became of an entry that forgave nothing."""
        state: ExpectationState
        if entry.expired(self.today):
            failed = f"; {_cases(met.failed)} that it names failed" if met.failed else ""
            state, detail = "expired", f"it expired on {entry.expires}{failed}"
        elif met.failed:
            state, detail = "fails-otherwise", f"{_cases(met.failed)} failed in another way"
        elif why := _not_to_be_judged(entry, met, profile, interrupted):
            state, detail = "not-judged", why
        elif met.ran:
            state = "unexpected-pass"
            detail = f"{_cases(met.ran)} ran and none failed so: remove the entry"
        elif met.drawn and met.drawn == met.items and not entry.literal:
            state, detail = "unexpected-pass", "no case that was drawn failed so: remove the entry"
        else:
            what = "driver and check of these names" if entry.unknown else f"case {entry.id}"
            state, detail = "stale", f"there is no {what}"
        return JudgedExpectation(entry=entry, state=state, detail=detail)


def _not_to_be_judged(entry: Expectation, met: _Met, profile: str, interrupted: bool) -> str:
    """Why the run says nothing about an entry; empty when it does."""
    if interrupted or met.unfinished:
        return "the run did not get to its end"
    if entry.left_out:
        return entry.left_out
    if met.stopped:
        return "a crash or a hang in it, or before it, may have kept cases from running"
    if entry.unknown:
        return ""
    if met.ran and entry.literal and (not entry.divided or met.ran == met.items):
        return ""
    if entry.divided:
        return entry.divided
    if met.drawn and not met.ran and entry.literal and _DRAWN_MARK in entry.id:
        return "its case is a drawn one, and was not drawn: name it by a pattern and its message"
    if profile in _PROFILES and entry.profile in _PROFILES[_PROFILES.index(profile) + 1 :]:
        return f"profile {profile} runs less than profile {entry.profile}, in which it shows"
    if met.ran or not met.unexecuted:
        return ""
    told = ", ".join(f"{_cases(number)} {why}" for why, number in met.unexecuted.items())
    return f"what it names did not run: {told}"


def _met(entry: Expectation, records: Sequence[ItemRecord], grave: Set[str]) -> _Met:
    met = _Met()
    # There may be half a million cases, and a pattern costs many times what a comparison does.
    names = entry.id.__eq__ if entry.literal else entry.names_case
    for record in _named(entry, records):
        met.items += 1
        met.stopped += record.item in grave
        met.drawn += record.check in DRAWN_CHECKS and bool(record.passed)
        met.passed += sum(map(names, record.passed))
        met.failed += sum(map(names, record.failed))
        met.expected += sum(map(names, record.expected))
        for group in record.others:
            met.stopped += group.verdict == "blocked"
            number = sum(map(names, group.ids))
            if number:
                why = f"{group.verdict} ({group.reason})"
                met.unexecuted[why] = met.unexecuted.get(why, 0) + number
                met.unfinished += group.verdict == "not-run"
        met.unfinished += bool(record.unrecorded)
    return met


def _named(entry: Expectation, records: Sequence[ItemRecord]) -> Iterator[ItemRecord]:
    for record in records:
        if entry.names(Place(record.provider, record.driver, record.algorithm, record.check)):
            yield record


def _cases(number: int) -> str:
    return f"{number:,} case{'' if number == 1 else 's'}"
