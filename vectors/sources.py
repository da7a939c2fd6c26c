"""The list of sources: reads `sources.yaml` into files, without reading any of them."""

from __future__ import annotations

import importlib.resources
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources.abc import Traversable

from tcrypt.vectors import cavp, cavp_chains, compact, curated, wycheproof
from tcrypt.vectors.files import Loader, VectorFile, read_text
from tcrypt.vectors.model import KINDS, Origin
from tcrypt.vectors.schema import Reader, read_document

__all__ = ("LOADERS", "listed_files")

LOADERS: dict[str, Loader] = {
    "cavp": cavp.load,
    "cavp-monte-carlo": cavp_chains.load,
    "compact": compact.load,
    "compact-monte-carlo": compact.load,
    "curated": curated.load,
    "wycheproof": wycheproof.load,
}
"""What `sources.yaml` can name as a loader."""

_CHAINS = frozenset({"cavp-monte-carlo", "compact-monte-carlo"})
_SHA256 = re.compile(r"[0-9a-f]{64}")


def listed_files(root: Reader) -> list[VectorFile]:
    """The files of all sources, with what is installed here marked as available.

    Raises:
        VectorError: The list departs from its format, which `README.md` describes.
    """
    files: list[VectorFile] = []
    for entry in root.sequence("sources"):
        source = _Source.read(entry)
        for group in source.groups(entry):
            files.extend(source.files(group))
            group.close()
        entry.close()
    root.close()
    return files


@dataclass(frozen=True, slots=True)
class _Counts:
    """What the list says of one file."""

    vectors: int
    not_applicable: int = 0
    sha256: str = ""

    @classmethod
    def read(cls, files: Reader, name: str) -> _Counts:
        """A number alone, or a mapping with the digest."""
        if not files.is_mapping(name):
            return cls(files.integer(name, minimum=1))
        entry = files.mapping(name)
        unfit = entry.integer("not_applicable") if "not_applicable" in entry else 0
        counts = cls(entry.integer("vectors", minimum=1), unfit, entry.text("sha256"))
        if not _SHA256.fullmatch(counts.sha256):
            raise entry.error("sha256", "want 64 lower-case hexadecimal digits")
        entry.close()
        return counts


@dataclass(frozen=True, slots=True)
class _Source:
    """One entry of `sources.yaml`: where its files lie and what reads them."""

    name: str
    loader: str
    package: str
    root: Traversable | None
    missing: str
    folder: str = ""
    optional: bool = False

    @classmethod
    def read(cls, entry: Reader) -> _Source:
        name, package = entry.text("name"), entry.text("package")
        entry.rename(f"sources[{name}]")
        loader = entry.choice("loader", LOADERS)
        missing = entry.text("missing") if "missing" in entry else ""
        try:
            # The package is opened for its files; nothing of what it would import is needed.
            root: Traversable | None = importlib.resources.files(package)
        except ModuleNotFoundError:
            root = None
        folder = entry.text("folder") if "folder" in entry else ""
        return cls(name, loader, package, root, missing, folder, entry.flag("optional"))

    def groups(self, entry: Reader) -> list[Reader]:
        """The groups of an entry: written there, or in an index beside the files."""
        if "index" not in entry:
            return entry.sequence("groups")
        name = entry.text("index")
        if self.root is None or not (index := self.root.joinpath(*name.split("/"))).is_file():
            raise entry.error("index", f"no such file: {name}")
        listed = read_document(read_text(index, name), name)
        groups = listed.sequence("groups")
        listed.close()
        return groups

    def files(self, group: Reader) -> Iterator[VectorFile]:
        """The files of one group, which share algorithm, publication and folder."""
        folder = group.text("folder") if "folder" in group else self.folder
        prefix = group.text("prefix") + "/" if "prefix" in group else ""
        loader = group.choice("loader", LOADERS) if "loader" in group else self.loader
        one_in = group.integer("one_in", minimum=1) if "one_in" in group else 1
        algorithm, kind = group.text("algorithm"), group.choice("kind", KINDS)
        about = [group.text(name) if name in group else "" for name in ("title", "url", "licence")]
        listed = group.mapping("files")
        for name in listed.names():
            counts = _Counts.read(listed, name)
            path, why_not = self._locate(folder, name)
            yield VectorFile(
                source=self.name,
                name=prefix + name,
                algorithm=algorithm,
                kind=kind,
                expected_count=counts.vectors,
                available=path is not None,
                why_not=why_not,
                not_applicable=counts.not_applicable,
                chains=loader in _CHAINS,
                one_in=one_in,
                sha256=counts.sha256,
                optional=self.optional,
                _origin=Origin(self.name, prefix + name, algorithm, kind, *about),
                _loader=LOADERS[loader],
                _path=path,
            )

    def _locate(self, folder: str, name: str) -> tuple[Traversable | None, str]:
        if self.root is None:
            return None, self.missing or f"the package {self.package} is not installed"
        path = self.root.joinpath(*folder.split("/"), *name.split("/"))
        if not path.is_file():
            return None, f"the installed {self.package} has no file {folder or '.'}/{name}"
        return path, ""
