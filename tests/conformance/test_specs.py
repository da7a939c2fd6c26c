"""Generated cases as texts: every token is read back as what wrote it, every other is refused."""

from __future__ import annotations

import errno
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcrypt.layouts import CIPHER_LAYOUTS, HASH_LAYOUTS, slug
from tcrypt.material import counter_iv, draw
from tcrypt.oracle import AeadReference, HashReference, SkcipherReference, reference
from tcrypt.specs import AeadSpec, HashSpec, SkcipherSpec, SpecError, flip

_AEAD = "authenc(hmac(sha1),cbc(aes))"
_sizes = st.integers(0, 1 << 20)
_ops = st.sampled_from(("enc", "dec"))
_cipher_layouts = st.sampled_from([slug(layout.name) for layout in CIPHER_LAYOUTS])
_hash_layouts = st.sampled_from([slug(layout.name) for layout in HASH_LAYOUTS])
_seeds = st.integers(0, 1 << 16)
_ivs = st.sampled_from(("random", "ones")) | st.builds(
    "wrap{}:{}".format, st.sampled_from((16, 32, 64, 128)), st.integers(1, 9)
)
_tampers = st.just("") | st.builds(
    "{}:{}".format, st.sampled_from(("tag", "text", "aad")), st.integers(0, 1023)
)
_skciphers = st.builds(
    SkcipherSpec, op=_ops, key=_sizes, len=_sizes, layout=_cipher_layouts, iv=_ivs, seed=_seeds
)
_aeads = st.builds(
    AeadSpec,
    op=_ops,
    key=_sizes,
    len=_sizes,
    assoc=_sizes,
    tag=_sizes,
    auth=_sizes,
    layout=_cipher_layouts,
    tamper=_tampers,
    seed=_seeds,
)
_hashes = st.builds(
    HashSpec, len=_sizes, key=st.integers(-1, 300), layout=_hash_layouts, seed=_seeds
)


def skcipher(name: str = "ctr(aes)") -> SkcipherReference:
    found = reference(name)
    assert isinstance(found, SkcipherReference)
    return found


def aead() -> AeadReference:
    found = reference(_AEAD)
    assert isinstance(found, AeadReference)
    return found


def hashing(name: str) -> HashReference:
    found = reference(name)
    assert isinstance(found, HashReference)
    return found


# Tokens.


@given(_skciphers | _aeads | _hashes)
def test_a_token_is_read_back_as_its_spec(spec: Any) -> None:
    assert type(spec).parse(spec.token) == spec


@given(_skciphers | _aeads | _hashes)
def test_a_token_is_one_word(spec: Any) -> None:
    assert not set(spec.token) & set(" \t\n'\"\\$`;&|<>*?[](){}!~#")


@given(_skciphers, _skciphers)
def test_different_specs_have_different_tokens(one: SkcipherSpec, other: SkcipherSpec) -> None:
    assert (one.token == other.token) == (one == other)


def test_defaults_are_left_out() -> None:
    assert SkcipherSpec("enc", 16, 33).token == "op=enc,key=16,len=33"
    spec = SkcipherSpec("enc", 16, 33, iv="wrap32:2", seed=7)
    assert spec.token == "op=enc,key=16,len=33,iv=wrap32:2,seed=7"
    assert HashSpec(0).token == "len=0"


def test_fields_may_come_in_any_order() -> None:
    assert SkcipherSpec.parse("len=33,op=dec,key=24") == SkcipherSpec("dec", 24, 33)


@pytest.mark.parametrize(
    ("token", "message"),
    [
        ("", "'' is not one of op, key, len, layout, iv, seed"),
        ("op=enc,key=16,len=1,", "'' is not one of"),
        ("op=enc,key=16", "case 'op=enc,key=16': len missing"),
        ("seed=1", "op, key, len missing"),
        ("op=enc,key=16,length=1", "'length=1' is not one of op, key"),
        ("enc,key=16,len=1", "'enc' is not one of"),
        ("op=enc,key=16,len", "'len' is not one of"),
        ("op=enc,key=16,len=", "len='' is not a number"),
        ("op=enc,key=16,len=0x10", "len='0x10' is not a number"),
        ("op=enc,key=16,len=-1", "len=-1 is not in 0"),
        ("op=enc,key=16,len=99999999999", "len=99999999999 is not in 0"),
        ("op=enc,key=16,len=1,len=2", "len is given twice"),
    ],
)
def test_a_malformed_token_is_refused_by_field(token: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        SkcipherSpec.parse(token)
    assert message in str(caught.value)
    assert repr(token) in str(caught.value)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (SkcipherSpec("both", 16, 16), "op='both' is neither enc nor dec"),
        (SkcipherSpec("enc", 16, 16, iv="zero"), "iv='zero' is not random, ones or wrap"),
        (SkcipherSpec("enc", 16, 16, iv="wrap32"), "iv='wrap32' is not random, ones or wrap"),
        (SkcipherSpec("enc", 16, 16, iv="32:1"), "iv='32:1' is not random, ones or wrap"),
        (SkcipherSpec("enc", 16, 16, iv="wrap31:1"), "a counter of 31 bits is not one of"),
        (SkcipherSpec("enc", 16, 16, iv="wrap16:0"), "does not wrap after 0 blocks"),
        (SkcipherSpec("enc", 16, 16, iv="wrap16:65537"), "does not wrap after 65537 blocks"),
    ],
)
def test_a_choice_that_does_not_exist_is_refused(spec: SkcipherSpec, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        spec.case(skcipher())
    assert message in str(caught.value)


def test_a_counter_needs_an_iv_of_its_size() -> None:
    with pytest.raises(SpecError, match="has 16 bytes, the algorithm's has 8"):
        SkcipherSpec("enc", 8, 16, iv="wrap32:1").case(skcipher("cbc(des)"))


@pytest.mark.parametrize(
    ("tamper", "message"),
    [
        ("iv:3", "tamper='iv:3' has nothing to change"),
        ("aad:3", "tamper='aad:3' has nothing to change"),
        ("tag", "tamper='tag' is not tag:<bit>, text:<bit> or aad:<bit>"),
        ("tag:x", "tamper='tag:x' is not tag:<bit>"),
    ],
)
def test_a_tamper_without_a_place_is_refused(tamper: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        AeadSpec("dec", 16, 16, 0, 12, tamper=tamper).case(aead())
    assert message in str(caught.value)


# Cases.


def test_equal_specs_give_equal_cases() -> None:
    for spec in (SkcipherSpec("enc", 16, 100), SkcipherSpec("enc", 16, 100, seed=1)):
        assert spec.case(skcipher()) == SkcipherSpec.parse(spec.token).case(skcipher())
    first = SkcipherSpec("enc", 16, 100).case(skcipher())
    second = SkcipherSpec("enc", 16, 100, seed=1).case(skcipher())
    assert (first.key, first.iv, first.data) != (second.key, second.iv, second.data)


@given(st.sampled_from((16, 24, 32)), st.integers(0, 200), _ivs, _seeds)
def test_both_directions_of_a_cipher_case_agree(key: int, length: int, iv: str, seed: int) -> None:
    case = SkcipherSpec("enc", key, length, iv=iv, seed=seed).case(skcipher())
    assert case.key is not None
    assert skcipher().decrypt(case.key, case.iv, case.out).out == case.data
    assert (case.status, len(case.key), len(case.data)) == (0, key, length)


@pytest.mark.parametrize("op", ["enc", "dec"])
def test_a_length_that_is_refused_is_expected_to_be(op: str) -> None:
    case = SkcipherSpec(op, 16, 17).case(skcipher("cbc(aes)"))
    assert (case.status, case.iv_out) == (-errno.EINVAL, None)
    assert case.out == bytes(17)


def test_the_key_may_be_left_to_the_transform() -> None:
    case = SkcipherSpec("enc", 16, 16).case(skcipher(), with_key=False)
    assert case.key is None
    assert case.out == SkcipherSpec("enc", 16, 16).case(skcipher()).out


@pytest.mark.parametrize("tamper", ["", "tag:0", "tag:95", "text:7", "aad:63"])
def test_an_authenticated_case(tamper: str) -> None:
    case = AeadSpec("dec", 16, 32, 8, 12, tamper=tamper).case(aead())
    assert case.key is not None
    answer = aead().decrypt(case.key, case.iv, case.assoc, case.data, 12)
    if tamper:
        assert case.status == answer == -errno.EBADMSG
        assert case.secret == case.out
    else:
        assert (case.status, answer) == (0, case.out)
        assert case.secret == b""


@pytest.mark.parametrize("op", ["enc", "dec"])
def test_an_authenticated_length_that_is_refused(op: str) -> None:
    case = AeadSpec(op, 16, 17, 8, 12).case(aead())
    assert case.status == (-errno.EINVAL if op == "enc" else -errno.EBADMSG)
    assert len(case.data) == (17 if op == "enc" else 29)


@pytest.mark.parametrize(("name", "key"), [("sha256", -1), ("hmac(sha1)", 0), ("hmac(sha1)", 70)])
def test_a_hash_case(name: str, key: int) -> None:
    case = HashSpec(100, key).case(hashing(name))
    assert case.key == (None if key < 0 else draw("key 0", key))
    assert case.digest == hashing(name).digest(case.key, case.message)


@given(st.binary(min_size=1, max_size=40), st.integers(0, 2000))
def test_flip_changes_one_bit(data: bytes, bit: int) -> None:
    changed = flip(data, bit)
    difference = int.from_bytes(data, "big") ^ int.from_bytes(changed, "big")
    assert difference.bit_count() == 1
    assert flip(changed, bit) == data


def test_flip_counts_from_the_lowest_bit_of_the_first_byte() -> None:
    assert flip(bytes(3), 0) == b"\x01\0\0"
    assert flip(bytes(3), 15) == b"\0\x80\0"


# Material.


@given(st.sampled_from(("", "key 1")), st.integers(0, 5000), st.integers(0, 5000))
def test_a_shorter_draw_is_a_prefix_of_a_longer_one(label: str, one: int, other: int) -> None:
    short, long = sorted((one, other))
    assert len(draw(label, long)) == long
    assert draw(label, long)[:short] == draw(label, short)


def test_draws_of_other_labels_differ() -> None:
    assert len({draw(f"key {n}", 16) for n in range(100)}) == 100


@given(st.sampled_from((16, 32, 64, 128)), st.integers(1, 300))
def test_a_counter_wraps_after_its_blocks(width: int, before: int) -> None:
    iv = counter_iv("label", width, before)
    assert len(iv) == 16
    low = int.from_bytes(iv, "big") % 2**width
    assert (low + before) % 2**width == 0
    assert low != 0
    assert iv[: 16 - width // 8] == draw("label", 16)[: 16 - width // 8]


@pytest.mark.parametrize("tag", range(1, 21))
def test_a_forgery_by_its_tag_is_never_right_by_chance(tag: int) -> None:
    for seed in range(20):
        spec = AeadSpec("dec", 16, 32, 16, tag, tamper=f"tag:{seed % (8 * tag)}", seed=seed)
        assert spec.case(aead()).status == -errno.EBADMSG


def test_a_forged_text_that_a_short_tag_covers_by_chance_is_a_sound_message() -> None:
    """One byte of tag is right for one text in 256."""
    specs = [AeadSpec("dec", 16, 32, 16, 1, tamper="text:9", seed=seed) for seed in range(999)]
    cases = [spec.case(aead()) for spec in specs]
    lucky = [(s, case) for s, case in zip(specs, cases, strict=True) if case.status == 0]
    assert 1 <= len(lucky) <= 12
    for spec, case in lucky:
        assert case.key is not None
        assert case.secret == b""
        assert aead().decrypt(case.key, case.iv, case.assoc, case.data, 1) == case.out
        assert case.out != AeadSpec("dec", 16, 32, 16, 1, seed=spec.seed).case(aead()).out
    assert {case.status for case in cases} == {0, -errno.EBADMSG}


def test_another_text_is_under_the_same_key() -> None:
    pairs = [
        [SkcipherSpec("enc", 16, 32, seed=3, text=text).case(skcipher()) for text in (0, 1, 2)],
        [AeadSpec("enc", 16, 32, 16, 12, seed=3, text=text).case(aead()) for text in (0, 1, 2)],
    ]
    for cases in pairs:
        assert len({case.key for case in cases}) == 1
        assert len({case.iv for case in cases}) == len({case.data for case in cases}) == 3
        assert len({case.out for case in cases}) == 3
    assert len({case.assoc for case in pairs[1]}) == 3


def test_a_text_is_a_part_of_the_token() -> None:
    spec = SkcipherSpec("enc", 16, 32, text=5)
    assert spec.token.endswith("text=5")
    assert SkcipherSpec.parse(spec.token) == spec
