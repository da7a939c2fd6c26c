"""Files of expected failures: reading them, and what a run leaves out of what they name."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec
import pytest

from tcrypt.expected import place_of, read_expectations
from tcrypt.plan import Plan
from tcrypt.plugins.options import PREFIX
from tcrypt.reports.expectations import Expectation, Place
from tcrypt.reports.words import DIVIDED_CHECKS
from tcrypt.settings import Settings, matches
from tcrypt.subject import Subject
from tcrypt.vectors.errors import VectorError

__all__ = ("BadDateError", "entries_of", "today", "with_left_out")

_OPTION = f"{PREFIX}expect-failures"
_EPOCH = "SOURCE_DATE_EPOCH"
_MUCH = 1 << 20


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


class _Scope(NamedTuple):
    """A check of a driver, and what of it the run leaves out.

    Attributes:
        place: where it is.
        missing: what the selection does not take; empty when it is taken.
        crowd: with whom the driver divides the check; empty when it runs all itself.
        further: whether the crowd's main machine is elsewhere, and runs more than all of this.
    """

    place: Place
    missing: str = ""
    crowd: str = ""
    further: bool = False


def with_left_out(
    entries: Iterable[Expectation],
    settings: Settings,
    registered: Sequence[Subject],
    checks: Iterable[str],
    meant: Iterable[Plan],
    plans: Iterable[Plan],
    broken: Iterable[str] = (),
) -> list[Expectation]:
    """The entries, each with what the run can say of it: all that it names, a part, or nothing.

    Args:
        entries: as they were read.
        settings: with the selection.
        registered: every driver that there is, selected or not.
        checks: every check that there is.
        meant: the items of the selection.
        plans: those that pytest will run.
        broken: the providers of which nothing could be registered.
    """
    scopes, lost = list(_scopes(settings, registered, checks)), list(broken)
    dropped = Counter(map(place_of, meant)) - Counter(map(place_of, plans))
    crowds = Counter(_share(scope) for scope in scopes)
    found = []
    for entry in entries:
        named = [scope for scope in scopes if entry.names(scope.place)]
        known = [] if named else [name for name in lost if matches(entry.provider, name)]
        left_out = f"provider {known[0]} is broken" if known else ""
        if settings.narrow:
            left_out = "the run was for one vector or case"
        elif any(entry.names(place) for place in dropped):
            left_out = "pytest was told to leave out items that it can name"
        found.append(
            msgspec.structs.replace(
                entry,
                left_out=_missing(named) or left_out,
                divided=_divided(entry, named, crowds),
                unknown=not named and not known,
            )
        )
    return found


def _scopes(
    settings: Settings, registered: Iterable[Subject], checks: Iterable[str]
) -> Iterator[_Scope]:
    selection, names = settings.selection, list(checks)
    for subject in registered:
        taken = selection.takes(subject)
        for check in names:
            place = Place(subject.provider.name, subject.driver, subject.algorithm, check)
            if not taken:
                yield _Scope(place, f"driver {subject.driver}")
            elif not selection.takes_check(check):
                yield _Scope(place, f"check {check}")
            elif _divides(settings, subject, check):
                standing = settings.standings[subject.id]
                kind = ("", *subject.checks, subject.type.word)
                home = "" if settings.limits.together else subject.provider.name
                further = standing.machine is not None and settings.limits.machines > 1
                yield _Scope(place, crowd=home + "/".join(kind), further=further)
            else:
                yield _Scope(place)


def _divides(settings: Settings, subject: Subject, check: str) -> bool:
    """Whether a driver runs a part of a check, because others run the rest."""
    most = settings.limits.scenario_teams
    if check in DIVIDED_CHECKS:
        return settings.share(subject, _MUCH) < _MUCH
    return settings.share(subject, _MUCH, most=most) < _MUCH if most > 1 else False


def _share(scope: _Scope) -> tuple[str, str]:
    return scope.crowd, scope.place.check


def _missing(named: Sequence[_Scope]) -> str:
    missing = list(dict.fromkeys(scope.missing for scope in named if scope.missing))
    if not missing:
        return ""
    more = f" and {len(missing) - 1:,} more" if len(missing) > 1 else ""
    return f"the selection leaves out what it can name: {missing[0]}{more}"


def _divided(entry: Expectation, named: Sequence[_Scope], crowds: Counter[tuple[str, str]]) -> str:
    """Why drivers that the entry does not name may have run what it does; empty when none can."""
    numbers = Counter(_share(scope) for scope in named)
    for scope in named:
        share = _share(scope)
        if scope.crowd and (entry.literal or scope.further or numbers[share] < crowds[share]):
            where = scope.place
            return f"{where.driver} runs a part of check {where.check}, other drivers the rest"
    return ""
