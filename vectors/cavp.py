"""Loader for the response files of NIST's CAVP, and for texts that others wrote in that syntax.

A file is a list of records of `NAME = value` lines.  A record begins with a line of its own
(`COUNT` for ciphers, `Len` for digests) and ends at the next blank line, section or record.
Names come in any case, values are hexadecimal in any case, line ends are those of Unix or of
DOS.  Sections such as `[DECRYPT]` or `[L = 20]` hold for the records below them; comments may
stand anywhere, also inside a record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, NoReturn

from tcrypt.vectors.errors import VectorError, clip, hex_fault
from tcrypt.vectors.model import (
    HashVector,
    Operation,
    Origin,
    SkcipherVector,
    Vector,
    VectorSet,
)
from tcrypt.vectors.shapes import cipher_shape, digest_size, hash_fault, skcipher_fault

__all__ = ("Record", "load", "read_records")

# The section alone gives the direction; the order of the fields in a record does not.
_DIRECTIONS = {"ENCRYPT": ("e", Operation.ENCRYPT), "DECRYPT": ("d", Operation.DECRYPT)}

# One AES key; a TDES known answer (K1 = K2 = K3 written once); a TDES multi-block message.
_KEY_FORMS = (("KEY",), ("KEYS", "KEYS", "KEYS"), ("KEY1", "KEY2", "KEY3"))

_NUMBERS = frozenset({"COUNT", "LEN"})


class Record(NamedTuple):
    """One record: its section without brackets, its first line, its fields by upper-case name."""

    section: str
    line: int
    fields: dict[str, str]


def read_records(text: str, label: str, begins: str) -> Iterator[Record]:
    """Split `text` into records.

    Args:
        text: The contents of the file.
        label: How messages name the file.
        begins: Upper-case name of the field that begins a record.

    Raises:
        VectorError: A line that is no field, a field outside every record, or one given twice.
    """
    section, start = "", 0
    fields: dict[str, str] = {}
    known: dict[str, str] = {}
    for number, line in enumerate(text.split("\n"), 1):
        name, equals, value = line.partition("=")
        key = known.get(name) if equals else None
        if key is None:
            line = line.strip()
            if not line or line[0] == "[":
                if fields:
                    yield Record(section, start, fields)
                    fields = {}
                section = _section(line, number, label) if line else section
                continue
            if line[0] == "#":
                continue
            if not equals:
                raise VectorError(label, number, "", f"not a 'NAME = value' line: {clip(line)}")
            key = known[name] = name.strip().upper()
        if key == begins:
            if fields:
                yield Record(section, start, fields)
            fields, start = {}, number
        elif not fields:
            raise VectorError(label, number, key, f"outside a record: {begins} must come first")
        elif key in fields:
            raise VectorError(label, number, key, "given twice in one record")
        fields[key] = value.strip()
    if fields:
        yield Record(section, start, fields)


def load(text: str, origin: Origin) -> VectorSet:
    """Turn the contents of one file into vectors.

    Cipher vectors are run in the direction of their section only, as the file states them.
    Ids are the section's letter and the record's COUNT (`e3`, `d0`); records of digests have
    no number of their own and are counted from `m0` in the order of the file.

    Raises:
        VectorError: The data are broken, or `origin` is of a kind that has no reader here.
    """
    reader = _READERS.get(origin.kind)
    if reader is None:
        raise VectorError(origin.label, 0, "kind", f"no CAVP records of kind {origin.kind!r}")
    return VectorSet(
        source=origin.source,
        name=origin.name,
        algorithm=origin.algorithm,
        kind=origin.kind,
        title=origin.title,
        url=origin.url,
        licence=origin.licence,
        vectors=tuple(reader(_File(text, origin))),
    )


@dataclass(frozen=True, slots=True)
class _File:
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
            elif name in _NUMBERS:
                reason = "" if value.isdecimal() else f"not a decimal number: {clip(value)}"
            else:
                reason = hex_fault(value)
            if reason:
                return self.error(record, name, reason)
        raise AssertionError(f"{self.origin.label}:{record.line}: nothing wrong with this record")

    def unknown_algorithm(self) -> NoReturn:
        """Refuse an algorithm whose sizes are not known: the records could not be checked."""
        label, algorithm = self.origin.label, self.origin.algorithm
        raise VectorError(label, 0, "algorithm", f"no known sizes for {algorithm!r}")


def _section(line: str, number: int, label: str) -> str:
    if not line.endswith("]"):
        raise VectorError(label, number, "", f"section without ']': {clip(line)}")
    return line[1:-1].strip()


def _number(value: str) -> int:
    if not value.isdecimal():
        raise ValueError(value)
    return int(value)


def _skciphers(file: _File) -> Iterator[SkcipherVector]:
    shape = cipher_shape(file.origin.algorithm) or file.unknown_algorithm()
    prefix = file.origin.label + "#"
    fromhex = bytes.fromhex
    seen: set[str] = set()
    key_names: tuple[str, ...] = ()
    for record in read_records(file.text, file.origin.label, "COUNT"):
        section, _, fields = record
        if not key_names:
            key_names = next((form for form in _KEY_FORMS if form[0] in fields), _KEY_FORMS[0])
            iv_names = ("IV",) if shape.ivsize else ()
            wanted = frozenset({"COUNT", *key_names, *iv_names, "PLAINTEXT", "CIPHERTEXT"})
        if section not in _DIRECTIONS:
            raise file.error(record, "", f"neither [ENCRYPT] nor [DECRYPT]: [{section}]")
        letter, operation = _DIRECTIONS[section]
        try:
            vector = SkcipherVector(
                f"{prefix}{letter}{_number(fields['COUNT'])}",
                fromhex("".join([fields[name] for name in key_names])),
                fromhex(fields["IV"]) if shape.ivsize else b"",
                fromhex(fields["PLAINTEXT"]),
                fromhex(fields["CIPHERTEXT"]),
                None,
                operation,
            )
        except (KeyError, ValueError):
            raise file.explain(record, wanted) from None
        if len(fields) != len(wanted):
            raise file.explain(record, wanted)
        if fault := skcipher_fault(shape, vector):
            names = {"key": key_names[0], "ptext": "PLAINTEXT", "ctext": "CIPHERTEXT"}
            raise file.error(record, names.get(fault[0], fault[0].upper()), fault[1])
        if vector.id in seen:
            raise file.error(record, "COUNT", f"{fields['COUNT']} given twice in [{section}]")
        seen.add(vector.id)
        yield vector


def _hashes(file: _File) -> Iterator[HashVector]:
    size = digest_size(file.origin.algorithm) or file.unknown_algorithm()
    keyed = file.origin.algorithm.startswith("hmac(")
    wanted = frozenset({"LEN", "MSG", "MD", "KEY"} if keyed else {"LEN", "MSG", "MD"})
    for index, record in enumerate(read_records(file.text, file.origin.label, "LEN")):
        section, _, fields = record
        if fields.keys() != wanted:
            raise file.explain(record, wanted)
        if section.replace(" ", "") not in ("", f"L={size}"):
            raise file.error(record, "", f"section [{section}], want [L = {size}]")
        try:
            message = _message(_number(fields["LEN"]), bytes.fromhex(fields["MSG"]))
            key = bytes.fromhex(fields["KEY"]) if keyed else None
            digest = bytes.fromhex(fields["MD"])
        except _LengthError as error:
            raise file.error(record, error.field, error.reason) from None
        except ValueError:
            raise file.explain(record, wanted) from None
        vector = HashVector(f"{file.origin.label}#m{index}", key, message, digest)
        if fault := hash_fault(size, vector):
            raise file.error(record, "MD", fault[1])
        yield vector


class _LengthError(Exception):
    """`Len` and `Msg` contradict each other."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field
        self.reason = reason


def _message(bits: int, data: bytes) -> bytes:
    """Cut `data` to `bits`, the message length as the file gives it."""
    if bits == 0 and data in (b"", b"\0"):
        return b""  # CAVP writes an empty message as one zero byte.
    if bits % 8:
        raise _LengthError("LEN", f"{bits} bits: messages of part bytes are not supported")
    if len(data) * 8 != bits:
        raise _LengthError("MSG", f"{len(data)} bytes, but Len says {bits} bits")
    return data


_READERS: dict[str, Callable[[_File], Iterator[Vector]]] = {
    "skcipher": _skciphers,
    "ahash": _hashes,
}
