"""Scatterlists: a logical run of bytes spread over memory segments (`struct scatterlist`)."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tcrypt.engine.api.memory import Memory

__all__ = ("Scatterlist", "Segment", "pair_segments")


_END = (0, -1)  # Stands behind the last entry of a list.


class Segment(NamedTuple):
    """One entry: a byte address and a length in bytes, which may be zero."""

    address: int
    length: int


class Scatterlist:
    """A list of segments in one memory; drivers must leave the entries as they are."""

    __slots__ = ("entries", "memory")

    def __init__(self, memory: Memory, entries: Sequence[Segment]) -> None:
        self.memory = memory
        self.entries = entries

    @property
    def total(self) -> int:
        """The sum of all segment lengths, in bytes."""
        return sum(entry.length for entry in self.entries)

    def nents_for_len(self, length: int) -> int:
        """How many entries hold the first `length` bytes; -EINVAL when the list is too short."""
        if length == 0:
            return 0
        for count, entry in enumerate(self.entries, 1):
            if entry.length >= length:
                return count
            length -= entry.length
        return -errno.EINVAL

    def walk(self, length: int, skip: int = 0) -> Iterator[Segment]:
        """The non-empty pieces that hold bytes `skip` .. `skip + length`, in order.

        Stops early when the list is shorter; check with `nents_for_len` first.
        """
        for address, size in self.entries:
            if skip >= size:
                skip -= size
                continue
            piece = min(size - skip, length)
            if piece <= 0:
                return
            yield Segment(address + skip, piece)
            length -= piece
            skip = 0

    def read(self, length: int, skip: int = 0) -> bytes:
        """Up to `length` logical bytes from offset `skip` on."""
        entries = self.entries
        if entries and skip + length <= entries[0][1]:
            return self.memory.read(entries[0][0] + skip, length)
        read, pieces = self.memory.read, []
        for address, size in entries:
            if skip >= size:
                skip -= size
                continue
            size = min(size - skip, length)
            if size <= 0:
                break
            pieces.append(read(address + skip, size))
            length -= size
            skip = 0
        return b"".join(pieces)

    def write(self, data: bytes, skip: int = 0) -> None:
        """Store `data` at logical offset `skip`; what does not fit is dropped."""
        entries = self.entries
        if entries and skip + len(data) <= entries[0][1]:
            self.memory.write(entries[0][0] + skip, data)
            return
        write, done, end = self.memory.write, 0, len(data)
        for address, size in entries:
            if done == end:
                return
            if skip >= size:
                skip -= size
                continue
            stop = min(done + size - skip, end)
            write(address + skip, data[done:stop])
            done = stop
            skip = 0


def pair_segments(src: Scatterlist, dst: Scatterlist, length: int) -> list[tuple[int, int, int]]:
    """Cut `length` bytes so that no piece crosses an entry of either list.

    Returns:
        (source address, destination address, length in bytes) for each piece, none empty; fewer
        bytes in all when a list is shorter than `length`.
    """
    if not length:
        return []
    if src.entries and dst.entries:
        source, target = src.entries[0], dst.entries[0]
        if source[1] >= length and target[1] >= length:
            return [(source[0], target[0], length)]
    return list(_pairs(src, dst, length))


def _pairs(src: Scatterlist, dst: Scatterlist, length: int) -> Iterator[tuple[int, int, int]]:
    sources, targets = iter(src.entries), iter(dst.entries)
    source = target = left = room = 0
    while length > 0:
        while not left:
            source, left = next(sources, _END)
        while not room:
            target, room = next(targets, _END)
        size = min(left, room, length)
        if size < 0:
            return
        yield source, target, size
        source, left = source + size, left - size
        target, room = target + size, room - size
        length -= size
