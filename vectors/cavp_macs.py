"""NIST's own response files of MACs: HMACVS (`HMAC.rsp`) and CMACVS (`CMACGen*`, `CMACVer*`).

Their records tell the lengths of key, message and tag in bytes.  A tag shorter than the digest
is a true prefix of it: the kernel gives the whole digest, and what a file cuts is not compared.
A record of the verification test with result F holds a tag that must not come out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from tcrypt.vectors.cavp_records import File, Record, number, read_records
from tcrypt.vectors.errors import VectorError
from tcrypt.vectors.model import HashVector, Inapplicable, Origin, Reason
from tcrypt.vectors.shapes import digest_size, hash_fault

__all__ = ("cmacs", "hmac_parts", "hmacs", "is_nists")

_ONE_KEY, _THREE_KEYS = ("KEY",), ("KEY1", "KEY2", "KEY3")
_AES_KEYS = (16, 24, 32)
_DES_KEY = 8
_RESULT = re.compile(r"(?:P|F)(?: \(.*\))?")
_SIZED = re.compile(r"^[ \t]*tlen[ \t]*=", re.IGNORECASE | re.MULTILINE)
_LENGTH = re.compile(r"\[\s*L\s*=\s*(\d+)\s*\]", re.IGNORECASE)
# HMACVS, 6: a section is named after the length of its digest in bytes.
_BY_LENGTH = {"20": "sha1", "28": "sha224", "32": "sha256", "48": "sha384", "64": "sha512"}


def is_nists(text: str) -> bool:
    """Whether the records of a file of MACs tell a tag length, as only NIST's own do."""
    return _SIZED.search(text) is not None


def hmac_parts(text: str, origin: Origin) -> Iterator[tuple[str, str]]:
    """The algorithms of a file with a section for each hash, and what is said for each.

    Yields:
        An algorithm, and the text with the lines of all others blank, so that the numbers of
        lines hold.

    Raises:
        VectorError: a section of no known hash, given twice, or a record above all sections.
    """
    lines = text.split("\n")
    begins: dict[str, int] = {}
    for index, line in enumerate(lines):
        stripped = line.strip()
        if stripped.startswith("["):
            match = _LENGTH.fullmatch(stripped)
            if match is None or match[1] not in _BY_LENGTH:
                reason = f"section {stripped}, want L = one of {', '.join(_BY_LENGTH)}"
                raise VectorError(origin.label, index + 1, "", reason)
            if match[1] in begins:
                raise VectorError(origin.label, index + 1, "", f"section {stripped} given twice")
            begins[match[1]] = index
        elif stripped and stripped[0] != "#" and not begins:
            raise VectorError(origin.label, index + 1, "", "above the first section [L = ...]")
    if not begins:
        raise VectorError(origin.label, 0, "", "no section [L = ...]")
    ends = [*list(begins.values())[1:], len(lines)]
    for (length, begin), end in zip(begins.items(), ends, strict=True):
        yield f"hmac({_BY_LENGTH[length]})", "\n" * begin + "\n".join(lines[begin:end])


def hmacs(file: File) -> Iterator[HashVector | Inapplicable]:
    """The vectors of NIST's file of HMACs, of the section of the origin's hash alone."""
    size = digest_size(file.origin.algorithm) or file.unknown_algorithm()
    wanted = frozenset({"COUNT", "KLEN", "TLEN", "KEY", "MSG", "MAC"})
    for index, record in enumerate(_records(file)):
        if record.section.replace(" ", "") != f"L={size}":
            raise file.error(record, "", f"section [{record.section}], want [L = {size}]")
        values = _values(file, record, wanted)
        if values.klen != len(values.key):
            reason = f"{len(values.key)} bytes, but Klen says {values.klen}"
            raise file.error(record, "KEY", reason)
        yield _vector(file, record, values, index, size)


def cmacs(file: File) -> Iterator[HashVector | Inapplicable]:
    """The vectors of NIST's files of CMACs, made or to be verified, of AES or triple DES."""
    size = digest_size(file.origin.algorithm) or file.unknown_algorithm()
    aes = file.origin.algorithm == "cmac(aes)"
    fixed = {"COUNT", "KLEN", "MLEN", "TLEN", "MSG", "MAC"}
    wanted = frozenset(fixed.union(_ONE_KEY if aes else _THREE_KEYS))
    for index, record in enumerate(_records(file)):
        if index == 0 and "RESULT" in record.fields:
            wanted |= {"RESULT"}
        values = _values(file, record, wanted)
        key = _aes_key(file, record, values) if aes else _des_key(file, record, values)
        yield _vector(file, record, values._replace(key=key), index, size)


class _Values(NamedTuple):
    """What a record says; lengths in bytes."""

    klen: int
    tlen: int
    key: bytes
    message: bytes
    tag: bytes
    forged: bool


def _records(file: File) -> Iterator[Record]:
    return read_records(file.text, file.origin.label, "COUNT")


def _values(file: File, record: Record, wanted: frozenset[str]) -> _Values:
    fields = record.fields
    result = fields.get("RESULT", "P")
    if "RESULT" in wanted and not _RESULT.fullmatch(result):
        raise file.error(record, "RESULT", f"{result!r}, want P or F and a reason")
    data = {name: value for name, value in fields.items() if name != "RESULT"}
    if fields.keys() != wanted:
        if "RESULT" in fields.keys() - wanted:
            raise file.error(record, "RESULT", "not in the first record, but in this one")
        if "RESULT" in wanted - fields.keys():
            raise file.error(record, "RESULT", "missing from the record")
        raise file.explain(record, wanted)
    try:
        number(data["COUNT"])
        klen, tlen = number(data["KLEN"]), number(data["TLEN"])
        mlen = number(data["MLEN"]) if "MLEN" in data else None
        keys = _ONE_KEY if "KEY" in data else _THREE_KEYS
        key = b"".join([bytes.fromhex(data[name]) for name in keys])
        message, tag = bytes.fromhex(data["MSG"]), bytes.fromhex(data["MAC"])
    except ValueError:
        raise file.explain(record._replace(fields=data), wanted - {"RESULT"}) from None
    if mlen == 0 and message == b"\0":
        message = b""  # CAVP writes an empty message as one zero byte.
    if mlen is not None and mlen != len(message):
        raise file.error(record, "MSG", f"{len(message)} bytes, but Mlen says {mlen}")
    if tlen != len(tag):
        raise file.error(record, "MAC", f"{len(tag)} bytes, but Tlen says {tlen}")
    return _Values(klen, tlen, key, message, tag, result[0] == "F")


def _aes_key(file: File, record: Record, values: _Values) -> bytes:
    if len(values.key) not in _AES_KEYS:
        raise file.error(record, "KEY", f"{len(values.key)} bytes, want one of {_AES_KEYS}")
    if values.klen != len(values.key):
        reason = f"{len(values.key)} bytes, but Klen says {values.klen}"
        raise file.error(record, "KEY", reason)
    return values.key


def _des_key(file: File, record: Record, values: _Values) -> bytes:
    """The key of triple DES, whose Klen counts keys (SP 800-67, section 3.2).

    With two keys the third is the first; a forgery may have changed the first alone, so that
    what the file writes as the third is none of the key.
    """
    for name in _THREE_KEYS:
        if (found := len(record.fields[name]) // 2) != _DES_KEY:
            raise file.error(record, name, f"{found} bytes, want {_DES_KEY}")
    if values.klen not in (2, 3):
        raise file.error(record, "KLEN", f"{values.klen} keys, want 2 or 3")
    third = values.key[16:] if values.klen == 3 else values.key[:8]
    if values.klen == 2 and values.key[16:] != third and not values.forged:
        raise file.error(record, "KEY3", "another key than KEY1, but Klen says 2 keys")
    return values.key[:16] + third


def _vector(
    file: File, record: Record, values: _Values, index: int, size: int
) -> HashVector | Inapplicable:
    name = f"{file.origin.label}#m{index}"
    if not values.tag:
        return Inapplicable(name, Reason.TAG_LENGTH)
    vector = HashVector(name, values.key, values.message, values.tag, forged=values.forged)
    if fault := hash_fault(size, vector, truncated=len(values.tag) < size):
        raise file.error(record, "MAC", fault[1])
    return vector
