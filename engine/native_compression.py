"""Compression functions out of the OpenSSL that Python's hashlib is linked to, where it has them.

hashlib hides the state of a hash; OpenSSL's older functions (`SHA256_Update` and its relatives,
declared in openssl/sha.h and openssl/md5.h) keep it in a structure whose fields are public.  They
are hundreds of times faster than Python.  OpenSSL can be built without them, and Python without a
shared OpenSSL: then there is None, and the caller does the arithmetic itself.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any, Final, TypeAlias

__all__ = ("native_compress",)

State: TypeAlias = tuple[int, ...]
Compress: TypeAlias = Callable[[State, bytes], State]

# Function, words of the state, bytes of a word.  Behind the state the structure holds two words of
# length, a block of 16 words and at most two small numbers, all zero at a block's edge.
_FUNCTIONS: Final = {
    "md5": ("MD5_Update", 4, ctypes.c_uint32),
    "sha1": ("SHA1_Update", 5, ctypes.c_uint32),
    "sha256": ("SHA256_Update", 8, ctypes.c_uint32),
    "sha512": ("SHA512_Update", 8, ctypes.c_uint64),
}
_BEHIND: Final = 2 + 16 + 2


def native_compress(name: str) -> Compress | None:
    """The compression function of `md5`, `sha1`, `sha256` or `sha512` on native words, or None.

    It takes a state and a number of whole blocks, and gives the state after them.
    """
    symbol, words, kind = _FUNCTIONS[name]
    update = _function(symbol)
    if update is None:
        return None
    context: Any = kind * (words + _BEHIND)

    def compress(state: State, data: bytes) -> State:
        memory = context(*state)
        update(memory, data, len(data))
        return tuple(memory[:words])

    return compress


def _function(symbol: str) -> Any:
    """A function of hashlib's OpenSSL; None when it cannot be reached."""
    try:
        import _hashlib

        function = getattr(ctypes.CDLL(_hashlib.__file__), symbol)
    except (ImportError, OSError, AttributeError):
        return None
    function.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t)
    function.restype = ctypes.c_int
    return function
