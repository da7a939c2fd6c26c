"""The main state machine: fetch a command descriptor, let the core work, write the result.

Strictly in order, one packet at a time.  A packet takes one simulation event: descriptor and SA
record are read when the packet begins, everything else happens when its time is over.  With
`Latency.IMMEDIATE` both happen inside the register write that started it.

Source: Analog Devices PKTE chapter, "Autonomous Ring Mode" and "Descriptor Ownership".
"""

from __future__ import annotations

import enum
import struct
from collections.abc import Callable
from functools import partial
from typing import Final

from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.errors import NotModelled
from tcrypt.engine.eip93.interrupts import InterruptBlock
from tcrypt.engine.eip93.operations import DMABus, Outcome, PacketCore
from tcrypt.engine.eip93.plan import Plan, Planner
from tcrypt.engine.eip93.rings import Rings
from tcrypt.engine.eip93.variants import CDRUpdate, Variant
from tcrypt.engine.sim import BusError, Context, Event, Simulation

__all__ = ("Latency", "Sequencer")

_WORDS: Final = struct.Struct("<8I")
_COMMAND_WORDS: Final = struct.Struct("<2I")
_TORN_AT: Final = 28  # the last word, with the second ownership pair, comes after the others
_OWNERSHIP: Final = 3
_ENGINE_OWNS: Final = 1
_KEPT_CONTROL: Final = 0xFC  # bits 7:2 of a command's word 0 come back in its result
_KEPT_LENGTH: Final = 0xFF << reg.LENGTH_BYPASS_SHIFT
_NO_OWNER_0: Final = ~_OWNERSHIP
_NO_OWNER_7: Final = ~(_OWNERSHIP << reg.LENGTH_OWNERSHIP_SHIFT)
_IDLE_WORDS: Final = (reg.CONTROL_PE_READY, 0, 0, 0, 0, 0, 0, 0)
_EXTENDED_CODE: Final = 0xF8
_BUSY: Final = ~reg.STATUS_OUTPUT_DONE
_RESETS: Final = reg.CONFIG_RST_PE | reg.CONFIG_RST_RING
_NS: Final = 1_000_000_000
# The engine polls a descriptor whose halves disagree for ever.  So that a simulation in which
# nothing else happens comes to an end, the model doubles the pause each time and gives up after
# 131 ms; the next doorbell makes it look again.
_REFETCH_NS: Final = 1_000
_REFETCHES: Final = 17


class Latency(enum.Enum):
    """When a packet is done."""

    SIMULATED = "simulated"  # after the time that the variant's timing gives
    IMMEDIATE = "immediate"  # inside the register write that started it


class Sequencer:
    """The state machine of one device.

    Attributes:
        window: The descriptor window: the words of the descriptor in work, or of the last result.
    """

    def __init__(
        self,
        sim: Simulation,
        bus: DMABus,
        rings: Rings,
        interrupts: InterruptBlock,
        core: PacketCore,
        variant: Variant,
        latency: Latency,
    ) -> None:
        self._sim = sim
        self._bus = bus
        self._rings = rings
        self._interrupts = interrupts
        self._core = core
        self._variant = variant
        self._immediate = latency is Latency.IMMEDIATE
        self._planner = Planner(variant)
        self._event: Event | None = None
        self._generation = 0
        self._set_defaults()

    def _set_defaults(self) -> None:
        self.window: tuple[int, ...] = _IDLE_WORDS
        self._config = 0
        self._running = False
        self._stopped = False
        self._abort()

    def _abort(self) -> None:
        """Drop the packet in work; its command stays counted unless the rings are reset too."""
        self._tries = 0
        if self._event is not None:
            self._event.cancel()
            self._event = None

    def reset(self) -> None:
        """Power-on reset; what is still on its way to memory is lost."""
        self._generation += 1
        self._set_defaults()

    # Registers.

    def doorbell(self, value: int) -> None:
        """PE_CD_COUNT, written: count commands in and begin to work."""
        self._rings.add_commands(value)
        self._tries = 0
        self.kick()

    def take_results(self, value: int) -> None:
        """PE_RD_COUNT, written: a full result ring has room again."""
        stalled = self._rings.full
        self._rings.take_results(value)
        if stalled:
            self.kick()

    def read_config(self) -> int:
        """PE_CONFIG."""
        return self._config

    def write_config(self, value: int) -> None:
        """PE_CONFIG: resets, mode and EN_CDR_UPDATE.  A reset lasts while its bit is 1."""
        mode = value & reg.CONFIG_MODE
        if mode not in (reg.CONFIG_MODE_DHM, reg.CONFIG_MODE_ARM):
            raise NotModelled("PE_CONFIG", value, "target command mode")
        resets = (value | self._config) & _RESETS
        self._config = value
        if resets:
            self._abort()
        if resets & reg.CONFIG_RST_PE:
            self._stopped = False
            self.window = (_IDLE_WORDS[0], *self.window[1:7], _IDLE_WORDS[7])
        if resets & reg.CONFIG_RST_RING:
            self._rings.restart()
        self._running = mode == reg.CONFIG_MODE_ARM and not value & _RESETS and not self._stopped
        self._interrupts.update()
        self.kick()

    def read_status(self) -> int:
        """PE_STATUS: the idle value that was observed, with the errors of the last result."""
        errors = (self.window[0] >> reg.CONTROL_STATUS_SHIFT & 0xF) << reg.STATUS_ERRORS_SHIFT
        idle = reg.STATUS_IDLE if self._event is None else reg.STATUS_IDLE & _BUSY
        return idle | errors

    # Packets.

    def kick(self) -> None:
        """Begin the next packet if the engine can take one."""
        while (
            self._event is None
            and self._running
            and self._rings.ready
            and self._tries <= _REFETCHES
        ):
            self._begin()

    def _begin(self) -> None:
        try:
            words = _WORDS.unpack(self._bus.read(self._rings.command_address(), _WORDS.size))
        except BusError:
            self._break_down()
            return
        owner = words[0] & _OWNERSHIP
        if owner != words[7] >> reg.LENGTH_OWNERSHIP_SHIFT & _OWNERSHIP:
            self._refetch()
            return
        self._tries = 0
        self.window = words
        if owner != _ENGINE_OWNS:
            self._after(0, partial(self._publish, words, Outcome(reg.ERR_DESCRIPTOR, 0, 0)))
            return
        try:
            sa = self._bus.read(words[3], reg.SA_BYTES)
        except BusError:
            self._after(0, partial(self._publish, words, Outcome(reg.ERR_BUS, 0, 0)))
            return
        plan = self._planner.plan(_COMMAND_WORDS.unpack_from(sa))
        blocks = (words[7] & reg.LENGTH_BYTES) + 15 >> 4
        self._after(blocks * plan.clocks, partial(self._work, words, plan, sa))

    def _after(self, clocks: int, complete: Callable[[], None]) -> None:
        """Let the fixed cost of a packet and `clocks` pass, then complete it."""
        if self._immediate:
            complete()
            return
        delay = (self._variant.timing.packet + clocks) * _NS // self._variant.clock_hz
        self._event = self._sim.schedule(delay, Context.DEVICE, "eip93 packet", complete)

    def _work(self, words: tuple[int, ...], plan: Plan, sa: bytes) -> None:
        self._event = None
        self._publish(words, self._core.run(plan, words, sa))

    def _refetch(self) -> None:
        """Discard a descriptor whose halves name different owners, and read it again later."""
        delay = _REFETCH_NS << self._tries
        self._tries += 1
        if self._tries <= _REFETCHES:
            self._event = self._sim.schedule(
                delay, Context.DEVICE, "eip93 refetch", self._fetch_again
            )

    def _fetch_again(self) -> None:
        self._event = None
        self.kick()

    def _publish(self, words: tuple[int, ...], outcome: Outcome) -> None:
        """Write the result, count it, and raise what has to be raised."""
        self._event = None
        status, pad, length = outcome
        first = words[0] & _KEPT_CONTROL | reg.CONTROL_PE_READY
        first |= status << reg.CONTROL_STATUS_SHIFT | (pad & 0xFF) << reg.CONTROL_PAD_SHIFT
        last = words[7] & _KEPT_LENGTH | length & reg.LENGTH_BYTES | reg.LENGTH_PE_READY
        self.window = result = (first, *words[1:7], last)
        try:
            self._write_result(words, _WORDS.pack(*result))
        except BusError:
            self._break_down()
            return
        self._rings.advance()
        if status & reg.ERR_EXTENDED:
            self._report(status)
        self._interrupts.update()
        if not self._immediate:  # otherwise this runs inside the loop of `kick`
            self.kick()

    def _write_result(self, words: tuple[int, ...], result: bytes) -> None:
        rings, bus = self._rings, self._bus
        if self._config & reg.CONFIG_EN_CDR_UPDATE and not rings.overlaid:
            update = result
            if self._variant.cdr_update is CDRUpdate.CLEAR_OWNERSHIP:
                kept = (words[0] & _NO_OWNER_0, *words[1:7], words[7] & _NO_OWNER_7)
                update = _WORDS.pack(*kept)
            bus.write(rings.command_address(), update)
        address = rings.result_address()
        delay = self._variant.torn_result_ns
        if not delay:
            bus.write(address, result)
            return
        bus.write(address, result[:_TORN_AT])
        rest = partial(self._land, self._generation, address + _TORN_AT, result[_TORN_AT:])
        self._sim.schedule(delay, Context.DEVICE, "eip93 end of result", rest)

    def _land(self, generation: int, address: int, data: bytes) -> None:
        """The end of a result reaches memory, unless a reset came first."""
        if generation == self._generation:
            try:
                self._bus.write(address, data)
            except BusError:
                self._break_down()

    def _report(self, status: int) -> None:
        """Raise PROC_ERR, and stop where the error says so."""
        self._interrupts.latch(reg.INT_PROC_ERR)
        if status & _EXTENDED_CODE == reg.ERR_BUS:
            self._interrupts.latch(reg.INT_INTERFACE_ERR)
            self._stop()
        elif status & _EXTENDED_CODE == reg.ERR_LENGTH and self._variant.length_error_stops:
            self._stop()

    def _break_down(self) -> None:
        """A descriptor could not be read or written: there is no result to tell it by."""
        self._interrupts.latch(reg.INT_INTERFACE_ERR)
        self._stop()
        self._interrupts.update()

    def _stop(self) -> None:
        """Take no more packets until RST_PE."""
        self._stopped = True
        self._running = False
