"""A deterministic discrete-event simulation: clock, contexts, work, tasklets, timers, interrupts.

Nothing here runs by itself and nothing sleeps in real time.  Callbacks are queued as events on a
clock that counts nanoseconds; a caller runs the simulation until it is idle, or until a condition
holds.  Two events of the same instant run in the order in which they were queued, unless a
*chooser* decides: then every tie is a choice that a search can make and shrink.

This is the one name under which everything else imports it.
"""

from __future__ import annotations

from tcrypt.engine.deferral import Tasklet, Timer, WorkItem
from tcrypt.engine.events import (
    AtomicSleepError,
    BusError,
    Chooser,
    Context,
    Costs,
    Event,
    SimulationError,
    StepBudgetError,
)
from tcrypt.engine.irq_line import IrqLine
from tcrypt.engine.simulation import Simulation

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
