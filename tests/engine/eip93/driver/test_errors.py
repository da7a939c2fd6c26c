"""Results with an error: the table of eip93, section 4.4, and what follows for a request."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tcrypt.engine.api.scatterlist import Scatterlist, Segment
from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.descriptors import Descriptor, command_control, command_length
from tcrypt.engine.eip93.device import Latency, Record
from tcrypt.engine.eip93.driver.core import status_to_errno
from tcrypt.engine.eip93.variants import MT7621, MissingAESKey
from tests.engine.eip93.driver.edge_cases import NOWHERE, blob, keyed, library, lost

if TYPE_CHECKING:
    from tests.engine.eip93.driver.conftest import Rig

_IV = bytes(range(16))
_EBADMSG, _EINVAL, _EIO = -errno.EBADMSG, -errno.EINVAL, -errno.EIO


@pytest.mark.parametrize(
    ("status", "wanted"),
    [
        (0x00, 0),
        (0x01, _EBADMSG),
        (0x02, _EBADMSG),
        (0x03, _EBADMSG),
        (0x04, 0),
        (0x05, _EBADMSG),
        (0x08, _EIO),
        (0x18, -errno.EACCES),
        (0x28, _EINVAL),
        (0x38, _EINVAL),
        (0x48, _EINVAL),
        (0x58, _EBADMSG),
        (0x68, _EBADMSG),
        (0x78, _EBADMSG),
        (0x79, _EBADMSG),
        (0x7A, _EBADMSG),
        (0x88, _EIO),
        (0x8C, _EIO),
        *((code << 4 | 8, _EINVAL) for code in range(9, 16)),
        (0x10, _EINVAL),
        (0xF0, _EINVAL),
    ],
    ids=lambda value: f"{value:#04x}" if value >= 0 else errno.errorcode[-value],
)
def test_statuses_become_errnos(status: int, wanted: int) -> None:
    assert status_to_errno(status) == wanted


def test_every_status_byte_has_an_errno() -> None:
    known = {0, _EBADMSG, _EINVAL, _EIO, -errno.EACCES}
    assert {status_to_errno(status) for status in range(256)} == known


def test_the_engine_works_again_after_bus_errors(rig: Rig) -> None:
    tfm = rig.tfm("cbc(aes)", bytes(16))
    wanted = rig.caller.crypt(tfm, bytes(48), _IV).out
    for bad in ({0}, {0, 1, 2}, {2}):
        assert rig.caller.crypt(tfm, bytes(48), _IV, src=lost(rig, 3, bad)).status == _EIO
        call = rig.caller.crypt(tfm, bytes(48), _IV)
        assert (call.status, call.out) == (0, wanted)


def test_a_bus_error_does_not_reach_the_requests_around_it(rig: Rig) -> None:
    tfm = rig.tfm("cbc(aes)", bytes(16))
    wanted = rig.caller.crypt(tfm, bytes(48), _IV).out
    calls = [
        rig.caller.start(tfm, bytes(48), _IV, src=lost(rig, 3, {1, 2}) if n in (2, 3, 6) else None)
        for n in range(8)
    ]
    rig.caller.settle()
    assert [call.status for call in calls] == [0, 0, _EIO, _EIO, 0, 0, _EIO, 0]
    assert all(call.out == wanted for call in calls if call.status == 0)


def test_a_bus_error_of_a_hash_is_eio(rig: Rig) -> None:
    tfm = rig.tfm("sha1")
    nowhere = Scatterlist(rig.machine.memory, [Segment(NOWHERE, 128)])
    hashing = rig.caller.hash(tfm)
    assert hashing.step("digest", src=nowhere, nbytes=128) == _EIO
    assert hashing.result.read() == bytes(20), "nothing is written"
    assert hashing.step("digest", b"abc") == 0
    assert hashing.hexdigest() == "a9993e364706816aba3e25717850c26c9cd0d89d"


def test_an_algorithm_that_the_device_refuses_is_einval(make_rig: Callable[..., Rig]) -> None:
    """A device that reports AES and no key size, and errors on all of them."""
    sizes = reg.OPTION_1_AES_128 | reg.OPTION_1_AES_192 | reg.OPTION_1_AES_256
    lying = replace(MT7621, missing_aes_key=MissingAESKey.ERROR, option_1=MT7621.option_1 & ~sizes)
    rig = make_rig(lying)
    rig.driver.core.option = MT7621.option_1
    call = rig.caller.crypt(rig.tfm("cbc(aes)", bytes(16)), bytes(16), _IV)
    assert call.status == _EINVAL
    assert len(rig.tap.work) == 1


def test_other_interrupts_are_cleared_and_disabled(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig()
    rig.device.write32(reg.INT_MASK_ENABLE, reg.INT_PROC_ERR | reg.INT_INTERFACE_ERR)
    tfm = rig.tfm("cbc(aes)", bytes(16))
    assert rig.caller.crypt(tfm, bytes(48), _IV, src=lost(rig, 3, {1})).status == _EIO
    assert rig.device.read32(reg.INT_MASK) == reg.INT_RDR_THRESH
    assert rig.caller.crypt(tfm, bytes(16), _IV).status == 0


_REQUESTS = {
    "cbc(aes)": bytes(16),
    "ecb(aes)": bytes(16),
    "authenc(hmac(sha1),cbc(aes))": blob(),
}


@pytest.mark.parametrize("mode", ["engine", "direct"])
@pytest.mark.parametrize("latency", list(Latency), ids=lambda latency: latency.value)
@pytest.mark.parametrize(
    ("name", "record"),
    [
        (name, record)
        for name in _REQUESTS
        for record in Record
        if (name, record) != ("ecb(aes)", Record.STATE)
    ],
    ids=str,
)
def test_a_record_that_the_device_cannot_read_is_eio_for_one_request(
    make_rig: Callable[..., Rig], name: str, record: Record, latency: Latency, mode: str
) -> None:
    """Not only data can be out of reach (eip93, 4.1 and 4.4): the packet is not even begun."""
    rig = make_rig(latency=latency, mode=mode)
    tfm = rig.tfm(name, _REQUESTS[name])
    iv = b"" if name.startswith("ecb") else _IV
    wanted = rig.caller.crypt(tfm, bytes(48), iv).out
    for place in range(3):
        rig.device.lose(record, place)
        calls = [rig.caller.start(tfm, bytes(48), iv) for _ in range(4)]
        rig.caller.settle()
        statuses = [call.status for call in calls]
        assert statuses == [_EIO if n == place else 0 for n in range(4)]
        assert all(call.out == wanted for call in calls if call.status == 0)
        failed = calls[place]
        assert failed.iv is None or failed.iv_out == iv
        assert wanted[:16] not in failed.out
    assert rig.count("error: EIO") == 3


@pytest.mark.parametrize("record", Record, ids=str)
@pytest.mark.parametrize("name", ["sha1", "hmac(sha256)"])
def test_a_record_of_a_hash_that_the_device_cannot_read_is_eio(
    rig: Rig, name: str, record: Record
) -> None:
    hashing = rig.caller.hash(keyed(rig, name))
    rig.device.lose(record)
    assert hashing.step("digest", bytes(200)) == _EIO
    assert hashing.result.read() == bytes(hashing.tfm.alg.digestsize), "nothing is written"
    assert hashing.step("digest", bytes(200)) == 0
    assert hashing.result.read() == library(name, bytes(200))


@pytest.mark.parametrize("mode", ["engine", "direct", "dhm"])
@pytest.mark.parametrize("latency", list(Latency), ids=lambda latency: latency.value)
@pytest.mark.parametrize("stops", [False, True], ids=["goes on", "stops"])
def test_the_engine_works_again_after_a_bad_packet_length(
    make_rig: Callable[..., Rig], stops: bool, latency: Latency, mode: str
) -> None:
    """Whichever way the manual is read, nothing behind the packet hangs or is damaged."""
    rig = make_rig(replace(MT7621, length_error_stops=stops), latency=latency, mode=mode)
    tfm = rig.tfm("cbc(aes)", bytes(16))
    wanted = rig.caller.crypt(tfm, bytes(4096), _IV).out
    for place in (0, 2, 4):
        rig.device.fail(reg.ERR_LENGTH, place)
        calls = []
        for _ in range(5):
            place_of = rig.caller.scatter(bytes(4096))
            calls.append(rig.caller.start(tfm, bytes(4096), _IV, src=place_of, dst=place_of))
        rig.caller.settle()
        assert [call.status for call in calls] == [_EBADMSG if n == place else 0 for n in range(5)]
        assert all(call.out == wanted for call in calls if call.status == 0)


def test_an_engine_that_goes_on_by_itself_is_not_reset(make_rig: Callable[..., Rig]) -> None:
    """A reset would hit the packet behind, whose data may be half written on real hardware."""
    rig = make_rig()
    tfm = rig.tfm("cbc(aes)", bytes(16))
    rig.device.fail(reg.ERR_LENGTH)
    rig.tap.writes.clear()
    calls = [rig.caller.start(tfm, bytes(size), _IV) for size in (16, 1 << 16)]
    rig.caller.settle()
    assert [call.status for call in calls] == [_EBADMSG, 0]
    assert reg.PE_CONFIG not in [offset for offset, _ in rig.tap.writes]


def test_a_result_that_belongs_to_nobody_is_warned_about(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig()
    core, sa = rig.driver.core, rig.machine.dma.alloc_coherent(128)
    rig.idle_mappings += 1
    rig.machine.memory.write(sa, b"\x02")  # a reserved operation: the engine only answers
    core.rings.put(Descriptor(command_control(), sa, sa, sa, sa, 0, 0x4321, command_length(16)))
    core.ring_doorbell(1)
    rig.caller.settle()
    assert rig.machine.warnings == ["eip93: result for unknown handle 0x4321"]
    rig.machine.warnings.clear()
    call = rig.caller.crypt(rig.tfm("cbc(aes)", bytes(16)), bytes(16), _IV)
    assert call.status == 0
