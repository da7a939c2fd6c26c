"""The oracle against every curated vector of an AEAD, and what it says of layouts and IVs."""

from __future__ import annotations

import errno

import pytest

from tcrypt.oracle import AeadReference, reference
from tcrypt.vectors.catalogue import Catalogue, VectorFile
from tcrypt.vectors.model import AeadVector, Operation

_CATALOGUE = Catalogue.load()
_FILES = [
    file
    for name in _CATALOGUE.algorithms()
    for file in _CATALOGUE.files(name)
    if file.source == "curated" and file.name.startswith("aead/")
]


def aead(name: str) -> AeadReference:
    found = reference(name)
    assert isinstance(found, AeadReference), name
    return found


@pytest.mark.parametrize("file", _FILES, ids=lambda file: file.name)
def test_the_oracle_gives_every_curated_value(file: VectorFile) -> None:
    alg = aead(file.algorithm)
    for v in file.load().vectors:
        assert isinstance(v, AeadVector)
        assert alg.setkey(v.key) == 0
        assert alg.authsize_status(v.authsize) == 0
        opened = alg.decrypt(v.key, v.iv, v.assoc, v.ctext, v.authsize)
        if v.novrfy:
            assert opened == -errno.EBADMSG, v.id
            continue
        if v.operation is not Operation.DECRYPT:
            assert alg.encrypt(v.key, v.iv, v.assoc, v.ptext, v.authsize) == v.ctext, v.id
        assert opened == v.ptext, v.id


@pytest.mark.parametrize(
    ("name", "assoclen", "textlen", "status"),
    [
        ("authencesn(hmac(sha1),cbc(aes))", 7, 16, -errno.EINVAL),
        ("authencesn(hmac(sha1),cbc(aes))", 8, 16, 0),
        ("rfc4309(ccm(aes))", 12, 16, -errno.EINVAL),
        ("rfc4543(gcm(aes))", 20, 16, 0),
        ("essiv(authenc(hmac(sha256),cbc(aes)),sha256)", 15, 16, -errno.EINVAL),
        ("essiv(authenc(hmac(sha256),cbc(aes)),sha256)", 16, 16, 0),
        ("seqiv(rfc4106(gcm(aes)))", 16, 16, -errno.EINVAL),
        ("seqiv(rfc4106(gcm(aes)))", 8, 8, 0),
        ("seqiv(rfc4106(gcm(aes)))", 8, 7, -errno.EINVAL),
        ("echainiv(authenc(hmac(sha1),cbc(aes)))", 0, 15, -errno.EINVAL),
        ("echainiv(authenc(hmac(sha1),cbc(aes)))", 0, 16, 0),
        ("echainiv(authenc(hmac(sha1),cbc(aes)))", 0, 33, -errno.EINVAL),
    ],
)
def test_lengths_that_encryption_refuses(
    name: str, assoclen: int, textlen: int, status: int
) -> None:
    alg = aead(name)
    got = alg.crypt_status(True, assoclen, textlen, alg.maxauthsize, bytes(alg.ivsize))
    assert got == status


def test_what_is_in_front_of_the_text_of_a_destination() -> None:
    assert aead("gcm(aes)").header(False, 20) == (20,)
    assert aead("seqiv(rfc4106(gcm(aes)))").header(False, 12) == (12, 8)
    assert aead("essiv(authenc(hmac(sha256),cbc(aes)),sha256)").header(False, 24) == (8, 16)


def test_which_associated_data_the_tag_covers() -> None:
    assert aead("gcm(aes)").authenticated(20) == 20
    assert aead("rfc4106(gcm(aes))").authenticated(20) == 12
    assert aead("rfc4543(gcm(aes))").authenticated(20) == 20
    assert aead("essiv(authenc(hmac(sha256),cbc(aes)),sha256)").authenticated(24) == 8


def test_ccm_makes_good_ivs_of_any() -> None:
    ccm = aead("ccm(aes)")
    for first in range(256):
        iv = ccm.good_iv(bytes([first]) + bytes(15))
        assert ccm.crypt_status(True, 0, 16, 16, iv) == 0


@pytest.mark.parametrize("name", ["echainiv(nothing)", "essiv(gcm(aes),sha256)", "seqiv(aes)"])
def test_what_the_oracle_does_not_know(name: str) -> None:
    assert reference(name) is None
