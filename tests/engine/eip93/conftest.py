"""A bare machine around the device: memory, interrupt line, and what every driver writes first."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.descriptors import (
    Descriptor,
    command_control,
    command_length,
    result_length,
    result_pad,
    result_status,
)
from tcrypt.engine.eip93.device import Device, Latency
from tcrypt.engine.eip93.records import SACommand, SARecord, StateRecord
from tcrypt.engine.eip93.variants import MT7621, Variant
from tcrypt.engine.sim import BusError, IrqLine, Simulation

BASE = 0x2000_0000
POISON = 0xFE


class FlatMemory:
    """One flat block of poisoned memory; it doubles as the device's bus."""

    def __init__(self, size: int = 1 << 22) -> None:
        self._bytes = bytearray([POISON]) * size
        self._next = BASE
        self.closed: list[tuple[int, int]] = []
        self.reads: list[tuple[int, int]] = []
        self.writes: list[tuple[int, int]] = []

    def alloc(self, data: bytes | int, *, offset: int = 0) -> int:
        """Place `data`, or room for that many bytes, `offset` bytes behind a 64-byte boundary."""
        address = self._next + offset
        size = data if isinstance(data, int) else len(data)
        self._next += (offset + size + 127) // 64 * 64
        if isinstance(data, bytes):
            self.poke(address, data)
        return address

    def poke(self, address: int, data: bytes) -> None:
        """Store as the processor does."""
        self._bytes[address - BASE : address - BASE + len(data)] = data

    def peek(self, address: int, length: int) -> bytes:
        """Load as the processor does."""
        return bytes(self._bytes[address - BASE : address - BASE + length])

    def close(self, address: int, length: int) -> None:
        """Let the device fault on these bytes from now on."""
        self.closed.append((address, length))

    def _check(self, address: int, length: int) -> None:
        if address < BASE or address + length > BASE + len(self._bytes):
            raise BusError(address, length, "outside of memory")
        for start, size in self.closed:
            if address < start + size and start < address + length:
                raise BusError(address, length, "closed")

    def read(self, address: int, length: int) -> bytes:
        self._check(address, length)
        self.reads.append((address, length))
        return self.peek(address, length)

    def write(self, address: int, data: bytes) -> None:
        self._check(address, len(data))
        self.writes.append((address, len(data)))
        self.poke(address, data)


class Bench:
    """Device, memory and interrupt line, and the register writes that every test begins with."""

    def __init__(self, variant: Variant = MT7621, latency: Latency = Latency.SIMULATED) -> None:
        self.sim = Simulation()
        self.memory = FlatMemory()
        self.irq = IrqLine(self.sim, "eip93")
        self.device = Device(self.sim, self.memory, self.irq, variant, latency)
        self.ring_size = 0
        self.stride = 8
        self.commands = self.results = 0
        self._put = self._got = 0

    def start(
        self, *, size: int = 8, stride: int = 8, overlaid: bool = False, update: bool = True
    ) -> None:
        """Bring the device up as the drivers do: rings, then reset into ring mode."""
        self.ring_size, self.stride = size, stride
        self._put = self._got = 0
        self.commands = self.memory.alloc(bytes(size * stride * 4))
        self.results = self.commands if overlaid else self.memory.alloc(bytes(size * stride * 4))
        write = self.device.write32
        write(reg.PE_CDR_BASE, self.commands)
        write(reg.PE_RDR_BASE, self.results)
        write(reg.PE_RING_CONFIG, size - 1 | stride << reg.RING_CONFIG_STRIDE_SHIFT)
        mode = reg.CONFIG_MODE_ARM | (reg.CONFIG_EN_CDR_UPDATE if update else 0)
        write(reg.PE_CONFIG, mode | reg.CONFIG_RST_PE | reg.CONFIG_RST_RING)
        write(reg.PE_CONFIG, mode)
        write(reg.INT_CLR, 0xFFFF_FFFF)

    def descriptor(
        self,
        *,
        sa: int,
        source: int = 0,
        destination: int = 0,
        state: int = 0,
        length: int = 0,
        bypass: int = 0,
        final: bool = True,
        pad_control: int = 0,
        pad_value: int = 0,
        user_id: int = 0x1234_5678,
    ) -> Descriptor:
        """A command that belongs to the engine."""
        control = command_control(hash_final=final, pad_control=pad_control, pad_value=pad_value)
        words = command_length(length, bypass=bypass)
        return Descriptor(control, source, destination, sa, state, 0xA4A4, user_id, words)

    def queue(self, descriptor: Descriptor) -> None:
        """Put a command at the ring's next place, without telling the engine."""
        self.memory.poke(self.slot(self.commands, self._put), descriptor.pack())
        self._put += 1

    def slot(self, base: int, index: int) -> int:
        """Where ring entry `index` lies, counted on beyond the end of the ring."""
        return base + index % self.ring_size * self.stride * 4

    def ring(self, count: int = 1) -> None:
        """Ring the doorbell."""
        self.device.write32(reg.PE_CD_COUNT, count)

    def take(self) -> Descriptor:
        """The next result, which must have been counted; hand its place back."""
        assert self.device.read32(reg.PE_RD_COUNT) > 0, "no result was counted"
        result = Descriptor.unpack(self.memory.peek(self.slot(self.results, self._got), 32))
        self._got += 1
        self.device.write32(reg.PE_RD_COUNT, 1)
        return result

    def run(self, descriptor: Descriptor) -> Result:
        """One packet from doorbell to result."""
        self.queue(descriptor)
        self.ring()
        self.sim.run()
        return Result(self.take())

    def sa(
        self, command: SACommand, *, key: bytes = b"", inner: bytes = b"", outer: bytes = b""
    ) -> int:
        """The address of a new SA record."""
        record = SARecord(command=command, key=key, inner_digest=inner, outer_digest=outer)
        return self.memory.alloc(record.pack())

    def state(self, *, iv: bytes = b"", count: int = 0, digest: bytes = b"") -> int:
        """The address of a new state record."""
        return self.memory.alloc(StateRecord(iv=iv, byte_count=count, digest=digest).pack())

    def state_at(self, address: int) -> StateRecord:
        """The state record at an address."""
        return StateRecord.unpack(self.memory.peek(address, reg.STATE_BYTES))


class Result:
    """What a result descriptor says."""

    def __init__(self, descriptor: Descriptor) -> None:
        self.descriptor = descriptor
        self.status = result_status(descriptor.control)
        self.pad = result_pad(descriptor.control)
        self.length = result_length(descriptor.length)


@pytest.fixture
def make_bench() -> Iterator[Callable[..., Bench]]:
    """A maker of benches; each must be idle at the end, or the device hides work."""
    benches: list[Bench] = []

    def make(variant: Variant = MT7621, latency: Latency = Latency.SIMULATED) -> Bench:
        benches.append(Bench(variant, latency))
        return benches[-1]

    yield make
    for bench in benches:
        bench.sim.run(max_steps=10_000)
        assert bench.sim.idle


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    """A started MT7621 with rings of 8 entries."""
    made = make_bench()
    made.start()
    return made
