"""The catalogue: which file of which source holds vectors for which algorithm.

`sources.yaml` lists every file with the number of its vectors.  Nothing is read before it is
asked for: a file is parsed when it is loaded, and its count is then compared with the listed
one, so that a changed package or a reader that drops records shows at once.
"""

from __future__ import annotations

import difflib
import importlib.resources
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from importlib.resources.abc import Traversable
from pathlib import Path
from urllib.parse import quote

from tcrypt.vectors import cavp, curated
from tcrypt.vectors.errors import UnknownVectorError, VectorError
from tcrypt.vectors.model import KINDS, Origin, Vector, VectorSet
from tcrypt.vectors.schema import Reader, read_document

__all__ = ("Catalogue", "LeftOut", "VectorFile")

Loader = Callable[[str, Origin], VectorSet]
"""What a format's module offers: the text of one file and its origin in, its vectors out."""

_LOADERS: dict[str, Loader] = {"cavp": cavp.load, "curated": curated.load}


@dataclass(frozen=True, slots=True)
class VectorFile:
    """One file of the catalogue.

    Attributes:
        source: The source it belongs to, such as "cavp"; "user" for a file of the user's own.
        name: Its path in the source, with forward slashes; percent-quoted for a user's file.
        algorithm: The kernel's `cra_name`.
        kind: "skcipher", "aead" or "ahash".
        expected_count: The number of vectors it must hold.
        available: Whether it can be loaded here.
        why_not: If it cannot, why, and what to install.
    """

    source: str
    name: str
    algorithm: str
    kind: str
    expected_count: int
    available: bool
    why_not: str
    _origin: Origin = field(repr=False)
    _loader: Loader = field(repr=False)
    _path: Traversable | None = field(repr=False, compare=False)

    @property
    def label(self) -> str:
        """The file as ids and messages name it: `<source>:<name>`."""
        return f"{self.source}:{self.name}"

    def load(self) -> VectorSet:
        """Parse the file; every call parses it again.

        Raises:
            VectorError: The file is not available, its data are broken, or it does not hold
                the expected number of vectors.
        """
        if self._path is None:
            raise VectorError(self.label, 0, "", self.why_not)
        loaded = self._loader(_read(self._path, self.label), self._origin)
        if len(loaded.vectors) != self.expected_count:
            raise VectorError(
                self.label,
                0,
                "",
                f"expected {self.expected_count} vectors, loaded {len(loaded.vectors)}",
            )
        return loaded


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file of a source that holds vectors which no loader reads yet.

    Attributes:
        source: The source it belongs to.
        name: Its path in the source.
        algorithm: The kernel's `cra_name`.
        count: The number of vectors in it.
        why: Why it is not loaded.
    """

    source: str
    name: str
    algorithm: str
    count: int
    why: str


class Catalogue:
    """All known files of vectors, by source and name."""

    def __init__(self, files: Iterable[VectorFile], left_out: Iterable[LeftOut] = ()) -> None:
        self._files: dict[str, VectorFile] = {}
        self._left_out = tuple(left_out)
        for file in files:
            self._add(file)

    @classmethod
    def load(cls) -> Catalogue:
        """The catalogue of `sources.yaml`, with what is installed here marked as available."""
        here = importlib.resources.files("tcrypt.vectors")
        label = "sources.yaml"
        root = read_document(_read(here / label, label), label)
        files: list[VectorFile] = []
        left_out: list[LeftOut] = []
        for entry in root.sequence("sources"):
            source = _Source.read(entry)
            for group in entry.sequence("groups"):
                files.extend(source.files(group))
                left_out.extend(source.left_out(group))
                group.close()
            entry.close()
        root.close()
        return cls(files, left_out)

    def algorithms(self) -> list[str]:
        """The names of all algorithms that have at least one file, sorted."""
        return sorted({file.algorithm for file in self._files.values()})

    def files(self, algorithm: str) -> list[VectorFile]:
        """The files for `algorithm` (a `cra_name`), available or not, in catalogue order."""
        return [file for file in self._files.values() if file.algorithm == algorithm]

    def left_out(self, algorithm: str) -> list[LeftOut]:
        """The files for `algorithm` that are known and not loaded, with the reason."""
        return [item for item in self._left_out if item.algorithm == algorithm]

    def find(self, vector_id: str) -> tuple[VectorFile, Vector]:
        """The vector of an id, and the file that holds it.

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
            raise UnknownVectorError(f"no file {label!r}{_nearest(label, self._files)}")
        vectors = {vector.id: vector for vector in file.load().vectors}
        if vector_id not in vectors:
            near = _nearest(vector_id, vectors)
            raise UnknownVectorError(f"no vector {vector_id!r} in its file{near}")
        return file, vectors[vector_id]

    def extra(self, paths: Iterable[str | Path]) -> list[VectorFile]:
        """Add a user's own files in the curated format, under the source name "user".

        Args:
            paths: Files, or folders whose `*.yaml` files are taken, at any depth.

        Returns:
            The added files.  They are read here, since only they know their algorithm.

        Raises:
            VectorError: A path cannot be read, is given twice, or breaks the format.
        """
        added = [_user_file(path) for given in paths for path in _yaml_files(Path(given))]
        for file in added:
            self._add(file)
        return added

    def _add(self, file: VectorFile) -> None:
        if file.label in self._files:
            raise VectorError(file.label, 0, "", "in the catalogue already")
        self._files[file.label] = file


@dataclass(frozen=True, slots=True)
class _Source:
    """One entry of `sources.yaml`: where its files lie and what reads them."""

    name: str
    loader: Loader
    package: str
    root: Traversable | None
    missing: str

    @classmethod
    def read(cls, entry: Reader) -> _Source:
        name, package = entry.text("name"), entry.text("package")
        entry.rename(f"sources[{name}]")
        loader = _LOADERS[entry.choice("loader", _LOADERS)]
        missing = entry.text("missing") if "missing" in entry else ""
        try:
            # The package is opened for its files; nothing of what it would import is needed.
            root = importlib.resources.files(package)
        except ModuleNotFoundError:
            return cls(name, loader, package, None, missing)
        return cls(name, loader, package, root, missing)

    def files(self, group: Reader) -> Iterator[VectorFile]:
        """The files of one group, which share algorithm, publication and folder."""
        folder = group.text("folder") if "folder" in group else ""
        algorithm, kind = group.text("algorithm"), group.choice("kind", KINDS)
        about = [group.text(name) if name in group else "" for name in ("title", "url", "licence")]
        counts = group.mapping("files")
        for name in counts.names():
            path, why_not = self._locate(folder, name)
            origin = Origin(self.name, name, algorithm, kind, *about)
            yield VectorFile(
                source=self.name,
                name=name,
                algorithm=algorithm,
                kind=kind,
                expected_count=counts.integer(name, minimum=1),
                available=path is not None,
                why_not=why_not,
                _origin=origin,
                _loader=self.loader,
                _path=path,
            )

    def left_out(self, group: Reader) -> Iterator[LeftOut]:
        """The files of one group that are listed as known and not loaded."""
        if "left_out" not in group:
            return
        listed = group.mapping("left_out")
        counts, why = listed.mapping("files"), listed.text("why")
        listed.close()
        for name in counts.names():
            count = counts.integer(name, minimum=1)
            yield LeftOut(self.name, name, group.text("algorithm"), count, why)

    def _locate(self, folder: str, name: str) -> tuple[Traversable | None, str]:
        if self.root is None:
            return None, self.missing or f"the package {self.package} is not installed"
        path = self.root.joinpath(*folder.split("/"), *name.split("/"))
        if not path.is_file():
            return None, f"the installed {self.package} has no file {folder or '.'}/{name}"
        return path, ""


def _user_file(path: Path) -> VectorFile:
    name = quote(path.as_posix(), safe="/")
    origin = Origin("user", name, algorithm="", kind="")
    loaded = curated.load(_read(path, origin.label), origin)
    return VectorFile(
        source=loaded.source,
        name=loaded.name,
        algorithm=loaded.algorithm,
        kind=loaded.kind,
        expected_count=len(loaded.vectors),
        available=True,
        why_not="",
        _origin=Origin("user", name, loaded.algorithm, loaded.kind),
        _loader=curated.load,
        _path=path,
    )


def _yaml_files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(path.rglob("*.yaml"))
    if not found:
        raise VectorError(f"user:{path.as_posix()}", 0, "", "no *.yaml file in this folder")
    return found


def _read(path: Traversable, label: str) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise VectorError(label, 0, "", f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise VectorError(label, 0, "", f"not UTF-8: {error.reason} at {error.start}") from error


def _nearest(wanted: str, known: Iterable[str]) -> str:
    names = list(known)
    near = difflib.get_close_matches(wanted, names, n=3, cutoff=0.6)
    if near:
        return f"; did you mean {' or '.join(near)}?"
    return f"; the {len(names)} known ones are not like it" if names else ""
