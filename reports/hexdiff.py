"""Expected and got, side by side, with the difference marked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

__all__ = ("DiffRow", "Span", "clipped_pair", "diff_rows")

_WIDTH = 16  # bytes of a row
_MOST_ROWS = 24
_HEX = re.compile(r"(?:[0-9a-fA-F]{2})*")
_MISSING = "--"


@dataclass(frozen=True)
class Span:
    """A piece of text; `differs` when the other side holds something else at this place."""

    text: str
    differs: bool


@dataclass(frozen=True)
class DiffRow:
    """A row of both sides, or, when `gap` is not empty, a remark on rows left out."""

    offset: str = ""
    expected: tuple[Span, ...] = ()
    got: tuple[Span, ...] = ()
    gap: str = ""


def diff_rows(expected: str, got: str) -> list[DiffRow]:
    """Return rows of 16 bytes when both texts are plain hex of some length, else one row of text.

    Of equal rows only those next to a difference are kept.  A byte that one side does not have is
    shown as "--".
    """
    if max(len(expected), len(got)) >= 8 and _HEX.fullmatch(expected) and _HEX.fullmatch(got):
        return _hex_rows(bytes.fromhex(expected), bytes.fromhex(got))
    return [DiffRow("", *_text_spans(expected, got))]


def clipped_pair(expected: str, got: str, width: int) -> tuple[str, str]:
    """Return both texts cut to the same window of `width` characters around the difference."""
    longest = max(len(expected), len(got))
    if longest <= width:
        return expected, got
    # An even start keeps the two digits of a byte together.
    first = max(0, min(_common_prefix(expected, got) - width // 3, longest - width)) & ~1
    return _clip(expected, first, width), _clip(got, first, width)


def _clip(text: str, first: int, width: int) -> str:
    before = ".." if first else ""
    after = ".." if first + width < len(text) else ""
    return before + text[first + len(before) : first + width - len(after)] + after


def _common_prefix(left: str, right: str) -> int:
    pairs = enumerate(zip(left, right, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(left), len(right)))


def _text_spans(expected: str, got: str) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    common = _common_prefix(expected, got)
    if common < 4 or expected == got:
        return (Span(expected, False),), (Span(got, False),)
    head = Span(expected[:common], False)
    return (head, Span(expected[common:], True)), (head, Span(got[common:], True))


def _hex_rows(expected: bytes, got: bytes) -> list[DiffRow]:
    size = max(len(expected), len(got))
    starts = range(0, size, _WIDTH)
    differing = [expected[i : i + _WIDTH] != got[i : i + _WIDTH] for i in starts]
    shown = [any(differing[max(0, i - 1) : i + 2]) for i in range(len(starts))]
    if not any(differing):
        shown = [True] * len(starts)
    rows: list[DiffRow] = []
    for keep, group in groupby(zip(starts, shown, strict=True), key=lambda pair: pair[1]):
        chosen = [start for start, _ in group]
        room = _MOST_ROWS - len(rows)
        if room <= 0:
            break
        if keep:
            rows += [_hex_row(start, expected, got) for start in chosen[:room]]
        else:
            rows.append(DiffRow(gap=f"{_rows(len(chosen))} equal"))
    last = next((row.offset for row in reversed(rows) if row.offset), "")
    left = len(starts) - 1 - int(last, 16) // _WIDTH if last else 0
    if len(rows) >= _MOST_ROWS and left:
        rows.append(DiffRow(gap=f"{_rows(left)} more; the report's JSON has them"))
    return rows


def _rows(number: int) -> str:
    return "1 row" if number == 1 else f"{number:,} rows"


def _hex_row(start: int, expected: bytes, got: bytes) -> DiffRow:
    size = max(len(expected), len(got))
    places = range(start, min(start + _WIDTH, size))
    left, right = _tokens(expected, places), _tokens(got, places)
    marks = [a != b for a, b in zip(left, right, strict=True)]
    return DiffRow(f"{start:04x}", tuple(_spans(left, marks)), tuple(_spans(right, marks)))


def _tokens(data: bytes, places: range) -> list[str]:
    return [f"{data[i]:02x}" if i < len(data) else _MISSING for i in places]


def _spans(tokens: Sequence[str], marks: Sequence[bool]) -> Iterator[Span]:
    first = True
    for mark, group in groupby(zip(tokens, marks, strict=True), key=lambda pair: pair[1]):
        if not first:
            yield Span(" ", False)
        first = False
        yield Span(" ".join(token for token, _ in group), mark)
