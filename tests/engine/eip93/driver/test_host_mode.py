"""The driver in direct host mode: one packet at a time through registers, no DMA, no ring."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from Crypto.Cipher import AES

from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.device import Latency
from tcrypt.engine.eip93.variants import MT7621

if TYPE_CHECKING:
    from tests.engine.eip93.driver.conftest import Rig

_KEY, _IV = bytes(range(16)), bytes(range(16, 32))
_BLOB = bytes([8, 0, 1, 0, 0, 0, 0, 16]) + bytes(20) + _KEY


@pytest.fixture(params=list(Latency), ids=lambda latency: latency.value)
def host(request: pytest.FixtureRequest, make_rig: Callable[..., Rig]) -> Rig:
    return make_rig(MT7621, mode="dhm", latency=request.param)


@pytest.mark.parametrize("length", [16, 128, 240, 256, 272, 1024, 4096])
def test_data_of_any_length_goes_through_the_buffers(host: Rig, length: int) -> None:
    data = bytes(number * 7 % 256 for number in range(length))
    call = host.caller.crypt(host.tfm("cbc(aes)", _KEY), data, _IV)
    wanted = AES.new(_KEY, AES.MODE_CBC, _IV).encrypt(data)
    assert (call.status, call.out, call.iv_out) == (0, wanted, wanted[-16:])


@pytest.mark.parametrize("length", [1, 5, 17, 255, 257])
def test_an_end_inside_a_word_writes_no_byte_too_many(host: Rig, length: int) -> None:
    data = bytes(length)
    dst = host.caller.scatter(length + 8)
    call = host.caller.crypt(host.tfm("ctr(aes)", _KEY), data, _IV, dst=dst)
    stream = AES.new(_KEY, AES.MODE_CTR, nonce=b"", initial_value=_IV).encrypt(data)
    assert (call.status, dst.read(length + 8)) == (0, stream + b"\xfe" * 8)


def test_nothing_is_mapped_for_the_device(host: Rig) -> None:
    before = host.machine.dma.maps
    host.caller.crypt(host.tfm("cbc(aes)", _KEY), bytes(64), _IV)
    assert host.machine.dma.maps == before
    assert host.device.jobs == 1
    assert not [at for at, _ in host.tap.writes if at in (reg.PE_CDR_BASE, reg.PE_RDR_BASE)]


@pytest.mark.parametrize("authsize", [4, 12, 20])
def test_the_driver_compares_tags_which_the_engine_cannot(host: Rig, authsize: int) -> None:
    tfm = host.tfm("authenc(hmac(sha1),cbc(aes))", _BLOB)
    tfm.setauthsize(authsize)
    sealed = host.caller.crypt(tfm, bytes(48), _IV, assoc=bytes(8))
    assert sealed.status == 0
    secret = sealed.out[8:]
    opened = host.caller.crypt(tfm, secret, _IV, assoc=bytes(8), decrypt=True)
    assert (opened.status, opened.out) == (0, bytes(56))
    for place in (0, 47, 48, 47 + authsize):
        forged = bytearray(secret)
        forged[place] ^= 1
        call = host.caller.crypt(tfm, bytes(forged), _IV, assoc=bytes(8), decrypt=True)
        assert call.status == -errno.EBADMSG
    assert host.hardware == 6


def test_requests_go_one_after_another(host: Rig) -> None:
    """More than the engine holds, on a crypto_engine that never gets -ENOSPC."""
    tfm = host.tfm("cbc(aes)", _KEY)
    order: list[int] = []
    calls: list[Any] = []
    for n in range(700):
        call = host.caller.start(tfm, n.to_bytes(4, "big") * 4, _IV)
        call.request.complete = _noting(call.request.complete, order, n)
        calls.append(call)
    host.caller.settle()
    assert {call.status for call in calls} == {0}
    assert order == list(range(700))
    assert not host.machine.engines[0].retry_support
    assert host.machine.engines[0].retries == 0


def _noting(complete: Any, order: list[int], n: int) -> Any:
    def noted(data: Any, status: int) -> None:
        if status != -errno.EINPROGRESS:
            order.append(n)
        complete(data, status)

    return noted


def test_a_request_of_many_pieces_is_many_packets(host: Rig) -> None:
    data = bytes(range(128))
    src = host.caller.scatter(data, [16] * 7)
    call = host.caller.crypt(host.tfm("cbc(aes)", _KEY), data, _IV, src=src)
    assert call.out == AES.new(_KEY, AES.MODE_CBC, _IV).encrypt(data)
    assert host.device.jobs == 8


def test_interrupts_are_masked_while_nothing_is_in_work(host: Rig) -> None:
    used = host.caller.crypt(host.tfm("cbc(aes)", _KEY), bytes(64), _IV)
    assert host.device.read32(reg.INT_MASK_STAT) == 0
    host.machine.registry.free(used.request.tfm)
    assert host.driver.remove() == 0
    host.idle_mappings = 0
    assert host.device.read32(reg.INT_MASK) == 0


def test_a_driver_in_ring_mode_takes_the_device_over(host: Rig) -> None:
    """And back: the mode is the driver's choice at every probe."""
    for mode in ("engine", "dhm", "direct"):
        assert host.driver.remove() == 0
        host.mode = mode  # type: ignore[assignment]
        host.driver = host.probe()
        call = host.caller.crypt(host.tfm("cbc(aes)", _KEY), bytes(16), _IV)
        assert call.out == AES.new(_KEY, AES.MODE_CBC, _IV).encrypt(bytes(16))
        host.machine.registry.free(call.request.tfm)
    assert host.driver.remove() == 0
    host.idle_mappings = 0
