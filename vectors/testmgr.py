"""Loader for the vectors of the kernel's own self-tests: `crypto/testmgr.h` and `testmgr.c`.

The header holds arrays of vectors as C initialisers, the other file a table that says which
algorithm is tested with which array.  Nothing is compiled: `c_values` reads the initialisers.
What the fields mean is written in the comments of the header (see also crypto API, 1.1 to 1.3).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tcrypt.vectors.c_tokens import Source
from tcrypt.vectors.c_values import Block, Name, Parser, Text
from tcrypt.vectors.errors import VectorError
from tcrypt.vectors.model import Origin, VectorSet
from tcrypt.vectors.testmgr_vectors import Header, build

__all__ = ("FAMILIES", "KernelTests", "in_families")

_TABLE = "alg_test_descs"
_KINDS = {"cipher": "skcipher", "aead": "aead", "hash": "ahash"}

FAMILIES = frozenset(
    "aes des des3_ede md5 sha1 sha224 sha256 sha384 sha512 ghash cipher_null "
    "ecb cbc ctr cts xts gcm ccm rfc3686 rfc4106 rfc4309 rfc4543 essiv "
    "hmac cmac xcbc cbcmac authenc authencesn echainiv seqiv".split()
)
"""The words that names of algorithms of this suite are made of."""


def in_families(algorithm: str) -> bool:
    """Whether an algorithm is made of what this suite knows."""
    return FAMILIES.issuperset(re.findall(r"[\w-]+", algorithm))


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of the table: an algorithm, the array of its vectors, and how many of them count."""

    algorithm: str
    kind: str
    array: str
    count: int | None


class KernelTests:
    """The two files of one kernel.

    Args:
        header: the contents of `testmgr.h`.
        table: the contents of `testmgr.c`.
        origin: source, title, url and licence of what is made of them.

    Raises:
        VectorError: with file, line and what was found, for anything that is not understood.
    """

    def __init__(self, header: str, table: str, origin: Origin) -> None:
        self._origin = origin
        self._header = Header(Source(header, "testmgr.h"))
        self._table = Source(table, "testmgr.c")
        self._rows = {row.algorithm: row for row in self._read_rows()}

    def algorithms(self) -> list[str]:
        """The algorithms with vectors of ciphers, AEADs or hashes, in the order of the table."""
        return list(self._rows)

    def load(self, algorithm: str) -> VectorSet:
        """The vectors of an algorithm, numbered as the kernel does.

        Raises:
            VectorError: with file and line, for a vector that is not understood.
        """
        row, about = self._rows[algorithm], self._origin
        slug = re.sub(r"[^a-z0-9_]+", "-", algorithm.lower()).strip("-")
        kind = _KINDS[row.kind]
        origin = Origin(about.source, slug, algorithm, kind, about.title, about.url, about.licence)
        return origin.made(
            build(algorithm, row.kind, f"{origin.label}#v{index}", fields)
            for index, fields in enumerate(self._header.vectors(row.array, row.kind, row.count))
        )

    def _read_rows(self) -> Iterator[_Row]:
        match = re.search(rf"^static .*\b{_TABLE}\[\]\s*=", self._table.text, re.MULTILINE)
        if match is None:
            raise VectorError("testmgr.c", 0, "", f"no table {_TABLE}")
        tokens = self._table.tokens(match.end())
        table = Parser(self._table, tokens, {}).whole()
        if not isinstance(table, Block):
            raise self._table.error(match.end(), "want a table in braces")
        for row in table.items:
            if not isinstance(row, Block) or "alg" not in row.fields:
                place = row.place if isinstance(row, Block) else match.end()
                raise self._table.error(place, "a row without a name", "alg")
            yield from self._row(row)

    def _row(self, row: Block) -> Iterator[_Row]:
        name, suite = row.fields["alg"], row.fields.get("suite")
        if not isinstance(name, Text):
            raise self._table.error(row.place, "want a string", "alg")
        if not isinstance(suite, Block):
            return
        for kind in _KINDS.keys() & suite.fields.keys():
            vectors = suite.fields[kind]
            array = vectors.fields.get("vecs") if isinstance(vectors, Block) else None
            if not isinstance(vectors, Block) or not isinstance(array, Name):
                raise self._table.error(suite.place, "no array of vectors", kind)
            count = vectors.fields.get("count")
            algorithm = name.data[:-1].decode()
            yield _Row(algorithm, kind, array.word, count if isinstance(count, int) else None)
