"""Where buffers lie: apart, guarded, at the offsets that a layout asks for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcrypt.arena import (
    GUARD,
    POISON,
    Chunk,
    CipherPlan,
    load,
    plan_cipher,
    plan_message,
    store,
)
from tcrypt.layouts import (
    AEAD_LAYOUTS,
    CIPHER_LAYOUTS,
    HASH_LAYOUTS,
    PAGE,
    CipherLayout,
    HashLayout,
    InPlace,
    cipher_layout,
    divide,
)

_OUT_OF_PLACE = cipher_layout("out-of-place")
_lengths = st.integers(0, 300) | st.sampled_from([4095, 4096, 4097, 9000])
_layouts = st.sampled_from(CIPHER_LAYOUTS)


def buffers(plan: CipherPlan, ivsize: int) -> list[tuple[int, int]]:
    """Start and end of every buffer, source and destination counted once where they are one."""
    chunks = set(plan.src) | set(plan.dst)
    return sorted(
        [*((c.offset, c.offset + c.length) for c in chunks), (plan.iv, plan.iv + ivsize)]
    )


@given(_layouts, _lengths, _lengths, st.sampled_from([0, 8, 16]))
def test_every_buffer_has_guards_of_its_own(
    layout: CipherLayout, src_len: int, dst_len: int, ivsize: int
) -> None:
    plan = plan_cipher(layout, src_len, dst_len, ivsize)
    end = 0
    for start, stop in buffers(plan, ivsize):
        assert start >= end + GUARD, "in front"
        end = stop + GUARD
    assert end <= plan.size, "behind the last"


@given(_layouts, _lengths, _lengths)
def test_lists_hold_what_the_request_needs(
    layout: CipherLayout, src_len: int, dst_len: int
) -> None:
    plan = plan_cipher(layout, src_len, dst_len, 16)
    longest = max(src_len, dst_len)
    shared = layout.in_place is not InPlace.NO
    assert plan.shared == shared
    for chunks, needed in ((plan.src, src_len), (plan.dst, dst_len)):
        total = sum(chunk.length for chunk in chunks)
        assert total == (longest if shared else needed) + layout.slack
        assert [chunk.start for chunk in chunks] == [
            sum(c.length for c in chunks[:i]) for i in range(len(chunks))
        ]


@given(_layouts, _lengths)
def test_in_place_source_and_destination_are_one(layout: CipherLayout, length: int) -> None:
    plan = plan_cipher(layout, length, length + 16, 16)
    assert (plan.dst is plan.src) == (layout.in_place is not InPlace.NO)


@given(_layouts, _lengths)
def test_buffers_lie_at_the_offsets_of_the_layout(layout: CipherLayout, length: int) -> None:
    plan = plan_cipher(layout, length, length, 16)
    chunks = [chunk for chunk in plan.src if chunk.length or not layout.empty_entries]
    shares = divide(length + layout.slack, layout.src)
    if not layout.empty_entries:
        assert len(chunks) == len(shares)
    for (division, share), chunk in zip(shares, chunks, strict=False):
        assert chunk.length == share
        granule = PAGE if division.offset >= 64 else 64
        assert chunk.offset % granule == division.offset
    assert plan.iv % 64 == layout.iv_offset


@pytest.mark.parametrize("layout", CIPHER_LAYOUTS, ids=lambda layout: layout.name)
def test_empty_entries_stand_where_the_layout_wants_them(layout: CipherLayout) -> None:
    plan = plan_cipher(layout, 1000, 1000, 16)
    empty = [i for i, chunk in enumerate(plan.src) if not chunk.length]
    assert empty == (list(range(0, len(plan.src), 2)) if layout.empty_entries else [])


@pytest.mark.parametrize("layout", AEAD_LAYOUTS, ids=lambda layout: layout.name)
def test_a_shared_head_is_one_entry_of_both_lists_and_nothing_else_is(
    layout: CipherLayout,
) -> None:
    plan = plan_cipher(layout, 8 + 64, 8 + 84, 16, 8)
    assert plan.src[0] == plan.dst[0]
    assert plan.src[0].length == 8
    assert not {chunk.offset for chunk in plan.src[1:]} & {chunk.offset for chunk in plan.dst[1:]}
    for chunks, length in ((plan.src, 72), (plan.dst, 92)):
        starts = [chunk.start for chunk in chunks]
        assert starts == [sum(c.length for c in chunks[:i]) for i in range(len(chunks))]
        assert sum(chunk.length for chunk in chunks) == length
    assert not plan.shared, "the text has two places"


def test_a_layout_with_a_shared_head_is_like_any_other_where_there_is_none() -> None:
    apart, shared = cipher_layout("out-of-place"), AEAD_LAYOUTS[0]
    assert plan_cipher(shared, 64, 64, 16).src == plan_cipher(apart, 64, 64, 16).src


def test_a_crossing_layout_crosses_pages() -> None:
    layout = cipher_layout("misaligned-splits-crossing-pages-inplace")
    plan = plan_cipher(layout, 512, 512, 16)
    assert len(plan.src) == 2
    for chunk in plan.src:
        assert chunk.offset // PAGE != (chunk.offset + chunk.length - 1) // PAGE


@given(_layouts, st.binary(max_size=300), st.binary(min_size=16, max_size=16))
def test_the_image_is_poison_but_for_source_and_iv(
    layout: CipherLayout, source: bytes, iv: bytes
) -> None:
    plan = plan_cipher(layout, len(source), len(source) + 8, 16)
    image = plan.image(source, iv)
    assert len(image) == plan.size
    assert load(image, plan.src, len(source)) == source
    assert image[plan.iv : plan.iv + 16] == iv
    store(image, plan.src, bytes([POISON]) * len(source))
    image[plan.iv : plan.iv + 16] = bytes([POISON]) * 16
    assert set(image) == {POISON}


def test_images_of_one_plan_are_apart() -> None:
    plan = plan_cipher(_OUT_OF_PLACE, 32, 32, 16)
    first = plan.image(bytes(32), bytes(16))
    first[:] = bytes(len(first))
    assert plan.image(b"\x01" * 32, bytes(16))[0] == POISON


@given(_layouts, st.binary(max_size=200), st.integers(0, 100))
def test_stored_bytes_are_loaded_again(layout: CipherLayout, data: bytes, more: int) -> None:
    plan = plan_cipher(layout, len(data) + more, len(data) + more, 0)
    image = bytearray(plan.template)
    store(image, plan.dst, data)
    assert load(image, plan.dst, len(data)) == data
    assert load(bytes(image), plan.dst, len(data) + more) == data + bytes([POISON]) * more
    changed = sum(1 for a, b in zip(image, plan.template, strict=True) if a != b)
    assert changed == sum(1 for byte in data if byte != POISON)


def test_what_does_not_fit_is_not_stored() -> None:
    image = bytearray(20)
    store(image, (Chunk(2, 4, 0), Chunk(10, 3, 4)), b"123456789")
    assert image == bytes(2) + b"1234" + bytes(4) + b"567" + bytes(7)


@given(st.sampled_from(HASH_LAYOUTS), _lengths)
def test_a_message_lies_in_guarded_pieces(layout: HashLayout, length: int) -> None:
    size, chunks = plan_message(layout, length)
    lengths = [chunk.length for chunk in chunks]
    if layout.empty_entries:
        assert set(lengths[::2]) == {0}
        lengths = lengths[1::2]
    assert lengths == [n for _, n in divide(length + layout.slack, layout.src)]
    end = 0
    for chunk in chunks:
        assert chunk.offset >= end + GUARD
        end = chunk.offset + chunk.length + GUARD
    assert end <= size
