"""What every vector format is turned into: frozen records of bytes and integers.

A vector says what to compute, never how the data lies in memory.  All data are `bytes`; all
sizes are in bytes.  The meaning of the fields follows the Linux crypto API, as its own test
manager understands them.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable

import msgspec

__all__ = (
    "KINDS",
    "STAGES",
    "AeadVector",
    "Chain",
    "CipherChain",
    "Expect",
    "HashChain",
    "HashVector",
    "Inapplicable",
    "Operation",
    "Origin",
    "Reason",
    "SkcipherVector",
    "Vector",
    "VectorSet",
)

KINDS = ("skcipher", "aead", "ahash")
"""The kinds of transform that have vectors, as the kernel names their types."""

STAGES = ("setkey", "setauthsize", "crypt")
"""The calls that a vector may expect to be refused, in the order in which they are made."""


class _Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a file can hold; `tcrypt.vectors.compact` writes and reads these as they are."""


class Operation(enum.Enum):
    """The directions in which a vector is to be run."""

    ENCRYPT = "encrypt"
    DECRYPT = "decrypt"
    BOTH = "both"


class Reason(enum.Enum):
    """Why a published vector cannot be put to the Linux crypto API; the value is its code."""

    BIT_LENGTH = "bit-length"
    """The message is no whole number of bytes."""
    IV_LENGTH = "iv-length"
    """The algorithm's IV has another length, and no call takes one of this length."""
    TAG_LENGTH = "tag-length"
    """The tag has a length that no call can ask for."""
    PADDING = "padding"
    """The test is about padding, which is not the algorithm's work."""
    ACCEPTABLE = "acceptable"
    """The publication leaves open what must come out."""
    CHAIN = "chain"
    """A Monte Carlo chain by a rule that this project has no second source for."""
    FIELDS = "fields"
    """The values lack what a call needs."""
    LARGE = "large"
    """The message is of gibibytes, larger than what was asked for."""


class Inapplicable(_Record, frozen=True, gc=False, tag="inapplicable"):
    """A published vector that has no counterpart in the Linux crypto API.

    Attributes:
        id: As in `SkcipherVector`.
        reason: Why not.
    """

    id: str
    reason: Reason


class Expect(_Record, frozen=True, gc=False):
    """A refusal that the vector demands; every call before `stage` must succeed.

    Attributes:
        stage: The call that must be refused, one of `STAGES`.
        errno: The error it must give, by name, such as "EINVAL".
        forbid_weak: Only when the caller forbids weak keys (FORBID_WEAK_KEYS).
        rule: Why, in words; may be empty.
    """

    stage: str
    errno: str
    forbid_weak: bool = False
    rule: str = ""


class SkcipherVector(_Record, frozen=True, gc=False, tag="skcipher"):
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


class AeadVector(_Record, frozen=True, gc=False, tag="aead"):
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
        unsealed: The source tells no plaintext (a forgery), or no result (a refusal); zeros
            stand for it, of which only the length has a meaning.
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
    unsealed: bool = False


class HashVector(_Record, frozen=True, gc=False, tag="ahash"):
    """One digest, keyed or not.

    Attributes:
        id: As in `SkcipherVector`.
        key: What is handed to setkey; None means that setkey is not called at all.
        message: The data.
        digest: The first bytes of the digest, all of them unless the source truncates: the
            kernel always returns the full digest, so compare a prefix of this length.
        expect: The refusal demanded instead of a digest.
        forged: `digest` is a wrong one, which no driver may give.
        length: Bytes of the whole data, which are `message` again and again, cut there; None
            when `message` is all.
    """

    id: str
    key: bytes | None
    message: bytes
    digest: bytes
    expect: Expect | None = None
    forged: bool = False
    length: int | None = None


class HashChain(_Record, frozen=True, gc=False, tag="hash-chain"):
    """One outer round of a Monte Carlo test of a hash: many digests, each of earlier ones.

    Attributes:
        id: As in `SkcipherVector`.
        seed: Stands for the three digests before the first: each message is the three digests
            before it, the oldest first (SHAVS, 6.4).
        digest: The last digest.
        inner: How many digests are computed.
    """

    id: str
    seed: bytes
    digest: bytes
    inner: int = 1000


class CipherChain(_Record, frozen=True, gc=False, tag="cipher-chain"):
    """One outer round of a Monte Carlo test of a block cipher in ecb or cbc mode.

    Each step takes what the step before last gave out, in CBC with the IV that the last step
    left; the second takes the first IV (AESAVS, 6.4; SP 800-20 for triple DES that encrypts).
    In ECB each takes the last result, as it does in CBC when triple DES decrypts.

    Attributes:
        id: As in `SkcipherVector`.
        key: What is handed to setkey.
        iv: `ivsize` bytes, for the first step.
        start: What the first step is given, one block.
        end: What the last step gives out.
        encrypt: The direction.
        inner: How many steps there are.
        latest: Whether each step takes the last result in every mode.
    """

    id: str
    key: bytes
    iv: bytes
    start: bytes
    end: bytes
    encrypt: bool
    inner: int = 1000
    latest: bool = False


Vector = SkcipherVector | AeadVector | HashVector
Chain = HashChain | CipherChain


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

    def made(
        self,
        records: Iterable[Vector | Inapplicable | Chain],
        *,
        derived: bool = False,
    ) -> VectorSet:
        """The set of a file's records, sorted by what they are."""
        vectors: list[Vector] = []
        inapplicable: list[Inapplicable] = []
        chains: list[Chain] = []
        for record in records:
            if isinstance(record, Inapplicable):
                inapplicable.append(record)
            elif isinstance(record, HashChain | CipherChain):
                chains.append(record)
            else:
                vectors.append(record)
        return VectorSet(
            source=self.source,
            name=self.name,
            algorithm=self.algorithm,
            kind=self.kind,
            title=self.title,
            url=self.url,
            licence=self.licence,
            vectors=tuple(vectors),
            inapplicable=tuple(inapplicable),
            chains=tuple(chains),
            derived=derived,
        )


class VectorSet(Origin, frozen=True, kw_only=True):
    """The vectors of one file, with its origin.

    Attributes:
        vectors: The vectors, in the order of the file.
        inapplicable: What the file holds that no driver can be given, with the reason.
        chains: The outer rounds of Monte Carlo tests.
        derived: True when the values were computed for this project, not taken from a
            publication; a report must not show them as a standard's.
    """

    vectors: tuple[Vector, ...]
    inapplicable: tuple[Inapplicable, ...] = ()
    chains: tuple[Chain, ...] = ()
    derived: bool = False
