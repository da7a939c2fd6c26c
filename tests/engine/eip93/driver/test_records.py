"""What the driver tells the engine: SA words, keys, digests, state records, descriptors."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from tcrypt.engine.compression import SHA1_INITIAL, sha1_compress
from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.descriptors import Ownership, ownership
from tcrypt.engine.eip93.driver.sa import digest_bytes, digest_words, key_block

if TYPE_CHECKING:
    from tests.engine.eip93.driver.conftest import Rig

_IV = bytes(range(16, 32))
_SEQUENCE = bytes(4) + bytes(8) + b"\xff\xff\xff\xff" + bytes(4) + bytes(4)


def blob(authkey: bytes, enckey: bytes) -> bytes:
    return struct.pack("<HH", 8, 1) + struct.pack(">I", len(enckey)) + authkey + enckey


@pytest.mark.parametrize("decrypt", [False, True], ids=["encrypt", "decrypt"])
@pytest.mark.parametrize("size", [16, 24, 32])
@pytest.mark.parametrize(
    ("mode", "word0", "word1"),
    [
        ("ecb", 0x0200_F3C0, 0x0000_0000),
        ("cbc", 0x1200_F3C0, 0x0000_0100),
        ("ctr", 0x1200_F3C0, 0x0000_0200),
    ],
)
def test_cipher_words_are_those_of_the_known_drivers(
    rig: Rig, mode: str, word0: int, word1: int, size: int, decrypt: bool
) -> None:
    """The table of eip93, section 3.4."""
    key = bytes(range(1, 1 + size))
    tfm = rig.tfm(f"{mode}(aes)", key)
    rig.caller.crypt(tfm, bytes(32), b"" if mode == "ecb" else _IV, decrypt=decrypt)
    (work,) = rig.tap.work
    assert [hex(word) for word in work.words] == [
        hex(word0 | 8 * decrypt),
        hex(word1 | size // 8 << 24),
    ]
    assert work.sa[8:40] == key.ljust(32, b"\0")
    assert work.sa[40:104] == bytes(64)
    assert work.sa[104:] == _SEQUENCE
    if mode != "ecb":
        assert work.state[:16] == _IV


@pytest.mark.parametrize("decrypt", [False, True], ids=["encrypt", "decrypt"])
def test_authenc_words_are_those_of_the_known_drivers(rig: Rig, decrypt: bool) -> None:
    """hmac(sha1), cbc(aes-128), authsize 12, assoclen 24 (eip93, section 3.4)."""
    auth, enc = bytes(range(20)), bytes(range(50, 66))
    tfm = rig.tfm("authenc(hmac(sha1),cbc(aes))", blob(auth, enc))
    tfm.setauthsize(12)
    sealed = rig.caller.crypt(tfm, bytes(32), _IV, assoc=bytes(24)).out[24:]
    if decrypt:
        rig.tap.work.clear()
        assert rig.caller.crypt(tfm, sealed, _IV, assoc=bytes(24), decrypt=True).status == 0
    (work,) = rig.tap.work
    wanted = (0x1230_13C9, 0x0206_1102) if decrypt else (0x1230_13C1, 0x0206_110B)
    assert [hex(word) for word in work.words] == [hex(word) for word in wanted]
    assert work.sa[8:40] == enc + bytes(16)
    block = auth.ljust(64, b"\0")
    for place, pad in ((40, 0x36), (72, 0x5C)):
        state = sha1_compress(SHA1_INITIAL, bytes(byte ^ pad for byte in block))
        assert work.sa[place : place + 32] == struct.pack("<5I", *state) + bytes(12)
    assert work.sa[104:] == _SEQUENCE
    assert work.state[:16] == _IV


@pytest.mark.parametrize(("name", "digest", "words"), [("sha1", 1, 5), ("sha256", 3, 8)])
@pytest.mark.parametrize("keyed", [False, True])
def test_hash_records_start_from_the_state(
    rig: Rig, name: str, digest: int, words: int, keyed: bool
) -> None:
    """Hash opcode, state source, saved hash; the outer pass belongs to the end of an HMAC."""
    tfm = rig.tfm(f"hmac({name})" if keyed else name, b"Jefe" if keyed else None)
    hashing = rig.caller.hash(tfm)
    hashing.step("init")
    hashing.step("update", bytes(130))
    hashing.step("final")
    *middle, last = rig.tap.work
    assert middle
    for work in rig.tap.work:
        word0, word1 = work.words
        assert word0 & 0xF == 3, "operation hash"
        assert word0 >> 12 & 0xF == digest
        assert word0 >> 20 & 0xF == words
        assert word0 >> 26 & 3 == 2, "digest and count from the state record"
        assert word0 >> 29 & 1, "written back there"
        assert bool(word1 & 1 << 12) == (keyed and work is last)
        final = bool(work.descriptor.control & reg.CONTROL_HASH_FINAL)
        assert final == (work is last)
        assert final or work.length % 64 == 0
    assert (last.sa[72:104] != bytes(32)) == keyed


def test_a_command_belongs_to_the_engine_in_both_halves(rig: Rig) -> None:
    rig.caller.crypt(rig.tfm("cbc(aes)", bytes(16)), bytes(48), _IV)
    (work,) = rig.tap.work
    assert ownership(work.descriptor.control, work.descriptor.length) is Ownership.ENGINE
    assert work.length == 48


def test_descriptors_in_flight_have_handles_and_slots_of_their_own(
    make_rig: Callable[..., Rig],
) -> None:
    rig = make_rig()
    tfm = rig.tfm("cbc(aes)", bytes(16))
    calls = [rig.caller.start(tfm, bytes(16), _IV) for _ in range(20)]
    rig.sim.run(until=lambda: len(rig.tap.work) == 20)
    assert not any(call.notes for call in calls)
    assert len({work.descriptor.user_id for work in rig.tap.work}) == 20
    slots = sorted(work.descriptor.sa for work in rig.tap.work)
    assert all(b - a >= 192 for a, b in pairwise(slots))
    assert all(slot % 4 == 0 for slot in slots)


def test_handles_wrap(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(ring_size=4)
    rig.driver.core._next_handle = 0xFFFE
    tfm = rig.tfm("ecb(aes)", bytes(16))
    calls = [rig.caller.start(tfm, bytes([n]) * 16) for n in range(5)]
    rig.caller.settle()
    assert [call.status for call in calls] == [0] * 5
    handles = [work.descriptor.user_id & 0xFFFF for work in rig.tap.work]
    assert handles == [0xFFFE, 0xFFFF, 0, 1, 2]


def test_a_handle_in_use_is_passed_over(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig()
    tfm = rig.tfm("ecb(aes)", bytes(16))
    calls = [rig.caller.start(tfm, bytes(length)) for length in (16, 1 << 18)]
    rig.sim.run(until=lambda: len(rig.tap.work) == 2)
    rig.driver.core._next_handle = rig.tap.work[1].descriptor.user_id
    calls.append(rig.caller.start(tfm, bytes(16)))
    # The engine starts the third when the first has come back.
    rig.sim.run(until=lambda: len(rig.tap.work) == 3)
    assert calls[0].notes
    assert not calls[1].notes, "the second must still be in hardware"
    rig.caller.settle()
    assert [call.status for call in calls] == [0, 0, 0]
    assert rig.tap.work[2].descriptor.user_id != rig.tap.work[1].descriptor.user_id


@pytest.mark.parametrize("status", ["sound", "forged"])
def test_keys_do_not_outlive_their_request_in_memory(rig: Rig, status: str) -> None:
    auth, enc = b"secret authentication key", bytes(range(100, 116))
    tfm = rig.tfm("authenc(hmac(sha1),cbc(aes))", blob(auth, enc))
    data = rig.caller.crypt(tfm, bytes(32), _IV).out
    if status == "forged":
        data = data[:-1] + bytes([data[-1] ^ 1])
    rig.caller.crypt(tfm, data, _IV, decrypt=True)
    assert len(rig.tap.work) == 2
    for work in rig.tap.work:
        assert work.sa[8:24] == enc
        assert rig.machine.memory.read(work.descriptor.sa, 384) == bytes(384)


def test_an_hmac_keys_digests_do_not_outlive_their_request_in_memory(rig: Rig) -> None:
    assert rig.caller.hash(rig.tfm("hmac(sha1)", b"Jefe")).step("digest", bytes(100)) == 0
    (work,) = rig.tap.work
    assert work.sa[72:92] != bytes(20)
    slot = min(work.descriptor.sa, work.descriptor.state)
    assert rig.machine.memory.read(slot, 256) == bytes(256)
    assert rig.machine.memory.read(work.descriptor.sa, 128) == bytes(128)


@pytest.mark.parametrize("size", [0, 1, 63, 64])
def test_a_short_key_is_padded_to_a_block(size: int) -> None:
    key = bytes(range(1, 1 + size))
    assert key_block(key, hashlib.sha1(key).digest(), 0) == key.ljust(64, b"\0")


def test_a_long_key_is_replaced_by_its_whole_digest() -> None:
    key = b"\xaa" * 65
    digest = hashlib.sha1(key).digest()
    assert key_block(key, digest, 0x36) == bytes(b ^ 0x36 for b in digest.ljust(64, b"\0"))


def test_digests_lie_in_a_record_as_native_words() -> None:
    data = digest_bytes(SHA1_INITIAL)
    assert data == struct.pack("<5I", *SHA1_INITIAL) + bytes(12)
    assert digest_words(data) == (*SHA1_INITIAL, 0, 0, 0)
