"""Padding: what outbound data grows by, what inbound data is verified for and stripped of.

Source: Analog Devices PKTE chapter, "Crypto Padding": the tables of pad types and alignments.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.records import PadType

__all__ = (
    "ESP_ALIGNMENTS",
    "NEVER",
    "NULL_ALIGNMENTS",
    "STREAM_ALIGNMENTS",
    "VERIFIED",
    "Verdict",
    "block_alignments",
    "pad_bytes",
    "verify_pad",
)

# Pad control (word 0 of a command, bits 31:24) to the alignment that it asks for, in bytes; 0 for
# no padding at all.
_ALIGNMENTS: Final = {0: 8, 1: 1, 2: 4, 4: 8, 8: 16, 16: 32, 32: 64, 64: 128, 128: 256}

NEVER: Final[Mapping[int, int]] = MappingProxyType(dict.fromkeys(_ALIGNMENTS, 0))
NULL_ALIGNMENTS: Final[Mapping[int, int]] = MappingProxyType({**NEVER, 0: 8})
STREAM_ALIGNMENTS: Final[Mapping[int, int]] = MappingProxyType(_ALIGNMENTS)
ESP_ALIGNMENTS: Final[Mapping[int, int]] = MappingProxyType(
    {control: max(4, alignment) for control, alignment in _ALIGNMENTS.items()}
)

# Inbound, these are checked against their pattern, or at least counted and stripped (SSL).
VERIFIED: Final = frozenset({PadType.IPSEC, PadType.PKCS7, PadType.TLS, PadType.SSL})

_IPSEC_TRAILER: Final = 2  # pad length and next header
_IPSEC_MINIMUM: Final = 4
_LONGEST_PKCS7: Final = 128
_COUNTING: Final = bytes(range(1, 256))


class Verdict(NamedTuple):
    """What an inbound pad was found to be.

    Attributes:
        status: 0 or ERR_PAD.
        found: How many bytes at the end are padding, with its length and next header bytes.
        next_header: The last byte of IPsec padding, else 0.
    """

    status: int
    found: int
    next_header: int = 0


def block_alignments(block: int) -> Mapping[int, int]:
    """Pad control to alignment for a cipher that needs blocks of `block` bytes in any case."""
    return {control: max(block, alignment) for control, alignment in _ALIGNMENTS.items()}


def pad_bytes(pad_type: PadType, length: int, alignment: int, value: int) -> bytes:
    """What follows `length` bytes of outbound data, up to a multiple of `alignment` bytes.

    Args:
        pad_type: How it is filled; IPsec, PKCS#7, TLS and SSL always add something.
        length: Bytes of data.
        alignment: 1 or more.
        value: The constant that is repeated, or the next header of IPsec.
    """
    missing = -length % alignment
    match pad_type:
        case PadType.ZERO:
            return bytes(missing)
        case PadType.CONSTANT:
            return bytes([value]) * missing
        case PadType.IPSEC:
            count = -(length + _IPSEC_TRAILER) % max(alignment, _IPSEC_MINIMUM)
            return _COUNTING[:count] + bytes((count, value))
        case PadType.PKCS7:
            alignment = min(alignment, _LONGEST_PKCS7)
            count = -length % alignment or alignment
            return bytes([count]) * count
        case PadType.TLS:
            count = missing or alignment
            return bytes([count - 1]) * count
        case PadType.SSL:
            count = missing or alignment
            return bytes([value]) * (count - 1) + bytes([count - 1])


def verify_pad(pad_type: PadType, data: bytes) -> Verdict:
    """Look at the end of inbound data for a pad of one of the `VERIFIED` types."""
    last = data[-1] if data else 0
    match pad_type:
        case PadType.PKCS7 if 0 < last <= _LONGEST_PKCS7:
            if data.endswith(bytes([last]) * last):
                return Verdict(0, last)
        case PadType.TLS if data.endswith(bytes([last]) * (last + 1)):
            return Verdict(0, last + 1)
        case PadType.SSL if last < len(data):
            return Verdict(0, last + 1)
        case PadType.IPSEC if len(data) >= _IPSEC_TRAILER:
            count = data[-_IPSEC_TRAILER]
            if data[:-_IPSEC_TRAILER].endswith(_COUNTING[:count]):
                return Verdict(0, count + _IPSEC_TRAILER, last)
            return Verdict(reg.ERR_PAD, 0, last)
    return Verdict(reg.ERR_PAD, 0)
