"""Byte lanes: how PE_ENDIAN_CONFIG rearranges the bytes of every 32-bit word.

Four 2-bit selectors, lane 0 lowest, name the byte that each lane takes: 0xE4 changes nothing, 0x1B
reverses the word.

Source: Analog Devices PKTE chapter, register PKTE_ENDIAN_CFG.
"""

from __future__ import annotations

from typing import Final, Protocol

from tcrypt.engine.eip93.errors import NotModelled

__all__ = ("NO_SWAP", "DMABus", "SwappingBus", "swap_lanes", "swap_word")

NO_SWAP: Final = 0xE4


class DMABus(Protocol):
    """The device's way to memory; both methods raise `tcrypt.engine.sim.BusError`."""

    def read(self, address: int, length: int, /) -> bytes:
        """The `length` bytes at a bus address."""

    def write(self, address: int, data: bytes, /) -> None:
        """Store `data` at a bus address."""


def swap_lanes(data: bytes, selectors: int) -> bytes:
    """Rearrange every word of `data`, whose length is a multiple of 4 bytes."""
    out = bytearray(len(data))
    for lane in range(4):
        out[lane::4] = data[selectors >> 2 * lane & 3 :: 4]
    return bytes(out)


def swap_word(value: int, selectors: int) -> int:
    """Rearrange one 32-bit word."""
    return int.from_bytes(swap_lanes(value.to_bytes(4, "little"), selectors), "little")


class SwappingBus:
    """A bus whose words go through the lane selectors, in both directions."""

    def __init__(self, bus: DMABus, selectors: int) -> None:
        self._bus = bus
        self._selectors = selectors

    def read(self, address: int, length: int, /) -> bytes:
        """Words from memory, rearranged; raises NotModelled for parts of words."""
        _whole_words(address, length)
        return swap_lanes(self._bus.read(address, length), self._selectors)

    def write(self, address: int, data: bytes, /) -> None:
        """Words to memory, rearranged; raises NotModelled for parts of words."""
        _whole_words(address, len(data))
        self._bus.write(address, swap_lanes(data, self._selectors))


def _whole_words(address: int, length: int) -> None:
    if (address | length) & 3:
        what = f"byte lane swaps of {length} bytes at {address:#x}, which are no whole words"
        raise NotModelled("PE_ENDIAN_CONFIG", length, what)
