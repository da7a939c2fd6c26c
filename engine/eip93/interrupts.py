"""The interrupt block: latched sources, enable bits, and the level of the interrupt line.

A latch is set by its source and cleared by writing 1 to INT_CLR.  A source that is a level (the
thresholds, the ring errors) sets its latch again at once for as long as its condition holds: set
wins over clear.  The line is high while any latched source is enabled.

Source: Analog Devices PKTE chapter, registers PKTE_IMSK_STAT to PKTE_IMSK_DIS.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from tcrypt.engine.eip93 import registers as reg

__all__ = ("InterruptBlock", "InterruptLine")


class InterruptLine(Protocol):
    """The wire to the interrupt controller."""

    def set_level(self, high: bool, /) -> None:
        """Drive the wire: True raises, False lowers."""


class InterruptBlock:
    """Latches, enable bits and line of one device; `levels` names the conditions that hold now."""

    def __init__(self, line: InterruptLine, levels: Callable[[], int]) -> None:
        self._line = line
        self._levels = levels
        self._latched = 0
        self._enabled = 0
        self._high = False

    def reset(self) -> None:
        """Clear latches and enable bits, then latch what holds after a reset."""
        self._latched = self._enabled = 0
        self.update()

    def latch(self, sources: int) -> None:
        """Remember events; `update` has to follow."""
        self._latched |= sources

    def update(self) -> None:
        """Latch the level sources whose condition holds, and drive the line."""
        self._latched |= self._levels()
        high = self._latched & self._enabled != 0
        if high is not self._high:
            self._high = high
            self._line.set_level(high)

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
        self.update()

    def set_mask(self, value: int) -> None:
        """INT_MASK: replace the enable bits; sources that only other modes have never fire."""
        self._enabled = value & reg.INT_SOURCES
        self.update()

    def enable(self, value: int) -> None:
        """MASK_ENABLE: set enable bits."""
        self.set_mask(self._enabled | value)

    def disable(self, value: int) -> None:
        """MASK_DISABLE: clear enable bits."""
        self.set_mask(self._enabled & ~value)
