"""Where a request's buffers lie in one guarded piece of memory, and what it must look like after.

All buffers of a request (source, destination, IV) stand in one *arena* filled with poison, with
guard bytes before and behind each.  The whole arena is compared with an expected image after the
operation: a byte outside of what the operation may write, before a buffer or behind it, in
the source or next to the IV, cannot change unseen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from tcrypt.cover.classes import edge_class, layout_class, pieces_class
from tcrypt.layouts import PAGE, CipherLayout, Division, HashLayout, InPlace, divide

__all__ = (
    "GUARD",
    "NEIGHBOUR",
    "POISON",
    "Chunk",
    "CipherPlan",
    "pieces_of",
    "plan_cipher",
    "plan_message",
)

GUARD = 32
POISON = 0xFE
NEIGHBOUR = 0x5A
_LINE = 64


@dataclass(frozen=True, slots=True)
class Chunk:
    """`length` bytes at `offset` of the arena; they hold the stream from byte `start` on."""

    offset: int
    length: int
    start: int


@dataclass(frozen=True, slots=True)
class CipherPlan:
    """The placement of one request.

    Attributes:
        size: bytes of the arena.
        src: chunks of the source list, in list order (empty entries included).
        dst: chunks of the destination list; the same object as `src` in place.
        iv: arena offset of the IV.
        shared: whether destination memory is source memory.
        kinds: what coverage counts it under: layout, pieces and edges (`tcrypt.cover.classes`).
        template: the arena full of poison.
    """

    size: int
    src: tuple[Chunk, ...]
    dst: tuple[Chunk, ...]
    iv: int
    shared: bool
    kinds: tuple[int, int, int]
    template: bytes = field(repr=False)

    def image(self, source: bytes, iv: bytes) -> bytearray:
        """The arena before the operation."""
        image = bytearray(self.template)
        _store(image, self.src, source)
        image[self.iv : self.iv + len(iv)] = iv
        return image


def _store(image: bytearray, chunks: tuple[Chunk, ...], data: bytes) -> None:
    end = len(data)
    for chunk in chunks:
        start = chunk.start
        if start >= end:
            return
        piece = data[start : start + chunk.length]
        image[chunk.offset : chunk.offset + len(piece)] = piece


def store(image: bytearray, chunks: tuple[Chunk, ...], data: bytes) -> None:
    """Put `data` into the chunks of a list, as a correct driver would."""
    _store(image, chunks, data)


def load(image: bytes | bytearray, chunks: tuple[Chunk, ...], length: int) -> bytes:
    """The first `length` bytes of the stream that the chunks hold."""
    pieces = b"".join(image[chunk.offset : chunk.offset + chunk.length] for chunk in chunks)
    return pieces[:length]


class _Cursor:
    """Hands out guarded places, one after the other."""

    def __init__(self) -> None:
        self.end = 0

    def place(self, length: int, offset: int) -> int:
        granule = PAGE if offset >= _LINE else _LINE
        start = -(-(self.end + GUARD) // granule) * granule + offset
        self.end = start + length + GUARD
        return start


def _chunks(
    cursor: _Cursor,
    total: int,
    divisions: tuple[Division, ...],
    empty_entries: bool,
    start: int = 0,
) -> tuple[Chunk, ...]:
    chunks: list[Chunk] = []
    for division, length in divide(total, divisions):
        if empty_entries:
            chunks.append(Chunk(cursor.place(0, 0), 0, start))
        chunks.append(Chunk(cursor.place(length, division.offset), length, start))
        start += length
    return tuple(chunks)


@lru_cache(maxsize=4096)
def plan_cipher(
    layout: CipherLayout, src_len: int, dst_len: int, ivsize: int, head: int = 0
) -> CipherPlan:
    """Place a request that reads `src_len` and writes `dst_len` bytes, with an IV of `ivsize`.

    In place, the one buffer set is as long as the longer of both (kernel-crypto, section 1.5).
    `head` bytes at the front of both lists are one entry in the same memory.
    """
    cursor = _Cursor()
    shared = layout.in_place is not InPlace.NO
    total = max(src_len, dst_len) if shared else src_len
    front = (Chunk(cursor.place(head, 0), head, 0),) if head else ()
    behind, empty = layout.slack - head, layout.empty_entries
    src = front + _chunks(cursor, total + behind, layout.src, empty, head)
    dst = src
    if not shared:
        cuts = layout.dst or layout.src
        dst = front + _chunks(cursor, dst_len + behind, cuts, empty, head)
    iv = cursor.place(ivsize, layout.iv_offset)
    cut = pieces_of(src), pieces_of(dst)
    one_list = layout.in_place is InPlace.ONE_LIST
    kinds = layout_class(one_list, shared, *cut), pieces_class(*cut), edge_class(layout)
    return CipherPlan(cursor.end, src, dst, iv, shared, kinds, bytes([POISON]) * cursor.end)


def pieces_of(chunks: tuple[Chunk, ...]) -> int:
    """How many chunks have bytes."""
    return sum(chunk.length > 0 for chunk in chunks)


@lru_cache(maxsize=4096)
def plan_message(layout: HashLayout, length: int) -> tuple[int, tuple[Chunk, ...]]:
    """Place a message of `length` bytes: the arena's size, and its chunks in list order."""
    cursor = _Cursor()
    chunks = _chunks(cursor, length + layout.slack, layout.src, layout.empty_entries)
    return cursor.end, chunks
