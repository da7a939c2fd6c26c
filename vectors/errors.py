"""The errors of the vectors room, and what they say about unusable data."""

from __future__ import annotations

__all__ = ("UnknownVectorError", "VectorError", "clip", "hex_fault")

_CLIP = 40
_FIELD = 80
_REASON = 300


class VectorError(ValueError):
    """A vector file that cannot be used as it stands.  Correct the named place in the file.

    Attributes:
        file: The file, as `<source>:<name>`.
        line: The line in it, counted from 1; 0 when the fault has no line of its own.
        field: The field at fault, or "" when the fault is the whole file's.
        reason: What is wrong, with the value that was found.
    """

    def __init__(self, file: str, line: int, field: str, reason: str) -> None:
        # Names and sections of a damaged file can be of any length.
        field, reason = _cut(field, _FIELD), _cut(reason, _REASON)
        place = f"{file}:{line}" if line else file
        super().__init__(f"{place}: {field}: {reason}" if field else f"{place}: {reason}")
        self.file = file
        self.line = line
        self.field = field
        self.reason = reason


class UnknownVectorError(LookupError):
    """An id that names no vector of the catalogue.  The message lists the nearest ids."""


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}..."


def clip(value: str) -> str:
    """Quote `value` for a message, cut so that a megabyte of data stays readable."""
    if len(value) <= _CLIP:
        return repr(value)
    return f"{value[:_CLIP]!r}... ({len(value)} characters)"


def hex_fault(value: str) -> str:
    """Say why `value` is no string of whole bytes in hexadecimal digits; "" when it is one.

    Blanks between bytes are allowed, so that long data can be folded over several lines.
    """
    digits = "".join(value.split())
    if any(digit not in "0123456789abcdefABCDEF" for digit in digits):
        return f"not hexadecimal: {clip(value)}"
    if len(digits) % 2:
        return f"odd number of hexadecimal digits ({len(digits)}): {clip(value)}"
    try:
        bytes.fromhex(value)
    except ValueError:
        return f"a blank inside a byte: {clip(value)}"
    return ""
