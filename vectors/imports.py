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
from typing import NamedTuple

import msgspec

from tcrypt.vectors import acvp, compact, kernel_source, nist_files, wycheproof
from tcrypt.vectors.errors import VectorError, clip
from tcrypt.vectors.files import read_text
from tcrypt.vectors.json_fields import read_json
from tcrypt.vectors.model import Origin, VectorSet
from tcrypt.vectors.testmgr import KernelTests, in_families

__all__ = ("SOURCES", "read", "write")

_C2SP = ("https://github.com/C2SP/wycheproof", "Apache-2.0")
_NIST = ("https://github.com/usnistgov/ACVP-Server", "US Government work, see its licence")
_KERNEL = ("https://www.kernel.org/", "GPL-2.0-or-later")


class Wanted(NamedTuple):
    """What of a source is taken.

    Attributes:
        everything: also algorithms that this suite has no driver for.
        largest: messages of repeated data up to so many bytes.
        left_out: told of files that hold vectors for no algorithm of this suite.
    """

    everything: bool
    largest: int
    left_out: list[str]


def _testmgr(path: Path, wanted: Wanted) -> list[VectorSet]:
    """The vectors of a kernel's self-tests: of our families of algorithms, or of all."""
    found = kernel_source.find(path)
    title = f"Linux {found.release}, crypto/testmgr.h".replace(" ,", ",")
    origin = Origin("testmgr", "", "", "", title, *_KERNEL)
    files = KernelTests(found.header, found.table, origin)
    return [
        files.load(name) for name in files.algorithms() if wanted.everything or in_families(name)
    ]


def _wycheproof(path: Path, _wanted: Wanted) -> list[VectorSet]:
    """The JSON files of a checkout of Wycheproof, or of any folder, for our algorithms."""
    sets = []
    for file in _json_files(path, "*_test.json"):
        text = read_text(file, str(file))
        if read_json(text, str(file)).text("algorithm", "") in wycheproof.ALGORITHMS:
            origin = Origin("wycheproof", file.stem, "", "", f"Wycheproof, {file.name}", *_C2SP)
            sets.append(wycheproof.load(text, origin))
    return sets


def _acvp(path: Path, wanted: Wanted) -> list[VectorSet]:
    """Vector sets of ACVP: folders with an internal projection, or prompt and results."""
    sets = []
    roots = [path.parent] if path.is_file() else [path, *sorted(path.rglob("*"))]
    for folder in (root for root in roots if root.is_dir()):
        found = [folder / name for name in ("internalProjection.json", "prompt.json")]
        file = next((file for file in found if file.is_file()), None)
        if file is None:
            continue
        text = read_text(file, str(file))
        if read_json(text, str(file)).text("algorithm", "") not in acvp.ALGORITHMS:
            continue
        results = folder / "expectedResults.json"
        answers = read_text(results, str(results)) if file.name == "prompt.json" else ""
        origin = Origin("acvp", folder.name, "", "", f"NIST ACVP, {folder.name}", *_NIST)
        sets.append(acvp.load(text, origin, answers, wanted.largest))
    return sets


def _nist(path: Path, wanted: Wanted) -> list[VectorSet]:
    """Response files of CAVP: one, an archive as NIST publishes it, or a folder of these."""
    return nist_files.read(path, wanted.left_out)


def _json_files(path: Path, pattern: str) -> list[Path]:
    return [path] if path.is_file() else sorted(path.rglob(pattern))


SOURCES: dict[str, Callable[[Path, Wanted], list[VectorSet]]] = {
    "testmgr": _testmgr,
    "wycheproof": _wycheproof,
    "acvp": _acvp,
    "nist": _nist,
}
"""What can be imported: the reader of each source."""


def read(
    source: str,
    path: Path,
    *,
    everything: bool = False,
    largest: int = 0,
    left_out: list[str] | None = None,
) -> list[VectorSet]:
    """The vectors of a source.

    Args:
        source: one of `SOURCES`.
        path: where it lies; what is allowed there each reader says.
        everything: also algorithms that this suite has no driver for.
        largest: take ACVP's tests of large data up to so many bytes; they are not written out.
        left_out: gets a line for each file of CAVP that is for no algorithm of this suite.

    Raises:
        VectorError: with file, line or field, for anything that cannot be read.
    """
    told = left_out if left_out is not None else []
    sets = SOURCES[source](path, Wanted(everything, largest, told))
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
    for vectors in (part for whole in sets for part in _parts(whole)):
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
        (folder / compact.INDEX).write_text(_index(texts), encoding="utf-8", newline="\n")
    except OSError as error:
        raise VectorError(str(folder), 0, "", f"cannot be written: {error.strerror}") from None
    return [folder / name for name in (*texts, compact.INDEX)]


def _parts(vectors: VectorSet) -> list[VectorSet]:
    """A set whose Monte Carlo rounds are apart, as they are in the catalogue."""
    if not vectors.chains or not (vectors.vectors or vectors.inapplicable):
        return [vectors]
    rounds = msgspec.structs.replace(
        vectors, name=f"{vectors.name}-monte-carlo", vectors=(), inapplicable=()
    )
    return [msgspec.structs.replace(vectors, chains=()), rounds]


def _index(texts: dict[str, tuple[VectorSet, str]]) -> str:
    lines = [
        "# Counts and digests of the files beside this one; written by `tcrypt vectors import`.",
        "groups:",
    ]
    for name, (vectors, text) in sorted(texts.items()):
        digest = hashlib.sha256(text.encode()).hexdigest()
        count = len(vectors.chains or vectors.vectors)
        unfit = f", not_applicable: {len(vectors.inapplicable)}" if vectors.inapplicable else ""
        counts = f"vectors: {count}{unfit}"
        lines += [
            f"  - algorithm: {vectors.algorithm}",
            f"    kind: {vectors.kind}",
            *(["    loader: compact-monte-carlo"] if vectors.chains else []),
            f'    files: {{{name}: {{{counts}, sha256: "{digest}"}}}}',
        ]
    return "\n".join(lines) + "\n"
