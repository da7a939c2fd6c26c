"""Compares the names that a run was asked for with those that exist."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from tcrypt.plugins.discovery import BrokenProvider
from tcrypt.plugins.options import PREFIX
from tcrypt.settings import Selection, Settings, matches
from tcrypt.subject import Subject

__all__ = (
    "SelectionError",
    "check_names",
    "check_profile",
    "check_selection",
    "nothing_selected",
)


_SHOWN = 24


class SelectionError(Exception):
    """An option names what does not exist; the message has option, value and choices."""


def check_selection(
    selection: Selection,
    subjects: Sequence[Subject],
    broken: Sequence[BrokenProvider],
    checks: Iterable[str],
) -> None:
    """Refuse every pattern that matches nothing at all.

    Raises:
        SelectionError: for the first one.
    """
    lost = "".join(f"\nprovider {bad.provider.name} is broken: {bad.why}" for bad in broken)
    providers = [s.provider.name for s in subjects] + [bad.provider.name for bad in broken]
    check_names("provider", selection.providers, providers)
    check_names("driver", selection.drivers, [s.driver for s in subjects], lost)
    check_names("algorithm", selection.algorithms, [s.algorithm for s in subjects], lost)
    check_names("check", selection.checks, checks)


def check_names(
    option: str, patterns: Iterable[str], names: Iterable[str], note: str = ""
) -> None:
    """Refuse a pattern that matches none of `names`.

    Args:
        option: the option's name without prefix.
        patterns: its values.
        names: what they may match.
        note: what else the user should know.

    Raises:
        SelectionError: for the first pattern without a match.
    """
    choices = list(dict.fromkeys(names))
    for pattern in patterns:
        if any(matches(pattern, name) for name in choices):
            continue
        near = difflib.get_close_matches(pattern, choices, n=3)
        hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
        raise SelectionError(
            f"{PREFIX}{option} {pattern!r}: there is none{hint}"
            f"\nchoices: {', '.join(choices[:_SHOWN]) or 'none'}{_more(choices)}{note}"
        )


def _more(choices: Sequence[object]) -> str:
    """How many choices are not shown, and what shows them."""
    more = len(choices) - _SHOWN
    return f"\n... and {more} more, which `tcrypt list` shows" if more > 0 else ""


def check_profile(settings: Settings, checks: Iterable[str], kernels: str) -> None:
    """Refuse a choice of checks of which the profile runs none.

    Args:
        settings: the run's.
        checks: all that there are.
        kernels: the one that only the profiles of the kernel's self-test run, and nothing else.

    Raises:
        SelectionError: there is nothing to run.
    """
    chosen = [name for name in checks if settings.selection.takes_check(name)]
    if not any((name == kernels) == bool(settings.limits.testmgr) for name in chosen):
        raise SelectionError(
            f"profile {settings.profile} does not run {', '.join(chosen)}:"
            f" {kernels} is run by testmgr and testmgr-extra, and nothing else is"
        )


def nothing_selected(selection: Selection, subjects: Iterable[Subject]) -> SelectionError:
    """The error for options that match each for itself, and together no driver."""
    asked = " ".join(f"{PREFIX}{name} {value!r}" for name, value in selection.options())
    near = sorted(subjects, key=lambda subject: -_matching(selection, subject))
    lines = [f"  {s.provider.name:<20} {s.driver:<30} {s.algorithm}" for s in near[:_SHOWN]]
    return SelectionError(
        f"{asked}: no driver matches all of this; there are\n" + "\n".join(lines) + _more(near)
    )


def _matching(selection: Selection, subject: Subject) -> int:
    """How many of the lists of patterns take a driver."""
    fields = {
        "provider": subject.provider.name,
        "driver": subject.driver,
        "algorithm": subject.algorithm,
        "type": subject.type.word,
    }
    asked = selection.options()
    return sum(
        any(matches(pattern, value) for option, pattern in asked if option == name)
        for name, value in fields.items()
    )
