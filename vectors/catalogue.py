"""The catalogue: which file of which source holds vectors for which algorithm.

`sources.yaml` lists every file with the number of its vectors (see `tcrypt.vectors.sources`).
Nothing is read before it is asked for: a file is parsed when it is loaded, and its digest and
count are then compared with the listed ones, so that a changed package or a reader that drops
records shows at once.
"""

from __future__ import annotations

import difflib
import importlib.resources
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from tcrypt.vectors import compact, curated
from tcrypt.vectors.errors import UnknownVectorError, VectorError
from tcrypt.vectors.files import Loader, VectorFile, read_text
from tcrypt.vectors.model import Chain, Origin, Vector
from tcrypt.vectors.schema import read_document
from tcrypt.vectors.sources import listed_files

__all__ = ("Catalogue", "VectorFile")

_USER_LOADERS: dict[str, Loader] = {".yaml": curated.load, compact.SUFFIX: compact.load}


class Catalogue:
    """All known files of vectors, by source and name."""

    def __init__(self, files: Iterable[VectorFile]) -> None:
        self._files: dict[str, VectorFile] = {}
        for file in files:
            self._add(file)

    @classmethod
    def load(cls) -> Catalogue:
        """The catalogue of `sources.yaml`, with what is installed here marked as available."""
        here = importlib.resources.files("tcrypt.vectors")
        label = "sources.yaml"
        return cls(listed_files(read_document(read_text(here / label, label), label)))

    def everything(self) -> list[VectorFile]:
        """All files, available or not, in catalogue order."""
        return list(self._files.values())

    def algorithms(self) -> list[str]:
        """The names of all algorithms that have at least one file, sorted."""
        return sorted({file.algorithm for file in self._files.values()})

    def files(self, algorithm: str) -> list[VectorFile]:
        """The files of vectors for `algorithm` (a `cra_name`), in catalogue order.

        Files that are not available are among them, those of Monte Carlo chains are not.
        """
        return [f for f in self._files.values() if f.algorithm == algorithm and not f.chains]

    def chains(self, algorithm: str) -> list[VectorFile]:
        """The files of Monte Carlo chains for `algorithm`, available or not."""
        return [f for f in self._files.values() if f.algorithm == algorithm and f.chains]

    def find(self, vector_id: str) -> tuple[VectorFile, Vector | Chain]:
        """The vector or Monte Carlo round of an id, and the file that holds it.

        Raises:
            UnknownVectorError: No file or no vector of this name; near names are suggested.
            VectorError: The file cannot be loaded.
        """
        label, mark, _ = vector_id.rpartition("#")
        if not mark:
            raise UnknownVectorError(
                f"{vector_id!r} is no vector id: want <source>:<file name>#<id in the file>"
            )
        file = self._files.get(label)
        if file is None:
            own = label.startswith("user:") and not any(
                f.source == "user" for f in self.everything()
            )
            near = "; give its folder with --vectors" if own else _nearest(label, self._files)
            raise UnknownVectorError(f"no file {label!r}{near}")
        loaded = file.load()
        for unfit in loaded.inapplicable:
            if unfit.id == vector_id:
                raise UnknownVectorError(f"{vector_id!r} is not applicable: {unfit.reason.value}")
        vectors = {vector.id: vector for vector in (*loaded.vectors, *loaded.chains)}
        if vector_id not in vectors:
            near = _nearest(vector_id, vectors)
            raise UnknownVectorError(f"no vector {vector_id!r} in its file{near}")
        return file, vectors[vector_id]

    def extra(self, paths: Iterable[str | Path]) -> list[VectorFile]:
        """Add a user's own files, curated or compact, under the source name "user".

        Args:
            paths: Files, or folders whose `*.yaml` and `*.jsonl` files are taken, at any depth.

        Returns:
            The added files.  They are read here, since only they know their algorithm.

        Raises:
            VectorError: A path cannot be read, is given twice, or breaks the format.
        """
        added = [_user_file(path) for given in paths for path in _user_files(Path(given))]
        for file in added:
            self._add(file)
        return added

    def _add(self, file: VectorFile) -> None:
        if file.label in self._files:
            raise VectorError(file.label, 0, "", "in the catalogue already")
        self._files[file.label] = file


def _user_file(path: Path) -> VectorFile:
    name = quote(path.as_posix(), safe="/")
    origin = Origin("user", name, algorithm="", kind="")
    loader = _USER_LOADERS.get(path.suffix, curated.load)
    loaded = loader(read_text(path, origin.label), origin)
    return VectorFile(
        source=loaded.source,
        name=loaded.name,
        algorithm=loaded.algorithm,
        kind=loaded.kind,
        expected_count=len(loaded.chains or loaded.vectors),
        available=True,
        why_not="",
        not_applicable=len(loaded.inapplicable),
        chains=bool(loaded.chains),
        _origin=Origin("user", name, loaded.algorithm, loaded.kind),
        _loader=loader,
        _path=path,
    )


def _user_files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(
        file
        for file in path.rglob("*")
        if file.suffix in _USER_LOADERS and file.name != compact.INDEX and file.is_file()
    )
    if not found:
        wanted = " or ".join(f"*{suffix}" for suffix in _USER_LOADERS)
        raise VectorError(f"user:{path.as_posix()}", 0, "", f"no {wanted} file in this folder")
    return found


def _nearest(wanted: str, known: Iterable[str]) -> str:
    names = list(known)
    near = difflib.get_close_matches(wanted, names, n=3, cutoff=0.6)
    if near:
        return f"; did you mean {' or '.join(near)}?"
    return f"; the {len(names)} known ones are not like it" if names else ""
