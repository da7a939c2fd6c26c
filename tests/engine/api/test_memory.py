"""Physical memory: allocation, content, and what faults."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcrypt.engine.api.memory import CACHE_LINE, Buffer, Memory
from tcrypt.engine.sim import BusError


def test_blocks_are_aligned_and_apart() -> None:
    memory = Memory()
    sizes = (1, 63, 64, 65, 4096, 0)
    blocks = [(memory.alloc(size), size) for size in sizes]
    assert all(address % CACHE_LINE == 0 for address, _ in blocks)
    ends = sorted((address, address + max(size, 1)) for address, size in blocks)
    assert all(end <= start for (_, end), (start, _) in pairwise(ends))


def test_no_block_lies_at_address_zero() -> None:
    assert Memory().alloc(1) > 0


def test_content_survives_growth() -> None:
    memory = Memory()
    first = memory.alloc(64)
    memory.write(first, b"kept")
    memory.alloc(1 << 20)
    assert memory.read(first, 4) == b"kept"


def test_zalloc_clears_what_a_block_held_before() -> None:
    memory = Memory()
    address = memory.alloc(64)
    memory.write(address, b"\xaa" * 64)
    memory.free(address)
    assert memory.zalloc(64) == address
    assert memory.read(address, 64) == bytes(64)


def test_a_freed_block_cannot_be_read_but_its_content_is_found_until_it_is_used_again() -> None:
    memory = Memory()
    address = memory.alloc(64)
    memory.write(address + 8, b"a secret")
    memory.free(address)
    assert b"a secret" not in memory.read(address, 64)
    assert memory.find(b"a secret") == address + 8
    assert memory.alloc(64) == address
    assert memory.find(b"a secret") is None


@pytest.mark.parametrize("size", [1, 64, 100, 4096, 100_000])
@pytest.mark.parametrize("used_again", [True, False], ids=["used again", "looked at"])
def test_a_write_to_a_freed_block_is_told_of_once(size: int, used_again: bool) -> None:
    memory, told = Memory(), list[str]()
    memory.report = told.append
    address = memory.alloc(size)
    memory.free(address)
    memory.look_at_freed()
    assert not told
    again = memory.alloc(size)
    memory.free(again)
    memory.write(again + size - 1, b"x")
    if used_again:
        assert memory.alloc(size) == address
    for _ in range(2):
        memory.look_at_freed()
    assert len(told) == 1
    assert f"byte {size - 1} of" in told[0]
    assert f"at {address:#010x} was written" in told[0]


def test_a_block_may_be_written_once_it_is_used_again() -> None:
    memory, told = Memory(), list[str]()
    memory.report = told.append
    for _ in range(3):
        address = memory.alloc(64)
        memory.look_at_freed()
        memory.write(address, b"its user's")
        memory.free(address)
    memory.look_at_freed()
    assert not told


def test_freed_blocks_are_used_again_and_counted() -> None:
    memory = Memory()
    first, second = memory.alloc(100), memory.alloc(100)
    assert memory.live_blocks == 2
    memory.free(first)
    assert memory.live_blocks == 1
    assert memory.alloc(65) == first
    assert memory.live_blocks == 2
    assert second != first


@pytest.mark.parametrize("twice", [True, False], ids=["freed twice", "never allocated"])
def test_freeing_what_is_not_allocated_faults(twice: bool) -> None:
    memory = Memory()
    address = memory.alloc(64)
    if twice:
        memory.free(address)
    else:
        address += CACHE_LINE
    with pytest.raises(BusError, match="not allocated"):
        memory.free(address)


@pytest.mark.parametrize(
    ("start", "length"), [(-1, 1), (-1, 2), (64, 1), (63, 2), (0, 65), (0, -1), (-(1 << 28), 4)]
)
def test_accesses_outside_of_memory_fault(start: int, length: int) -> None:
    memory = Memory()
    base = memory.alloc(64)
    assert memory.read(base, 64)
    with pytest.raises(BusError, match="read outside of memory") as caught:
        memory.read(base + start, length)
    assert (caught.value.address, caught.value.length) == (base + start, length)
    if length > 0:
        with pytest.raises(BusError, match="write outside of memory"):
            memory.write(base + start, bytes(length))


def test_memory_has_a_limit() -> None:
    memory = Memory(limit=4096)
    memory.alloc(4096)
    with pytest.raises(MemoryError, match="limited to 4096 bytes"):
        memory.alloc(1)


def test_a_buffer_does_not_stop_a_write_that_is_too_long() -> None:
    memory = Memory()
    address = memory.zalloc(64)
    buffer = Buffer(memory, address + 8, 4)
    buffer.write(b"123456")
    assert buffer.read() == b"1234"
    assert buffer.read(6) == b"123456"
    assert memory.read(address, 64) == bytes(8) + b"123456" + bytes(50)


@given(
    st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=40)), max_size=20),
)
def test_memory_is_a_flat_array(writes: list[tuple[int, bytes]]) -> None:
    memory = Memory()
    base = memory.zalloc(320)
    model = bytearray(320)
    for offset, data in writes:
        memory.write(base + offset, data)
        model[offset : offset + len(data)] = data
        assert memory.read(base + offset, len(data)) == data
    assert memory.read(base, 320) == model


def test_room_in_a_request_is_no_allocation_and_does_not_fail() -> None:
    memory = Memory()
    memory.fail_allocs(count=1)
    address = memory.room(16)
    memory.write(address, b"context")
    assert (memory.allocations, memory.live_blocks) == (0, 1)
    memory.free(address)
    assert memory.live_blocks == 0
    with pytest.raises(MemoryError):
        memory.alloc(16)


def test_a_sensitive_block_leaves_nothing_behind() -> None:
    memory = Memory()
    address = memory.alloc(100)
    memory.write(address, b"secret key bytes" * 6)
    memory.free_sensitive(address)
    assert memory.find(b"secret") is None
    assert memory.live_blocks == 0
    with pytest.raises(BusError, match="freed, but not allocated"):
        memory.free_sensitive(address)
