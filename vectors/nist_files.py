"""The response files of NIST's CAVP by their own names, in folders and in NIST's zip archives.

The name of a file tells algorithm and reader.  A response file of another name is left out, and
said to be: with the number of its records.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from tcrypt.vectors import cavp, cavp_chains, cavp_macs
from tcrypt.vectors.errors import VectorError
from tcrypt.vectors.files import LARGEST, Loader, read_text, text_of
from tcrypt.vectors.model import Origin, VectorSet

__all__ = ("read",)

_SUFFIX = ".rsp"
_URL = "https://csrc.nist.gov/projects/cryptographic-algorithm-validation-program"
_LICENCE = "US Government work, not subject to copyright"
_AES = r"(?:GFSbox|KeySbox|VarKey|VarTxt|MMT)(?:128|192|256)"
_TDES = r"(?:MMT[123]|invperm|permop|subtab|varkey|vartext)"
_BITS = r"(?:128|192|256)"


class _Kind(NamedTuple):
    """What the files of a name hold; `algorithm` may take a mode or a hash from the name."""

    name: str
    algorithm: str
    kind: str
    load: Loader


# Upper- and lower-case count: TCBCinvperm is a file of CBC, TCBCIvarkey one of a mode that
# interleaves three chains.
_KINDS = (
    _Kind(rf"(ECB|CBC){_AES}", "{0}(aes)", "skcipher", cavp.load),
    _Kind(rf"(ECB|CBC)MCT{_BITS}", "{0}(aes)", "skcipher", cavp_chains.load),
    _Kind(rf"T(ECB|CBC){_TDES}", "{0}(des3_ede)", "skcipher", cavp.load),
    _Kind(r"T(ECB|CBC)Monte[123]", "{0}(des3_ede)", "skcipher", cavp_chains.load),
    _Kind(r"XTSGenAES(?:128|256)", "xts(aes)", "skcipher", cavp.load),
    _Kind(rf"gcm(?:Decrypt|EncryptExtIV){_BITS}", "gcm(aes)", "aead", cavp.load),
    _Kind(rf"(?:DVPT|VADT|VNT|VPT|VTT){_BITS}", "ccm(aes)", "aead", cavp.load),
    _Kind(r"(SHA(?:1|224|256|384|512))(?:Short|Long)Msg", "{0}", "ahash", cavp.load),
    _Kind(r"(SHA(?:1|224|256|384|512))Monte", "{0}", "ahash", cavp_chains.load),
    _Kind(rf"CMAC(?:Gen|Ver)AES{_BITS}", "cmac(aes)", "ahash", cavp.load),
    _Kind(r"CMAC(?:Gen|Ver)TDES[23]", "cmac(des3_ede)", "ahash", cavp.load),
)
_RECORD = re.compile(r"^[ \t]*(?:count|len)[ \t]*=", re.IGNORECASE | re.MULTILINE)


class _File(NamedTuple):
    """A response file: its name for ids and messages, and the reading of it."""

    name: str
    text: Callable[[], str]


def read(path: Path, left_out: list[str]) -> list[VectorSet]:
    """The vectors and Monte Carlo rounds of response files.

    Args:
        path: a response file, a zip archive of them, or a folder of both, at any depth.
        left_out: is told of every response file that is none of this suite's algorithms.

    Raises:
        VectorError: a file cannot be read, or one of ours is broken.
    """
    sets: list[VectorSet] = []
    for file in _files(path):
        stem = file.name.rpartition("/")[2][: -len(_SUFFIX)]
        text = file.text()
        if stem == "HMAC":
            origin = _origin(file.name, "", "ahash")
            for algorithm, part in cavp_macs.hmac_parts(text, origin):
                name = f"{file.name}/{algorithm}"
                sets.append(cavp.load(part, _origin(name, algorithm, "ahash")))
            continue
        for kind in _KINDS:
            if match := re.fullmatch(kind.name, stem):
                algorithm = kind.algorithm.format(*(group.lower() for group in match.groups()))
                sets.append(kind.load(text, _origin(file.name, algorithm, kind.kind)))
                break
        else:
            count = len(_RECORD.findall(text))
            left_out.append(f"{file.name}: {count:,} records of no algorithm of this suite")
    return sets


def _origin(name: str, algorithm: str, kind: str) -> Origin:
    return Origin("nist", name, algorithm, kind, f"NIST CAVP, {name}", _URL, _LICENCE)


def _files(path: Path) -> Iterator[_File]:
    if not path.exists():
        raise VectorError(str(path), 0, "", "cannot be read: No such file or directory")
    found = [path] if path.is_file() else sorted(path.rglob("*"))
    for file in (file for file in found if file.is_file()):
        name = file.name if file == path else file.relative_to(path).as_posix()
        if file.suffix.lower() == ".zip":
            yield from _members(file, "" if file == path else f"{name}/")
        elif file.suffix.lower() == _SUFFIX:
            yield _File(name, lambda file=file: read_text(file, str(file)))  # type: ignore[misc]
        elif file == path:
            raise VectorError(str(path), 0, "", f"neither a {_SUFFIX} file nor a .zip archive")


def _members(path: Path, prefix: str) -> Iterator[_File]:
    """The response files of an archive; nothing is written to disk."""
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise VectorError(str(path), 0, "", f"cannot be read: {error}") from None
    with archive:
        for info in sorted(archive.infolist(), key=lambda info: info.filename):
            if info.filename.lower().endswith(_SUFFIX):
                name = prefix + info.filename
                yield _File(name, lambda info=info: _member(archive, path, info))  # type: ignore[misc]


def _member(archive: zipfile.ZipFile, path: Path, info: zipfile.ZipInfo) -> str:
    label = f"{path}/{info.filename}"
    if info.file_size > LARGEST:
        raise VectorError(label, 0, "", f"{info.file_size} bytes, want at most {LARGEST}")
    try:
        data = archive.read(info)
    except (OSError, RuntimeError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise VectorError(label, 0, "", f"cannot be read: {error}") from None
    return text_of(data, label)
