"""Command and result descriptors: the eight words through which driver and engine hand over work.

Pure encoding and decoding, used by both sides; all words are little-endian.

Source: Analog Devices PKTE chapter, descriptor words and ownership; Linux driver eip93.
"""

from __future__ import annotations

import enum
import struct
from typing import Final, NamedTuple

from tcrypt.engine.eip93 import registers as reg

__all__ = (
    "Descriptor",
    "Ownership",
    "command_control",
    "command_length",
    "ownership",
    "result_length",
    "result_pad",
    "result_status",
)

_WORDS: Final = struct.Struct("<8I")


class Ownership(enum.IntEnum):
    """Both ready bits of a descriptor half, PE_READY above HOST_READY."""

    NULL = 0
    ENGINE = 1
    HOST = 2
    RESERVED = 3


_OWNERS: Final = tuple(Ownership)


class Descriptor(NamedTuple):
    """The 8 words of a command or result descriptor, in memory order; addresses in bytes."""

    control: int
    source: int
    destination: int
    sa: int
    state: int
    arc4_state: int
    user_id: int
    length: int

    def pack(self) -> bytes:
        """The descriptor as 32 bytes; struct.error when a word is not an unsigned 32-bit one."""
        return _WORDS.pack(*self)

    @classmethod
    def unpack(cls, data: bytes) -> Descriptor:
        """Read a descriptor from exactly 32 bytes."""
        return cls._make(_WORDS.unpack(data))


def command_control(*, hash_final: bool = True, pad_control: int = 0, pad_value: int = 0) -> int:
    """Word 0 of a command that is handed to the engine.

    Args:
        hash_final: Pad and finish the hash; without it the hash stays intermediate.
        pad_control: Pad alignment: 0, or alignment in bytes divided by 2 (and 1 for 1).
        pad_value: The byte that constant padding repeats.
    """
    final = reg.CONTROL_HASH_FINAL if hash_final else 0
    if not pad_control and not pad_value:
        return reg.CONTROL_HOST_READY | final
    pad = _field("pad value", pad_value, 8) << reg.CONTROL_PAD_VALUE_SHIFT
    control = _field("pad control", pad_control, 8) << reg.CONTROL_PAD_SHIFT
    return reg.CONTROL_HOST_READY | final | pad | control


def command_length(length: int, *, bypass: int = 0) -> int:
    """Word 7 of a command that is handed to the engine.

    Args:
        length: Input bytes, 0..1048575; the engine refuses 0.
        bypass: Leading 32-bit words of the input that are copied and not processed, 0..255.

    Raises:
        ValueError: a field does not fit; the hardware would silently use its low bits.
    """
    if not bypass and 0 <= length <= reg.LENGTH_BYTES:
        return length | reg.LENGTH_HOST_READY
    words = _field("bypass", bypass, 8) << reg.LENGTH_BYPASS_SHIFT
    return _field("length", length, 20) | reg.LENGTH_HOST_READY | words


def ownership(control: int, length: int) -> Ownership | None:
    """Who owns a descriptor with these words 0 and 7; None while its halves disagree."""
    first = control & 3
    return _OWNERS[first] if first == length >> reg.LENGTH_OWNERSHIP_SHIFT & 3 else None


def result_status(control: int) -> int:
    """The status byte of a result's word 0: 0, or one of the `ERR_` values."""
    return control >> reg.CONTROL_STATUS_SHIFT & 0xFF


def result_pad(control: int) -> int:
    """How many pad bytes a result's word 0 reports as inserted or found."""
    return control >> reg.CONTROL_PAD_SHIFT


def result_length(length: int) -> int:
    """The output length in bytes from a result's word 7."""
    return length & reg.LENGTH_BYTES


def _field(name: str, value: int, bits: int) -> int:
    if not 0 <= value < 1 << bits:
        raise ValueError(f"{name} {value} does not fit in {bits} bits")
    return value
