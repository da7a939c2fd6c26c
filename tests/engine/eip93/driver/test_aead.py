"""authenc on the hardware: cases 2, 25 to 38 of eip93, section 8, as driver tests."""

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
from tcrypt.engine.eip93.variants import AES128_ONLY, MT7621, TINY_RING

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


def test_case_2_encrypting_after_decrypting(rig: Rig) -> None:
    tfm = rig.tfm(_NAME, blob())
    message = sealed(b"aad.", text(48))
    for decrypt in (True, False, False, True, False):
        data = message if decrypt else text(48)
        call = rig.caller.crypt(tfm, data, _IV, assoc=b"aad.", decrypt=decrypt)
        assert (call.status, call.out) == (0, b"aad." + (text(48) if decrypt else message))
    assert rig.hardware == 5


@pytest.mark.parametrize("textlen", [16, 32, 4096])
@pytest.mark.parametrize("size", [16, 24, 32])
def test_hardware_does_every_key_size(rig: Rig, size: int, textlen: int) -> None:
    enc = bytes(range(5, 5 + size))
    round_trip(rig, rig.tfm(_NAME, blob(enckey=enc)), text(8), text(textlen), enc=enc)
    assert outcome(rig) == ["hardware"]
    assert rig.device.jobs == 2


def test_case_25_a_long_key_with_a_short_tag(rig: Rig) -> None:
    auth = b"\xaa" * 65
    tfm = rig.tfm(_NAME, blob(auth))
    tfm.setauthsize(12)
    round_trip(rig, tfm, b"abc!", text(16), 12, auth=auth)
    assert outcome(rig) == ["hardware"]


@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 200])
def test_case_27_authentication_keys_of_any_length(rig: Rig, size: int) -> None:
    round_trip(rig, rig.tfm(_NAME, blob(text(size))), b"abcd", text(16), auth=text(size))
    assert outcome(rig) == ["hardware"]


@pytest.mark.parametrize("authsize", [0, 21])
def test_case_28_tag_sizes_outside_the_range(rig: Rig, authsize: int) -> None:
    with pytest.raises(OSError, match=f"setauthsize {authsize}") as caught:
        rig.tfm(_NAME, blob()).setauthsize(authsize)
    assert caught.value.errno == errno.EINVAL


@pytest.mark.parametrize("authsize", range(1, 21))
def test_cases_29_30_tags_of_every_size_without_overrun(rig: Rig, authsize: int) -> None:
    tfm = rig.tfm(_NAME, blob())
    tfm.setauthsize(authsize)
    round_trip(rig, tfm, b"abcd", text(32), authsize)
    dst = rig.caller.scatter(4 + 32 + authsize)
    rig.caller.crypt(tfm, text(32), _IV, assoc=b"abcd", dst=dst)
    (entry,) = dst.entries
    assert rig.machine.memory.read(entry.address + entry.length, 16) == b"\xfe" * 16
    assert rig.machine.memory.read(entry.address - 16, 16) == b"\xfe" * 16
    assert outcome(rig) == [Reason.TAG if authsize % 4 else "hardware"]


def test_case_31_without_setauthsize_the_tag_is_whole(rig: Rig) -> None:
    call = rig.caller.crypt(rig.tfm(_NAME, blob()), text(16), _IV)
    assert call.out == sealed(b"", text(16))


@pytest.mark.parametrize("key_first", [True, False])
@pytest.mark.parametrize("size", [20, 65])
def test_case_32_the_order_of_key_and_tag_size_does_not_matter(
    rig: Rig, key_first: bool, size: int
) -> None:
    tfm = rig.tfm(_NAME)
    for step in (0, 1) if key_first else (1, 0):
        if step:
            tfm.setauthsize(12)
        else:
            tfm.setkey(blob(text(size)))
    round_trip(rig, tfm, text(8), text(32), 12, auth=text(size))


def test_case_33_the_length_of_the_aad_may_change(rig: Rig) -> None:
    tfm = rig.tfm(_NAME, blob())
    for assoclen in (8, 12, 0, 12, 20):
        round_trip(rig, tfm, text(assoclen), text(32))
    assert outcome(rig) == ["hardware"]


@pytest.mark.parametrize("assoclen", [0, 1, 3, 4, 1016, 1020, 1021, 1024, 4096])
def test_case_34_aad_of_any_length(rig: Rig, assoclen: int) -> None:
    round_trip(rig, rig.tfm(_NAME, blob()), text(assoclen), text(32))
    fits = assoclen % 4 == 0 and assoclen <= 1020
    assert outcome(rig) == ["hardware" if fits else Reason.ASSOC]


@pytest.mark.parametrize("assoclen", [20, 0], ids=["case 35", "case 36"])
def test_cases_35_36_an_empty_text_has_a_tag(rig: Rig, assoclen: int) -> None:
    round_trip(rig, rig.tfm(_NAME, blob()), text(assoclen), b"")
    assert outcome(rig) == [Reason.EMPTY]


@pytest.mark.parametrize("length", [0, 11])
def test_case_37_a_ciphertext_shorter_than_its_tag(rig: Rig, length: int) -> None:
    tfm = rig.tfm(_NAME, blob())
    tfm.setauthsize(12)
    call = rig.caller.crypt(tfm, bytes(length), _IV, decrypt=True)
    assert call.status == -errno.EINVAL
    assert outcome(rig) == []


@pytest.mark.parametrize("cuts", [(), (10,)], ids=["direct", "bounced"])
@pytest.mark.parametrize("in_place", [False, True])
@pytest.mark.parametrize(
    "where", [0, 7, 8, 8 + 31, 8 + 32, 8 + 32 + 11], ids=lambda n: f"byte {n}"
)
def test_case_38_one_flipped_bit_is_ebadmsg_and_releases_nothing(
    rig: Rig, where: int, in_place: bool, cuts: tuple[int, ...]
) -> None:
    message = bytearray(b"8 of AAD" + sealed(b"8 of AAD", text(32), 12))
    message[where] ^= 0x40
    tfm = rig.tfm(_NAME, blob())
    tfm.setauthsize(12)
    src = rig.caller.scatter(bytes(message), cuts)
    dst = src if in_place else rig.caller.scatter(40, cuts)
    data, assoc = bytes(message[8:]), bytes(message[:8])
    call = rig.caller.crypt(tfm, data, _IV, assoc=assoc, src=src, dst=dst, decrypt=True)
    assert call.status == -errno.EBADMSG
    assert text(32)[:8] not in call.out
    assert text(32)[16:24] not in call.out
    assert outcome(rig) == ["hardware", "error: EBADMSG"]


def test_case_38_the_iv_is_not_authenticated(rig: Rig) -> None:
    """Unlike the table says: the MAC covers AAD and ciphertext only (kernel-crypto, 6.4)."""
    tfm = rig.tfm(_NAME, blob())
    other = bytes([_IV[0] ^ 1]) + _IV[1:]
    call = rig.caller.crypt(tfm, sealed(b"", text(32)), other, decrypt=True)
    assert call.status == 0
    assert call.out == bytes([text(1)[0] ^ 1]) + text(32)[1:]


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


@pytest.mark.parametrize(
    "key",
    [b"", blob()[:7], blob(enckey=bytes(20)), blob(enckey=b""), b"\x09" + blob()[1:]],
    ids=["empty", "short", "20-byte key", "no cipher key", "bad attribute"],
)
def test_case_24_a_bad_key_is_einval_and_unsets_the_old_one(rig: Rig, key: bytes) -> None:
    tfm = rig.tfm(_NAME, blob())
    with pytest.raises(OSError, match="setkey") as caught:
        tfm.setkey(key)
    assert caught.value.errno == errno.EINVAL
    assert rig.caller.crypt(tfm, text(16), _IV).status == -errno.ENOKEY


@pytest.mark.parametrize("size", [16, 24, 32])
def test_case_70_key_sizes_that_the_device_lacks_run_in_software(
    make_rig: Callable[..., Rig], size: int
) -> None:
    rig, enc = make_rig(AES128_ONLY), bytes(range(size))
    round_trip(rig, rig.tfm(_NAME, blob(enckey=enc)), text(8), text(32), enc=enc)
    assert outcome(rig) == ["hardware" if size == 16 else Reason.KEY_SIZE]


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
