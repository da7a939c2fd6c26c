"""Halt mode: the engine stops after chosen steps of a packet, so that a host can look around.

A packet in halt mode goes from step to step without time between them, which no published figure
covers.  A reset of the engine does not end a halt; a write to CONTINUE does.

Source: Analog Devices PKTE chapter, registers PKTE_HLT_CTL, PKTE_HLT_STAT and PKTE_CONT.
"""

from __future__ import annotations

from collections.abc import Iterator

from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.interrupts import InterruptBlock

__all__ = ("Halting",)


class Halting:
    """The halt registers of one device, and the packet that goes by steps.

    Attributes:
        steps: The rest of that packet: after each step, the control bit that halts there and the
            state of the main state machine; None when no packet goes by steps.
    """

    def __init__(self, interrupts: InterruptBlock) -> None:
        self._interrupts = interrupts
        self.reset()

    def reset(self) -> None:
        """Power-on reset."""
        self.steps: Iterator[tuple[int, int]] | None = None
        self._control = 0
        self._state = reg.MAIN_STATE_IDLE

    @property
    def enabled(self) -> bool:
        """Whether packets go by steps."""
        return bool(self._control & reg.HALT_ENABLE)

    @property
    def halted(self) -> bool:
        """Whether the engine stands at a halt."""
        return self._state != reg.MAIN_STATE_IDLE

    def read(self, working: bool) -> int:
        """HALT: the control bits and the main state; data is in work, or nothing is."""
        state = reg.MAIN_STATE_DATA if working and not self.halted else self._state
        return self._control | state << reg.HALT_MAIN_STATE_SHIFT

    def write(self, value: int) -> None:
        """HALT: where to halt from now on."""
        self._control = value & reg.HALT_CONTROL

    def begin(self, steps: Iterator[tuple[int, int]]) -> None:
        """Take a packet up to its first halt."""
        self.steps = steps
        self.walk()

    def walk(self) -> None:
        """Go on to the next place at which to halt, or to the end of the packet."""
        assert self.steps is not None, "no packet goes by steps"
        self._state = reg.MAIN_STATE_IDLE
        for bit, state in self.steps:
            if self.enabled and self._control & bit:
                self._state = state
                self._interrupts.latch(reg.INT_HALT)
                self._interrupts.update()
                return
        self.steps = None
