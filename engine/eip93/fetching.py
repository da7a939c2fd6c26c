"""What a packet begins with: its command descriptor, its SA record, and the plan in that.

Source: Analog Devices PKTE chapter, "Descriptor Ownership" and "Target Command Mode".
"""

from __future__ import annotations

import enum
import struct
from typing import Final

from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.interrupts import InterruptBlock
from tcrypt.engine.eip93.lanes import DMABus
from tcrypt.engine.eip93.operations import PacketCore
from tcrypt.engine.eip93.plan import Plan
from tcrypt.engine.eip93.planner import Planner
from tcrypt.engine.eip93.publishing import Publisher
from tcrypt.engine.eip93.rings import Rings
from tcrypt.engine.eip93.variants import Variant
from tcrypt.engine.sim import BusError, Context, Event, Simulation

__all__ = ("REFETCHES", "Fetcher", "Record")

_COMMAND_WORDS: Final = struct.Struct("<2I")
_WORDS: Final = struct.Struct("<8I")
_OWNERSHIP: Final = 3
# The engine polls a descriptor whose halves disagree for ever.  So that a simulation in which
# nothing else happens comes to an end, the model doubles the pause each time and gives up after
# 131 ms; the next doorbell makes it look again.
_REFETCH_NS: Final = 1_000
REFETCHES: Final = 17


class Record(enum.Enum):
    """What a packet reads beside its descriptor and its data."""

    SA = "SA record"
    STATE = "state record"


class Fetcher(Publisher):
    """What a state machine needs to begin a packet.

    Attributes:
        lost: An injected fault: how many packets find their records, and what of the next is lost.
        sa: The SA record that was last read.
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
        super().__init__(sim, bus, rings, interrupts, core, variant, interrupt_ns)
        self.lost: tuple[int, Record] | None = None
        self.sa = bytes(reg.SA_BYTES)
        self._bus = self._records = bus
        self._planner = Planner(variant)
        self._event: Event | None = None
        self._fetches = False
        self._tries = 0

    def kick(self) -> None:
        """Begin the next packet if the engine can take one."""
        raise NotImplementedError

    def attach(self, descriptors: DMABus, records: DMABus) -> None:
        """Say through which bus descriptors go, and SA records."""
        self._bus = self.results.bus = descriptors
        self._records = records

    def _command(self) -> tuple[int, ...] | None:
        """The next command, from its ring or the registers; None when it cannot be begun."""
        words = self.window
        if self._fetches:
            try:
                words = _WORDS.unpack(self._bus.read(self._rings.command_address(), 32))
            except BusError as error:
                self._core.faults.stray(error)
                self.break_down()
                return None
        if words[0] & _OWNERSHIP != words[7] >> reg.LENGTH_OWNERSHIP_SHIFT & _OWNERSHIP:
            rule = "both ownership pairs of a command agree when it is counted in"
            self._core.faults.note("descriptor words 0 and 7", (words[0], words[7]), rule)
            self._refetch()
            return None
        self._tries = 0
        return words

    def _refetch(self) -> None:
        """Discard a descriptor whose halves name different owners, and read it again later."""
        delay = _REFETCH_NS << self._tries
        self._tries += 1
        if self._tries <= REFETCHES:
            self._event = self._sim.schedule(
                delay, Context.DEVICE, "eip93 refetch", self._fetch_again
            )

    def _fetch_again(self) -> None:
        self._event = None
        self.kick()

    def _plan(self, words: tuple[int, ...]) -> Plan | None:
        """Fetch the SA record, unless random numbers need none; None after a bus error."""
        if words[0] & reg.CONTROL_PRNG_GENERATE:  # also part of the test mode
            return self._planner.random
        try:
            if self.lost is not None:
                self._lose(words[3], *self.lost)
            self.sa = sa = self._records.read(words[3], reg.SA_BYTES)
        except BusError as error:
            self._core.faults.stray(error)
            return None
        return self._planner.plan(_COMMAND_WORDS.unpack_from(sa))

    def _lose(self, address: int, others: int, record: Record) -> None:
        """Count a packet towards an injected fault, and have it strike; BusError for an SA."""
        self.lost = (others - 1, record) if others else None
        if others:
            return
        if record is Record.STATE:
            self._core.miss_state()
        else:
            raise BusError(address, reg.SA_BYTES, "injected fault")

    def plan(self, words: tuple[int, ...], sa: bytes) -> Plan:
        """The plan of a command whose SA record the host has written."""
        if words[0] & reg.CONTROL_PRNG_GENERATE:
            return self._planner.random
        return self._planner.plan(_COMMAND_WORDS.unpack_from(sa))
