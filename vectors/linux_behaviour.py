"""Behaviour of live Linux kernels through AF_ALG: what was tried, and what each kernel said.

A row names a group of cases, the driver that was bound, the case in words, and one result in words
for each kernel.  Which calls a case stands for is `tcrypt.answers`'s business.
"""

from __future__ import annotations

import csv
import importlib.resources
import io
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources.abc import Traversable

import msgspec

from tcrypt.vectors.errors import VectorError
from tcrypt.vectors.linux_answers import read_measured

__all__ = ("COUNT", "DIGEST", "KERNEL", "Behaviour", "Row", "load", "shipped")

COUNT = 3878
DIGEST = "f31aee5c8c22d5517f222050e6ded11117d3e3ebd042d7579921f79c16e8f3bd"
KERNEL = "6.12"
"""The kernel whose results the suite demands; the one that was measured in full."""

_NAME = "behaviour.csv.xz"
_COLUMNS = ("group", "driver", "case")


class Row(msgspec.Struct, frozen=True):
    """One case.

    Attributes:
        id: `linux-behaviour/<group>-<number>`, numbered within its group in the order of the file.
        line: where it stands in the unpacked file, counted from 1.
        group: what the case is about, such as `setkey`.
        driver: the driver or algorithm that was bound; a type in group `bind`.
        case: what was done, in words.
        results: what came of it by kernel; no entry where that kernel was not asked.
    """

    id: str
    line: int
    group: str
    driver: str
    case: str
    results: Mapping[str, str]


class Behaviour(msgspec.Struct, frozen=True):
    """The rows of one file, and the kernels that it has results of."""

    label: str
    kernels: tuple[str, ...]
    rows: tuple[Row, ...]


@lru_cache(maxsize=1)
def shipped() -> Behaviour:
    """The shipped rows, read once.

    Raises:
        VectorError: the file is not the one that was measured.
    """
    path = importlib.resources.files("tcrypt.vectors") / "linux" / _NAME
    found = load(path, digest=DIGEST)
    if len(found.rows) != COUNT:
        raise VectorError(found.label, 0, "", f"expected {COUNT} rows, loaded {len(found.rows)}")
    return found


def load(path: Traversable, *, digest: str = "", kernel: str = KERNEL) -> Behaviour:
    """Read a file of rows.

    Args:
        path: a CSV file, or one packed with xz.
        digest: SHA-256 that its unpacked content must have; empty for any.
        kernel: a column that must be there.

    Raises:
        VectorError: with file, line and field.
    """
    label = path.name
    try:
        text = read_measured(path, digest).decode("utf-8")
    except UnicodeDecodeError as error:
        raise VectorError(label, 0, "", f"not UTF-8: {error.reason} at {error.start}") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        kernels = _kernels(label, header, kernel)
        numbers: Counter[str] = Counter()
        rows = []
        for fields in reader:
            row = _row(label, reader.line_num, fields, kernels, numbers)
            rows.append(row)
    except csv.Error as error:
        raise VectorError(label, reader.line_num, "", f"is no CSV: {error}") from error
    return Behaviour(label, kernels, tuple(rows))


def _kernels(label: str, header: list[str], kernel: str) -> tuple[str, ...]:
    if tuple(header[:3]) != _COLUMNS:
        wanted = ",".join(_COLUMNS)
        raise VectorError(label, 1, "", f"must begin with the columns {wanted}, has {header[:3]}")
    kernels = tuple(header[3:])
    if kernel not in kernels:
        there = ", ".join(kernels) or "none"
        raise VectorError(label, 1, kernel, f"no column of this kernel; there are {there}")
    if len(set(kernels)) != len(kernels):
        raise VectorError(label, 1, "", "two columns have one name")
    return kernels


def _row(
    label: str, line: int, fields: list[str], kernels: tuple[str, ...], numbers: Counter[str]
) -> Row:
    wanted = len(_COLUMNS) + len(kernels)
    if len(fields) != wanted:
        raise VectorError(label, line, "", f"has {len(fields)} fields, must have {wanted}")
    group, driver, case = fields[:3]
    for name, value in (("group", group), ("driver", driver), ("case", case)):
        if not value:
            raise VectorError(label, line, name, "is empty")
    results = {kernel: text for kernel, text in zip(kernels, fields[3:], strict=True) if text}
    row = Row(f"linux-behaviour/{group}-{numbers[group]:04}", line, group, driver, case, results)
    numbers[group] += 1
    return row
