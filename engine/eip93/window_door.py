"""Accesses to the windows of direct host mode, and to what cannot be accessed at all.

Source: Analog Devices PKTE chapter, "PKTE Programming Model", the clock control register and the
halt registers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NoReturn

from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.errors import DriverFault, NotModelled
from tcrypt.engine.eip93.lanes import swap_word
from tcrypt.engine.eip93.modes import Modes, Parts
from tcrypt.engine.eip93.regmap import Access, Register, registers_of

__all__ = ("WindowDoor",)

_WRITE_ONLY: Final = frozenset({Access.W1S, Access.W1C, Access.WO, Access.TRIGGER})
_WINDOW_WRITES: Final = frozenset({Access.RW, Access.WO, Access.DATA})


class WindowDoor:
    """The way to every offset that has no function of its own.

    `stored` is where PE_CLOCK_CTRL is read: the windows have no clock unless it enables one.

    Attributes:
        lanes: How the bytes of register accesses are swapped; None when they are not.
    """

    def __init__(
        self,
        parts: Parts,
        modes: Modes,
        stored: Mapping[int, int],
        endian_offset: int,
    ) -> None:
        self.lanes: int | None = None
        self._parts = parts
        self._endian_offset = endian_offset
        self._modes = modes
        self._stored = stored

    @property
    def _registers(self) -> Mapping[int, Register]:
        # A constant table is no state of the device, so the device does not hold it.
        return registers_of(self._endian_offset)

    def read(self, offset: int) -> int:
        """A word of a window; raises as `Device.read32`."""
        register = self._registers.get(offset)
        if register is None:
            self.refuse(offset, None)
        if register.access is Access.DATA:
            self._only_direct(register, None)
            value = self._parts.windows.read_data(offset)
        elif register.access is Access.RW:
            value = self._read_record(register)
        elif register.access is Access.WO and self._parts.sequencer.halting.halted:
            value = self._halted_sa(register)
        else:
            self.refuse(offset, None)
        return value if self.lanes is None else swap_word(value, self.lanes)

    def _read_record(self, register: Register) -> int:
        if self._parts.sequencer.halting.halted and register.offset < reg.STATE_WINDOW:
            return self._halted_sa(register)
        self._only_direct(register, None)
        record, at = self._parts.windows.locate(register.offset)
        return int.from_bytes(record[at : at + 4], "little")

    def _halted_sa(self, register: Register) -> int:
        """While the engine stands at a halt, the window shows the SA record in work."""
        at = register.offset - reg.SA_WINDOW
        return int.from_bytes(self._parts.sequencer.sa[at : at + 4], "little")

    def write(self, offset: int, value: int) -> None:
        """A word of a window; raises as `Device.write32`."""
        register = self._registers.get(offset)
        if register is None or value >> 32 or register.access not in _WINDOW_WRITES:
            self.refuse(offset, value)
        self._only_direct(register, value)
        if self.lanes is not None:
            value = swap_word(value, self.lanes)
        if register.access is Access.DATA:
            self._parts.windows.write_data(offset, value)
            return
        record, at = self._parts.windows.locate(offset)
        record[at : at + 4] = value.to_bytes(4, "little")
        if offset == reg.SA_READY:
            self._parts.direct.records_ready(self._stored[reg.PE_CLOCK_CTRL])

    def add_input(self, value: int) -> None:
        """PE_INBUF_COUNT, written."""
        self._only_direct(self._registers[reg.PE_INBUF_COUNT], value)
        self._parts.direct.add_input(value)

    def take_output(self, value: int) -> None:
        """PE_OUTBUF_COUNT, written."""
        self._only_direct(self._registers[reg.PE_OUTBUF_COUNT], value)
        self._parts.direct.take_output(value)

    def _only_direct(self, register: Register, value: int | None) -> None:
        if not self._modes.direct:
            rule = "the windows are for direct host mode, or to be read while the engine is halted"
            raise DriverFault(register.name, value, rule)
        arc4 = register.offset >= reg.ARC4_WINDOW and register.access is Access.RW
        clocks = reg.CLOCK_CTRL_PE | (reg.CLOCK_CTRL_ARC4 if arc4 else 0)
        if clocks & ~self._stored[reg.PE_CLOCK_CTRL]:
            rule = f"the windows need the clocks {clocks:#x} of PE_CLOCK_CTRL"
            raise DriverFault(register.name, value, rule)

    def refuse(self, offset: int, value: int | None) -> NoReturn:
        """Say why an access has no answer; `value` is None for a read."""
        name = f"offset {offset:#x}"
        if not 0 <= offset < reg.WINDOW_SIZE:
            raise DriverFault(name, value, f"the window has {reg.WINDOW_SIZE:#x} bytes")
        if offset % 4:
            self._parts.interrupts.latch(reg.INT_INTERFACE_ERR)
            self._parts.interrupts.update()
            raise DriverFault(name, value, "registers are accessed as aligned 32-bit words")
        register = self._registers.get(offset)
        if register is not None:
            _refuse_register(register, value)
        raise NotModelled(name, value, "a register that the register map does not list")


def _refuse_register(register: Register, value: int | None) -> NoReturn:
    if register.access in _WRITE_ONLY and value is None:
        raise DriverFault(register.name, value, "the register is write-only")
    if register.access is Access.RO and value is not None:
        raise DriverFault(register.name, value, "the register is read-only")
    if value is not None and value >> 32:
        raise DriverFault(register.name, value, "registers are 32 bits wide")
    raise NotModelled(register.name, value, register.access.value)
