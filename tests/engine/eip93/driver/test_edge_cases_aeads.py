"""Edge cases 2, 25, 29 to 38, 67 and 68 of eip93, section 8: AEADs."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tcrypt.engine.eip93.driver.policy import Reason
from tests.engine.eip93.driver.edge_cases import (
    AUTHENC,
    IV,
    KEY,
    RFC3686,
    blob,
    cbc,
    hashed,
    library,
    round_trip,
    sealed,
    stream_for,
    text,
)

if TYPE_CHECKING:
    from tests.engine.eip93.driver.conftest import Rig

    MakeRig = Callable[..., Rig]


def outcome(rig: Rig) -> list[str]:
    """What the counters say happened, without numbers."""
    return [what for _, what in rig.driver.core.counters]


def test_case_2_encrypting_after_decrypting(rig: Rig) -> None:
    tfm = rig.tfm(AUTHENC, blob())
    message = sealed(b"aad.", text(48))
    for decrypt in (True, False, False, True, False):
        data = message if decrypt else text(48)
        call = rig.caller.crypt(tfm, data, IV, assoc=b"aad.", decrypt=decrypt)
        assert (call.status, call.out) == (0, b"aad." + (text(48) if decrypt else message))
    assert rig.hardware == 5


_LONG_KEY = b"\xaa" * 65
_LONG_KEY_MAC = "10f3fcd6d8720e551b639cbc84f8436a17d0498c"


def test_case_25_a_long_key_with_a_short_tag(rig: Rig) -> None:
    """The MAC covers the ciphertext, which the plaintext is chosen for."""
    assert hashed(rig, "hmac(sha1)", b"abc", key=_LONG_KEY).hex() == _LONG_KEY_MAC
    rig.driver.core.counters.clear()
    tfm = rig.tfm(f"authenc(hmac(sha1),{RFC3686})", blob(KEY + b"nonc", _LONG_KEY))
    tfm.setauthsize(12)
    call = rig.caller.crypt(tfm, stream_for(b"abc"), IV[:8])
    assert (call.status, call.out) == (0, b"abc" + bytes.fromhex(_LONG_KEY_MAC)[:12])
    assert outcome(rig) == ["hardware"]


def tagged(rig: Rig, authsize: int) -> None:
    """Seal and open with a tag of that size; there are guards around it."""
    tfm = rig.tfm(AUTHENC, blob())
    tfm.setauthsize(authsize)
    round_trip(rig, tfm, b"abcd", text(32), authsize)
    dst = rig.caller.scatter(4 + 32 + authsize)
    rig.caller.crypt(tfm, text(32), IV, assoc=b"abcd", dst=dst)
    (entry,) = dst.entries
    assert rig.machine.memory.read(entry.address + entry.length, 16) == b"\xfe" * 16
    assert rig.machine.memory.read(entry.address - 16, 16) == b"\xfe" * 16
    assert outcome(rig) == [Reason.TAG if authsize % 4 else "hardware"]


@pytest.mark.parametrize("authsize", [1, 2, 3])
def test_case_29_tags_shorter_than_a_word(rig: Rig, authsize: int) -> None:
    tagged(rig, authsize)


@pytest.mark.parametrize("authsize", range(4, 21))
def test_case_30_tags_are_cut_to_the_byte(rig: Rig, authsize: int) -> None:
    tagged(rig, authsize)


def test_case_31_without_setauthsize_the_tag_is_whole(rig: Rig) -> None:
    call = rig.caller.crypt(rig.tfm(AUTHENC, blob()), text(16), IV)
    assert call.out == sealed(b"", text(16))


@pytest.mark.parametrize("key_first", [True, False])
@pytest.mark.parametrize("size", [20, 65])
def test_case_32_the_order_of_key_and_tag_size_does_not_matter(
    rig: Rig, key_first: bool, size: int
) -> None:
    tfm = rig.tfm(AUTHENC)
    for step in (0, 1) if key_first else (1, 0):
        if step:
            tfm.setauthsize(12)
        else:
            tfm.setkey(blob(authkey=text(size)))
    round_trip(rig, tfm, text(8), text(32), 12, text(size))


def test_case_33_the_length_of_the_aad_may_change(rig: Rig) -> None:
    tfm = rig.tfm(AUTHENC, blob())
    for assoclen in (8, 12, 0, 12, 20):
        round_trip(rig, tfm, text(assoclen), text(32))
    assert outcome(rig) == ["hardware"]


@pytest.mark.parametrize("assoclen", [0, 1, 3, 4, 1016, 1020, 1021, 1024, 4096])
def test_case_34_aad_of_any_length(rig: Rig, assoclen: int) -> None:
    round_trip(rig, rig.tfm(AUTHENC, blob()), text(assoclen), text(32))
    fits = assoclen % 4 == 0 and assoclen <= 1020
    assert outcome(rig) == ["hardware" if fits else Reason.ASSOC]


@pytest.mark.parametrize("assoclen", [1, 20, 1024])
def test_case_35_an_empty_text_with_aad_has_a_tag(rig: Rig, assoclen: int) -> None:
    round_trip(rig, rig.tfm(AUTHENC, blob()), text(assoclen), b"")
    assert outcome(rig) == [Reason.EMPTY]


def test_case_36_nothing_at_all_has_a_tag(rig: Rig) -> None:
    tfm = rig.tfm(AUTHENC, blob(authkey=b"key"))
    call = rig.caller.crypt(tfm, b"", IV)
    assert (call.status, call.out) == (0, library("hmac(sha1)", b"", b"key"))
    back = rig.caller.crypt(tfm, call.out, IV, decrypt=True)
    assert (back.status, back.out) == (0, b"")
    forged = rig.caller.crypt(tfm, bytes(20), IV, decrypt=True)
    assert forged.status == -errno.EBADMSG


@pytest.mark.parametrize("length", [0, 11])
def test_case_37_a_ciphertext_shorter_than_its_tag(rig: Rig, length: int) -> None:
    tfm = rig.tfm(AUTHENC, blob())
    tfm.setauthsize(12)
    call = rig.caller.crypt(tfm, bytes(length), IV, decrypt=True)
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
    tfm = rig.tfm(AUTHENC, blob())
    tfm.setauthsize(12)
    src = rig.caller.scatter(bytes(message), cuts)
    dst = src if in_place else rig.caller.scatter(40, cuts)
    data, assoc = bytes(message[8:]), bytes(message[:8])
    call = rig.caller.crypt(tfm, data, IV, assoc=assoc, src=src, dst=dst, decrypt=True)
    assert call.status == -errno.EBADMSG
    assert text(32)[:8] not in call.out
    assert text(32)[16:24] not in call.out
    assert outcome(rig) == ["hardware", "error: EBADMSG"]


def test_case_38_the_iv_is_not_authenticated(rig: Rig) -> None:
    """Unlike the table says: the MAC covers AAD and ciphertext only (kernel-crypto, 6.4)."""
    tfm = rig.tfm(AUTHENC, blob())
    other = bytes([IV[0] ^ 1]) + IV[1:]
    call = rig.caller.crypt(tfm, sealed(b"", text(32)), other, decrypt=True)
    assert call.status == 0
    assert call.out == bytes([text(1)[0] ^ 1]) + text(32)[1:]


def test_case_67_a_tag_of_sha224(rig: Rig) -> None:
    secret = cbc(text(32))
    wanted = secret + library("hmac(sha224)", b"AAD." + secret)
    assert len(wanted) == 32 + 28
    tfm = rig.tfm("authenc(hmac(sha224),cbc(aes))", blob(authkey=KEY))
    call = rig.caller.crypt(tfm, text(32), IV, assoc=b"AAD.")
    assert (call.status, call.out) == (0, b"AAD." + wanted)
    assert rig.hardware == 1


def test_case_68_gcm_built_on_the_drivers_ctr(make_rig: MakeRig) -> None:
    """With test cases 1 and 2 of the GCM specification, and 48 requests against OpenSSL."""
    rig = make_rig()
    tfm = rig.machine.registry.alloc_aead("gcm_base(ctr(aes-eip93),ghash-generic)")

    def sealed(key: bytes, iv: bytes, data: bytes, offset: int) -> bytes:
        tfm.setkey(key)
        request, dst = tfm.request(), rig.caller.scatter(len(data) + 16, offset=offset)
        src, place = rig.caller.scatter(data, offset=offset), rig.caller.buffer(iv, offset=offset)
        request.set_crypt(src, dst, len(data), place)
        request.set_ad(0)
        call = rig.caller.submit(request, tfm.encrypt)
        rig.caller.settle()
        assert (call.status, place.read()) == (0, iv)
        return dst.read(len(data) + 16)

    assert sealed(bytes(16), bytes(12), b"", 0).hex() == "58e2fccefa7e3061367f1d57a4e7455a"
    assert sealed(bytes(16), bytes(12), bytes(16), 0).hex() == (
        "0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf"
    )
    for n in range(48):
        iv, data = bytes([n]) * 12, text(n)
        assert sealed(KEY, iv, data, n % 4) == AESGCM(KEY).encrypt(iv, data, b"")
    assert rig.hardware > 48
