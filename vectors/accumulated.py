"""Accumulated vectors: thousands of drawn cases per algorithm, pinned by one digest.

Nothing of the cases is stored.  Case `i` of an algorithm is drawn from SHAKE128 of a fixed label,
the algorithm's name and `i`, so that any case can be made alone.  Its sizes walk: all lengths up
to some hundred bytes (whole blocks up to two thousand), all key sizes, tag sizes and nonce
lengths, in steps that have no common divisor.  The outputs of cases 0, 1, 2, ... go, each behind
its length in four bytes, into SHA-256; `accumulated.yaml` has that digest after some of them.
"""

from __future__ import annotations

import hashlib
import importlib.resources
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from tcrypt.vectors.authenc import authenc_key
from tcrypt.vectors.cavp_aead import ccm_iv
from tcrypt.vectors.errors import VectorError
from tcrypt.vectors.files import read_text
from tcrypt.vectors.schema import read_document
from tcrypt.vectors.shapes import AeadShape, CipherShape, aead_shape, cipher_shape, digest_size

__all__ = ("Accumulator", "Drawn", "Pin", "draw", "pins")

_LABEL = b"tcrypt accumulated vectors, 1: "
_NAME = "accumulated.yaml"
_LENGTHS = 523
_BLOCKS = 131
_ASSOC = 67
_MAC_KEY = 149
# XTS with AES-192 is no part of IEEE 1619, and not every library has it.
_KEY_SIZES = {"xts(aes)": (32, 64)}
_KEYED = ("hmac(", "cmac(")
_CMAC_KEYS = {"cmac(aes)": (16, 24, 32), "cmac(des3_ede)": (24,)}


class Drawn(NamedTuple):
    """One case: what is computed.

    Attributes:
        encrypt: the direction of a cipher; an AEAD encrypts, a hash has none.
        key: as setkey takes it; None for an unkeyed hash.
        iv: of the kernel's length; empty for a hash.
        assoc: of an AEAD.
        data: the text or message.
        authsize: the tag size of an AEAD in bytes; 0 for others.
    """

    encrypt: bool
    key: bytes | None
    iv: bytes
    assoc: bytes
    data: bytes
    authsize: int


class _Stream:
    """Bytes of one case, in the order in which they are taken."""

    def __init__(self, algorithm: str, index: int) -> None:
        self._shake = hashlib.shake_128(_LABEL + algorithm.encode() + b" " + str(index).encode())
        self._data = b""
        self._at = 0

    def take(self, count: int) -> bytes:
        if self._at + count > len(self._data):
            self._data = self._shake.digest(2 * (self._at + count) + 256)
        self._at += count
        return self._data[self._at - count : self._at]


def draw(algorithm: str, index: int) -> Drawn:
    """Case `index` of an algorithm.

    Raises:
        LookupError: the algorithm's sizes are not known here.
    """
    stream = _Stream(algorithm, index)
    if (combined := aead_shape(algorithm)) is not None:
        return _aead(algorithm, combined, index, stream)
    if (shape := cipher_shape(algorithm)) is not None:
        key = stream.take(_pick(_KEY_SIZES.get(algorithm, shape.key_sizes), index))
        iv = stream.take(shape.ivsize)
        return Drawn(index % 2 == 0, key, iv, b"", stream.take(_length(shape, index)), 0)
    if digest_size(algorithm) is None:
        raise LookupError(f"no known sizes for {algorithm!r}")
    mac_key: bytes | None = None
    if algorithm in _CMAC_KEYS:
        mac_key = stream.take(_pick(_CMAC_KEYS[algorithm], index))
    elif algorithm.startswith(_KEYED):
        mac_key = stream.take(1 + index % _MAC_KEY)
    return Drawn(True, mac_key, b"", b"", stream.take(index % _LENGTHS), 0)


def _aead(algorithm: str, shape: AeadShape, index: int, stream: _Stream) -> Drawn:
    key = stream.take(_pick(shape.cipher.key_sizes, index))
    sizes = shape.authsizes or (shape.maxauthsize, 12)
    if algorithm.startswith("authenc("):
        key = authenc_key(stream.take(index % _MAC_KEY), key)
    iv = stream.take(shape.cipher.ivsize)
    if algorithm == "ccm(aes)":
        iv = ccm_iv(iv[: 7 + index // 5 % 7])
    assoc = stream.take(index // 2 % _ASSOC)
    data = stream.take(_length(shape.cipher, index))
    return Drawn(True, key, iv, assoc, data, _pick(sizes, index // 3))


def _pick(sizes: tuple[int, ...], index: int) -> int:
    return sizes[index % len(sizes)]


def _length(shape: CipherShape, index: int) -> int:
    whole = index % _LENGTHS if shape.unit == 1 else index % _BLOCKS * shape.unit
    return max(shape.least, whole)


class Accumulator:
    """The digest of the outputs of the first cases."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self.count = 0

    def add(self, outputs: Iterable[bytes]) -> str:
        """Take the outputs of the next cases; the digest so far in hexadecimal."""
        for output in outputs:
            self._digest.update(len(output).to_bytes(4, "big") + output)
            self.count += 1
        return self._digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Pin:
    """The digest of an algorithm after its first `count` cases, in hexadecimal."""

    count: int
    digest: str


@lru_cache(maxsize=1)
def _listed() -> dict[str, tuple[Pin, ...]]:
    path = importlib.resources.files("tcrypt.vectors") / _NAME
    root = read_document(read_text(path, _NAME), _NAME)
    counts = [root.integer("few", minimum=1), root.integer("all", minimum=1)]
    found: dict[str, tuple[Pin, ...]] = {}
    for entry in root.sequence("digests"):
        name = entry.text("algorithm")
        digests = [entry.octets("few").hex(), entry.octets("all").hex()]
        entry.close()
        if name in found:
            raise VectorError(_NAME, 0, name, "given twice")
        found[name] = tuple(map(Pin, counts, digests))
    root.close()
    return found


def pins(algorithm: str | None = None) -> dict[str, tuple[Pin, ...]]:
    """The pinned digests, the fewest cases first: of one algorithm, if it has any, or of all.

    Raises:
        VectorError: the shipped list is broken.
    """
    listed = _listed()
    if algorithm is None:
        return dict(listed)
    return {algorithm: listed[algorithm]} if algorithm in listed else {}
