"""NIST's own files of HMACs and CMACs.  The tags here are libraries', not NIST's."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from Crypto.Cipher import AES, DES3
from Crypto.Hash import CMAC
from cryptography.hazmat.primitives.ciphers.algorithms import AES as OTHER_AES
from cryptography.hazmat.primitives.cmac import CMAC as OTHER_CMAC

from tcrypt.vectors import cavp, cavp_macs
from tcrypt.vectors.errors import VectorError
from tcrypt.vectors.model import HashVector, Inapplicable, Origin, Reason

HMAC = Origin("own", "HMAC.rsp", "hmac(sha1)", "ahash")
CMAC_AES = Origin("own", "CMACGenAES128.rsp", "cmac(aes)", "ahash")
CMAC_TDES = Origin("own", "CMACVerTDES2.rsp", "cmac(des3_ede)", "ahash")
KEY, MESSAGE = bytes(range(16)), b"what is authenticated"


def hmac_record(count: int, name: str, tlen: int, key: bytes = KEY) -> str:
    tag = hmac.digest(key, MESSAGE, name)[:tlen]
    return (
        f"Count = {count}\nKlen = {len(key)}\nTlen = {tlen}\nKey = {key.hex()}\n"
        f"Msg = {MESSAGE.hex()}\nMac = {tag.hex()}\n"
    )


def aes_tag(key: bytes, message: bytes) -> bytes:
    tag = CMAC.new(key, message, AES).digest()
    other = OTHER_CMAC(OTHER_AES(key))
    other.update(message)
    assert other.finalize() == tag
    return tag


def aes_record(count: int, tlen: int, message: bytes = MESSAGE, result: str = "") -> str:
    tag = aes_tag(KEY, message)[:tlen]
    if result.startswith("F"):
        tag = bytes([tag[0] ^ 1]) + tag[1:]
    last = f"Result = {result}\n" if result else ""
    return (
        f"Count = {count}\nKlen = 16\nMlen = {len(message)}\nTlen = {tlen}\nKey = {KEY.hex()}\n"
        f"Msg = {message.hex() or '00'}\nMac = {tag.hex()}\n{last}"
    )


DES_KEYS = [hashlib.sha256(bytes([i])).digest()[:8] for i in range(3)]


def tdes_record(keys: int, result: str = "P", written: bytes = b"") -> str:
    used = [*DES_KEYS[:2], DES_KEYS[2] if keys == 3 else DES_KEYS[0]]
    tag = CMAC.new(b"".join(used), MESSAGE, DES3).digest()
    lines = [written or used[0], *used[1:]]
    named = "".join(f"Key{i} = {key.hex()}\n" for i, key in enumerate(lines, 1))
    return (
        f"Count = 0\nKlen = {keys}\nMlen = {len(MESSAGE)}\nTlen = 8\n{named}"
        f"Msg = {MESSAGE.hex()}\nMac = {tag.hex()}\nResult = {result}\n"
    )


def loaded(text: str, origin: Origin) -> list[HashVector]:
    found = cavp.load(text, origin)
    assert not found.inapplicable
    return [vector for vector in found.vectors if isinstance(vector, HashVector)]


def test_a_truncated_hmac_is_a_prefix_of_the_digest() -> None:
    text = f"[L=20]\n\n{hmac_record(0, 'sha1', 20)}\n{hmac_record(1, 'sha1', 10)}"
    whole, part = loaded(text, HMAC)
    assert (whole.id, part.id) == ("own:HMAC.rsp#m0", "own:HMAC.rsp#m1")
    assert whole.digest.startswith(part.digest)
    assert (len(whole.digest), len(part.digest)) == (20, 10)
    assert (whole.key, whole.message) == (KEY, MESSAGE)


def test_a_file_of_several_hashes_is_taken_apart_with_its_line_numbers() -> None:
    text = f"# CAVS\n\n[L=20]\n\n{hmac_record(0, 'sha1', 20)}\n[L=32]\n\n"
    text += f"{hmac_record(0, 'sha256', 16)}\n{hmac_record(1, 'sha256', 32)}"
    parts = dict(cavp_macs.hmac_parts(text, HMAC))
    assert list(parts) == ["hmac(sha1)", "hmac(sha256)"]
    counts = [len(loaded(part, Origin("own", "x", name, "ahash"))) for name, part in parts.items()]
    assert counts == [1, 2]
    broken = dict(cavp_macs.hmac_parts(text.replace("Tlen = 16", "Tlen = 17"), HMAC))
    with pytest.raises(VectorError, match=r"^own:x:19: MAC: 16 bytes, but Tlen says 17$"):
        cavp.load(broken["hmac(sha256)"], Origin("own", "x", "hmac(sha256)", "ahash"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[L=19]\n", r"1: section \[L=19\], want L = one of 20, 28, 32, 48, 64"),
        ("[L=20]\n[L=20]\n", r"2: section \[L=20\] given twice"),
        ("# a\nCount = 0\n[L=20]\n", r"2: above the first section"),
    ],
)
def test_sections_that_are_none_are_refused(text: str, message: str) -> None:
    with pytest.raises(VectorError, match=f"^own:HMAC.rsp:{message}"):
        list(cavp_macs.hmac_parts(text, HMAC))


def test_records_of_another_hash_are_refused_and_not_dropped() -> None:
    text = f"[L=20]\n\n{hmac_record(0, 'sha1', 20)}\n[L=32]\n\n{hmac_record(0, 'sha256', 32)}"
    with pytest.raises(VectorError, match=r"12: section \[L=32\], want \[L = 20\]$"):
        cavp.load(text, HMAC)


def test_generated_cmacs_are_the_standards() -> None:
    whole, part, empty = loaded(
        "\n".join([aes_record(0, 16), aes_record(1, 4), aes_record(2, 16, b"")]), CMAC_AES
    )
    assert whole.digest == aes_tag(KEY, MESSAGE)
    assert part.digest == whole.digest[:4]
    assert empty.message == b""
    assert [v.forged for v in (whole, part, empty)] == [False] * 3


def test_a_verification_that_fails_is_a_tag_that_must_not_come_out() -> None:
    good, bad = loaded(
        "\n".join([aes_record(0, 16, result="P"), aes_record(1, 8, result="F (4 - tag changed)")]),
        CMAC_AES,
    )
    assert (good.forged, bad.forged) == (False, True)


@pytest.mark.parametrize("keys", [2, 3])
def test_the_klen_of_triple_des_counts_keys(keys: int) -> None:
    [vector] = loaded(tdes_record(keys), CMAC_TDES)
    assert vector.key is not None
    assert CMAC.new(vector.key, MESSAGE, DES3).digest() == vector.digest


def test_a_forgery_that_changed_the_first_of_two_keys_has_it_as_the_third_too() -> None:
    other = DES_KEYS[2]
    [vector] = loaded(tdes_record(2, "F (1 - key changed)", other), CMAC_TDES)
    assert vector.key == other + DES_KEYS[1] + other
    assert vector.forged
    assert CMAC.new(vector.key, MESSAGE, DES3).digest() != vector.digest


def test_a_tag_of_no_bytes_is_counted_as_not_applicable() -> None:
    found = cavp.load(aes_record(0, 0), CMAC_AES)
    assert found.inapplicable == (Inapplicable("own:CMACGenAES128.rsp#m0", Reason.TAG_LENGTH),)
    assert not found.vectors


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Klen = 16", "Klen = 24", "5: KEY: 16 bytes, but Klen says 24"),
        ("Klen = 16", "Klen = x", "2: KLEN: not a decimal number: 'x'"),
        ("Mlen = 21", "Mlen = 20", "6: MSG: 21 bytes, but Mlen says 20"),
        ("Tlen = 16", "Tlen = 4", "7: MAC: 16 bytes, but Tlen says 4"),
        ("Key = 00", "Key = 0g", "5: KEY: not hexadecimal"),
        ("Key = 00", "Key = ", "5: KEY: 15 bytes, want one of"),
        ("Result = P", "Result = Q", "8: RESULT: 'Q', want P or F and a reason"),
        ("Result = P", "Result = ", "8: RESULT: '', want P or F and a reason"),
        ("Result = P\n", "", "16: RESULT: not in the first record, but in this one"),
        ("Result = F (4)\n", "", "10: RESULT: missing from the record"),
        ("Mlen = 21\n", "", "1: MLEN: missing from the record"),
        ("Msg = ", "Text = ", "1: MSG: missing from the record"),
    ],
)
def test_a_broken_file_of_cmacs_is_refused_with_its_place(
    old: str, new: str, message: str
) -> None:
    text = aes_record(0, 16, result="P") + "\n" + aes_record(1, 16, result="F (4)")
    assert old in text
    with pytest.raises(VectorError, match=f"^own:CMACGenAES128.rsp:{message}"):
        cavp.load(text.replace(old, new, 1), CMAC_AES)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Klen = 2", "Klen = 1", "2: KLEN: 1 keys, want 2 or 3"),
        (f"Key2 = {DES_KEYS[1].hex()}", "Key2 = 00", "6: KEY2: 1 bytes, want 8"),
        (f"Key3 = {DES_KEYS[0].hex()}", f"Key3 = {DES_KEYS[2].hex()}", "7: KEY3: another key"),
    ],
)
def test_a_broken_key_of_triple_des_is_refused(old: str, new: str, message: str) -> None:
    text = tdes_record(2)
    assert old in text
    with pytest.raises(VectorError, match=f"^own:CMACVerTDES2.rsp:{message}"):
        cavp.load(text.replace(old, new), CMAC_TDES)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Klen = 16", "Klen = 17", "6: KEY: 16 bytes, but Klen says 17"),
        ("Mac = ", "Mac = 00", "8: MAC: 21 bytes, but Tlen says 20"),
        ("[L=20]", "", r"3: section \[\], want \[L = 20\]"),
        ("Tlen = 20\n", "Tlen = 20\nTlen = 20\n", "6: TLEN: given twice"),
    ],
)
def test_a_broken_file_of_hmacs_is_refused_with_its_place(
    old: str, new: str, message: str
) -> None:
    text = f"[L=20]\n\n{hmac_record(0, 'sha1', 20)}"
    with pytest.raises(VectorError, match=f"^own:HMAC.rsp:{message}"):
        cavp.load(text.replace(old, new, 1), HMAC)
