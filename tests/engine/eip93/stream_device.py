"""An EIP-93 in a process of its own, with a byte stream for its doors; see `ports.py`.

    python stream_device.py inside|after|later

Packets complete inside the register write that starts them, right after it, or only when the other
side lets time pass.
"""

from __future__ import annotations

import struct
import sys

from tcrypt.engine.eip93.device import Device, Latency
from tcrypt.engine.eip93.errors import DriverFault, NotModelled
from tcrypt.engine.sim import BusError, Simulation


class Stream:
    """Bus and interrupt line of the device, over stdin and stdout."""

    def __init__(self, schedule: str) -> None:
        self.schedule = schedule
        self.depth = 0
        self.sim = Simulation()
        latency = Latency.IMMEDIATE if schedule == "inside" else Latency.SIMULATED
        self.device = Device(self.sim, self, self, latency=latency)

    def send(self, frame: bytes) -> None:
        sys.stdout.buffer.write(frame)
        sys.stdout.buffer.flush()

    def take(self, form: str) -> tuple[int, ...]:
        return struct.unpack(form, sys.stdin.buffer.read(struct.calcsize(form)))

    def set_level(self, high: bool) -> None:
        self.send(b"i" + bytes([high]))

    def read(self, address: int, length: int) -> bytes:
        self.send(b"r" + struct.pack("<II", address, length))
        if self.serve_until(b"D") != b"D":
            raise BusError(address, length, "the other side says so")
        return sys.stdin.buffer.read(self.take("<I")[0])

    def write(self, address: int, data: bytes) -> None:
        self.send(b"w" + struct.pack("<II", address, len(data)) + data)
        if self.serve_until(b"K") != b"K":
            raise BusError(address, len(data), "the other side says so")

    def serve_until(self, wanted: bytes) -> bytes:
        """Answer accesses until the answer to a DMA request comes."""
        self.depth += 1
        try:
            while (letter := sys.stdin.buffer.read(1)) not in (wanted, b"E", b""):
                self.access(letter)
            return letter
        finally:
            self.depth -= 1

    def access(self, letter: bytes) -> None:
        """One access; a refusal is told, and ends nothing."""
        try:
            if letter == b"R":
                value = self.device.read32(*self.take("<I"))
                self.send(b"v" + struct.pack("<I", value))
            elif letter == b"W":
                self.device.write32(*self.take("<II"))
                self.send(b"k")
                if self.schedule == "after" and not self.depth:
                    self.sim.run()
            else:
                self.pass_time(*self.take("<Q"))
        except (DriverFault, NotModelled) as refusal:
            text = f"{type(refusal).__name__}: {refusal}".encode()
            self.send(b"f" + struct.pack("<I", len(text)) + text)

    def pass_time(self, duration: int) -> None:
        deadline = self.sim.now + duration
        self.sim.run(deadline=deadline)
        self.sim.now = max(self.sim.now, deadline)
        self.send(b"k")

    def serve(self) -> None:
        """Answer accesses until the stream ends."""
        while letter := sys.stdin.buffer.read(1):
            self.access(letter)


if __name__ == "__main__":
    Stream(sys.argv[1]).serve()
