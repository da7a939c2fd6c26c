"""Every loader on damaged files: a clear error or vectors, never another exception or a hang."""

from __future__ import annotations

import importlib.resources
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tcrypt.vectors import acvp, cavp, cavp_chains, cavp_macs, compact, curated, wycheproof
from tcrypt.vectors.errors import VectorError
from tcrypt.vectors.files import read_text
from tcrypt.vectors.model import Origin
from tcrypt.vectors.schema import read_document
from tcrypt.vectors.testmgr import KernelTests

BLOCK, KEY = "11" * 16, "00" * 16
RECORD = f"COUNT = 0\nKEY = {KEY}\nIV = {BLOCK}\nPLAINTEXT = {BLOCK}\nCIPHERTEXT = {BLOCK}\n"
GCM = (
    "[Keylen = 128]\n[IVlen = 96]\n[PTlen = 8]\n[AADlen = 0]\n[Taglen = 32]\n\n"
    f"Count = 0\nKey = {KEY}\nIV = {'22' * 12}\nCT = 33\nAAD = \nTag = 44444444\n"
)
CCM = (
    f"Plen = 1\nNlen = 7\nTlen = 4\n\n[Alen = 0]\n\nKey = {KEY}\n\nCount = 0\nNonce = {'66' * 7}\n"
    "Adata = 00\nCT = 9999999999\nResult = Pass\nPayload = 88\n"
)
XTS = (
    f"COUNT = 1\nDataUnitLen = 128\nKey = {KEY * 2}\nDataUnitSeqNumber = 7\n"
    f"PT = {BLOCK}\nCT = {BLOCK}\n"
)
TDES_KEYS = "".join(f"KEY{i} = 0101010101010101\n" for i in (1, 2, 3))
TDES_ROUND = f"COUNT = 0\n{TDES_KEYS}PLAINTEXT = {'22' * 8}\nCIPHERTEXT = {'33' * 8}\n"
NIST_MAC = f"Klen = 16\nMlen = 0\nTlen = 4\nKey = {KEY}\nMsg = 00\nMac = 44444444\n"
HEADER = """
#define SIZE 16
static const char zeros[48] = { [0 ... 47] = 0 };
static const struct cipher_testvec one[] = {
    { .key = "\\x01\\x02" "345678", .klen = 4 * 2, .ptext = zeros, .ctext = "12345678",
      .len = SIZE / 2, .setkey_error = -EINVAL },
};
"""
TABLE = """
static const struct alg_test_desc alg_test_descs[] = {
    { .alg = "ecb(des)", .suite = { .cipher = __VECS(one) } },
};
"""
TEST = {
    "tcId": 1, "flags": [], "result": "valid", "key": KEY, "iv": "22" * 12, "aad": "",
    "msg": "61", "ct": "62", "tag": "33" * 16,
}  # fmt: skip
WYCHEPROOF = {
    "algorithm": "AES-GCM",
    "numberOfTests": 1,
    "testGroups": [{"keySize": 128, "ivSize": 96, "tagSize": 128, "tests": [TEST]}],
}
ROUND = {"key": KEY, "iv": BLOCK, "pt": BLOCK, "ct": BLOCK}
ACVP = {
    "algorithm": "ACVP-AES-CBC",
    "testGroups": [
        {"tgId": 1, "testType": "AFT", "direction": "encrypt", "tests": [{"tcId": 1, **ROUND}]},
        {
            "tgId": 2,
            "testType": "MCT",
            "direction": "encrypt",
            "tests": [{"tcId": 1, "resultsArray": [ROUND]}],
        },
    ],
}


def kernel(text: str, _origin: Origin) -> object:
    header, _, table = text.partition("/* table */")
    files = KernelTests(header, table, Origin("testmgr", "", "", ""))
    return [files.load(algorithm) for algorithm in files.algorithms()]


def shipped(name: str) -> str:
    return (importlib.resources.files("tcrypt.vectors") / name).read_text()


CBC = Origin("x", "x", "cbc(aes)", "skcipher")
SHA1 = Origin("x", "x", "sha1", "ahash")
NONE = Origin("x", "x", "", "")
SAMPLES: dict[str, tuple[Callable[[str, Origin], object], Origin, str]] = {
    "ciphers": (cavp.load, CBC, f"# CAVS\n[ENCRYPT]\n\n{RECORD}\n[DECRYPT]\n\n{RECORD}"),
    "gcm": (
        cavp.load,
        Origin("x", "gcmDecrypt", "gcm(aes)", "aead"),
        f"{GCM}PT = 55\n\n{GCM}FAIL\n".replace("Count = 0", "Count = 1", 1),
    ),
    "ccm": (cavp.load, Origin("x", "x", "ccm(aes)", "aead"), CCM),
    "xts": (cavp.load, Origin("x", "x", "xts(aes)", "skcipher"), f"[ENCRYPT]\n{XTS}"),
    "digests": (cavp.load, SHA1, f"[L = 20]\n\nLen = 8\nMsg = 61\nMD = {'ab' * 20}\n"),
    "macs": (
        cavp.load,
        Origin("x", "x", "cmac(aes)", "ahash"),
        f"COUNT = 0\nKEY = {KEY}\nMESSAGE =\nOUTPUT = {BLOCK}\n",
    ),
    "nist-cmacs": (
        cavp.load,
        Origin("x", "x", "cmac(aes)", "ahash"),
        f"Count = 0\n{NIST_MAC}Result = P\n\nCount = 1\n{NIST_MAC}Result = F (4 - Mac)\n",
    ),
    "nist-hmacs": (
        cavp.load,
        Origin("x", "x", "hmac(sha1)", "ahash"),
        f"[L=20]\n\nCount = 0\n{NIST_MAC}".replace("Mlen = 0\n", ""),
    ),
    "nist-hmac-parts": (
        lambda text, origin: list(cavp_macs.hmac_parts(text, origin)),
        NONE,
        "# CAVS\n[L=20]\n\nCount = 0\n\n[L=64]\n\nCount = 1\n",
    ),
    "tdes-chains": (
        cavp_chains.load,
        Origin("x", "x", "ecb(des3_ede)", "skcipher"),
        f"[ENCRYPT]\n\n{TDES_ROUND}\n[DECRYPT]\n\n{TDES_ROUND}",
    ),
    "chains": (
        cavp_chains.load,
        SHA1,
        f"[L = 20]\n\nSeed = {'cd' * 20}\n\nCOUNT = 0\nMD = {'ab' * 20}\n",
    ),
    "cipher-chains": (cavp_chains.load, CBC, f"[ENCRYPT]\n\n{RECORD}"),
    "curated": (curated.load, NONE, shipped("skcipher/cbc-aes.yaml")),
    "compact": (compact.load, NONE, shipped("kernel-6.1/ecb-des.jsonl")),
    "wycheproof": (wycheproof.load, NONE, json.dumps(WYCHEPROOF)),
    "acvp": (acvp.load, NONE, json.dumps(ACVP)),
    "kernel": (kernel, NONE, f"{HEADER}/* table */{TABLE}"),
}
NOT_SETS = ("acvp", "kernel", "nist-hmac-parts")
_MARKS = ["\0", "\n", "{", "}", "[", "]", '"', "'", "\\", "=", ":", "#", ",", "-", "9" * 5000, "é"]
_MARKS += ["&a [*a]", "0x", "true", "null", "1e999", "/*", "#if 1\n"]


@st.composite
def damages(draw: st.DrawFn, text: str) -> str:
    """A text truncated, reordered, repeated, mistyped, in one place or several."""
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 60)))
        kind = draw(st.sampled_from(["cut", "drop", "twice", "mark", "lines"]))
        if kind == "cut":
            text = text[:start]
        elif kind == "drop":
            text = text[:start] + text[end:]
        elif kind == "twice":
            text = text[:end] + text[start:end] + text[end:]
        elif kind == "mark":
            text = text[:start] + draw(st.sampled_from(_MARKS)) + text[end:]
        else:
            lines = text.split("\n")
            first, second = (draw(st.integers(0, len(lines) - 1)) for _ in range(2))
            lines[first], lines[second] = lines[second], lines[first]
            text = "\n".join(lines)
    return text


@pytest.mark.parametrize("name", SAMPLES)
def test_the_samples_themselves_are_right(name: str) -> None:
    loader, origin, text = SAMPLES[name]
    assert loader(text, origin)


@pytest.mark.parametrize("name", SAMPLES)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_damaged_file_gives_vectors_or_a_clear_error(name: str, data: st.DataObject) -> None:
    loader, origin, text = SAMPLES[name]
    damaged = data.draw(damages(text))
    said = "vectors"
    try:
        loader(damaged, origin)
    except VectorError as error:
        said = str(error)
    assert 0 < len(said) < 500


@pytest.mark.parametrize("name", [name for name in SAMPLES if name not in NOT_SETS])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_file_cut_anywhere_never_gives_more_than_the_whole(
    name: str, data: st.DataObject
) -> None:
    loader, origin, text = SAMPLES[name]
    whole = loader(text, origin)
    cut = text[: data.draw(st.integers(0, len(text)))]
    try:
        found = loader(cut, origin)
    except VectorError:
        return
    for kind in ("vectors", "chains"):
        part, all_of_it = getattr(found, kind), getattr(whole, kind)
        assert len(part) <= len(all_of_it)
        # The last record of a text format may have lost its end with all that tells it.
        assert part[:-1] == all_of_it[: max(0, len(part) - 1)]


LAUGHS = "a: &a [x, x]\n" + "".join(
    f"{new}: &{new} [*{old}, *{old}, *{old}, *{old}, *{old}, *{old}, *{old}, *{old}, *{old}]\n"
    for old, new in zip("abcdefghijklmnopqrstu", "bcdefghijklmnopqrstuv", strict=True)
)


@pytest.mark.parametrize(
    "text",
    [
        LAUGHS,
        "a: " + "[" * 20_000,
        "a: " + "{a: " * 20_000,
        "- " * 20_000,
        "&a [*a]",
        "a: &a {b: *a}",
        "format: " + "9" * 10_000,
        'format: 1\nalgorithm: "' + "x" * 100_000 + '"\nkind: ahash',
        "!!python/object/apply:os.system [echo]",
        "\0",
    ],
    ids=lambda text: text[:12],
)
def test_a_yaml_bomb_is_refused_at_once(text: str) -> None:
    began = time.monotonic()
    with pytest.raises(VectorError):
        curated.load(text, NONE)
    assert time.monotonic() - began < 5


def test_a_repetition_is_limited() -> None:
    root = read_document('a: {repeat: {byte: "00", count: 99999999999}}', "x")
    with pytest.raises(VectorError, match="want at most 67108864 in the file, found 99999999999"):
        root.octets("a")


def test_all_repetitions_of_a_file_together_are_limited() -> None:
    fields = "".join(f'a{i}: {{repeat: {{byte: "00", count: 30000000}}}}\n' for i in range(3))
    root = read_document(fields, "x")
    assert len(root.octets("a0") + root.octets("a1")) == 60_000_000
    with pytest.raises(VectorError, match=r"x:3: a2\.repeat\.count: want at most 67108864"):
        root.octets("a2")


@pytest.mark.parametrize("load", [acvp.load, wycheproof.load])
def test_a_list_of_tests_that_is_given_twice_is_not_dropped(
    load: Callable[[str, Origin], object],
) -> None:
    document = json.dumps(WYCHEPROOF if load is wycheproof.load else ACVP)
    twice = document.replace('"testGroups":', '"testGroups": [], "testGroups":')
    assert twice != document
    with pytest.raises(VectorError, match="not JSON: 'given twice: testGroups'"):
        load(twice, NONE)


def test_a_number_in_other_digits_is_none() -> None:
    assert cavp.load(f"[ENCRYPT]\n{RECORD}", CBC).vectors
    with pytest.raises(VectorError, match="COUNT: not a decimal number: '٣'"):
        cavp.load(f"[ENCRYPT]\n{RECORD.replace('COUNT = 0', 'COUNT = ٣')}", CBC)


def test_a_null_pointer_of_any_length_is_not_made() -> None:
    header = HEADER.replace('.key = "\\x01\\x02" "345678", .klen = 4 * 2', ".klen = 99999999999")
    assert header != HEADER
    with pytest.raises(VectorError, match="key: no length: 99999999999"):
        KernelTests(header, TABLE, NONE).load("ecb(des)")


@pytest.mark.parametrize(("message", "length"), [("", 5), ("AA==", -1)])
def test_a_piece_must_be_able_to_fill_its_length(message: str, length: int) -> None:
    head = '{"format":1,"algorithm":"md5","kind":"ahash","title":"","url":"","licence":""'
    record = {"type": "ahash", "id": "a", "key": None, "message": message, "length": length}
    record["digest"] = "AAAAAAAAAAAAAAAAAAAAAA=="
    with pytest.raises(VectorError, match="2: length: "):
        compact.load(f'{head},"records":1}}\n{json.dumps(record)}\n', NONE)


@pytest.mark.parametrize("content", [b"\xff", b"\xc3", b"COUNT = 1\n\x80", b"\xed\xa0\x80"])
def test_what_is_not_utf_8_is_refused_with_its_place(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    with pytest.raises(VectorError, match=r"x: not UTF-8: .* at \d+"):
        read_text(path, "x")


def test_a_huge_value_is_read_or_refused_in_time() -> None:
    began = time.monotonic()
    huge = RECORD.replace(f"PLAINTEXT = {BLOCK}", f"PLAINTEXT = {BLOCK * 200_000}")
    with pytest.raises(VectorError, match=r"CIPHERTEXT: 16 bytes, but the plaintext has 3200000"):
        cavp.load(f"[ENCRYPT]\n{huge}", CBC)
    assert time.monotonic() - began < 5
