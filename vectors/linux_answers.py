"""Answers of a live Linux kernel through AF_ALG: inputs with the output, or the call that failed.

The shipped file holds those of Linux 6.12 (see `linux/README.md`); `load` reads any file of the
format.  A record names its algorithm, what was set and sent, and either the bytes that came back
or the call that failed with its errno.
"""

from __future__ import annotations

import hashlib
import importlib.resources
import json
import lzma
from collections import Counter
from functools import lru_cache
from importlib.resources.abc import Traversable
from typing import Any

import msgspec

from tcrypt.vectors.errors import VectorError, clip, hex_fault

__all__ = ("COUNT", "DIGEST", "STAGES", "Answer", "AnswerSet", "load", "read_measured", "shipped")

COUNT = 2380
DIGEST = "d1c67a4bde6cb150e5ecc18a806a8b1bc6478a3845114363d34224d4e805162d"
STAGES = ("bind", "setkey", "authsize", "send", "recv")
"""The calls of one record that can fail, in the order in which they are made."""

_NAME = "answers-6.12.json.xz"
_KINDS = ("skcipher", "aead", "hash")
_REQUIRED = {
    "skcipher": {"type", "name", "op", "key", "iv", "in", "pieces"},
    "aead": {"type", "name", "op", "key", "iv", "in", "assoclen", "authsize"},
    "hash": {"type", "name", "key", "in", "pieces"},
}
_FAILED = {"stage", "errno"}


class Answer(msgspec.Struct, frozen=True, gc=False):
    """One answer.

    Attributes:
        id: `linux-<version>/<kind>-<number>`, numbered within its kind in the order of the file.
        kind: `skcipher`, `aead` or `hash`, as AF_ALG names types.
        algorithm: the name that was bound, a `cra_name`.
        encrypt: the operation; False for a hash.
        key: what was handed to setkey; None when that was not called.
        iv: the ALG_SET_IV message; None for no such message.
        data: what was sent; for an AEAD with the associated data in front.
        pieces: how `data` was divided, in bytes: for a hash into sends with MSG_MORE, for a cipher
            into messages of which only the first carries operation and IV.  Empty for one piece.
        assoclen: bytes of associated data.
        authsize: what was handed to setauthsize, in bytes; for an AEAD only.
        output: everything received; None when a call failed.
        stage: the call that failed, one of `STAGES`; empty when none did.
        errno: its error by name.
    """

    id: str
    kind: str
    algorithm: str
    encrypt: bool
    key: bytes | None
    iv: bytes | None
    data: bytes
    pieces: tuple[int, ...]
    assoclen: int
    authsize: int
    output: bytes | None
    stage: str
    errno: str


class AnswerSet(msgspec.Struct, frozen=True):
    """The answers of one kernel.

    Attributes:
        label: the file, for messages.
        kernel: the kernel's release.
        note: what the file says about itself.
        answers: in the order of the file.
    """

    label: str
    kernel: str
    note: str
    answers: tuple[Answer, ...]

    @property
    def source(self) -> str:
        """What the ids begin with: `linux-` and the kernel's major and minor number."""
        return source_of(self.kernel)


def source_of(kernel: str) -> str:
    """`linux-6.12` for the release `6.12.117+deb12-amd64`."""
    return "linux-" + ".".join(kernel.split(".")[:2])


@lru_cache(maxsize=1)
def shipped() -> AnswerSet:
    """The shipped answers, read once.

    Raises:
        VectorError: the file is not the one that was measured.
    """
    path = importlib.resources.files("tcrypt.vectors") / "linux" / _NAME
    found = load(path, digest=DIGEST)
    if len(found.answers) != COUNT:
        reason = f"expected {COUNT} answers, loaded {len(found.answers)}"
        raise VectorError(found.label, 0, "", reason)
    return found


def read_measured(path: Traversable, digest: str = "") -> bytes:
    """The content of a measured file, unpacked when its name ends in `.xz`.

    Args:
        path: the file.
        digest: SHA-256 that the content must have, hexadecimal; empty for any.

    Raises:
        VectorError: it cannot be read or unpacked, or is another one.
    """
    try:
        content = path.read_bytes()
        if path.name.endswith(".xz"):
            content = lzma.decompress(content)
    except OSError as error:
        raise VectorError(path.name, 0, "", f"cannot be read: {error.strerror}") from error
    except lzma.LZMAError as error:
        raise VectorError(path.name, 0, "", f"cannot be unpacked: {error}") from error
    got = hashlib.sha256(content).hexdigest()
    if digest and got != digest:
        raise VectorError(path.name, 0, "", f"SHA-256 is {got}, must be {digest}")
    return content


def load(path: Traversable, *, digest: str = "") -> AnswerSet:
    """Read a file of answers.

    Args:
        path: a JSON file, or one packed with xz.
        digest: SHA-256 that its unpacked content must have; empty for any.

    Raises:
        VectorError: with file, record and field.
    """
    label = path.name
    try:
        root = json.loads(read_measured(path, digest))
    except ValueError as error:
        if isinstance(error, VectorError):
            raise
        raise VectorError(label, 0, "", f"is no JSON: {error}") from error
    if not isinstance(root, dict) or not isinstance(root.get("vectors"), list):
        raise VectorError(label, 0, "vectors", "must be a list in the outermost object")
    kernel, note = root.get("kernel"), root.get("note", "")
    if not isinstance(kernel, str) or not kernel or not isinstance(note, str):
        raise VectorError(label, 0, "kernel", f"must be a kernel's release, is {kernel!r}")
    numbers: Counter[str] = Counter()
    answers = []
    for place, record in enumerate(root["vectors"]):
        reader = _Record(label, place, record)
        kind = reader.kind()
        answers.append(reader.answer(f"{source_of(kernel)}/{kind}-{numbers[kind]:04}", kind))
        numbers[kind] += 1
    return AnswerSet(label, kernel, note, tuple(answers))


class _Record:
    """One record as it stands in the file, and where."""

    def __init__(self, label: str, place: int, record: Any) -> None:
        self._label = label
        self._place = place
        if not isinstance(record, dict):
            raise self._error("", f"must be an object, is {clip(repr(record))}")
        self._record = record

    def _error(self, field: str, reason: str) -> VectorError:
        where = f"vectors[{self._place}]"
        return VectorError(self._label, 0, f"{where}.{field}" if field else where, reason)

    def kind(self) -> str:
        """Its type, once it is known to have the fields of that."""
        kind = self._record.get("type")
        if kind not in _KINDS:
            raise self._error("type", f"must be one of {', '.join(_KINDS)}, is {kind!r}")
        names = set(self._record)
        failed = bool(names & _FAILED)
        wanted = _REQUIRED[kind] | (_FAILED if failed else {"out"})
        for missing in sorted(wanted - names):
            raise self._error(missing, "is missing")
        for unknown in sorted(names - wanted):
            raise self._error(unknown, f"is no field of this {kind} record")
        return str(kind)

    def answer(self, name: str, kind: str) -> Answer:
        """The record, with all data as bytes."""
        record = self._record
        cipher = kind != "hash"
        return Answer(
            id=name,
            kind=kind,
            algorithm=self._text("name"),
            encrypt=cipher and self._choice("op", ("enc", "dec")) == "enc",
            key=self._bytes("key", optional=True),
            iv=self._bytes("iv", optional=True) if cipher else None,
            data=self._bytes("in") or b"",
            pieces=self._pieces() if kind != "aead" else (),
            assoclen=self._number("assoclen") if kind == "aead" else 0,
            authsize=self._number("authsize") if kind == "aead" else 0,
            output=self._bytes("out") if "out" in record else None,
            stage=self._choice("stage", STAGES) if "stage" in record else "",
            errno=self._text("errno") if "errno" in record else "",
        )

    def _text(self, field: str) -> str:
        value = self._record[field]
        if not isinstance(value, str) or not value:
            raise self._error(field, f"must be a text, is {clip(repr(value))}")
        return value

    def _choice(self, field: str, choices: tuple[str, ...]) -> str:
        value = self._text(field)
        if value not in choices:
            raise self._error(field, f"must be one of {', '.join(choices)}, is {clip(value)}")
        return value

    def _bytes(self, field: str, *, optional: bool = False) -> bytes | None:
        value = self._record[field]
        if value is None and optional:
            return None
        if not isinstance(value, str):
            raise self._error(field, f"must be hexadecimal digits, is {value!r}")
        try:
            return bytes.fromhex(value)
        except ValueError:
            raise self._error(field, hex_fault(value)) from None

    def _number(self, field: str) -> int:
        value = self._record[field]
        if type(value) is not int or value < 0:
            raise self._error(field, f"must be a number from 0 on, is {value!r}")
        return value

    def _pieces(self) -> tuple[int, ...]:
        value = self._record["pieces"]
        if value is None:
            return ()
        if not isinstance(value, list) or any(type(v) is not int or v < 0 for v in value):
            raise self._error("pieces", f"must be a list of lengths, is {value!r}")
        total = len(self._record["in"]) // 2
        if sum(value) != total:
            raise self._error("pieces", f"add up to {sum(value)}, the input has {total} bytes")
        return tuple(value)
