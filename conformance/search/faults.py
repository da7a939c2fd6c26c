"""Faults of a world: which is armed, which request it is meant for, and what it permits."""

from __future__ import annotations

import errno
from collections.abc import Sequence

from tcrypt import facts
from tcrypt.engine.api.errors import errno_name
from tcrypt.engine.api.machine import Machine
from tcrypt.engine.api.scatterlist import Scatterlist
from tcrypt.engine.sim import Context
from tcrypt.problems import Problem
from tcrypt.search.flights import Order
from tcrypt.trouble import exact, no_memory

__all__ = ("LATE_NS", "Faults")

LATE_NS = 20_000
_NO_ROOM = frozenset({-errno.ENOMEM})
_BUS = frozenset({-errno.EIO})
_NONE: frozenset[int] = frozenset()


class Faults:
    """The faults of one machine.  One at a time is armed for requests; lines have their own."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._armed: tuple[str, int] | None = None
        self._struck: Order | None = None
        self._failures = 0
        self._lines = self._on_bus = False
        self._exact = exact(machine)
        trouble = frozenset(no_memory(machine)) - {0}
        # How a request may end that a failure struck, a broken bus, or another one's broken bus.
        self._no_room = _NO_ROOM if self._exact else trouble
        self._bus = _BUS if self._exact else trouble
        self._beside = _NONE if self._exact else trouble

    def arm(self, what: str, number: int) -> None:
        """Arm a fault: of the interrupt lines at once, any other for the next request."""
        lines = self._machine.sim.irq_lines
        if what in ("fe", "fw", "fm", "fa"):
            self._armed = (what, number)
            return
        self._lines = self._lines or bool(lines)
        if what == "fl" and lines:
            sim = self._machine.sim
            sim.schedule(LATE_NS, Context.HARDIRQ, "another interrupt on the line", self._heal)
        for line in lines:
            if what == "fl":
                line.lose()
            elif what == "fd":
                line.delay(LATE_NS)
            else:
                line.spurious()

    def _heal(self) -> None:
        self.heal()

    def heal(self) -> bool:
        """Take faults off the lines, look at their levels again; whether there had been any."""
        had, self._lines = self._lines, False
        if had:
            for line in self._machine.sim.irq_lines:
                line.mend()
        return had

    def strike(self, order: Order, orders: Sequence[Order]) -> None:
        """Let the armed fault strike a request that is about to be submitted."""
        if self._struck is not None:
            # A failure that was meant for another one may hit this one.
            order.allowed |= self._beside if self._on_bus else self._no_room
            return
        if self._armed is None:
            return
        (what, number), self._armed = self._armed, None
        if what in ("fe", "fw"):
            request = order.flight.request
            self._break(order, request.src if what == "fe" else getattr(request, "dst", None))
            self._permit(orders, self._beside if self._struck else _NONE)
            return
        self._struck, self._on_bus = order, False
        self._failures += 1
        self._permit(orders, self._no_room)
        if what == "fm":
            self._machine.dma.fail_maps(number)
        else:
            self._machine.memory.fail_allocs(number)

    def _break(self, order: Order, place: Scatterlist | None) -> None:
        entries = [] if place is None else [e for e in place.entries if e.length]
        if entries:
            self._struck, self._on_bus = order, True
            order.allowed |= self._bus
            self._machine.dma.break_range(entries[0].address, entries[0].length)

    def _permit(self, orders: Sequence[Order], statuses: frozenset[int]) -> None:
        for other in orders:
            if not other.over:
                other.allowed |= statuses

    def may_hit(self, status: int) -> bool:
        """Whether a failure that is meant for a request under way may end something else so."""
        return self._struck is not None and status in (
            self._beside if self._on_bus else self._no_room
        )

    def lift(self, order: Order) -> None:
        """The request has its status: what was meant for it is over."""
        if order is not self._struck:
            return
        self._struck = None
        dma = self._machine.dma
        if self._on_bus:
            order.owed = -errno.EIO if dma.faults and self._exact else 0
            if not dma.faults:
                order.allowed -= self._bus
        dma.mend()
        self._machine.memory.mend()

    def disarm(self) -> None:
        """Before the suite allocates for itself: no allocation fails from here on."""
        self._machine.memory.mend()

    def problems(self, orders: Sequence[Order]) -> list[Problem]:
        """Whether more requests failed for want of room than faults were injected."""
        failed = [o for o in orders if o.launched and o.ticket.status in _NO_ROOM]
        if len(failed) <= self._failures or not self._exact:
            return []
        wanted = f"{self._failures} requests with {errno_name(-errno.ENOMEM)}"
        return [Problem("more failures than faults", facts.STATUS, wanted, str(len(failed)))]
