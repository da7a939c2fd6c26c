"""The vectors of a `testmgr.h`, field by field, as those of the model."""

from __future__ import annotations

import errno
from collections.abc import Iterator

from tcrypt.vectors.c_numbers import Declared, declarations
from tcrypt.vectors.c_tokens import Source
from tcrypt.vectors.c_values import Block, Name, Parser, Text, Value
from tcrypt.vectors.errors import VectorError
from tcrypt.vectors.model import (
    AeadVector,
    Expect,
    HashVector,
    Operation,
    SkcipherVector,
    Vector,
)
from tcrypt.vectors.shapes import digest_size, ivsize_of

__all__ = ("Fields", "Header", "build")

_STRUCTS = {
    "cipher": "struct cipher_testvec",
    "aead": "struct aead_testvec",
    "hash": "struct hash_testvec",
}
_ERRORS = {"setkey_error": "setkey", "setauthsize_error": "setauthsize"}
# Bytes of zeros that a null pointer may stand for.
_MOST_ZEROS = 1 << 26
_CRYPT_ERRORS = ("crypt_error", "digest_error")


def build(algorithm: str, kind: str, name: str, fields: Fields) -> Vector:
    """The vector of an array's element.

    Args:
        algorithm: whose it is; sizes that the fields do not tell follow from it.
        kind: `cipher`, `aead` or `hash`.
        name: the vector's id.
        fields: the element.

    Raises:
        VectorError: with line and field.
    """
    vector = {"cipher": _cipher, "aead": _aead, "hash": _hash}[kind](name, fields, algorithm)
    fields.close()
    return vector


class Header:
    """The arrays of a `testmgr.h`, each read when it is asked for.

    Args:
        source: the file.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._declared = declarations(source)
        self._known: dict[str, bytes] = {}

    def _parser(self, declared: Declared) -> Parser:
        return Parser(self._source, self._source.tokens(declared.place), self._declared)

    def vectors(self, array: str, kind: str, count: int | None) -> Iterator[Fields]:
        """The vectors of an array, or the first ones of it, as fields.

        Raises:
            VectorError: with line, when there is no such array or it is of another type.
        """
        declared = self._declared.get(array)
        if declared is None or not declared.initialised:
            raise VectorError(self._source.label, 0, array, "no such array")
        if declared.type != _STRUCTS[kind]:
            raise self.error(declared.place, f"of type {declared.type}", array)
        parsed = self._parser(declared).whole()
        if not isinstance(parsed, Block) or parsed.fields:
            raise self.error(declared.place, "want vectors in braces", array)
        items = parsed.items[:count]
        if count is not None and len(items) != count:
            reason = f"{len(items)} vectors, want {count}"
            raise self.error(declared.place, reason, array)
        for item in items:
            if not isinstance(item, Block) or item.items:
                place = item.place if isinstance(item, Block) else declared.place
                raise self.error(place, "want a vector with named fields", array)
            yield Fields(self, item)

    def error(self, place: int, reason: str, field: str) -> VectorError:
        """An error at a place of the header."""
        return self._source.error(place, reason, field)

    def array(self, name: Name) -> bytes:
        """The bytes of another array of the header, with zeros up to its size."""
        if name.word in self._known:
            return self._known[name.word]
        declared = self._declared.get(name.word)
        if declared is None:
            raise self._source.error(name.place, f"no such array: {name.word}")
        size = int(declared.size) if declared.size.isdecimal() else 0
        data = b""
        if declared.initialised:
            value = self._parser(declared).whole()
            if isinstance(value, Block):
                data = self._parser(declared).packed(value, 1).data
            elif isinstance(value, Text):
                data = value.data
        self._known[name.word] = data[:size].ljust(size, b"\0") if size else data
        return self._known[name.word]


class Fields:
    """The fields of one vector, read by name; what is not read is refused."""

    def __init__(self, header: Header, block: Block) -> None:
        self._header = header
        self._block = block
        self._left = dict(block.fields)

    def number(self, name: str) -> int:
        """A number; 0 for an absent field."""
        value = self._left.pop(name, 0)
        if not isinstance(value, int):
            raise self._header.error(self._block.place, "want a number", name)
        return value

    def data(self, name: str, length: int | None) -> bytes:
        """So many bytes of what a field points to; None for all of a literal.

        A literal has a zero behind it that may be part of the data; an absent field is zeros.
        """
        value: Value | None = self._left.pop(name, None)
        if value is None or value == 0 or (isinstance(value, Name) and value.word == "NULL"):
            if length is not None and not 0 <= length <= _MOST_ZEROS:
                raise self._header.error(self._block.place, f"no length: {length}", name)
            return bytes(length or 0)
        if isinstance(value, Name):
            found = self._header.array(value)
            end = len(found)
        elif isinstance(value, Text):
            found, end = value.data, len(value.data) - 1
        else:
            raise self._header.error(self._block.place, "want bytes", name)
        if length is None:
            return found[:end]
        if length > len(found) or length < 0:
            reason = f"{len(found)} bytes, but its length is {length}"
            raise self._header.error(self._block.place, reason, name)
        return found[:length]

    def iv(self, name: str, ivsize: int | None) -> bytes:
        """An IV: shorter ones have zeros behind them, longer ones belong to modes without one."""
        value = self.data(name, None)
        return value if ivsize is None else value[:ivsize].ljust(ivsize, b"\0")

    def has(self, name: str) -> bool:
        """Whether the field is there."""
        return name in self._left

    def expect(self) -> Expect | None:
        """The refusal that the vector demands."""
        found: list[Expect] = []
        weak = bool(self.number("wk"))
        for name, stage in _ERRORS.items():
            if code := self.number(name):
                found.append(Expect(stage, self._code(name, code), weak and stage == "setkey"))
        for name in _CRYPT_ERRORS:
            if code := self.number(name):
                found.append(Expect("crypt", self._code(name, code)))
        return found[0] if found else None

    def _code(self, name: str, code: int) -> str:
        if -code not in errno.errorcode:
            raise self._header.error(self._block.place, f"no errno: {code}", name)
        return errno.errorcode[-code]

    def close(self) -> None:
        """Refuse the fields that were not read."""
        self._left.pop("fips_skip", None)
        for name in self._left:
            raise self._header.error(self._block.place, "unknown field", name)


def _cipher(name: str, fields: Fields, algorithm: str) -> Vector:
    ivsize = ivsize_of(algorithm)
    length = fields.number("len")
    generates = bool(fields.number("generates_iv"))
    key = fields.data("key", fields.number("klen"))
    iv = fields.iv("iv", ivsize)
    iv_out = fields.iv("iv_out", ivsize) if fields.has("iv_out") else None
    if generates and iv_out is not None:
        iv, iv_out = iv_out, None
    expect = fields.expect()
    ptext, ctext = fields.data("ptext", length), fields.data("ctext", length)
    operation = Operation.DECRYPT if generates else Operation.BOTH
    return SkcipherVector(name, key, iv, ptext, ctext, iv_out, operation, expect)


def _aead(name: str, fields: Fields, algorithm: str) -> Vector:
    ivsize = ivsize_of(algorithm)
    plain, sealed = fields.number("plen"), fields.number("clen")
    novrfy = bool(fields.number("novrfy"))
    expect = fields.expect()
    return AeadVector(
        name,
        fields.data("key", fields.number("klen")),
        fields.iv("iv", ivsize),
        fields.data("assoc", fields.number("alen")),
        fields.data("ptext", plain),
        fields.data("ctext", sealed),
        max(0, sealed - plain),
        Operation.DECRYPT if novrfy else Operation.BOTH,
        novrfy,
        None if novrfy and expect and expect.stage == "crypt" else expect,
    )


def _hash(name: str, fields: Fields, algorithm: str) -> Vector:
    keysize = fields.number("ksize")
    key = fields.data("key", keysize)
    expect = fields.expect()
    message = fields.data("plaintext", fields.number("psize"))
    # The length of a digest is nowhere in the vector: it is the algorithm's.
    digest = fields.data("digest", digest_size(algorithm))
    return HashVector(name, key if keysize else None, message, b"" if expect else digest, expect)
