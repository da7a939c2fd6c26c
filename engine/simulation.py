"""The clock and the event queue of one simulated machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from math import inf
from typing import TYPE_CHECKING

from tcrypt.engine.events import (
    Chooser,
    Context,
    Costs,
    Event,
    SimulationError,
    StepBudgetError,
)
from tcrypt.engine.processor import Processor

if TYPE_CHECKING:
    from tcrypt.engine.irq_line import IrqLine

__all__ = ("Simulation",)


class Simulation(Processor):
    """The clock and the event queue of one simulated machine.

    Callbacks run to their end unless somebody sets `preemption_points`: that function is then
    called, with a label, wherever code passes a `preemption_point`, and may let interrupts and
    other work run there with `let_pass` or `run_inside`.

    Attributes:
        window: how far apart (ns) two events may be due and still count as a tie for the chooser;
            latencies vary, so that an event may overtake an earlier one by that much.  What the
            devices do stays in its order.
        irq_lines: every interrupt line of the machine, for faults that strike there.
        preemption_points: what is called at preemption points; None for nothing.
    """

    def __init__(self, chooser: Chooser | None = None, costs: Costs | None = None) -> None:
        super().__init__()
        self.now = 0
        self.costs = costs or Costs()
        self.chooser = chooser
        self.window = 0
        self.steps = 0
        self.trace: list[tuple[int, Context, str]] | None = None
        self.irq_lines: list[IrqLine] = []
        self.preemption_points: Callable[[str], None] | None = None
        self._queue: list[tuple[int, int, Event]] = []
        self._sequence = 0

    def schedule(
        self, delay: int, context: Context, label: str, callback: Callable[[], None]
    ) -> Event:
        """Queue `callback` to run in `context` after `delay` ns (0 or more)."""
        if delay < 0:
            raise SimulationError(f"event {label!r} scheduled {delay} ns ahead: not in the past")
        self._sequence = sequence = self._sequence + 1
        time = self.now + delay
        event = Event(time, sequence, context, label, callback)
        heappush(self._queue, (time, sequence, event))
        return event

    def preemption_point(self, label: str) -> None:
        """A place at which the running code can be interrupted, if anybody wants to."""
        if self.preemption_points is not None:
            self.preemption_points(label)

    def strikers(self, until: int) -> list[Event]:
        """The queued events up to the time `until` (ns) that may run at once, in their order."""
        due = sorted(entry for entry in self._queue if entry[0] <= until)
        return [e for *_, e in due if not e.cancelled and self.may_strike(e.context)]

    def run_inside(self, event: Event) -> None:
        """Run a queued event now, inside of the running callback."""
        event.cancel()
        self.now = max(self.now, event.time)
        self._perform(event)

    def let_pass(self, duration: int) -> None:
        """Let `duration` ns pass inside the running callback, with all that can strike then."""
        end, queue = self.now + duration, self._queue
        while queue and queue[0][0] <= end and (strikers := self.strikers(end)):
            self.run_inside(strikers[0])
        self.now = max(self.now, end)

    def sleep(self, duration: int, what: str = "sleep") -> None:
        """Let `duration` ns pass while everything else runs; only where sleeping is allowed."""
        self.might_sleep(what)
        self._run_for(duration)

    def _run_for(self, duration: int) -> None:
        end = self.now + duration
        while not self.idle and self._next_time() <= end:
            self.step()
        self.now = max(self.now, end)

    def _next_time(self) -> int:
        return self._queue[0][0]

    @property
    def idle(self) -> bool:
        """Whether no event is queued (cancelled ones do not count)."""
        queue = self._queue
        while queue and queue[0][2].cancelled:
            heappop(queue)
        return not queue

    def _run_plainly(self, deadline: float, budget: int) -> bool:
        """`run` without chooser and trace, in one loop: this is where a suite spends its time.

        False when the next event is too late, or one too many.
        """
        queue, pop, outer = self._queue, heappop, self.context
        try:
            while queue:
                entry = pop(queue)
                time, _, event = entry
                if event.cancelled:
                    continue
                if time > deadline or self.steps >= budget:
                    heappush(queue, entry)
                    return False
                if time > self.now:
                    self.now = time
                self.steps += 1
                self.context = event.context
                event.callback()
        finally:
            self.context = outer
        return True

    def note(self, text: str) -> None:
        """Add a line to the trace, if one is kept, beside the events that run."""
        if self.trace is not None:
            self.trace.append((self.now, self.context, text))

    def step(self) -> bool:
        """Run one event; False when none is queued."""
        if self.idle:
            return False
        event = heappop(self._queue)[2] if self.chooser is None else self._chosen()
        if event.time > self.now:
            self.now = event.time
        self._perform(event)
        return True

    def _perform(self, event: Event) -> None:
        self.steps += 1
        if self.trace is not None:
            self.trace.append((self.now, event.context, event.label))
        previous, self.context = self.context, event.context
        no_sleep, self.no_sleep = self.no_sleep, False
        try:
            event.callback()
        finally:
            self.context = previous
            self.no_sleep = no_sleep

    def pending(self) -> list[Event]:
        """The queued events, in the order in which they are due."""
        return [event for *_, event in sorted(self._queue) if not event.cancelled]

    def _chosen(self) -> Event:
        assert self.chooser is not None
        pending = self.pending()
        horizon = max(pending[0].time + self.window, self.now)
        ready = [event for event in pending if event.time <= horizon]
        if self.window:
            ready = _devices_in_order(ready)
        index = self.chooser.choose(ready) if len(ready) > 1 else 0
        if not 0 <= index < len(ready):
            raise SimulationError(f"chooser answered {index} for {len(ready)} ready events")
        chosen = ready[index]
        # What is sorted is a heap, too.
        self._queue[:] = [(e.time, e.sequence, e) for e in pending if e is not chosen]
        return chosen

    def run(
        self,
        *,
        until: Callable[[], bool] | None = None,
        deadline: int | None = None,
        max_steps: int = 1_000_000,
    ) -> bool:
        """Run events until idle, until `until()` holds, or until the clock passes `deadline` (ns).

        Returns:
            True when the simulation went idle or `until` held; False at the deadline.

        Raises:
            StepBudgetError: more than `max_steps` events ran.
        """
        budget = self.steps + max_steps
        plain = until is None and self.chooser is None and self.trace is None
        if plain and self._run_plainly(inf if deadline is None else deadline, budget):
            return True
        while not (until is not None and until()):
            if self.idle:
                return True
            if deadline is not None and self._next_time() > deadline:
                self.now = max(self.now, deadline)
                return False
            if self.steps >= budget:
                raise StepBudgetError(f"{max_steps} events without an end, now {self.now} ns")
            self.step()
        return True


def _devices_in_order(ready: Sequence[Event]) -> list[Event]:
    """Only the first of the devices' events; it cannot be overtaken by what it comes before."""
    first = next((event for event in ready if event.context is Context.DEVICE), None)
    return [e for e in ready if e.context is not Context.DEVICE or e is first]
