"""Edge cases 1, 3 to 16, 19 and 20 of eip93, section 8: ciphers."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.engine.eip93.driver.edge_cases import (
    CBC,
    IV,
    KEY,
    RFC3686,
    cbc,
    crypted,
    iv_of,
    rfc3686,
    text,
)

if TYPE_CHECKING:
    from tests.engine.eip93.driver.conftest import Rig

    MakeRig = Callable[..., Rig]

_MODES = ("ecb", "cbc", "ctr")
_EINVAL = -errno.EINVAL
_WAYS = pytest.mark.parametrize("decrypt", [False, True], ids=["encrypt", "decrypt"])
# The most that one descriptor takes in whole blocks of every algorithm.
_PIECE = (1 << 20) - 64


def test_case_1_encrypting_after_decrypting(rig: Rig) -> None:
    tfm = rig.tfm(CBC, KEY)
    for decrypt in (True, False, False, True, False):
        call = rig.caller.crypt(tfm, text(64), IV, decrypt=decrypt)
        assert call.out == crypted("cbc", text(64), decrypt=decrypt)
    assert rig.hardware == 5


def counts(rig: Rig, iv: str, out: str, iv_out: str, *, decrypt: bool) -> None:
    """Encrypt zeros in CTR mode, on the hardware."""
    zeros = bytes(len(out) // 2)
    tfm = rig.tfm("ctr(aes)", KEY)
    call = rig.caller.crypt(tfm, zeros, bytes.fromhex(iv), decrypt=decrypt)
    assert (call.status, call.out.hex(), call.iv_out.hex()) == (0, out, iv_out)
    assert rig.hardware == 1


@_WAYS
def test_case_3_the_counter_carries_beyond_32_bits(rig: Rig, decrypt: bool) -> None:
    out = "656f643cb5c1d8fb6c7545b6924c5474bb549384e590c746039e863f1cab2c7c"
    iv, iv_out = "000102030405060708090a0bffffffff", "000102030405060708090a0c00000001"
    counts(rig, iv, out, iv_out, decrypt=decrypt)


@_WAYS
def test_case_4_the_counter_carries_behind_the_last_block(rig: Rig, decrypt: bool) -> None:
    iv, iv_out = "000102030405060708090a0bffffffff", "000102030405060708090a0c00000000"
    counts(rig, iv, "656f643cb5c1d8fb6c7545b6924c5474", iv_out, decrypt=decrypt)


@_WAYS
def test_case_5_the_whole_counter_wraps(rig: Rig, decrypt: bool) -> None:
    out = "3c441f32ce07822364d7a2990e50bb13c6a13b37878f5b826f4f8162a1c8d879"
    counts(rig, "ff" * 16, out, "00" * 15 + "01", decrypt=decrypt)


@pytest.mark.parametrize("cuts", [(), (16,), (48,), (64,), (32, 64, 16), (20, 30), (0, 64, 0)])
@pytest.mark.parametrize("before", [1, 3, 4])
@pytest.mark.parametrize("tail", [0, 5])
def test_case_6_the_counter_wraps_inside_a_list(
    rig: Rig, cuts: tuple[int, ...], before: int, tail: int
) -> None:
    iv = IV[:12] + (2**32 - before).to_bytes(4, "big")
    data = text(128 + tail)
    src, dst = rig.caller.scatter(data, cuts), rig.caller.scatter(len(data), cuts)
    call = rig.caller.crypt(rig.tfm("ctr(aes)", KEY), data, iv, src=src, dst=dst)
    assert call.out == crypted("ctr", data, iv)
    assert rig.hardware == 1


@pytest.mark.parametrize("offset", [0, 1, 2, 3])
@pytest.mark.parametrize("length", [1, 15, 17, 33])
def test_case_7_odd_lengths_and_offsets(rig: Rig, length: int, offset: int) -> None:
    data, tfm = text(length), rig.tfm("ctr(aes)", KEY)
    src, dst = rig.caller.scatter(data, offset=offset), rig.caller.scatter(length, offset=offset)
    call = rig.caller.crypt(tfm, data, IV, src=src, dst=dst)
    assert call.out == crypted("ctr", data)
    (entry,) = dst.entries
    around = rig.machine.memory.read(entry.address - 16, length + 32)
    assert around == b"\xfe" * 16 + call.out + b"\xfe" * 16
    assert rig.hardware == 1


@pytest.mark.parametrize(("first", "continues"), [(16, True), (5, False)])
def test_case_8_a_partial_block_is_consumed(rig: Rig, first: int, continues: bool) -> None:
    tfm, data = rig.tfm("ctr(aes)", KEY), text(32)
    one = rig.caller.crypt(tfm, data[:first], IV)
    two = rig.caller.crypt(tfm, data[first:], one.iv_out)
    assert (one.out + two.out == crypted("ctr", data)) == continues
    assert two.out == crypted("ctr", data[first:], one.iv_out)
    assert int.from_bytes(one.iv_out, "big") == int.from_bytes(IV, "big") + 1


@_WAYS
@pytest.mark.parametrize("mode", _MODES)
def test_case_9_nothing_to_do_gives_the_hardware_nothing(
    rig: Rig, mode: str, decrypt: bool
) -> None:
    dst = rig.caller.scatter(16)
    tfm = rig.tfm(f"{mode}(aes)", KEY)
    call = rig.caller.crypt(tfm, b"", iv_of(mode), dst=dst, decrypt=decrypt)
    assert call.submitted == 0
    assert dst.read(16) == b"\xfe" * 16
    assert mode == "ecb" or call.iv_out == IV
    assert (rig.tap.work, rig.device.jobs) == ([], 0)


@_WAYS
@pytest.mark.parametrize("length", [1, 15, 17])
@pytest.mark.parametrize("mode", ["ecb", "cbc"])
def test_case_10_a_partial_block_is_einval_once(
    rig: Rig, mode: str, length: int, decrypt: bool
) -> None:
    tfm = rig.tfm(f"{mode}(aes)", KEY)
    call = rig.caller.crypt(tfm, text(length), iv_of(mode), decrypt=decrypt)
    assert call.status == _EINVAL
    assert rig.tap.work == []


@pytest.mark.parametrize("mode", _MODES)
@pytest.mark.parametrize("short", ["src", "dst"])
def test_case_11_a_list_that_is_too_short_is_einval_once(rig: Rig, mode: str, short: str) -> None:
    lists = {"src": rig.caller.scatter(text(48)), "dst": rig.caller.scatter(48)}
    lists[short] = rig.caller.scatter(text(32), (16,))
    call = rig.caller.crypt(rig.tfm(f"{mode}(aes)", KEY), text(48), iv_of(mode), **lists)
    assert call.status == _EINVAL
    assert rig.tap.work == []


@_WAYS
@pytest.mark.parametrize("source", [(), (16, 32), (48, 16), (32, 32)], ids=str)
@pytest.mark.parametrize("target", [None, (), (16, 32), (48, 16), (32, 32)], ids=str)
@pytest.mark.parametrize("mode", _MODES)
def test_case_12_placement_does_not_matter(
    rig: Rig, mode: str, source: tuple[int, ...], target: tuple[int, ...] | None, decrypt: bool
) -> None:
    data, caller = text(96), rig.caller
    src = caller.scatter(data, source)
    dst = src if target is None else caller.scatter(96, target)
    tfm = rig.tfm(f"{mode}(aes)", KEY)
    call = caller.crypt(tfm, data, iv_of(mode), src=src, dst=dst, decrypt=decrypt)
    assert call.out == crypted(mode, data, decrypt=decrypt)
    if mode == "cbc":
        assert call.iv_out == (data if decrypt else call.out)[-16:]
    if target is not None:
        assert src.read(96) == data
    assert (rig.hardware, rig.device.jobs) == (1, len(rig.tap.work))


@pytest.mark.parametrize("cuts", [(), (16,), (20, 30)], ids=str)
def test_case_13_the_ciphertext_that_was_overwritten_is_the_iv(
    rig: Rig, cuts: tuple[int, ...]
) -> None:
    secret = cbc(text(96))
    src = rig.caller.scatter(secret, cuts)
    call = rig.caller.crypt(rig.tfm(CBC, KEY), secret, IV, src=src, dst=src, decrypt=True)
    assert (call.status, src.read(96)) == (0, text(96))
    assert call.iv_out == secret[-16:]


@pytest.mark.parametrize("cuts", [(0, 16, 0, 0, 32), (0, 0), (48, 0), (20, 0, 28)], ids=str)
def test_case_14_empty_entries_are_ignored(rig: Rig, cuts: tuple[int, ...]) -> None:
    data = text(96)
    src, dst = rig.caller.scatter(data, cuts), rig.caller.scatter(96, cuts)
    call = rig.caller.crypt(rig.tfm(CBC, KEY), data, IV, src=src, dst=dst)
    assert call.out == cbc(data)


def in_one_segment(rig: Rig, mode: str, length: int) -> list[int]:
    """Encrypt so many bytes in place; the lengths of the descriptors that it took."""
    data = bytes(range(256)) * (length // 256) + bytes(length % 256)
    src = rig.caller.scatter(data)
    call = rig.caller.crypt(rig.tfm(f"{mode}(aes)", KEY), data, IV, src=src, dst=src)
    assert (call.status, call.out) == (0, crypted(mode, data))
    assert rig.hardware == 1
    return [work.length for work in rig.tap.work]


@pytest.mark.parametrize("mode", ["cbc", "ctr"])
def test_case_15_a_segment_of_a_mebibyte(make_rig: MakeRig, mode: str) -> None:
    assert in_one_segment(make_rig(), mode, 0x10_0000) == [_PIECE, 64]


@pytest.mark.parametrize("mode", ["cbc", "ctr"])
def test_case_16_the_longest_segment_of_whole_blocks(make_rig: MakeRig, mode: str) -> None:
    assert sum(in_one_segment(make_rig(), mode, 0xF_FFF0)) == 0xF_FFF0
    assert in_one_segment(make_rig(), mode, _PIECE) == [_PIECE]


@pytest.mark.parametrize("length", [1, 16, 17, 33, 4099])
@pytest.mark.parametrize("cuts", [(), (16,), (7,)])
def test_case_19_rfc3686_leaves_the_callers_iv(
    rig: Rig, length: int, cuts: tuple[int, ...]
) -> None:
    key, data = bytes(range(3, 23)), text(length)
    src, dst = rig.caller.scatter(data, cuts), rig.caller.scatter(length, cuts)
    call = rig.caller.crypt(rig.tfm(RFC3686, key), data, IV[:8], src=src, dst=dst)
    assert (call.out, call.iv_out) == (rfc3686(key, IV[:8], data), IV[:8])
    assert rig.hardware == 1


# Test vectors 1, 2 and 7 of RFC 3686, section 6: key and nonce, IV, plaintext, ciphertext.
_RFC3686_VECTORS = {
    "1": (
        "ae6852f8121067cc4bf7a5765577f39e00000030",
        "0000000000000000",
        b"Single block msg".hex(),
        "e4095d4fb7a7b3792d6175a3261311b8",
    ),
    "2": (
        "7e24067817fae0d743d6ce1f32539163006cb6db",
        "c0543b59da48d90b",
        bytes(range(32)).hex(),
        "5104a106168a72d9790d41ee8edad388eb2e1efc46da57c8fce630df9141be28",
    ),
    "7": (
        "776beff2851db06f4c8a0542c8696f6c6a81af1eec96b4d37fc1d689e6c1c10400000060",
        "db5672c97aa8f0b2",
        b"Single block msg".hex(),
        "145ad01dbf824ec7560863dc71e3e0c0",
    ),
}


@pytest.mark.parametrize("number", list(_RFC3686_VECTORS))
def test_case_20_the_block_counter_of_rfc3686_starts_at_one(rig: Rig, number: str) -> None:
    key, iv, plain, secret = map(bytes.fromhex, _RFC3686_VECTORS[number])
    tfm = rig.tfm(RFC3686, key)
    assert rig.caller.crypt(tfm, plain, iv).out == secret
    assert rig.caller.crypt(tfm, secret, iv, decrypt=True).out == plain
    assert rig.hardware == 2
