"""The key blob of the authenc templates (kernel-crypto, section 6.4)."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcrypt.engine.api.authenc import split_authenc_key


def blob(
    authkey: bytes,
    enckey: bytes,
    *,
    length: int = 8,
    kind: int = 1,
    enckeylen: int | None = None,
) -> bytes:
    """A key blob, or a malformed one."""
    size = len(enckey) if enckeylen is None else enckeylen
    return struct.pack("<HH", length, kind) + struct.pack(">I", size) + authkey + enckey


@given(st.binary(max_size=80), st.binary(max_size=40), st.booleans())
def test_both_keys_come_back(authkey: bytes, enckey: bytes, mutable: bool) -> None:
    data = blob(authkey, enckey)
    assert split_authenc_key(bytearray(data) if mutable else data) == (authkey, enckey)


def test_a_blob_byte_for_byte() -> None:
    data = bytes.fromhex("08000100 00000002 aabbcc ddee")
    assert split_authenc_key(data) == (b"\xaa\xbb\xcc", b"\xdd\xee")


def test_keys_are_copied_out_of_the_lent_blob() -> None:
    lent = bytearray(blob(b"auth", b"enc"))
    keys = split_authenc_key(lent)
    lent[:] = bytes(len(lent))
    assert keys == (b"auth", b"enc")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        blob(b"", b"")[:7],
        blob(b"a" * 20, b"e" * 16, length=9),
        blob(b"a" * 20, b"e" * 16, length=7),
        blob(b"a" * 20, b"e" * 16, kind=0),
        blob(b"a" * 20, b"e" * 16, kind=2),
        blob(b"a" * 20, b"e" * 16, enckeylen=37),
        blob(b"", b"", enckeylen=1),
        blob(b"a" * 20, b"e" * 16, enckeylen=0xFFFF_FFFF),
        # The attribute in big-endian order, as another host would write it.
        bytes.fromhex("00080001") + blob(b"a" * 20, b"e" * 16)[4:],
    ],
    ids=[
        "empty",
        "shorter than the header",
        "attribute length 9",
        "attribute length 7",
        "type 0",
        "type 2",
        "enckeylen too big by one",
        "enckeylen 1 of nothing",
        "enckeylen of 32 bits",
        "big-endian attribute",
    ],
)
def test_a_malformed_blob_is_refused(data: bytes) -> None:
    assert split_authenc_key(data) is None
