"""The key of the authenc templates: an attribute header, a length, two keys.

Layout (kernel-crypto, section 6.4): u16 attribute length 8 and u16 type 1 in host byte order, u32
length of the cipher key in big-endian, then the authentication key, then the cipher key.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

__all__ = ("AuthencKeys", "split_authenc_key")

_HEADER = struct.Struct("<HH")
_PARAM = struct.Struct(">I")
_ATTRIBUTE_LENGTH = 8
_ATTRIBUTE_TYPE = 1


class AuthencKeys(NamedTuple):
    """The two keys of an authenc blob."""

    authkey: bytes
    enckey: bytes


def split_authenc_key(blob: bytes | bytearray) -> AuthencKeys | None:
    """The keys in an authenc blob on a little-endian host; None for a malformed one (-EINVAL)."""
    if len(blob) < _ATTRIBUTE_LENGTH:
        return None
    if _HEADER.unpack_from(blob) != (_ATTRIBUTE_LENGTH, _ATTRIBUTE_TYPE):
        return None
    (enckeylen,) = _PARAM.unpack_from(blob, _HEADER.size)
    keys = bytes(blob[_ATTRIBUTE_LENGTH:])
    if enckeylen > len(keys):
        return None
    split = len(keys) - enckeylen
    return AuthencKeys(keys[:split], keys[split:])
