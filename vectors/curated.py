"""Loader for the curated suites: YAML files of this project's own format, version 1.

One file holds vectors of one algorithm from one publication.  `vectors/README.md` describes the
format field by field; whatever departs from it is refused with file, line and field.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from tcrypt.vectors.authenc import authenc_key
from tcrypt.vectors.errors import clip
from tcrypt.vectors.model import (
    KINDS,
    STAGES,
    AeadVector,
    Expect,
    HashVector,
    Operation,
    Origin,
    SkcipherVector,
    Vector,
    VectorSet,
)
from tcrypt.vectors.schema import Reader, read_document
from tcrypt.vectors.shapes import (
    aead_fault,
    aead_shape,
    cipher_shape,
    digest_size,
    hash_fault,
    skcipher_fault,
)

__all__ = ("FORMAT", "load")

FORMAT = 1
"""The one version of the format that is read."""

# Ids become parts of test ids and of command lines, so that no character may need quoting.
_LOCAL_ID = re.compile(r"[a-z0-9][a-z0-9._-]*")
_ALGORITHM = re.compile(r"[a-z0-9_-]+(\([a-z0-9_,()-]+\))?")


def load(text: str, origin: Origin) -> VectorSet:
    """Turn the contents of one file into vectors.

    Args:
        text: The contents of the file.
        origin: Source and name of the file.  Title, address and licence are the file's own;
            algorithm and kind are too, but must agree with `origin` where that states them.

    Raises:
        VectorError: The file departs from the format, or its sizes contradict each other.
    """
    root = read_document(text, origin.label)
    version = root.integer("format")
    if version != FORMAT:
        raise root.error("format", f"want {FORMAT}, found {version}")
    algorithm, kind = root.text("algorithm"), root.choice("kind", KINDS)
    if not _ALGORITHM.fullmatch(algorithm):
        raise root.error("algorithm", f"no name of an algorithm: {clip(algorithm)}")
    for field, found, listed in (
        ("algorithm", algorithm, origin.algorithm),
        ("kind", kind, origin.kind),
    ):
        if listed and found != listed:
            raise root.error(field, f"{found}, but the catalogue lists {listed}")
    source = root.mapping("source")
    title, section = source.text("title"), source.text("section")
    url, licence, derived = source.text("url"), source.text("licence"), source.flag("derived")
    source.close()
    vectors = _vectors(root, origin.label, kind, algorithm)
    root.close()
    return VectorSet(
        source=origin.source,
        name=origin.name,
        algorithm=algorithm,
        kind=kind,
        title=f"{title}, {section}",
        url=url,
        licence=licence,
        vectors=vectors,
        derived=derived,
    )


def _vectors(root: Reader, label: str, kind: str, algorithm: str) -> tuple[Vector, ...]:
    build = _BUILDERS[kind]
    vectors: dict[str, Vector] = {}
    for entry in root.sequence("vectors"):
        local = entry.text("id")
        if not _LOCAL_ID.fullmatch(local):
            raise entry.error("id", f"want lower-case letters, digits, . _ -: {clip(local)}")
        if local in vectors:
            raise entry.error("id", f"given twice: {clip(local)}")
        entry.rename(f"vectors[{local}]")
        vectors[local] = build(entry, f"{label}#{local}", algorithm)
    return tuple(vectors.values())


def _expect(entry: Reader, stages: tuple[str, ...]) -> Expect | None:
    return entry.expect("expect", stages) if "expect" in entry else None


def _operation(entry: Reader) -> Operation:
    if "operation" not in entry:
        return Operation.BOTH
    return Operation(entry.choice("operation", [operation.value for operation in Operation]))


def _optional(entry: Reader, name: str) -> bytes:
    return entry.octets(name) if name in entry else b""


def _data(entry: Reader, name: str, expect: Expect | None) -> bytes:
    """Data that every vector needs, except one that is refused before any data are looked at."""
    if expect is not None and expect.stage != "crypt":
        return _optional(entry, name)
    return entry.octets(name)


def _skcipher(entry: Reader, ident: str, algorithm: str) -> SkcipherVector:
    expect = _expect(entry, ("setkey", "crypt"))
    vector = SkcipherVector(
        ident,
        entry.octets("key"),
        _optional(entry, "iv"),
        _data(entry, "ptext", expect),
        _data(entry, "ctext", expect),
        entry.octets("iv_out") if "iv_out" in entry else None,
        _operation(entry),
        expect,
    )
    entry.close()
    if fault := skcipher_fault(cipher_shape(algorithm), vector):
        raise entry.error(*fault)
    return vector


def _aead(entry: Reader, ident: str, algorithm: str) -> AeadVector:
    expect, novrfy = _expect(entry, STAGES), entry.flag("novrfy")
    operation = _operation(entry)
    if novrfy:
        if "operation" in entry or "expect" in entry:
            raise entry.error("novrfy", "leaves no room for an operation or an expect")
        operation = Operation.DECRYPT
    vector = AeadVector(
        ident,
        _aead_key(entry, algorithm, refused=expect is not None),
        _optional(entry, "iv"),
        _data(entry, "assoc", expect),
        _data(entry, "ptext", expect),
        _data(entry, "ctext", expect),
        entry.integer("authsize"),
        operation,
        novrfy,
        expect,
    )
    entry.close()
    if fault := aead_fault(aead_shape(algorithm), vector):
        raise entry.error(*fault)
    return vector


def _aead_key(entry: Reader, algorithm: str, refused: bool) -> bytes:
    """The kernel's key, put together from its two parts where the file gives them apart."""
    if "authkey" not in entry and "enckey" not in entry:
        return entry.octets("key")
    if not algorithm.startswith("authenc("):
        raise entry.error("authkey", f"{algorithm} takes one key, in the field 'key'")
    authkey, enckey = entry.octets("authkey"), entry.octets("enckey")
    shape = aead_shape(algorithm)
    if shape and not refused and len(enckey) not in shape.cipher.key_sizes:
        wanted = shape.cipher.key_sizes
        raise entry.error("enckey", f"{len(enckey)} bytes, want one of {wanted}")
    return authenc_key(authkey, enckey)


def _ahash(entry: Reader, ident: str, algorithm: str) -> HashVector:
    expect = _expect(entry, ("setkey", "crypt"))
    truncated = "digest_prefix" in entry
    vector = HashVector(
        ident,
        entry.octets("key") if "key" in entry else None,
        _data(entry, "message", expect),
        b"" if expect else entry.octets("digest_prefix" if truncated else "digest"),
        expect,
    )
    entry.close()
    if fault := hash_fault(digest_size(algorithm), vector, truncated):
        raise entry.error(*fault)
    if expect is None and algorithm.startswith("hmac(") and vector.key is None:
        raise entry.error("key", "missing")
    return vector


_BUILDERS: dict[str, Callable[[Reader, str, str], Vector]] = {
    "skcipher": _skcipher,
    "aead": _aead,
    "ahash": _ahash,
}
