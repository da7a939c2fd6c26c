"""The generic hashes against hashlib, hmac and the kernel's exported state."""

from __future__ import annotations

import errno
import hashlib
import hmac
import struct
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tcrypt.engine.api.transforms import Ahash

if TYPE_CHECKING:
    from tests.engine.conftest import Caller

_PLAIN = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")
_KEYED = ("hmac(md5)", "hmac(sha1)", "hmac(sha256)", "hmac(sha384)")
_NAMES = (*_PLAIN, *_KEYED)
_LENGTHS = (0, 1, 55, 56, 63, 64, 65, 111, 112, 119, 120, 127, 128, 129, 1000)
_KEY = b"Jefe"
_STATE_SIZE = {"md5": 88, "sha1": 96, "sha224": 104, "sha256": 104, "sha384": 208, "sha512": 208}
_quick = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)


def message(length: int) -> bytes:
    return bytes(i * 7 % 251 for i in range(length))


def plain(name: str) -> str:
    return name.removeprefix("hmac(").removesuffix(")")


def library(name: str, data: bytes, key: bytes = _KEY) -> str:
    """What the standard library makes of it."""
    if name == plain(name):
        return hashlib.new(name, data).hexdigest()
    return hmac.new(key, data, plain(name)).hexdigest()


def keyed(caller: Caller, name: str, key: bytes = _KEY) -> Ahash:
    tfm = caller.machine.registry.alloc_ahash(name)
    if name != plain(name):
        tfm.setkey(key)
    return tfm


@pytest.mark.parametrize("length", _LENGTHS)
@pytest.mark.parametrize("name", _NAMES)
def test_digest_is_the_librarys(caller: Caller, name: str, length: int) -> None:
    hashing = caller.hash(keyed(caller, name))
    assert hashing.step("digest", message(length)) == 0
    assert hashing.hexdigest() == library(name, message(length))


@given(st.lists(st.integers(0, 150), max_size=6), st.booleans())
@pytest.mark.parametrize("name", _NAMES)
@_quick
def test_steps_do_not_matter(caller: Caller, name: str, steps: list[int], finup: bool) -> None:
    data = message(sum(steps))
    hashing = caller.hash(keyed(caller, name))
    assert hashing.step("init") == 0
    done = 0
    for number, step in enumerate(steps, 1):
        last = finup and number == len(steps)
        assert hashing.step("finup" if last else "update", data[done : done + step]) == 0
        done += step
    if not (finup and steps):
        assert hashing.step("final") == 0
    assert hashing.hexdigest() == library(name, data)


@given(st.lists(st.integers(0, 150), min_size=1, max_size=5))
@pytest.mark.parametrize("name", _NAMES)
@_quick
def test_export_and_import_between_all_steps(caller: Caller, name: str, steps: list[int]) -> None:
    data = message(sum(steps))
    tfm = keyed(caller, name)
    hashing = caller.hash(tfm)
    hashing.step("init")
    done = 0
    for step in steps:
        state = hashing.export()
        hashing = caller.hash(tfm)
        assert hashing.import_state(state) == 0
        assert hashing.step("update", data[done : done + step]) == 0
        done += step
    assert hashing.step("final") == 0
    assert hashing.hexdigest() == library(name, data)


@pytest.mark.parametrize("length", _LENGTHS)
@pytest.mark.parametrize("name", _NAMES)
def test_both_messages_continue_after_an_export(caller: Caller, name: str, length: int) -> None:
    tfm = keyed(caller, name)
    first, second = caller.hash(tfm), caller.hash(tfm)
    first.step("init")
    first.step("update", message(length))
    assert second.import_state(first.export()) == 0
    for hashing, tail in ((first, b"one"), (second, b"two")):
        assert hashing.step("finup", tail) == 0
        assert hashing.hexdigest() == library(name, message(length) + tail)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("sha1", (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0)),
        (
            "sha256",
            (
                *(0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A),
                *(0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19),
            ),
        ),
    ],
)
def test_exported_state_is_the_kernels_structure(
    caller: Caller, name: str, words: tuple[int, ...]
) -> None:
    """`struct sha1_state` and `struct sha256_state`: words, u64 count, 64 bytes of block."""
    tfm = keyed(caller, name)
    assert tfm.alg.statesize == _STATE_SIZE[name]
    hashing = caller.hash(tfm)
    hashing.step("init")
    hashing.step("update", b"abc")
    state = hashing.export()
    assert struct.unpack(f"<{len(words)}I", state[: 4 * len(words)]) == words
    assert struct.unpack("<Q", state[-72:-64]) == (3,)
    assert state[-64:] == b"abc" + bytes(61)


@pytest.mark.parametrize(
    ("name", "format"), [("sha1", ">5I"), ("sha256", ">8I")], ids=["sha1", "sha256"]
)
def test_exported_words_are_the_state_behind_whole_blocks(
    caller: Caller, name: str, format: str
) -> None:
    """A padded message is one block whose state is the digest (FIPS 180-4)."""
    hashing = caller.hash(keyed(caller, name))
    hashing.step("init")
    hashing.step("update", b"abc\x80" + bytes(52) + struct.pack(">Q", 24))
    state = hashing.export()
    size = struct.calcsize(format)
    words = struct.unpack(f"<{size // 4}I", state[:size])
    assert struct.pack(format, *words).hex() == library(name, b"abc")
    assert struct.unpack("<Q", state[-72:-64]) == (64,)
    assert state[-64:] == bytes(64)


@pytest.mark.parametrize("name", ["hmac(sha1)", "hmac(sha256)"])
def test_an_hmac_state_counts_the_inner_key_block(caller: Caller, name: str) -> None:
    hashing = caller.hash(keyed(caller, name))
    hashing.step("init")
    hashing.step("update", b"abc")
    state = hashing.export()
    assert struct.unpack("<Q", state[-72:-64]) == (67,)
    assert state[-64:-61] == b"abc"


@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 200])
@pytest.mark.parametrize("name", ["hmac(sha1)", "hmac(sha256)"])
@pytest.mark.parametrize("stepwise", [False, True])
def test_hmac_takes_keys_of_any_length(
    caller: Caller, name: str, size: int, stepwise: bool
) -> None:
    key = message(size)
    hashing = caller.hash(keyed(caller, name, key))
    if stepwise:
        hashing.step("init")
        assert hashing.step("finup", b"abc") == 0
    else:
        assert hashing.step("digest", b"abc") == 0
    assert hashing.hexdigest() == library(name, b"abc", key)


@pytest.mark.parametrize("name", _NAMES)
@pytest.mark.parametrize("step", ["digest", "update", "finup"])
def test_a_source_that_is_too_short_is_einval(caller: Caller, name: str, step: str) -> None:
    hashing = caller.hash(keyed(caller, name))
    hashing.step("init")
    src = caller.scatter(b"abc")
    assert hashing.step(step, src=src, nbytes=4) == -errno.EINVAL
    assert hashing.step(step, src=None, nbytes=4) == -errno.EINVAL
    assert hashing.result.read() == bytes(hashing.tfm.alg.digestsize)


@pytest.mark.parametrize("name", _NAMES)
def test_nothing_to_hash_needs_no_source(caller: Caller, name: str) -> None:
    hashing = caller.hash(keyed(caller, name))
    assert hashing.step("digest") == 0
    assert hashing.hexdigest() == library(name, b"")


@pytest.mark.parametrize("name", _NAMES)
def test_the_source_may_be_longer_and_lie_in_pieces(caller: Caller, name: str) -> None:
    data = message(300)
    src = caller.scatter(data, (1, 0, 63, 100), offset=3)
    hashing = caller.hash(keyed(caller, name))
    assert hashing.step("digest", src=src, nbytes=250) == 0
    assert hashing.hexdigest() == library(name, data[:250])
    assert src.read(300) == data


def test_exported_state_of_md5_ends_in_the_count(caller: Caller) -> None:
    """`struct md5_state`: four words, 64 bytes of block, u64 count."""
    hashing = caller.hash(keyed(caller, "md5"))
    hashing.step("init")
    hashing.step("update", b"abc")
    state = hashing.export()
    assert struct.unpack("<4I", state[:16]) == (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476)
    assert state[16:80] == b"abc" + bytes(61)
    assert struct.unpack("<Q", state[80:]) == (3,)


def test_exported_state_of_sha512_counts_in_128_bits(caller: Caller) -> None:
    """`struct sha512_state`: eight u64, two u64 of count with the low one first, the block."""
    hashing = caller.hash(keyed(caller, "sha512"))
    hashing.step("init")
    hashing.step("update", message(130))
    state = hashing.export()
    assert struct.unpack("<QQ", state[64:80]) == (130, 0)
    assert state[80:] == message(130)[128:] + bytes(126)


def test_a_hash_of_more_than_two_to_the_64_bits_goes_on(caller: Caller) -> None:
    """SHA-512's length field takes 128 bits (FIPS 180-4, 5.1.2)."""
    tfm = keyed(caller, "sha512")
    first = caller.hash(tfm)
    first.step("init")
    state = bytearray(first.export())
    state[64:80] = struct.pack("<QQ", 0, 1)
    second = caller.hash(tfm)
    assert second.import_state(bytes(state)) == 0
    assert second.export() == bytes(state)
    assert second.step("finup", b"abc") == 0
    assert second.hexdigest() != library("sha512", b"abc")


@pytest.mark.parametrize("name", _PLAIN)
def test_names_priorities_and_sizes(caller: Caller, name: str) -> None:
    alg = caller.machine.registry.alloc_ahash(name).alg
    assert alg.cra_driver_name == f"{name}-generic"
    assert alg.cra_priority == (0 if name == "md5" else 100)
    assert alg.cra_blocksize == hashlib.new(name).block_size
    assert alg.statesize == _STATE_SIZE[name]
    assert alg.cra_flags == 0
