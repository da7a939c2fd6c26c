"""What register accesses cost the processor, which waits for each of them.

In the ring modes a packet takes a handful, and their time is part of what a request costs the
processor at all.  In direct host mode every word of data is one, and nothing else sets the pace.
"""

from __future__ import annotations

from typing import Final, Protocol

from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.variants import Variant
from tcrypt.engine.sim import Simulation

__all__ = ("TimedMmio",)

_NS: Final = 1_000_000_000


class _Mmio(Protocol):
    def read32(self, offset: int, /) -> int: ...

    def write32(self, offset: int, value: int, /) -> None: ...


class TimedMmio:
    """A register door whose accesses take time, in which the device and interrupts go on.

    The words of records and buffers do nothing by themselves, so their time passes together, at
    the next access that does.
    """

    def __init__(self, mmio: _Mmio, sim: Simulation, variant: Variant) -> None:
        self._mmio = mmio
        self._sim = sim
        self._read_ns = variant.timing.register_read * _NS // variant.clock_hz
        self._write_ns = variant.timing.register_write * _NS // variant.clock_hz
        self._owed = 0

    def read32(self, offset: int) -> int:
        """Read a register; its time has passed when the device is asked."""
        self._pass(offset, self._read_ns)
        return self._mmio.read32(offset)

    def write32(self, offset: int, value: int) -> None:
        """Write a register; its time has passed when it arrives."""
        self._pass(offset, self._write_ns)
        self._mmio.write32(offset, value)

    def _pass(self, offset: int, duration: int) -> None:
        self._owed += duration
        if offset < reg.SA_WINDOW or offset == reg.SA_READY:
            owed, self._owed = self._owed, 0
            self._sim.let_pass(owed)
