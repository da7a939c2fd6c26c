"""The compact format: the vectors of one file as lines of JSON, written and read by this project.

It is what imports of other formats are kept in.  The first line says what the file is for and
where it comes from; every other line is one record of `tcrypt.vectors.model`, with data in
base64 and an id without the name of the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeVar

import msgspec

from tcrypt.vectors.errors import VectorError, clip
from tcrypt.vectors.model import (
    KINDS,
    AeadVector,
    Chain,
    CipherChain,
    HashChain,
    HashVector,
    Inapplicable,
    Origin,
    SkcipherVector,
    Vector,
    VectorSet,
)
from tcrypt.vectors.shapes import (
    Fault,
    aead_fault,
    aead_shape,
    cipher_shape,
    digest_size,
    hash_fault,
    skcipher_fault,
)

__all__ = ("FORMAT", "INDEX", "SUFFIX", "dump", "load")

FORMAT = 1
"""The one version of the format that is written and read."""

SUFFIX = ".jsonl"
"""How the names of such files end."""

INDEX = "index.yaml"
"""The name of the list of such files in their folder."""

_T = TypeVar("_T")
_LOCAL_ID = re.compile(r"[a-z0-9][a-z0-9._-]*")
_KINDS = {SkcipherVector: "skcipher", AeadVector: "aead", HashVector: "ahash"}
_CHAINS = {HashChain: "ahash", CipherChain: "skcipher"}


class _Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    format: int
    algorithm: str
    kind: str
    title: str
    url: str
    licence: str
    records: int
    derived: bool = False


_HEAD = msgspec.json.Decoder(_Head)
_RECORD = msgspec.json.Decoder(Vector | Inapplicable | Chain)


def dump(vectors: VectorSet) -> str:
    """The contents of a compact file with these vectors."""
    records = (*vectors.vectors, *vectors.inapplicable, *vectors.chains)
    head = _Head(
        FORMAT,
        vectors.algorithm,
        vectors.kind,
        vectors.title,
        vectors.url,
        vectors.licence,
        len(records),
        vectors.derived,
    )
    lines = [msgspec.json.encode(head)]
    for record in records:
        local = record.id.rpartition("#")[2]
        lines.append(msgspec.json.encode(msgspec.structs.replace(record, id=local)))
    return b"\n".join(lines).decode() + "\n"


def load(text: str, origin: Origin) -> VectorSet:
    """Turn the contents of one file into vectors.

    Args:
        text: The contents of the file.
        origin: Source and name of the file; algorithm and kind must agree where it states them.

    Raises:
        VectorError: The file departs from the format, or its sizes contradict each other.
    """
    first, _, rest = text.partition("\n")
    head = _decoded(_HEAD, first, origin.label, 1)
    if head.format != FORMAT:
        raise VectorError(origin.label, 1, "format", f"want {FORMAT}, found {head.format}")
    if head.kind not in KINDS:
        raise VectorError(origin.label, 1, "kind", f"no kind: {clip(head.kind)}")
    for field in ("algorithm", "kind"):
        found, listed = getattr(head, field), getattr(origin, field)
        if listed and found != listed:
            raise VectorError(origin.label, 1, field, f"{found}, but the catalogue lists {listed}")
    whole = Origin(
        origin.source,
        origin.name,
        head.algorithm,
        head.kind,
        head.title,
        head.url,
        head.licence,
    )
    records = list(_records(rest, whole))
    if len(records) != head.records:
        reason = f"{len(records)} records, but the first line says {head.records}"
        raise VectorError(origin.label, 1, "records", reason)
    loaded = whole.made(records, derived=head.derived)
    if loaded.chains and loaded.vectors:
        raise VectorError(origin.label, 1, "", "vectors and Monte Carlo rounds in one file")
    return loaded


def _decoded(decoder: msgspec.json.Decoder[_T], line: str, label: str, number: int) -> _T:
    try:
        return decoder.decode(line)
    except msgspec.DecodeError as error:
        reason, _, path = str(error).partition(" - at `")
        raise VectorError(label, number, path.strip("$.`"), reason) from None


def _records(text: str, origin: Origin) -> Iterator[Vector | Inapplicable | Chain]:
    prefix, seen = f"{origin.label}#", set[str]()
    for number, line in enumerate(text.split("\n"), 2):
        if not line:
            continue
        record = _decoded(_RECORD, line, origin.label, number)
        if not _LOCAL_ID.fullmatch(record.id):
            reason = f"want lower-case letters, digits, . _ -: {clip(record.id)}"
            raise VectorError(origin.label, number, "id", reason)
        if record.id in seen:
            raise VectorError(origin.label, number, "id", f"given twice: {clip(record.id)}")
        seen.add(record.id)
        if fault := _fault(record, origin):
            raise VectorError(origin.label, number, *fault)
        yield msgspec.structs.replace(record, id=prefix + record.id)


def _fault(record: Vector | Inapplicable | Chain, origin: Origin) -> Fault | None:
    kind = _KINDS.get(type(record)) or _CHAINS.get(type(record)) or origin.kind
    if kind != origin.kind:
        return "type", f"{kind}, but the file is for {origin.kind}"
    if isinstance(record, SkcipherVector):
        return skcipher_fault(cipher_shape(origin.algorithm), record)
    if isinstance(record, AeadVector):
        return aead_fault(aead_shape(origin.algorithm), record)
    if isinstance(record, HashVector):
        size = digest_size(origin.algorithm)
        return hash_fault(size, record, truncated=size is not None and len(record.digest) < size)
    return None
