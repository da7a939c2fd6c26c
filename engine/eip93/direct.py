"""Direct host mode: the host writes descriptor, records and data into the device, and reads them.

A packet goes through five phases: descriptor, records, input, output, result.  The input buffer
and the output buffer hold 256 bytes each, and a longer packet passes through them in parts.  The
model begins to work when all input is there; hardware begins earlier, which a host that follows
the status bits or the interrupts cannot tell.  A tag behind the payload, which the length of a
basic hash-then-decrypt leaves out, has no way into the device: it is not compared in this mode.

Source: Analog Devices PKTE chapter, "PKTE Programming Model" and the registers of the buffers.
"""

from __future__ import annotations

import enum
from typing import Final

from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.errors import DriverFault
from tcrypt.engine.eip93.interrupts import InterruptBlock
from tcrypt.engine.eip93.operations import Outcome, PacketCore
from tcrypt.engine.eip93.plan import Kind, Plan
from tcrypt.engine.eip93.records import Cipher
from tcrypt.engine.eip93.results import result_words
from tcrypt.engine.eip93.rings import Rings
from tcrypt.engine.eip93.sequencer import Sequencer
from tcrypt.engine.eip93.windows import (
    ARC4_PLACE,
    INPUT_PLACE,
    OUTPUT_PLACE,
    SA_PLACE,
    STATE_PLACE,
    Windows,
)

__all__ = ("DirectHost",)

_PLACES: Final = (INPUT_PLACE, OUTPUT_PLACE, SA_PLACE, STATE_PLACE, ARC4_PLACE)
_WORD: Final = 4
_CLOCKS: Final = {
    Cipher.DES: reg.CLOCK_CTRL_DES,
    Cipher.TDES: reg.CLOCK_CTRL_DES,
    Cipher.AES: reg.CLOCK_CTRL_AES,
    Cipher.ARC4: reg.CLOCK_CTRL_ARC4,
}
_OWNED: Final = (reg.CONTROL_HOST_READY, 1)


class Phase(enum.Enum):
    """Where a packet stands."""

    IDLE = "no command"
    RECORDS = "the command is valid, SA and state record are awaited"
    INPUT = "input is awaited"
    WORK = "input is complete"
    OUTPUT = "output is awaited to be read"
    DONE = "the result is awaited to be taken"


class DirectHost:
    """The direct host mode of one device."""

    def __init__(
        self,
        sequencer: Sequencer,
        rings: Rings,
        interrupts: InterruptBlock,
        core: PacketCore,
        windows: Windows,
    ) -> None:
        self._sequencer = sequencer
        self._rings = rings
        self._interrupts = interrupts
        self._core = core
        self._windows = windows
        self._input_threshold = self._output_threshold = 0
        self.reset()

    def reset(self) -> None:
        """Drop the packet in work."""
        self._phase = Phase.IDLE
        self._plan: Plan | None = None
        self._missing = 0
        self._outcome = Outcome(0, 0, 0)
        self._draining = False
        self._windows.restart()

    def write_thresholds(self, value: int) -> None:
        """PE_BUF_THRESH."""
        self._input_threshold = value & reg.BUF_THRESH_INPUT
        self._output_threshold = (value & reg.BUF_THRESH_OUTPUT) >> 16
        self._interrupts.update()

    def levels(self) -> int:
        """The level interrupt sources of the buffers."""
        bits = 0
        if self._phase is Phase.INPUT:  # The input buffer is empty again at once.
            bits |= reg.INT_INBUF_THRESH
        if self._windows.output_bytes > self._output_threshold:
            self._draining = True
        elif not self._windows.output_bytes:
            self._draining = False
        return bits | reg.INT_OUTBUF_THRESH if self._draining else bits

    # The phases.

    def doorbell(self, value: int) -> None:
        """PE_CD_COUNT: the descriptor registers hold a command; look at its owner."""
        if value & reg.COUNT_STEP != 1:
            rule = "outside of the rings commands come one by one"
            raise DriverFault("PE_CD_COUNT", value, rule)
        if self._phase is not Phase.IDLE:
            raise DriverFault("PE_CD_COUNT", value, "the result before is taken first")
        self._rings.add_commands(value)
        self._windows.begin()
        words = self._sequencer.window
        owners = words[0] & 3, words[7] >> reg.LENGTH_OWNERSHIP_SHIFT & 3
        self._phase = Phase.RECORDS
        if owners != _OWNED:
            self._finish(Outcome(reg.ERR_DESCRIPTOR, 0, 0))

    def records_ready(self, clocks: int) -> None:
        """SA_READY: the records are complete; say what input is needed.

        `clocks` is PE_CLOCK_CTRL, which has to enable what the packet uses in this mode.
        """
        if self._phase is not Phase.RECORDS:
            rule = "the records of a packet follow its descriptor and PE_CD_COUNT"
            raise DriverFault("SA_READY", self._phase.value, rule)
        words = self._sequencer.window
        self._plan = plan = self._sequencer.plan(words, bytes(self._windows.sa))
        missing = _clocks_of(plan) & ~clocks
        if missing:
            rule = f"this packet needs the clocks {missing:#x}, too"
            raise DriverFault("PE_CLOCK_CTRL", clocks, rule)
        refused = self._core.refusal(plan, words)
        if refused is not None:
            self._finish(refused)
            return
        mode = words[0] & reg.CONTROL_PRNG_MODE
        takes_input = mode in (0, reg.CONTROL_PRNG_TEST)
        self._missing = -(-(words[7] & reg.LENGTH_BYTES) // _WORD) * _WORD if takes_input else 0
        self._phase = Phase.INPUT
        self._begin_when_complete()

    def add_input(self, value: int) -> None:
        """PE_INBUF_COUNT: that many bytes were written to the input buffer."""
        count = value & 0x1FF
        if not 4 <= count <= reg.DATA_BYTES or count % _WORD:
            raise DriverFault("PE_INBUF_COUNT", value, "4 to 256 bytes, in multiples of 4")
        if self._phase is not Phase.INPUT:
            rule = "input follows the records, and ends with the packet"
            raise DriverFault("PE_INBUF_COUNT", value, rule)
        if count > self._missing:
            self._finish(Outcome(reg.ERR_PROCESSING, 0, 0))
            return
        self._windows.take_input(count)
        self._missing -= count
        self._begin_when_complete()

    def _begin_when_complete(self) -> None:
        if self._missing:
            self._interrupts.update()
            return
        self._phase = Phase.WORK
        plan = self._plan
        assert plan is not None, "input was awaited without a plan"
        length = self._sequencer.window[7] & reg.LENGTH_BYTES
        self._sequencer.after(plan.fixed + (length + 15 >> 4) * plan.clocks, self._work)

    def _work(self) -> None:
        plan, words = self._plan, self._sequencer.window
        assert plan is not None, "there is nothing to work on"
        self._phase = Phase.OUTPUT
        at = (words[0], *_PLACES, words[6], words[7])
        self._outcome = self._core.run(plan, at, bytes(self._windows.sa))
        self._move_output()

    def _move_output(self) -> None:
        """Fill the output buffer; the packet is done when nothing is left behind it."""
        self._windows.fill_output()
        if self._phase is Phase.OUTPUT and not self._windows.waiting_output:
            self._finish(self._outcome)
        else:
            self._interrupts.update()

    def take_output(self, value: int) -> None:
        """PE_OUTBUF_COUNT: that many bytes were read from the output buffer."""
        count = value & 0x1FF
        if count % _WORD or count > self._windows.output_bytes:
            rule = f"the output buffer holds {self._windows.output_bytes} bytes, in words"
            raise DriverFault("PE_OUTBUF_COUNT", value, rule)
        self._windows.drop_output(count)
        self._move_output()

    def _finish(self, outcome: Outcome) -> None:
        words = self._sequencer.window
        outcome = self._sequencer.under_fault(outcome)
        self._sequencer.window = result_words(words, outcome)
        self._phase = Phase.DONE
        self._rings.advance()
        if outcome.status & reg.ERR_EXTENDED:
            self._sequencer.report(outcome.status)
        self._interrupts.latch(reg.INT_OPERATION_DONE)
        self._interrupts.update()

    def take_result(self, value: int) -> None:
        """PE_RD_COUNT: the result was read; the next command may come."""
        self._rings.take_results(value)
        if self._phase is Phase.DONE and not self._rings.results:
            self._phase = Phase.IDLE

    def read_status(self) -> int:
        """PE_STATUS, without the error bits."""
        windows, phase = self._windows, self._phase
        if phase is Phase.IDLE and not windows.output_bytes:
            return reg.STATUS_IDLE
        value = min(self._missing, reg.DATA_BYTES) // _WORD << reg.STATUS_INPUT_FREE_SHIFT
        value |= windows.output_bytes // _WORD << reg.STATUS_OUTPUT_FULL_SHIFT
        if phase is Phase.INPUT:
            value |= reg.STATUS_INPUT_REQUEST
        if phase in (Phase.WORK, Phase.OUTPUT, Phase.DONE):
            value |= reg.STATUS_INPUT_DONE
        if phase in (Phase.OUTPUT, Phase.DONE):
            cores = reg.STATUS_CRYPT_DONE | reg.STATUS_INNER_HASH_DONE
            value |= cores | reg.STATUS_OUTER_HASH_DONE
        if windows.output_bytes:
            value |= reg.STATUS_OUTPUT_REQUEST
        elif phase is Phase.DONE:
            value |= reg.STATUS_OUTPUT_DONE
        return value | (reg.STATUS_OPERATION_DONE if phase is Phase.DONE else 0)


def _clocks_of(plan: Plan) -> int:
    """The bits of PE_CLOCK_CTRL that an operation needs."""
    clocks = reg.CLOCK_CTRL_PE
    if plan.kind is Kind.RANDOM:
        clocks |= reg.CLOCK_CTRL_AES
    if plan.hash is not None:
        clocks |= reg.CLOCK_CTRL_HASH
    if plan.cipher is not None:
        clocks |= _CLOCKS.get(Cipher(plan.command.cipher), 0)
    return clocks
