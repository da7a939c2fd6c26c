"""Hashes on the hardware: cases 26 and 53 to 60 of eip93, section 8, as driver tests."""

from __future__ import annotations

import errno
import hashlib
import hmac
import struct
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tcrypt.engine.eip93.device import Latency
from tcrypt.engine.eip93.variants import MT7621, TINY_RING

if TYPE_CHECKING:
    from tests.engine.eip93.driver.conftest import Rig

_NAMES = ("sha1", "sha256", "hmac(sha1)", "hmac(sha256)")
_PLAIN = _NAMES[:2]
_KEYED = _NAMES[2:]
_LENGTHS = (1, 55, 56, 63, 64, 65, 119, 120, 127, 128, 129)
_KEY = b"Jefe"
_PIECE = 1024
_options = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)


def message(length: int) -> bytes:
    return bytes(i * 7 % 251 for i in range(length))


def library(name: str, data: bytes, key: bytes = _KEY) -> str:
    if name in _PLAIN:
        return hashlib.new(name, data).hexdigest()
    return hmac.new(key, data, name[5:-1]).hexdigest()


def keyed(rig: Rig, name: str, key: bytes = _KEY) -> Any:
    return rig.tfm(name, key if name in _KEYED else None)


def steps(rig: Rig, tfm: Any, *chunks: bytes, finup: bool = False) -> str:
    """Hash chunks one by one; the digest."""
    hashing = rig.caller.hash(tfm)
    assert hashing.step("init") == 0
    for chunk in chunks[: len(chunks) - finup]:
        assert hashing.step("update", chunk) == 0
        assert hashing.result.read() == bytes(tfm.alg.digestsize), "too early"
    assert hashing.step(*(("finup", chunks[-1]) if finup else ("final",))) == 0
    return hashing.hexdigest()


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        ("sha1", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
        ("sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ],
)
@pytest.mark.parametrize("way", ["digest", "final", "finup", "update then final"])
def test_cases_53_56_an_empty_message_never_reaches_the_hardware(
    rig: Rig, name: str, digest: str, way: str
) -> None:
    hashing = rig.caller.hash(rig.tfm(name))
    if way != "digest":
        assert hashing.step("init") == 0
    if way == "update then final":
        assert hashing.step("update", b"") == 0
    assert hashing.step(way.split()[-1]) == 0
    assert hashing.hexdigest() == digest
    assert rig.tap.work == []


@pytest.mark.parametrize("length", _LENGTHS)
@pytest.mark.parametrize("name", _NAMES)
def test_case_54_lengths_around_the_padding(rig: Rig, name: str, length: int) -> None:
    data, tfm = message(length), keyed(rig, name)
    wanted = library(name, data)
    hashing = rig.caller.hash(tfm)
    assert hashing.step("digest", data) == 0
    assert hashing.hexdigest() == wanted
    assert steps(rig, tfm, data) == wanted
    assert steps(rig, tfm, data, finup=True) == wanted
    assert rig.device.jobs >= 3


@pytest.mark.parametrize(
    "sizes",
    [[1] * 200, [64, 0, 64], [63, 2], [128], [64], [65], [1, 63, 64, 65, 64]],
    ids=["200 of 1", "64+0+64", "63+2", "128", "64", "65", "mixed"],
)
@pytest.mark.parametrize("name", _NAMES)
def test_case_55_updates_of_any_size(rig: Rig, name: str, sizes: list[int]) -> None:
    data = message(sum(sizes))
    chunks = [data[sum(sizes[:n]) : sum(sizes[: n + 1])] for n in range(len(sizes))]
    assert steps(rig, keyed(rig, name), *chunks) == library(name, data)
    assert steps(rig, keyed(rig, name), *chunks, finup=True) == library(name, data)


def test_case_55_updates_that_fill_no_block_stay_in_the_request(rig: Rig) -> None:
    hashing = rig.caller.hash(rig.tfm("sha1"))
    hashing.step("init")
    assert [hashing.step("update", b"x" * 32) for _ in range(2)] == [0, 0]
    assert rig.tap.work == []
    assert hashing.step("update", b"x") == 0
    assert [work.length for work in rig.tap.work] == [64]


@pytest.mark.parametrize("length", [0, 1, 64])
@pytest.mark.parametrize("name", _KEYED)
def test_case_57_short_hmacs(rig: Rig, name: str, length: int) -> None:
    tfm = keyed(rig, name)
    hashing = rig.caller.hash(tfm)
    assert hashing.step("digest", message(length)) == 0
    assert hashing.hexdigest() == library(name, message(length))
    assert steps(rig, tfm, message(length)) == library(name, message(length))
    assert rig.device.jobs > 0


@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 200])
@pytest.mark.parametrize("name", _KEYED)
def test_case_26_hmac_keys_of_any_length(rig: Rig, name: str, size: int) -> None:
    tfm = keyed(rig, name, message(size))
    assert steps(rig, tfm, message(100)) == library(name, message(100), message(size))


def test_case_26_a_key_longer_than_a_block_is_hashed_whole(rig: Rig) -> None:
    """RFC 4231, test case 6."""
    tfm = rig.tfm("hmac(sha256)", b"\xaa" * 131)
    data = b"Test Using Larger Than Block-Size Key - Hash Key First"
    wanted = "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
    assert steps(rig, tfm, data) == wanted


@pytest.mark.parametrize("length", [0, 1, 63, 64, 65, 128, 200])
@pytest.mark.parametrize("name", _NAMES)
def test_cases_58_59_an_exported_message_and_its_copy_both_continue(
    rig: Rig, name: str, length: int
) -> None:
    tfm, other = keyed(rig, name), keyed(rig, name)
    assert tfm.alg.statesize == 120
    first = rig.caller.hash(tfm)
    first.step("init")
    first.step("update", message(length))
    state = first.export()
    for hashing, tail in ((rig.caller.hash(tfm), b"1"), (rig.caller.hash(other), b"2" * 99)):
        assert hashing.import_state(state) == 0
        assert hashing.step("update", tail) == 0
        assert hashing.step("final") == 0
        assert hashing.hexdigest() == library(name, message(length) + tail)
    assert first.step("final") == 0
    assert first.hexdigest() == library(name, message(length))


def test_case_58_the_exported_layout_is_the_mainline_drivers(rig: Rig) -> None:
    """u64 length, u32 waiting, u64 hashed, 32 digest bytes, 64 waiting bytes (eip93, 5.1)."""
    hashing = rig.caller.hash(rig.tfm("sha1"))
    hashing.step("init")
    hashing.step("update", message(67))
    state = hashing.export()
    assert struct.unpack_from("<QIQ", state) == (67, 3, 64)
    assert state[52:116] == message(67)[64:] + bytes(61)
    assert state[40:52] == bytes(12), "SHA-1 has five words"
    assert state[20:40] != bytes(20)


@pytest.mark.parametrize(
    ("waiting", "hashed"),
    [(65, 0), (0xFFFF_FFFF, 0), (0, 64), (3, 65), (64, 1)],
    ids=["65 waiting", "all ones waiting", "none waiting", "no whole block", "one byte hashed"],
)
def test_an_imported_state_that_cannot_be_is_einval(rig: Rig, waiting: int, hashed: int) -> None:
    hashing = rig.caller.hash(rig.tfm("sha1"))
    state = struct.pack("<QIQ", hashed + waiting, waiting, hashed).ljust(120, b"\0")
    assert hashing.import_state(state) == -errno.EINVAL


@pytest.mark.parametrize("name", _KEYED)
def test_case_60_hmac_without_a_key_is_enokey(rig: Rig, name: str) -> None:
    hashing = rig.caller.hash(rig.tfm(name))
    assert hashing.step("init") == -errno.ENOKEY
    assert hashing.step("digest", b"abc") == -errno.ENOKEY
    assert hashing.import_state(bytes(120)) == -errno.ENOKEY
    assert rig.tap.work == []


@pytest.mark.parametrize("name", _NAMES)
@pytest.mark.parametrize("step", ["digest", "finup", "update"])
@pytest.mark.parametrize("length", [4, 100])
def test_a_source_that_is_too_short_is_einval(rig: Rig, name: str, step: str, length: int) -> None:
    hashing = rig.caller.hash(keyed(rig, name))
    hashing.step("init")
    src = rig.caller.scatter(message(length - 1))
    assert hashing.step(step, src=src, nbytes=length) == -errno.EINVAL
    hashing.step("init")
    assert hashing.step(step, src=None, nbytes=length) == -errno.EINVAL
    assert rig.tap.work == []


def test_a_message_of_whole_aligned_pieces_is_hashed_where_it_lies(rig: Rig) -> None:
    data = message(64 * 5 + 7)
    src, blocks = rig.caller.scatter(data, [64, 192]), rig.machine.memory.live_blocks
    hashing = rig.caller.hash(rig.tfm("sha256"))
    assert hashing.step("digest", src=src, nbytes=len(data)) == 0
    assert hashing.hexdigest() == library("sha256", data)
    assert [work.descriptor.source for work in rig.tap.work] == [e.address for e in src.entries]
    assert rig.machine.memory.live_blocks == blocks + 1, "the result buffer"


def test_many_blocks_take_few_descriptors(rig: Rig) -> None:
    """One descriptor for each 64 bytes is what makes the mainline driver slow (eip93, 5.7)."""
    data = message(1 << 16)
    assert steps(rig, rig.tfm("sha1"), data) == library("sha1", data)
    assert len(rig.tap.work) == 2


@pytest.fixture
def small_descriptors(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the length field had fewer bits: hashing a megabyte takes the model a second."""
    monkeypatch.setattr("tcrypt.engine.eip93.driver.hash_jobs.MAX_DESCRIPTOR_BYTES", _PIECE)


@pytest.mark.usefixtures("small_descriptors")
def test_a_message_longer_than_a_descriptor_is_cut(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig()
    data = message(_PIECE + 100)
    hashing = rig.caller.hash(rig.tfm("sha1"))
    assert hashing.step("digest", data) == 0
    assert hashing.hexdigest() == library("sha1", data)
    assert [work.length for work in rig.tap.work] == [_PIECE, 100]


def test_more_pieces_than_the_ring_go_through_a_bounce_buffer(
    make_rig: Callable[..., Rig],
) -> None:
    rig = make_rig(TINY_RING)
    data = message(64 * 9)
    src = rig.caller.scatter(data, [64] * 8)
    hashing = rig.caller.hash(rig.tfm("sha1"))
    assert hashing.step("digest", src=src, nbytes=len(data)) == 0
    assert hashing.hexdigest() == library("sha1", data)
    assert len(rig.tap.work) == 1


@pytest.mark.usefixtures("small_descriptors")
@pytest.mark.parametrize("waiting", [0, 64])
def test_what_the_ring_can_never_hold_is_einval(
    make_rig: Callable[..., Rig], waiting: int
) -> None:
    rig = make_rig(replace(MT7621, ring_size=2))
    hashing = rig.caller.hash(rig.tfm("sha1"))
    hashing.step("init")
    hashing.step("update", bytes(waiting))
    assert hashing.step("finup", bytes(_PIECE - waiting + 1)) == -errno.EINVAL
    hashing.step("init")
    hashing.step("update", bytes(waiting))
    assert hashing.step("finup", bytes(_PIECE - waiting)) == 0
    assert hashing.hexdigest() == library("sha1", bytes(_PIECE))


def test_messages_in_flight_do_not_meet(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(TINY_RING)
    tfm = rig.tfm("hmac(sha256)", _KEY)
    hashings = [rig.caller.hash(tfm) for _ in range(12)]
    calls = []
    for n, hashing in enumerate(hashings):
        data = message(10 + 50 * n)
        hashing.request.set_crypt(rig.caller.scatter(data), hashing.result, len(data))
        calls.append(rig.caller.submit(hashing.request, tfm.digest))
    rig.caller.settle()
    assert [call.status for call in calls] == [0] * 12
    for n, hashing in enumerate(hashings):
        assert hashing.hexdigest() == library("hmac(sha256)", message(10 + 50 * n))


@given(
    name=st.sampled_from(_NAMES),
    plan=st.lists(
        st.tuples(
            st.integers(0, 200),
            st.lists(st.integers(0, 130), max_size=3),
            st.integers(0, 5),
            st.booleans(),
        ),
        max_size=5,
    ),
    finup=st.booleans(),
    variant=st.sampled_from([MT7621, TINY_RING]),
    latency=st.sampled_from(Latency),
)
@_options
def test_any_steps_and_placement_give_the_librarys_digest(
    make_rig: Callable[..., Rig], **drawn: Any
) -> None:
    rig = make_rig(drawn["variant"], latency=drawn["latency"])
    tfm = keyed(rig, drawn["name"])
    hashing, data = rig.caller.hash(tfm), b""
    hashing.step("init")
    for number, (tail, cuts, offset, reimport) in enumerate(drawn["plan"], 1):
        chunk = message(tail + sum(cuts))
        src = rig.caller.scatter(chunk, cuts, offset=offset)
        last = drawn["finup"] and number == len(drawn["plan"])
        assert hashing.step("finup" if last else "update", src=src, nbytes=len(chunk)) == 0
        data += chunk
        if reimport and not last:
            state = hashing.export()
            hashing = rig.caller.hash(tfm)
            assert hashing.import_state(state) == 0
    if not (drawn["finup"] and drawn["plan"]):
        assert hashing.step("final") == 0
    assert hashing.hexdigest() == library(drawn["name"], data)
