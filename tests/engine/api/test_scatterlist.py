"""Scatterlists against a flat model: which bytes they name, read, write and pair."""

from __future__ import annotations

import errno

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcrypt.engine.api.memory import Memory
from tcrypt.engine.api.scatterlist import Scatterlist, Segment, pair_segments

_POISON = 0xFE
_ROOM = 24

_lengths = st.lists(st.one_of(st.just(0), st.integers(1, _ROOM)), max_size=6)
_positions = st.integers(0, 100)


def make(lengths: list[int], memory: Memory | None = None) -> Scatterlist:
    """A list of entries of these lengths, each alone in poisoned memory, highest address first."""
    memory = memory or Memory()
    entries: list[Segment] = []
    for length in reversed(lengths):
        block = memory.alloc(_ROOM + 64)
        memory.write(block, bytes([_POISON]) * (_ROOM + 64))
        entries.append(Segment(block + 16 + len(entries), length))
    return Scatterlist(memory, entries[::-1])


def addresses(scatterlist: Scatterlist) -> list[int]:
    """The model: the address of every byte of the logical run."""
    return [entry.address + i for entry in scatterlist.entries for i in range(entry.length)]


def fill(scatterlist: Scatterlist) -> bytes:
    """Give every byte of the run a value of its own; the run."""
    run = bytes(i % 251 for i in range(scatterlist.total))
    for address, value in zip(addresses(scatterlist), run, strict=True):
        scatterlist.memory.write(address, bytes([value]))
    return run


@given(_lengths)
def test_total_is_the_length_of_the_run(lengths: list[int]) -> None:
    assert make(lengths).total == sum(lengths)


@given(_lengths, _positions)
def test_nents_for_len_counts_entries_up_to_the_last_byte(lengths: list[int], length: int) -> None:
    got = make(lengths).nents_for_len(length)
    if length == 0:
        assert got == 0
    elif length > sum(lengths):
        assert got == -errno.EINVAL
    else:
        assert sum(lengths[: got - 1]) < length <= sum(lengths[:got])


@given(_lengths, _positions, _positions)
def test_walk_names_the_bytes_in_order(lengths: list[int], length: int, skip: int) -> None:
    scatterlist = make(lengths)
    pieces = list(scatterlist.walk(length, skip))
    assert all(piece.length > 0 for piece in pieces)
    named = [piece.address + i for piece in pieces for i in range(piece.length)]
    assert named == addresses(scatterlist)[skip : skip + length]


@given(_lengths, _positions, _positions)
def test_walk_gives_one_piece_for_each_entry(lengths: list[int], length: int, skip: int) -> None:
    scatterlist = make(lengths)
    for piece in scatterlist.walk(length, skip):
        homes = [
            e
            for e in scatterlist.entries
            if e.address <= piece.address and piece.address + piece.length <= e.address + e.length
        ]
        assert len(homes) == 1
    starts = [piece.address for piece in scatterlist.walk(length, skip)]
    assert len(starts) <= sum(1 for n in lengths if n)


@given(_lengths, _positions, _positions)
def test_read_is_a_slice_of_the_run(lengths: list[int], length: int, skip: int) -> None:
    scatterlist = make(lengths)
    run = fill(scatterlist)
    assert scatterlist.read(length, skip) == run[skip : skip + length]


@given(_lengths, st.binary(max_size=100), _positions)
def test_write_stores_what_fits_and_nothing_else(
    lengths: list[int], data: bytes, skip: int
) -> None:
    scatterlist = make(lengths)
    memory = scatterlist.memory
    size = len(lengths) * 128
    expected = bytearray(memory.read(Memory.base, size))
    for address, value in zip(addresses(scatterlist)[skip:], data, strict=False):
        expected[address - Memory.base] = value
    before = list(scatterlist.entries)
    scatterlist.write(data, skip)
    assert memory.read(Memory.base, size) == expected
    assert scatterlist.entries == before


@given(_lengths, _lengths, _positions)
def test_pairs_couple_the_bytes_of_both_lists(
    source: list[int], target: list[int], length: int
) -> None:
    memory = Memory()
    src, dst = make(source, memory), make(target, memory)
    pairs = pair_segments(src, dst, length)
    coupled = [(s + i, d + i) for s, d, size in pairs for i in range(size)]
    assert coupled == list(zip(addresses(src), addresses(dst), strict=False))[:length]


@given(_lengths, _lengths, _positions)
def test_pairs_are_cut_at_entries_only(source: list[int], target: list[int], length: int) -> None:
    memory = Memory()
    src, dst = make(source, memory), make(target, memory)
    pairs = pair_segments(src, dst, length)
    assert all(size > 0 for _, _, size in pairs)
    ends = {e.address + e.length for e in src.entries}, {e.address + e.length for e in dst.entries}
    for s, d, size in pairs[:-1]:
        assert s + size in ends[0] or d + size in ends[1]
    for scatterlist, which in ((src, 0), (dst, 1)):
        for pair in pairs:
            start, size = pair[which], pair[2]
            assert any(
                e.address <= start and start + size <= e.address + e.length
                for e in scatterlist.entries
            )


@pytest.mark.parametrize("lengths", [[], [0], [0, 0, 0]])
def test_empty_lists_hold_nothing(lengths: list[int]) -> None:
    scatterlist = make(lengths)
    assert scatterlist.read(5) == b""
    scatterlist.write(b"lost")
    assert pair_segments(scatterlist, make([5]), 5) == []
    assert scatterlist.nents_for_len(0) == 0
    assert scatterlist.nents_for_len(1) == -errno.EINVAL


def test_one_list_pairs_with_itself() -> None:
    scatterlist = make([5, 0, 11])
    pairs = pair_segments(scatterlist, scatterlist, 16)
    assert [(s - d, n) for s, d, n in pairs] == [(0, 5), (0, 11)]
