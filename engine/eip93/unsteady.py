"""An interrupt wire with transient faults, all of which a correct driver hides.

Every rise of the wire may come late, as under a busy interrupt controller; a late one that the
controller lost and saw again later looks the same, since the level stays.  A rise may also be
followed by a spurious interrupt, as on a shared line: the handler finds nothing to do.  No
interrupt is lost for good, which no driver without a timer could hide.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Protocol

from tcrypt.engine.sim import Context, Simulation

__all__ = ("Unsteadiness", "UnsteadyWire")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsteadiness:
    """How often what goes wrong.

    Attributes:
        seed: Where the choices begin; the same ones after every boot.
        late: One rise in so many is late; 0 for none.
        late_ns: By at most so much.
        spurious: One rise in so many is followed by a spurious interrupt; 0 for none.
    """

    seed: int = 1
    late: int = 4
    late_ns: int = 100_000
    spurious: int = 8


class _Line(Protocol):
    def set_level(self, high: bool, /) -> None: ...

    def spurious(self) -> None: ...


class UnsteadyWire:
    """Between a device and its interrupt line."""

    def __init__(self, sim: Simulation, line: _Line, how: Unsteadiness) -> None:
        self._sim = sim
        self._line = line
        self._how = how
        self._random = Random(how.seed)
        self._changes = 0

    def set_level(self, high: bool, /) -> None:
        """Drive the wire: True raises, now or late, False lowers at once."""
        self._changes += 1
        if not high:
            self._line.set_level(False)
            return
        if self._hit(self._how.late):
            delay = self._random.randint(1, self._how.late_ns)
            self._after(delay, partial(self._rise, self._changes))
        else:
            self._line.set_level(True)
        if self._hit(self._how.spurious):
            self._line.spurious()

    def _hit(self, one_in: int) -> bool:
        return bool(one_in) and not self._random.randrange(one_in)

    def _after(self, delay: int, action: Callable[[], None]) -> None:
        self._sim.schedule(delay, Context.DEVICE, "eip93 late interrupt", action)

    def _rise(self, change: int) -> None:
        """Raise the line, unless the device has lowered it meanwhile."""
        if change == self._changes:
            self._line.set_level(True)
