"""One file of a source: where it lies, what must be in it, and the reading of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.resources.abc import Traversable

from tcrypt.vectors.errors import VectorError
from tcrypt.vectors.model import Origin, VectorSet

__all__ = ("LARGEST", "Loader", "VectorFile", "read_text", "text_of")

Loader = Callable[[str, Origin], VectorSet]
"""What a format's module offers: the text of one file and its origin in, its vectors out."""

LARGEST = 1 << 28
"""The most bytes that a file of vectors may have."""


@dataclass(frozen=True, slots=True)
class VectorFile:
    """One file of the catalogue.

    Attributes:
        source: The source it belongs to, such as "cavp"; "user" for a file of the user's own.
        name: Its path in the source, with forward slashes; percent-quoted for a user's file.
        algorithm: The kernel's `cra_name`.
        kind: "skcipher", "aead" or "ahash".
        expected_count: The number of vectors it must hold, or of Monte Carlo rounds.
        available: Whether it can be loaded here.
        why_not: If it cannot, why, and what to install.
        not_applicable: The number of its vectors that no driver can be given.
        chains: Whether it holds Monte Carlo chains.
        one_in: A default run takes one of so many neighbouring vectors, a full one all.
        sha256: The digest of its bytes in hexadecimal; empty for a file that may change.
        optional: Whether a run without it is whole: its package is no dependency of this one.
    """

    source: str
    name: str
    algorithm: str
    kind: str
    expected_count: int
    available: bool
    why_not: str
    not_applicable: int = 0
    chains: bool = False
    one_in: int = 1
    sha256: str = ""
    optional: bool = False
    _origin: Origin = field(repr=False, kw_only=True)
    _loader: Loader = field(repr=False, kw_only=True)
    _path: Traversable | None = field(repr=False, compare=False, kw_only=True)

    @property
    def label(self) -> str:
        """The file as ids and messages name it: `<source>:<name>`."""
        return f"{self.source}:{self.name}"

    def load(self) -> VectorSet:
        """Parse the file; every call parses it again.

        Raises:
            VectorError: The file is not available, its data are broken, or digest or counts are
                not the expected ones.
        """
        if self._path is None:
            raise VectorError(self.label, 0, "", self.why_not)
        loaded = self._loader(read_text(self._path, self.label, self.sha256), self._origin)
        found = len(loaded.chains if self.chains else loaded.vectors)
        unfit = len(loaded.inapplicable)
        what = "rounds" if self.chains else "vectors"
        for count, wanted, things in (
            (found, self.expected_count, what),
            (unfit, self.not_applicable, "vectors that are not applicable"),
        ):
            if count != wanted:
                reason = f"expected {wanted} {things}, loaded {count}"
                raise VectorError(self.label, 0, "", reason)
        return loaded


def read_text(path: Traversable, label: str, sha256: str = "") -> str:
    """The contents of a file in UTF-8.

    Args:
        path: The file.
        label: How messages name it.
        sha256: The digest that its bytes must have; empty for any.

    Raises:
        VectorError: It cannot be read, is not UTF-8, is too large or has another digest.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise VectorError(label, 0, "", f"cannot be read: {error.strerror}") from error
    return text_of(data, label, sha256)


def text_of(data: bytes, label: str, sha256: str = "") -> str:
    """The text of a file's bytes; arguments and errors are those of `read_text`."""
    if len(data) > LARGEST:
        raise VectorError(label, 0, "", f"{len(data)} bytes, want at most {LARGEST}")
    if sha256 and (found := hashlib.sha256(data).hexdigest()) != sha256:
        raise VectorError(label, 0, "sha256", f"expected {sha256}, found {found}")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise VectorError(label, 0, "", f"not UTF-8: {error.reason} at {error.start}") from error
