"""What testmgr's extra tests draw: lengths and bytes, by the shares of section 2.3."""

from __future__ import annotations

from random import Random

__all__ = ("flipped", "random_bytes", "random_length")

_CONSTANTS = (0x00, 0xFF)


def random_length(dice: Random, most: int) -> int:
    """0 to `most`, and every second to fourth time below a small power of two."""
    length = dice.randint(0, most)
    return length % (64, 256, 1024, most + 1)[dice.randrange(4)]


def random_bytes(dice: Random, count: int) -> bytes:
    """Mostly uniform; now and then one value, or an arithmetic sequence, somewhat mutated."""
    kind = dice.randrange(8)
    if kind < 2:
        value = (*_CONSTANTS, dice.randrange(256), dice.randrange(256))[dice.randrange(4)]
        return _mutated(dice, bytes([value]) * count)
    if kind == 2:
        start, step = dice.randrange(256), dice.randrange(256)
        return _mutated(dice, bytes((start + step * i) % 256 for i in range(count)))
    return dice.randbytes(count)


def flipped(data: bytes, bit: int) -> bytes:
    """The bytes with one bit the other way round."""
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def _mutated(dice: Random, data: bytes) -> bytes:
    if data and dice.random() < 0.25:
        for _ in range(min(1 << dice.randrange(8), 8 * len(data))):
            data = flipped(data, dice.randrange(8 * len(data)))
    if data and dice.random() < 0.25:
        changed = bytearray(data)
        for _ in range(min(1 << dice.randrange(8), len(data))):
            changed[dice.randrange(len(data))] ^= 0xFF
        data = bytes(changed)
    return data
