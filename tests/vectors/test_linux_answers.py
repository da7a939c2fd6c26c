"""The measured answers of Linux: whole, and refused with a place when they are not."""

from __future__ import annotations

import json
import lzma
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tcrypt.vectors import linux_answers, linux_behaviour
from tcrypt.vectors.errors import VectorError
from tcrypt.vectors.linux_names import algorithm_of

RECORD: dict[str, Any] = {
    "type": "skcipher",
    "name": "cbc(aes)",
    "op": "enc",
    "key": "00" * 16,
    "iv": "11" * 16,
    "in": "22" * 32,
    "pieces": None,
    "out": "33" * 32,
}


def write(path: Path, *records: object, kernel: object = "6.12.1-x") -> Path:
    path.write_text(json.dumps({"kernel": kernel, "note": "", "vectors": records}))
    return path


def without(name: str, **changes: object) -> dict[str, Any]:
    return {key: value for key, value in RECORD.items() if key != name} | changes


def test_all_shipped_answers_are_there() -> None:
    answers = linux_answers.shipped().answers
    assert len(answers) == linux_answers.COUNT == 2380
    assert len({answer.algorithm for answer in answers}) == 38
    kinds = Counter(answer.kind for answer in answers)
    assert kinds == {"aead": 1597, "skcipher": 614, "hash": 169}
    failed = Counter((answer.kind, answer.stage) for answer in answers if answer.output is None)
    assert failed == {
        ("aead", "recv"): 422,
        ("aead", "setkey"): 124,
        ("aead", "send"): 40,
        ("aead", "authsize"): 37,
        ("skcipher", "setkey"): 121,
        ("skcipher", "recv"): 116,
        ("skcipher", "send"): 20,
    }


def test_all_shipped_rows_are_there() -> None:
    rows = linux_behaviour.shipped().rows
    assert len(rows) == linux_behaviour.COUNT == 3878
    assert Counter(row.group for row in rows) == {
        "setkey": 2754,
        "skcipher": 387,
        "authsize": 295,
        "aead": 243,
        "bind": 66,
        "hash": 52,
        "conc": 32,
        "rng": 27,
        "aioaead": 15,
        "hang": 7,
    }


def test_ids_are_unique_and_say_the_kernel() -> None:
    answers = linux_answers.shipped()
    names = [answer.id for answer in answers.answers]
    names += [row.id for row in linux_behaviour.shipped().rows]
    assert len(set(names)) == len(names) == 6258
    assert answers.source == "linux-6.12"
    assert names[0] == "linux-6.12/skcipher-0000"


def test_the_shipped_files_are_small() -> None:
    folder = Path(linux_answers.__file__).parent / "linux"
    assert sum(path.stat().st_size for path in folder.iterdir()) < 700_000


def test_a_file_of_ones_own_loads(tmp_path: Path) -> None:
    failed = without("out", stage="recv", errno="EINVAL", iv=None)
    found = linux_answers.load(write(tmp_path / "a.json", RECORD, failed, without("")))
    first, second, third = found.answers
    assert (first.key, first.iv, first.data) == (bytes(16), b"\x11" * 16, b"\x22" * 32)
    assert (first.encrypt, first.output, first.stage) == (True, b"\x33" * 32, "")
    assert (second.iv, second.output, second.stage, second.errno) == (None, None, "recv", "EINVAL")
    assert third.id == "linux-6.12/skcipher-0002"


def test_a_packed_file_loads(tmp_path: Path) -> None:
    plain = write(tmp_path / "a.json", RECORD)
    packed = tmp_path / "a.json.xz"
    packed.write_bytes(lzma.compress(plain.read_bytes()))
    assert linux_answers.load(packed).answers == linux_answers.load(plain).answers


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (without("key"), "vectors[0].key: is missing"),
        (without("", colour="red"), "vectors[0].colour: is no field of this skcipher record"),
        (without("", op="both"), "vectors[0].op: must be one of enc, dec, is 'both'"),
        (without("", key="0"), "vectors[0].key: odd number of hexadecimal digits (1): '0'"),
        (without("", iv=7), "vectors[0].iv: must be hexadecimal digits, is 7"),
        (without("", type="rng"), "vectors[0].type: must be one of skcipher, aead, hash"),
        (without("", pieces=[16]), "vectors[0].pieces: add up to 16, the input has 32 bytes"),
        (without("", pieces=[-1, 33]), "vectors[0].pieces: must be a list of lengths"),
        (without("out", stage="recv"), "vectors[0].errno: is missing"),
        (without("out", stage="end", errno="EIO"), "vectors[0].stage: must be one of bind,"),
        ([], "vectors[0]: must be an object, is '[]'"),
    ],
)
def test_a_broken_record_is_refused(tmp_path: Path, record: object, message: str) -> None:
    with pytest.raises(VectorError) as caught:
        linux_answers.load(write(tmp_path / "a.json", record))
    assert str(caught.value).startswith(f"a.json: {message}")


def test_what_is_no_file_of_answers_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    with pytest.raises(VectorError, match=r"a\.json: cannot be read: No such file"):
        linux_answers.load(path)
    path.write_text("{")
    with pytest.raises(VectorError, match=r"a\.json: is no JSON"):
        linux_answers.load(path)
    path.write_text("[]")
    with pytest.raises(VectorError, match=r"a\.json: vectors: must be a list"):
        linux_answers.load(path)
    with pytest.raises(VectorError, match=r"kernel: must be a kernel's release, is None"):
        linux_answers.load(write(path, RECORD, kernel=None))
    packed = tmp_path / "a.json.xz"
    packed.write_text("no xz")
    with pytest.raises(VectorError, match=r"a\.json\.xz: cannot be unpacked"):
        linux_answers.load(packed)


def test_another_file_than_the_measured_one_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", RECORD)
    with pytest.raises(VectorError, match=r"SHA-256 is [0-9a-f]{64}, must be d1c67a4b"):
        linux_answers.load(path, digest=linux_answers.DIGEST)


HEADER = "group,driver,case,6.1,6.12\n"


def test_rows_of_ones_own_load(tmp_path: Path) -> None:
    path = tmp_path / "b.csv"
    path.write_text(HEADER + 'setkey,cbc(aes),keylen=1,EINVAL,EINVAL\naead,gcm(aes),"a, b",,ok\n')
    first, second = linux_behaviour.load(path).rows
    assert (first.id, first.line, first.driver) == ("linux-behaviour/setkey-0000", 2, "cbc(aes)")
    assert first.results == {"6.1": "EINVAL", "6.12": "EINVAL"}
    assert (second.case, second.results) == ("a, b", {"6.12": "ok"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "b.csv:1: must begin with the columns group,driver,case, has []"),
        ("group,driver,case,6.1\n", "b.csv:1: 6.12: no column of this kernel; there are 6.1"),
        ("group,driver,case,6.12,6.12\n", "b.csv:1: two columns have one name"),
        (HEADER + "setkey,x,y,ok\n", "b.csv:2: has 4 fields, must have 5"),
        (HEADER + "setkey,,y,ok,ok\n", "b.csv:2: driver: is empty"),
        (HEADER + 'setkey,x,"y,ok,ok\n', "b.csv:2: is no CSV: unexpected end of data"),
    ],
)
def test_broken_rows_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "b.csv"
    path.write_text(text)
    with pytest.raises(VectorError) as caught:
        linux_behaviour.load(path)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("driver", "algorithm"),
    [
        ("virtio_crypto_aes_cbc", "cbc(aes)"),
        ("cbc-aes-aesni", "cbc(aes)"),
        ("cbc(aes-generic)", "cbc(aes)"),
        ("xts-aes-aesni-avx", "xts(aes)"),
        ("xts(ecb(aes-generic))", "xts(aes)"),
        ("cbc-des3_ede-asm", "cbc(des3_ede)"),
        ("cts-cbc-aes-aesni", "cts(cbc(aes))"),
        ("cts(virtio_crypto_aes_cbc)", "cts(cbc(aes))"),
        ("rfc3686(ctr-aes-aesni)", "rfc3686(ctr(aes))"),
        ("generic-gcm-aesni-avx", "gcm(aes)"),
        ("rfc4106-gcm-aesni", "rfc4106(gcm(aes))"),
        ("gcm_base(ctr(aes-generic),ghash-generic)", "gcm(aes)"),
        ("ccm_base(ctr(aes-lib),cbcmac(aes-lib))", "ccm(aes)"),
        (
            "authenc(hmac(sha1-generic),virtio_crypto_aes_cbc)",
            "authenc(hmac(sha1),cbc(aes))",
        ),
        ("hmac-sha256-lib", "hmac(sha256)"),
        ("sha256-generic", "sha256"),
        ("cbc(aes)", "cbc(aes)"),
        ("ecb", "ecb"),
        ("nosuch", "nosuch"),
    ],
)
def test_a_driver_is_known_by_its_algorithm(driver: str, algorithm: str) -> None:
    assert algorithm_of(driver) == algorithm
