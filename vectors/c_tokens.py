"""The tokens of C source, after the conditions of its preprocessor: what testmgr.[ch] need.

Conditions are decided as for a little-endian kernel in which no option is set.  Macros of one
name are kept for expressions; includes and macros with arguments are ignored.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from tcrypt.vectors.errors import VectorError, clip

__all__ = ("Source", "Token", "decode_string")

_DEFINED = frozenset({"__LITTLE_ENDIAN", "__LITTLE_ENDIAN_BITFIELD"})

_TOKEN = re.compile(
    r"(?P<space>\s+|/\*.*?\*/|//[^\n]*)"
    r'|(?P<string>"(?:[^"\\\n]|\\.)*")'
    r"|(?P<char>'(?:[^'\\\n]|\\.)+')"
    r"|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<number>(?:0[xX][0-9a-fA-F]+|\d+)[uUlL]*\b)"
    r"|(?P<mark>\.\.\.|<<|>>|[^\w\s\"'])",
    re.DOTALL,
)
_DIRECTIVE = re.compile(r"\s*#\s*(\w+)\s*(.*)")
_MACRO = re.compile(r"(\w+)(?:\s+(.*))?")
_CONDITION = re.compile(
    r"(!?)\s*(?:IS_ENABLED|IS_REACHABLE|IS_BUILTIN|defined)\s*\(?\s*(\w+)\s*\)?"
)
_HEX_ONLY = re.compile(r"(?:\\x[0-9a-fA-F]{2})*")
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]+|[0-7]{1,3}|.)", re.DOTALL)
_SIMPLE = {
    "a": 7, "b": 8, "t": 9, "n": 10, "v": 11, "f": 12, "r": 13, "e": 27,
    "\\": 92, '"': 34, "'": 39, "?": 63,
}  # fmt: skip


class Token(NamedTuple):
    """One token: `string`, `char`, `name`, `number` or `mark`; its text; where it begins."""

    kind: str
    text: str
    place: int


class Source:
    """One file of C, its inactive lines blanked, so that places keep their lines.

    Args:
        text: the contents.
        label: how messages name the file.

    Raises:
        VectorError: a condition of the preprocessor that is not understood or not closed.
    """

    def __init__(self, text: str, label: str) -> None:
        self.label = label
        self.macros: dict[str, str] = {}
        self.text = self._active(text)

    def error(self, place: int, reason: str, field: str = "") -> VectorError:
        """An error at a place of the text."""
        return VectorError(self.label, self.text.count("\n", 0, place) + 1, field, reason)

    def tokens(self, start: int) -> list[Token]:
        """The tokens from a place to the first `;` outside of braces."""
        found: list[Token] = []
        depth, place, text = 0, start, self.text
        while True:
            match = _TOKEN.match(text, place)
            if match is None:
                where = "the file ends" if place >= len(text) else clip(text[place : place + 20])
                raise self.error(place, f"no token of C: {where}")
            place, kind = match.end(), match.lastgroup or ""
            if kind == "space":
                continue
            word = match[0]
            if kind == "mark":
                depth += (word == "{") - (word == "}")
                if word == ";" and depth <= 0:
                    return found
            found.append(Token(kind, word, match.start()))

    def _active(self, text: str) -> str:
        lines = text.split("\n")
        # Each open condition: whether its lines count, and whether a branch of it has counted.
        open_ones: list[tuple[bool, bool]] = []
        continued = False
        for index, line in enumerate(lines):
            match = None if continued else _DIRECTIVE.match(line)
            active = all(counts for counts, _ in open_ones)
            if match is not None:
                self._directive(match[1], match[2], open_ones, index + 1, active)
            if match is not None or continued or not active:
                lines[index] = ""
            continued = (continued or match is not None) and line.endswith("\\")
        if open_ones:
            raise VectorError(self.label, len(lines), "", "#if without #endif")
        return "\n".join(lines)

    def _directive(
        self, word: str, rest: str, open_ones: list[tuple[bool, bool]], line: int, active: bool
    ) -> None:
        if word in ("if", "ifdef", "ifndef"):
            counts = active and self._holds(word, rest, line)
            open_ones.append((counts, counts))
        elif word in ("elif", "else", "endif"):
            if not open_ones:
                raise VectorError(self.label, line, "", f"#{word} without #if")
            _, done = open_ones.pop()
            outer = all(counts for counts, _ in open_ones)
            if word == "else":
                open_ones.append((not done, True))
            elif word == "elif":
                counts = outer and not done and self._holds("if", rest, line)
                open_ones.append((counts, done or counts))
        elif word == "define" and active and (match := _MACRO.fullmatch(rest.strip())):
            self.macros[match[1]] = (match[2] or "").strip()

    def _holds(self, word: str, rest: str, line: int) -> bool:
        condition = re.sub(r"/\*.*?\*/", "", rest).strip()
        if word != "if":
            known = condition in _DEFINED or condition in self.macros
            return known == (word == "ifdef")
        if condition.isdecimal():
            return condition != "0"
        match = _CONDITION.fullmatch(condition)
        if match is None:
            raise VectorError(self.label, line, "", f"#if of an unknown kind: {clip(condition)}")
        return (match[2] in _DEFINED or match[2] in self.macros) != bool(match[1])


def decode_string(literal: str) -> bytes:
    """The bytes of a string or character literal, without the zero that C adds.

    Raises:
        ValueError: an escape that is none.
    """
    body = literal[1:-1]
    if _HEX_ONLY.fullmatch(body):
        return bytes.fromhex(body.replace("\\x", ""))
    parts, last = [], 0
    for match in _ESCAPE.finditer(body):
        parts += [body[last : match.start()].encode(), _escape(match[1])]
        last = match.end()
    return b"".join([*parts, body[last:].encode()])


def _escape(word: str) -> bytes:
    if word[0] == "x" and len(word) > 1:
        value = int(word[1:], 16)
    elif word[0] in "01234567":
        value = int(word, 8)
    elif word in _SIMPLE:
        value = _SIMPLE[word]
    else:
        raise ValueError(f"no escape of C: \\{word}")
    if value > 255:
        raise ValueError(f"an escape of more than a byte: \\{word}")
    return bytes([value])
