"""Loader for the response files of NIST's CAVP, and for texts that others wrote in that syntax.

`cavp_records` tells the syntax; the modules beside it turn the records of each family into
vectors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tcrypt.vectors import cavp_aead, cavp_ciphers, cavp_hashes, cavp_macs
from tcrypt.vectors.cavp_records import File, Record, read_records
from tcrypt.vectors.errors import VectorError
from tcrypt.vectors.model import Inapplicable, Origin, Vector, VectorSet

__all__ = ("Record", "load", "read_records")

_Reader = Callable[[File], Iterator[Vector | Inapplicable]]


def load(text: str, origin: Origin) -> VectorSet:
    """Turn the contents of one file into vectors.

    Cipher vectors are run in the direction of their section only, as the file states them.
    Ids are the section's letter and the record's COUNT (`e3`, `d0`); records of digests have
    no number of their own and are counted from `m0` in the order of the file, as are those of
    NIST's files of MACs.  In GCM files the sizes of the section stand before COUNT, which begins
    anew in each.

    Raises:
        VectorError: The data are broken, or `origin` is of a kind that has no reader here.
    """
    reader = _special(origin.algorithm, text) or _READERS.get(origin.kind)
    if reader is None:
        raise VectorError(origin.label, 0, "kind", f"no CAVP records of kind {origin.kind!r}")
    return origin.made(reader(File(text, origin)))


def _special(algorithm: str, text: str) -> _Reader | None:
    nists = algorithm.startswith(("cmac(", "hmac(")) and cavp_macs.is_nists(text)
    if algorithm.startswith("cmac("):
        return cavp_macs.cmacs if nists else cavp_hashes.macs
    if nists:
        return cavp_macs.hmacs
    return _BY_ALGORITHM.get(algorithm)


_READERS: dict[str, _Reader] = {
    "skcipher": cavp_ciphers.skciphers,
    "ahash": cavp_hashes.digests,
}
_BY_ALGORITHM: dict[str, _Reader] = {
    "xts(aes)": cavp_ciphers.xts,
    "gcm(aes)": cavp_aead.gcm,
    "ccm(aes)": cavp_aead.ccm,
}
