"""The command `tcrypt vectors`: what there is, whether it is whole, more of it, one of it."""

from __future__ import annotations

import argparse
import enum
import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from tcrypt.plugins.discovery import discover
from tcrypt.plugins.providers import Providers
from tcrypt.settings import PROFILES
from tcrypt.vectors import imports, linux_answers
from tcrypt.vectors.catalogue import Catalogue, VectorFile
from tcrypt.vectors.errors import UnknownVectorError, VectorError
from tcrypt.watchdog import Watchdog

__all__ = ("run",)

_DERIVED = "derived"
_ROUNDS = "Monte Carlo"
_WIDTH = 88


def run(chosen: argparse.Namespace) -> int:
    """Do what was asked for; the exit status, 2 for what cannot be done as asked."""
    actions = {"list": _list, "check": _check, "import": _import, "show": _show}
    try:
        return actions[chosen.action](chosen)
    except (VectorError, UnknownVectorError) as error:
        print(f"tcrypt vectors {chosen.action}: {error}", file=sys.stderr)
        return 2


def _catalogue(chosen: argparse.Namespace) -> Catalogue:
    catalogue = Catalogue.load()
    catalogue.extra(chosen.vectors)
    return catalogue


def _column(file: VectorFile) -> str:
    """The source of a file; values that no standard published, and rounds, are apart."""
    if file.chains:
        return _ROUNDS
    return _DERIVED if file.name.endswith("-derived.yaml") else file.source


def _list(chosen: argparse.Namespace) -> int:
    """Print how many vectors each source has for each algorithm."""
    files = _catalogue(chosen).everything()
    columns = list(dict.fromkeys(map(_column, files)))
    table: dict[str, Counter[str]] = {name: Counter() for name in sorted(_registered())}
    for file in files:
        row = table.setdefault(file.algorithm, Counter())
        if file.available:
            row[_column(file)] += file.expected_count
    answered = linux_answers.shipped()
    columns.append(answered.source)
    for answer in answered.answers:
        table.setdefault(answer.algorithm, Counter())[answered.source] += 1
    without = sorted(name for name, row in table.items() if not row.total())
    missing = sorted({(f.source, f.why_not) for f in files if not f.available})
    if chosen.json:
        rows = {name: dict(row) for name, row in sorted(table.items())}
        missing_json = [{"source": source, "why": why} for source, why in missing]
        print(json.dumps({"counts": rows, "without": without, "missing": missing_json}, indent=2))
        return 0
    unfit: Counter[str] = Counter()
    for file in files:
        unfit[_column(file)] += file.not_applicable
    _print_table(table, unfit, columns)
    for source, why in missing:
        print(f"missing: {source}: {why}")
    if without:
        print(f"registered, without a vector: {', '.join(without)}")
    return 0


def _registered() -> set[str]:
    """The names of all algorithms that installed drivers register."""
    providers = Providers()
    providers.add_entry_points()
    subjects, broken = discover(providers, Watchdog(PROFILES["default"].patience))
    for bad in broken:
        print(f"tcrypt vectors: provider {bad.provider.name}: {bad.why}", file=sys.stderr)
    return {subject.algorithm for subject in subjects}


def _print_table(
    table: dict[str, Counter[str]], unfit: Counter[str], columns: Sequence[str]
) -> None:
    width = max(len(name) for name in table) + 2
    print(_row("algorithm", columns, columns, width))
    total: Counter[str] = Counter()
    for name, row in sorted(table.items()):
        total.update(row)
        print(_row(name, row, columns, width))
    print(_row("total", total, columns, width))
    print(_row("not applicable", unfit, columns, width))


def _row(
    name: str, cells: Counter[str] | Sequence[str], columns: Sequence[str], width: int
) -> str:
    parts = []
    for column in columns:
        text = column
        if isinstance(cells, Counter):
            text = f"{cells[column]:,}" if cells[column] else "-"
        parts.append(f"{text:>{max(11, len(column) + 1)}}")
    return f"{name:<{width}}" + "".join(parts)


def _check(chosen: argparse.Namespace) -> int:
    """Read every file that is there; 1 when one is not what the catalogue says."""
    files = _catalogue(chosen).everything()
    read: Counter[str] = Counter()
    counted: Counter[str] = Counter()
    unfit: Counter[tuple[str, str]] = Counter()
    wrong = []
    for file in (file for file in files if file.available):
        try:
            loaded = file.load()
        except VectorError as error:
            wrong.append(str(error))
            continue
        read[file.source] += 1
        counted[file.source] += len(loaded.vectors) + len(loaded.chains)
        unfit.update((file.source, item.reason.value) for item in loaded.inapplicable)
    for source in dict.fromkeys(file.source for file in files):
        absent = [f for f in files if f.source == source and not f.available]
        print(f"{source:<14}{read[source]:>5} files{counted[source]:>9,} vectors", end="")
        reasons = [f"{n:,} {why}" for (of, why), n in sorted(unfit.items()) if of == source]
        print(f", not applicable: {', '.join(reasons)}" if reasons else "", end="")
        print(f", {len(absent)} files missing: {absent[0].why_not}" if absent else "")
    try:
        answered = linux_answers.shipped()
        print(f"{answered.source:<14}{1:>5} files{len(answered.answers):>9,} answers")
    except VectorError as error:
        wrong.append(str(error))
    for line in wrong:
        print(f"WRONG {line}")
    return 1 if wrong else 0


def _import(chosen: argparse.Namespace) -> int:
    """Turn a published source into compact files."""
    if chosen.source not in imports.SOURCES:
        known = ", ".join(imports.SOURCES)
        raise VectorError(chosen.source, 0, "", f"no source that can be imported; want {known}")
    folder: Path = chosen.to or Path(f"vectors-{chosen.source}")
    left_out: list[str] = []
    sets = imports.read(
        chosen.source,
        chosen.path,
        everything=chosen.all,
        largest=chosen.largest << 20,
        left_out=left_out,
    )
    written = imports.write(sets, folder)
    count = sum(len(vectors.vectors) for vectors in sets)
    rounds = sum(len(vectors.chains) for vectors in sets)
    unfit = Counter(item.reason.value for vectors in sets for item in vectors.inapplicable)
    print(f"{folder}: {len(written) - 1} files, {count:,} vectors", end="")
    print(f", {rounds:,} Monte Carlo rounds" if rounds else "", end="")
    print(f", not applicable: {_counts(unfit)}" if unfit else "")
    for line in left_out:
        print(f"left out: {line}")
    print(f"tcrypt run --vectors {folder}")
    return 0


def _counts(found: Counter[str]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in sorted(found.items()))


def _show(chosen: argparse.Namespace) -> int:
    """Print one vector, or what a kernel answered, its data in hexadecimal."""
    answered = linux_answers.shipped()
    if chosen.id.startswith(f"{answered.source}/"):
        return _show_answer(answered, chosen.id)
    file, vector = _catalogue(chosen).find(chosen.id)
    loaded = file.load()
    about = {
        "id": vector.id,
        "algorithm": file.algorithm,
        "source": f"{_DERIVED}: {loaded.title}" if loaded.derived else loaded.title,
        "url": loaded.url,
        "licence": loaded.licence,
    }
    values = {name: getattr(vector, name) for name in vector.__struct_fields__ if name != "id"}
    for name, value in (*about.items(), *values.items()):
        for line in _lines(name, value):
            print(line)
    return 0


def _show_answer(answered: linux_answers.AnswerSet, wanted: str) -> int:
    answer = next((answer for answer in answered.answers if answer.id == wanted), None)
    if answer is None:
        raise UnknownVectorError(f"no answer {wanted!r} among {len(answered.answers):,}")
    print(f"source: Linux {answered.kernel}, through AF_ALG")
    for name in answer.__struct_fields__:
        for line in _lines(name, getattr(answer, name)):
            print(line)
    return 0


def _lines(name: str, value: object) -> Iterable[str]:
    """A field: bytes with their length, in lines of hexadecimal digits."""
    if isinstance(value, bytes):
        digits = value.hex()
        yield f"{name}: {len(value)} bytes"
        yield from (f"  {digits[i : i + _WIDTH]}" for i in range(0, len(digits), _WIDTH))
    elif isinstance(value, enum.Enum):
        yield f"{name}: {value.value}"
    elif isinstance(value, msgspec.Struct):
        yield f"{name}: {json.dumps(msgspec.to_builtins(value))}"
    elif value is not None and value is not False:
        yield f"{name}: {value}"
