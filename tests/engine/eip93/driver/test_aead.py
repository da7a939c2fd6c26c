"""authenc on the hardware; see also the numbered edge cases."""

from __future__ import annotations

import errno
import hmac
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tcrypt.engine.api.scatterlist import Scatterlist, Segment
from tcrypt.engine.eip93.device import Latency
from tcrypt.engine.eip93.driver.policy import Reason
from tcrypt.engine.eip93.variants import MT7621, TINY_RING

if TYPE_CHECKING:
    from tests.engine.eip93.driver.conftest import Rig

_NAME = "authenc(hmac(sha1),cbc(aes))"
_DRIVER = "authenc(hmac(sha1-eip93),cbc(aes-eip93))"
_AUTH = b"authentication key!!"
_ENC = bytes(range(16))
_IV = bytes(range(16, 32))


def blob(authkey: bytes = _AUTH, enckey: bytes = _ENC) -> bytes:
    return struct.pack("<HH", 8, 1) + struct.pack(">I", len(enckey)) + authkey + enckey


def text(length: int) -> bytes:
    return bytes(i * 7 % 251 for i in range(length))


def sealed(
    assoc: bytes, plain: bytes, authsize: int = 20, auth: bytes = _AUTH, enc: bytes = _ENC
) -> bytes:
    """Ciphertext and tag, by other libraries."""
    context = Cipher(algorithms.AES(enc), modes.CBC(_IV)).encryptor()
    ctext = context.update(plain) + context.finalize()
    return ctext + hmac.new(auth, assoc + ctext, "sha1").digest()[:authsize]


def outcome(rig: Rig) -> list[str]:
    """What the counters say happened, without numbers."""
    return [what for _, what in rig.driver.core.counters]


def round_trip(
    rig: Rig, tfm: Any, assoc: bytes, plain: bytes, authsize: int = 20, **keys: bytes
) -> None:
    """Encrypt and decrypt, and compare both with the libraries."""
    wanted = sealed(assoc, plain, authsize, **keys)
    call = rig.caller.crypt(tfm, plain, _IV, assoc=assoc)
    assert (call.status, call.out) == (0, assoc + wanted)
    back = rig.caller.crypt(tfm, wanted, _IV, assoc=assoc, decrypt=True)
    # The AAD of the destination is the driver's own affair on decryption (crypto API, 6.4).
    assert (back.status, back.out[len(assoc) :]) == (0, plain)


@pytest.mark.parametrize("textlen", [16, 32, 4096])
@pytest.mark.parametrize("size", [16, 24, 32])
def test_hardware_does_every_key_size(rig: Rig, size: int, textlen: int) -> None:
    enc = bytes(range(5, 5 + size))
    round_trip(rig, rig.tfm(_NAME, blob(enckey=enc)), text(8), text(textlen), enc=enc)
    assert outcome(rig) == ["hardware"]
    assert rig.device.jobs == 2


def test_after_a_forgery_the_next_message_is_right(rig: Rig) -> None:
    tfm = rig.tfm(_NAME, blob())
    assert rig.caller.crypt(tfm, bytes(36), _IV, decrypt=True).status == -errno.EBADMSG
    round_trip(rig, tfm, text(8), text(32))


@pytest.mark.parametrize("length", [1, 15, 17])
def test_a_partial_block_is_einval(rig: Rig, length: int) -> None:
    call = rig.caller.crypt(rig.tfm(_NAME, blob()), text(length), _IV)
    assert call.status == -errno.EINVAL


def test_the_tag_is_judged_before_the_length(rig: Rig) -> None:
    tfm = rig.tfm(_NAME, blob())
    assert rig.caller.crypt(tfm, bytes(37), _IV, decrypt=True).status == -errno.EBADMSG
    message = text(17) + hmac.new(_AUTH, text(17), "sha1").digest()
    assert rig.caller.crypt(tfm, message, _IV, decrypt=True).status == -errno.EINVAL
    assert outcome(rig) == [Reason.PARTIAL]


@pytest.mark.parametrize("decrypt", [False, True], ids=["encrypt", "decrypt"])
@pytest.mark.parametrize("short", ["src", "dst"])
def test_a_list_that_is_too_short_is_einval_once(rig: Rig, short: str, decrypt: bool) -> None:
    data = sealed(text(8), text(32)) if decrypt else text(32)
    room = 40 if decrypt else 60
    lists = {"src": rig.caller.scatter(text(8) + data), "dst": rig.caller.scatter(room)}
    lists[short] = rig.caller.scatter(lists[short].read(99)[:-1])
    tfm = rig.tfm(_NAME, blob())
    call = rig.caller.crypt(tfm, data, _IV, assoc=text(8), decrypt=decrypt, **lists)
    assert call.status == -errno.EINVAL
    assert rig.tap.work == []


@pytest.mark.parametrize("decrypt", [False, True], ids=["encrypt", "decrypt"])
def test_a_request_too_long_for_one_descriptor_runs_in_software(
    make_rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch, decrypt: bool
) -> None:
    # As if the length field had fewer bits: hashing a megabyte takes the model a second.
    monkeypatch.setattr("tcrypt.engine.eip93.driver.policy.MAX_DESCRIPTOR_BYTES", 1024)
    rig = make_rig()
    tfm = rig.tfm(_NAME, blob())
    for length, wanted in ((1024 - 32, "hardware"), (1024 - 16, Reason.LONG)):
        rig.driver.core.counters.clear()
        data = sealed(b"", text(length)) if decrypt else text(length)
        call = rig.caller.crypt(tfm, data, _IV, decrypt=decrypt)
        assert call.out == (text(length) if decrypt else sealed(b"", text(length)))
        assert outcome(rig) == [wanted]


def test_a_later_key_or_tag_size_does_not_reach_a_queued_request(
    make_rig: Callable[..., Rig],
) -> None:
    rig = make_rig()
    tfm = rig.tfm(_NAME)
    calls = []
    for seed in range(4):
        auth, enc = bytes([seed]) * 20, bytes([seed]) * (16 + 8 * (seed % 3))
        tfm.setkey(blob(auth, enc))
        tfm.setauthsize(20 - 4 * seed)
        wanted = text(8) + sealed(text(8), text(64), 20 - 4 * seed, auth, enc)
        calls.append((rig.caller.start(tfm, text(64), _IV, assoc=text(8)), wanted))
    rig.caller.settle()
    assert [made.out for made, _ in calls] == [wanted for _, wanted in calls]


def test_more_messages_at_once_than_the_ring_holds(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(TINY_RING)
    tfm = rig.tfm(_NAME, blob())
    calls = [
        rig.caller.start(tfm, text(16 * n), _IV, assoc=text(4 * n), src=src)
        for n in range(1, 13)
        for src in (rig.caller.scatter(text(4 * n) + text(16 * n), [7] * (n % 3)),)
    ]
    rig.caller.settle()
    assert rig.driver.core.engine.retries > 0
    wanted = [text(4 * n) + sealed(text(4 * n), text(16 * n)) for n in range(1, 13)]
    assert [made.out for made in calls] == wanted


@pytest.mark.parametrize("decrypt", [False, True], ids=["encrypt", "decrypt"])
def test_a_bus_error_is_eio_and_releases_nothing(rig: Rig, decrypt: bool) -> None:
    tfm = rig.tfm(_NAME, blob())
    nowhere = Scatterlist(rig.machine.memory, [Segment(0x100, 100)])
    data = bytes(52) if decrypt else bytes(32)
    call = rig.caller.crypt(tfm, data, _IV, src=nowhere, decrypt=decrypt)
    assert call.status == -errno.EIO
    assert call.out[:32] == bytes(32)
    round_trip(rig, tfm, text(8), text(32))


def test_what_the_fallback_refuses_is_refused(rig: Rig) -> None:
    tfm = rig.tfm(_NAME, blob())
    fallback = tfm.ctx.fallback.alg
    fallback.setkey = lambda tfm, key: -errno.ENOMEM
    fallback.setauthsize = lambda tfm, authsize: -errno.EOPNOTSUPP
    with pytest.raises(OSError, match=r"eip93.*setauthsize 12") as caught:
        tfm.setauthsize(12)
    assert (caught.value.errno, tfm.authsize) == (errno.EOPNOTSUPP, 20)
    with pytest.raises(OSError, match=r"eip93.*setkey") as caught:
        tfm.setkey(blob())
    assert caught.value.errno == errno.ENOMEM
    assert rig.caller.crypt(tfm, text(16), _IV).status == -errno.ENOKEY


_cut = st.lists(st.integers(0, 50), max_size=3)


@given(
    decrypt=st.booleans(),
    source=_cut,
    target=st.none() | _cut,
    offsets=st.tuples(st.integers(0, 5), st.integers(0, 5)),
    assoclen=st.integers(0, 40),
    blocks=st.integers(0, 5),
    authsize=st.integers(1, 20),
    variant=st.sampled_from([MT7621, TINY_RING]),
    latency=st.sampled_from(Latency),
)
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80, deadline=None
)
def test_any_placement_gives_the_libraries_bytes(
    make_rig: Callable[..., Rig], **drawn: Any
) -> None:
    rig = make_rig(drawn["variant"], latency=drawn["latency"])
    assoc, plain, authsize = text(drawn["assoclen"]), text(16 * drawn["blocks"]), drawn["authsize"]
    tfm = rig.tfm(_NAME, blob())
    tfm.setauthsize(authsize)
    message = sealed(assoc, plain, authsize)
    data, wanted = (message, plain) if drawn["decrypt"] else (plain, message)
    shared = drawn["target"] is None
    room = max(len(data), len(wanted)) if shared else len(data)
    spare = bytes(room - len(data) + sum(drawn["source"]))
    src = rig.caller.scatter(assoc + data + spare, drawn["source"], offset=drawn["offsets"][0])
    dst = src
    if not shared:
        size = len(assoc + wanted) + sum(drawn["target"])
        dst = rig.caller.scatter(size, drawn["target"], offset=drawn["offsets"][1])
    before = dst.read(dst.total)
    call = rig.caller.crypt(
        tfm, data, _IV, assoc=assoc, src=src, dst=dst, decrypt=drawn["decrypt"]
    )
    assert call.status == 0
    assert dst.read(len(wanted), len(assoc)) == wanted
    assert dst.read(len(assoc)) in (assoc, before[: len(assoc)])
    end = len(assoc) + max(len(data), len(wanted)) if shared else len(assoc + wanted)
    assert dst.read(dst.total, end) == before[end:], "what lies behind is left alone"
