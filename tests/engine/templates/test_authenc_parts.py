"""authenc over parts of which any may be asynchronous, authencesn, essiv and the IV generators."""

from __future__ import annotations

import errno
import hmac
import struct
from collections.abc import Callable
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
from Crypto.Cipher import AES

from tcrypt.engine import software
from tcrypt.engine.api.machine import Machine
from tcrypt.engine.api.transforms import Aead
from tcrypt.engine.eip93.device import Device
from tcrypt.engine.eip93.driver.probe import probe
from tcrypt.engine.eip93.variants import MT7621
from tcrypt.engine.sim import IrqLine

if TYPE_CHECKING:
    from tests.engine.conftest import Caller

_AUTH = b"authentication key!!"
_ENC = bytes(range(16))
_IV = bytes(range(16, 32))
_ASSOC = bytes(range(60, 76))
_TEXT = bytes(range(96))
_KEY = struct.pack("<HH", 8, 1) + struct.pack(">I", 16) + _AUTH + _ENC
_POISON = b"\xfe"


def cbc(iv: bytes, text: bytes) -> bytes:
    return AES.new(_ENC, AES.MODE_CBC, iv=iv).encrypt(text)


def mac(data: bytes, digest: str = "sha1") -> bytes:
    return hmac.digest(_AUTH, data, digest)


def keyed(caller: Caller, name: str) -> Aead:
    tfm = caller.machine.registry.alloc_aead(name)
    tfm.setkey(_KEY)
    return tfm


@pytest.fixture
def with_device(make_caller: Callable[[Machine], Caller]) -> tuple[Caller, Device]:
    machine = Machine()
    software.register(machine)
    irq = IrqLine(machine.sim, "eip93")
    device = Device(machine.sim, machine.dma, irq, MT7621)
    probe(machine, device, irq)
    return make_caller(machine), device


@pytest.mark.parametrize(
    "name",
    [
        "authenc(hmac(sha1-generic),cbc(aes-eip93))",
        "authenc(hmac(sha1-eip93),cbc(aes-generic))",
        "authencesn(hmac(sha1-eip93),cbc(aes-eip93))",
    ],
)
def test_parts_on_the_eip93_do_their_work_there(
    with_device: tuple[Caller, Device], name: str
) -> None:
    caller, device = with_device
    tfm = keyed(caller, name)
    ctext = cbc(_IV, _TEXT)
    covered = _ASSOC + ctext
    if name.startswith("authencesn"):
        covered = _ASSOC[:4] + _ASSOC[8:] + ctext + _ASSOC[4:8]
    jobs = device.jobs
    call = caller.crypt(tfm, _TEXT, _IV, assoc=_ASSOC)
    assert (call.status, call.out) == (0, _ASSOC + ctext + mac(covered))
    assert device.jobs > jobs

    jobs = device.jobs
    back = caller.crypt(tfm, ctext + mac(covered), _IV, assoc=_ASSOC, decrypt=True)
    assert (back.status, back.out[len(_ASSOC) :]) == (0, _TEXT)
    assert device.jobs > jobs
    assert caller.machine.warnings == []


@pytest.mark.parametrize("part", ["cbc(aes-eip93)", "hmac(sha1-eip93)"])
def test_a_forgery_leaves_the_destination_alone(
    with_device: tuple[Caller, Device], part: str
) -> None:
    caller, _ = with_device
    names = ("hmac(sha1-generic)", part) if "cbc" in part else (part, "cbc(aes-generic)")
    tfm = keyed(caller, f"authenc({','.join(names)})")
    for length in (96, 95):
        call = caller.crypt(tfm, bytes(length + 20), _IV, assoc=_ASSOC, decrypt=True)
        assert call.status == -errno.EBADMSG
        assert call.out == _POISON * (16 + length)


def test_priority_is_ten_times_the_ciphers_and_the_hashs(caller: Caller) -> None:
    registry = caller.machine.registry
    auth, enc = registry.alloc_ahash("hmac(sha1)").alg, registry.alloc_skcipher("cbc(aes)").alg
    alg = registry.alloc_aead("authenc(hmac(sha1),cbc(aes))").alg
    assert alg.cra_priority == 10 * enc.cra_priority + auth.cra_priority
    assert (alg.cra_blocksize, alg.ivsize, alg.maxauthsize) == (16, 16, 20)


def test_a_name_too_long_is_refused(caller: Caller) -> None:
    long = "authenc(hmac(sha256-generic),essiv(cts(cbc(aes-generic)),sha256-generic))"
    with pytest.raises(OSError, match="too long"):
        caller.machine.registry.alloc_aead(f"echainiv(echainiv(echainiv({long})))" + " " * 40)


def test_esn_hashes_the_high_half_last_and_writes_nothing_behind_the_text(caller: Caller) -> None:
    tfm = keyed(caller, "authencesn(hmac(sha1),cbc(aes))")
    ctext = cbc(_IV, _TEXT)
    tag = mac(_ASSOC[:4] + _ASSOC[8:] + ctext + _ASSOC[4:8])
    assert caller.crypt(tfm, _TEXT, _IV, assoc=_ASSOC).out == _ASSOC + ctext + tag
    room = caller.scatter(16 + 96 + 8)
    back = caller.crypt(tfm, ctext + tag, _IV, assoc=_ASSOC, dst=room, decrypt=True)
    assert (back.status, back.out[16:]) == (0, _TEXT)
    assert room.read(8, 112) == _POISON * 8
    same = caller.scatter(_ASSOC + ctext + tag)
    caller.crypt(tfm, ctext + tag, _IV, assoc=_ASSOC, src=same, dst=same, decrypt=True)
    assert same.read(132) == _ASSOC + _TEXT + tag


@pytest.mark.parametrize(("assoclen", "status"), [(0, -errno.EINVAL), (7, -errno.EINVAL), (8, 0)])
def test_esn_needs_a_sequence_number(caller: Caller, assoclen: int, status: int) -> None:
    tfm = keyed(caller, "authencesn(hmac(sha1),cbc(aes))")
    assert caller.crypt(tfm, _TEXT, _IV, assoc=bytes(assoclen)).status == status
    assert caller.crypt(tfm, bytes(36), _IV, assoc=bytes(7), decrypt=True).status == -errno.EINVAL


@pytest.mark.parametrize("authsize", [1, 2, 3])
def test_esn_refuses_tags_shorter_than_the_sequence_number(caller: Caller, authsize: int) -> None:
    tfm = keyed(caller, "authencesn(hmac(sha1),cbc(aes))")
    with pytest.raises(OSError, match="Invalid argument"):
        tfm.setauthsize(authsize)


def test_essiv_encrypts_the_iv_and_authenticates_it(caller: Caller) -> None:
    tfm = keyed(caller, "essiv(authenc(hmac(sha256),cbc(aes)),sha256)")
    iv = AES.new(sha256(_ENC + _AUTH).digest(), AES.MODE_ECB).encrypt(_IV)
    assoc = b"sector 1" + iv
    ctext = cbc(iv, _TEXT)
    sealed = ctext + mac(assoc + ctext, "sha256")
    call = caller.crypt(tfm, _TEXT, _IV, assoc=b"sector 1" + bytes(16))
    assert (call.status, call.out) == (0, assoc + sealed)
    back = caller.crypt(tfm, sealed, _IV, assoc=assoc, decrypt=True)
    assert (back.status, back.out[24:]) == (0, _TEXT)
    # In place the encrypted IV goes into the associated data whatever stands there.
    blank = b"sector 1" + bytes(16)
    same = caller.scatter(blank + sealed)
    there = caller.crypt(tfm, sealed, _IV, assoc=blank, src=same, dst=same, decrypt=True)
    assert (there.status, there.out) == (0, assoc + _TEXT)
    assert caller.crypt(tfm, _TEXT, _IV, assoc=bytes(15)).status == -errno.EINVAL


def test_one_name_makes_both_forms_of_essiv(caller: Caller) -> None:
    registry = caller.machine.registry
    assert registry.alloc_skcipher("essiv(cbc(aes),sha256)").alg.ivsize == 16
    assert registry.alloc_aead("essiv(authenc(hmac(sha256),cbc(aes)),sha256)").alg.ivsize == 16
    with pytest.raises(OSError, match="authenc only"):
        registry.alloc_aead("essiv(gcm(aes),sha256)")


def test_echainiv_sends_an_encrypted_iv_in_front_of_the_text(caller: Caller) -> None:
    tfm = keyed(caller, "echainiv(authenc(hmac(sha1),cbc(aes)))")
    sequence = bytes(8) + (7).to_bytes(8, "big")
    assoc = _ASSOC[:8]
    first = caller.crypt(tfm, bytes(16) + _TEXT, sequence, assoc=assoc)
    iv, rest = first.out[8:24], first.out[24:]
    assert rest == cbc(iv, _TEXT) + mac(assoc + iv + cbc(iv, _TEXT))
    again = caller.crypt(tfm, bytes(16) + _TEXT, sequence, assoc=assoc)
    assert again.out == first.out, "one sequence number, one IV"
    other = caller.crypt(tfm, bytes(16) + _TEXT, bytes(8) + (8).to_bytes(8, "big"), assoc=assoc)
    assert other.out[8:24] != iv
    back = caller.crypt(tfm, first.out[8:], bytes(16), assoc=assoc, decrypt=True)
    assert (back.status, back.out[24:]) == (0, _TEXT)


def test_two_transforms_of_a_generator_have_two_salts(caller: Caller) -> None:
    tfms = [keyed(caller, "echainiv(authenc(hmac(sha1),cbc(aes)))") for _ in range(2)]
    sequence = bytes(15) + b"\1"
    ivs = {caller.crypt(t, bytes(16) + _TEXT, sequence, assoc=bytes(8)).out[8:24] for t in tfms}
    assert len(ivs) == 2


def test_a_text_without_room_for_the_iv_is_refused(caller: Caller) -> None:
    tfm = keyed(caller, "echainiv(authenc(hmac(sha1),cbc(aes)))")
    assert caller.crypt(tfm, bytes(15), bytes(16), assoc=bytes(8)).status == -errno.EINVAL
    short = caller.crypt(tfm, bytes(35), bytes(16), assoc=bytes(8), decrypt=True)
    assert short.status == -errno.EINVAL


@pytest.mark.parametrize(("assoclen", "status"), [(8, 0), (12, 0), (16, -errno.EINVAL)])
def test_seqiv_counts_the_iv_as_associated_data_of_rfc4106(
    caller: Caller, assoclen: int, status: int
) -> None:
    tfm = caller.machine.registry.alloc_aead("seqiv(rfc4106(gcm(aes)))")
    tfm.setkey(_ENC + b"salt")
    sequences = [n.to_bytes(8, "big") for n in (1, 2)]
    calls = [caller.crypt(tfm, bytes(8) + _TEXT, s, assoc=bytes(assoclen)) for s in sequences]
    assert [call.status for call in calls] == [status, status]
    if not status:
        first, second = (int.from_bytes(call.out[assoclen : assoclen + 8]) for call in calls)
        assert first ^ second == 1 ^ 2, "the IV is the sequence number xor the salt"
