"""Edge cases 39 to 47 and 52 of eip93, section 8: results, rings, interrupts."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tcrypt.engine import software
from tcrypt.engine.api.machine import Machine, Setup
from tcrypt.engine.api.scatterlist import Scatterlist, Segment
from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.variants import MT7621, TINY_RING
from tcrypt.engine.sim import Context
from tcrypt.plugins.eip93 import attach_eip93
from tests.engine.eip93.driver.edge_cases import (
    CBC,
    IV,
    KEY,
    answered,
    cbc,
    crypted,
    lost,
    text,
)

if TYPE_CHECKING:
    from tests.engine.conftest import Call, Caller
    from tests.engine.eip93.driver.conftest import Rig

    MakeRig = Callable[..., Rig]

_EINPROGRESS, _EBUSY = -errno.EINPROGRESS, -errno.EBUSY
_EBADMSG, _EINVAL, _EIO = -errno.EBADMSG, -errno.EINVAL, -errno.EIO


def test_case_39_auth_and_pad_errors_together(
    make_rig: MakeRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert answered(make_rig, monkeypatch, 0x03) == _EBADMSG


def test_case_40_a_sequence_number_error_alone(
    make_rig: MakeRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert answered(make_rig, monkeypatch, 0x04) == 0


@pytest.mark.parametrize("bad", [{0}, {1}, {2}, {0, 1}, {1, 2}, {0, 2}, {0, 1, 2}], ids=str)
@pytest.mark.parametrize("where", ["src", "dst"])
def test_case_41_a_bus_error_in_any_descriptor(rig: Rig, where: str, bad: set[int]) -> None:
    other = "dst" if where == "src" else "src"
    lists = {where: lost(rig, 3, bad), other: rig.caller.scatter(text(48), [16, 16])}
    call = rig.caller.crypt(rig.tfm(CBC, KEY), text(48), IV, **lists)
    assert len(rig.tap.work) == 3
    assert call.status == _EIO
    assert call.iv_out == IV, "a request that failed leaves its IV alone"


_CODES = (_EIO, -errno.EACCES, *[_EINVAL] * 3, *[_EBADMSG] * 3, _EIO, _EINVAL)


@pytest.mark.parametrize(("code", "wanted"), list(enumerate(_CODES)))
def test_case_42_extended_codes(
    make_rig: MakeRig, monkeypatch: pytest.MonkeyPatch, code: int, wanted: int
) -> None:
    assert answered(make_rig, monkeypatch, code << 4 | 8) == wanted


def in_order(calls: list[Call]) -> list[int]:
    """A list that will say which of the calls completed when."""
    order: list[int] = []
    for number, call in enumerate(calls):
        complete = call.request.complete

        def noted(data: Any, status: int, n: int = number, tell: Any = complete) -> None:
            if status != _EINPROGRESS:
                order.append(n)
            tell(data, status)

        call.request.complete = noted
    return order


@pytest.mark.parametrize("mode", ["engine", "direct"])
def test_case_43_600_requests_and_more_than_a_ring_holds(make_rig: MakeRig, mode: str) -> None:
    for variant, count in ((MT7621, 600), (TINY_RING, 20)):
        rig = make_rig(variant, mode=mode)
        tfm = rig.tfm(CBC, KEY)
        texts = [n.to_bytes(4, "big") * 4 for n in range(count)]
        calls = [rig.caller.start(tfm, data, IV) for data in texts]
        order = in_order(calls)
        rig.caller.settle()
        assert order == list(range(count))
        assert [call.out for call in calls] == [cbc(data) for data in texts]
        heard = {_EINPROGRESS: [0], _EBUSY: [_EINPROGRESS, 0]}
        assert all(call.notes == heard[call.submitted] for call in calls)
    assert calls[-1].submitted == _EBUSY


_WRAP = bytes.fromhex("000102030405060708090a0bffffffff")


@pytest.mark.parametrize("mode", ["engine", "direct"])
@pytest.mark.parametrize(("name", "iv"), [("cbc", IV), ("ctr", IV), ("ctr", _WRAP)])
def test_case_44_one_request_of_600_segments(
    make_rig: MakeRig, name: str, iv: bytes, mode: str
) -> None:
    rig = make_rig(mode=mode)
    data = text(16 * 600)
    src = rig.caller.scatter(data, [16] * 599)
    call = rig.caller.crypt(rig.tfm(f"{name}(aes)", KEY), data, iv, src=src)
    assert (call.status, call.out) == (0, crypted(name, data, iv))
    assert rig.hardware == 1


def test_case_45_requests_of_8_segments_from_two_contexts(
    make_caller: Callable[[Machine], Caller],
) -> None:
    machine = Machine(setup=Setup(knobs={"preempt": 70}))
    software.register(machine)
    attach_eip93(machine, MT7621, mode="direct")
    caller = make_caller(machine)
    tfm: Any = machine.registry.alloc_skcipher("cbc(aes-eip93)")
    tfm.setkey(KEY)
    data, calls = text(128), list[Any]()

    def submit() -> None:
        src, dst = caller.scatter(data, [16] * 7), caller.scatter(128, [16] * 7)
        calls.append(caller.start(tfm, data, IV, src=src, dst=dst))

    for n in range(20):
        context = (Context.TASK, Context.SOFTIRQ)[n % 2]
        machine.sim.schedule(n // 2 * 500, context, "submit", submit)
    caller.settle()
    assert [call.out for call in calls] == [cbc(data)] * 20
    assert machine.warnings == []


@pytest.mark.parametrize("mode", ["engine", "direct"])
@pytest.mark.parametrize("late", [1, 1_000, 100_000])
def test_case_46_the_consumer_waits_for_both_ownership_halves(
    make_rig: MakeRig, late: int, mode: str
) -> None:
    rig = make_rig(replace(MT7621, torn_result_ns=late), mode=mode)
    tfm = rig.tfm(CBC, KEY)
    calls = [rig.caller.start(tfm, text(16 * n), IV) for n in range(1, 9)]
    rig.caller.settle()
    assert [call.out for call in calls] == [cbc(text(16 * n)) for n in range(1, 9)]


def test_case_47_a_command_that_is_not_handed_over(
    make_rig: MakeRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = make_rig()
    rings, found = rig.driver.core.rings, list[int]()
    put, take = rings.put, rings.take
    bits = reg.CONTROL_HOST_READY, reg.LENGTH_HOST_READY

    def disowned(command: Any) -> None:
        control, length = command.control & ~bits[0], command.length & ~bits[1]
        put(command._replace(control=control, length=length))

    def taken() -> Any:
        result = take()
        if result:
            found.append(result.control >> reg.CONTROL_STATUS_SHIFT & 0xFF)
        return result

    monkeypatch.setattr(rings, "put", disowned)
    monkeypatch.setattr(rings, "take", taken)
    assert rig.caller.crypt(rig.tfm(CBC, KEY), text(32), IV).status == -errno.EACCES
    assert found == [0x18]


def test_case_52_an_interrupt_with_a_processing_error_only(make_rig: MakeRig) -> None:
    rig = make_rig()
    rig.device.write32(reg.INT_MASK_DISABLE, reg.INT_RDR_THRESH)
    rig.device.write32(reg.INT_MASK_ENABLE, reg.INT_PROC_ERR)
    tfm = rig.tfm(CBC, KEY)
    lost = Scatterlist(rig.machine.memory, [Segment(0x100, 16)])
    call = rig.caller.start(tfm, text(16), IV, src=lost)
    rig.caller.settle()
    assert rig.irq.delivered == 1
    assert rig.device.read32(reg.INT_MASK) == 0
    assert not rig.device.read32(reg.INT_UNMASK_STAT) & reg.INT_PROC_ERR
    assert call.notes == [], "no result was looked for"
    rig.device.write32(reg.INT_MASK_ENABLE, reg.INT_RDR_THRESH)
    rig.caller.settle()
    assert call.status == _EIO
