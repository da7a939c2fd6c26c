"""What a check can find wrong: a problem, and the fact that it breaks."""

from __future__ import annotations

import traceback
from typing import NamedTuple

from tcrypt.reports.words import Attribution

__all__ = ("Problem", "WatchdogError", "hex_excerpt", "raised")

_SHOWN = 64


class Problem(NamedTuple):
    """One thing that is wrong.

    Attributes:
        message: the kind of defect, without values; failures with one message form a group.
        fact: the written rule that it breaks.
        expected: what was wanted, hex or a status; empty where the message says it all.
        got: what came instead.
        attribution: whose fault it is: `driver`, `device`, `profile` or `suite`.
        details: further lines, with the values.
        timeline: what the machine did, oldest first.
        grave: whether the driver crashed or hung, after which nothing about it is known; no file
            of expected failures forgives that.
    """

    message: str
    fact: str
    expected: str = ""
    got: str = ""
    attribution: Attribution = "driver"
    details: tuple[str, ...] = ()
    timeline: tuple[str, ...] = ()
    grave: bool = False


class WatchdogError(BaseException):
    """The driver's code ran longer in real time than the run allows.

    Not an `Exception`, so that a driver's own `except Exception` does not swallow it.
    """


def hex_excerpt(data: bytes, around: int | None = None) -> str:
    """Hex of `data`, cut to a readable part around the byte index `around` when it is long."""
    if len(data) <= _SHOWN:
        return data.hex()
    start = max(0, (around or 0) - _SHOWN // 4)
    part = data[start : start + _SHOWN]
    head = "..." if start else ""
    tail = "..." if start + _SHOWN < len(data) else ""
    return f"{head}{part.hex()}{tail} ({len(data)} bytes, from byte {start})"


def raised(error: BaseException, what: str) -> Problem:
    """The problem of a driver that raised instead of returning a status."""
    # A device model that lacks what was asked for says so: then nothing is said about the driver.
    at_fault: Attribution = getattr(error, "attribution", "driver")
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {frames[-1].name}, line {frames[-1].lineno}" if frames else ""
    return Problem(
        f"{what} raised {type(error).__name__}",
        "a driver answers with a status, it does not raise",
        expected="0 or a negative errno",
        got=type(error).__name__,
        attribution=at_fault,
        details=(f"{error}{where}",),
        grave=True,
    )
