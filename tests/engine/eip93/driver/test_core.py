"""Interrupts, queueing and completion: eip93, sections 4.2, 4.3 and 7."""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tcrypt.engine.api.flags import ReqFlag
from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.driver.policy import Reason
from tcrypt.engine.eip93.variants import AES128_ONLY, MT7621, TINY_RING
from tcrypt.engine.sim import Event

if TYPE_CHECKING:
    from tests.engine.eip93.driver.conftest import Rig

_KEY, _IV = bytes(range(16)), bytes(range(16, 32))
_EINPROGRESS, _EBUSY, _ENOSPC = -errno.EINPROGRESS, -errno.EBUSY, -errno.ENOSPC


def numbered(n: int) -> bytes:
    return n.to_bytes(4, "big") * 4


def test_without_backlog_a_full_queue_refuses(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(TINY_RING)
    tfm = rig.tfm("cbc(aes)", _KEY)
    calls = [rig.caller.start(tfm, numbered(n), _IV, flags=0) for n in range(6)]
    rig.caller.settle()
    assert [made.submitted for made in calls] == [_EINPROGRESS] * 4 + [_ENOSPC] * 2
    assert [made.notes for made in calls] == [[0]] * 4 + [[]] * 2
    assert calls[5].out == b"\xfe" * 16
    again = rig.caller.crypt(tfm, numbered(5), _IV, flags=0)
    assert again.status == 0


def test_a_callback_may_submit_the_next_request(rig: Rig) -> None:
    tfm = rig.tfm("cbc(aes)", _KEY)
    wanted = rig.caller.crypt(tfm, bytes(16), _IV).out
    followers: list[Any] = []
    first = rig.caller.start(tfm, bytes(16), _IV)
    complete = first.request.complete

    def follow(data: Any, status: int) -> None:
        complete(data, status)
        if len(followers) < 5:
            followers.append(rig.caller.start(tfm, bytes(16), _IV))
            followers[-1].request.complete = follow

    first.request.complete = follow
    rig.caller.settle()
    assert len(followers) == 5
    assert all(made.out == wanted for made in followers)


def test_one_interrupt_serves_many_results(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig()
    tfm = rig.tfm("cbc(aes)", _KEY)
    calls = [rig.caller.start(tfm, bytes(16), _IV) for _ in range(50)]
    rig.caller.settle()
    assert {made.status for made in calls} == {0}
    assert 0 < rig.irq.delivered <= 50
    assert rig.device.read32(reg.INT_MASK) == reg.INT_RDR_THRESH
    assert rig.device.read32(reg.INT_MASK_STAT) == 0
    assert rig.device.read32(reg.PE_RD_COUNT) == 0


def test_a_doorbell_is_rung_in_steps_that_fit_the_register(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig()
    data = bytes(16 * 500)
    src = rig.caller.scatter(data, [16] * 499)
    call = rig.caller.crypt(rig.tfm("cbc(aes)", _KEY), data, _IV, src=src, dst=src)
    assert call.status == 0
    counts = [value for offset, value in rig.tap.writes if offset == reg.PE_CD_COUNT]
    assert counts == [255, 245]
    taken = [value for offset, value in rig.tap.writes if offset == reg.PE_RD_COUNT]
    assert sum(taken) == 500
    assert max(taken) <= 255


def test_a_request_waits_until_all_of_it_fits(make_rig: Callable[..., Rig]) -> None:
    """A part of a request in the ring would be done twice after a retry (eip93, section 7)."""
    rig = make_rig(replace(MT7621, ring_size=8))
    tfm = rig.tfm("cbc(aes)", _KEY)
    data = bytes(range(80))
    wanted = rig.caller.crypt(tfm, data, _IV).out
    rig.tap.work.clear()
    calls = [
        rig.caller.start(tfm, data, _IV, src=rig.caller.scatter(data, [16] * 4)) for _ in range(6)
    ]
    rig.caller.settle()
    assert [made.out for made in calls] == [wanted] * 6
    assert len(rig.tap.work) == 30
    assert rig.driver.core.engine.retries > 0


def test_the_rings_stay_in_step_over_many_laps(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(TINY_RING)
    tfm = rig.tfm("ecb(aes)", _KEY)
    wanted = rig.caller.crypt(tfm, bytes(16)).out
    for n in range(1, 40):
        data = bytes(16 * (1 + n % 3))
        src = rig.caller.scatter(data, [16] * (n % 3))
        assert rig.caller.crypt(tfm, data, src=src).out == wanted * (1 + n % 3)
        pointers = rig.device.read32(reg.PE_RING_RW_PNTR)
        assert pointers & 0x3FF == pointers >> 16
        assert rig.driver.core.rings.used == 0


def test_counters_say_who_did_the_work_and_why(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(AES128_ONLY)
    for size in (16, 32):
        tfm = rig.tfm("cbc(aes)", bytes(size))
        for _ in range(size // 8):
            rig.caller.crypt(tfm, bytes(16), _IV)
    rig.caller.crypt(tfm, b"", _IV)
    rig.caller.hash(rig.tfm("sha1")).step("digest", b"abc")
    assert rig.driver.core.counters == {
        ("cbc(aes-eip93)", "hardware"): 2,
        ("cbc(aes-eip93)", Reason.KEY_SIZE): 4,
        ("sha1-eip93", "hardware"): 1,
    }
    assert rig.device.jobs == 3


@pytest.mark.parametrize("flags", [0, ReqFlag.FORBID_WEAK_KEYS])
def test_the_fallback_is_keyed_under_the_transforms_flags(rig: Rig, flags: int) -> None:
    for name, key in (
        ("cbc(aes)", _KEY),
        ("authenc(hmac(sha1),cbc(aes))", bytes.fromhex("0800010000000010") + bytes(36)),
    ):
        tfm = rig.tfm(name)
        tfm.ctx.fallback.set_flags(ReqFlag.MAY_SLEEP)
        tfm.set_flags(flags)
        tfm.setkey(key)
        assert tfm.ctx.fallback.flags == flags
        assert not tfm.ctx.fallback.needs_key


def test_a_fallback_request_carries_the_callers_flags_and_callback(
    make_rig: Callable[..., Rig],
) -> None:
    rig = make_rig(AES128_ONLY)
    tfm = rig.tfm("cbc(aes)", bytes(32))
    seen: list[Any] = []

    def encrypt(request: Any) -> int:
        seen.append((request.flags, request.complete, request.data, request.cryptlen))
        return 0

    tfm.ctx.fallback.alg.encrypt = encrypt
    call = rig.caller.start(tfm, bytes(48), _IV, flags=ReqFlag.MAY_SLEEP)
    assert seen == [(ReqFlag.MAY_SLEEP, call.request.complete, None, 48)]


class Drawn:
    """Lets a search decide which of the ready events runs next."""

    def __init__(self, choices: list[int]) -> None:
        self.choices = choices

    def choose(self, ready: Sequence[Event]) -> int:
        return self.choices.pop() % len(ready) if self.choices else 0


@given(
    st.lists(st.integers(0, 5), max_size=100),
    st.lists(st.integers(0, 20_000), min_size=1, max_size=12),
)
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None
)
def test_no_order_of_events_loses_a_request(
    make_rig: Callable[..., Rig], choices: list[int], delays: list[int]
) -> None:
    rig = make_rig(TINY_RING)
    tfm = rig.tfm("cbc(aes)", _KEY)
    wanted = rig.caller.crypt(tfm, bytes(64), _IV).out
    rig.sim.chooser = Drawn(choices)
    calls: list[Any] = []

    def submit() -> None:
        src = rig.caller.scatter(bytes(64), [16] * (len(calls) % 4))
        calls.append(rig.caller.start(tfm, bytes(64), _IV, src=src))

    for delay in delays:
        # Rounded, so that many events fall on one instant.
        rig.sim.schedule(delay // 500 * 500, rig.sim.context, "submit", submit)
    rig.caller.settle()
    assert [made.out for made in calls] == [wanted] * len(delays)
    assert {made.status for made in calls} == {0}
