"""The windows of direct host mode: records and data inside of the device, and a bus to them.

To the packet core they are memory at made-up addresses, so that it works in every mode alike.
"""

from __future__ import annotations

from typing import Final

from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.sim import BusError

__all__ = ("ARC4_PLACE", "INPUT_PLACE", "OUTPUT_PLACE", "SA_PLACE", "STATE_PLACE", "Windows")

INPUT_PLACE: Final = 1 << 24
OUTPUT_PLACE: Final = 2 << 24
SA_PLACE: Final = 3 << 24
STATE_PLACE: Final = 4 << 24
ARC4_PLACE: Final = 5 << 24
_PLACE: Final = 0xFF << 24
_WITHIN: Final = 0xFF_FFFF
_DATA: Final = reg.DATA_BYTES


class Windows:
    """Records and buffers of one device; also the bus through which its core reaches them.

    Attributes:
        sa: The SA record.
        state: The state record.
        arc4: The S-box of ARC4.
        output_bytes: How much the output buffer holds, in whole words.
    """

    def __init__(self) -> None:
        self.sa = bytearray(reg.SA_BYTES)
        self.state = bytearray(reg.STATE_BYTES)
        self.arc4 = bytearray(reg.ARC4_BYTES)
        self._in_buffer = bytearray(_DATA)
        self._out_buffer = bytearray(_DATA)
        self.restart()

    def restart(self) -> None:
        """Empty the buffers."""
        self.output_bytes = 0
        self._in_at = self._out_at = 0
        self._input = bytearray()
        self._output = bytearray()
        self._moved = 0

    def clear(self) -> None:
        """Power-on reset: everything is zero."""
        for record in (self.sa, self.state, self.arc4, self._in_buffer, self._out_buffer):
            record[:] = bytes(len(record))
        self.restart()

    def locate(self, offset: int) -> tuple[bytearray, int]:
        """The record that the register at `offset` is a word of, and where in it."""
        for first, record in (
            (reg.SA_WINDOW, self.sa),
            (reg.STATE_WINDOW, self.state),
            (reg.ARC4_WINDOW, self.arc4),
        ):
            if first <= offset < first + len(record):
                return record, offset - first
        raise LookupError(f"no window has a register at {offset:#x}")

    # The buffers, as the host sees them.

    def write_data(self, offset: int, value: int) -> None:
        """A word of the input buffer."""
        at = offset - reg.DATA_WINDOW
        self._in_buffer[at : at + 4] = value.to_bytes(4, "little")

    def read_data(self, offset: int) -> int:
        """A word of the output buffer."""
        at = offset - reg.DATA_WINDOW
        return int.from_bytes(self._out_buffer[at : at + 4], "little")

    def take_input(self, count: int) -> None:
        """Let the core have `count` bytes from where the last ones ended."""
        ring = self._in_buffer + self._in_buffer
        self._input += ring[self._in_at : self._in_at + count]
        self._in_at = (self._in_at + count) % _DATA

    def begin(self) -> None:
        """A new packet: what was input for the last one is gone; the pointers stay."""
        self._input = bytearray()

    @property
    def waiting_output(self) -> int:
        """How many bytes have no place in the output buffer yet."""
        return len(self._output) - self._moved

    def fill_output(self) -> None:
        """Move as much output as fits into the buffer, behind what is there."""
        count = min(_DATA - self.output_bytes, self.waiting_output)
        moved = self._output[self._moved : self._moved + count] + bytes(-count % 4)
        self._moved += count
        if not self.waiting_output:
            self._output, self._moved = bytearray(), 0
        for index, byte in enumerate(moved):
            self._out_buffer[(self._out_at + index) % _DATA] = byte
        self._out_at = (self._out_at + len(moved)) % _DATA
        self.output_bytes += len(moved)

    def drop_output(self, count: int) -> None:
        """The host has read `count` bytes."""
        self.output_bytes -= count

    def read_pointers(self) -> int:
        """PE_BUF_RW_PNTR: where the core reads and writes next."""
        return self._in_at | self._out_at << 16

    # The bus.

    def read(self, address: int, length: int, /) -> bytes:
        """Bytes at a made-up address; BusError where there are none."""
        at = address & _WITHIN
        if address & _PLACE == INPUT_PLACE:
            data = bytes(self._input[at : at + length])
        else:
            data = bytes(self._record(address, length)[at : at + length])
        if len(data) != length:
            raise BusError(address, length, "outside of the windows")
        return data

    def write(self, address: int, data: bytes, /) -> None:
        """Store at a made-up address; BusError where nothing can be stored."""
        if address & _PLACE == OUTPUT_PLACE:
            self._output += data
            return
        at = address & _WITHIN
        self._record(address, len(data))[at : at + len(data)] = data

    def _record(self, address: int, length: int) -> bytearray:
        places = {SA_PLACE: self.sa, STATE_PLACE: self.state, ARC4_PLACE: self.arc4}
        record = places.get(address & _PLACE)
        if record is None or (address & _WITHIN) + length > len(record):
            raise BusError(address, length, "outside of the windows")
        return record
