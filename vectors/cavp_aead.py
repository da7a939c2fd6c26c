"""CAVP records of GCM (SP 800-38D) and CCM (SP 800-38C), in the shape of the kernel's calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tcrypt.vectors.cavp_records import File, Record, number, read_records
from tcrypt.vectors.errors import VectorError, clip
from tcrypt.vectors.model import AeadVector, Inapplicable, Operation, Reason
from tcrypt.vectors.shapes import AeadShape, aead_fault, aead_shape

__all__ = ("ccm", "ccm_iv", "gcm")

_SIZES = ("KEYLEN", "IVLEN", "PTLEN", "AADLEN", "TAGLEN")
_GCM_IV_BITS = 96
_GCM_SIZED = ("KEY", "IV", "CT", "AAD", "TAG")
_GCM = frozenset({"COUNT", "KEY", "IV", "CT", "AAD", "TAG", "PT"})
_FORGED = _GCM - {"PT"} | {"FAIL"}

_CCM_SIZES = ("ALEN", "PLEN", "NLEN", "TLEN")
_CCM_STICKY = frozenset({*_CCM_SIZES, "KEY", "NONCE"})


def gcm(file: File) -> Iterator[AeadVector | Inapplicable]:
    """The vectors of a GCM file; the name of the file gives the direction.

    The kernel's gcm takes IVs of 96 bits alone; records with others are not applicable.
    """
    shape = aead_shape(file.origin.algorithm) or file.unknown_algorithm()
    encrypt = "encrypt" in file.origin.name.rpartition("/")[2].lower()
    prefix, seen = file.origin.label + "#", set[str]()
    context: Mapping[str, str] = {}
    for record in read_records(file.text, file.origin.label, "COUNT"):
        if record.context is not context:
            context = record.context
            sizes = _sizes(file, record, _SIZES)
            section = prefix + "-".join(f"{s[:-3].lower()}{n}" for s, n in sizes.items()) + "-"
            foreign = sizes["IVLEN"] != _GCM_IV_BITS
        fields = record.fields
        if fields.keys() != _GCM and (encrypt or fields.keys() != _FORGED):
            raise file.explain(record, _FORGED if "FAIL" in fields and not encrypt else _GCM)
        name = section + fields["COUNT"]
        if name in seen:
            raise file.twice(record)
        seen.add(name)
        if foreign and _right(fields, sizes):
            yield Inapplicable(name, Reason.IV_LENGTH)
        else:
            yield _gcm(file, record, name, sizes, encrypt, shape)


def _right(fields: Mapping[str, str], sizes: Mapping[str, int]) -> bool:
    """Whether the values of a record, which nobody will use, are at least as long as stated."""
    return (
        4 * len(fields["IV"]) == sizes["IVLEN"]
        and 4 * len(fields["TAG"]) == sizes["TAGLEN"]
        and 4 * len(fields["CT"]) == sizes["PTLEN"]
        and fields["COUNT"].isdecimal()
    )


def _gcm(
    file: File,
    record: Record,
    name: str,
    sizes: Mapping[str, int],
    encrypt: bool,
    shape: AeadShape,
) -> AeadVector:
    fields = record.fields
    forged = "FAIL" in fields
    try:
        number(fields["COUNT"])
        key, iv = bytes.fromhex(fields["KEY"]), bytes.fromhex(fields["IV"])
        assoc, tag = bytes.fromhex(fields["AAD"]), bytes.fromhex(fields["TAG"])
        ctext = bytes.fromhex(fields["CT"])
        ptext = bytes(len(ctext)) if forged else bytes.fromhex(fields["PT"])
    except ValueError:
        raise file.explain(record, frozenset(fields)) from None
    lengths = (len(key), len(iv), len(ctext), len(assoc), len(tag))
    for size, field, length in zip(
        _SIZES, ("KEY", "IV", "CT", "AAD", "TAG"), lengths, strict=True
    ):
        if sizes[size] != 8 * length:
            raise file.error(record, field, f"{length} bytes, but {size} is {sizes[size]} bits")
    operation = Operation.ENCRYPT if encrypt else Operation.DECRYPT
    vector = AeadVector(
        name, key, iv, assoc, ptext, ctext + tag, len(tag), operation, forged, None, forged
    )
    if fault := aead_fault(shape, vector):
        raise file.error(record, {"ctext": "PT", "authsize": "TAG"}.get(fault[0], "IV"), fault[1])
    return vector


def _sizes(file: File, record: Record, names: tuple[str, ...]) -> dict[str, int]:
    """What the sections above a record say of its sizes."""
    found = {}
    for name in names:
        if name not in record.context:
            raise file.error(record, "", f"no section gives {name}")
        try:
            found[name] = number(record.context[name])
        except ValueError:
            reason = f"not a decimal number: {clip(record.context[name])}"
            raise VectorError(file.origin.label, record.line, name, reason) from None
    return found


def ccm_iv(nonce: bytes) -> bytes:
    """The IV of the kernel's ccm for a nonce (SP 800-38C, A.2): its first byte is L - 1.

    L, the length of the length field, is 15 less the nonce's; the kernel takes L of 2 to 8.

    Args:
        nonce: at most 14 bytes.
    """
    return bytes([14 - len(nonce)]) + nonce + bytes(15 - len(nonce))


def ccm(file: File) -> Iterator[AeadVector]:
    """The vectors of a CCM file; those with a `Result` are decrypted, all others encrypted."""
    shape = aead_shape(file.origin.algorithm) or file.unknown_algorithm()
    seen: set[str] = set()
    for record in read_records(file.text, file.origin.label, "COUNT", _CCM_STICKY):
        vector = _ccm(file, record)
        if vector.id in seen:
            raise file.twice(record)
        seen.add(vector.id)
        if fault := aead_fault(shape, vector):
            raise file.error(record, "CT", fault[1])
        yield vector


def _ccm(file: File, record: Record) -> AeadVector:
    sizes = _sizes(file, record, _CCM_SIZES)
    fields = dict(record.fields)
    for name in ("KEY", "NONCE"):
        if name in record.context:
            fields.setdefault(name, record.context[name])
    result = fields.pop("RESULT", "")
    passed = result.partition(" ")[0]
    if passed not in ("", "Pass", "Fail"):
        raise file.error(record, "RESULT", f"want Pass or Fail, found {clip(result)}")
    forged = passed == "Fail"
    wanted = {"COUNT", "KEY", "NONCE", "ADATA", "CT"} | (set() if forged else {"PAYLOAD"})
    if fields.keys() != wanted:
        whole = record._replace(fields=fields)
        raise file.explain(whole, frozenset(wanted))
    try:
        name = f"{file.origin.label}#c{number(fields['COUNT'])}"
        key, nonce = bytes.fromhex(fields["KEY"]), bytes.fromhex(fields["NONCE"])
        assoc = _cut(bytes.fromhex(fields["ADATA"]), sizes["ALEN"])
        ctext = bytes.fromhex(fields["CT"])
        plain = b"" if forged else _cut(bytes.fromhex(fields["PAYLOAD"]), sizes["PLEN"])
    except ValueError:
        raise file.explain(record._replace(fields=fields), frozenset(wanted)) from None
    ptext = bytes(sizes["PLEN"]) if forged else plain
    lengths = (
        ("ADATA", len(assoc), sizes["ALEN"]),
        ("PAYLOAD", len(ptext), sizes["PLEN"]),
        ("NONCE", len(nonce), sizes["NLEN"]),
        ("CT", len(ctext), sizes["PLEN"] + sizes["TLEN"]),
    )
    for field, length, stated in lengths:
        if length != stated:
            raise file.error(record, field, f"{length} bytes, but the file says {stated}")
    if not 7 <= len(nonce) <= 13:
        raise file.error(record, "NONCE", f"{len(nonce)} bytes, want 7 to 13")
    operation = Operation.DECRYPT if passed else Operation.ENCRYPT
    size = sizes["TLEN"]
    return AeadVector(
        name, key, ccm_iv(nonce), assoc, ptext, ctext, size, operation, forged, None, forged
    )


def _cut(data: bytes, length: int) -> bytes:
    """CAVP writes no data as one zero byte."""
    return b"" if length == 0 and data == b"\0" else data
