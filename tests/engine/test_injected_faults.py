"""Injected faults: exactly what is asked for goes wrong, and then nothing any more."""

from __future__ import annotations

import pytest

from tcrypt.engine.api.dma import DmaBus, DmaDirection, DmaError
from tcrypt.engine.api.memory import Memory
from tcrypt.engine.sim import BusError, IrqLine, Simulation

_IRQ_NS = 500
_BOTH = DmaDirection.BIDIRECTIONAL


class Board:
    """A line with a handler that lowers it, and notes when it ran."""

    def __init__(self) -> None:
        self.sim = Simulation()
        self.line = IrqLine(self.sim, "board")
        self.times: list[int] = []
        self.line.request(self._handle)

    def _handle(self) -> None:
        self.times.append(self.sim.now)
        self.line.set_level(False)

    def pulse(self) -> None:
        self.line.set_level(True)
        self.sim.run()


@pytest.fixture
def board() -> Board:
    return Board()


def test_a_machine_knows_its_lines_in_the_order_of_their_making() -> None:
    sim = Simulation()
    lines = [IrqLine(sim, name) for name in "ab"]
    assert sim.irq_lines == lines


def test_a_lost_interrupt_waits_until_the_line_is_looked_at_again(board: Board) -> None:
    board.line.lose()
    board.pulse()
    assert (board.times, board.line.lost, board.line.delivered) == ([], 1, 0)
    board.line.kick()
    board.sim.run()
    assert len(board.times) == 1


def test_a_level_that_rises_anew_is_not_lost(board: Board) -> None:
    board.line.lose()
    board.pulse()
    board.line.set_level(False)
    board.pulse()
    assert len(board.times) == 1


def test_as_many_interrupts_are_lost_as_were_asked_for(board: Board) -> None:
    board.line.lose(2)
    for _ in range(3):
        board.line.set_level(False)
        board.pulse()
    assert (board.line.lost, len(board.times)) == (2, 1)


def test_a_line_that_falls_before_its_interrupt_loses_none(board: Board) -> None:
    board.line.lose()
    board.line.set_level(True)
    board.line.set_level(False)
    board.sim.run()
    assert board.line.lost == 0
    board.pulse()
    assert board.line.lost == 1


def test_late_interrupts_come_later_and_the_next_in_time(board: Board) -> None:
    board.line.delay(7_000)
    board.pulse()
    late = board.sim.now
    board.pulse()
    assert board.times == [7_000 + _IRQ_NS, late + _IRQ_NS]


def test_a_spurious_interrupt_runs_the_handler_though_the_line_is_low(board: Board) -> None:
    board.line.spurious()
    board.sim.run()
    assert (len(board.times), board.line.delivered) == (1, 1)


def test_a_spurious_interrupt_without_a_handler_is_nothing(board: Board) -> None:
    board.line.free()
    board.line.spurious()
    assert board.sim.run()
    assert board.line.delivered == 0


def test_mending_a_line_delivers_what_was_lost_and_loses_no_more(board: Board) -> None:
    board.line.lose(5)
    board.pulse()
    board.line.mend()
    board.sim.run()
    board.pulse()
    assert len(board.times) == 2


@pytest.mark.parametrize(("after", "count"), [(0, 1), (2, 1), (1, 2), (0, 4)])
def test_allocations_fail_from_the_one_asked_for(after: int, count: int) -> None:
    memory = Memory()
    memory.alloc(64)
    memory.fail_allocs(after, count)
    worked = []
    for _ in range(after + count + 2):
        try:
            memory.alloc(64)
        except MemoryError:
            worked.append(False)
        else:
            worked.append(True)
    assert worked == [True] * after + [False] * count + [True] * 2
    assert memory.live_blocks == 1 + after + 2


def test_mended_memory_fails_no_more() -> None:
    memory = Memory()
    memory.fail_allocs(count=9)
    memory.mend()
    assert memory.alloc(64)


@pytest.mark.parametrize(("after", "count"), [(0, 1), (2, 1), (1, 2)])
def test_mappings_fail_from_the_one_asked_for(after: int, count: int) -> None:
    bus = DmaBus(Memory())
    address = bus.memory.alloc(64)
    bus.map(address, 64, _BOTH)
    bus.fail_maps(after, count)
    for _ in range(after):
        bus.map(address, 64, _BOTH)
    for _ in range(count):
        with pytest.raises(DmaError, match="injected fault"):
            bus.map(address, 64, _BOTH)
    bus.map(address, 64, _BOTH)
    assert bus.live_mappings == after + 2


@pytest.mark.parametrize("after", [0, 2])
def test_no_device_reaches_the_mapping_that_breaks_and_all_reach_the_others(after: int) -> None:
    bus = DmaBus(Memory())
    bus.break_map(after)
    places = [bus.map(bus.memory.alloc(64), 64, _BOTH) for _ in range(after + 2)]
    for number, place in enumerate(places):
        if number == after:
            with pytest.raises(BusError, match="injected fault"):
                bus.read(place + 63, 1)
        else:
            assert bus.read(place, 64) == bytes(64)
    assert bus.faults == 1
    bus.mend()
    assert bus.read(places[after], 64) == bytes(64)


def test_mappings_since_a_count_are_those_made_later_that_still_exist() -> None:
    bus = DmaBus(Memory())
    address = bus.memory.alloc(256)
    bus.map(address, 16, _BOTH)
    count = bus.maps
    assert bus.since(count) == []
    bus.map(address + 64, 32, _BOTH)
    bus.map(address + 128, 8, _BOTH)
    bus.unmap(address + 128, 8, _BOTH)
    assert bus.since(count) == [(address + 64, 32)]


@pytest.mark.parametrize("which", ["memory", "mapping"])
def test_a_coherent_block_that_fails_leaves_nothing(which: str) -> None:
    bus = DmaBus(Memory())
    bus.alloc_coherent(64)
    if which == "memory":
        bus.memory.fail_allocs()
    else:
        bus.fail_maps()
    with pytest.raises(MemoryError if which == "memory" else DmaError):
        bus.alloc_coherent(64)
    assert (bus.live_mappings, bus.memory.live_blocks) == (1, 1)


def test_strays_are_told_from_injected_faults() -> None:
    bus = DmaBus(Memory())
    address = bus.alloc_coherent(64)
    bus.break_range(address, 8)
    with pytest.raises(BusError):
        bus.read(address, 16)
    assert (bus.faults, bus.strays) == (1, 0)
    with pytest.raises(BusError):
        bus.read(address + 64, 16)
    assert (bus.faults, bus.strays) == (1, 1)
