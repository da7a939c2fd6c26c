"""ACVP: prompts joined with results, projections, and what becomes of each type of test.

The vector sets here were made for these tests, their values by libraries.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from Crypto.Cipher import AES
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM

from tcrypt.vectors import acvp, imports
from tcrypt.vectors.catalogue import Catalogue
from tcrypt.vectors.errors import VectorError
from tcrypt.vectors.model import (
    AeadVector,
    CipherChain,
    HashChain,
    HashVector,
    Operation,
    Origin,
    Reason,
    SkcipherVector,
    VectorSet,
)

ORIGIN = Origin("acvp", "x", "", "", "T", "U", "L")
KEY, IV = bytes(range(16)), bytes(range(16, 32))
CTEXT = AES.new(KEY, AES.MODE_CBC, iv=IV).encrypt(bytes(32))


def document(algorithm: str, *groups: dict[str, Any]) -> str:
    numbered = [{"tgId": i, **group} for i, group in enumerate(groups, 1)]
    return json.dumps([{"acvVersion": "1.0"}, {"algorithm": algorithm, "testGroups": numbered}])


def load(
    algorithm: str, *groups: dict[str, Any], results: str = "", largest: int = 0
) -> VectorSet:
    return acvp.load(document(algorithm, *groups), ORIGIN, results, largest)


def group(test: dict[str, Any], **about: Any) -> dict[str, Any]:
    about = {"testType": "AFT", "direction": "encrypt", **about}
    return {**about, "tests": [{"tcId": 1, **test}]}


CBC = {"key": KEY.hex().upper(), "iv": IV.hex(), "pt": "00" * 32, "ct": CTEXT.hex().upper()}


@pytest.mark.parametrize("direction", ["encrypt", "decrypt"])
def test_a_functional_test_runs_in_the_direction_of_its_group(direction: str) -> None:
    [vector] = load("ACVP-AES-CBC", group(CBC, direction=direction)).vectors
    assert isinstance(vector, SkcipherVector)
    assert (vector.key, vector.iv, vector.ctext) == (KEY, IV, CTEXT)
    assert vector.operation is Operation(direction)
    assert vector.id == "acvp:x#g1-t1"


def test_a_prompt_is_joined_with_its_results() -> None:
    prompt = {name: value for name, value in CBC.items() if name != "ct"}
    answer = {"tgId": 1, "tests": [{"tcId": 1, "ct": CTEXT.hex()}]}
    results = json.dumps({"testGroups": [answer]})
    [vector] = load("ACVP-AES-CBC", group(prompt), results=results).vectors
    assert isinstance(vector, SkcipherVector)
    assert vector.ctext == CTEXT


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([2], "no result for 1/1"),
        ([1, 2], "results without a prompt: 1/2"),
        ([1, 1], "twice: 1/1"),
    ],
)
def test_a_prompt_and_results_that_do_not_match_are_refused(ids: list[int], message: str) -> None:
    answers = [{"tcId": number, "ct": CTEXT.hex()} for number in ids]
    results = json.dumps({"testGroups": [{"tgId": 1, "tests": answers}]})
    prompt = {name: value for name, value in CBC.items() if name != "ct"}
    with pytest.raises(VectorError, match=message):
        load("ACVP-AES-CBC", group(prompt), results=results)


def test_a_triple_des_key_is_put_together() -> None:
    keys = {"key1": "01" * 8, "key2": "02" * 8, "key3": "03" * 8}
    [vector] = load("ACVP-TDES-ECB", group({**keys, "pt": "00" * 8, "ct": "11" * 8})).vectors
    assert vector.key == b"\1" * 8 + b"\2" * 8 + b"\3" * 8


def test_a_sequence_number_of_xts_has_its_lowest_byte_first() -> None:
    test = {"key": "01" * 32, "sequenceNumber": 258, "pt": "00" * 16, "ct": "11" * 16}
    [vector] = load("ACVP-AES-XTS", group(test, payloadLen=128)).vectors
    assert isinstance(vector, SkcipherVector)
    assert vector.iv == b"\2\1" + bytes(14)


def test_the_rounds_of_a_monte_carlo_test_are_chains_of_their_own() -> None:
    rounds = [
        {"key": KEY.hex(), "iv": IV.hex(), "pt": f"0{i}" * 16, "ct": "22" * 16} for i in (1, 2)
    ]
    test = group({"resultsArray": rounds}, testType="MCT", direction="decrypt")
    first, second = load("ACVP-AES-CBC", test).chains
    assert isinstance(first, CipherChain)
    assert isinstance(second, CipherChain)
    assert (first.start, first.end, first.encrypt) == (b"\x22" * 16, b"\1" * 16, False)
    assert second.end == b"\2" * 16


def test_a_standard_hash_chain_begins_each_round_at_the_digest_before() -> None:
    rounds = [{"md": "11" * 32}, {"md": "22" * 32}]
    test = {"msg": "00" * 32, "resultsArray": rounds}
    first, second = load("SHA2-256", group(test, testType="MCT")).chains
    assert isinstance(first, HashChain)
    assert isinstance(second, HashChain)
    assert (first.seed, first.digest) == (bytes(32), b"\x11" * 32)
    assert second.seed == b"\x11" * 32


@pytest.mark.parametrize(
    ("algorithm", "test", "about", "reason"),
    [
        ("SHA2-256", {"msg": "00", "resultsArray": []}, {"testType": "MCT"}, Reason.CHAIN),
        (
            "SHA2-256",
            {"msg": "00" * 32, "resultsArray": []},
            {"testType": "MCT", "mctVersion": "alternate"},
            Reason.CHAIN,
        ),
        ("ACVP-TDES-CBC", {"resultsArray": []}, {"testType": "MCT"}, Reason.CHAIN),
        ("SHA2-256", {"msg": "60", "len": 5, "md": "00" * 32}, {}, Reason.BIT_LENGTH),
        ("ACVP-AES-CTR", {**CBC, "payloadLen": 255}, {}, Reason.BIT_LENGTH),
        ("ACVP-AES-CTR", {"key": KEY.hex(), "pt": "00"}, {"testType": "CTR"}, Reason.FIELDS),
        ("ACVP-AES-GCM", {}, {"ivLen": 120, "tagLen": 128}, Reason.IV_LENGTH),
        ("ACVP-AES-GCM", {}, {"ivLen": 96, "tagLen": 40}, Reason.TAG_LENGTH),
        (
            "SHA2-256",
            {
                "largeMsg": {
                    "content": "AB",
                    "contentLength": 8,
                    "fullLength": 1 << 33,
                    "expansionTechnique": "repeating",
                }
            },
            {"testType": "LDT"},
            Reason.LARGE,
        ),
    ],
)
def test_what_no_driver_can_be_given_is_counted_with_its_reason(
    algorithm: str, test: dict[str, Any], about: dict[str, Any], reason: Reason
) -> None:
    found = load(algorithm, group(test, **about))
    assert [item.reason for item in found.inapplicable] == [reason]
    assert found.vectors == ()
    assert found.chains == ()


@pytest.mark.parametrize("largest", [1000, 1001])
def test_large_data_are_taken_when_they_are_asked_for(largest: int) -> None:
    message = (b"\xab\xcd" * 600)[:1001]
    large = {
        "content": "ABCD",
        "contentLength": 16,
        "fullLength": 8 * 1001,
        "expansionTechnique": "repeating",
    }
    test = {"largeMsg": large, "md": hashlib.sha256(message).hexdigest()}
    loaded = load("SHA2-256", group(test, testType="LDT"), largest=largest)
    assert len(loaded.vectors) + len(loaded.inapplicable) == 1
    for vector in loaded.vectors:
        assert isinstance(vector, HashVector)
        assert (vector.message, vector.length) == (b"\xab\xcd", 1001)
    assert {item.reason for item in loaded.inapplicable} <= {Reason.LARGE}
    assert bool(loaded.vectors) == (largest == 1001)


def test_gcm_and_ccm_are_sealed_or_must_not_verify() -> None:
    sealed = AESGCM(KEY).encrypt(IV[:12], b"text", b"")
    test = {"key": KEY.hex(), "iv": IV[:12].hex(), "aad": "", "pt": b"text".hex()}
    sizes = {"payloadLen": 32, "aadLen": 0, "ivLen": 96, "tagLen": 128}
    parts = {"ct": sealed[:-16].hex(), "tag": sealed[-16:].hex()}
    [vector] = load("ACVP-AES-GCM", group({**test, **parts}, **sizes)).vectors
    assert isinstance(vector, AeadVector)
    assert (vector.ctext, vector.novrfy) == (sealed, False)

    forged = {**test, **parts, "testPassed": False}
    del forged["pt"]
    [vector] = load("ACVP-AES-GCM", group(forged, direction="decrypt", **sizes)).vectors
    assert isinstance(vector, AeadVector)
    assert (vector.novrfy, vector.unsealed, vector.ptext) == (True, True, bytes(4))

    joined = AESCCM(KEY, 8).encrypt(IV[:7], b"text", b"")
    test = {**test, "iv": IV[:7].hex(), "ct": joined.hex()}
    [vector] = load("ACVP-AES-CCM", group(test, **{**sizes, "ivLen": 56, "tagLen": 64})).vectors
    assert isinstance(vector, AeadVector)
    assert vector.iv == b"\x07" + IV[:7] + bytes(8)
    assert vector.ctext == joined


def test_a_truncated_mac_is_a_prefix_and_a_failed_one_must_differ() -> None:
    mac = hmac.digest(b"key", b"data", "sha256")[:12]
    test = {"key": b"key".hex(), "msg": b"data".hex(), "mac": mac.hex()}
    sizes = {"keyLen": 24, "msgLen": 32, "macLen": 96}
    [vector] = load("HMAC-SHA2-256", group(test, **sizes)).vectors
    assert vector == HashVector("acvp:x#g1-t1", b"key", b"data", mac)
    cmac = {"key": KEY.hex(), "message": "", "mac": "00" * 16, "testPassed": False}
    sizes = {"msgLen": 0, "macLen": 128}
    [vector] = load("CMAC-AES", group(cmac, direction="ver", **sizes)).vectors
    assert isinstance(vector, HashVector)
    assert vector.forged


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pt": "0"}, "tests[0].pt: odd number of hexadecimal digits"),
        ({"iv": "00"}, "tests[0].iv: 1 bytes, but its length is 128 bits"),
        ({"payloadLen": 8}, "tests[0].pt: 32 bytes, but its length is 8 bits"),
        ({"key": None}, "tests[0].key: want a string, found 'None'"),
    ],
)
def test_a_broken_test_is_refused_with_its_place(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(VectorError) as caught:
        load("ACVP-AES-CBC", group({**CBC, **changes}))
    assert str(caught.value).startswith(f"acvp:x: testGroups[0].{message}")


def test_a_folder_of_vector_sets_is_imported_with_its_chains_apart(tmp_path: Path) -> None:
    rounds = [{"key": KEY.hex(), "iv": IV.hex(), "pt": "01" * 16, "ct": "22" * 16}]
    mct = group({"resultsArray": rounds}, testType="MCT")
    folder = tmp_path / "sets" / "ACVP-AES-CBC-1.0"
    folder.mkdir(parents=True)
    (folder / "internalProjection.json").write_text(document("ACVP-AES-CBC", group(CBC), mct))
    other = tmp_path / "sets" / "KAS"
    other.mkdir()
    (other / "prompt.json").write_text(document("KAS-ECC"))
    written = imports.write(imports.read("acvp", tmp_path / "sets"), tmp_path / "out")
    names = ["acvp-aes-cbc-1.0.jsonl", "acvp-aes-cbc-1.0-monte-carlo.jsonl", "index.yaml"]
    assert [path.name for path in written] == names
    catalogue = Catalogue([])
    catalogue.extra([tmp_path / "out"])
    assert [f.expected_count for f in catalogue.files("cbc(aes)")] == [1]
    assert [f.expected_count for f in catalogue.chains("cbc(aes)")] == [1]
