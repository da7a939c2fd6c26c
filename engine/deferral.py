"""What a driver puts off: work items, tasklets and timers."""

from __future__ import annotations

from collections.abc import Callable

from tcrypt.engine.events import Context, Event
from tcrypt.engine.simulation import Simulation

__all__ = ("Tasklet", "Timer", "WorkItem")

_WORK, _SOFTIRQ = Context.WORK, Context.SOFTIRQ


class WorkItem:
    """A work item on its own single-threaded worker: queued at most once at a time.

    One that is queued while its function sleeps runs again after that, never inside of it.
    """

    def __init__(self, sim: Simulation, label: str, function: Callable[[], None]) -> None:
        self._sim = sim
        self._label = label
        self._function = function
        self._event: Event | None = None
        self._running = False
        self._again = False

    @property
    def pending(self) -> bool:
        """Whether the item is queued and has not started."""
        return self._again or self._event is not None

    def queue(self) -> bool:
        """Queue the item; False when it was queued already."""
        if self._again or self._event is not None:
            return False
        if self._running:
            self._again = True
        else:
            self._schedule()
        return True

    def cancel(self) -> None:
        """Unqueue the item if it has not started."""
        self._again = False
        if self._event is not None:
            self._event.cancel()
            self._event = None

    def _schedule(self) -> None:
        sim = self._sim
        self._event = sim.schedule(sim.costs.work, _WORK, self._label, self._run)

    def _run(self) -> None:
        self._event = None
        self._running = True
        try:
            self._function()
        finally:
            self._running = False
        if self._again:
            self._again = False
            self._schedule()


class Tasklet:
    """A softirq tasklet: scheduled at most once at a time, runs with bottom halves disabled."""

    def __init__(self, sim: Simulation, label: str, function: Callable[[], None]) -> None:
        self._sim = sim
        self._label = label
        self._function = function
        self._event: Event | None = None

    def schedule(self) -> None:
        """Ask for one run; no effect while one is pending."""
        if self._event is None:
            sim = self._sim
            self._event = sim.schedule(sim.costs.softirq, _SOFTIRQ, self._label, self._run)

    def kill(self) -> None:
        """Take back a run that is pending."""
        if self._event is not None:
            self._event.cancel()
            self._event = None

    def _run(self) -> None:
        self._event = None
        self._function()


class Timer:
    """A one-shot timer; starting it again moves it."""

    def __init__(
        self,
        sim: Simulation,
        label: str,
        function: Callable[[], None],
        context: Context = Context.SOFTIRQ,
    ) -> None:
        self._sim = sim
        self._label = label
        self._function = function
        self._context = context
        self._event: Event | None = None

    @property
    def pending(self) -> bool:
        """Whether the timer is running."""
        return self._event is not None

    def start(self, delay: int) -> None:
        """Fire once, `delay` ns from now."""
        self.cancel()
        self._event = self._sim.schedule(delay, self._context, self._label, self._run)

    def cancel(self) -> None:
        """Stop the timer if it is running."""
        if self._event is not None:
            self._event.cancel()
            self._event = None

    def _run(self) -> None:
        self._event = None
        self._function()
