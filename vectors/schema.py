"""Strict reading of YAML: every field is asked for by name and type, and the rest is refused.

The document is read as nodes, not as Python values.  YAML 1.1 turns unquoted digits into
integers (with a leading zero: octal ones), `no` into False and nothing into None; a node still
knows what was written, and on which line.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterable
from datetime import date

import yaml

from tcrypt.vectors.errors import VectorError, clip, hex_fault
from tcrypt.vectors.model import Expect

__all__ = ("Reader", "read_document", "read_entries")

# PyYAML built from source may lack libyaml; the C parser is ten times faster where it exists.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_TAGS = {
    "tag:yaml.org,2002:str": "text",
    "tag:yaml.org,2002:int": "an integer",
    "tag:yaml.org,2002:float": "a float",
    "tag:yaml.org,2002:bool": "true or false",
    "tag:yaml.org,2002:null": "nothing",
    "tag:yaml.org,2002:timestamp": "a date",
    "tag:yaml.org,2002:map": "a mapping",
    "tag:yaml.org,2002:seq": "a list",
}

# Bytes that all repetitions of one document may come to.
_REPEAT_LIMIT = 1 << 26
_DEEPEST = 50
_MOST_DIGITS = 18
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_BRACKET = re.compile(r"[\[\]{}]")


def read_document(text: str, label: str) -> Reader:
    """Parse `text` as one YAML document whose root is a mapping.

    Args:
        text: The contents of the file.
        label: How messages name the file.

    Raises:
        VectorError: The text is no YAML, is empty, or its root is no mapping.
    """
    return Reader(label, "", _root(text, label), _Budget())


def read_entries(text: str, label: str) -> list[Reader]:
    """Parse `text` as one YAML document whose root is a list of mappings that is not empty.

    Args:
        text: The contents of the file.
        label: How messages name the file; they call a mapping `entry 1` and so on.

    Raises:
        VectorError: The text is no YAML, is empty, or its root is no such list.
    """
    node, budget = _root(text, label), _Budget()
    if not isinstance(node, yaml.SequenceNode):
        line = node.start_mark.line + 1
        raise VectorError(label, line, "", f"want a list of entries, found {_found(node)}")
    if not node.value:
        raise VectorError(label, node.start_mark.line + 1, "", "the list is empty")
    return [
        Reader(label, f"entry {number}", item, budget)
        for number, item in enumerate(node.value, start=1)
    ]


def _root(text: str, label: str) -> yaml.Node:
    if line := _too_deep(text):
        raise VectorError(label, line, "", f"brackets more than {_DEEPEST} deep")
    try:
        node = yaml.compose(text, Loader=_LOADER)
    except RecursionError:
        raise VectorError(label, 0, "", "not YAML: nested too deep") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or str(error)
        raise VectorError(label, mark.line + 1 if mark else 0, "", f"not YAML: {reason}") from None
    if node is None:
        raise VectorError(label, 0, "", "the file is empty")
    return node


def _too_deep(text: str) -> int:
    """The line where brackets are nested so deep that a parser would take minutes; else 0."""
    depth = 0
    for match in _BRACKET.finditer(text):
        depth += 1 if match[0] in "[{" else -1
        if depth > _DEEPEST:
            return text.count("\n", 0, match.start()) + 1
    return 0


class _Budget:
    """How many repeated bytes a document may still have; shared by its readers."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = _REPEAT_LIMIT


class Reader:
    """One mapping of a document, read field by field; `close` refuses what nobody asked for."""

    def __init__(self, label: str, path: str, node: yaml.Node, budget: _Budget) -> None:
        self._label = label
        self._budget = budget
        self._path = path
        self._line = node.start_mark.line + 1
        self._fields: dict[str, yaml.Node] = {}
        self._unread: dict[str, int] = {}
        if not isinstance(node, yaml.MappingNode):
            raise VectorError(label, self._line, path, f"want a mapping, found {_found(node)}")
        for key, value in node.value:
            name = str(key.value)
            line = key.start_mark.line + 1
            if name in self._fields:
                raise VectorError(label, line, self._at(name), "given twice")
            self._fields[name] = value
            self._unread[name] = line

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def is_mapping(self, name: str) -> bool:
        """Whether the field is there and a mapping."""
        return isinstance(self._fields.get(name), yaml.MappingNode)

    def rename(self, path: str) -> None:
        """Let messages call this mapping `path` from here on, such as an entry by its id."""
        self._path = path

    def error(self, name: str, reason: str) -> VectorError:
        """An error at the field `name`, or at this mapping if it has no such field."""
        node = self._fields.get(name)
        line = node.start_mark.line + 1 if node else self._line
        return VectorError(self._label, line, self._at(name), reason)

    def text(self, name: str) -> str:
        """Text that is not empty."""
        value = self._scalar(name, "str", "text")
        if not value.strip():
            raise self.error(name, "empty")
        return value

    @property
    def line(self) -> int:
        """The line on which the mapping begins, counted from 1."""
        return self._line

    def day(self, name: str) -> date:
        """A day of the calendar, `YYYY-MM-DD`, in quotes or not."""
        node = self._take(name)
        if isinstance(node, yaml.ScalarNode) and _DAY.fullmatch(node.value):
            try:
                return date.fromisoformat(node.value)
            except ValueError:
                raise self.error(name, f"no day of the calendar: {clip(node.value)}") from None
        raise self.error(name, f"want a date, YYYY-MM-DD, found {_found(node)}")

    def integer(self, name: str, minimum: int = 0) -> int:
        """A decimal integer of at least `minimum`."""
        value = self._scalar(name, "int", "an integer")
        if not value.isdecimal() or (value[0] == "0" and value != "0"):
            raise self.error(name, f"want a decimal integer without a sign, found {clip(value)}")
        if len(value) > _MOST_DIGITS:
            raise self.error(name, f"want at most {_MOST_DIGITS} digits, found {len(value)}")
        if int(value) < minimum:
            raise self.error(name, f"want at least {minimum}, found {value}")
        return int(value)

    def flag(self, name: str) -> bool:
        """`true` or `false`; False when the field is absent."""
        if name not in self._fields:
            return False
        value = self._scalar(name, "bool", "true or false")
        if value not in ("true", "false"):
            raise self.error(name, f"want true or false, found {clip(value)}")
        return value == "true"

    def choice(self, name: str, choices: Iterable[str]) -> str:
        """Text that is one of `choices`."""
        value, known = self.text(name), tuple(choices)
        if value not in known:
            raise self.error(name, f"want one of {', '.join(known)}, found {clip(value)}")
        return value

    def octets(self, name: str) -> bytes:
        """Data: quoted hexadecimal digits, or one byte repeated (`repeat: {byte, count}`)."""
        node = self._take(name)
        if isinstance(node, yaml.MappingNode):
            inner = Reader(self._label, self._at(name), node, self._budget)
            data = inner._repeated()
            inner.close()
            return data
        if not isinstance(node, yaml.ScalarNode) or node.style not in ("'", '"'):
            raise self.error(name, f"want hexadecimal digits in quotes, found {_found(node)}")
        if reason := hex_fault(node.value):
            raise self.error(name, reason)
        return bytes.fromhex(node.value)

    def expect(self, name: str, stages: Iterable[str]) -> Expect:
        """A refusal: `{stage, errno, forbid_weak, rule}`, the errno by name."""
        inner = self.mapping(name)
        stage, code = inner.choice("stage", stages), inner.text("errno")
        if code not in errno.errorcode.values():
            raise inner.error("errno", f"no errno of this name: {clip(code)}")
        forbid_weak = inner.flag("forbid_weak")
        if forbid_weak and stage != "setkey":
            raise inner.error("forbid_weak", f"want stage setkey, found {stage}")
        rule = inner.text("rule") if "rule" in inner else ""
        inner.close()
        return Expect(stage, code, forbid_weak, rule)

    def mapping(self, name: str) -> Reader:
        """A mapping inside this one."""
        return Reader(self._label, self._at(name), self._take(name), self._budget)

    def sequence(self, name: str) -> list[Reader]:
        """A list of mappings that is not empty."""
        node = self._take(name)
        if not isinstance(node, yaml.SequenceNode):
            raise self.error(name, f"want a list, found {_found(node)}")
        if not node.value:
            raise self.error(name, "empty")
        path = self._at(name)
        items = enumerate(node.value)
        return [Reader(self._label, f"{path}[{i}]", item, self._budget) for i, item in items]

    def names(self) -> list[str]:
        """The names of all fields, for a mapping whose names are themselves data."""
        return list(self._fields)

    def close(self) -> None:
        """Refuse the fields that were not read."""
        for name, line in self._unread.items():
            raise VectorError(self._label, line, self._at(name), "unknown field")

    def _at(self, name: str) -> str:
        return f"{self._path}.{name}" if self._path and name else self._path or name

    def _take(self, name: str) -> yaml.Node:
        node = self._fields.get(name)
        if node is None:
            raise self.error(name, "missing")
        self._unread.pop(name, None)
        return node

    def _scalar(self, name: str, tag: str, wanted: str) -> str:
        node = self._take(name)
        if not isinstance(node, yaml.ScalarNode) or node.tag != f"tag:yaml.org,2002:{tag}":
            raise self.error(name, f"want {wanted}, found {_found(node)}")
        return str(node.value)

    def _repeated(self) -> bytes:
        inner = self.mapping("repeat")
        byte, count = inner.octets("byte"), inner.integer("count")
        inner.close()
        if len(byte) != 1:
            raise inner.error("byte", f"want one byte, found {len(byte)}")
        if count > self._budget.left:
            reason = f"want at most {_REPEAT_LIMIT} in the file, found {count}"
            raise inner.error("count", reason)
        self._budget.left -= count
        return byte * count


def _found(node: yaml.Node) -> str:
    kind = _TAGS.get(node.tag, node.tag)
    if isinstance(node, yaml.ScalarNode) and node.value:
        return f"{kind}: {clip(node.value)}"
    return kind
