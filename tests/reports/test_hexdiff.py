"""The aligned difference of two values."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from tcrypt.reports.hexdiff import DiffRow, clipped_pair, diff_rows


def _text(rows: list[DiffRow], side: str) -> str:
    return " ".join("".join(span.text for span in getattr(row, side)) for row in rows)


def _marked(rows: list[DiffRow], side: str) -> list[str]:
    return [
        token
        for row in rows
        for span in getattr(row, side)
        if span.differs
        for token in span.text.split()
    ]


def test_exactly_the_differing_bytes_are_marked():
    rows = diff_rows("00112233445566778899aabbccddeeff", "00112233ff5566778899aabbccddee00")
    assert _marked(rows, "expected") == ["44", "ff"]
    assert _marked(rows, "got") == ["ff", "00"]
    assert [row.offset for row in rows] == ["0000"]


@given(st.binary(min_size=4, max_size=200), st.binary(max_size=200))
@example(b"\0" * 16, b"")
def test_up_to_the_limit_both_sides_are_whole_and_as_long_as_each_other(
    expected: bytes, got: bytes
):
    rows = [row for row in diff_rows(expected.hex(), got.hex()) if not row.gap]
    for side in ("expected", "got"):
        assert all(row.offset for row in rows)
        assert len(_text(rows, side).split()) == len(_text(rows, "expected").split())
    differing = sum(
        expected[i : i + 1] != got[i : i + 1] for i in range(max(len(expected), len(got)))
    )
    assert len(_marked(rows, "got")) == differing


def test_missing_bytes_are_shown_as_missing():
    rows = diff_rows("0011223344", "001122")
    assert _text(rows, "got") == "00 11 22 -- --"
    assert _marked(rows, "got") == ["--", "--"]


def test_equal_rows_far_from_a_difference_are_counted_and_left_out():
    expected = bytes(400)
    got = bytearray(expected)
    got[200] = 1
    rows = diff_rows(expected.hex(), got.hex())
    assert [row.gap or row.offset for row in rows] == [
        "11 rows equal",
        "00b0",
        "00c0",
        "00d0",
        "11 rows equal",
    ]


def test_a_long_difference_is_cut_and_says_so():
    rows = diff_rows("00" * 4096, "ff" * 4096)
    assert len(rows) < 30
    assert rows[-1].gap == f"{256 - len(rows) + 1} rows more; the report's JSON has them"


def test_what_is_no_hex_stays_as_it_was_written():
    (row,) = diff_rows("-EBADMSG (-74)", "0")
    assert (row.expected[0].text, row.got[0].text) == ("-EBADMSG (-74)", "0")
    assert not row.expected[0].differs


def test_clipping_keeps_the_difference_in_sight():
    expected, got = "00" * 500, "00" * 400 + "01" + "00" * 99
    left, right = clipped_pair(expected, got, 60)
    assert len(left) == len(right) == 60
    assert left != right
    assert right.startswith("..")
    assert right.endswith("..")
    assert clipped_pair("ab", "cd", 60) == ("ab", "cd")
