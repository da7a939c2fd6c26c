"""Results as the measuring program wrote them, and when two of them agree."""

from __future__ import annotations

import errno
import hashlib
import re

__all__ = ("agrees", "blob", "errno_word", "group")

_TIMES = re.compile(r", (?:submit [0-9.]+ ms, reap [0-9.]+ ms|[0-9]+ req/s)$")
_BLOB = re.compile(r"\b([0-9]+)B:([0-9a-f]*)")
_ALIASES = {"EOPNOTSUPP": "ENOTSUP", "EWOULDBLOCK": "EAGAIN"}
_RELEASED = "(EBADMSG, plaintext RELEASED)"
_FORGERY = re.compile(r"\(EBADMSG, (?:buffer|plaintext) .*\)")


def errno_word(error: OSError) -> str:
    """The name of an error, the one that the measurements use where there are two."""
    word = errno.errorcode.get(error.errno or 0, str(error.errno))
    return _ALIASES.get(word, word)


def blob(data: bytes) -> str:
    """Received bytes: `16B:` and hexadecimal digits."""
    return f"{len(data)}B:{data.hex()}"


def group(*values: object) -> str:
    """Several results of one case: `(96, True, True)`."""
    return f"({', '.join(map(str, values))})"


def agrees(expected: str, got: str) -> bool:
    """Whether a result is the measured one.

    Times do not count; a long blob is written as the first digits of its SHA-256.  What stands in
    the destination of a forged message is the driver's choice: other bytes will do, but not the
    plaintext where the measured driver kept it back (crypto API, 6.4).
    """
    if expected == got:
        return True
    if _FORGERY.fullmatch(expected) and _FORGERY.fullmatch(got):
        return got != _RELEASED
    expected, got = _TIMES.sub("", expected), _TIMES.sub("", got)
    if "B:sha256=" in expected:
        got = _BLOB.sub(_shorten, got)
    return expected == got


def _shorten(match: re.Match[str]) -> str:
    digest = hashlib.sha256(bytes.fromhex(match[2])).hexdigest()
    return f"{match[1]}B:sha256={digest[:16]}"
