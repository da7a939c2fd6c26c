"""Memory layouts: the kernel's own, how they divide lengths, their names (kernel-crypto, 1.4)."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcrypt.layouts import (
    AEAD_LAYOUTS,
    CIPHER_LAYOUTS,
    HASH_LAYOUTS,
    MANY_CIPHER_LAYOUTS,
    MANY_HASH_LAYOUTS,
    PAGE,
    CipherLayout,
    Division,
    Final,
    Flush,
    HashLayout,
    InPlace,
    cipher_layout,
    divide,
    hash_layout,
    slug,
)

_CIPHER = (*CIPHER_LAYOUTS, *AEAD_LAYOUTS, *MANY_CIPHER_LAYOUTS)
_HASH = (*HASH_LAYOUTS, *MANY_HASH_LAYOUTS)
_ALL = [*_CIPHER, *_HASH]
_NO, _ONE, _TWO = InPlace.NO, InPlace.ONE_LIST, InPlace.TWO_LISTS
_THREE = [(1900, 33), (3300, 7), (4800, 18)]
_CROSSING = [(7500, PAGE - 32), (2500, PAGE - 7)]
_EVEN = [(5000, 0), (5000, 0)]


def places(divisions: tuple[Division, ...]) -> list[tuple[int, int]]:
    return [(division.proportion, division.offset) for division in divisions]


def divisions_of(layout: CipherLayout | HashLayout) -> list[tuple[Division, ...]]:
    found = [layout.src]
    if isinstance(layout, CipherLayout) and layout.dst:
        found.append(layout.dst)
    return found


@pytest.mark.parametrize(
    ("name", "src", "dst", "in_place", "iv_offset", "may_sleep"),
    [
        ("in-place (one sglist)", [(10000, 0)], [], _ONE, 0, False),
        ("in-place (two sglists)", [(10000, 0)], [], _TWO, 0, False),
        ("out-of-place", [(10000, 0)], [], _NO, 0, False),
        ("unaligned buffer, offset=1", [(10000, 1)], [], _NO, 1, False),
        ("two even aligned splits", _EVEN, [], _NO, 0, False),
        ("one src, two even splits dst", [(10000, 0)], _EVEN, _NO, 0, False),
        ("uneven misaligned splits, may sleep", _THREE, [], _NO, 3, True),
        ("misaligned splits crossing pages, inplace", _CROSSING, [], _ONE, 0, False),
    ],
)
def test_cipher_layouts_of_the_kernel(
    name: str,
    src: list[tuple[int, int]],
    dst: list[tuple[int, int]],
    in_place: InPlace,
    iv_offset: int,
    may_sleep: bool,
) -> None:
    """The defaults of 6.1 and mainline; one is left out, as no alignmask is ever above 0 here."""
    layout = cipher_layout(slug(name))
    assert layout.name == name
    assert (places(layout.src), places(layout.dst)) == (src, dst)
    assert layout.in_place is in_place
    assert (layout.iv_offset, layout.may_sleep) == (iv_offset, may_sleep)
    assert (layout.empty_entries, layout.slack) == (False, 0)


@pytest.mark.parametrize(
    ("name", "src", "flushes", "final"),
    [
        ("init+update+final aligned buffer", [(10000, 0)], "-", Final.FINAL),
        ("init+finup aligned buffer", [(10000, 0)], "-", Final.FINUP),
        ("digest aligned buffer", [(10000, 0)], "-", Final.DIGEST),
        ("init+update+final misaligned buffer", [(10000, 1)], "-", Final.FINAL),
        ("digest misaligned buffer", [(10000, 1)], "-", Final.DIGEST),
        ("init+update+update+final two even splits", _EVEN, "-F", Final.FINAL),
        ("digest uneven misaligned splits, may sleep", _THREE, "---", Final.DIGEST),
        ("digest misaligned splits crossing pages", _CROSSING, "--", Final.DIGEST),
        ("import/export", [(6500, 0), (3500, 0)], "RR", Final.FINAL),
    ],
)
def test_hash_layouts_of_the_kernel(
    name: str, src: list[tuple[int, int]], flushes: str, final: Final
) -> None:
    layout = hash_layout(slug(name))
    assert layout.name == name
    assert places(layout.src) == src
    letters = {Flush.NONE: "-", Flush.FLUSH: "F", Flush.REIMPORT: "R"}
    assert "".join(letters[division.flush] for division in layout.src) == flushes
    assert layout.final is final
    assert layout.may_sleep == ("may sleep" in name)


@pytest.mark.parametrize("layout", _ALL, ids=lambda layout: layout.name)
def test_proportions_are_whole_and_offsets_within_a_page(
    layout: CipherLayout | HashLayout,
) -> None:
    for divisions in divisions_of(layout):
        assert sum(division.proportion for division in divisions) == 10_000
        assert all(division.proportion > 0 for division in divisions)
        assert all(0 <= division.offset < PAGE for division in divisions)


@pytest.mark.parametrize("layout", _HASH, ids=lambda layout: layout.name)
def test_one_step_has_nothing_to_flush(layout: HashLayout) -> None:
    if layout.final is Final.DIGEST:
        assert {division.flush for division in layout.src} == {Flush.NONE}


@pytest.mark.parametrize("layout", _CIPHER, ids=lambda layout: layout.name)
def test_in_place_there_is_no_other_destination(layout: CipherLayout) -> None:
    assert layout.in_place is InPlace.NO or not layout.dst


@pytest.mark.parametrize("layouts", [_CIPHER, _HASH], ids=["cipher", "hash"])
def test_slugs_are_unique_and_find_their_layout(
    layouts: tuple[CipherLayout | HashLayout, ...],
) -> None:
    find = cipher_layout if layouts is _CIPHER else hash_layout
    slugs = [slug(layout.name) for layout in layouts]
    assert len(set(slugs)) == len(slugs)
    for name, layout in zip(slugs, layouts, strict=True):
        assert find(name) is layout
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-"), "safe in an id"


@pytest.mark.parametrize("find", [cipher_layout, hash_layout])
def test_an_unknown_layout_is_answered_with_the_choices(find: object) -> None:
    with pytest.raises(ValueError, match=r"layout 'nope'; there are .*aligned") as caught:
        find("nope")  # type: ignore[operator]
    assert str(caught.value).count(",") >= 10


@pytest.mark.parametrize(
    ("total", "proportions", "lengths"),
    [
        (17, (5000, 5000), [9, 8]),
        (17, (1900, 3300, 4800), [3, 6, 8]),
        (17, (7500, 2500), [13, 4]),
        (499, (5000, 5000), [250, 249]),
        (1, (5000, 5000), [1]),
        (0, (5000, 5000), [0]),
        (0, (10000,), [0]),
        (2, (1, 9999), [2]),
        (1, (1, 9999), [1]),
    ],
)
def test_worked_divisions_of_section_1_5(
    total: int, proportions: tuple[int, ...], lengths: list[int]
) -> None:
    divisions = tuple(Division(proportion) for proportion in proportions)
    assert [length for _, length in divide(total, divisions)] == lengths


def test_shares_keep_their_division_when_others_are_dropped() -> None:
    small, large = Division(1, offset=3), Division(9999, offset=5)
    assert divide(2, (small, large)) == [(large, 2)]
    assert divide(0, (small, large)) == [(small, 0)]


@given(st.integers(0, 100_000), st.sampled_from(_ALL))
def test_shares_make_up_the_whole(total: int, layout: CipherLayout | HashLayout) -> None:
    for divisions in divisions_of(layout):
        shares = divide(total, divisions)
        assert sum(length for _, length in shares) == total
        assert all(length > 0 for _, length in shares) or shares == [(divisions[0], 0)]
        order = [divisions.index(division) for division, _ in shares]
        if len(set(divisions)) == len(divisions):
            assert order == sorted(order)


@given(st.integers(1, 100_000), st.sampled_from(_ALL))
def test_shares_are_rounded_proportions_but_for_the_last(
    total: int, layout: CipherLayout | HashLayout
) -> None:
    for divisions in divisions_of(layout):
        for division, length in divide(total, divisions)[:-1]:
            exact = total * division.proportion / 10_000
            assert abs(length - exact) <= 0.5


@pytest.mark.parametrize("size", [8, 16])
def test_hundreds_of_entries_hold_one_block_each(size: int) -> None:
    """More than 255, so that a count of 8 bits shows."""
    (divisions,) = {d for a in MANY_CIPHER_LAYOUTS for d in divisions_of(a) if len(d) > 1}
    assert [length for _, length in divide(400 * size, divisions)] == [size] * 400


def test_updates_of_several_entries_leave_a_tail_that_spans_them() -> None:
    layout = hash_layout("updates-of-several-splits-each-finup-of-two")
    lengths = [length for _, length in divide(640, layout.src)]
    first = [d.flush for d in layout.src].index(Flush.FLUSH)
    assert first > 1, "the first update has several entries"
    assert lengths[first - 1] < sum(lengths[:first]) % 64, "its tail begins in an earlier one"


def test_uneven_updates_are_of_many_lengths() -> None:
    shares = divide(25_600, hash_layout("fifty-uneven-updates").src)
    assert len(shares) == 50
    assert all(division.flush is Flush.FLUSH for division, _ in shares)
    assert len({length % 64 for _, length in shares}) > 20


def test_document_names_every_layout() -> None:
    text = (Path(__file__).parents[2] / "docs" / "layouts.md").read_text("utf-8")
    named = " ".join(text.split())
    assert [layout.name for layout in _ALL if f"`{layout.name}`" not in named] == []
