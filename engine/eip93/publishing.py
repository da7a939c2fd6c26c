"""The end of a packet: its result, its interrupts, and whether the engine goes on.

Source: Analog Devices PKTE chapter, "Descriptor Ring Processing" and the table of result codes.
"""

from __future__ import annotations

import struct
from typing import Final

from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.interrupts import InterruptBlock
from tcrypt.engine.eip93.lanes import DMABus
from tcrypt.engine.eip93.operations import Outcome, PacketCore
from tcrypt.engine.eip93.results import ResultWriter, result_words
from tcrypt.engine.eip93.rings import Rings
from tcrypt.engine.eip93.variants import Variant
from tcrypt.engine.sim import BusError, Context, Simulation

__all__ = ("IDLE_WORDS", "Publisher")

IDLE_WORDS: Final = (reg.CONTROL_PE_READY, 0, 0, 0, 0, 0, 0, 0)
_WORDS: Final = struct.Struct("<8I")
_EXTENDED_CODE: Final = 0xF8


class Publisher:
    """What a state machine needs to end a packet.

    Attributes:
        forced: An injected fault: how many packets end as they do, and the status of the next one.
        window: The descriptor window: the words of the descriptor in work, or of the last result.
        results: Where results go.
    """

    def __init__(
        self,
        sim: Simulation,
        bus: DMABus,
        rings: Rings,
        interrupts: InterruptBlock,
        core: PacketCore,
        variant: Variant,
        interrupt_ns: int,
    ) -> None:
        self.forced: tuple[int, int] | None = None
        self.window: tuple[int, ...] = IDLE_WORDS
        self.results = ResultWriter(sim, bus, rings, variant, self.break_down)
        self._sim = sim
        self._rings = rings
        self._interrupts = interrupts
        self._core = core
        self._variant = variant
        self._interrupt_ns = interrupt_ns
        self._epoch = 0
        self._running = False
        self._stopped = False

    def _publish(self, epoch: int, words: tuple[int, ...], outcome: Outcome) -> None:
        """Write the result, count it, and raise what has to be raised."""
        if epoch != self._epoch:
            return
        if self.forced is not None:
            outcome = self.under_fault(outcome)
        self.window = result = result_words(words, outcome)
        try:
            self.results.write(words, _WORDS.pack(*result))
        except BusError as error:
            self._core.faults.stray(error)
            self.break_down()
            return
        if epoch != self._epoch:
            return
        self._rings.advance()
        if outcome.status & reg.ERR_EXTENDED:
            self.report(outcome.status)
        if self._interrupt_ns:
            self._announce()
        else:
            self._interrupts.update()

    def under_fault(self, outcome: Outcome) -> Outcome:
        """The outcome of a packet under an injected fault; the packet's own error comes first."""
        if self.forced is None:
            return outcome
        others, status = self.forced
        self.forced = (others - 1, status) if others else None
        return outcome if others or outcome.status else outcome._replace(status=status)

    def _announce(self) -> None:
        """Let the interrupt line follow, after the latency that the timing gives."""
        delay, update = self._interrupt_ns, self._interrupts.update
        self._sim.schedule(delay, Context.DEVICE, "eip93 interrupt", update)

    def report(self, status: int) -> None:
        """Raise PROC_ERR, and stop where the error says so."""
        self._interrupts.latch(reg.INT_PROC_ERR)
        code = status & _EXTENDED_CODE
        if code == reg.ERR_BUS:
            self._interrupts.latch(reg.INT_INTERFACE_ERR)
            self._stop()
        elif code == reg.ERR_PROCESSING or (
            code == reg.ERR_LENGTH and self._variant.length_error_stops
        ):
            self._stop()

    def break_down(self) -> None:
        """A descriptor could not be read or written: there is no result to tell it by."""
        self._interrupts.latch(reg.INT_INTERFACE_ERR)
        self._stop()
        self._interrupts.update()

    def _stop(self) -> None:
        """Take no more packets until RST_PE."""
        self._stopped = True
        self._running = False
