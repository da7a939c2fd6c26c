"""The AES key schedule run backwards: from the last round keys to the cipher key.

With AES_DEC_KEY the SA record holds the end of the expanded key, as many words as the key has.

Source: FIPS 197, 5.2 (key expansion) and 5.1.1 (the S-box).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

__all__ = ("original_key",)

_POLYNOMIAL: Final = 0x11B


def _double(value: int) -> int:
    value <<= 1
    return value ^ _POLYNOMIAL if value & 0x100 else value


def _make_sbox() -> bytes:
    powers = [1]
    for _ in range(254):
        powers.append(_double(powers[-1]) ^ powers[-1])  # 3 generates the field
    logarithms = {value: exponent for exponent, value in enumerate(powers)}
    box = bytearray(256)
    for value in range(256):
        inverse = powers[-logarithms[value] % 255] if value else 0
        spread = inverse * 0x101  # Rotations become shifts.
        rotated = (spread >> 4 ^ spread >> 5 ^ spread >> 6 ^ spread >> 7) & 0xFF
        box[value] = inverse ^ rotated ^ 0x63
    return bytes(box)


_SBOX: Final = _make_sbox()


def _substitute(word: int) -> int:
    return int.from_bytes(word.to_bytes(4).translate(_SBOX))


@lru_cache(maxsize=64)
def original_key(last: bytes) -> bytes:
    """The key of 16, 24 or 32 bytes whose expansion ends with `last`, which is as long."""
    size = len(last) // 4
    words = [int.from_bytes(last[at : at + 4]) for at in range(0, len(last), 4)]
    constants = [1]
    while len(constants) < 10:
        constants.append(_double(constants[-1]))
    for index in range(4 * (size + 7) - 1, size - 1, -1):
        before = words[-2]
        if index % size == 0:
            turned = (before << 8 | before >> 24) & 0xFFFF_FFFF
            before = _substitute(turned) ^ constants[index // size - 1] << 24
        elif size > 6 and index % size == 4:
            before = _substitute(before)
        words = [words[-1] ^ before, *words[:-1]]
    return b"".join(word.to_bytes(4) for word in words)
