"""CAVP records of digests, HMACs and CMACs."""

from __future__ import annotations

from collections.abc import Iterator

from tcrypt.vectors.cavp_records import File, Record, number, read_records
from tcrypt.vectors.model import HashVector
from tcrypt.vectors.shapes import digest_size, hash_fault

__all__ = ("digests", "macs")

_MAC_KEYS = (("KEY",), ("KEY1", "KEY2", "KEY3"))


def digests(file: File) -> Iterator[HashVector]:
    """The vectors of a file of digests or HMACs, whose records begin with `Len`."""
    size = digest_size(file.origin.algorithm) or file.unknown_algorithm()
    keyed = file.origin.algorithm.startswith("hmac(")
    wanted = frozenset({"LEN", "MSG", "MD", "KEY"} if keyed else {"LEN", "MSG", "MD"})
    for index, record in enumerate(read_records(file.text, file.origin.label, "LEN")):
        section, fields = record.section, record.fields
        if fields.keys() != wanted:
            raise file.explain(record, wanted)
        if section.replace(" ", "") not in ("", f"L={size}"):
            raise file.error(record, "", f"section [{section}], want [L = {size}]")
        try:
            message = _message(number(fields["LEN"]), bytes.fromhex(fields["MSG"]))
            key = bytes.fromhex(fields["KEY"]) if keyed else None
            digest = bytes.fromhex(fields["MD"])
        except _LengthError as error:
            raise file.error(record, error.field, error.reason) from None
        except ValueError:
            raise file.explain(record, wanted) from None
        vector = HashVector(f"{file.origin.label}#m{index}", key, message, digest)
        if fault := hash_fault(size, vector):
            raise file.error(record, "MD", fault[1])
        yield vector


class _LengthError(Exception):
    """`Len` and `Msg` contradict each other."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field
        self.reason = reason


def _message(bits: int, data: bytes) -> bytes:
    """Cut `data` to `bits`, the message length as the file gives it."""
    if bits == 0 and data in (b"", b"\0"):
        return b""  # CAVP writes an empty message as one zero byte.
    if bits % 8:
        raise _LengthError("LEN", f"{bits} bits: messages of part bytes are not supported")
    if len(data) * 8 != bits:
        raise _LengthError("MSG", f"{len(data)} bytes, but Len says {bits} bits")
    return data


def macs(file: File) -> Iterator[HashVector]:
    """The vectors of a file of CMACs, whose records begin with `COUNT`."""
    size = digest_size(file.origin.algorithm) or file.unknown_algorithm()
    seen: set[str] = set()
    keys: tuple[str, ...] = ()
    for record in read_records(file.text, file.origin.label, "COUNT"):
        fields = record.fields
        keys = keys or next((form for form in _MAC_KEYS if form[0] in fields), _MAC_KEYS[0])
        wanted = frozenset({"COUNT", *keys, "MESSAGE", "OUTPUT"})
        if fields.keys() != wanted:
            raise file.explain(record, wanted)
        vector = _mac(file, record, keys, wanted)
        if fault := hash_fault(size, vector):
            raise file.error(record, "OUTPUT", fault[1])
        if vector.id in seen:
            raise file.twice(record)
        seen.add(vector.id)
        yield vector


def _mac(file: File, record: Record, keys: tuple[str, ...], wanted: frozenset[str]) -> HashVector:
    fields = record.fields
    try:
        return HashVector(
            f"{file.origin.label}#m{number(fields['COUNT'])}",
            bytes.fromhex("".join([fields[name] for name in keys])),
            bytes.fromhex(fields["MESSAGE"]),
            bytes.fromhex(fields["OUTPUT"]),
        )
    except ValueError:
        raise file.explain(record, wanted) from None
