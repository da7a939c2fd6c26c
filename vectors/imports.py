"""Imports: a published source, wherever it lies, turned into a folder of compact files.

The folder has one file per algorithm (`tcrypt.vectors.compact`) and an `index.yaml` with their
counts and digests.  `--vectors FOLDER` runs it, and a shipped folder is refreshed by importing
into it again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from tcrypt.vectors import compact, kernel_source
from tcrypt.vectors.errors import VectorError, clip
from tcrypt.vectors.model import Origin, VectorSet
from tcrypt.vectors.testmgr import KernelTests, in_families

__all__ = ("INDEX", "SOURCES", "read", "write")

INDEX = "index.yaml"
"""The name of the list in a folder of compact files."""

_KERNEL = ("https://www.kernel.org/", "GPL-2.0-or-later")


def _testmgr(path: Path, everything: bool) -> list[VectorSet]:
    """The vectors of a kernel's self-tests: of our families of algorithms, or of all."""
    found = kernel_source.find(path)
    title = f"Linux {found.release}, crypto/testmgr.h".replace(" ,", ",")
    origin = Origin("testmgr", "", "", "", title, *_KERNEL)
    files = KernelTests(found.header, found.table, origin)
    return [files.load(name) for name in files.algorithms() if everything or in_families(name)]


SOURCES: dict[str, Callable[[Path, bool], list[VectorSet]]] = {"testmgr": _testmgr}
"""What can be imported: the reader of each source."""


def read(source: str, path: Path, *, everything: bool = False) -> list[VectorSet]:
    """The vectors of a source.

    Args:
        source: one of `SOURCES`.
        path: where it lies; what is allowed there each reader says.
        everything: also algorithms that this suite has no driver for.

    Raises:
        VectorError: with file, line or field, for anything that cannot be read.
    """
    sets = SOURCES[source](path, everything)
    if not sets:
        raise VectorError(str(path), 0, "", f"holds no vectors of {source} for this suite")
    return sets


def write(sets: Iterable[VectorSet], folder: Path) -> list[Path]:
    """Write compact files and their index, and remove those that an earlier import left.

    Args:
        sets: what `read` gave; sets of one algorithm must differ in name.
        folder: made if need be.

    Returns:
        The files, the index last.

    Raises:
        VectorError: the folder cannot be written, or two sets have one name.
    """
    texts: dict[str, tuple[VectorSet, str]] = {}
    for vectors in sets:
        name = re.sub(r"[^a-z0-9_.-]+", "-", vectors.name.lower()).strip("-") + compact.SUFFIX
        if name in texts:
            raise VectorError(str(folder), 0, "", f"two files of one name: {clip(name)}")
        texts[name] = (vectors, compact.dump(vectors))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob(f"*{compact.SUFFIX}"):
            if old.name not in texts:
                old.unlink()
        for name, (_, text) in texts.items():
            (folder / name).write_text(text, encoding="utf-8", newline="\n")
        (folder / INDEX).write_text(_index(texts), encoding="utf-8", newline="\n")
    except OSError as error:
        raise VectorError(str(folder), 0, "", f"cannot be written: {error.strerror}") from None
    return [folder / name for name in (*texts, INDEX)]


def _index(texts: dict[str, tuple[VectorSet, str]]) -> str:
    lines = [
        "# Counts and digests of the files beside this one; written by `tcrypt vectors import`.",
        "groups:",
    ]
    for name, (vectors, text) in sorted(texts.items()):
        digest = hashlib.sha256(text.encode()).hexdigest()
        unfit = f", not_applicable: {len(vectors.inapplicable)}" if vectors.inapplicable else ""
        counts = f"vectors: {len(vectors.vectors)}{unfit}"
        lines += [
            f"  - algorithm: {vectors.algorithm}",
            f"    kind: {vectors.kind}",
            f'    files: {{{name}: {{{counts}, sha256: "{digest}"}}}}',
        ]
    return "\n".join(lines) + "\n"
