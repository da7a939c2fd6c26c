"""Names of algorithms: `template(argument,...)`, nested (kernel-crypto, section 6.8)."""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ("MAX_NAME_LENGTH", "Name", "parse_name")

MAX_NAME_LENGTH = 127
"""Longest algorithm name in characters; the kernel answers -ENAMETOOLONG from 128 on."""

_COMPONENT = re.compile(r"[A-Za-z0-9_-]+")


class Name(NamedTuple):
    """One parsed name.

    Attributes:
        base: the template, or the algorithm itself when there are no arguments.
        args: the template's arguments, split at the commas of the top level.
    """

    base: str
    args: tuple[Name, ...] = ()

    def __str__(self) -> str:
        """The name as registered: no blanks."""
        if not self.args:
            return self.base
        return f"{self.base}({','.join(map(str, self.args))})"


def parse_name(text: str) -> Name | None:
    """The parsed `text`, or None when the grammar does not allow it.

    A template without arguments (`cbc()`), a blank and a parenthesis too many are not allowed.
    """
    if len(text) > MAX_NAME_LENGTH:
        return None
    parsed = _component(text, 0)
    if parsed is None or parsed[1] != len(text):
        return None
    return parsed[0]


def _component(text: str, start: int) -> tuple[Name, int] | None:
    """The name that begins at `start` and the index behind it."""
    match = _COMPONENT.match(text, start)
    if match is None:
        return None
    end = match.end()
    if text[end : end + 1] != "(":
        return Name(match.group()), end
    args: list[Name] = []
    while True:
        parsed = _component(text, end + 1)
        if parsed is None:
            return None
        arg, end = parsed
        args.append(arg)
        if text[end : end + 1] == ")":
            return Name(match.group(), tuple(args)), end + 1
        if text[end : end + 1] != ",":
            return None
