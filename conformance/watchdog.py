"""A real-time bound on one case: a driver stuck in its own code must not stop the run."""

from __future__ import annotations

import signal
import threading
from types import FrameType

from tcrypt.problems import WatchdogError

__all__ = ("Watchdog",)


class Watchdog:
    """Raises WatchdogError in the main thread when a case lasts longer than `seconds`.

    The signal repeats until `disarm`, in case the driver catches everything.  Where the platform
    or the thread has no interval timer, nothing is armed and `active` is False.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.active = hasattr(signal, "setitimer") and (
            threading.current_thread() is threading.main_thread()
        )
        if self.active:
            signal.signal(signal.SIGALRM, self._expired)

    def arm(self) -> None:
        """Start or restart the clock."""
        if self.active:
            signal.setitimer(signal.ITIMER_REAL, self.seconds, 1.0)

    def disarm(self) -> None:
        """Stop the clock."""
        if self.active:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _expired(self, signum: int, frame: FrameType | None) -> None:
        raise WatchdogError(f"no answer within {self.seconds:g} s of real time")
