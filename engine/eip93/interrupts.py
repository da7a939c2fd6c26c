"""The interrupt block: latched sources, enable bits, and the level of the interrupt line.

A latch is set by its source and cleared by writing 1 to INT_CLR.  A source that is a level (the
thresholds, the ring errors) sets its latch again at once for as long as its condition holds: set
wins over clear.  The line is high while any latched source is enabled; as a pulse, which INT_CFG
selects, it is high for two clocks whenever a source becomes active.

Source: Analog Devices PKTE chapter, registers PKTE_IMSK_STAT to PKTE_IMSK_DIS.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.sim import Context, Simulation

__all__ = ("InterruptBlock", "InterruptLine")


class InterruptLine(Protocol):
    """The wire to the interrupt controller."""

    def set_level(self, high: bool, /) -> None:
        """Drive the wire: True raises, False lowers."""


class InterruptBlock:
    """Latches, enable bits and line of one device.

    Attributes:
        levels: Names the conditions that hold now.
    """

    def __init__(
        self, sim: Simulation, line: InterruptLine, levels: Callable[[], int], pulse_ns: int
    ) -> None:
        self.levels = levels
        self._sim = sim
        self._line = line
        self._pulse_ns = pulse_ns
        self._config = 0
        self._latched = 0
        self._enabled = 0
        self._pulsed = 0
        self._high = False

    def reset(self) -> None:
        """Clear latches and enable bits, then latch what holds after a reset."""
        self._latched = self._enabled = self._config = 0
        self.update()

    def latch(self, sources: int) -> None:
        """Remember events; `update` has to follow."""
        self._latched |= sources

    def update(self) -> None:
        """Latch the level sources whose condition holds, and drive the line."""
        self._latched |= self.levels()
        if self._config & reg.INT_CFG_PULSE:
            self._pulse()
            return
        high = self._latched & self._enabled != 0
        if high is not self._high:
            self._high = high
            self._line.set_level(high)

    def _pulse(self) -> None:
        """Raise the line for two clocks for every source that has become active."""
        active = self._latched & self._enabled
        fresh, self._pulsed = active & ~self._pulsed, active
        if not fresh:
            return
        if self._config & reg.INT_CFG_AUTO_CLEAR:
            self._latched &= ~active
            self._pulsed = 0
        if not self._high:
            self._high = True
            self._sim.schedule(self._pulse_ns, Context.DEVICE, "eip93 end of pulse", self._lower)
            self._line.set_level(True)

    def _lower(self) -> None:
        if self._config & reg.INT_CFG_PULSE and self._high:
            self._high = False
            self._line.set_level(False)

    def raw(self) -> int:
        """INT_UNMASK_STAT: the latches."""
        return self._latched

    def masked(self) -> int:
        """INT_MASK_STAT: the latches that are enabled."""
        return self._latched & self._enabled

    def enabled(self) -> int:
        """INT_MASK: the enable bits."""
        return self._enabled

    def clear(self, value: int) -> None:
        """INT_CLR: clear latches."""
        self._latched &= ~value
        self._pulsed &= ~value
        self.update()

    def set_mask(self, value: int) -> None:
        """INT_MASK: replace the enable bits."""
        self._enabled = value & reg.INT_SOURCES
        self.update()

    def enable(self, value: int) -> None:
        """MASK_ENABLE: set enable bits."""
        self._enabled |= value & reg.INT_SOURCES
        self.update()

    def disable(self, value: int) -> None:
        """MASK_DISABLE: clear enable bits."""
        self._enabled &= ~value
        self.update()

    def read_config(self) -> int:
        """INT_CFG."""
        return self._config

    def configure(self, value: int) -> None:
        """INT_CFG: a level, or a pulse of two clocks, after which the sources may clear."""
        self._config = value
        if value & reg.INT_CFG_PULSE:
            self._pulsed = self._latched & self._enabled
        self.update()
