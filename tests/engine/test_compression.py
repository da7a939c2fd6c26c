"""The compression functions, against the hashes that they are made for."""

from __future__ import annotations

import hashlib
import inspect

import pytest

from tcrypt.engine.compression import (
    MD5_INITIAL,
    SHA1_INITIAL,
    SHA224_INITIAL,
    SHA256_INITIAL,
    SHA384_INITIAL,
    SHA512_INITIAL,
    md5_compress,
    sha1_compress,
    sha256_compress,
    sha512_compress,
)
from tcrypt.engine.native_compression import native_compress

CASES = {
    "md5": (MD5_INITIAL, md5_compress, 4, "little"),
    "sha1": (SHA1_INITIAL, sha1_compress, 5, "big"),
    "sha224": (SHA224_INITIAL, sha256_compress, 7, "big"),
    "sha256": (SHA256_INITIAL, sha256_compress, 8, "big"),
}
# The arithmetic itself, which OpenSSL's functions stand in for where they exist.
CASES |= {
    f"{name} in Python": (initial, inspect.unwrap(compress), words, order)
    for name, (initial, compress, words, order) in CASES.items()
}
each = pytest.mark.parametrize(
    ("name", "initial", "compress", "words", "order"),
    [(name, *case) for name, case in CASES.items()],
    ids=CASES.keys(),
)


@each
@pytest.mark.parametrize("length", [0, 1, 55, 56, 63, 64, 65, 127, 128, 1000])
def test_padded_message_gives_the_digest(name, initial, compress, words, order, length):
    message = (bytes(range(251)) * 4)[:length]
    padding = b"\x80" + bytes((55 - length) % 64) + (8 * length).to_bytes(8, order)
    state = compress(initial, message + padding)
    digest = b"".join(word.to_bytes(4, order) for word in state[:words])
    assert digest == hashlib.new(name.split()[0], message).digest()


@each
def test_blocks_can_be_compressed_one_by_one(name, initial, compress, words, order):
    data = bytes(range(192))
    state = initial
    for start in (0, 64, 128):
        state = compress(state, data[start : start + 64])
    assert state == compress(initial, data)


@each
def test_no_block_leaves_the_state_alone(name, initial, compress, words, order):
    assert compress(initial, b"") == initial


@each
def test_words_stay_within_32_bits(name, initial, compress, words, order):
    state = compress((0xFFFF_FFFF,) * len(initial), b"\xff" * 64)
    assert all(0 <= word < 1 << 32 for word in state)


def test_initial_states_are_the_published_ones():
    assert MD5_INITIAL == (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476)
    assert SHA1_INITIAL[4] == 0xC3D2E1F0
    assert (SHA224_INITIAL[0], SHA224_INITIAL[7]) == (0xC1059ED8, 0xBEFA4FA4)
    assert (SHA256_INITIAL[0], SHA256_INITIAL[7]) == (0x6A09E667, 0x5BE0CD19)


@pytest.mark.parametrize("compress", [sha512_compress, inspect.unwrap(sha512_compress)])
@pytest.mark.parametrize(
    ("name", "initial", "words"), [("sha384", SHA384_INITIAL, 6), ("sha512", SHA512_INITIAL, 8)]
)
@pytest.mark.parametrize("length", [0, 1, 111, 112, 127, 128, 129, 255, 1000])
def test_padded_message_gives_the_long_digest(name, initial, words, length, compress):
    message = (bytes(range(251)) * 4)[:length]
    padding = b"\x80" + bytes((111 - length) % 128) + (8 * length).to_bytes(16, "big")
    state = compress(initial, message + padding)
    digest = b"".join(word.to_bytes(8, "big") for word in state[:words])
    assert digest == hashlib.new(name, message).digest()


def test_long_words_stay_within_64_bits():
    state = sha512_compress((0xFFFF_FFFF_FFFF_FFFF,) * 8, b"\xff" * 128)
    assert all(0 <= word < 1 << 64 for word in state)
    assert sha512_compress(SHA512_INITIAL, b"") == SHA512_INITIAL


@pytest.mark.parametrize("name", ["md5", "sha1", "sha256", "sha512"])
def test_without_openssls_functions_there_is_none(name, monkeypatch):
    def no_library(path):
        raise OSError(path)

    monkeypatch.setattr("ctypes.CDLL", no_library)
    assert native_compress(name) is None
