"""The ciphers on the hardware: cases 1 to 17 and 72 of eip93, section 8, as driver tests."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tcrypt.engine.eip93.device import Latency
from tcrypt.engine.eip93.driver.ciphers import key_bit
from tcrypt.engine.eip93.driver.policy import OPENWRT, FallbackPolicy, Reason
from tcrypt.engine.eip93.records import Cipher as Core
from tcrypt.engine.eip93.variants import AES128_ONLY, MT7621, TINY_RING

if TYPE_CHECKING:
    from tests.engine.eip93.driver.conftest import Rig

_KEY = bytes(range(16))
_IV = bytes(range(16, 32))
_WRAP = bytes.fromhex("000102030405060708090a0bffffffff")
_MODES = ("ecb", "cbc", "ctr")
_PIECE = (1 << 20) - 64


def library(
    mode: str, data: bytes, iv: bytes = _IV, *, decrypt: bool = False, key: bytes = _KEY
) -> bytes:
    """What OpenSSL makes of it."""
    made = {"ecb": modes.ECB(), "cbc": modes.CBC(iv), "ctr": modes.CTR(iv)}[mode]
    cipher: Any = Cipher(algorithms.AES(key), made)
    context = cipher.decryptor() if decrypt else cipher.encryptor()
    return bytes(context.update(data) + context.finalize())


def text(length: int) -> bytes:
    return bytes(i * 7 % 251 for i in range(length))


def iv_of(mode: str, iv: bytes = _IV) -> bytes:
    return b"" if mode == "ecb" else iv


def test_case_1_encrypting_after_decrypting(rig: Rig) -> None:
    tfm = rig.tfm("cbc(aes)", _KEY)
    for decrypt in (True, False, False, True, False):
        call = rig.caller.crypt(tfm, text(64), _IV, decrypt=decrypt)
        assert call.out == library("cbc", text(64), decrypt=decrypt)
    assert rig.hardware == 5


@pytest.mark.parametrize(
    ("iv", "length", "out", "iv_out"),
    [
        (
            "000102030405060708090a0bffffffff",
            32,
            "656f643cb5c1d8fb6c7545b6924c5474bb549384e590c746039e863f1cab2c7c",
            "000102030405060708090a0c00000001",
        ),
        (
            "000102030405060708090a0bffffffff",
            16,
            "656f643cb5c1d8fb6c7545b6924c5474",
            "000102030405060708090a0c00000000",
        ),
        (
            "ffffffffffffffffffffffffffffffff",
            32,
            "3c441f32ce07822364d7a2990e50bb13c6a13b37878f5b826f4f8162a1c8d879",
            "00000000000000000000000000000001",
        ),
    ],
    ids=["case 3", "case 4", "case 5"],
)
@pytest.mark.parametrize("decrypt", [False, True], ids=["encrypt", "decrypt"])
def test_cases_3_4_5_the_counter_carries_beyond_32_bits(
    rig: Rig, iv: str, length: int, out: str, iv_out: str, decrypt: bool
) -> None:
    tfm = rig.tfm("ctr(aes)", _KEY)
    call = rig.caller.crypt(tfm, bytes(length), bytes.fromhex(iv), decrypt=decrypt)
    assert (call.out.hex(), call.iv_out.hex()) == (out, iv_out)
    assert rig.hardware == 1


@pytest.mark.parametrize("cuts", [(), (16,), (48,), (64,), (32, 64, 16), (20, 30), (0, 64, 0)])
@pytest.mark.parametrize("before", [1, 3, 4])
@pytest.mark.parametrize("tail", [0, 5])
def test_case_6_the_counter_wraps_inside_a_list(
    rig: Rig, cuts: tuple[int, ...], before: int, tail: int
) -> None:
    iv = _IV[:12] + (2**32 - before).to_bytes(4, "big")
    data = text(128 + tail)
    src, dst = rig.caller.scatter(data, cuts), rig.caller.scatter(len(data), cuts)
    call = rig.caller.crypt(rig.tfm("ctr(aes)", _KEY), data, iv, src=src, dst=dst)
    assert call.out == library("ctr", data, iv)
    assert rig.hardware == 1


@pytest.mark.parametrize("offset", [0, 1, 2, 3])
@pytest.mark.parametrize("length", [1, 15, 17, 33])
def test_case_7_odd_lengths_and_offsets(rig: Rig, length: int, offset: int) -> None:
    data, tfm = text(length), rig.tfm("ctr(aes)", _KEY)
    src, dst = rig.caller.scatter(data, offset=offset), rig.caller.scatter(length, offset=offset)
    call = rig.caller.crypt(tfm, data, _IV, src=src, dst=dst)
    assert call.out == library("ctr", data)
    (entry,) = dst.entries
    around = rig.machine.memory.read(entry.address - 16, length + 32)
    assert around == b"\xfe" * 16 + call.out + b"\xfe" * 16
    assert rig.hardware == 1


@pytest.mark.parametrize(("first", "continues"), [(16, True), (5, False)])
def test_case_8_a_partial_block_is_consumed(rig: Rig, first: int, continues: bool) -> None:
    tfm, data = rig.tfm("ctr(aes)", _KEY), text(32)
    one = rig.caller.crypt(tfm, data[:first], _IV)
    two = rig.caller.crypt(tfm, data[first:], one.iv_out)
    assert (one.out + two.out == library("ctr", data)) == continues
    assert two.out == library("ctr", data[first:], one.iv_out)
    assert int.from_bytes(one.iv_out, "big") == int.from_bytes(_IV, "big") + 1


@pytest.mark.parametrize("mode", _MODES)
@pytest.mark.parametrize("decrypt", [False, True], ids=["encrypt", "decrypt"])
def test_case_9_nothing_to_do_gives_the_hardware_nothing(
    rig: Rig, mode: str, decrypt: bool
) -> None:
    dst = rig.caller.scatter(16)
    call = rig.caller.crypt(
        rig.tfm(f"{mode}(aes)", _KEY), b"", iv_of(mode), dst=dst, decrypt=decrypt
    )
    assert call.submitted == 0
    assert dst.read(16) == b"\xfe" * 16
    assert mode == "ecb" or call.iv_out == _IV
    assert (rig.tap.work, rig.device.jobs) == ([], 0)


@pytest.mark.parametrize("length", [1, 15, 17])
@pytest.mark.parametrize("mode", ["ecb", "cbc"])
@pytest.mark.parametrize("decrypt", [False, True], ids=["encrypt", "decrypt"])
def test_case_10_a_partial_block_is_einval_once(
    rig: Rig, mode: str, length: int, decrypt: bool
) -> None:
    tfm = rig.tfm(f"{mode}(aes)", _KEY)
    call = rig.caller.crypt(tfm, text(length), iv_of(mode), decrypt=decrypt)
    assert call.status == -errno.EINVAL
    assert rig.tap.work == []


@pytest.mark.parametrize("mode", _MODES)
@pytest.mark.parametrize("short", ["src", "dst"])
def test_case_11_a_list_that_is_too_short_is_einval_once(rig: Rig, mode: str, short: str) -> None:
    lists = {"src": rig.caller.scatter(text(48)), "dst": rig.caller.scatter(48)}
    lists[short] = rig.caller.scatter(text(32), (16,))
    call = rig.caller.crypt(rig.tfm(f"{mode}(aes)", _KEY), text(48), iv_of(mode), **lists)
    assert call.status == -errno.EINVAL
    assert rig.tap.work == []


@pytest.mark.parametrize("source", [(), (16, 32), (48, 16), (32, 32)], ids=str)
@pytest.mark.parametrize("target", [None, (), (16, 32), (48, 16), (32, 32)], ids=str)
@pytest.mark.parametrize("decrypt", [False, True], ids=["encrypt", "decrypt"])
@pytest.mark.parametrize("mode", _MODES)
def test_cases_12_13_placement_does_not_matter(
    rig: Rig, mode: str, source: tuple[int, ...], target: tuple[int, ...] | None, decrypt: bool
) -> None:
    data, caller = text(96), rig.caller
    src = caller.scatter(data, source)
    dst = src if target is None else caller.scatter(96, target)
    tfm = rig.tfm(f"{mode}(aes)", _KEY)
    call = caller.crypt(tfm, data, iv_of(mode), src=src, dst=dst, decrypt=decrypt)
    assert call.out == library(mode, data, decrypt=decrypt)
    if mode == "cbc":
        assert call.iv_out == (data if decrypt else call.out)[-16:]
    if target is not None:
        assert src.read(96) == data
    assert (rig.hardware, rig.device.jobs) == (1, len(rig.tap.work))


@pytest.mark.parametrize("cuts", [(0, 16, 0, 0, 32), (0, 0), (48, 0), (20, 0, 28)], ids=str)
def test_case_14_empty_entries_are_ignored(rig: Rig, cuts: tuple[int, ...]) -> None:
    data = text(96)
    src, dst = rig.caller.scatter(data, cuts), rig.caller.scatter(96, cuts)
    call = rig.caller.crypt(rig.tfm("cbc(aes)", _KEY), data, _IV, src=src, dst=dst)
    assert call.out == library("cbc", data)


@pytest.mark.parametrize(
    "length", [0x10_0000, 0xF_FFF0, _PIECE, _PIECE + 16], ids=lambda n: f"{n:#x}"
)
@pytest.mark.parametrize("mode", ["cbc", "ctr"])
def test_cases_15_16_long_pieces_are_cut_for_the_length_field(
    make_rig: Callable[..., Rig], mode: str, length: int
) -> None:
    rig = make_rig()
    data = bytes(range(256)) * (length // 256) + bytes(length % 256)
    src = rig.caller.scatter(data)
    call = rig.caller.crypt(rig.tfm(f"{mode}(aes)", _KEY), data, _IV, src=src, dst=src)
    assert call.status == 0
    assert call.out == library(mode, data)
    assert [work.length for work in rig.tap.work] == [
        min(length, _PIECE),
        *([length - _PIECE] if length > _PIECE else []),
    ]


@pytest.mark.parametrize("size", [0, 15, 17, 20, 33])
@pytest.mark.parametrize("mode", _MODES)
def test_case_17_other_key_sizes_are_einval(rig: Rig, mode: str, size: int) -> None:
    tfm = rig.tfm(f"{mode}(aes)")
    with pytest.raises(OSError, match=f"setkey of {size} bytes") as caught:
        tfm.setkey(bytes(size))
    assert caught.value.errno == errno.EINVAL
    assert rig.caller.crypt(tfm, text(16), iv_of(mode)).status == -errno.ENOKEY
    assert rig.tap.work == []


def test_a_refused_size_in_the_range_loses_the_old_key(rig: Rig) -> None:
    tfm = rig.tfm("cbc(aes)", _KEY)
    with pytest.raises(OSError, match="setkey of 20 bytes"):
        tfm.setkey(bytes(20))
    assert rig.caller.crypt(tfm, text(16), _IV).status == -errno.ENOKEY


def test_a_key_that_the_fallback_refuses_is_refused(rig: Rig) -> None:
    tfm = rig.tfm("cbc(aes)", _KEY)
    tfm.ctx.fallback.alg.setkey = lambda tfm, key: -errno.ENOMEM
    with pytest.raises(OSError, match=r"aes-eip93.*setkey of 16 bytes") as caught:
        tfm.setkey(_KEY)
    assert caught.value.errno == errno.ENOMEM
    assert rig.caller.crypt(tfm, text(16), _IV).status == -errno.ENOKEY


@pytest.mark.parametrize("size", [16, 24, 32])
@pytest.mark.parametrize("mode", _MODES)
def test_case_70_key_sizes_that_the_device_lacks_run_in_software(
    make_rig: Callable[..., Rig], mode: str, size: int
) -> None:
    rig, key = make_rig(AES128_ONLY), bytes(range(size))
    tfm = rig.tfm(f"{mode}(aes)", key)
    for decrypt in (False, True):
        call = rig.caller.crypt(tfm, text(64), iv_of(mode), decrypt=decrypt)
        assert call.out == library(mode, text(64), decrypt=decrypt, key=key)
    outcome = "hardware" if size == 16 else Reason.KEY_SIZE
    assert rig.driver.core.counters == {(f"{mode}(aes-eip93)", outcome): 2}
    assert rig.device.jobs == (2 if size == 16 else 0)


def test_a_change_of_key_size_changes_who_does_the_work(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(AES128_ONLY)
    tfm = rig.tfm("cbc(aes)")
    for size in (16, 32, 16, 24):
        tfm.setkey(bytes(range(size)))
        call = rig.caller.crypt(tfm, text(64), _IV)
        assert call.out == library("cbc", text(64), key=bytes(range(size)))
        assert call.submitted == (-errno.EINPROGRESS if size == 16 else 0)


@pytest.mark.parametrize("threshold", [256, 512])
@pytest.mark.parametrize("mode", _MODES)
@pytest.mark.parametrize("over", [0, 1])
def test_case_72_both_sides_of_the_length_policy_agree(
    make_rig: Callable[..., Rig], mode: str, threshold: int, over: int
) -> None:
    rig = make_rig(policy=FallbackPolicy(threshold))
    length = threshold + over * (1 if mode == "ctr" else 16)
    call = rig.caller.crypt(rig.tfm(f"{mode}(aes)", _KEY), text(length), iv_of(mode))
    assert call.out == library(mode, text(length))
    if mode == "cbc":
        assert call.iv_out == call.out[-16:]
    if mode == "ctr":
        blocks = -(-length // 16)
        assert int.from_bytes(call.iv_out, "big") == int.from_bytes(_IV, "big") + blocks
    outcome = "hardware" if over else Reason.SHORT
    assert rig.driver.core.counters == {(f"{mode}(aes-eip93)", outcome): 1}


def test_openwrts_policy_is_512_bytes_for_every_key_size(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(policy=OPENWRT)
    for size in (16, 24, 32):
        tfm = rig.tfm("cbc(aes)", bytes(size))
        for length in (512, 528):
            rig.caller.crypt(tfm, text(length), _IV)
    assert (rig.count(Reason.SHORT), rig.hardware) == (3, 3)


@pytest.mark.parametrize(
    ("size", "bit"), [(16, 1 << 13), (24, 1 << 14), (32, 1 << 15), (17, 0), (0, 0)]
)
def test_key_size_bits_are_those_of_the_register(size: int, bit: int) -> None:
    assert key_bit(Core.AES, size) == bit


def test_without_a_policy_the_shortest_request_goes_to_the_hardware(rig: Rig) -> None:
    assert rig.caller.crypt(rig.tfm("ctr(aes)", _KEY), b"x", _IV).status == 0
    assert rig.hardware == 1


@pytest.mark.parametrize("pieces", [3, 4, 9])
def test_more_pieces_than_the_ring_go_through_a_bounce_buffer(
    make_rig: Callable[..., Rig], pieces: int
) -> None:
    rig = make_rig(TINY_RING)
    data, blocks = text(16 * pieces), rig.machine.memory.live_blocks
    src = rig.caller.scatter(data, [16] * (pieces - 1))
    call = rig.caller.crypt(rig.tfm("cbc(aes)", _KEY), data, _IV, src=src, dst=src)
    assert call.out == library("cbc", data)
    assert call.iv_out == call.out[-16:]
    assert len(rig.tap.work) == (pieces if pieces <= 3 else 1)
    assert rig.machine.memory.live_blocks == blocks + pieces + 1, "the bounce buffer was freed"


def test_case_44_one_request_with_more_pieces_than_the_largest_ring(
    make_rig: Callable[..., Rig],
) -> None:
    rig = make_rig()
    data = text(16 * 600)
    call = rig.caller.crypt(
        rig.tfm("ctr(aes)", _KEY), data, _WRAP, src=rig.caller.scatter(data, [16] * 599)
    )
    assert call.out == library("ctr", data, _WRAP)
    assert rig.hardware == 1


def test_what_even_a_bounce_buffer_cannot_fit_runs_in_software(
    make_rig: Callable[..., Rig],
) -> None:
    rig = make_rig(replace(MT7621, ring_size=2))
    tfm = rig.tfm("ctr(aes)", _KEY)
    assert rig.caller.crypt(tfm, bytes(_PIECE), _IV).status == 0
    assert rig.hardware == 1
    call = rig.caller.crypt(tfm, bytes(_PIECE + 1), _IV)
    assert call.out == library("ctr", bytes(_PIECE + 1))
    assert rig.count(Reason.LONG) == 1
    call = rig.caller.crypt(tfm, bytes(32), _WRAP)
    assert call.out == library("ctr", bytes(32), _WRAP), "a wrap takes two descriptors"
    assert rig.count(Reason.LONG) == 2


def test_a_later_key_does_not_reach_a_queued_request(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig()
    tfm = rig.tfm("cbc(aes)", _KEY)
    calls = []
    for seed in range(4):
        key = bytes([seed]) * (16 + 8 * (seed % 3))
        tfm.setkey(key)
        for decrypt in (False, True):
            made = rig.caller.start(tfm, text(64), _IV, decrypt=decrypt)
            calls.append((made, library("cbc", text(64), decrypt=decrypt, key=key)))
    rig.caller.settle()
    assert all(made.out == wanted for made, wanted in calls)


def test_a_request_that_was_put_back_starts_from_the_same_iv(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(TINY_RING)
    tfm = rig.tfm("cbc(aes)", _KEY)
    calls = [rig.caller.start(tfm, text(32), _IV, decrypt=bool(n % 2)) for n in range(12)]
    rig.caller.settle()
    assert rig.driver.core.engine.retries > 0
    for n, made in enumerate(calls):
        assert made.out == library("cbc", text(32), decrypt=bool(n % 2))
        assert made.iv_out == (text(32) if n % 2 else made.out)[-16:]


_cut = st.lists(st.integers(0, 50), max_size=4)


@given(
    mode=st.sampled_from(_MODES),
    decrypt=st.booleans(),
    source=_cut,
    target=st.none() | _cut,
    offsets=st.tuples(st.integers(0, 5), st.integers(0, 5)),
    tail=st.integers(0, 40),
    low=st.integers(0, 12),
    variant=st.sampled_from([MT7621, TINY_RING]),
    latency=st.sampled_from(Latency),
)
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80, deadline=None
)
def test_any_placement_gives_the_librarys_bytes(
    make_rig: Callable[..., Rig], **drawn: Any
) -> None:
    rig = make_rig(drawn["variant"], latency=drawn["latency"])
    mode, decrypt, source, target = (drawn[n] for n in ("mode", "decrypt", "source", "target"))
    length = max(sum(source), sum(target or ())) + drawn["tail"]
    if mode != "ctr":
        length = -(-length // 16) * 16
    iv = b"\xff" * 12 + (2**32 - 1 - drawn["low"]).to_bytes(4, "big")
    data = text(length)
    src = rig.caller.scatter(data, source, offset=drawn["offsets"][0])
    dst = src
    if target is not None:
        dst = rig.caller.scatter(length, target, offset=drawn["offsets"][1])
    tfm = rig.tfm(f"{mode}(aes)", _KEY)
    call = rig.caller.crypt(tfm, data, iv_of(mode, iv), src=src, dst=dst, decrypt=decrypt)
    assert call.status == 0
    assert call.out == library(mode, data, iv, decrypt=decrypt)
    if mode == "ctr":
        counter = int.from_bytes(iv, "big") + -(-length // 16)
        assert int.from_bytes(call.iv_out, "big") == counter % 2**128
