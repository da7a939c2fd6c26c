"""Whose fault it is that an item stopped in the middle: told from where the exception came."""

from __future__ import annotations

import traceback
from pathlib import Path

import tcrypt
import tcrypt.engine
import tcrypt.plugins
import tcrypt.plugins.eip93
import tcrypt.plugins.providers
from tcrypt import facts
from tcrypt.problems import Problem, WatchdogError

__all__ = ("place_in_own_code", "stopped")

_DRIVERS = str(Path(tcrypt.engine.__path__[0]))
_PROVIDERS = {tcrypt.plugins.providers.__file__, tcrypt.plugins.eip93.__file__}
_SUITE = tuple(
    str(Path(package.__path__[0])) for package in (tcrypt, tcrypt.engine, tcrypt.plugins)
)
_FRAMES = 6


def place_in_own_code(error: BaseException) -> str:
    """Where the innermost code outside of the suite was, as ` (FILE:LINE)`, or an empty text."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if not f.filename.startswith(_SUITE)]
    return f" ({own[-1].filename}:{own[-1].lineno})" if own else ""


def stopped(error: BaseException, check: str) -> Problem:
    """The problem of an item that could not go on.

    A driver is called through `tcrypt.engine`, and booted by its provider; an exception that came
    out of neither is a fault of the suite.
    """
    frames = traceback.extract_tb(error.__traceback__)
    driver = any(f.filename.startswith(_DRIVERS) or f.filename in _PROVIDERS for f in frames)
    kind = "hung" if isinstance(error, WatchdogError) else f"raised {type(error).__name__}"
    return Problem(
        f"{'the driver' if driver else f'check {check}'} {kind}, the item could not go on",
        facts.PROGRESS if isinstance(error, WatchdogError) else facts.RECORD,
        attribution="driver" if driver else "suite",
        grave=True,
        details=(
            str(error),
            *(f"{f.filename}:{f.lineno} in {f.name}: {f.line}" for f in frames[-_FRAMES:]),
        ),
    )
