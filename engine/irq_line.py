"""Interrupt lines, with the faults that can strike one."""

from __future__ import annotations

from collections.abc import Callable

from tcrypt.engine.events import Context, SimulationError
from tcrypt.engine.simulation import Simulation

__all__ = ("IrqLine",)

_HARDIRQ = Context.HARDIRQ


class IrqLine:
    """A level-triggered interrupt line between one device and one handler.

    The device sets the level; while it is high and a handler is requested, the handler runs in
    hardirq context, again and again until the device or the handler's register writes lower it.

    Attributes:
        delivered: how often the handler ran.
        lost: how many deliveries were lost on purpose.
        stuck: how often the handler ran although the level had not been low since it ran last.
            Nothing but the handler would ever run on a processor with such a line.
    """

    def __init__(self, sim: Simulation, name: str) -> None:
        self.name = name
        self._label = f"irq {name}"
        self.level = False
        self.delivered = 0
        self.lost = 0
        self.stuck = 0
        self._sim = sim
        self._handler: Callable[[], None] | None = None
        self._pending = False
        self._unseen = False
        self._fresh = True
        self._to_lose = 0
        self._to_delay = 0
        self._delay = 0
        sim.irq_lines.append(self)

    @property
    def requested(self) -> bool:
        """Whether a handler is installed."""
        return self._handler is not None

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
        self._fresh = self._fresh or not high
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
        sim.schedule(sim.costs.irq, _HARDIRQ, f"spurious irq {self.name}", self._handle)

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
            sim.schedule(delay, _HARDIRQ, self._label, self._fire)

    def _fire(self) -> None:
        self._pending = False
        if self.level and self._to_lose:
            self._to_lose -= 1
            self.lost += 1
            self._unseen = True
            return
        if self.level:
            self.stuck += not self._fresh
            self._fresh = False
            self._handle()
        self._deliver()

    def _handle(self) -> None:
        if self._handler is not None:
            self.delivered += 1
            self._handler()
