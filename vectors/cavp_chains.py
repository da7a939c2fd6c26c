"""CAVP files of Monte Carlo tests: chains of a thousand computations, a hundred times over.

Each outer round begins where the one before ended, and the file tells every end: so each is a
test of its own, and a run can begin at any of them.
"""

from __future__ import annotations

from collections.abc import Iterator

from tcrypt.vectors import cavp_tdes_chains
from tcrypt.vectors.cavp_ciphers import direction
from tcrypt.vectors.cavp_records import File, number, read_records, value_fault
from tcrypt.vectors.model import CipherChain, HashChain, Operation, Origin, VectorSet
from tcrypt.vectors.shapes import cipher_shape, digest_size

__all__ = ("load",)


def load(text: str, origin: Origin) -> VectorSet:
    """Turn the contents of one Monte Carlo file into its outer rounds.

    Raises:
        VectorError: The data are broken, or their algorithm has no known sizes.
    """
    file = File(text, origin)
    if origin.kind == "ahash":
        return origin.made(_hashes(file))
    triple = origin.algorithm.endswith("(des3_ede)")
    return origin.made(cavp_tdes_chains.rounds(file) if triple else _ciphers(file))


def _hashes(file: File) -> Iterator[HashChain]:
    """The rounds of a hash; the first begins at the seed, all others at the digest before."""
    size = digest_size(file.origin.algorithm) or file.unknown_algorithm()
    wanted = frozenset({"COUNT", "MD"})
    seed = b""
    records = read_records(file.text, file.origin.label, "COUNT", frozenset({"SEED"}))
    for index, record in enumerate(records):
        if record.fields.keys() != wanted:
            raise file.explain(record, wanted)
        try:
            count = number(record.fields["COUNT"])
            seed = seed or bytes.fromhex(record.context.get("SEED", ""))
            digest = bytes.fromhex(record.fields["MD"])
        except ValueError:
            if reason := value_fault("SEED", record.context.get("SEED", "")):
                raise file.error(record, "SEED", reason) from None
            raise file.explain(record, wanted) from None
        if count != index:
            raise file.error(record, "COUNT", f"{count}, want {index}: a chain has no gaps")
        for field, data in (("SEED", seed), ("MD", digest)):
            if len(data) != size:
                raise file.error(record, field, f"{len(data)} bytes, want {size}")
        yield HashChain(f"{file.origin.label}#j{index}", seed, digest)
        seed = digest


def _ciphers(file: File) -> Iterator[CipherChain]:
    """The rounds of a cipher, of which the file gives beginning and end."""
    shape = cipher_shape(file.origin.algorithm) or file.unknown_algorithm()
    names = {"COUNT", "KEY", "PLAINTEXT", "CIPHERTEXT"} | ({"IV"} if shape.ivsize else set())
    wanted, seen = frozenset(names), set[str]()
    block = shape.unit
    for record in read_records(file.text, file.origin.label, "COUNT"):
        fields = record.fields
        letter, operation = direction(file, record)
        if fields.keys() != wanted:
            raise file.explain(record, wanted)
        encrypt = operation is Operation.ENCRYPT
        try:
            name = f"{file.origin.label}#{letter}{number(fields['COUNT'])}"
            key, iv = bytes.fromhex(fields["KEY"]), bytes.fromhex(fields.get("IV", ""))
            ptext, ctext = (bytes.fromhex(fields[n]) for n in ("PLAINTEXT", "CIPHERTEXT"))
        except ValueError:
            raise file.explain(record, wanted) from None
        checked = (
            ("KEY", len(key), shape.key_sizes),
            ("IV", len(iv), (shape.ivsize,)),
            ("PLAINTEXT", len(ptext), (block,)),
            ("CIPHERTEXT", len(ctext), (block,)),
        )
        for field, length, sizes in checked:
            if length not in sizes:
                raise file.error(record, field, f"{length} bytes, want one of {sizes}")
        if name in seen:
            raise file.twice(record)
        seen.add(name)
        start, end = (ptext, ctext) if encrypt else (ctext, ptext)
        yield CipherChain(name, key, iv, start, end, encrypt)
