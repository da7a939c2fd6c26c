"""The syntax of CAVP response files: records, the sections above them, and what goes wrong.

A file is a list of records of `NAME = value` lines.  A record begins with a line of its own
(`COUNT` for ciphers, `Len` for digests) and ends at the next blank line, section or record.
Names come in any case, values are hexadecimal in any case, line ends are those of Unix or of
DOS.  Comments may stand anywhere, also inside a record.

What stands above a record holds for it too: sections such as `[DECRYPT]`, `[L = 20]` or
`[Alen = 0, Plen = 0]`, of which neighbouring lines belong together, and in some files fields
outside of records (`Plen = 24`, `Key = ...`).  Above the first section a field holds for the
whole file, below a section until the next one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple, NoReturn

from tcrypt.vectors.errors import VectorError, clip, hex_fault
from tcrypt.vectors.model import Origin

__all__ = ("NUMBERS", "File", "Record", "number", "read_records", "value_fault")

NUMBERS = frozenset({"COUNT", "LEN", "KLEN", "MLEN", "TLEN", "DATAUNITLEN", "DATAUNITSEQNUMBER"})
"""The fields whose values are decimal numbers."""

_MARKS = frozenset({"FAIL"})


class Record(NamedTuple):
    """One record.

    Attributes:
        section: the last section line above it, without brackets.
        line: its first line.
        fields: its fields by upper-case name; a bare mark such as FAIL has an empty value.
        context: what sections and fields above it say, by upper-case name.
    """

    section: str
    line: int
    fields: dict[str, str]
    context: Mapping[str, str]


class _Context:
    """What holds for the records below: the file's own fields, the section and its fields."""

    def __init__(self) -> None:
        self.section = ""
        self.everywhere: dict[str, str] = {}
        self.current: dict[str, str] = self.everywhere
        self._last = -1

    def enter(self, section: str, number: int) -> None:
        """Begin a section at a line, or add to the one whose last line is the line above."""
        if self._last != number - 1 or self._last < 0:
            self.current = dict(self.everywhere)
        else:
            self.current = dict(self.current)
        self._last, self.section = number, section
        for pair in section.split(","):
            name, equals, value = pair.partition("=")
            if equals:
                self.current[name.strip().upper()] = value.strip()

    def add(self, name: str, value: str) -> None:
        """Keep a field that stands outside of a record, for this section or the whole file."""
        if self.section:
            self.current = {**self.current, name: value}
        else:
            self.everywhere = {**self.everywhere, name: value}
            self.current = self.everywhere


def read_records(
    text: str, label: str, begins: str, sticky: frozenset[str] = frozenset()
) -> Iterator[Record]:
    """Split `text` into records.

    Args:
        text: The contents of the file.
        label: How messages name the file.
        begins: Upper-case name of the field that begins a record.
        sticky: Upper-case names of fields that may stand outside of records.

    Raises:
        VectorError: A line that is no field, a field outside every record, or one given twice.
    """
    start, context = 0, _Context()
    fields: dict[str, str] = {}
    known: dict[str, str] = {}
    for number, line in enumerate(text.split("\n"), 1):
        name, equals, value = line.partition("=")
        key = known.get(name) if equals else None
        if key is None:
            line = line.strip()
            if not line or line[0] == "[":
                if fields:
                    yield Record(context.section, start, fields, context.current)
                    fields = {}
                if line:
                    context.enter(_section(line, number, label), number)
                continue
            if line[0] == "#":
                continue
            key = _name(name, equals, number, label)
            if equals:
                known[name] = key
        if key == begins:
            if fields:
                yield Record(context.section, start, fields, context.current)
            fields, start = {}, number
        elif not fields:
            if key not in sticky:
                reason = f"outside a record: {begins} must come first"
                raise VectorError(label, number, key, reason)
            context.add(key, value.strip())
            continue
        elif key in fields:
            raise VectorError(label, number, key, "given twice in one record")
        fields[key] = value.strip()
    if fields:
        yield Record(context.section, start, fields, context.current)


def _section(line: str, number: int, label: str) -> str:
    if not line.endswith("]"):
        raise VectorError(label, number, "", f"section without ']': {clip(line)}")
    return line[1:-1].strip()


def _name(name: str, equals: str, number: int, label: str) -> str:
    word = name.strip().upper()
    if not equals and word not in _MARKS:
        raise VectorError(label, number, "", f"not a 'NAME = value' line: {clip(name.strip())}")
    return word


def number(value: str) -> int:
    """A decimal number of ASCII digits without a sign.

    Raises:
        ValueError: anything else.
    """
    if not (value.isascii() and value.isdecimal()) or len(value) > 18:
        raise ValueError(value)
    return int(value)


@dataclass(frozen=True, slots=True)
class File:
    """One file while it is read, and what can be said about a faulty record of it."""

    text: str
    origin: Origin

    def error(self, record: Record, field: str, reason: str) -> VectorError:
        """An error at the line of `field`, or at the record's first line if it is not there."""
        line = record.line
        for number, text in enumerate(self.text.split("\n")[line - 1 :], line):
            if not text.strip():
                break
            if text.partition("=")[0].strip().upper() == field:
                line = number
                break
        return VectorError(self.origin.label, line, field, reason)

    def explain(self, record: Record, wanted: frozenset[str]) -> VectorError:
        """An error for the first field of a faulty record that is missing, unknown or broken."""
        for name in sorted(wanted - record.fields.keys()):
            return self.error(record, name, "missing from the record")
        for name, value in record.fields.items():
            if name not in wanted:
                reason = f"unknown field, want {', '.join(sorted(wanted))}"
            else:
                reason = value_fault(name, value)
            if reason:
                return self.error(record, name, reason)
        raise AssertionError(f"{self.origin.label}:{record.line}: nothing wrong with this record")

    def twice(self, record: Record) -> VectorError:
        """An error for a record whose COUNT another one of its section has."""
        reason = f"{record.fields['COUNT']} given twice in [{record.section}]"
        return self.error(record, "COUNT", reason)

    def unknown_algorithm(self) -> NoReturn:
        """Refuse an algorithm whose sizes are not known: the records could not be checked."""
        label, algorithm = self.origin.label, self.origin.algorithm
        raise VectorError(label, 0, "algorithm", f"no known sizes for {algorithm!r}")


def value_fault(name: str, value: str) -> str:
    """Say why `value` is none for the field `name`; "" when it is one."""
    if name not in NUMBERS:
        return hex_fault(value)
    try:
        number(value)
    except ValueError:
        return f"not a decimal number: {clip(value)}"
    return ""
