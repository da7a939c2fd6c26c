"""Finds `crypto/testmgr.h` and `testmgr.c` in a kernel's source, as it is published or packed.

A folder (a checkout, or an unpacked tree), a `.tar`, `.tar.xz` or `.tar.gz` of one, or Debian's
package `linux-source-6.x`, which holds such an archive.  Nothing is unpacked to disk, and reading
ends when both files are found.
"""

from __future__ import annotations

import io
import lzma
import re
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

from tcrypt.vectors.errors import VectorError

__all__ = ("KernelSource", "find")

_WANTED = ("crypto/testmgr.h", "crypto/testmgr.c")
_ARCHIVE = re.compile(r"linux-.*\.tar(\.\w+)?")
_RELEASE = re.compile(r"(?<![\w.])(\d+\.\d+(?:\.\d+)?(?:-rc\d+)?(?:-\d+)?)")
_LARGEST = 1 << 26


class KernelSource(NamedTuple):
    """The two files, and the release that the names of the path speak of; "" for none."""

    header: str
    table: str
    release: str


class _Slice(io.RawIOBase):
    """A part of a file, as a file of its own that can only be read forwards."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file = file
        self._left = size

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        wanted = self._left if size is None or size < 0 else min(size, self._left)
        data = self._file.read(wanted)
        self._left -= len(data)
        return data


def find(path: Path) -> KernelSource:
    """The two files under `path`.

    Raises:
        VectorError: with the path, when it cannot be read or lacks them.
    """
    try:
        found = _in_folder(path) if path.is_dir() else _in_archive(path)
    except (OSError, EOFError, tarfile.TarError, lzma.LZMAError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise VectorError(str(path), 0, "", f"cannot be read: {reason}") from None
    texts = []
    for name in _WANTED:
        if name not in found:
            raise VectorError(str(path), 0, "", f"has no {name}")
        try:
            texts.append(found[name].decode("utf-8"))
        except UnicodeDecodeError as error:
            reason = f"not UTF-8: {error.reason} at {error.start}"
            raise VectorError(f"{path}/{name}", 0, "", reason) from None
    return KernelSource(texts[0], texts[1], _release(path))


def _release(path: Path) -> str:
    """The longest release in the file's name, or in its folder's.

    Debian's packages are named after the branch, with the full release behind it.
    """
    for name in (path.name, path.parent.name):
        if found := _RELEASE.findall(name.replace("_", " ").replace("linux-source-", " ")):
            return str(max(found, key=len))
    return ""


def _in_folder(path: Path) -> dict[str, bytes]:
    for root in (path, path.parent):
        files = {name: root / name for name in _WANTED}
        if all(file.is_file() for file in files.values()):
            return {name: file.read_bytes() for name, file in files.items()}
    return {}


def _in_archive(path: Path) -> dict[str, bytes]:
    with path.open("rb") as file:
        start = file.read(8)
        if start == b"!<arch>\n":
            return _in_package(file)
        file.seek(0)
        return _in_tar(file)


def _in_tar(file: IO[bytes]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    with tarfile.open(fileobj=file, mode="r|*") as archive:
        for member in archive:
            name = "/".join(member.name.removeprefix("./").split("/")[1:])
            if name in _WANTED and member.isfile():
                if member.size > _LARGEST:
                    raise tarfile.TarError(f"{member.name} has {member.size} bytes")
                found[name] = _content(archive, member)
                if len(found) == len(_WANTED):
                    break
    return found


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(member)
    return file.read() if file is not None else b""


def _in_package(file: IO[bytes]) -> dict[str, bytes]:
    """A Debian package: an ar archive, in it a tar, in that the tar of the source."""
    for name, size in _members(file):
        if not name.startswith("data.tar"):
            file.seek(size + size % 2, 1)
            continue
        with tarfile.open(fileobj=_Slice(file, size), mode="r|*") as archive:
            for member in archive:
                if member.isfile() and _ARCHIVE.fullmatch(member.name.rpartition("/")[2]):
                    inner = archive.extractfile(member)
                    return _in_tar(inner) if inner is not None else {}
        return {}
    raise tarfile.TarError("a package without data")


def _members(file: IO[bytes]) -> Iterator[tuple[str, int]]:
    """Names and sizes of the members of an ar archive; the file stands at each one's data."""
    while len(header := file.read(60)) == 60:
        size = header[48:58].decode("ascii", "replace").strip()
        if header[58:] != b"`\n" or not size.isdecimal():
            raise tarfile.TarError("no ar archive")
        yield header[:16].decode("ascii", "replace").strip().rstrip("/"), int(size)
