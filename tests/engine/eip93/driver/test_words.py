"""The SA words that the driver writes for every algorithm, and its bring-up (eip93, 3.4, 1.8).

The words are those that the known drivers build, of which the table in section 3.4 shows some.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.variants import MT7621

if TYPE_CHECKING:
    from tests.engine.eip93.driver.conftest import Rig

_INBOUND = 0x8


def blob(authkey: bytes, enckey: bytes) -> bytes:
    return struct.pack("<HH", 8, 1) + struct.pack(">I", len(enckey)) + authkey + enckey


@pytest.mark.parametrize("decrypt", [False, True], ids=["encrypt", "decrypt"])
@pytest.mark.parametrize(
    ("name", "key_size", "word0", "word1"),
    [
        ("ecb(aes)", 16, 0x0200_F3C0, 0x0200_0000),
        ("ecb(aes)", 24, 0x0200_F3C0, 0x0300_0000),
        ("ecb(aes)", 32, 0x0200_F3C0, 0x0400_0000),
        ("cbc(aes)", 16, 0x1200_F3C0, 0x0200_0100),
        ("cbc(aes)", 24, 0x1200_F3C0, 0x0300_0100),
        ("cbc(aes)", 32, 0x1200_F3C0, 0x0400_0100),
        ("ctr(aes)", 16, 0x1200_F3C0, 0x0200_0200),
        ("ctr(aes)", 24, 0x1200_F3C0, 0x0300_0200),
        ("ctr(aes)", 32, 0x1200_F3C0, 0x0400_0200),
        ("rfc3686(ctr(aes))", 20, 0x1200_F3C0, 0x0200_0200),
        ("rfc3686(ctr(aes))", 28, 0x1200_F3C0, 0x0300_0200),
        ("rfc3686(ctr(aes))", 36, 0x1200_F3C0, 0x0400_0200),
        ("ecb(des)", 8, 0x0200_F0C0, 0x0000_0000),
        ("cbc(des)", 8, 0x1200_F0C0, 0x0000_0100),
        ("ecb(des3_ede)", 24, 0x0200_F1C0, 0x0000_0000),
        ("cbc(des3_ede)", 24, 0x1200_F1C0, 0x0000_0100),
    ],
)
def test_words_of_the_ciphers(
    rig: Rig, name: str, key_size: int, word0: int, word1: int, decrypt: bool
) -> None:
    key = bytes(range(1, 1 + key_size))
    tfm = rig.tfm(name, key)
    iv = bytes(range(0x10, 0x10 + tfm.alg.ivsize))
    rig.caller.crypt(tfm, bytes(48), iv, decrypt=decrypt)
    (work,) = rig.tap.work
    wanted = (word0 | _INBOUND * decrypt, word1)
    assert [hex(word) for word in work.words] == [hex(word) for word in wanted]
    nonce = 4 if name.startswith("rfc3686") else 0
    bare = key[: len(key) - nonce]
    assert work.sa[8:40] == bare.ljust(32, b"\0")
    counter = key[len(bare) :] + iv + bytes.fromhex("00000001") if nonce else iv
    assert work.state[:16] == counter.ljust(16, b"\0")


@pytest.mark.parametrize("keyed", [False, True], ids=["plain", "hmac"])
@pytest.mark.parametrize(
    ("name", "word0"),
    [
        ("md5", 0x3A40_0FC3),
        ("sha1", 0x3A50_1FC3),
        ("sha224", 0x3A70_2FC3),
        ("sha256", 0x3A80_3FC3),
    ],
)
def test_words_of_the_hashes(rig: Rig, name: str, word0: int, keyed: bool) -> None:
    tfm = rig.tfm(f"hmac({name})" if keyed else name, b"Jefe" if keyed else None)
    hashing = rig.caller.hash(tfm)
    hashing.step("init")
    hashing.step("update", bytes(130))
    hashing.step("final")
    *middle, last = rig.tap.work
    assert middle
    assert {hex(work.words[0]) for work in rig.tap.work} == {hex(word0)}
    assert {hex(work.words[1]) for work in middle} == {hex(0xB if keyed else 0x9)}
    assert hex(last.words[1]) == hex(0x100B if keyed else 0x9)


@pytest.mark.parametrize(
    ("name", "auth", "enc", "authsize", "assoclen", "word0", "outbound", "inbound"),
    [
        ("sha1),cbc(aes)", 20, 16, 12, 24, 0x1230_13C1, 0x0206_110B, 0x0206_1102),
        ("sha256),cbc(aes)", 32, 32, 16, 24, 0x1240_33C1, 0x0406_110B, 0x0406_1102),
        ("md5),cbc(des3_ede)", 16, 24, 12, 16, 0x1230_01C1, 0x0004_110B, 0x0004_1102),
        ("sha256),rfc3686(ctr(aes))", 32, 20, 32, 16, 0x1280_33C1, 0x0204_120B, 0x0204_1202),
        ("sha224),cbc(des)", 28, 8, 28, 8, 0x1270_20C1, 0x0002_110B, 0x0002_1102),
    ],
)
def test_words_of_the_aeads(
    rig: Rig,
    name: str,
    auth: int,
    enc: int,
    authsize: int,
    assoclen: int,
    word0: int,
    outbound: int,
    inbound: int,
) -> None:
    tfm = rig.tfm(f"authenc(hmac({name})", blob(bytes(range(auth)), bytes(range(1, 1 + enc))))
    tfm.setauthsize(authsize)
    iv = bytes(range(tfm.alg.ivsize))
    sealed = rig.caller.crypt(tfm, bytes(48), iv, assoc=bytes(assoclen)).out[assoclen:]
    opened = rig.caller.crypt(tfm, sealed, iv, assoc=bytes(assoclen), decrypt=True)
    assert opened.status == 0
    words = [tuple(hex(word) for word in work.words) for work in rig.tap.work]
    assert words == [(hex(word0), hex(outbound)), (hex(word0 | _INBOUND), hex(inbound))]


def test_no_hash_puts_a_digest_where_nobody_wants_it(make_rig: Callable[..., Rig]) -> None:
    """COPY_DIGEST is set as known drivers do it, so the destination must be memory of ours."""
    rig = make_rig()
    data = rig.caller.scatter(bytes(range(100)))
    hashing = rig.caller.hash(rig.tfm("sha256"))
    assert hashing.step("digest", src=data, nbytes=100) == 0
    (work,) = rig.tap.work
    (entry,) = data.entries
    assert work.descriptor.source == entry.address
    assert work.descriptor.destination not in (0, entry.address)
    around = rig.machine.memory.read(entry.address, 100)
    assert around == bytes(range(100))


@pytest.mark.parametrize(
    ("lacking", "clocks"),
    [
        (0, 0x17),
        (reg.OPTION_1_TDES, 0x15),
        (reg.OPTION_1_AES, 0x13),
        (reg.OPTION_1_MD5, 0x17),
        (0xF * reg.OPTION_1_MD5, 0x07),
    ],
)
def test_cores_that_the_device_lacks_get_no_clock(
    make_rig: Callable[..., Rig], lacking: int, clocks: int
) -> None:
    option_1 = MT7621.option_1 & ~lacking
    rig = make_rig(replace(MT7621, option_1=option_1))
    assert dict(rig.tap.writes)[reg.PE_CLOCK_CTRL] == clocks


def test_bring_up_values_are_those_of_the_known_drivers(make_rig: Callable[..., Rig]) -> None:
    """Section 1.8, with the reset that resets the rings, and the stride that older chips want."""
    last = dict(make_rig().tap.writes)
    assert last[reg.PE_CONFIG] == 0x0700
    assert last[reg.PE_BUF_THRESH] == 0x0080_0080
    assert last[reg.PE_RING_THRESH] == 0x9400_01E0
    assert last[reg.PE_RING_CONFIG] == 0x0008_01FF
    assert last[reg.PE_CLOCK_CTRL] == 0x17
