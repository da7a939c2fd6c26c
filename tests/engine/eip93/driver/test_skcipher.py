"""The ciphers on the hardware, and who does the work; see also the numbered edge cases."""

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
from tcrypt.engine.eip93.driver.policy import OPENWRT, Reason
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


def test_a_change_of_key_size_changes_who_does_the_work(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(AES128_ONLY)
    tfm = rig.tfm("cbc(aes)")
    for size in (16, 32, 16, 24):
        tfm.setkey(bytes(range(size)))
        call = rig.caller.crypt(tfm, text(64), _IV)
        assert call.out == library("cbc", text(64), key=bytes(range(size)))
        assert call.submitted == (-errno.EINPROGRESS if size == 16 else 0)


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
