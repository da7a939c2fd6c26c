"""What every vector format is turned into: frozen records of bytes and integers.

A vector says what to compute, never how the data lies in memory.  All data are `bytes`; all
sizes are in bytes.  The meaning of the fields follows the Linux crypto API, as its own test
manager understands them.
"""

from __future__ import annotations

import enum

import msgspec

__all__ = (
    "KINDS",
    "STAGES",
    "AeadVector",
    "Expect",
    "HashVector",
    "Operation",
    "Origin",
    "SkcipherVector",
    "Vector",
    "VectorSet",
)

KINDS = ("skcipher", "aead", "ahash")
"""The kinds of transform that have vectors, as the kernel names their types."""

STAGES = ("setkey", "setauthsize", "crypt")
"""The calls that a vector may expect to be refused, in the order in which they are made."""


class Operation(enum.Enum):
    """The directions in which a vector is to be run."""

    ENCRYPT = "encrypt"
    DECRYPT = "decrypt"
    BOTH = "both"


class Expect(msgspec.Struct, frozen=True, gc=False):
    """A refusal that the vector demands; every call before `stage` must succeed.

    Attributes:
        stage: The call that must be refused, one of `STAGES`.
        errno: The error it must give, by name, such as "EINVAL".
    """

    stage: str
    errno: str


class SkcipherVector(msgspec.Struct, frozen=True, gc=False):
    """One computation of a symmetric cipher.

    Attributes:
        id: Stable and unique over all sources: `<source>:<file name>#<id in the file>`.
        key: What is handed to setkey.
        iv: `ivsize` bytes; empty when the algorithm takes none.
        ptext: Plaintext.
        ctext: Ciphertext, as long as the plaintext.
        iv_out: The IV after the operation, in both directions; None when the source is silent.
        operation: The directions that the source vouches for.
        expect: The refusal demanded instead of a result.
    """

    id: str
    key: bytes
    iv: bytes
    ptext: bytes
    ctext: bytes
    iv_out: bytes | None = None
    operation: Operation = Operation.BOTH
    expect: Expect | None = None


class AeadVector(msgspec.Struct, frozen=True, gc=False):
    """One computation of an authenticated cipher.

    Attributes:
        id: As in `SkcipherVector`.
        key: The kernel's key; for `authenc(...)` the whole blob (`tcrypt.vectors.authenc`).
        iv: `ivsize` bytes.
        assoc: Associated data.
        ptext: Plaintext.
        ctext: Ciphertext followed by the tag of `authsize` bytes.
        authsize: What is handed to setauthsize.
        operation: The directions that the source vouches for.
        novrfy: Decryption of `ctext` must fail with EBADMSG; encryption is not run.
        expect: The refusal demanded instead of a result.
    """

    id: str
    key: bytes
    iv: bytes
    assoc: bytes
    ptext: bytes
    ctext: bytes
    authsize: int
    operation: Operation = Operation.BOTH
    novrfy: bool = False
    expect: Expect | None = None


class HashVector(msgspec.Struct, frozen=True, gc=False):
    """One digest, keyed or not.

    Attributes:
        id: As in `SkcipherVector`.
        key: What is handed to setkey; None means that setkey is not called at all.
        message: The data.
        digest: The first bytes of the digest, all of them unless the source truncates: the
            kernel always returns the full digest, so compare a prefix of this length.
        expect: The refusal demanded instead of a digest.
    """

    id: str
    key: bytes | None
    message: bytes
    digest: bytes
    expect: Expect | None = None


Vector = SkcipherVector | AeadVector | HashVector


class Origin(msgspec.Struct, frozen=True):
    """Where a file of vectors comes from and what it is for.

    Attributes:
        source: Name of the source in the catalogue, such as "cavp".
        name: Path of the file in the source, with forward slashes.
        algorithm: The kernel's `cra_name`.
        kind: One of `KINDS`.
        title: The publication.
        url: Where it is published.
        licence: The terms of the vectors.
    """

    source: str
    name: str
    algorithm: str
    kind: str
    title: str = ""
    url: str = ""
    licence: str = ""

    @property
    def label(self) -> str:
        """The file as ids and messages name it."""
        return f"{self.source}:{self.name}"


class VectorSet(Origin, frozen=True, kw_only=True):
    """The vectors of one file, with its origin.

    Attributes:
        vectors: The vectors, in the order of the file.
        derived: True when the values were computed for this project, not taken from a
            publication; a report must not show them as a standard's.
    """

    vectors: tuple[Vector, ...]
    derived: bool = False
