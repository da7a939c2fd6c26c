"""Wycheproof: what results, flags and sizes demand, in both generations of the format."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM

from tcrypt.vectors import wycheproof
from tcrypt.vectors.errors import VectorError
from tcrypt.vectors.model import (
    AeadVector,
    Expect,
    HashVector,
    Inapplicable,
    Origin,
    Reason,
    SkcipherVector,
    VectorSet,
)

ORIGIN = Origin("wycheproof", "x.json", "", "", "T", "U", "L")
KEY, NONCE = bytes(range(16)), bytes(range(12))
SEALED = AESGCM(KEY).encrypt(NONCE, b"text", b"aad")


def document(algorithm: str, group: dict[str, Any], *tests: dict[str, Any]) -> str:
    cases = [{"tcId": i, "comment": "", "flags": [], **test} for i, test in enumerate(tests, 1)]
    root = {"algorithm": algorithm, "numberOfTests": len(cases)}
    return json.dumps({**root, "testGroups": [{**group, "tests": cases}]})


def load(text: str) -> VectorSet:
    return wycheproof.load(text, ORIGIN)


GCM = {"keySize": 128, "ivSize": 96, "tagSize": 128}
TEST = {
    "key": KEY.hex(),
    "iv": NONCE.hex(),
    "aad": b"aad".hex(),
    "msg": b"text".hex(),
    "ct": SEALED[:-16].hex(),
    "tag": SEALED[-16:].hex(),
    "result": "valid",
}


def aead(algorithm: str = "AES-GCM", **changes: Any) -> AeadVector:
    group = {**GCM, **{name: changes.pop(name) for name in GCM if name in changes}}
    [vector] = load(document(algorithm, group, {**TEST, **changes})).vectors
    assert isinstance(vector, AeadVector)
    return vector


def test_a_valid_test_is_sealed_and_opened() -> None:
    vector = aead()
    assert vector == AeadVector("wycheproof:x.json#tc1", KEY, NONCE, b"aad", b"text", SEALED, 16)


@pytest.mark.parametrize("flags", [[], ["ModifiedTag"]])
def test_a_modified_tag_must_not_verify_in_both_generations(flags: list[str]) -> None:
    vector = aead(result="invalid", flags=flags, tag="00" * 16)
    assert (vector.novrfy, vector.expect) == (True, None)


def test_an_iv_that_no_call_takes_is_not_applicable() -> None:
    group = {**GCM, "ivSize": 64}
    found = load(document("AES-GCM", group, {**TEST, "iv": "00" * 8}))
    assert found.inapplicable == (Inapplicable("wycheproof:x.json#tc1", Reason.IV_LENGTH),)


def test_what_the_publication_leaves_open_is_not_applicable() -> None:
    found = load(document("AES-GCM", GCM, {**TEST, "result": "acceptable", "flags": ["Odd"]}))
    assert [item.reason for item in found.inapplicable] == [Reason.ACCEPTABLE]


@pytest.mark.parametrize(
    ("changes", "stage"),
    [
        ({"keySize": 8, "key": "00", "flags": ["InvalidKeySize"]}, "setkey"),
        ({"tagSize": 24, "tag": "000000", "flags": ["InvalidTagSize"]}, "setauthsize"),
    ],
)
def test_sizes_that_are_refused_have_the_stage_and_the_exact_errno(
    changes: dict[str, Any], stage: str
) -> None:
    assert aead(result="invalid", **changes).expect == Expect(stage, "EINVAL")


@pytest.mark.parametrize("size", [0, 6, 14])
def test_a_ccm_nonce_of_a_wrong_size_is_refused_by_the_request(size: int) -> None:
    vector = aead(
        "AES-CCM", result="invalid", flags=["InvalidNonceSize"], iv="11" * size, ivSize=8 * size
    )
    assert vector.expect == Expect("crypt", "EINVAL")
    assert vector.iv[0] == 14 - size


def test_a_ccm_nonce_becomes_the_kernels_iv() -> None:
    sealed = AESCCM(KEY, 8).encrypt(NONCE, b"text", b"aad")
    vector = aead("AES-CCM", ct=sealed[:-8].hex(), tag=sealed[-8:].hex(), tagSize=64)
    assert vector.iv == b"\x02" + NONCE + b"\0\0\0"
    assert vector.ctext == sealed


def test_a_ccm_nonce_that_no_iv_can_hold_is_not_applicable() -> None:
    group = {**GCM, "ivSize": 120}
    found = load(document("AES-CCM", group, {**TEST, "iv": "00" * 15, "result": "invalid"}))
    assert [item.reason for item in found.inapplicable] == [Reason.IV_LENGTH]


def test_a_wrong_mac_is_one_that_no_driver_may_give_and_a_short_one_a_prefix() -> None:
    group = {"keySize": 128, "tagSize": 64}
    good = {"key": "00" * 16, "msg": "61", "tag": "11" * 8, "result": "valid"}
    text = document("HMACSHA256", group, good, {**good, "result": "invalid"})
    valid, wrong = load(text).vectors
    assert isinstance(valid, HashVector)
    assert isinstance(wrong, HashVector)
    assert (valid.digest, valid.forged) == (b"\x11" * 8, False)
    assert wrong.forged


def test_a_short_tweak_of_xts_has_zeros_behind_it() -> None:
    test = {"key": "01" * 32, "iv": "ff", "msg": "00" * 16, "ct": "11" * 16, "result": "valid"}
    [vector] = load(document("AES-XTS", {"keySize": 256}, test)).vectors
    assert isinstance(vector, SkcipherVector)
    assert vector.iv == b"\xff" + bytes(15)


def test_padding_is_added_to_what_is_valid_and_its_faults_are_not_applicable() -> None:
    test = {"key": "01" * 16, "iv": "02" * 16, "msg": "61", "ct": "11" * 16, "result": "valid"}
    bad = {**test, "result": "invalid", "flags": ["BadPadding"]}
    found = load(document("AES-CBC-PKCS5", {"keySize": 128}, test, bad))
    [vector] = found.vectors
    assert isinstance(vector, SkcipherVector)
    assert vector.ptext == b"a" + b"\x0f" * 15
    assert [item.reason for item in found.inapplicable] == [Reason.PADDING]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"result": "maybe"}, "tests[0].result: want valid, invalid or acceptable, found 'maybe'"),
        ({"result": "invalid", "flags": ["Odd"]}, "tests[0].flags: of unknown meaning: Odd"),
        (
            {"result": "invalid", "flags": ["InvalidTagSize"]},
            "tests[0].flags: InvalidTagSize, but the size of the tag is right",
        ),
        (
            {"result": "invalid", "flags": ["InvalidNonceSize"]},
            "tests[0].flags: InvalidNonceSize, but the size of the nonce is right",
        ),
        ({"iv": "00"}, "tests[0].iv: 1 bytes, but its length is 96 bits"),
        ({"iv": "0g"}, "tests[0].iv: not hexadecimal: '0g'"),
        ({"iv": 7}, "tests[0].iv: want a string, found '7'"),
        ({"tcId": -1}, "tests[0].tcId: want an integer of at least 0, found '-1'"),
        ({"flags": "Odd"}, "tests[0].flags: want a list of strings"),
        ({"tag": "00"}, "tests[0].tag: 1 bytes, but its length is 128 bits"),
    ],
)
def test_what_is_not_understood_is_refused_with_its_place(
    changes: dict[str, Any], message: str
) -> None:
    text = document("AES-GCM", GCM, {**TEST, **changes})
    with pytest.raises(VectorError) as caught:
        load(text)
    assert str(caught.value).startswith(f"wycheproof:x.json: testGroups[0].{message}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("7", "want an object, found '7'"),
        ("{}", "algorithm: missing"),
        ('{"algorithm": "DES"}', "algorithm: none of this suite: 'DES'"),
        ('{"algorithm": "AES-GCM", "testGroups": 3}', "testGroups: want a list of objects"),
    ],
)
def test_what_is_no_such_file_is_refused(text: str, message: str) -> None:
    with pytest.raises(VectorError) as caught:
        load(text)
    assert str(caught.value).startswith(f"wycheproof:x.json: {message}")


def test_a_dropped_test_shows() -> None:
    text = document("AES-GCM", GCM, TEST).replace('"numberOfTests": 1', '"numberOfTests": 2')
    with pytest.raises(VectorError, match="numberOfTests: 2, but there are 1"):
        load(text)


def test_a_test_that_is_there_twice_is_refused() -> None:
    text = document("AES-GCM", GCM, TEST, {**TEST, "tcId": 1})
    with pytest.raises(VectorError, match="tcId: given twice: 1"):
        load(text)
