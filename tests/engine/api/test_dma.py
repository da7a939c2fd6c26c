"""DMA mappings: a device reaches what is mapped for it, in the direction it is mapped for."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcrypt.engine.api.dma import DmaBus, DmaDirection, DmaError
from tcrypt.engine.api.memory import Memory
from tcrypt.engine.sim import BusError

_BOTH = DmaDirection.BIDIRECTIONAL
_TO = DmaDirection.TO_DEVICE
_FROM = DmaDirection.FROM_DEVICE


@pytest.fixture
def bus() -> DmaBus:
    memory = Memory()
    memory.write(memory.alloc(4096), bytes(range(256)) * 16)
    return DmaBus(memory)


@pytest.mark.parametrize(
    ("direction", "reads", "writes"),
    [(_BOTH, True, True), (_TO, True, False), (_FROM, False, True)],
    ids=lambda value: value.value if isinstance(value, DmaDirection) else None,
)
def test_a_mapping_opens_its_direction_only(
    bus: DmaBus, direction: DmaDirection, reads: bool, writes: bool
) -> None:
    address = bus.map(Memory.base + 64, 16, direction)
    if reads:
        assert bus.read(address, 16) == bytes(range(64, 80))
    else:
        with pytest.raises(BusError, match="not mapped for this direction"):
            bus.read(address, 16)
    if writes:
        bus.write(address, b"\xaa" * 16)
        bus.unmap(address, 16, direction)
        assert bus.memory.read(address, 16) == b"\xaa" * 16
    else:
        with pytest.raises(BusError, match="not mapped for this direction"):
            bus.write(address, b"\xaa" * 16)
        assert bus.memory.read(address, 16) == bytes(range(64, 80))


def told_by(bus: DmaBus) -> list[str]:
    told: list[str] = []
    bus.report = told.append
    return told


@pytest.mark.parametrize("length", [16, 10_000], ids=["short", "long"])
@pytest.mark.parametrize("way", [_BOTH, _TO, _FROM], ids=lambda way: way.value)
def test_a_write_of_the_driver_to_mapped_memory_is_reported(
    way: DmaDirection, length: int
) -> None:
    memory = Memory()
    base = memory.alloc(20_000) + 64
    bus = DmaBus(memory)
    told = told_by(bus)
    bus.map(base, length, way)
    memory.write(base - 4, b"near")
    memory.write(base + length, b"near")
    assert told == []
    memory.write(base + length - 1, b"inside")
    assert told == [
        f"6 bytes at {base + length - 1:#010x} written while {length} at {base:#010x} are the "
        "device's"
    ]
    memory.write(base, b"again")
    assert len(told) == 1, "once is enough"


def test_what_the_device_wrote_is_the_drivers_to_read_when_it_is_unmapped(bus: DmaBus) -> None:
    told = told_by(bus)
    address = bus.map(Memory.base + 64, 64, _BOTH)
    bus.write(address + 16, b"a result")
    bus.write(address + 32, b"more")
    assert bus.memory.read(address, 16)
    assert bus.memory.read(address + 36, 16)
    assert told == [], "these bytes are as they were"
    bus.unmap(address, 64, _BOTH)
    assert bus.memory.read(address + 16, 8) == b"a result"
    assert told == []
    bus.map(address, 64, _BOTH)
    assert bus.memory.read(address, 64)
    assert told == [], "another mapping"
    bus.write(address + 16, b"a result")
    assert bus.memory.read(address + 20, 1) == b"s"
    assert len(told) == 1
    assert "read while" in told[0]


def test_a_mapping_is_the_drivers_between_its_syncs(bus: DmaBus) -> None:
    told = told_by(bus)
    address = bus.map(Memory.base, 8, _BOTH)
    bus.write(address, b"a result")
    bus.sync_for_cpu(address, 8, _BOTH)
    assert bus.memory.read(address, 8) == b"a result"
    bus.memory.write(address, b"its turn")
    assert (told, bus.live_mappings) == ([], 1)
    bus.sync_for_device(address, 8, _BOTH)
    assert bus.read(address, 8) == b"its turn"
    bus.memory.write(address, b"too late")
    assert len(told) == 1
    for sync in (bus.sync_for_cpu, bus.sync_for_device):
        with pytest.raises(DmaError, match="sync of 7 bytes"):
            sync(address, 7, _BOTH)


def test_memory_that_is_freed_while_it_is_mapped_is_reported(bus: DmaBus) -> None:
    told = told_by(bus)
    block = bus.memory.alloc(64)
    bus.map(block + 32, 16, _TO)
    bus.memory.free(block)
    assert len(told) == 1


def test_a_window_on_more_than_all_memory_is_nobodys_buffer(bus: DmaBus) -> None:
    told = told_by(bus)
    bus.map(1, 1 << 31, _BOTH)
    bus.memory.write(Memory.base, b"own")
    assert told == []


def test_coherent_memory_is_for_both_at_all_times(bus: DmaBus) -> None:
    told = told_by(bus)
    bus.map(Memory.base, 16, _TO)
    address = bus.alloc_coherent(64)
    bus.memory.write(address, b"command")
    assert bus.read(address, 7) == b"command"
    bus.write(address, b"results")
    assert bus.memory.read(address, 7) == b"results"
    assert told == []


@pytest.mark.parametrize(("start", "length"), [(-1, 2), (15, 2), (-4, 4), (16, 1), (0, 17)])
def test_a_stray_address_is_a_bus_error(bus: DmaBus, start: int, length: int) -> None:
    address = bus.map(Memory.base + 64, 16, _BOTH)
    with pytest.raises(BusError) as caught:
        bus.read(address + start, length)
    assert (caught.value.address, caught.value.length) == (address + start, length)
    with pytest.raises(BusError):
        bus.write(address + start, bytes(length))


def test_nothing_is_mapped_at_first(bus: DmaBus) -> None:
    with pytest.raises(BusError):
        bus.read(Memory.base, 1)


def test_neighbours_are_not_one_mapping(bus: DmaBus) -> None:
    for start in (0, 16):
        bus.map(Memory.base + start, 16, _BOTH)
    assert bus.read(Memory.base + 16, 16)
    with pytest.raises(BusError):
        bus.read(Memory.base + 8, 16)


def test_mapped_memory_that_is_no_memory_is_a_bus_error(bus: DmaBus) -> None:
    address = bus.map(0, 16, _BOTH)
    with pytest.raises(BusError, match="outside of memory"):
        bus.read(address, 16)


@pytest.mark.parametrize("length", [0, -1])
def test_an_empty_mapping_is_refused(bus: DmaBus, length: int) -> None:
    with pytest.raises(DmaError, match=f"mapping of {length} bytes at 0x10000000"):
        bus.map(Memory.base, length, _BOTH)


@pytest.mark.parametrize(
    ("start", "length", "direction"),
    [(0, 15, _TO), (0, 17, _TO), (4, 12, _TO), (0, 16, _FROM), (0, 16, _BOTH), (-16, 16, _TO)],
)
def test_an_unmap_matches_its_mapping_exactly(
    bus: DmaBus, start: int, length: int, direction: DmaDirection
) -> None:
    address = bus.map(Memory.base + 64, 16, _TO)
    with pytest.raises(DmaError, match="never mapped like that"):
        bus.unmap(address + start, length, direction)
    assert bus.live_mappings == 1
    bus.unmap(address, 16, _TO)
    assert bus.live_mappings == 0


def test_an_unmapped_address_is_closed_and_cannot_be_unmapped_again(bus: DmaBus) -> None:
    address = bus.map(Memory.base, 16, _TO)
    bus.unmap(address, 16, _TO)
    with pytest.raises(BusError):
        bus.read(address, 16)
    with pytest.raises(DmaError):
        bus.unmap(address, 16, _TO)


def test_equal_mappings_are_counted_one_by_one(bus: DmaBus) -> None:
    for _ in range(3):
        bus.map(Memory.base, 16, _TO)
    assert bus.live_mappings == 3
    for left in (2, 1, 0):
        assert bus.read(Memory.base, 16)
        bus.unmap(Memory.base, 16, _TO)
        assert bus.live_mappings == left


def test_coherent_memory_is_zero_and_open_to_both_until_freed(bus: DmaBus) -> None:
    blocks = bus.memory.live_blocks
    address = bus.alloc_coherent(100)
    assert bus.read(address, 100) == bytes(100)
    bus.write(address, b"device")
    assert bus.memory.read(address, 6) == b"device"
    bus.free_coherent(address, 100)
    assert (bus.live_mappings, bus.memory.live_blocks) == (0, blocks)
    with pytest.raises(BusError):
        bus.read(address, 1)


_mapping = st.tuples(st.integers(0, 60), st.integers(1, 30), st.sampled_from(DmaDirection))
_step = st.one_of(
    st.tuples(st.just("map"), _mapping),
    st.tuples(st.just("unmap"), st.integers(0, 10)),
    st.tuples(st.just("read"), st.tuples(st.integers(0, 80), st.integers(1, 30))),
    st.tuples(st.just("write"), st.tuples(st.integers(0, 80), st.integers(1, 30))),
)


@given(st.lists(_step, max_size=30))
def test_access_is_allowed_where_one_mapping_covers_it(steps: list[tuple[str, Any]]) -> None:
    memory = Memory()
    base = memory.alloc(256)
    bus = DmaBus(memory)
    live: list[tuple[int, int, DmaDirection]] = []
    for what, argument in steps:
        if what == "map":
            start, length, direction = argument
            bus.map(base + start, length, direction)
            live.append((start, length, direction))
        elif what == "unmap":
            if live:
                start, length, direction = live.pop(argument % len(live))
                bus.unmap(base + start, length, direction)
        else:
            start, length = argument
            forbidden = _FROM if what == "read" else _TO
            allowed = any(
                at <= start and start + length <= at + size and direction is not forbidden
                for at, size, direction in live
            )
            assert _allowed(bus, what, base + start, length) == allowed
        assert bus.live_mappings == len(live)


_PLACE = st.integers(0, 20_000)
_LENGTH = st.one_of(st.integers(1, 64), st.integers(4090, 4100), st.integers(1, 20_000))


@given(
    st.lists(st.tuples(_PLACE, _LENGTH), max_size=20),
    st.lists(st.integers(0, 19), max_size=8),
    st.integers(0, 20),
    st.tuples(_PLACE, _LENGTH),
)
def test_mappings_reaching_bytes_are_the_live_and_new_ones_that_overlap_them(
    made: list[tuple[int, int]], gone: list[int], old: int, piece: tuple[int, int]
) -> None:
    bus = DmaBus(Memory())
    live = dict(enumerate(made, 1))
    for address, length in made:
        bus.map(address, length, _BOTH)
    for number in gone:
        if number in live:
            # Of equal mappings the one that was made first is taken back.
            same = [other for other, mapping in live.items() if mapping == live[number]]
            bus.unmap(*live.pop(min(same)), _BOTH)
    start, length = piece
    wanted = [
        (at, size)
        for number, (at, size) in live.items()
        if number > old and at < start + length and start < at + size
    ]
    assert sorted(bus.reaching(start, length, old)) == sorted(wanted)


def _allowed(bus: DmaBus, what: str, address: int, length: int) -> bool:
    try:
        if what == "read":
            bus.read(address, length)
        else:
            bus.write(address, bytes(length))
    except BusError:
        return False
    return True
