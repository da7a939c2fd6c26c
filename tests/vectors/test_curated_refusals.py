"""Every departure from the curated format is refused, with file, line and field."""

from __future__ import annotations

import pytest

from tcrypt.vectors import curated
from tcrypt.vectors.errors import VectorError
from tcrypt.vectors.model import Origin

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


KEY = '"000102030405060708090a0b0c0d0e0f"'
TEXT = '"22222222222222222222222222222222"'


def refusal(text: str) -> str:
    with pytest.raises(VectorError) as caught:
        curated.load(text, ANY)
    return str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("format: 1\n", "", "1: format: missing"),
        ("format: 1", "format: 2", "1: format: want 1, found 2"),
        ("format: 1", 'format: "1"', "1: format: want an integer, found text: '1'"),
        (
            "format: 1",
            "format: 01",
            "1: format: want a decimal integer without a sign, found '01'",
        ),
        ("cbc(aes)", "cbc(aes", "2: algorithm: no name of an algorithm: 'cbc(aes'"),
        ("cbc(aes)", "yes", "2: algorithm: want text, found true or false: 'yes'"),
        ("cbc(aes)", '""', "2: algorithm: empty"),
        (
            "kind: skcipher",
            "kind: cipher",
            "3: kind: want one of skcipher, aead, ahash, found 'cipher'",
        ),
        ("kind: skcipher", "kind: aead", "10: vectors[one].assoc: missing"),
        ('title: "A title"', "title: 2026-01-01", "5: source.title: want text, found a date: "),
        ('title: "A title"', "titel: A title", "5: source.title: missing"),
        ('licence: "MIT"', "licence:", "8: source.licence: want text, found nothing"),
        ('licence: "MIT"', "licence: MIT\n  isbn: 1", "9: source.isbn: unknown field"),
        (
            ENTRY,
            f"{ENTRY}    expect: {{stage: crypt, errno: EINVAL, forbid_weak: true}}\n",
            "15: vectors[one].expect.forbid_weak: want stage setkey, found crypt",
        ),
        (
            'licence: "MIT"',
            "licence: MIT\n  derived: yes",
            "9: source.derived: want true or false, found 'yes'",
        ),
        ("vectors:\n" + ENTRY, "vectors: []\n", "9: vectors: empty"),
        ("vectors:\n" + ENTRY, "vectors: {}\n", "9: vectors: want a list, found a mapping"),
        ("vectors:\n" + ENTRY, "vectors: [a]\n", "9: vectors[0]: want a mapping, found text: 'a'"),
        ("vectors:\n", "comment: hello\nvectors:\n", "9: comment: unknown field"),
        ("id: one", "id: 1", "10: vectors[0].id: want text, found an integer: '1'"),
        ("id: one", "id: a b", "10: vectors[0].id: want lower-case letters, digits, . _ -: 'a b'"),
        ("  - id: one\n    key", "  - key", "10: vectors[0].id: missing"),
        (ENTRY, ENTRY + ENTRY, "15: vectors[1].id: given twice: 'one'"),
        ("    iv:", "    IV:", "12: vectors[one].IV: unknown field"),
        ("    iv:", "    key:", "12: vectors[0].key: given twice"),
        ("    key:", "    kye:", "10: vectors[one].key: missing"),
        (
            KEY,
            "00010203040506070809101112131415",
            "11: vectors[one].key: want hexadecimal digits in quotes, "
            "found text: '00010203040506070809101112131415'",
        ),
        (
            KEY,
            "10010203040506070809101112131415",
            "11: vectors[one].key: want hexadecimal digits in quotes, "
            "found an integer: '10010203040506070809101112131415'",
        ),
        (
            KEY,
            "abcdef",
            "11: vectors[one].key: want hexadecimal digits in quotes, found text: 'abcdef'",
        ),
        (
            KEY,
            "",
            "11: vectors[one].key: want hexadecimal digits in quotes, found nothing",
        ),
        (
            KEY,
            '["00"]',
            "11: vectors[one].key: want hexadecimal digits in quotes, found a list",
        ),
        (
            KEY,
            '"000"',
            "11: vectors[one].key: odd number of hexadecimal digits (3): '000'",
        ),
        (
            KEY,
            '"0x00"',
            "11: vectors[one].key: not hexadecimal: '0x00'",
        ),
        (
            KEY,
            '"0 00 0"',
            "11: vectors[one].key: a blank inside a byte: '0 00 0'",
        ),
        (
            KEY,
            '"00"',
            "11: vectors[one].key: 1 bytes, want one of (16, 24, 32)",
        ),
        ("11" * 16, "11" * 12, "12: vectors[one].iv: 12 bytes, want 16"),
        ("33" * 16, "33" * 15, "14: vectors[one].ctext: 15 bytes, but the plaintext has 16"),
        (
            "    iv:",
            '    iv_out: "00"\n    iv:',
            "12: vectors[one].iv_out: 1 bytes, but the iv has 16",
        ),
        (
            "    iv:",
            "    operation: seal\n    iv:",
            "12: vectors[one].operation: want one of encrypt, decrypt, both, found 'seal'",
        ),
        (
            "    iv:",
            "    expect: {stage: setauthsize, errno: EINVAL}\n    iv:",
            "12: vectors[one].expect.stage: want one of setkey, crypt, found 'setauthsize'",
        ),
        (
            "    iv:",
            "    expect: {stage: crypt, errno: EWRONG}\n    iv:",
            "12: vectors[one].expect.errno: no errno of this name: 'EWRONG'",
        ),
        (
            "    iv:",
            "    expect: {stage: crypt, errno: EINVAL, why: x}\n    iv:",
            "12: vectors[one].expect.why: unknown field",
        ),
        (
            "    iv:",
            "    expect: EINVAL\n    iv:",
            "12: vectors[one].expect: want a mapping, found text: 'EINVAL'",
        ),
        ("    iv:", "    novrfy: true\n    iv:", "12: vectors[one].novrfy: unknown field"),
        (TEXT, "{}", "13: vectors[one].ptext.repeat: missing"),
        (
            TEXT,
            '{repeat: {byte: "6161", count: 8}}',
            "13: vectors[one].ptext.repeat.byte: want one byte, found 2",
        ),
        (
            TEXT,
            '{repeat: {byte: "61", count: true}}',
            "13: vectors[one].ptext.repeat.count: want an integer, found true or false: 'true'",
        ),
        (
            TEXT,
            '{repeat: {byte: "61", count: -1}}',
            "13: vectors[one].ptext.repeat.count: "
            "want a decimal integer without a sign, found '-1'",
        ),
        (
            TEXT,
            '{repeat: {byte: "61", count: 99999999999}}',
            "13: vectors[one].ptext.repeat.count: want at most 67108864 in the file",
        ),
        (
            TEXT,
            '{repeat: {byte: "61", count: 1, times: 2}}',
            "13: vectors[one].ptext.repeat.times: unknown field",
        ),
        (
            TEXT,
            '{repeat: {byte: "61", count: 1}, then: "62"}',
            "13: vectors[one].ptext.then: unknown field",
        ),
    ],
)
def test_a_broken_file_is_refused_with_its_place(old: str, new: str, message: str) -> None:
    assert old in GOOD
    assert refusal(GOOD.replace(old, new, 1)).startswith(f"user:x.yaml:{message}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "user:x.yaml: the file is empty"),
        ("# only a comment\n", "user:x.yaml: the file is empty"),
        ("- 1\n", "user:x.yaml:1: want a mapping, found a list"),
        ('format: 1\nkey: "open\n', "user:x.yaml:3: not YAML: "),
        (GOOD + "---\n" + GOOD, "user:x.yaml:15: not YAML: "),
    ],
)
def test_what_is_no_single_yaml_mapping_is_refused(text: str, message: str) -> None:
    assert refusal(text).startswith(message)


@pytest.mark.parametrize(
    ("origin", "message"),
    [
        (
            Origin("curated", "x.yaml", "ecb(aes)", "skcipher"),
            "curated:x.yaml:2: algorithm: cbc(aes), but the catalogue lists ecb(aes)",
        ),
        (
            Origin("curated", "x.yaml", "cbc(aes)", "aead"),
            "curated:x.yaml:3: kind: skcipher, but the catalogue lists aead",
        ),
    ],
)
def test_a_file_that_contradicts_the_catalogue_is_refused(origin: Origin, message: str) -> None:
    with pytest.raises(VectorError) as caught:
        curated.load(GOOD, origin)
    assert str(caught.value) == message
