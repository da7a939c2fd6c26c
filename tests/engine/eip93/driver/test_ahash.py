"""Hashes on the hardware; see also the numbered edge cases."""

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


def test_updates_that_fill_no_block_stay_in_the_request(rig: Rig) -> None:
    hashing = rig.caller.hash(rig.tfm("sha1"))
    hashing.step("init")
    assert [hashing.step("update", b"x" * 32) for _ in range(2)] == [0, 0]
    assert rig.tap.work == []
    assert hashing.step("update", b"x") == 0
    assert [work.length for work in rig.tap.work] == [64]


def test_the_exported_layout_is_the_mainline_drivers(rig: Rig) -> None:
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
