"""The curated format: what each field means, and what the kinds refuse."""

from __future__ import annotations

import pytest

from tcrypt.vectors import curated
from tcrypt.vectors.authenc import authenc_key
from tcrypt.vectors.errors import VectorError
from tcrypt.vectors.model import (
    AeadVector,
    Expect,
    HashVector,
    Operation,
    Origin,
    SkcipherVector,
    VectorSet,
)

ANY = Origin("user", "x.yaml", algorithm="", kind="")

HEAD = """\
format: 1
algorithm: cbc(aes)
kind: skcipher
source:
  title: "A title"
  section: "section 1"
  url: https://example.org
  licence: "MIT"
vectors:
"""
ENTRY = """\
  - id: one
    key: "000102030405060708090a0b0c0d0e0f"
    iv: "11111111111111111111111111111111"
    ptext: "22222222222222222222222222222222"
    ctext: "33333333333333333333333333333333"
"""
GOOD = HEAD + ENTRY

AEAD_HEAD = HEAD.replace("cbc(aes)", "authenc(hmac(sha1),cbc(aes))").replace("skcipher", "aead")
AEAD_ENTRY = """\
  - id: one
    authkey: "aa"
    enckey: "000102030405060708090a0b0c0d0e0f"
    iv: "11111111111111111111111111111111"
    assoc: "c0c1"
    ptext: ""
    ctext: "444444444444444444444444"
    authsize: 12
"""
AEAD = AEAD_HEAD + AEAD_ENTRY

HASH_HEAD = HEAD.replace("cbc(aes)", "hmac(sha1)").replace("skcipher", "ahash")
HASH_ENTRY = """\
  - id: one
    key: ""
    message: "616263"
    digest: "00112233445566778899aabbccddeeff00112233"
"""
HASH = HASH_HEAD + HASH_ENTRY


def load(text: str) -> VectorSet:
    return curated.load(text, ANY)


def refusal(text: str) -> str:
    with pytest.raises(VectorError) as caught:
        load(text)
    return str(caught.value)


def only(text: str) -> SkcipherVector | AeadVector | HashVector:
    [vector] = load(text).vectors
    return vector


def test_a_cipher_vector_is_read_whole() -> None:
    assert only(GOOD + '    iv_out: "00112233445566778899aabbccddeeff"\n') == SkcipherVector(
        id="user:x.yaml#one",
        key=bytes(range(16)),
        iv=b"\x11" * 16,
        ptext=b"\x22" * 16,
        ctext=b"\x33" * 16,
        iv_out=bytes.fromhex("00112233445566778899aabbccddeeff"),
        operation=Operation.BOTH,
    )


def test_the_set_carries_the_source_of_the_file() -> None:
    loaded = load(GOOD)
    assert (loaded.source, loaded.name) == ("user", "x.yaml")
    assert (loaded.algorithm, loaded.kind) == ("cbc(aes)", "skcipher")
    assert loaded.title == "A title, section 1"
    assert (loaded.url, loaded.licence) == ("https://example.org", "MIT")
    assert not loaded.derived


def test_computed_values_are_told_from_published_ones() -> None:
    assert load(GOOD.replace('licence: "MIT"', 'licence: "MIT"\n  derived: true')).derived


def test_an_aead_key_is_packed_from_its_parts() -> None:
    vector = only(AEAD)
    assert isinstance(vector, AeadVector)
    assert vector.key == authenc_key(b"\xaa", bytes(range(16)))
    assert (vector.assoc, vector.ptext, vector.ctext) == (b"\xc0\xc1", b"", b"\x44" * 12)
    assert (vector.authsize, vector.novrfy, vector.operation) == (12, False, Operation.BOTH)


def test_the_authenc_key_has_the_kernels_layout() -> None:
    blob = authenc_key(b"\xaa\xbb\xcc", b"\xdd\xee")
    assert blob.hex(" ") == "08 00 01 00 00 00 00 02 aa bb cc dd ee"


def test_an_aead_key_may_be_given_as_one_blob() -> None:
    blob = authenc_key(b"\xaa", bytes(range(16)))
    whole = AEAD.replace('    authkey: "aa"\n', f'    key: "{blob.hex()}"\n')
    whole = whole.replace('    enckey: "000102030405060708090a0b0c0d0e0f"\n', "")
    assert only(whole) == only(AEAD)


def test_a_tampered_vector_is_only_decrypted() -> None:
    vector = only(AEAD + "    novrfy: true\n")
    assert isinstance(vector, AeadVector)
    assert vector.novrfy
    assert vector.operation is Operation.DECRYPT


def test_no_key_and_an_empty_key_are_two_things() -> None:
    keyed = only(HASH)
    bare = only(HASH.replace("hmac(sha1)", "sha1").replace('    key: ""\n', ""))
    assert isinstance(keyed, HashVector)
    assert isinstance(bare, HashVector)
    assert (keyed.key, bare.key) == (b"", None)


def test_a_truncated_digest_is_a_prefix() -> None:
    text = HASH.replace("digest:", "digest_prefix:").replace("ccddeeff00112233", "")
    vector = only(text)
    assert isinstance(vector, HashVector)
    assert vector.digest == bytes.fromhex("00112233445566778899aabb")


def test_one_byte_can_be_repeated() -> None:
    text = HASH.replace('"616263"', '{repeat: {byte: "61", count: 1000000}}')
    vector = only(text)
    assert isinstance(vector, HashVector)
    assert vector.message == b"a" * 1_000_000


def test_data_may_be_folded_over_lines_between_bytes() -> None:
    folded = '"2222222222222222\n            22222222 22222222"'
    assert only(GOOD.replace('"22222222222222222222222222222222"', folded)) == only(GOOD)


def test_one_direction_can_be_chosen() -> None:
    vector = only(GOOD + "    operation: decrypt\n")
    assert isinstance(vector, SkcipherVector)
    assert vector.operation is Operation.DECRYPT


def test_a_key_that_must_be_refused_needs_no_data_and_may_have_any_length() -> None:
    vector = only(HEAD + '  - {id: one, key: "00", expect: {stage: setkey, errno: EINVAL}}\n')
    assert vector == SkcipherVector(
        "user:x.yaml#one", b"\0", b"", b"", b"", expect=Expect("setkey", "EINVAL")
    )


def test_a_refusal_can_be_one_of_weak_keys_and_say_why() -> None:
    expect = '{stage: setkey, errno: EINVAL, forbid_weak: true, rule: "a reason"}'
    vector = only(HEAD + f'  - {{id: one, key: "00", expect: {expect}}}\n')
    assert vector.expect == Expect("setkey", "EINVAL", forbid_weak=True, rule="a reason")


def test_a_text_that_must_be_refused_may_have_any_length() -> None:
    text = GOOD.replace("22" * 16, "2222").replace("33" * 16, "3333")
    vector = only(text + "    expect: {stage: crypt, errno: EINVAL}\n")
    assert vector.expect == Expect("crypt", "EINVAL")


def test_an_algorithm_of_unknown_sizes_is_checked_against_itself_only() -> None:
    text = GOOD.replace("cbc(aes)", "mode(rot13)").replace(
        "000102030405060708090a0b0c0d0e0f", "0d"
    )
    assert len(only(text).key or b"") == 1
    assert "ctext: 15 bytes, but the plaintext has 16" in refusal(
        text.replace("33" * 16, "33" * 15)
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("authsize: 12", "authsize: 0", "16: vectors[one].ctext: 12 bytes, but plaintext and tag"),
        ("authsize: 12", "authsize: twelve", "17: vectors[one].authsize: want an integer, found"),
        ('authkey: "aa"\n    ', "", "10: vectors[one].authkey: missing"),
        ('authkey: "aa"', 'key: "aa"', "10: vectors[one].authkey: missing"),
        (
            'authkey: "aa"',
            'key: "aa"\n    authkey: "aa"',
            "11: vectors[one].key: unknown field",
        ),
        ("0c0d0e0f", "0c0d0e", "12: vectors[one].enckey: 15 bytes, want one of (16, 24, 32)"),
        ("11" * 16, "11", "13: vectors[one].iv: 1 bytes, want 16"),
        ('    assoc: "c0c1"\n', "", "10: vectors[one].assoc: missing"),
        (
            'ptext: ""\n    ctext: "',
            'ptext: "00"\n    ctext: "00',
            "15: vectors[one].ptext: 1 bytes, want a multiple of 16",
        ),
        (
            '444444444444444444444444"\n    authsize: 12',
            f'{"44" * 21}"\n    authsize: 21',
            "17: vectors[one].authsize: 21, want 1 to 20",
        ),
        (
            "    iv:",
            "    novrfy: true\n    operation: decrypt\n    iv:",
            "13: vectors[one].novrfy: leaves no room for an operation or an expect",
        ),
        (
            "authenc(hmac(sha1),cbc(aes))",
            "gcm(aes)",
            "11: vectors[one].authkey: gcm(aes) takes one",
        ),
    ],
)
def test_a_broken_aead_file_is_refused_with_its_place(old: str, new: str, message: str) -> None:
    assert old in AEAD
    assert refusal(AEAD.replace(old, new, 1)).startswith(f"user:x.yaml:{message}")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("ff00112233", "ff", "13: vectors[one].digest: 16 bytes, want 20"),
        ("digest:", "digest_prefix:", "13: vectors[one].digest_prefix: 20 bytes, want 1 to 19"),
        ('    key: ""\n', "", "10: vectors[one].key: missing"),
        (
            "    message:",
            '    digest_prefix: "00"\n    message:',
            "14: vectors[one].digest: unknown",
        ),
        (
            "    message:",
            "    operation: both\n    message:",
            "12: vectors[one].operation: unknown",
        ),
    ],
)
def test_a_broken_hash_file_is_refused_with_its_place(old: str, new: str, message: str) -> None:
    assert old in HASH
    assert f"user:x.yaml:{message}" in refusal(HASH.replace(old, new, 1))
