"""How testmgr lays data out: its default configurations, and those that it draws.

A drawn configuration has a number and is the same in every run; which numbers a vector gets
follows from the run's seed.  An alignmask of 0 is what drivers here declare: what is relative to
it is not.
"""

from __future__ import annotations

from functools import cache
from random import Random

from tcrypt.layouts import (
    CIPHER_LAYOUTS,
    HASH_LAYOUTS,
    PAGE,
    CipherLayout,
    Division,
    Final,
    Flush,
    HashLayout,
    InPlace,
)

__all__ = ("CONFIGS", "DRAWN", "HASH_CONFIGS", "drawn_config", "drawn_hash_config")

# What stands next to a layout of the suite in Linux 6.1: an offset of 1 behind the alignmask.
_AT_ONE = (Division(10_000, 1),)
CONFIGS = (
    *CIPHER_LAYOUTS[:4],
    CipherLayout("buffer aligned only to alignmask", _AT_ONE, iv_offset=1),
    CIPHER_LAYOUTS[4],
    *CIPHER_LAYOUTS[6:8],
)
HASH_CONFIGS = (
    *HASH_LAYOUTS[:4],
    HashLayout("digest buffer aligned only to alignmask", _AT_ONE, Final.DIGEST),
    *HASH_LAYOUTS[5:9],
)

# How many drawn configurations there are.
DRAWN = 1000
_WHOLE = 10_000
_MOST_DIVISIONS = 8
_IN_PLACE = (InPlace.NO, InPlace.NO, InPlace.ONE_LIST, InPlace.TWO_LISTS)
_FINALS = (Final.FINAL, Final.FINUP, Final.DIGEST, Final.DIGEST)
_FLUSHES = (Flush.REIMPORT, Flush.FLUSH, Flush.NONE, Flush.NONE)


@cache
def drawn_config(number: int) -> CipherLayout:
    """A configuration of a cipher request by the shares of section 2.3."""
    dice = Random(f"testmgr cipher config {number}")
    in_place = dice.choice(_IN_PLACE)
    src = _divisions(dice)
    apart = in_place is InPlace.NO and dice.random() < 0.5
    return CipherLayout(
        f"random {number}",
        src,
        _divisions(dice) if apart else (),
        in_place,
        iv_offset=dice.randint(1, 63) if dice.random() < 0.5 else 0,
        may_sleep=dice.random() < 0.5,
    )


@cache
def drawn_hash_config(number: int) -> HashLayout:
    """A configuration of a message; flushes only where there are updates."""
    dice = Random(f"testmgr hash config {number}")
    final = dice.choice(_FINALS)
    divisions = _divisions(dice)
    if final is not Final.DIGEST:
        divisions = tuple(
            Division(d.proportion, d.offset, dice.choice(_FLUSHES)) for d in divisions
        )
    return HashLayout(f"random {number}", divisions, final, may_sleep=dice.random() < 0.5)


def _divisions(dice: Random) -> tuple[Division, ...]:
    left, found = _WHOLE, list[Division]()
    while left:
        last = len(found) == _MOST_DIVISIONS - 1 or dice.random() < 0.5
        share = left if last else dice.randint(1, left)
        found.append(Division(share, _offset(dice)))
        left -= share
    return tuple(found)


def _offset(dice: Random) -> int:
    kind = dice.randrange(8)
    if kind < 2:
        return dice.randint(PAGE - 128, PAGE - 1)
    return dice.randrange(32 if kind < 5 else PAGE)
