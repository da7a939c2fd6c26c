"""Events in contexts of the kernel: what a simulation runs, what it costs, what can go wrong."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from typing import Protocol

__all__ = (
    "AtomicSleepError",
    "BusError",
    "Chooser",
    "Context",
    "Costs",
    "Event",
    "SimulationError",
    "StepBudgetError",
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
