"""The timing model held against what MT7621 owners measured.

A published figure is the speed of a whole machine: a processor that prepares requests, and an
engine that works on them.  The engine's share is measured on the device model.  The processor's is
one of three times per request, which are fitted:

- alone: one process that waits for each request, through system calls and an interrupt;
- kernel: the same from inside of the kernel, without system calls;
- loaded: eight processes on four threads of two cores; requests overlap, and whichever of
  processor and engine takes longer sets the pace.

Source: eip93, section 6, with the figures of the out-of-tree driver's author (2020) and of OpenWrt
pull request 10042.  The cycles of the latter are taken as those of the counter that MIPS programs
read, which runs at half of 880 MHz.  Not held against the model: disks and networks, whose figures
contain too much else.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.descriptors import Descriptor, command_control, command_length
from tcrypt.engine.eip93.device import Device
from tcrypt.engine.eip93.records import Cipher, CipherMode, IVSource, SACommand, SARecord
from tcrypt.engine.eip93.timing import HOST_ALONE, HOST_KERNEL, HOST_LOADED
from tcrypt.engine.eip93.variants import MT7621, Variant
from tcrypt.engine.sim import IrqLine, Simulation

__all__ = ("PUBLISHED", "Host", "Point", "engine_ns", "error", "modelled")


class Host(enum.Enum):
    """How the processor takes part, with its time per request in ns."""

    ALONE = HOST_ALONE
    KERNEL = HOST_KERNEL
    LOADED = HOST_LOADED


@dataclass(frozen=True, slots=True)
class Point:
    """One published figure.

    Attributes:
        name: The algorithm.
        command: Cipher, mode and key length.
        host: How the processor took part.
        length: Bytes per request.
        speed: Millions of bytes per second.
    """

    name: str
    command: SACommand
    host: Host
    length: int
    speed: float


_AES_128: Final = SACommand(
    cipher=Cipher.AES,
    mode=CipherMode.CBC,
    aes_key_length=2,
    iv_source=IVSource.STATE,
    save_iv=True,
)
_AES_256: Final = SACommand(
    cipher=Cipher.AES,
    mode=CipherMode.CBC,
    aes_key_length=4,
    iv_source=IVSource.STATE,
    save_iv=True,
)
_DES: Final = SACommand(
    cipher=Cipher.DES, mode=CipherMode.CBC, iv_source=IVSource.STATE, save_iv=True
)
_CTR: Final = SACommand(
    cipher=Cipher.AES,
    mode=CipherMode.CTR,
    aes_key_length=2,
    iv_source=IVSource.STATE,
    save_iv=True,
)
_SIZES: Final = (16, 64, 256, 1024, 8192, 16384)
_CYCLES_PER_SECOND: Final = 440e6
_CYCLES: Final = {16: 14_915, 256: 17_184, 1024: 19_410, 8192: 68_984}

PUBLISHED: Final = (
    *(
        Point("cbc(aes), 256-bit key", _AES_256, host, size, speed)
        for host, speeds in (
            (Host.ALONE, (0.43, 1.66, 5.94, 17.3, 37.9, 40.9)),
            (Host.LOADED, (0.95, 3.9, 15.6, 43.5, 47.4, 47.5)),
        )
        for size, speed in zip(_SIZES, speeds, strict=True)
    ),
    Point("cbc(aes), 128-bit key", _AES_128, Host.ALONE, 16384, 53.6),
    Point("cbc(aes), 128-bit key", _AES_128, Host.LOADED, 16384, 64.8),
    Point("cbc(des)", _DES, Host.ALONE, 16384, 94.9),
    Point("cbc(des)", _DES, Host.LOADED, 16384, 133.3),
    *(
        Point(
            "ctr(aes), 128-bit key",
            _CTR,
            Host.KERNEL,
            size,
            size * _CYCLES_PER_SECOND / cycles / 1e6,
        )
        for size, cycles in _CYCLES.items()
    ),
)

_RING, _SA, _STATE, _DATA = 0x1000, 0x2000, 0x2100, 0x3000


class _Memory:
    """The little memory that one packet needs."""

    def __init__(self, length: int) -> None:
        self._bytes = bytearray(_DATA + length)

    def read(self, address: int, length: int, /) -> bytes:
        return bytes(self._bytes[address : address + length])

    def write(self, address: int, data: bytes, /) -> None:
        self._bytes[address : address + len(data)] = data


def engine_ns(command: SACommand, length: int, variant: Variant = MT7621) -> int:
    """How long the device takes for one packet, from the doorbell to the counted result."""
    sim, memory = Simulation(), _Memory(length)
    device = Device(sim, memory, IrqLine(sim, "eip93"), variant)
    memory.write(_SA, SARecord(command=command, key=bytes(range(32))).pack())
    packet = Descriptor(command_control(), _DATA, _DATA, _SA, _STATE, 0, 0, command_length(length))
    memory.write(_RING, packet.pack())
    for offset, value in (
        (reg.PE_CDR_BASE, _RING),
        (reg.PE_RDR_BASE, _RING),
        (reg.PE_RING_CONFIG, 1),
        (reg.PE_CONFIG, reg.CONFIG_MODE_ARM),
        (reg.PE_CD_COUNT, 1),
    ):
        device.write32(offset, value)
    sim.run(until=lambda: device.read32(reg.PE_RD_COUNT) == 1)
    return sim.now


def modelled(point: Point, variant: Variant = MT7621) -> float:
    """What the model makes of a point, in millions of bytes per second."""
    engine, processor = engine_ns(point.command, point.length, variant), point.host.value
    overlaps = point.host is Host.LOADED
    return point.length * 1e3 / (max(engine, processor) if overlaps else engine + processor)


def error(point: Point, variant: Variant = MT7621) -> float:
    """How far the model is off, as a fraction of the published figure."""
    return modelled(point, variant) / point.speed - 1
