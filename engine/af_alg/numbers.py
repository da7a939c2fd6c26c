"""Numbers of the AF_ALG interface: socket options, operations, message flags, limits."""

from __future__ import annotations

import enum

__all__ = (
    "ALLOWED_FLAGS",
    "CHUNK",
    "DECRYPT",
    "ENCRYPT",
    "MSG_TRUNC",
    "OPTION_MEMORY",
    "PAGE",
    "SNDBUF",
    "SOCK_SEQPACKET",
    "Option",
)


class Option(enum.IntEnum):
    """Socket options of level SOL_ALG (`ALG_SET_*`)."""

    KEY = 1
    AEAD_AUTHSIZE = 5
    DRBG_ENTROPY = 6
    KEY_BY_SERIAL = 7


SOCK_SEQPACKET = 5
DECRYPT = 0
ENCRYPT = 1
MSG_TRUNC = 0x20
PAGE = 4096

# A sender waits above this many unread bytes: the default of SO_SNDBUF (measured).
SNDBUF = 212_992
# What a hash is given at a time: 16 pages.
CHUNK = 16 * PAGE
# The longest socket option, and so the longest key, in bytes.
OPTION_MEMORY = 131_072
# The only flag that a program may ask for in feat and mask: KERN_DRIVER_ONLY.
ALLOWED_FLAGS = 0x1000
