"""Strict reading of JSON: every field is asked for by name and type, and errors tell where."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from tcrypt.vectors.errors import VectorError, clip, hex_fault

__all__ = ("Node", "read_json")


def read_json(text: str, label: str) -> Node:
    """The root of a document, which must be an object, or a list whose last element is one.

    Args:
        text: The contents of the file.
        label: How messages name it.

    Raises:
        VectorError: The text is no JSON, or its root is of another kind.
    """
    try:
        root = json.loads(text, object_pairs_hook=_object, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise VectorError(label, 0, "", f"not JSON: {clip(str(error))}") from None
    if isinstance(root, list) and root:
        root = root[-1]
    if not isinstance(root, dict):
        raise VectorError(label, 0, "", f"want an object, found {clip(repr(root))}")
    return Node(label, "", root)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object none of whose fields is there twice: JSON would drop all but the last."""
    fields = dict(pairs)
    if len(fields) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"given twice: {twice}")
    return fields


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"no number: {word}")


class Node:
    """One object of a document.

    Args:
        label: how messages name the file.
        path: where in the document it stands.
        fields: what it holds.
    """

    __slots__ = ("_fields", "_label", "path")

    def __init__(self, label: str, path: str, fields: dict[str, Any]) -> None:
        self._label = label
        self.path = path
        self._fields = fields

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def error(self, name: str, reason: str) -> VectorError:
        """An error at a field."""
        return VectorError(self._label, 0, f"{self.path}.{name}".strip("."), reason)

    def text(self, name: str, default: str | None = None) -> str:
        """A string; an absent field is the default."""
        value = self._fields.get(name, default)
        if not isinstance(value, str):
            raise self._wrong(name, "a string")
        return value

    def integer(self, name: str, default: int | None = None) -> int:
        """An integer of at least 0; an absent field is the default."""
        value = self._fields.get(name, default)
        if type(value) is not int or value < 0:
            raise self._wrong(name, "an integer of at least 0")
        return value

    def flag(self, name: str, default: bool) -> bool:
        """True or false."""
        value = self._fields.get(name, default)
        if not isinstance(value, bool):
            raise self._wrong(name, "true or false")
        return value

    def octets(self, name: str, bits: int | None = None) -> bytes:
        """Data in hexadecimal digits; with a length in bits, a whole number of bytes, of it."""
        value = self.text(name)
        if reason := hex_fault(value):
            raise self.error(name, reason)
        data = bytes.fromhex(value)
        if bits is not None and len(data) * 8 != bits:
            raise self.error(name, f"{len(data)} bytes, but its length is {bits} bits")
        return data

    def words(self, name: str) -> list[str]:
        """A list of strings; an absent one is empty."""
        value = self._fields.get(name, [])
        if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
            raise self._wrong(name, "a list of strings")
        return value

    def nodes(self, name: str) -> list[Node]:
        """A list of objects."""
        value = self._fields.get(name)
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self._wrong(name, "a list of objects")
        path = f"{self.path}.{name}".strip(".")
        return [Node(self._label, f"{path}[{i}]", item) for i, item in enumerate(value)]

    def node(self, name: str) -> Node:
        """An object."""
        value = self._fields.get(name)
        if not isinstance(value, dict):
            raise self._wrong(name, "an object")
        return Node(self._label, f"{self.path}.{name}".strip("."), value)

    def joined(self, other: Node) -> Node:
        """This object with the fields of another one that it lacks."""
        return Node(self._label, self.path, {**other._fields, **self._fields})

    def _wrong(self, name: str, wanted: str) -> VectorError:
        if name not in self._fields:
            return self.error(name, "missing")
        return self.error(name, f"want {wanted}, found {clip(repr(self._fields[name]))}")
