"""Kept answers: the oracle is asked once for what differs in its layout alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tcrypt.kept_answers import kept_answer
from tcrypt.oracle import AeadReference, HashReference, SkcipherReference, reference
from tcrypt.specs import AeadSpec, HashSpec, SkcipherSpec

_SKCIPHER = SkcipherSpec("enc", 16, 48, seed=70001)
_AEAD = AeadSpec("dec", 16, 32, 16, 12, seed=70002)
_HASH = HashSpec(77, seed=70003)


@pytest.mark.parametrize("spec", [_SKCIPHER, _AEAD, _HASH], ids=lambda spec: type(spec).__name__)
def test_only_the_layout_may_differ(spec: SkcipherSpec | AeadSpec | HashSpec) -> None:
    asked: list[str] = []

    def answer(name: str) -> str:
        asked.append(name)
        return f"answer of {name}"

    for layout in ("a", "b"):
        assert kept_answer(replace(spec, layout=layout), "one", answer) == "answer of one"
    assert asked == ["one"]
    assert kept_answer(spec, "another", answer) == "answer of another"
    assert kept_answer(replace(spec, seed=70009), "one", answer) == "answer of one"
    assert asked == ["one", "another", "one"]


def test_a_long_case_is_not_kept() -> None:
    asked: list[str] = []
    spec = HashSpec(1 << 20, seed=70004)
    for _ in range(2):
        kept_answer(spec, "one", asked.append)
    assert len(asked) == 2


def test_a_case_without_its_key_is_the_same_case() -> None:
    known = reference("cbc(aes)")
    assert isinstance(known, SkcipherReference)
    with_key = _SKCIPHER.case(known)
    assert with_key.key is not None
    assert _SKCIPHER.case(known, with_key=False) == with_key._replace(key=None)
    assert _SKCIPHER.case(known) == with_key


def test_a_kept_answer_is_the_oracles() -> None:
    ciphers, hashes = reference("gcm(aes)"), reference("sha256")
    assert isinstance(ciphers, AeadReference)
    assert isinstance(hashes, HashReference)
    for tamper in ("", "tag:3", "aad:5"):
        spec = replace(_AEAD, tamper=tamper)
        case = spec.case(ciphers)
        assert case.key is not None
        answer = ciphers.decrypt(case.key, case.iv, case.assoc, case.data, spec.tag)
        assert answer == (case.status or case.out)
        assert bool(case.status) == bool(tamper)
    digest = _HASH.case(hashes)
    assert digest.digest == hashes.digest(None, digest.message)
