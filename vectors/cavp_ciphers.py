"""CAVP records of ciphers: known answers and multi-block messages, XTS, RFC 3686, single DES."""

from __future__ import annotations

from collections.abc import Iterator

from tcrypt.vectors.cavp_records import File, Record, number, read_records
from tcrypt.vectors.model import Inapplicable, Operation, Reason, SkcipherVector
from tcrypt.vectors.shapes import CipherShape, cipher_shape, skcipher_fault

__all__ = ("direction", "skciphers", "xts")

# The section alone gives the direction; the order of the fields in a record does not.
_DIRECTIONS = {"ENCRYPT": ("e", Operation.ENCRYPT), "DECRYPT": ("d", Operation.DECRYPT)}

# One AES key; a TDES known answer (K1 = K2 = K3 written once); a TDES multi-block message.
_KEY_FORMS = (("KEY",), ("KEYS", "KEYS", "KEYS"), ("KEY1", "KEY2", "KEY3"))

_RFC3686 = "rfc3686(ctr(aes))"
_FIRST_BLOCK = b"\0\0\0\1"


def direction(file: File, record: Record) -> tuple[str, Operation]:
    """The letter that stands for a record's direction in ids, and the direction.

    Raises:
        VectorError: the record is in no section of a direction.
    """
    if record.section not in _DIRECTIONS:
        raise file.error(record, "", f"neither [ENCRYPT] nor [DECRYPT]: [{record.section}]")
    return _DIRECTIONS[record.section]


def skciphers(file: File) -> Iterator[SkcipherVector]:
    """The vectors of a file of AES or triple-DES records."""
    shape = cipher_shape(file.origin.algorithm) or file.unknown_algorithm()
    prefix = file.origin.label + "#"
    fromhex = bytes.fromhex
    seen: set[str] = set()
    key_names: tuple[str, ...] = ()
    for record in read_records(file.text, file.origin.label, "COUNT"):
        fields = record.fields
        if not key_names:
            key_names = next((form for form in _KEY_FORMS if form[0] in fields), _KEY_FORMS[0])
            iv_names = ("IV",) if shape.ivsize else ()
            wanted = frozenset({"COUNT", *key_names, *iv_names, "PLAINTEXT", "CIPHERTEXT"})
        letter, operation = direction(file, record)
        try:
            vector = SkcipherVector(
                f"{prefix}{letter}{number(fields['COUNT'])}",
                fromhex("".join([fields[name] for name in key_names])),
                fromhex(fields["IV"]) if shape.ivsize else b"",
                fromhex(fields["PLAINTEXT"]),
                fromhex(fields["CIPHERTEXT"]),
                None,
                operation,
            )
        except (KeyError, ValueError):
            raise file.explain(record, wanted) from None
        if len(fields) != len(wanted):
            raise file.explain(record, wanted)
        vector = _as_kernel(file, record, vector)
        if fault := skcipher_fault(shape, vector):
            names = {"key": key_names[0], "ptext": "PLAINTEXT", "ctext": "CIPHERTEXT"}
            raise file.error(record, names.get(fault[0], fault[0].upper()), fault[1])
        if vector.id in seen:
            raise file.twice(record)
        seen.add(vector.id)
        yield vector


def _as_kernel(file: File, record: Record, vector: SkcipherVector) -> SkcipherVector:
    """The record in the terms of an algorithm that another one's records also hold for."""
    algorithm = file.origin.algorithm
    if algorithm == _RFC3686:
        # RFC 3686, section 4: the counter block is nonce, IV and a block counter from 1 on.
        nonce, iv, block = vector.iv[:4], vector.iv[4:12], vector.iv[12:]
        if block != _FIRST_BLOCK:
            raise file.error(record, "IV", f"ends in {block.hex()}, want {_FIRST_BLOCK.hex()}")
        return _with(vector, vector.key + nonce, iv)
    if algorithm.endswith("(des)") and len(vector.key) == 24:
        # SP 800-67, section 3: with three equal keys triple DES is DES.
        first = vector.key[:8]
        if vector.key != first * 3:
            raise file.error(record, "KEY1", "three keys that differ make no DES key")
        return _with(vector, first, vector.iv)
    return vector


def _with(vector: SkcipherVector, key: bytes, iv: bytes) -> SkcipherVector:
    return SkcipherVector(vector.id, key, iv, vector.ptext, vector.ctext, None, vector.operation)


def xts(file: File) -> Iterator[SkcipherVector | Inapplicable]:
    """The vectors of a file of XTS records, the tweak given as bytes or as a number.

    Data units of part bytes are not applicable: the kernel counts bytes.
    """
    shape = cipher_shape(file.origin.algorithm) or file.unknown_algorithm()
    seen: set[str] = set()
    tweak = ""
    for record in read_records(file.text, file.origin.label, "COUNT"):
        fields = record.fields
        tweak = tweak or ("I" if "I" in fields else "DATAUNITSEQNUMBER")
        wanted = frozenset({"COUNT", "DATAUNITLEN", "KEY", tweak, "PT", "CT"})
        letter, operation = direction(file, record)
        if fields.keys() != wanted:
            raise file.explain(record, wanted)
        try:
            bits = number(fields["DATAUNITLEN"])
            vector = SkcipherVector(
                f"{file.origin.label}#{letter}{number(fields['COUNT'])}",
                bytes.fromhex(fields["KEY"]),
                _tweak(tweak, fields[tweak]),
                bytes.fromhex(fields["PT"]),
                bytes.fromhex(fields["CT"]),
                None,
                operation,
            )
        except ValueError:
            raise file.explain(record, wanted) from None
        if vector.id in seen:
            raise file.twice(record)
        seen.add(vector.id)
        yield _whole_bytes(file, record, vector, bits, shape)


def _tweak(name: str, value: str) -> bytes:
    """The IV: as it is written, or the number of the data unit, the lowest byte first."""
    return bytes.fromhex(value) if name == "I" else number(value).to_bytes(16, "little")


def _whole_bytes(
    file: File, record: Record, vector: SkcipherVector, bits: int, shape: CipherShape
) -> SkcipherVector | Inapplicable:
    if -(-bits // 8) != len(vector.ptext):
        reason = f"{len(vector.ptext)} bytes, but DataUnitLen says {bits} bits"
        raise file.error(record, "PT", reason)
    if bits % 8:
        return Inapplicable(vector.id, Reason.BIT_LENGTH)
    if fault := skcipher_fault(shape, vector):
        names = {"ptext": "PT", "ctext": "CT", "iv": "I", "key": "KEY"}
        raise file.error(record, names.get(fault[0], fault[0]), fault[1])
    return vector
