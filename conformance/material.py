"""Deterministic bytes: keys, IVs and messages drawn from SHAKE128 by a label."""

from __future__ import annotations

import hashlib
from functools import lru_cache

__all__ = ("counter_iv", "draw")

_COUNTER_BITS = (16, 32, 64, 128)


@lru_cache(maxsize=512)
def _stream(label: str, length: int) -> bytes:
    return hashlib.shake_128(label.encode()).digest(length)


def draw(label: str, length: int) -> bytes:
    """`length` bytes that depend on the label only; a shorter draw is a prefix of a longer one."""
    room = 64 if length <= 64 else 1 << (length - 1).bit_length()
    return _stream(label, room)[:length]


def counter_iv(label: str, width: int, before: int) -> bytes:
    """A 16-byte IV whose low `width` bits reach zero after `before` blocks.

    Args:
        label: names the bytes above the counter.
        width: 16, 32, 64 or 128 bits.
        before: how many blocks are counted until the wrap, 1 to 2^width.

    Raises:
        ValueError: the counter has another width, or does not hold that many blocks.
    """
    if width not in _COUNTER_BITS:
        raise ValueError(f"a counter of {width} bits is not one of {_COUNTER_BITS}")
    low = (1 << width) - before
    if not 0 <= low < 1 << width:
        raise ValueError(f"a counter of {width} bits does not wrap after {before} blocks")
    upper = draw(label, 16)[: 16 - width // 8]
    return upper + low.to_bytes(width // 8, "big")
