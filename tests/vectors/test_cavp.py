"""The CAVP loader: the ways in which these files are written, and those in which they break."""

from __future__ import annotations

import pytest

from tcrypt.vectors import cavp
from tcrypt.vectors.errors import VectorError
from tcrypt.vectors.model import HashVector, Operation, Origin, SkcipherVector, VectorSet

CBC = Origin("cavp", "x.rsp", "cbc(aes)", "skcipher", "T", "U", "L")
ECB = Origin("cavp", "x.rsp", "ecb(aes)", "skcipher")
CTR = Origin("cavp", "x.rsp", "ctr(aes)", "skcipher")
TDES = Origin("cavp", "x.rsp", "ecb(des3_ede)", "skcipher")
SHA1 = Origin("cavp", "x.rsp", "sha1", "ahash")
HMAC = Origin("cavp", "x.rsp", "hmac(sha1)", "ahash")

KEY, IV, PT, CT = "00" * 16, "11" * 16, "22" * 16, "33" * 16
RECORD = f"COUNT = 0\nKEY = {KEY}\nIV = {IV}\nPLAINTEXT = {PT}\nCIPHERTEXT = {CT}\n"
GOOD = f"# CAVS\n\n[ENCRYPT]\n\n{RECORD}"
MD = "ab" * 20


def skciphers(text: str, origin: Origin = CBC) -> list[SkcipherVector]:
    vectors = cavp.load(text, origin).vectors
    found = [vector for vector in vectors if isinstance(vector, SkcipherVector)]
    assert len(found) == len(vectors)
    return found


def hashes(text: str, origin: Origin = SHA1) -> list[HashVector]:
    vectors = cavp.load(text, origin).vectors
    found = [vector for vector in vectors if isinstance(vector, HashVector)]
    assert len(found) == len(vectors)
    return found


def test_a_record_becomes_one_vector_of_bytes() -> None:
    [vector] = skciphers(GOOD)
    assert vector == SkcipherVector(
        id="cavp:x.rsp#e0",
        key=bytes(16),
        iv=b"\x11" * 16,
        ptext=b"\x22" * 16,
        ctext=b"\x33" * 16,
        operation=Operation.ENCRYPT,
    )


def test_the_set_carries_the_origin_of_the_file() -> None:
    loaded = cavp.load(GOOD, CBC)
    assert isinstance(loaded, VectorSet)
    assert (loaded.source, loaded.name, loaded.algorithm, loaded.kind) == (
        "cavp",
        "x.rsp",
        "cbc(aes)",
        "skcipher",
    )
    assert (loaded.title, loaded.url, loaded.licence, loaded.derived) == ("T", "U", "L", False)


def test_the_section_gives_the_direction_and_the_order_of_fields_does_not() -> None:
    swapped = f"COUNT = 0\nKEY = {KEY}\nIV = {IV}\nCIPHERTEXT = {CT}\nPLAINTEXT = {PT}\n"
    encrypt, decrypt = skciphers(f"[ENCRYPT]\n{swapped}\n[DECRYPT]\n{swapped}")
    assert (encrypt.operation, decrypt.operation) == (Operation.ENCRYPT, Operation.DECRYPT)
    assert (encrypt.id, decrypt.id) == ("cavp:x.rsp#e0", "cavp:x.rsp#d0")
    assert encrypt.ptext == decrypt.ptext == b"\x22" * 16
    assert encrypt.ctext == decrypt.ctext == b"\x33" * 16


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(GOOD.replace("\n", "\r\n"), id="dos-line-ends"),
        pytest.param(GOOD.replace("\nIV", "\r\nIV"), id="mixed-line-ends"),
        pytest.param(GOOD.replace("\n", "  \t\n"), id="trailing-blanks"),
        pytest.param(GOOD.replace(PT, PT.upper()).replace(CT, CT.upper()), id="upper-case-hex"),
        pytest.param(GOOD.replace("COUNT", "Count").replace("KEY", "Key"), id="lower-case-names"),
        pytest.param(GOOD.replace(" = ", "="), id="no-blanks-around-the-sign"),
        pytest.param(GOOD.replace("IV =", "# a = b\nIV ="), id="comment-inside-a-record"),
        pytest.param(GOOD.rstrip("\n"), id="no-line-end-at-the-end"),
        pytest.param(GOOD.replace("[ENCRYPT]\n\n", "[ENCRYPT]\n"), id="record-after-section"),
    ],
)
def test_spelling_does_not_change_the_vectors(text: str) -> None:
    assert skciphers(text) == skciphers(GOOD)


def test_a_record_may_follow_another_without_a_blank_line() -> None:
    text = GOOD + RECORD.replace("COUNT = 0", "COUNT = 1")
    assert [vector.id for vector in skciphers(text)] == ["cavp:x.rsp#e0", "cavp:x.rsp#e1"]


def test_a_mode_without_iv_has_an_empty_one() -> None:
    [vector] = skciphers(GOOD.replace(f"IV = {IV}\n", ""), ECB)
    assert vector.iv == b""


def test_counter_mode_takes_a_part_block() -> None:
    [vector] = skciphers(GOOD.replace(PT, "2222").replace(CT, "3333"), CTR)
    assert vector.ptext == b"\x22\x22"


def test_the_single_key_of_a_tdes_known_answer_is_used_three_times() -> None:
    text = "[ENCRYPT]\nCOUNT = 0\nKEYs = 0102030405060708\n"
    [vector] = skciphers(text + f"PLAINTEXT = {'22' * 8}\nCIPHERTEXT = {'33' * 8}\n", TDES)
    assert vector.key == bytes.fromhex("0102030405060708") * 3


def test_the_three_keys_of_a_tdes_message_are_joined_in_order() -> None:
    keys = "".join(f"KEY{n} = {f'{n:02x}' * 8}\n" for n in (1, 2, 3))
    text = f"[DECRYPT]\nCOUNT = 7\n{keys}CIPHERTEXT = {'33' * 8}\nPLAINTEXT = {'22' * 8}\n"
    [vector] = skciphers(text, TDES)
    assert vector.key == b"\x01" * 8 + b"\x02" * 8 + b"\x03" * 8
    assert vector.id == "cavp:x.rsp#d7"


def test_digests_are_numbered_in_the_order_of_the_file() -> None:
    text = f"[L = 20]\n\nLen = 8\nMsg = 61\nMD = {MD}\n\nLen = 16\nMsg = 6162\nMD = {MD}\n"
    first, second = hashes(text)
    assert (first.id, second.id) == ("cavp:x.rsp#m0", "cavp:x.rsp#m1")
    assert (first.message, second.message) == (b"a", b"ab")
    assert first.key is None
    assert first.digest == b"\xab" * 20


@pytest.mark.parametrize("written", ["00", ""])
def test_an_empty_message_is_cut_by_its_length(written: str) -> None:
    [vector] = hashes(f"Len = 0\nMsg = {written}\nMD = {MD}\n")
    assert vector.message == b""


def test_a_message_of_one_zero_byte_is_not_empty() -> None:
    [vector] = hashes(f"Len = 8\nMsg = 00\nMD = {MD}\n")
    assert vector.message == b"\0"


def test_a_mac_has_its_key_and_comments_do_not_end_the_record() -> None:
    text = f'Len = 64\n# "Jefe" = key\nKey = 4a656665\n# note\nMsg = {"00" * 8}\nMD = {MD}\n'
    [vector] = hashes(text, HMAC)
    assert vector.key == b"Jefe"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("IV = 11", "IV = g1", f"7: IV: not hexadecimal: {'g1' + '11' * 15!r}"),
        (
            CT,
            CT[:-1],
            f"9: CIPHERTEXT: odd number of hexadecimal digits (31): {CT[:-1]!r}",
        ),
        (
            "# CAVS",
            "stray",
            "1: not a 'NAME = value' line: 'stray'",
        ),
        ("COUNT = 0", "COUNT = x", "5: COUNT: not a decimal number: 'x'"),
        ("COUNT = 0", "COUNT = -1", "5: COUNT: not a decimal number: '-1'"),
        (f"IV = {IV}\n", "", "5: IV: missing from the record"),
        ("IV = ", "TAG = ", "5: IV: missing from the record"),
        (
            "IV = ",
            "TAG = 00\nIV = ",
            "7: TAG: unknown field, want CIPHERTEXT, COUNT, IV, KEY, PLAINTEXT",
        ),
        ("IV = ", "KEY = ", "7: KEY: given twice in one record"),
        ("COUNT = 0\n", "", "5: KEY: outside a record: COUNT must come first"),
        ("IV = ", "\nIV = ", "5: CIPHERTEXT: missing from the record"),
        ("[ENCRYPT]", "[Keylen = 128]", "5: neither [ENCRYPT] nor [DECRYPT]: [Keylen = 128]"),
        ("[ENCRYPT]", "", "5: neither [ENCRYPT] nor [DECRYPT]: []"),
        ("[ENCRYPT]", "[ENCRYPT", "3: section without ']': '[ENCRYPT'"),
        (f"KEY = {KEY}", "KEY = 0000", "6: KEY: 2 bytes, want one of (16, 24, 32)"),
        (f"IV = {IV}", "IV = 0000", "7: IV: 2 bytes, want 16"),
        (PT, PT + "00", "9: CIPHERTEXT: 16 bytes, but the plaintext has 17"),
        (RECORD, RECORD + RECORD, "10: COUNT: 0 given twice in [ENCRYPT]"),
    ],
)
def test_a_broken_cipher_file_is_refused_with_its_place(old: str, new: str, message: str) -> None:
    text = GOOD.replace(old, new, 1)
    with pytest.raises(VectorError) as caught:
        cavp.load(text, CBC)
    assert str(caught.value) == f"cavp:x.rsp:{message}"


def test_a_part_block_is_refused_where_the_mode_takes_whole_ones() -> None:
    with pytest.raises(VectorError, match=r"PLAINTEXT: 2 bytes, want a multiple of 16$"):
        cavp.load(GOOD.replace(PT, "2222").replace(CT, "3333"), CBC)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            f"Len = 7\nMsg = 60\nMD = {MD}",
            "1: LEN: 7 bits: messages of part bytes are not supported",
        ),
        (f"Len = 16\nMsg = 61\nMD = {MD}", "2: MSG: 1 bytes, but Len says 16 bits"),
        (f"Len = 0\nMsg = 61\nMD = {MD}", "2: MSG: 1 bytes, but Len says 0 bits"),
        ("Len = 8\nMsg = 61\nMD = abab", "3: MD: 2 bytes, want 20"),
        ("Len = 8\nMsg = 61", "1: MD: missing from the record"),
        (f"Len = 8\nKey = 00\nMsg = 61\nMD = {MD}", "2: KEY: unknown field, want LEN, MD, MSG"),
        (f"[L = 32]\nLen = 8\nMsg = 61\nMD = {MD}", "2: section [L = 32], want [L = 20]"),
        (f"Len = 8\nMsg = 6x\nMD = {MD}", "2: MSG: not hexadecimal: '6x'"),
        (f"Seed = {MD}\n\nCOUNT = 0\nMD = {MD}", "1: SEED: outside a record: LEN must come first"),
    ],
)
def test_a_broken_digest_file_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(VectorError) as caught:
        cavp.load(text, SHA1)
    assert str(caught.value) == f"cavp:x.rsp:{message}"


def test_long_values_are_cut_in_messages() -> None:
    with pytest.raises(VectorError) as caught:
        cavp.load(GOOD.replace(PT, "zz" * 5000), CBC)
    assert len(str(caught.value)) < 120
    assert "(10000 characters)" in str(caught.value)


@pytest.mark.parametrize("algorithm", ["cts(cbc(aes))", "cfb(aes)", "cbc(rot13)"])
def test_a_cipher_of_unknown_sizes_is_refused(algorithm: str) -> None:
    with pytest.raises(VectorError, match=r"algorithm: no known sizes for"):
        cavp.load(GOOD, Origin("cavp", "x.rsp", algorithm, "skcipher"))


def test_a_kind_without_reader_is_refused() -> None:
    with pytest.raises(VectorError, match=r"kind: no CAVP records of kind 'aead'"):
        cavp.load(GOOD, Origin("cavp", "x.rsp", "rfc4106(gcm(aes))", "aead"))
