"""The driver's side of the rings: room, order, laps, whose a result is (eip93, 2.1 and 4.2)."""

from __future__ import annotations

import pytest

from tcrypt.engine.api.dma import DmaBus
from tcrypt.engine.api.memory import Memory
from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.descriptors import Descriptor, command_control, command_length
from tcrypt.engine.eip93.driver.rings import Rings
from tcrypt.engine.sim import Simulation

_SIZE = 4


def command(number: int) -> Descriptor:
    return Descriptor(command_control(), 0, 0, 0, 0, 0, number, command_length(16))


class Engine:
    """Answers commands as the hardware does, and may leave an answer half written."""

    def __init__(self, rings: Rings, bus: DmaBus) -> None:
        self.rings = rings
        self.bus = bus
        self.done = 0

    def answer(self, *, control: bool = True, length: bool = True) -> None:
        place = self.done % self.rings.size * reg.DESCRIPTOR_BYTES
        words = Descriptor.unpack(self.bus.read(self.rings.commands + place, 32))
        stale = Descriptor.unpack(self.bus.read(self.rings.results + place, 32))
        result = words._replace(
            control=reg.CONTROL_PE_READY if control else stale.control,
            length=16 | reg.LENGTH_PE_READY if length else stale.length,
        )
        self.bus.write(self.rings.results + place, result.pack())
        if control and length:
            self.done += 1


@pytest.fixture
def bus() -> DmaBus:
    return DmaBus(Memory())


@pytest.fixture
def rings(bus: DmaBus) -> Rings:
    return Rings(bus, _SIZE, Simulation())


@pytest.fixture
def engine(rings: Rings, bus: DmaBus) -> Engine:
    return Engine(rings, bus)


def test_one_entry_stays_empty(rings: Rings) -> None:
    assert (rings.capacity, rings.free) == (_SIZE - 1, _SIZE - 1)
    for left in (2, 1, 0):
        rings.put(command(left))
        assert rings.free == left


def test_results_come_in_order_over_many_laps(rings: Rings, engine: Engine) -> None:
    for number in range(5 * _SIZE):
        rings.put(command(number))
        if number % 2:
            rings.put(command(1000 + number))
        for wanted in (number, 1000 + number) if number % 2 else (number,):
            engine.answer()
            result = rings.take()
            assert result is not None
            assert result.user_id == wanted
        assert rings.free == rings.capacity


def test_nothing_is_taken_before_it_is_answered(rings: Rings) -> None:
    assert rings.take() is None
    rings.put(command(1))
    assert rings.take() is None
    assert rings.used == 1


@pytest.mark.parametrize("laps", [0, 1, 2])
@pytest.mark.parametrize("half", ["control", "length"])
def test_an_answer_is_not_taken_by_halves(
    rings: Rings, engine: Engine, half: str, laps: int
) -> None:
    """Not even where an answer of the lap before has left its other half behind."""
    for number in range(laps * _SIZE):
        rings.put(command(number))
        engine.answer()
        assert rings.take() is not None
    rings.put(command(99))
    engine.answer(**{half: False})
    assert rings.take() is None
    engine.answer()
    result = rings.take()
    assert result is not None
    assert result.user_id == 99


def test_releasing_gives_back_memory_and_mappings(rings: Rings, bus: DmaBus) -> None:
    assert (bus.live_mappings, bus.memory.live_blocks) == (2, 2)
    rings.release()
    assert (bus.live_mappings, bus.memory.live_blocks) == (0, 0)
