"""CAVP files of Monte Carlo tests of triple DES: 400 outer rounds of 10,000 steps a direction.

SP 800-20 makes the keys of a round from those of the round before and the results of its last
three steps: KEY1 takes the last result, KEY2 the one before unless all keys are equal, KEY3 the
one before that, unless it is KEY1's equal; then each byte is given odd parity.  Of these results
a file tells the last, and where the next round begins with another one, that too: what it tells
is held against the keys, so that a round which is missing or of another file shows.
"""

from __future__ import annotations

from collections.abc import Iterator

from tcrypt.vectors.cavp_ciphers import direction
from tcrypt.vectors.cavp_records import File, Record, number, read_records
from tcrypt.vectors.model import CipherChain, Operation
from tcrypt.vectors.shapes import cipher_shape

__all__ = ("INNER", "rounds")

INNER = 10_000
"""Steps of one outer round."""

_KEYS = ("KEY1", "KEY2", "KEY3")
_BLOCK = 8


def rounds(file: File) -> Iterator[CipherChain]:
    """The outer rounds of a file, of which it gives beginning and end.

    Raises:
        VectorError: The data are broken, or a round does not go on from the one before.
    """
    shape = cipher_shape(file.origin.algorithm) or file.unknown_algorithm()
    iv_names = ("IV",) if shape.ivsize else ()
    wanted = frozenset({"COUNT", *_KEYS, *iv_names, "PLAINTEXT", "CIPHERTEXT"})
    last: dict[str, CipherChain] = {}
    for record in read_records(file.text, file.origin.label, "COUNT"):
        letter, operation = direction(file, record)
        if record.fields.keys() != wanted:
            raise file.explain(record, wanted)
        chain = _round(file, record, f"{file.origin.label}#{letter}", operation)
        before = last.get(letter)
        want = int(before.id.rpartition(letter)[2]) + 1 if before else 0
        if number(record.fields["COUNT"]) != want:
            reason = f"{record.fields['COUNT']}, want {want}: a chain has no gaps"
            raise file.error(record, "COUNT", reason)
        if before and (fault := _broken(before, chain)):
            raise file.error(record, *fault)
        last[letter] = chain
        yield chain


def _round(file: File, record: Record, prefix: str, operation: Operation) -> CipherChain:
    fields = record.fields
    try:
        count = number(fields["COUNT"])
        data = {n: bytes.fromhex(value) for n, value in fields.items() if n != "COUNT"}
    except ValueError:
        raise file.explain(record, frozenset(fields)) from None
    for name, value in data.items():
        if len(value) != _BLOCK:
            raise file.error(record, name, f"{len(value)} bytes, want {_BLOCK}")
    encrypt = operation is Operation.ENCRYPT
    texts = data["PLAINTEXT"], data["CIPHERTEXT"]
    start, end = texts if encrypt else reversed(texts)
    key, iv = b"".join([data[name] for name in _KEYS]), data.get("IV", b"")
    return CipherChain(f"{prefix}{count}", key, iv, start, end, encrypt, INNER, not encrypt)


def _broken(before: CipherChain, chain: CipherChain) -> tuple[str, str] | None:
    """The field of a round that contradicts the round before, and why.

    When CBC encrypts, the next IV is the last result and the next plaintext the one before;
    when it decrypts, the next ciphertext is the last result and the next IV the one before.
    """
    told = [(chain.iv, "IV"), (chain.start, "PLAINTEXT")]
    if not chain.encrypt or not chain.iv:
        told = [(chain.start, "PLAINTEXT" if chain.encrypt else "CIPHERTEXT"), (chain.iv, "IV")]
    (latest, field), (second, _) = told
    if latest != before.end:
        return field, f"{latest.hex()}, but the round before ended in {before.end.hex()}"
    old = [_bare(before.key[i : i + _BLOCK]) for i in (0, 8, 16)]
    new = [_bare(chain.key[i : i + _BLOCK]) for i in (0, 8, 16)]
    wanted: list[bytes | None] = [_mixed(old[0], before.end), None, None]
    if old[0] == old[1]:
        wanted[1] = _mixed(old[1], before.end)
    elif second:
        wanted[1] = _mixed(old[1], second)
    if old[0] == old[2]:
        wanted[2] = _mixed(old[2], before.end)
    for name, found, want in zip(_KEYS, new, wanted, strict=True):
        if want is not None and found != want:
            return name, "not made from the keys and results of the round before"
    return None


def _bare(key: bytes) -> bytes:
    """A key without its parity bits, which no computation uses."""
    return bytes(byte & 0xFE for byte in key)


def _mixed(key: bytes, result: bytes) -> bytes:
    return _bare(bytes(a ^ b for a, b in zip(key, result, strict=True)))
