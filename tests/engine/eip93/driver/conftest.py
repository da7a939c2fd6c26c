"""The driver on a device whose register accesses are recorded, and a caller on its machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tcrypt.engine import software
from tcrypt.engine.api.machine import Machine
from tcrypt.engine.api.memory import Memory
from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.descriptors import Descriptor
from tcrypt.engine.eip93.device import Device, Latency
from tcrypt.engine.eip93.driver.policy import FallbackPolicy
from tcrypt.engine.eip93.driver.probe import Driver, probe
from tcrypt.engine.eip93.driver.submission import Mode
from tcrypt.engine.eip93.variants import MT7621, Variant
from tcrypt.engine.sim import IrqLine

if TYPE_CHECKING:
    from tests.engine.conftest import Caller


class Work(NamedTuple):
    """One descriptor as it was when its doorbell rang, with the records that it names."""

    descriptor: Descriptor
    sa: bytes
    state: bytes

    @property
    def words(self) -> tuple[int, int]:
        """SA_CMD0 and SA_CMD1."""
        return int.from_bytes(self.sa[:4], "little"), int.from_bytes(self.sa[4:8], "little")

    @property
    def length(self) -> int:
        """Input bytes."""
        return self.descriptor.length & reg.LENGTH_BYTES


class Tap:
    """The device's register door, with a record of what went through it."""

    def __init__(self, device: Device, memory: Memory, now: Callable[[], int]) -> None:
        self._device = device
        self._memory = memory
        self._now = now
        self.writes: list[tuple[int, int]] = []
        self.times: list[int] = []
        self.work: list[Work] = []
        self._commands = self._size = self._next = 0

    def read32(self, offset: int) -> int:
        return self._device.read32(offset)

    def write32(self, offset: int, value: int) -> None:
        self.writes.append((offset, value))
        self.times.append(self._now())
        if offset == reg.PE_CDR_BASE:
            self._commands = value
        elif offset == reg.PE_RING_CONFIG:
            self._size = (value & reg.RING_CONFIG_SIZE) + 1
        elif offset == reg.PE_CONFIG and value & reg.CONFIG_RST_RING:
            self._next = 0
        elif offset == reg.PE_CD_COUNT and self._commands:
            self._record(value)
        self._device.write32(offset, value)

    def _record(self, count: int) -> None:
        read = self._memory.read
        for _ in range(count):
            place = self._commands + self._next * reg.DESCRIPTOR_BYTES
            descriptor = Descriptor.unpack(read(place, reg.DESCRIPTOR_BYTES))
            sa, state = read(descriptor.sa, reg.SA_BYTES), read(descriptor.state, reg.STATE_BYTES)
            self.work.append(Work(descriptor, sa, state))
            self._next = (self._next + 1) % self._size


class Rig:
    """One machine with a device, its driver, and a caller."""

    def __init__(
        self,
        make_caller: Callable[[Machine], Caller],
        variant: Variant = MT7621,
        *,
        latency: Latency = Latency.SIMULATED,
        ring_size: int | None = None,
        policy: FallbackPolicy | None = None,
        mode: Mode = "engine",
    ) -> None:
        self.machine = Machine()
        software.register(self.machine)
        self.sim = self.machine.sim
        self.irq = IrqLine(self.sim, "eip93")
        self.device = Device(self.sim, self.machine.dma, self.irq, variant, latency)
        self.ring_size = ring_size or variant.ring_size
        self.policy = policy
        self.mode = mode
        self.idle_mappings = 0
        self.caller = make_caller(self.machine)
        self.driver = self.probe()

    def probe(self) -> Driver:
        """Bind the driver (again)."""
        self.tap = Tap(self.device, self.machine.memory, lambda: self.sim.now)
        driver = probe(
            self.machine,
            self.tap,
            self.irq,
            ring_size=self.ring_size,
            policy=self.policy,
            mode=self.mode,
        )
        self.idle_mappings = self.machine.dma.live_mappings
        return driver

    def tfm(self, name: str, key: bytes | None = None) -> Any:
        """A transform of the driver's implementation of an algorithm."""
        registry = self.machine.registry
        alg = next(alg for alg in registry if alg.cra_name == name and alg.cra_module == "eip93")
        tfm = getattr(registry, f"alloc_{alg.type.word}")(alg.cra_driver_name)
        if key is not None:
            tfm.setkey(key)
        return tfm

    def count(self, outcome: str) -> int:
        """How many requests had this outcome, by the driver's counters."""
        return sum(n for (_, what), n in self.driver.core.counters.items() if what == outcome)

    @property
    def hardware(self) -> int:
        """How many requests the driver says went to the hardware."""
        return self.count("hardware")


@pytest.fixture
def make_rig(make_caller: Callable[[Machine], Caller]) -> Iterator[Callable[..., Rig]]:
    """A maker of rigs; each must be at rest at the end, without leaks and without warnings."""
    rigs: list[Rig] = []

    def make(variant: Variant = MT7621, **options: Any) -> Rig:
        rigs.append(Rig(make_caller, variant, **options))
        return rigs[-1]

    yield make
    for rig in rigs:
        assert rig.sim.run(max_steps=100_000)
        assert rig.machine.warnings == []
        assert rig.machine.dma.live_mappings == rig.idle_mappings
        assert not rig.driver.core.engine.busy


@pytest.fixture(params=list(Latency), ids=lambda latency: latency.value)
def rig(request: pytest.FixtureRequest, make_rig: Callable[..., Rig]) -> Rig:
    """An MT7621, once with packets that take time, once with results before the doorbell ends."""
    return make_rig(latency=request.param)
