"""The descriptor rings: bases, counts, pointers, thresholds and the result timeout.

Source: Analog Devices PKTE chapter, registers PKTE_CDRBASE_ADDR to PKTE_RING_STAT.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.errors import DriverFault, FaultLog
from tcrypt.engine.eip93.variants import Variant
from tcrypt.engine.sim import Context, Event, Simulation

__all__ = ("Rings",)

_NS: Final = 1_000_000_000


class Rings:
    """Both rings of one device.  `changed` is called when a level that they hold has risen."""

    def __init__(
        self, sim: Simulation, variant: Variant, faults: FaultLog, changed: Callable[[], None]
    ) -> None:
        self._sim = sim
        self._variant = variant
        self._faults = faults
        self._changed = changed
        self._timer: Event | None = None
        self._set_defaults()

    def _set_defaults(self) -> None:
        self._uses_commands = self._uses_results = False
        self.command_base = 0
        self.result_base = 0
        self._config = 0
        self._thresholds = 0
        self._command_threshold = 0
        self._result_threshold = 0
        self._timeout: int | None = None
        self._decode_config()
        self._clear()

    def _clear(self) -> None:
        self.commands = 0
        self.results = 0
        self._next_command = 0
        self._next_result = 0
        self._status = 0
        self._waiting_since = 0
        self._stop_timer()

    def reset(self) -> None:
        """Power-on reset of everything."""
        self._set_defaults()

    def restart(self) -> None:
        """RST_RING: zero counts and pointers; bases, sizes and thresholds stay."""
        self._clear()

    def use(self, *, commands: bool, results: bool) -> None:
        """Say which rings the mode uses; where it uses none, there is one command or result."""
        self._uses_commands, self._uses_results = commands, results
        self._decode_config()

    @property
    def ready(self) -> bool:
        """Whether a command waits and its result has a place.

        That the engine waits for a place in the result ring is assumed: the hardware has no
        overflow bit for it.
        """
        return self.commands > 0 and self.results < self._result_places

    @property
    def full(self) -> bool:
        """Whether there is no place left for a result."""
        return self.results >= self._result_places

    @property
    def overlaid(self) -> bool:
        """Whether both rings are the same memory."""
        return self.command_base == self.result_base

    def command_address(self) -> int:
        """Where the next command descriptor lies."""
        return self.command_base + self._next_command * self._stride

    def result_address(self) -> int:
        """Where the next result descriptor goes."""
        return self.result_base + self._next_result * self._stride

    def advance(self) -> None:
        """One descriptor was processed: step the pointers of the rings, and both counts."""
        following = self._next_command + self._uses_commands
        self._next_command = following if following < self._size else 0
        following = self._next_result + self._uses_results
        self._next_result = following if following < self._size else 0
        self.commands -= 1
        self.results += 1
        if self.results == 1:
            self._waiting_since = self._sim.now
        if self._timeout is not None:
            self._run_timer()

    def levels(self) -> int:
        """The level interrupt sources whose condition holds."""
        bits = reg.INT_CDR_THRESH if self.commands <= self._command_threshold else 0
        if self.results and (self.results > self._result_threshold or self._timed_out()):
            bits |= reg.INT_RDR_THRESH
        return bits | reg.INT_RING_ERR if self._status else bits

    def _timed_out(self) -> bool:
        return self._timeout is not None and self._sim.now - self._waiting_since >= self._timeout

    def _run_timer(self) -> None:
        """Have the level looked at when the timeout passes, if only the timeout can raise it."""
        waits = 0 < self.results <= self._result_threshold and self._timeout is not None
        if not waits:
            if self._timer is not None:
                self._stop_timer()
        elif self._timer is None:
            assert self._timeout is not None
            left = max(0, self._waiting_since + self._timeout - self._sim.now)
            self._timer = self._sim.schedule(
                left, Context.DEVICE, "eip93 result timeout", self._expire
            )

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _expire(self) -> None:
        self._timer = None
        self._changed()

    # Registers.

    def write_command_base(self, value: int) -> None:
        """PE_CDR_BASE."""
        self.command_base = value

    def write_result_base(self, value: int) -> None:
        """PE_RDR_BASE."""
        self.result_base = value

    def read_config(self) -> int:
        """PE_RING_CONFIG."""
        return self._config

    def write_config(self, value: int) -> None:
        """PE_RING_CONFIG: size and stride."""
        self._config = value
        self._decode_config()

    def _decode_config(self) -> None:
        self._size = (self._config & reg.RING_CONFIG_SIZE) + 1
        words = self._config >> reg.RING_CONFIG_STRIDE_SHIFT or self._variant.zero_stride_words
        self._stride = words * 4
        self._command_places = self._size if self._uses_commands else 1
        self._result_places = self._size if self._uses_results else 1

    def read_thresholds(self) -> int:
        """PE_RING_THRESH."""
        return self._thresholds

    def write_thresholds(self, value: int) -> None:
        """PE_RING_THRESH: both thresholds, and the result timeout of 2^(N+10) engine clocks."""
        self._thresholds = value
        self._command_threshold = value & reg.RING_THRESH_CDR
        self._result_threshold = (value & reg.RING_THRESH_RDR) >> reg.RING_THRESH_RDR_SHIFT
        self._timeout = None
        if value & reg.RING_THRESH_TIMEOUT_ENABLE:
            exponent = 10 + ((value & reg.RING_THRESH_TIMEOUT) >> reg.RING_THRESH_TIMEOUT_SHIFT)
            self._timeout = (_NS << exponent) // self._variant.clock_hz
        self._stop_timer()
        self._run_timer()
        self._changed()

    def add_commands(self, value: int) -> None:
        """PE_CD_COUNT, written: that many more commands wait; bits above 7 are not looked at.

        More than the ring holds sets CDROVFL and leaves the count as it was.

        Raises:
            DriverFault: the ring has no size yet.
        """
        if self._uses_commands and not self._config & reg.RING_CONFIG_SIZE:
            rule = "descriptors are counted into rings of 2 to 1024 entries"
            raise DriverFault("PE_CD_COUNT", value, rule)
        total = self.commands + (value & reg.COUNT_STEP)
        if total > self._command_places:
            rule = f"{self._command_places} commands fit, and {self.commands} wait already"
            self._faults.note("PE_CD_COUNT", value, rule)
            self._status |= reg.RING_STAT_CDROVFL
            self._changed()
        else:
            self.commands = total

    def take_results(self, value: int) -> None:
        """PE_RD_COUNT, written: that many results are done with; the timeout starts again.

        More than there are sets RDRUNFL and leaves the count as it was.
        """
        count = value & reg.COUNT_STEP
        if count > self.results:
            rule = f"no more results are taken than there are, {self.results}"
            self._faults.note("PE_RD_COUNT", value, rule)
            self._status |= reg.RING_STAT_RDRUNFL
            self._changed()
        elif count:
            self.results -= count
            self._waiting_since = self._sim.now
            if self._timeout is not None:
                self._stop_timer()
                self._run_timer()

    def read_pointers(self) -> int:
        """PE_RING_RW_PNTR."""
        return self._next_command | self._next_result << reg.RING_RW_PNTR_RDR_SHIFT

    def read_status(self) -> int:
        """RING_STAT: overflow and underflow."""
        return self._status

    def clear_status(self, _value: int) -> None:
        """RING_STAT: any write clears both bits."""
        self._status = 0
