"""Real-time bounds: a driver that is stuck in its own code must not stop the run."""

from __future__ import annotations

import gc
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from tcrypt.problems import WatchdogError

__all__ = ("DriverGivenUpError", "Watchdog")

_BUDGET = 3.0
_SUSPECT = 0.2
_BETWEEN_CASES = 12.0
_REPEAT = 1.0
_SWALLOWED = 2
# How often, and how much later (s), a signal that strikes in a finalizer tries again.
_DEFERRED = 5
_SOON = 0.01
# How many functions a message names, and whose are of no use there.
_NAMED = 4
_MACHINERY = ("tcrypt.engine.sim", "tcrypt.engine.events", "tcrypt.engine.irq_line")


class DriverGivenUpError(BaseException):
    """A driver hung so often that what is left of its cases is not tried any more.

    Not an `Exception`, so that nothing between here and the item's end takes it for a failed case.
    """


class Watchdog:
    """Raises WatchdogError in the main thread when a case lasts too long.

    One case may take `seconds` (real time); a driver that has hung once gets a fifth of that, and
    one that has hung for three times `seconds` in all is given up.  The signal repeats, and gets
    through even where a loop of the driver's catches everything.  Real time is bounded inside of
    `watching` only, where platform and thread have an interval timer; `active` says so.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.active = False
        self._lost: dict[str, float] = {}
        self._who = ""
        self._patience = seconds
        # For each case that is armed: charged from, ends, lasts at most (s).
        self._armed: list[tuple[float, float, float]] = []
        self._home: FrameType | None = None
        self._expiries = 0
        self._deferred = 0
        self._outer_trace: tuple[Any] | None = None
        self._unraisable = sys.unraisablehook

    @contextmanager
    def watching(self, who: str) -> Iterator[None]:
        """Bound everything inside, on the account of driver `who`; then put the old timer back."""
        self._who = who
        self._armed.clear()
        self._set_patience()
        main = threading.current_thread() is threading.main_thread()
        if not main or not hasattr(signal, "setitimer"):
            yield
            return
        self.active = True
        unraisable, sys.unraisablehook = sys.unraisablehook, self._swallowed
        self._unraisable = unraisable
        handler = signal.signal(signal.SIGALRM, self._expired)
        timer = signal.setitimer(signal.ITIMER_REAL, self.seconds * _BETWEEN_CASES, _REPEAT)
        try:
            yield
        finally:
            self.active = False
            signal.setitimer(signal.ITIMER_REAL, *timer)
            # None stands for a handler that was not installed from Python.
            signal.signal(signal.SIGALRM, signal.SIG_DFL if handler is None else handler)
            sys.unraisablehook = unraisable

    def arm(self) -> None:
        """Start the clock of a case; cases nest.

        Raises:
            DriverGivenUpError: the driver has used up its budget of lost time.
        """
        why = self.given_up
        if why:
            raise DriverGivenUpError(why)
        now, limit = time.monotonic(), self._patience
        self._armed.append((now, now + limit, limit))
        if len(self._armed) == 1:
            self._home, self._expiries, self._deferred = sys._getframe(1), 0, 0
        self._start(limit)

    def disarm(self) -> None:
        """End the case that was armed last."""
        self._armed.pop()
        if not self._armed:
            self._home = None
            if self._outer_trace is not None:
                sys.settrace(self._outer_trace[0])
                self._outer_trace = None
            self._start(self.seconds * _BETWEEN_CASES)
        else:
            self._start(max(0.001, self._armed[-1][1] - time.monotonic()))

    def hung(self) -> None:
        """Charge the time of the running case, which did not end by itself, to the driver."""
        start, end, limit = self._armed[-1]
        now = time.monotonic()
        self._charge(now - start)
        self._armed[-1] = (now, end, limit)

    def _charge(self, seconds: float) -> None:
        self._lost[self._who] = self._lost.get(self._who, 0.0) + seconds
        self._set_patience()

    @property
    def given_up(self) -> str:
        """Why no further case of the driver is tried; empty as long as it has time left."""
        lost = self._lost.get(self._who, 0.0)
        if lost < _BUDGET * self.seconds:
            return ""
        return f"given up: cases of this driver have hung for {lost:.0f} s"

    def _set_patience(self) -> None:
        suspect = self._who in self._lost
        self._patience = self.seconds * (_SUSPECT if suspect else 1.0)

    def _start(self, seconds: float) -> None:
        if self.active:
            signal.setitimer(signal.ITIMER_REAL, seconds, _REPEAT)

    def _expired(self, signum: int, frame: FrameType | None) -> Any:
        if self._deferred < _DEFERRED and _in_finalizer(frame):
            # Python ignores what is raised there.
            self._deferred += 1
            signal.setitimer(signal.ITIMER_REAL, _SOON, _REPEAT)
            return
        if self._armed:
            seconds = self._armed[-1][2]
            self.hung()
        else:
            seconds = self.seconds * _BETWEEN_CASES
            self._charge(seconds)
        where = _busy_in(frame, self._home)
        error = WatchdogError(f"no answer within {seconds:g} s of real time{where}")
        self._expiries += 1
        if self._expiries > _SWALLOWED and self._home is not None:
            self._insist(frame, error)
        raise error

    def _swallowed(self, unraisable: Any) -> None:
        """Raise again, soon, what Python ignored: in a finalizer, a callback of the collector."""
        if not isinstance(unraisable.exc_value, WatchdogError):
            self._unraisable(unraisable)
        else:
            self._start(_SOON)

    def _insist(self, frame: FrameType | None, error: WatchdogError) -> None:
        """Raise once more on a line that the driver runs after it caught this signal.

        One of the first lines is in its own handler, which does not catch what is raised there;
        which one that is, is found by going one line further every time.
        """
        lines = self._expiries - _SWALLOWED
        if self._outer_trace is None:
            self._outer_trace = (sys.gettrace(),)

        def again(frame: FrameType, event: str, argument: Any) -> Any:
            nonlocal lines
            lines -= event == "line"
            if not lines:
                raise error
            return again

        while frame is not None and frame is not self._home:
            frame.f_trace = again
            frame = frame.f_back
        sys.settrace(lambda *arguments: None)


def _busy_in(frame: FrameType | None, home: FrameType | None) -> str:
    """The innermost functions that were running, up to the event that they belong to."""
    names: list[str] = []
    while frame is not None and frame is not home and len(names) < _NAMED:
        if not frame.f_globals.get("__name__", "").startswith(_MACHINERY):
            names.append(frame.f_code.co_qualname)
        elif names:
            break
        frame = frame.f_back
    return f", in {', called by '.join(names)}" if names else ""


def _in_finalizer(frame: FrameType | None) -> bool:
    """Whether an object's `__del__`, or a callback of the garbage collector, is running."""
    codes = {getattr(callback, "__code__", None) for callback in gc.callbacks}
    while frame is not None:
        if frame.f_code.co_name == "__del__" or frame.f_code in codes:
            return True
        frame = frame.f_back
    return False
