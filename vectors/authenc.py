"""The key of `authenc(...)`: both keys packed into the one blob that setkey takes."""

from __future__ import annotations

import struct

__all__ = ("authenc_key",)

_CRYPTO_AUTHENC_KEYA_PARAM = 1


def authenc_key(authkey: bytes, enckey: bytes) -> bytes:
    """Pack an authentication key and an encryption key as `crypto_authenc_extractkeys` reads them.

    The blob is a `struct rtattr` of two 16-bit words in the byte order of the host (length 8,
    type 1), the length of the encryption key as a 32-bit big-endian word, the authentication
    key and the encryption key.  It is built here for a little-endian host, which is what the
    simulated kernel is; a big-endian host would need the first two words swapped.

    Args:
        authkey: Key of the MAC, of any length.
        enckey: Key of the cipher.

    Returns:
        The blob, eight bytes longer than both keys together.
    """
    header = struct.pack("<HH", 8, _CRYPTO_AUTHENC_KEYA_PARAM)
    return header + struct.pack(">I", len(enckey)) + authkey + enckey
