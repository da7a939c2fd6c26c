"""The bins: how lengths, layouts, states of a queue and the rest fall into kinds.

Everything here returns small numbers, places in the tuples of words beside it; it is called for
every request of a run, so what can be looked up is looked up.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from tcrypt.engine.api.flags import ReqFlag
from tcrypt.layouts import PAGE, CipherLayout, Final, Flush, HashLayout

if TYPE_CHECKING:
    from tcrypt.ticket import Ticket

__all__ = (
    "ASSOC",
    "DIRECTIONS",
    "EDGES",
    "FLAGS",
    "FLAGS_CLASS",
    "HOW",
    "IDLE",
    "LAYOUTS",
    "LENGTHS",
    "PIECES",
    "QUEUE",
    "STATUSES",
    "STATUS_CLASS",
    "TAGS",
    "Lengths",
    "assoc_class",
    "edge_class",
    "hash_edge_class",
    "how_class",
    "layout_class",
    "pieces_class",
    "queue_class",
    "representatives",
    "tag_class",
)

_MAY_SLEEP = int(ReqFlag.MAY_SLEEP)
_MAY_BACKLOG = int(ReqFlag.MAY_BACKLOG)
_EINPROGRESS, _EBUSY, _ENOSPC = -errno.EINPROGRESS, -errno.EBUSY, -errno.ENOSPC
_LONG = 65_536
_FEW, _MANY = 8, 100
_MOST_COUNTED_ASSOC = 1020
_WORD = 4

DIRECTIONS = ("encrypt", "decrypt")
LENGTHS = (
    "empty",
    "below a block",
    "one block",
    "blocks",
    "odd",
    "over a page",
    "odd over a page",
    "64 KiB and more",
)
LAYOUTS = (
    "in place",
    "in place, pieces",
    "two lists in place",
    "two lists in place, pieces",
    "one to one",
    "one to pieces",
    "pieces to one",
    "pieces to pieces",
)
PIECES = ("one", "up to 8", "more than 8", "more than 100")
EDGES = ("aligned", "unaligned", "across pages", "empty entries", "longer lists")
STATUSES = ("ok", "-EINVAL", "-EBADMSG", "another error")
QUEUE = ("at once", "idle", "busy", "hardware full", "backlogged", "refused")
FLAGS = ("no flags", "MAY_BACKLOG", "MAY_SLEEP", "MAY_SLEEP and MAY_BACKLOG")
ASSOC = ("no AAD", "words of AAD", "odd AAD", "over 1020 bytes of AAD")
TAGS = ("full tag", "words of a tag", "odd tag")
HOW = ("digest", "updates and final", "updates and finup", "export and import")

_AT_ONCE, IDLE, _BUSY, _FULL, _BACKLOGGED, _REFUSED = range(6)


class _Statuses(dict[int | None, int]):
    """Place in `STATUSES` by status; a refusal by a full queue is a state of the queue instead."""

    def __missing__(self, status: int | None) -> int:
        return STATUSES.index("another error")


STATUS_CLASS = _Statuses(
    {
        None: -1,
        0: 0,
        -errno.EINVAL: 1,
        -errno.EBADMSG: 2,
        _ENOSPC: -1,
        _EBUSY: -1,
        -errno.ENOKEY: -1,
    }
)


class _Flags(dict[int, int]):
    """Place in `FLAGS` by the flags of a request."""

    def __missing__(self, flags: int) -> int:
        backlog, sleep = bool(flags & _MAY_BACKLOG), bool(flags & _MAY_SLEEP)
        self[flags] = found = backlog + 2 * sleep
        return found


FLAGS_CLASS = _Flags()


class Lengths(dict[int, int]):
    """Place in `LENGTHS` by length (bytes), for an algorithm with blocks of `unit` bytes."""

    def __init__(self, unit: int) -> None:
        super().__init__()
        self._unit = unit

    def __missing__(self, length: int) -> int:
        self[length] = found = _length_class(self._unit, length)
        return found


def _length_class(unit: int, length: int) -> int:
    if not length:
        return 0
    if length < unit:
        return 1
    if length >= _LONG:
        return 7
    odd = length % unit != 0
    if length > PAGE:
        return 6 if odd else 5
    return 4 if odd else 2 if length == unit else 3


def representatives(unit: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Each word of `LENGTHS` with lengths that are of this kind; with none if there are none."""
    lengths = (
        0,
        *range(1, 3 * unit + 1),
        *range(PAGE + 1, PAGE + 2 * unit + 1),
        *range(_LONG, _LONG + unit + 1),
    )
    kinds = [(_length_class(unit, length), length) for length in lengths]
    for number, word in enumerate(LENGTHS):
        yield word, tuple(length for kind, length in kinds if kind == number)


def layout_class(one_list: bool, shared: bool, src: int, dst: int) -> int:
    """Place in `LAYOUTS`; `src` and `dst` are how many pieces with bytes the lists have."""
    if shared:
        return (0 if one_list else 2) + (src > 1)
    return 4 + 2 * (src > 1) + (dst > 1)


def pieces_class(src: int, dst: int) -> int:
    """Place in `PIECES` of the longer list."""
    most = src if src > dst else dst
    return (most > 1) + (most > _FEW) + (most > _MANY)


@lru_cache(maxsize=2048)
def edge_class(layout: CipherLayout) -> int:
    """Place in `EDGES`; the rarest that fits."""
    offsets = [division.offset for division in (*layout.src, *layout.dst)]
    return _edge(layout.empty_entries, layout.slack, [*offsets, layout.iv_offset])


@lru_cache(maxsize=2048)
def hash_edge_class(layout: HashLayout) -> int:
    """The same for a message."""
    return _edge(layout.empty_entries, layout.slack, [d.offset for d in layout.src])


def _edge(empty_entries: bool, slack: int, offsets: list[int]) -> int:
    if empty_entries:
        return 3
    if slack:
        return 4
    if any(offset > PAGE // 2 for offset in offsets):
        return 2
    return int(any(offset % _WORD for offset in offsets))


@lru_cache(maxsize=2048)
def how_class(layout: HashLayout) -> int:
    """Place in `HOW` of the steps in which a layout hashes a message."""
    if layout.final is Final.DIGEST:
        return 0
    if any(division.flush is Flush.REIMPORT for division in layout.src):
        return 3
    return 2 if layout.final is Final.FINUP else 1


def assoc_class(length: int) -> int:
    """Place in `ASSOC`: devices count AAD in words, some of them in eight bits."""
    if not length:
        return 0
    if length > _MOST_COUNTED_ASSOC:
        return 3
    return 2 if length % _WORD else 1


def tag_class(authsize: int, most: int) -> int:
    """Place in `TAGS` of a tag of `authsize` bytes."""
    if authsize == most:
        return 0
    return 2 if authsize % _WORD else 1


def queue_class(ticket: Ticket, depth: int, retried: bool) -> int:
    """Place in `QUEUE` of a request that was submitted.

    Args:
        ticket: its life.
        depth: how many requests the hardware holds, where those that are accepted beyond wait in
            the driver's own queue; else 0.
        retried: whether a crypto_engine found no room for it in the hardware and tried it again.
    """
    submitted = ticket.submitted
    if submitted == _EINPROGRESS:
        if not ticket.ahead:
            return IDLE
        return _FULL if retried or 0 < depth <= ticket.ahead else _BUSY
    if submitted == _EBUSY:
        return _BACKLOGGED if ticket.given[1] & _MAY_BACKLOG else _REFUSED
    return _REFUSED if submitted == _ENOSPC else _AT_ONCE
