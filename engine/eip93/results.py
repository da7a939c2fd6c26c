"""Result descriptors: what they say, and how they reach the rings.

Source: Analog Devices PKTE chapter, "Descriptor Ring Processing"; where it says two things about
the update of the command, the variant decides.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import partial
from typing import Final

from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.lanes import DMABus
from tcrypt.engine.eip93.operations import Outcome
from tcrypt.engine.eip93.rings import Rings
from tcrypt.engine.eip93.variants import CDRUpdate, Variant
from tcrypt.engine.sim import BusError, Context, Simulation

__all__ = ("ResultWriter", "result_words")

_WORDS: Final = struct.Struct("<8I")
_TORN_AT: Final = 4  # the first word, with one ownership pair and the status, is there early
_KEPT_CONTROL: Final = 0xFC  # bits 7:2 of a command's word 0 come back in its result
_KEPT_LENGTH: Final = 0xFF << reg.LENGTH_BYPASS_SHIFT
_NO_OWNER_0: Final = ~3
_NO_OWNER_7: Final = ~(3 << reg.LENGTH_OWNERSHIP_SHIFT)


def result_words(words: tuple[int, ...], outcome: Outcome) -> tuple[int, ...]:
    """The result descriptor of a command with an outcome."""
    status, pad, length, value = outcome
    first = words[0] & _KEPT_CONTROL | reg.CONTROL_PE_READY | status << reg.CONTROL_STATUS_SHIFT
    first |= (pad & 0xFF) << reg.CONTROL_PAD_SHIFT | value << reg.CONTROL_PAD_VALUE_SHIFT
    last = words[7] & _KEPT_LENGTH | length & reg.LENGTH_BYTES | reg.LENGTH_PE_READY
    return (first, *words[1:7], last)


class ResultWriter:
    """The way of results to memory; `failed` is called when the end of one cannot be written.

    Attributes:
        bus: Memory, as descriptors are written.
    """

    def __init__(
        self,
        sim: Simulation,
        bus: DMABus,
        rings: Rings,
        variant: Variant,
        failed: Callable[[], None],
    ) -> None:
        self.bus = bus
        self._sim = sim
        self._rings = rings
        self._clears = variant.cdr_update is CDRUpdate.CLEAR_OWNERSHIP
        self._torn_ns = variant.torn_result_ns
        self._failed = failed
        self._writes = self._updates = False
        self._generation = 0

    def reset(self) -> None:
        """Power-on reset: what is still on its way to memory is lost."""
        self._generation += 1
        self._writes = self._updates = False

    def configure(self, *, writes: bool, updates: bool) -> None:
        """Say whether results go to their ring, and whether commands are marked in theirs."""
        self._writes, self._updates = writes, updates

    def write(self, words: tuple[int, ...], result: bytes) -> None:
        """Update the command and write its result; raises BusError."""
        if not self._writes:
            return
        rings, bus = self._rings, self.bus
        if self._updates and not rings.overlaid:
            update = result
            if self._clears:
                kept = (words[0] & _NO_OWNER_0, *words[1:7], words[7] & _NO_OWNER_7)
                update = _WORDS.pack(*kept)
            bus.write(rings.command_address(), update)
        address = rings.result_address()
        delay = self._torn_ns
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
                self.bus.write(address, data)
            except BusError:
                self._failed()
