"""Ports to a device: one in this process, and one at the other end of a byte stream.

The memory of a port belongs to its driver; addresses begin at `BASE`.  The stream carries frames
of a letter and little-endian fields:

    to the device     R offset            W offset value        T time (ns, then go on)
                      D length data       K                     E             (answers to DMA)
    from the device   v value             k                     f length text (answers)
                      r address length    w address length data               (DMA)
                      i level                                                 (interrupt line)

DMA requests and interrupt levels come at any time, also before the answer to an access.
"""

from __future__ import annotations

import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from tcrypt.engine.eip93.device import Device, Latency
from tcrypt.engine.eip93.variants import MT7621, Variant
from tcrypt.engine.sim import BusError, Simulation

BASE = 0x4000_0000
SIZE = 1 << 22


class Ram:
    """The driver's memory."""

    def __init__(self) -> None:
        self._bytes = bytearray(SIZE)
        self.on_interrupt: Callable[[], None] = lambda: None

    def load(self, address: int, length: int) -> bytes:
        at = address - BASE
        if not 0 <= at <= SIZE - length:
            raise BusError(address, length, "outside of memory")
        return bytes(self._bytes[at : at + length])

    def store(self, address: int, data: bytes) -> None:
        at = address - BASE
        if not 0 <= at <= SIZE - len(data):
            raise BusError(address, len(data), "outside of memory")
        self._bytes[at : at + len(data)] = data


class LocalPort(Ram):
    """A device in this process; its interrupt handler runs inside the change of the line."""

    def __init__(self, latency: Latency, variant: Variant = MT7621) -> None:
        super().__init__()
        self.sim = Simulation()
        self.high = False
        self.device = Device(self.sim, self, self, variant, latency)
        self.read32, self.write32 = self.device.read32, self.device.write32

    def read(self, address: int, length: int) -> bytes:
        return self.load(address, length)

    def write(self, address: int, data: bytes) -> None:
        self.store(address, data)

    def set_level(self, high: bool) -> None:
        self.high = high
        if high:
            self.on_interrupt()

    def wait(self) -> None:
        self.sim.run()


class StreamPort(Ram):
    """A device in another process; `schedule` says when it completes packets."""

    def __init__(self, schedule: str) -> None:
        super().__init__()
        self.schedule = schedule
        self.high = False
        self.log: list[str] = []
        script = Path(__file__).with_name("stream_device.py")
        self._process = subprocess.Popen(
            [sys.executable, str(script), schedule], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._out: BinaryIO = self._process.stdin  # type: ignore[assignment]
        self._in: BinaryIO = self._process.stdout  # type: ignore[assignment]
        self._raised = False

    def close(self) -> int:
        """End the stream; the exit status of the other process."""
        self._out.close()
        self._in.close()
        return self._process.wait(timeout=20)

    def read32(self, offset: int) -> int:
        self._send(b"R" + struct.pack("<I", offset))
        return self._answer()

    def write32(self, offset: int, value: int) -> None:
        self.log.append(f"W{offset:03x}")
        self._send(b"W" + struct.pack("<II", offset, value))
        self._answer()
        self.log.append("k")

    def wait(self) -> None:
        # Five milliseconds are long against every packet of the tests.
        self.log.append("T")
        self._send(b"T" + struct.pack("<Q", 5_000_000))
        self._answer()
        if self._raised:
            self._raised = False
            self.on_interrupt()

    def _send(self, frame: bytes) -> None:
        self._out.write(frame)
        self._out.flush()

    def _take(self, form: str) -> tuple[int, ...]:
        return struct.unpack(form, self._in.read(struct.calcsize(form)))

    def _answer(self) -> int:
        """Serve DMA and the interrupt line until the answer comes."""
        while True:
            letter = self._in.read(1)
            if letter == b"k":
                return 0
            if letter == b"v":
                return self._take("<I")[0]
            if letter == b"r":
                self._serve_read(*self._take("<II"))
            elif letter == b"w":
                self._serve_write(*self._take("<II"))
            elif letter == b"i":
                self.high = bool(self._take("<B")[0])
                self._raised |= self.high
            elif letter == b"f":
                raise RuntimeError(self._in.read(self._take("<I")[0]).decode())
            else:
                raise EOFError(f"the device process said {letter!r}")

    def _serve_read(self, address: int, length: int) -> None:
        try:
            data = self.load(address, length)
        except BusError:
            self._send(b"E")
        else:
            self._send(b"D" + struct.pack("<I", length) + data)

    def _serve_write(self, address: int, length: int) -> None:
        data = self._in.read(length)
        self.log.append("w")
        try:
            self.store(address, data)
        except BusError:
            self._send(b"E")
        else:
            self._send(b"K")
