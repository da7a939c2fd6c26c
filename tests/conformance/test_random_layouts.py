"""Random layouts: whole, legal, the same for the same number, and of every kind."""

from __future__ import annotations

from collections import Counter

import pytest

from tcrypt.layouts import PAGE, Final, Flush, InPlace, divide
from tcrypt.layouts import cipher_layout as named_cipher
from tcrypt.layouts import hash_layout as named_hash
from tcrypt.random_layouts import (
    RANDOM_LAYOUTS,
    cipher_layout,
    hash_layout,
    random_cipher,
    random_hash,
)

_CIPHERS = [random_cipher(number) for number in range(RANDOM_LAYOUTS)]
_HASHES = [random_hash(number) for number in range(RANDOM_LAYOUTS)]


def test_shares_are_whole_and_offsets_within_a_page() -> None:
    for layout in (*_CIPHERS, *_HASHES):
        for divisions in (layout.src, getattr(layout, "dst", ()) or layout.src):
            assert sum(division.proportion for division in divisions) == 10_000
            assert all(division.proportion > 0 for division in divisions)
            assert all(0 <= division.offset < PAGE for division in divisions)
            assert len(divisions) <= 8


def test_in_place_there_is_no_other_destination() -> None:
    assert all(layout.in_place is InPlace.NO or not layout.dst for layout in _CIPHERS)


def test_one_step_has_nothing_to_flush_and_others_no_odd_lists() -> None:
    for layout in _HASHES:
        if layout.final is Final.DIGEST:
            assert {division.flush for division in layout.src} == {Flush.NONE}
        else:
            assert not layout.empty_entries
            assert not layout.slack


def test_every_second_layout_cuts_blocks_at_words() -> None:
    for layout in _CIPHERS[1::2]:
        for divisions in (layout.src, layout.dst or layout.src):
            assert {length % 16 for _, length in divide(320, divisions)} == {0}
            assert {division.offset % 4 for division in divisions} == {0}


def test_every_kind_of_placement_is_among_them() -> None:
    """The shares of kernel-crypto, section 2.3, within a fifth of each."""
    modes = Counter(layout.in_place for layout in _CIPHERS)
    assert 400 < modes[InPlace.NO] < 600
    assert 200 < modes[InPlace.ONE_LIST] < 300
    assert 200 < modes[InPlace.TWO_LISTS] < 300
    for odd in ("may_sleep", "iv_offset"):
        assert 400 < sum(bool(getattr(layout, odd)) for layout in _CIPHERS) < 600
    assert {layout.iv_offset for layout in _CIPHERS} == set(range(64))
    assert 200 < sum(bool(layout.dst) for layout in _CIPHERS) < 300
    finals = Counter(layout.final for layout in _HASHES)
    assert 200 < finals[Final.FINAL] < 300
    assert 200 < finals[Final.FINUP] < 300
    flushes = Counter(d.flush for layout in _HASHES for d in layout.src)
    assert min(flushes[Flush.FLUSH], flushes[Flush.REIMPORT]) > 150


def test_a_number_names_one_layout_and_names_stay_what_they_were() -> None:
    assert cipher_layout("random-17") is cipher_layout("random-17") is random_cipher(17)
    assert hash_layout("random-17") is random_hash(17)
    assert cipher_layout("out-of-place") is named_cipher("out-of-place")
    assert hash_layout("import-export") is named_hash("import-export")
    # What is drawn from a number may not change: tokens in old reports name it.
    assert [d.proportion for d in random_cipher(1).src] == [5500, 4500]
    assert random_cipher(2).in_place is InPlace.NO
    assert random_cipher(3).in_place is InPlace.TWO_LISTS


@pytest.mark.parametrize("name", ["random-", "random-01", "random--1", "random-1000", "random"])
def test_a_number_that_is_none_is_answered_with_the_choices(name: str) -> None:
    with pytest.raises(ValueError, match="there are "):
        cipher_layout(name)
