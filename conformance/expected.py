"""Failures that a driver's author expects: files that say so, and which failures they forgive.

An entry names cases, gives a reason, and has a last day.  It forgives a case of which every
problem is explained by entries, and never a crash, a hang or a fault of the suite itself, after
which nothing is known about the driver.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tcrypt.plan import Plan
from tcrypt.problems import Problem
from tcrypt.reports.expectations import Expectation, Place
from tcrypt.settings import PROFILES
from tcrypt.vectors.errors import VectorError
from tcrypt.vectors.schema import Reader, read_entries

__all__ = (
    "NOTHING_EXPECTED",
    "Expectations",
    "beyond_expectation",
    "place_of",
    "read_expectations",
)

_LARGEST = 4 << 20
_PATTERNS = (*Place._fields, "message")


def beyond_expectation(problem: Problem) -> bool:
    """Whether no entry may forgive a problem."""
    return problem.grave or problem.attribution == "suite"


def place_of(plan: Plan) -> Place:
    """Where the cases of an item belong."""
    subject = plan.subject
    return Place(subject.provider.name, subject.driver, subject.algorithm, plan.check)


@dataclass(frozen=True, slots=True)
class Expectations:
    """The entries that apply, each with its number among all of the run.

    Attributes:
        numbered: the entries with their numbers.
    """

    numbered: tuple[tuple[int, Expectation], ...] = ()

    @classmethod
    def valid(cls, entries: Iterable[Expectation], today: str) -> Expectations:
        """Those of some entries that have not expired by `today` (ISO 8601)."""
        pairs = enumerate(entries)
        return cls(tuple((n, entry) for n, entry in pairs if not entry.expired(today)))

    def about(self, plan: Plan) -> Expectations:
        """Those that can name cases of an item."""
        if not self.numbered:
            return self
        place = place_of(plan)
        return Expectations(tuple(pair for pair in self.numbered if pair[1].names(place)))

    def forgiving(self, case: str, problems: Sequence[Problem]) -> list[int]:
        """The numbers of the entries that forgive a case; none unless they explain all of it."""
        named = [(number, entry) for number, entry in self.numbered if entry.names_case(case)]
        found: set[int] = set()
        for problem in problems:
            explained = {number for number, entry in named if entry.explains(problem.message)}
            if not explained or beyond_expectation(problem):
                return []
            found |= explained
        return sorted(found)

    def surprising_first(self, case: str, problems: Sequence[Problem]) -> list[Problem]:
        """The problems of a case, those that no entry explains before the others."""
        named = [entry for _, entry in self.numbered if entry.names_case(case)]

        def expected(problem: Problem) -> bool:
            explained = any(entry.explains(problem.message) for entry in named)
            return explained and not beyond_expectation(problem)

        return sorted(problems, key=expected)

    def reasons(self, numbers: Sequence[int]) -> str:
        """Why some entries forgive."""
        found = [entry.reason for number, entry in self.numbered if number in numbers]
        return "; ".join(dict.fromkeys(found))


NOTHING_EXPECTED = Expectations()


def read_expectations(paths: Iterable[tuple[str, Path]]) -> tuple[Expectation, ...]:
    """Read files of expected failures.

    Args:
        paths: each file by the name that messages and reports give it, and where it is.

    Raises:
        VectorError: a file is missing, is not in the format, or says the same twice; with file,
            line and field.
    """
    found: dict[tuple[str, ...], Expectation] = {}
    for label, path in paths:
        for reader in read_entries(_text(label, path), label):
            entry = _entry(label, reader)
            key = (entry.id, *(getattr(entry, name) for name in _PATTERNS))
            if key in found:
                raise reader.error("id", f"names the same as the entry at {found[key].origin}")
            found[key] = entry
    return tuple(found.values())


def _text(label: str, path: Path) -> str:
    try:
        # Not by its size, which a pipe or a device does not tell.
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise VectorError(label, 0, "", error.strerror or str(error)) from error
    if len(data) > _LARGEST:
        raise VectorError(label, 0, "", f"want at most {_LARGEST:,} bytes")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise VectorError(label, line, "", f"not UTF-8: byte {data[error.start]:#04x}") from None


def _entry(label: str, reader: Reader) -> Expectation:
    entry = Expectation(
        file=label,
        line=reader.line,
        id=reader.text("id"),
        reason=reader.text("reason"),
        expires=reader.day("expires").isoformat(),
    )
    given = {name: reader.text(name) for name in _PATTERNS if name in reader}
    if "profile" in reader:
        given["profile"] = reader.choice("profile", PROFILES)
    reader.close()
    entry = msgspec.structs.replace(entry, **given)
    if not entry.id.strip("*") and not entry.message.strip("*"):
        raise reader.error("id", f"{entry.id!r} names every case: say which message is expected")
    return entry
