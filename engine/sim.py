"""A deterministic discrete-event simulation: clock, contexts, work, tasklets, timers, interrupts.

Nothing here runs by itself and nothing sleeps in real time.  Callbacks are queued as events on a
clock that counts nanoseconds; a caller runs the simulation until it is idle, or until a condition
holds.  Two events of the same instant run in the order in which they were queued, unless a
*chooser* decides: then every tie is a choice that a search can make and shrink.
"""

from __future__ import annotations

import enum
import heapq
from collections.abc import Callable, Sequence
from typing import Protocol

__all__ = (
    "AtomicSleepError",
    "BusError",
    "Chooser",
    "Context",
    "Costs",
    "Event",
    "IrqLine",
    "Simulation",
    "SimulationError",
    "StepBudgetError",
    "Tasklet",
    "Timer",
    "WorkItem",
)


class SimulationError(Exception):
    """A rule of the simulated machine was broken."""


class StepBudgetError(SimulationError):
    """More events ran than the caller allowed: the machine is busy without getting anywhere."""


class AtomicSleepError(SimulationError):
    """Something slept where it must not: in interrupt or softirq context, or without MAY_SLEEP."""


class BusError(Exception):
    """A bus master touched an address that nothing answers for."""

    def __init__(self, address: int, length: int, why: str) -> None:
        super().__init__(f"bus error at {address:#010x}, {length} bytes: {why}")
        self.address = address
        self.length = length


class Context(enum.Enum):
    """The context in which an event runs, as the kernel tells them apart."""

    TASK = "task"
    WORK = "work"
    SOFTIRQ = "softirq"
    HARDIRQ = "hardirq"
    DEVICE = "device"


_ATOMIC = frozenset({Context.SOFTIRQ, Context.HARDIRQ})


class Event:
    """One queued callback; `cancel()` keeps it from running."""

    __slots__ = ("callback", "cancelled", "context", "label", "sequence", "time")

    def __init__(
        self, time: int, sequence: int, context: Context, label: str, callback: Callable[[], None]
    ) -> None:
        self.time = time
        self.sequence = sequence
        self.context = context
        self.label = label
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        """Take the event out of the queue; cancelling twice is harmless."""
        self.cancelled = True


class Chooser(Protocol):
    """Decides which of several events that are due at the same instant runs next."""

    def choose(self, ready: Sequence[Event]) -> int:
        """Return the index into `ready` (at least two events, in queueing order)."""


class Costs:
    """Latencies of the simulated host, in ns.  They only have to be plausible and positive.

    A work item that re-queues itself must move the clock, or a busy pump would starve the device
    for ever; that is why `work` is not zero.
    """

    __slots__ = ("irq", "softirq", "work")

    def __init__(self, work: int = 1_000, softirq: int = 200, irq: int = 500) -> None:
        self.work = work
        self.softirq = softirq
        self.irq = irq


class Simulation:
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
        no_sleep: whether the running code works for a caller who did not allow it to sleep.
    """

    def __init__(self, chooser: Chooser | None = None, costs: Costs | None = None) -> None:
        self.now = 0
        self.context = Context.TASK
        self.costs = costs or Costs()
        self.chooser = chooser
        self.window = 0
        self.steps = 0
        self.trace: list[tuple[int, Context, str]] | None = None
        self.irq_lines: list[IrqLine] = []
        self.preemption_points: Callable[[str], None] | None = None
        self.no_sleep = False
        self._queue: list[tuple[int, int, Event]] = []
        self._sequence = 0
        self._bh_disabled = 0
        self._irqs_disabled = 0
        self._preemption_disabled = 0

    def schedule(
        self, delay: int, context: Context, label: str, callback: Callable[[], None]
    ) -> Event:
        """Queue `callback` to run in `context` after `delay` ns (0 or more)."""
        if delay < 0:
            raise SimulationError(f"event {label!r} scheduled {delay} ns ahead: not in the past")
        self._sequence = sequence = self._sequence + 1
        event = Event(self.now + delay, sequence, context, label, callback)
        heapq.heappush(self._queue, (event.time, sequence, event))
        return event

    @property
    def in_atomic(self) -> bool:
        """Whether the running code may not sleep: softirq, hardirq, or something disabled."""
        disabled = self._bh_disabled or self._irqs_disabled or self._preemption_disabled
        return disabled > 0 or self.context in _ATOMIC

    @property
    def in_softirq(self) -> bool:
        """Whether completion callbacks may be called: softirq, or bottom halves disabled."""
        return self.context is Context.SOFTIRQ or self._bh_disabled > 0

    @property
    def irqs_disabled(self) -> bool:
        """Whether no interrupt strikes: the running code is between save and restore."""
        return self._irqs_disabled > 0

    def local_bh_disable(self) -> None:
        """Enter a section with bottom halves disabled; sections nest."""
        self._bh_disabled += 1

    def local_bh_enable(self) -> None:
        """Leave a section entered with `local_bh_disable`."""
        if not self._bh_disabled:
            raise SimulationError("local_bh_enable without local_bh_disable")
        self._bh_disabled -= 1

    def local_irq_save(self) -> None:
        """Enter a section that no interrupt strikes; sections nest."""
        self._irqs_disabled += 1

    def local_irq_restore(self) -> None:
        """Leave a section entered with `local_irq_save`."""
        if not self._irqs_disabled:
            raise SimulationError("local_irq_restore without local_irq_save")
        self._irqs_disabled -= 1

    def preempt_disable(self) -> None:
        """Enter a section in which no other task or work item runs; sections nest."""
        self._preemption_disabled += 1

    def preempt_enable(self) -> None:
        """Leave a section entered with `preempt_disable`."""
        if not self._preemption_disabled:
            raise SimulationError("preempt_enable without preempt_disable")
        self._preemption_disabled -= 1

    def preemption_point(self, label: str) -> None:
        """A place at which the running code can be interrupted, if anybody wants to."""
        if self.preemption_points is not None:
            self.preemption_points(label)

    def may_strike(self, context: Context) -> bool:
        """Whether an event of `context` can run inside of the running callback.

        The device always works on; an interrupt strikes unless interrupts are off; softirqs run
        when it returns, where nothing atomic runs; tasks and work items only displace each other.
        """
        if context is Context.DEVICE:
            return True
        if self._irqs_disabled or self.context is Context.HARDIRQ:
            return False
        return context is Context.HARDIRQ or (
            not self._bh_disabled
            and self.context is not Context.SOFTIRQ
            and (context is Context.SOFTIRQ or not self._preemption_disabled)
        )

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
        end = self.now + duration
        while strikers := self.strikers(end):
            self.run_inside(strikers[0])
        self.now = max(self.now, end)

    def might_sleep(self, what: str) -> None:
        """Raise AtomicSleepError when the running context must not sleep."""
        if self.in_atomic:
            raise AtomicSleepError(f"{what} sleeps in {self.context.value} context")
        if self.no_sleep:
            raise AtomicSleepError(f"{what} sleeps for a request without MAY_SLEEP")

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
            heapq.heappop(queue)
        return not queue

    def _run_plainly(self, deadline: int | None, budget: int, max_steps: int) -> bool:
        """`run` without chooser and trace, in one loop: this is where a suite spends its time."""
        queue, pop, outer = self._queue, heapq.heappop, self.context
        try:
            while queue:
                time, _, event = queue[0]
                if event.cancelled:
                    pop(queue)
                    continue
                if deadline is not None and time > deadline:
                    self.now = max(self.now, deadline)
                    return False
                if self.steps >= budget:
                    raise StepBudgetError(f"{max_steps} events without an end, now {self.now} ns")
                pop(queue)
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
        event = heapq.heappop(self._queue)[2] if self.chooser is None else self._chosen()
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
        if until is None and self.chooser is None and self.trace is None:
            return self._run_plainly(deadline, budget, max_steps)
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
        self._event = sim.schedule(sim.costs.work, Context.WORK, self._label, self._run)

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
            self._event = sim.schedule(sim.costs.softirq, Context.SOFTIRQ, self._label, self._run)

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


class IrqLine:
    """A level-triggered interrupt line between one device and one handler.

    The device sets the level; while it is high and a handler is requested, the handler runs in
    hardirq context, again and again until the device or the handler's register writes lower it.

    Attributes:
        delivered: how often the handler ran.
        lost: how many deliveries were lost on purpose.
    """

    def __init__(self, sim: Simulation, name: str) -> None:
        self.name = name
        self._label = f"irq {name}"
        self.level = False
        self.delivered = 0
        self.lost = 0
        self._sim = sim
        self._handler: Callable[[], None] | None = None
        self._pending = False
        self._unseen = False
        self._to_lose = 0
        self._to_delay = 0
        self._delay = 0
        sim.irq_lines.append(self)

    def request(self, handler: Callable[[], None]) -> None:
        """Install the handler; SimulationError when the line is taken."""
        if self._handler is not None:
            raise SimulationError(f"interrupt line {self.name} is already requested")
        self._handler = handler
        self.kick()

    def free(self) -> None:
        """Remove the handler; a level that stays high waits for the next one."""
        self._handler = None

    def set_level(self, high: bool) -> None:
        """Drive the line: True raises, False lowers."""
        self.level = high
        self._unseen = False
        if high and not self._pending:
            self._deliver()

    def lose(self, count: int = 1) -> None:
        """Inject a fault: the next `count` deliveries do not reach the handler.

        A level that was lost waits until the device raises it anew, or somebody calls `kick`.
        """
        self._to_lose = count

    def delay(self, duration: int, count: int = 1) -> None:
        """Inject a fault: each of the next `count` deliveries comes `duration` ns later."""
        self._delay, self._to_delay = duration, count

    def spurious(self) -> None:
        """Inject a fault: the handler runs once, whatever the level."""
        sim = self._sim
        sim.schedule(sim.costs.irq, Context.HARDIRQ, f"spurious irq {self.name}", self._handle)

    def kick(self) -> None:
        """Look at the level again, as when another interrupt comes on the same line."""
        self._unseen = False
        self._deliver()

    def mend(self) -> None:
        """Take injected faults away, and look at the level again."""
        self._to_lose = self._to_delay = 0
        self.kick()

    def _deliver(self) -> None:
        if self.level and self._handler is not None and not self._pending and not self._unseen:
            self._pending = True
            sim, delay = self._sim, self._sim.costs.irq
            if self._to_delay:
                self._to_delay -= 1
                delay += self._delay
            sim.schedule(delay, Context.HARDIRQ, self._label, self._fire)

    def _fire(self) -> None:
        self._pending = False
        if self.level and self._to_lose:
            self._to_lose -= 1
            self.lost += 1
            self._unseen = True
            return
        if self.level:
            self._handle()
        self._deliver()

    def _handle(self) -> None:
        if self._handler is not None:
            self.delivered += 1
            self._handler()
