"""What the driver does with DES, triple DES, rfc3686, MD5, SHA-224 and their AEADs."""

from __future__ import annotations

import errno
import hmac
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tcrypt.engine.eip93.driver.policy import OUT_OF_TREE_2020, Reason
from tcrypt.engine.eip93.variants import AES128_ONLY, FLAKY, SLOW_IRQ, TINY_RING

if TYPE_CHECKING:
    from tests.engine.eip93.driver.conftest import Rig

_KEYS = {"des": 8, "des3_ede": 24}
_BLOCKS = ("ecb(des)", "cbc(des)", "ecb(des3_ede)", "cbc(des3_ede)")
_RFC3686 = "rfc3686(ctr(aes))"
_DIGESTS = ("md5", "sha1", "sha224", "sha256")
_CIPHERS = ("cbc(aes)", "cbc(des)", "cbc(des3_ede)", _RFC3686)


def text(length: int) -> bytes:
    return bytes(i * 7 % 251 for i in range(length))


def key_of(cipher: str) -> bytes:
    name = cipher.partition("(")[2].rstrip(")")
    size = 20 if cipher == _RFC3686 else _KEYS.get(name, 16)
    return bytes(range(3, 3 + size))


def library(cipher: str, key: bytes, iv: bytes, data: bytes, *, decrypt: bool = False) -> bytes:
    """What OpenSSL makes of it."""
    mode: Any
    if cipher == _RFC3686:
        block: Any = algorithms.AES(key[:-4])
        mode = modes.CTR(key[-4:] + iv + bytes.fromhex("00000001"))
    else:
        des = "des" in cipher
        block = TripleDES(key * (24 // len(key))) if des else algorithms.AES(key)
        mode = modes.ECB() if cipher.startswith("ecb") else modes.CBC(iv)
    context: Any = Cipher(block, mode)
    context = context.decryptor() if decrypt else context.encryptor()
    return bytes(context.update(data) + context.finalize())


def blob(authkey: bytes, enckey: bytes) -> bytes:
    return struct.pack("<HH", 8, 1) + struct.pack(">I", len(enckey)) + authkey + enckey


def iv_for(tfm: Any) -> bytes:
    return bytes(range(0x40, 0x40 + tfm.alg.ivsize))


@pytest.mark.parametrize("cuts", [(), (8,), (24, 16), (5, 6), (0, 40, 0)])
@pytest.mark.parametrize("decrypt", [False, True], ids=["encrypt", "decrypt"])
@pytest.mark.parametrize("cipher", _BLOCKS)
def test_des_in_pieces(rig: Rig, cipher: str, decrypt: bool, cuts: tuple[int, ...]) -> None:
    key, data = key_of(cipher), text(72)
    tfm = rig.tfm(cipher, key)
    iv = iv_for(tfm)
    src, dst = rig.caller.scatter(data, cuts), rig.caller.scatter(len(data), cuts)
    call = rig.caller.crypt(tfm, data, iv, src=src, dst=dst, decrypt=decrypt)
    assert call.out == library(cipher, key, iv, data, decrypt=decrypt)
    if iv:
        assert call.iv_out == (data if decrypt else call.out)[-8:]
    assert rig.hardware == 1
    assert len(rig.tap.work) == (3 if cuts == (24, 16) else 2 if cuts in ((8,), (0, 40, 0)) else 1)


@pytest.mark.parametrize("cipher", _BLOCKS)
@pytest.mark.parametrize("length", [1, 7, 9, 15])
def test_des_takes_whole_blocks_only(rig: Rig, cipher: str, length: int) -> None:
    tfm = rig.tfm(cipher, key_of(cipher))
    assert rig.caller.crypt(tfm, text(length), iv_for(tfm)).submitted == -errno.EINVAL
    assert rig.count("error: EINVAL") == 1
    assert rig.tap.work == []


@pytest.mark.parametrize("size", [20, 28, 36])
def test_an_rfc3686_key_goes_to_the_fallback_whole(
    make_rig: Callable[..., Rig], size: int
) -> None:
    rig, key = make_rig(AES128_ONLY), bytes(range(size))
    tfm = rig.tfm(_RFC3686, key)
    call = rig.caller.crypt(tfm, text(50), iv_for(tfm))
    assert call.out == library(_RFC3686, key, iv_for(tfm), text(50))
    assert rig.count(Reason.KEY_SIZE) == (size != 20)


def test_the_policy_of_2020_is_about_rfc3686_too(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(policy=OUT_OF_TREE_2020)
    for cipher, length in ((_RFC3686, 256), (_RFC3686, 257), ("cbc(des)", 8)):
        tfm = rig.tfm(cipher, key_of(cipher))
        rig.caller.crypt(tfm, text(length), iv_for(tfm))
    assert (rig.count(Reason.SHORT), rig.hardware) == (1, 2)


@pytest.mark.parametrize("cipher", _CIPHERS)
@pytest.mark.parametrize("digest", _DIGESTS)
def test_every_aead_seals_and_opens(rig: Rig, digest: str, cipher: str) -> None:
    auth, key = text(80), key_of(cipher)
    tfm = rig.tfm(f"authenc(hmac({digest}),{cipher})", blob(auth, key))
    iv = iv_for(tfm)
    lengths = (8, 17, 64) if cipher == _RFC3686 else (16, 48, 1024)
    for assoc, length in zip((b"", text(8), text(20)), lengths, strict=True):
        ctext = library(cipher, key, iv, text(length))
        sealed = ctext + hmac.digest(auth, assoc + ctext, digest)
        call = rig.caller.crypt(tfm, text(length), iv, assoc=assoc)
        assert (call.status, call.out) == (0, assoc + sealed)
        back = rig.caller.crypt(tfm, sealed, iv, assoc=assoc, decrypt=True)
        assert (back.status, back.out[len(assoc) :]) == (0, text(length))
        forged = sealed[:-1] + bytes([sealed[-1] ^ 1])
        refused = rig.caller.crypt(tfm, forged, iv, assoc=assoc, decrypt=True)
        assert refused.status == -errno.EBADMSG
    assert (rig.hardware, rig.count("error: EBADMSG")) == (9, 3)


@pytest.mark.parametrize(
    ("cipher", "length", "reason"),
    [
        ("cbc(des)", 12, Reason.PARTIAL),
        ("cbc(aes)", 24, Reason.PARTIAL),
        ("cbc(des)", 24, ""),
        (_RFC3686, 13, ""),
        (_RFC3686, 0, Reason.EMPTY),
    ],
)
def test_which_payloads_the_hardware_gets(rig: Rig, cipher: str, length: int, reason: str) -> None:
    tfm = rig.tfm(f"authenc(hmac(sha1),{cipher})", blob(b"auth", key_of(cipher)))
    rig.caller.crypt(tfm, text(length), iv_for(tfm), assoc=text(8))
    assert (rig.hardware, rig.count(reason)) == ((0, 1) if reason else (1, 0))


def test_debugfs_lists_what_happened_by_driver_and_reason(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(TINY_RING)
    tfm = rig.tfm("cbc(des)", key_of("cbc(des)"))
    calls = [rig.caller.start(tfm, text(16), iv_for(tfm)) for _ in range(6)]
    rig.caller.settle()
    assert [call.status for call in calls] == [0] * 6
    rig.caller.crypt(tfm, text(3), iv_for(tfm))
    sealing = rig.tfm("authenc(hmac(md5),cbc(des))", blob(b"", key_of("cbc(des)")))
    rig.caller.crypt(sealing, b"", iv_for(sealing))
    lines = rig.driver.debugfs().splitlines()
    retries = rig.count("retry: ring full")
    assert retries > 0
    assert lines == [
        "authenc(hmac(md5-eip93),cbc(des-eip93)): fallback: empty payload: 1",
        "cbc(des-eip93): error: EINVAL: 1",
        "cbc(des-eip93): hardware: 6",
        f"cbc(des-eip93): retry: ring full: {retries}",
    ]


def test_memory_that_is_missing_is_counted(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig()
    tfm = rig.tfm("cbc(des)", key_of("cbc(des)"))
    src = rig.caller.scatter(text(32), offset=1)
    call = rig.caller.start(tfm, text(32), iv_for(tfm), src=src)
    rig.machine.memory.fail_allocs()
    rig.caller.settle()
    rig.machine.memory.mend()
    assert call.status == -errno.ENOMEM
    assert rig.count("error: ENOMEM") == 1


@pytest.mark.parametrize("variant", [SLOW_IRQ, FLAKY], ids=["slow irq", "flaky"])
def test_late_results_are_right_all_the_same(make_rig: Callable[..., Rig], variant: Any) -> None:
    rig = make_rig(variant)
    key = key_of("cbc(des3_ede)")
    tfm = rig.tfm("cbc(des3_ede)", key)
    calls = [rig.caller.start(tfm, text(8 * n), iv_for(tfm)) for n in range(1, 30)]
    rig.caller.settle()
    assert [call.status for call in calls] == [0] * 29
    for n, call in enumerate(calls, 1):
        assert call.out == library("cbc(des3_ede)", key, iv_for(tfm), text(8 * n))
