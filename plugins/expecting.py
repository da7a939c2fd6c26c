"""Files of expected failures: reading them, and what a run leaves out of what they name."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

import msgspec
import pytest

from tcrypt.expected import place_of, read_expectations
from tcrypt.plan import Plan
from tcrypt.plugins.options import PREFIX
from tcrypt.reports.expectations import Expectation, Place
from tcrypt.settings import Settings
from tcrypt.subject import Subject
from tcrypt.vectors.errors import VectorError

__all__ = ("BadDateError", "entries_of", "today", "with_left_out")

_OPTION = f"{PREFIX}expect-failures"
_EPOCH = "SOURCE_DATE_EPOCH"


class BadDateError(ValueError):
    """The environment says what day it is, in a form that is no number of seconds."""


def today() -> str:
    """The day by which entries expire, ISO 8601 in UTC: that of SOURCE_DATE_EPOCH where it is set.

    Raises:
        BadDateError: SOURCE_DATE_EPOCH is not the number of seconds since 1970.
    """
    text = os.environ.get(_EPOCH, "")
    if not text:
        return datetime.now(UTC).date().isoformat()
    try:
        return datetime.fromtimestamp(int(text), UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):
        raise BadDateError(f"{_EPOCH} {text!r}: want seconds since 1970") from None


def entries_of(config: pytest.Config) -> tuple[Expectation, ...]:
    """The entries of all files that were named, by the names that they were given.

    Raises:
        pytest.UsageError: a file is missing or malformed, or is named twice.
    """
    names = config.getoption("tcrypt_expect_failures")
    try:
        return read_expectations((name, config.invocation_params.dir / name) for name in names)
    except VectorError as error:
        raise pytest.UsageError(f"{_OPTION}: {error}") from error


def with_left_out(
    entries: Iterable[Expectation],
    settings: Settings,
    registered: Sequence[Subject],
    checks: Iterable[str],
    meant: Iterable[Plan],
    plans: Iterable[Plan],
) -> list[Expectation]:
    """The entries, each with what the run can say of it: all that it names, a part, or nothing.

    Args:
        entries: as they were read.
        settings: with the selection.
        registered: every driver that there is, selected or not.
        checks: every check that there is.
        meant: the items of the selection.
        plans: those that pytest will run.
    """
    everything = list(_places(settings, registered, checks))
    dropped = Counter(map(place_of, meant)) - Counter(map(place_of, plans))
    return [
        msgspec.structs.replace(
            entry,
            left_out=_why(entry, settings, everything, dropped),
            unknown=not any(entry.names(place) for place, _ in everything),
        )
        for entry in entries
    ]


def _places(
    settings: Settings, registered: Iterable[Subject], checks: Iterable[str]
) -> Iterator[tuple[Place, str]]:
    """Every driver and check that there is, with the word for what the selection does not take."""
    selection, names = settings.selection, list(checks)
    for subject in registered:
        driver = "" if selection.takes(subject) else f"driver {subject.driver}"
        for check in names:
            where = Place(subject.provider.name, subject.driver, subject.algorithm, check)
            yield where, driver or ("" if selection.takes_check(check) else f"check {check}")


def _why(
    entry: Expectation,
    settings: Settings,
    everything: Iterable[tuple[Place, str]],
    dropped: Iterable[Place],
) -> str:
    if settings.narrow:
        return "the run was for one vector or case"
    words = (word for place, word in everything if word and entry.names(place))
    missing = list(dict.fromkeys(words))
    if missing:
        more = f" and {len(missing) - 1:,} more" if len(missing) > 1 else ""
        return f"the selection leaves out what it can name: {missing[0]}{more}"
    if any(entry.names(place) for place in dropped):
        return "pytest was told to leave out items that it can name"
    return ""
