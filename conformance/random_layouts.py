"""Layouts that are drawn from a number, as testmgr's random configs are from its generator.

`random-17` is the same layout in every run and on every machine, so the name is all that a report
has to say.  The distributions are those of kernel-crypto, section 2.3, with one addition: every
second layout cuts in even shares at words, which is what hardware takes as it is.
"""

from __future__ import annotations

import re
from functools import lru_cache

from tcrypt import layouts
from tcrypt.layouts import PAGE, CipherLayout, Division, Final, Flush, HashLayout, InPlace
from tcrypt.material import draw

__all__ = ("RANDOM_LAYOUTS", "cipher_layout", "hash_layout", "random_cipher", "random_hash")

# How many numbers there are; the token of a case holds one.
RANDOM_LAYOUTS = 1000
_WHOLE = 10_000
_MOST = 8
_SHARE = 500
_RANDOM = re.compile(r"random-(0|[1-9][0-9]{0,2})")
_IN_PLACE = (InPlace.NO, InPlace.NO, InPlace.ONE_LIST, InPlace.TWO_LISTS)
_FINALS = (Final.FINAL, Final.FINUP, Final.DIGEST, Final.DIGEST)
_FLUSHES = (Flush.REIMPORT, Flush.FLUSH, Flush.NONE, Flush.NONE)


def cipher_layout(name: str) -> CipherLayout:
    """The cipher layout of a slug, named or random; ValueError for an unknown one."""
    found = _RANDOM.fullmatch(name)
    return random_cipher(int(found[1])) if found else layouts.cipher_layout(name)


def hash_layout(name: str) -> HashLayout:
    """The hash layout of a slug, named or random; ValueError for an unknown one."""
    found = _RANDOM.fullmatch(name)
    return random_hash(int(found[1])) if found else layouts.hash_layout(name)


class _Dice:
    """Throws that depend on a label only."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._thrown = 0

    def below(self, count: int) -> int:
        """A number from 0 to `count` - 1."""
        self._thrown += 1
        return int.from_bytes(draw(f"{self._label} {self._thrown}", 8), "big") % count

    def one_in(self, count: int) -> bool:
        """True once in so many throws."""
        return self.below(count) == 0


# The same object for the same number: layouts compare by identity.
@lru_cache(maxsize=RANDOM_LAYOUTS)
def random_cipher(number: int) -> CipherLayout:
    """The layout `random-<number>` of a cipher request."""
    dice = _Dice(f"cipher layout {number}")
    even = number % 2 == 1
    in_place = _IN_PLACE[dice.below(len(_IN_PLACE))]
    src = _divisions(dice, even)
    apart = in_place is InPlace.NO and dice.one_in(2)
    return CipherLayout(
        f"random {number}",
        src,
        _divisions(dice, even) if apart else (),
        in_place,
        iv_offset=1 + dice.below(63) if dice.one_in(2) else 0,
        may_sleep=dice.one_in(2),
        empty_entries=dice.one_in(8),
        slack=1 + dice.below(64) if dice.one_in(8) else 0,
    )


@lru_cache(maxsize=RANDOM_LAYOUTS)
def random_hash(number: int) -> HashLayout:
    """The layout `random-<number>` of a message."""
    dice = _Dice(f"hash layout {number}")
    final = _FINALS[dice.below(len(_FINALS))]
    whole = final is Final.DIGEST
    divisions = _divisions(dice, number % 2 == 1)
    if not whole:
        divisions = tuple(
            Division(d.proportion, d.offset, _FLUSHES[dice.below(len(_FLUSHES))])
            for d in divisions
        )
    return HashLayout(
        f"random {number}",
        divisions,
        final,
        may_sleep=dice.one_in(2),
        empty_entries=whole and dice.one_in(8),
        slack=1 + dice.below(64) if whole and dice.one_in(8) else 0,
    )


def _divisions(dice: _Dice, even: bool) -> tuple[Division, ...]:
    """One to eight shares; `even` ones are multiples of 5 % at multiples of 4 bytes."""
    unit = _SHARE if even else 1
    left = _WHOLE // unit
    found: list[Division] = []
    while left:
        last = len(found) == _MOST - 1 or dice.one_in(2)
        share = left if last else 1 + dice.below(left)
        found.append(Division(share * unit, _offset(dice) & (~3 if even else ~0)))
        left -= share
    return tuple(found)


def _offset(dice: _Dice) -> int:
    """Near the end of a page, near its start, or anywhere in it."""
    kind = dice.below(8)
    if kind < 2:
        return PAGE - 128 + dice.below(128)
    return dice.below(32 if kind < 5 else PAGE)
