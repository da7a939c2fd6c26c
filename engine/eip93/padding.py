"""Padding of the basic operations: what outbound data grows by, what inbound data is stripped of.

Source: Analog Devices PKTE chapter, "Crypto Padding" and its table of pad alignments.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tcrypt.engine.eip93.errors import NotModelled
from tcrypt.engine.eip93.records import PadType

__all__ = ("NEVER", "NULL_ALIGNMENTS", "block_alignments", "pad_bytes", "pkcs7_length")

# Pad control (word 0 of a command, bits 31:24) to the alignment that it asks for, in bytes.
_ALIGNMENTS: Final = {0: 8, 1: 1, 2: 4, 4: 8, 8: 16, 16: 32, 32: 64, 64: 128, 128: 256}

NEVER: Final[Mapping[int, int]] = MappingProxyType(dict.fromkeys(_ALIGNMENTS, 1))
NULL_ALIGNMENTS: Final[Mapping[int, int]] = MappingProxyType({**NEVER, 0: 8})


def block_alignments(block: int) -> Mapping[int, int]:
    """Pad control to alignment for a cipher that needs blocks of `block` bytes in any case."""
    return {control: max(block, alignment) for control, alignment in _ALIGNMENTS.items()}


def pad_bytes(pad_type: PadType, length: int, alignment: int, constant: int) -> bytes:
    """What follows `length` bytes of outbound data; PKCS#7 always adds something.

    Raises:
        NotModelled: IPsec padding, outside of a protocol operation.
    """
    missing = -length % alignment
    match pad_type:
        case PadType.ZERO:
            return bytes(missing)
        case PadType.CONSTANT:
            return bytes([constant]) * missing
        case PadType.PKCS7:
            count = missing or alignment
            return bytes([count % 256]) * count
        case PadType.IPSEC:
            raise NotModelled("SA_CMD0", pad_type, "IPsec padding in a basic operation")


def pkcs7_length(data: bytes) -> int | None:
    """How many PKCS#7 pad bytes (RFC 5652, 6.3) end inbound data; None when there are none."""
    count = data[-1] if data else 0
    return count if count and data.endswith(bytes([count]) * count) else None
