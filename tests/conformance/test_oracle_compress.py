"""The states that HMAC's key blocks leave, against hashlib."""

from __future__ import annotations

import hashlib
import struct

import pytest

from tcrypt.oracle.compress import hmac_states

_IPAD = 0x36
_OPAD = 0x5C


@pytest.mark.parametrize("name", ["sha1", "sha256"])
def test_a_state_is_the_digest_where_the_key_block_is_a_padded_message(name: str) -> None:
    message = b"abc"
    block = (message + b"\x80").ljust(56, b"\0") + struct.pack(">Q", 8 * len(message))
    for place, pad in enumerate((_IPAD, _OPAD)):
        found = hmac_states(name, bytes(byte ^ pad for byte in block))
        assert found is not None
        assert found[place] == hashlib.new(name, message).digest()


@pytest.mark.parametrize("name", ["sha1", "sha256"])
def test_a_key_longer_than_a_block_stands_for_its_digest(name: str) -> None:
    key = bytes(65)
    assert hmac_states(name, key) == hmac_states(name, hashlib.new(name, key).digest())


def test_another_hash_has_none() -> None:
    assert hmac_states("sha512", b"key") is None
