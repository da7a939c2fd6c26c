"""SA records from templates: only keys and digests change from transform to transform."""

from __future__ import annotations

import struct
from functools import lru_cache

from tcrypt.engine.compression import BLOCK_BYTES, State
from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.records import SACommand, SARecord

__all__ = ("SATemplate", "digest_bytes", "digest_words", "key_block", "template_of")

_KEY_BYTES = reg.SA_INNER_DIGEST - reg.SA_KEY
_DIGEST_BYTES = reg.SA_OUTER_DIGEST - reg.SA_INNER_DIGEST
_EVERY_BYTE = int.from_bytes(bytes([1]) * BLOCK_BYTES)
_EIGHT_WORDS = struct.Struct("<8I")


class SATemplate:
    """The constant parts of the SA records of one command."""

    __slots__ = ("_head", "_tail")

    def __init__(self, command: SACommand) -> None:
        packed = SARecord(command=command).pack()
        self._head = packed[: reg.SA_KEY]
        self._tail = packed[reg.SA_SPI :]

    def pack(self, key: bytes, inner: bytes = b"", outer: bytes = b"") -> bytes:
        """The 128 bytes of a record; key and digests of up to 32 bytes each."""
        return b"".join(
            (
                self._head,
                key.ljust(_KEY_BYTES, b"\0"),
                inner.ljust(_DIGEST_BYTES, b"\0"),
                outer.ljust(_DIGEST_BYTES, b"\0"),
                self._tail,
            )
        )


@lru_cache(maxsize=1024)
def template_of(command: SACommand) -> SATemplate:
    """The template of a command; of equal commands the same one."""
    return SATemplate(command)


def digest_bytes(state: State) -> bytes:
    """A hash state as it lies in an SA or state record: native words, 32 bytes."""
    return _EIGHT_WORDS.pack(*state, *(0,) * (8 - len(state)))


def digest_words(data: bytes) -> State:
    """The eight words of a record's 32 digest bytes."""
    return _EIGHT_WORDS.unpack(data)


def key_block(key: bytes, hashed: bytes, pad: int) -> bytes:
    """The first block of an HMAC pass (RFC 2104): the key, or its digest if too long, XOR pad.

    Args:
        key: the authentication key, any length.
        hashed: its full digest; never a truncated one, whatever the tag length.
        pad: 0x36 for the inner pass, 0x5c for the outer.
    """
    block = (key if len(key) <= BLOCK_BYTES else hashed).ljust(BLOCK_BYTES, b"\0")
    return (int.from_bytes(block) ^ pad * _EVERY_BYTE).to_bytes(BLOCK_BYTES)
