"""How data lies in memory: named, immutable layouts, apart from what is computed.

Testmgr's own layouts come first (kernel-crypto, section 1.4: the eight of Linux 6.1 and the one
that mainline adds); the rest is ours.  docs/layouts.md says which is which.  Proportions are
in 1/100 of a percent of the total, offsets in bytes from a page boundary.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from functools import lru_cache

__all__ = (
    "AEAD_LAYOUTS",
    "CIPHER_LAYOUTS",
    "HASH_LAYOUTS",
    "MANY_CIPHER_LAYOUTS",
    "MANY_HASH_LAYOUTS",
    "PAGE",
    "CipherLayout",
    "Division",
    "Final",
    "Flush",
    "HashLayout",
    "InPlace",
    "cipher_layout",
    "divide",
    "hash_layout",
    "slug",
)

PAGE = 4096
_WHOLE = 10_000


class InPlace(enum.Enum):
    """Whether source and destination share memory."""

    NO = "out of place"
    ONE_LIST = "one list"
    TWO_LISTS = "two lists"


class Flush(enum.Enum):
    """What a hash test does before a division: nothing, an update, or also export and import."""

    NONE = "none"
    FLUSH = "flush"
    REIMPORT = "reimport"


class Final(enum.Enum):
    """How a hash test ends."""

    FINAL = "final"
    FINUP = "finup"
    DIGEST = "digest"


@dataclass(frozen=True, slots=True)
class Division:
    """A share of the data in a buffer of its own, `offset` bytes behind a page boundary."""

    proportion: int
    offset: int = 0
    flush: Flush = Flush.NONE


# Layouts are named constants: they compare by identity, which makes them cheap as cache keys.
@dataclass(frozen=True, slots=True, eq=False)
class CipherLayout:
    """A layout for one skcipher or AEAD request.

    Attributes:
        name: unique; shown with every failure.
        src: how the source is cut.
        dst: how the destination is cut; empty for "as the source".  Without meaning in place.
        in_place: whether the destination is the source.
        iv_offset: bytes from an aligned address to the IV.
        may_sleep: whether the request carries MAY_SLEEP.
        hasty: whether a request that is alone goes without MAY_BACKLOG: it has nobody to wait for.
        empty_entries: whether zero-length entries stand between the others.
        slack: bytes that the lists describe behind what the request processes.
        shared_head: whether both lists of an AEAD begin with the same entry, which holds the AAD.
    """

    name: str
    src: tuple[Division, ...]
    dst: tuple[Division, ...] = ()
    in_place: InPlace = InPlace.NO
    iv_offset: int = 0
    may_sleep: bool = False
    hasty: bool = False
    empty_entries: bool = False
    slack: int = 0
    shared_head: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class HashLayout:
    """A layout for one message: where it lies, and in which steps it is hashed.

    `hasty`, `empty_entries` and `slack` are as in `CipherLayout`, the last two only for layouts of
    one step.
    """

    name: str
    src: tuple[Division, ...]
    final: Final
    may_sleep: bool = False
    hasty: bool = False
    empty_entries: bool = False
    slack: int = 0


_ALL = (Division(_WHOLE),)
_THREE = (Division(1900, 33), Division(3300, 7), Division(4800, 18))
_CROSSING = (Division(7500, PAGE - 32), Division(2500, PAGE - 7))
_EVEN = (Division(5000), Division(5000))
_FIVE = tuple(Division(2000, offset) for offset in (4, 8, 12, 16, 20))
_ODD_TAIL = (Division(9000, 64), Division(999, 8), Division(1, 3))
_FOUR = tuple(Division(2500) for _ in range(4))
_TEN = tuple(Division(1000) for _ in range(10))
# More entries than an 8-bit count or a table on a stack holds; a list of 6400 bytes is cut into
# blocks of AES, one of 3200 into those of DES, and one of 25,600 into those of SHA-1.
_MANY = tuple(Division(25) for _ in range(400))
_UNEVEN = (*(96 + 8 * (n % 27) for n in range(49)), 640)

CIPHER_LAYOUTS = (
    CipherLayout("in-place (one sglist)", _ALL, in_place=InPlace.ONE_LIST),
    CipherLayout("in-place (two sglists)", _ALL, in_place=InPlace.TWO_LISTS),
    CipherLayout("out-of-place", _ALL),
    CipherLayout("unaligned buffer, offset=1", (Division(_WHOLE, 1),), iv_offset=1),
    CipherLayout("two even aligned splits", _EVEN),
    CipherLayout("one src, two even splits dst", _ALL, _EVEN),
    CipherLayout("uneven misaligned splits, may sleep", _THREE, iv_offset=3, may_sleep=True),
    CipherLayout(
        "misaligned splits crossing pages, inplace", _CROSSING, in_place=InPlace.ONE_LIST
    ),
    CipherLayout("five splits src, three splits dst", _FIVE, _THREE, iv_offset=5),
    CipherLayout("even splits in place", _EVEN, in_place=InPlace.ONE_LIST),
    CipherLayout("empty entries between splits", _EVEN, _ODD_TAIL, empty_entries=True),
    CipherLayout("lists longer than the request", _ALL, slack=24),
    CipherLayout(
        "split lists longer than the request, inplace", _EVEN, (), InPlace.ONE_LIST, slack=40
    ),
    CipherLayout("two even splits src, one dst", _EVEN, (Division(_WHOLE, 4),)),
    CipherLayout("even splits, inplace (two sglists)", _EVEN, (), InPlace.TWO_LISTS),
    CipherLayout("four even splits src, ten dst", _FOUR, _TEN, iv_offset=4, hasty=True),
    CipherLayout("ten even splits src, one dst", _TEN, _ALL, may_sleep=True, hasty=True),
    CipherLayout("ten even splits, inplace", _TEN, in_place=InPlace.ONE_LIST),
    CipherLayout("one buffer behind an empty entry", _ALL, empty_entries=True),
    CipherLayout(
        "one buffer behind an empty entry, inplace", _ALL, (), InPlace.ONE_LIST, empty_entries=True
    ),
    CipherLayout("aligned src, unaligned dst", _ALL, (Division(_WHOLE, 2),)),
    CipherLayout("unaligned src, aligned dst", (Division(_WHOLE, 2),), _ALL),
    CipherLayout("unaligned lists longer than the request", (Division(_WHOLE, 3),), slack=24),
)

# As the kernel's TLS has its records: the text moves from one place to another, the AAD is there
# once.  Only what has AAD can have it in common.
AEAD_LAYOUTS = (
    CipherLayout("shared AAD, one src, one dst", _ALL, shared_head=True),
    CipherLayout("shared AAD, even splits src, three splits dst", _EVEN, _THREE, shared_head=True),
)

# Apart from the others, which take turns in long walks: these cost a millisecond each.
MANY_CIPHER_LAYOUTS = (
    CipherLayout("four hundred even splits", _MANY),
    CipherLayout("four hundred even splits, inplace", _MANY, in_place=InPlace.ONE_LIST),
    CipherLayout("one src, four hundred even splits dst", _ALL, _MANY),
)

HASH_LAYOUTS = (
    HashLayout("init+update+final aligned buffer", _ALL, Final.FINAL),
    HashLayout("init+finup aligned buffer", _ALL, Final.FINUP),
    HashLayout("digest aligned buffer", _ALL, Final.DIGEST),
    HashLayout("init+update+final misaligned buffer", (Division(_WHOLE, 1),), Final.FINAL),
    HashLayout("digest misaligned buffer", (Division(_WHOLE, 1),), Final.DIGEST),
    HashLayout(
        "init+update+update+final two even splits",
        (Division(5000), Division(5000, 0, Flush.FLUSH)),
        Final.FINAL,
    ),
    HashLayout("digest uneven misaligned splits, may sleep", _THREE, Final.DIGEST, may_sleep=True),
    HashLayout("digest misaligned splits crossing pages", _CROSSING, Final.DIGEST),
    HashLayout(
        "import/export",
        (Division(6500, 0, Flush.REIMPORT), Division(3500, 0, Flush.REIMPORT)),
        Final.FINAL,
    ),
    HashLayout(
        "uneven updates, finup of the rest",
        (Division(1), Division(3000, 5, Flush.FLUSH), Division(6999, 2, Flush.FLUSH)),
        Final.FINUP,
    ),
    HashLayout(
        "import/export in the middle of two splits, finup",
        (Division(3000, 1), Division(4000, 6), Division(3000, 0, Flush.REIMPORT)),
        Final.FINUP,
    ),
    HashLayout("digest four even aligned splits", _FOUR, Final.DIGEST, hasty=True),
    HashLayout(
        "digest twenty even aligned splits",
        tuple(Division(500) for _ in range(20)),
        Final.DIGEST,
        may_sleep=True,
        hasty=True,
    ),
    HashLayout(
        "digest aligned splits of unlike length",
        (Division(5000), Division(2500), Division(1250), Division(1250)),
        Final.DIGEST,
    ),
    HashLayout(
        "digest empty entries between aligned splits", _EVEN, Final.DIGEST, empty_entries=True
    ),
    HashLayout("digest of a list longer than the message", _EVEN, Final.DIGEST, slack=64),
    HashLayout(
        "updates of several splits each, finup of two",
        (
            *(Division(1100), Division(940, 3), Division(60, 1)),
            *(Division(1900, 0, Flush.FLUSH), Division(50, 2), Division(1500, 6)),
            *(Division(1000, 4, Flush.REIMPORT), Division(1100, 1), Division(40, 5)),
            *(Division(1300, 0, Flush.FLUSH), Division(1010, 2)),
        ),
        Final.FINUP,
    ),
)

MANY_HASH_LAYOUTS = (
    HashLayout("digest four hundred even splits", _MANY, Final.DIGEST),
    HashLayout("init+update+final four hundred even splits", _MANY, Final.FINAL),
    HashLayout(
        "fifty uneven updates",
        tuple(Division(share, n % 5, Flush.FLUSH) for n, share in enumerate(_UNEVEN)),
        Final.FINAL,
    ),
)


@lru_cache(maxsize=256)
def slug(name: str) -> str:
    """A layout name as it appears in ids: lower case, words joined by hyphens."""
    words = "".join(c if c.isalnum() else " " for c in name.lower()).split()
    return "-".join(words)


_CIPHER_BY_SLUG = {slug(a.name): a for a in (*CIPHER_LAYOUTS, *AEAD_LAYOUTS, *MANY_CIPHER_LAYOUTS)}
_HASH_BY_SLUG = {slug(a.name): a for a in (*HASH_LAYOUTS, *MANY_HASH_LAYOUTS)}


def cipher_layout(name: str) -> CipherLayout:
    """The named cipher layout of a slug; ValueError with the choices for an unknown one."""
    if name not in _CIPHER_BY_SLUG:
        raise ValueError(f"no cipher layout {name!r}; there are {', '.join(_CIPHER_BY_SLUG)}")
    return _CIPHER_BY_SLUG[name]


def hash_layout(name: str) -> HashLayout:
    """The named hash layout of a slug; ValueError with the choices for an unknown one."""
    if name not in _HASH_BY_SLUG:
        raise ValueError(f"no hash layout {name!r}; there are {', '.join(_HASH_BY_SLUG)}")
    return _HASH_BY_SLUG[name]


def divide(total: int, divisions: tuple[Division, ...]) -> list[tuple[Division, int]]:
    """Cut `total` bytes by proportions as testmgr does (kernel-crypto, section 1.5).

    Shares are rounded to the nearest byte, empty ones are dropped (but for one if all are), and
    what remains goes to the last.
    """
    shares: list[tuple[Division, int]] = []
    remaining = total
    for division in divisions:
        length = min(remaining, (total * division.proportion + _WHOLE // 2) // _WHOLE)
        if length:
            shares.append((division, length))
            remaining -= length
    if not shares:
        shares.append((divisions[0], 0))
    if remaining:
        division, length = shares[-1]
        shares[-1] = (division, length + remaining)
    return shares
