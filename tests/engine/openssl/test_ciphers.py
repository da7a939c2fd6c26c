"""The ciphers on OpenSSL against the generics, which compute with another library."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tcrypt.engine.api.flags import ReqFlag
from tcrypt.engine.api.transforms import Aead, Skcipher

if TYPE_CHECKING:
    from tests.engine.conftest import Caller

_GCM = "gcm_base(ctr(aes-generic),ghash-generic)"
_CCM = "ccm_base(ctr(aes-generic),cbcmac(aes-generic))"
_CCM_IV = b"\3" + bytes(range(1, 12)) + b"\xff\xfe\xfd\xfc"


class Pair(NamedTuple):
    """A driver, the generic one of the same algorithm, and what both are asked."""

    driver: str
    generic: str
    key_sizes: tuple[int, ...]
    lengths: tuple[int, ...]


_AES, _BLOCKS = (16, 24, 32), (0, 16, 32, 400)
_ANY = (0, 1, 15, 16, 17, 33, 400)
_SKCIPHERS = (
    Pair("ecb(aes-openssl)", "ecb(aes-generic)", _AES, _BLOCKS),
    Pair("ecb(des-openssl)", "ecb(des-generic)", (8,), _BLOCKS),
    Pair("cbc-aes-openssl", "cbc(aes-generic)", _AES, _BLOCKS),
    Pair("cbc-des-openssl", "cbc(des-generic)", (8,), _BLOCKS),
    Pair("cbc-des3_ede-openssl", "cbc(des3_ede-generic)", (24,), _BLOCKS),
    Pair("ctr-aes-openssl", "ctr(aes-generic)", _AES, _ANY),
    Pair("xts-aes-openssl", "xts(ecb(aes-generic))", (32, 48, 64), (16, 17, 31, 32, 33, 400)),
)
_AEADS = (
    Pair("gcm-aes-openssl", _GCM, _AES, _ANY),
    Pair("ccm-aes-openssl", _CCM, _AES, _ANY),
)


def text(length: int) -> bytes:
    return bytes(i * 7 % 251 for i in range(length))


def skcipher(caller: Caller, name: str, key: bytes) -> Skcipher:
    tfm = caller.machine.registry.alloc_skcipher(name)
    tfm.setkey(key)
    return tfm


def aead(caller: Caller, name: str, key: bytes, authsize: int = 16) -> Aead:
    tfm = caller.machine.registry.alloc_aead(name)
    tfm.setkey(key)
    tfm.setauthsize(authsize)
    return tfm


@pytest.mark.parametrize("decrypt", [False, True], ids=["enc", "dec"])
@pytest.mark.parametrize("pair", _SKCIPHERS, ids=lambda pair: pair.driver)
def test_skcipher_agrees_with_the_generic_one(caller: Caller, pair: Pair, decrypt: bool) -> None:
    for size in pair.key_sizes:
        tfms = [skcipher(caller, name, text(size)) for name in (pair.driver, pair.generic)]
        # A counter that carries through all of its bytes.
        iv = b"\xff" * tfms[0].alg.ivsize
        for length in pair.lengths:
            mine, other = (caller.crypt(t, text(length), iv, decrypt=decrypt) for t in tfms)
            assert mine.status == other.status == 0
            assert mine.out == other.out, (size, length)
            if iv and "xts" not in pair.driver:
                assert mine.iv_out == other.iv_out, (size, length)


@pytest.mark.parametrize(
    "key", [text(24) * 2, text(16) * 2, text(32) * 2], ids=["AES-192", "equal", "equal, AES-256"]
)
@pytest.mark.parametrize("length", [16, 17, 47, 48, 400])
def test_xts_keys_that_openssl_refuses_are_computed_all_the_same(
    caller: Caller, key: bytes, length: int
) -> None:
    mine, other = (
        skcipher(caller, name, key) for name in ("xts-aes-openssl", "xts(ecb(aes-generic))")
    )
    sealed = caller.crypt(mine, text(length), bytes(range(16))).out
    assert sealed == caller.crypt(other, text(length), bytes(range(16))).out
    assert caller.crypt(mine, sealed, bytes(range(16)), decrypt=True).out == text(length)


def test_xts_refuses_equal_halves_on_request_only(caller: Caller) -> None:
    tfm = caller.machine.registry.alloc_skcipher("xts-aes-openssl")
    tfm.setkey(text(16) * 2)
    tfm.set_flags(int(ReqFlag.FORBID_WEAK_KEYS))
    with pytest.raises(OSError, match="Invalid argument") as refused:
        tfm.setkey(text(16) * 2)
    assert refused.value.errno == errno.EINVAL


@pytest.mark.parametrize("name", ["cbc-aes-openssl", "ecb(des-openssl)", "cbc-des3_ede-openssl"])
def test_part_of_a_block_is_refused(caller: Caller, name: str) -> None:
    tfm = caller.machine.registry.alloc_skcipher(name)
    tfm.setkey(text(tfm.alg.max_keysize))
    iv = text(tfm.alg.ivsize)
    made = caller.crypt(tfm, text(17), iv)
    assert made.status == -errno.EINVAL
    assert made.out == b"\xfe" * 17, "and nothing is written"


@pytest.mark.parametrize("pair", _AEADS, ids=lambda pair: pair.driver)
@pytest.mark.parametrize("assoc", [0, 1, 20], ids=lambda assoc: f"assoc {assoc}")
def test_aead_agrees_with_the_generic_one(caller: Caller, pair: Pair, assoc: int) -> None:
    iv = _CCM_IV if "ccm" in pair.driver else text(12)
    for size in pair.key_sizes:
        for authsize in (4, 12, 16):
            tfms = [aead(caller, n, text(size), authsize) for n in (pair.driver, pair.generic)]
            for length in pair.lengths:
                mine, other = (caller.crypt(t, text(length), iv, assoc=text(assoc)) for t in tfms)
                assert mine.status == other.status == 0
                sealed = mine.out[assoc:]
                assert sealed == other.out[assoc:], (size, authsize, length)
                back = caller.crypt(tfms[0], sealed, iv, assoc=text(assoc), decrypt=True)
                assert back.status == 0
                assert back.out[assoc:] == text(length)


@pytest.mark.parametrize("pair", _AEADS, ids=lambda pair: pair.driver)
@pytest.mark.parametrize("authsize", [4, 16])
def test_forgery_is_refused_and_nothing_written(caller: Caller, pair: Pair, authsize: int) -> None:
    iv = _CCM_IV if "ccm" in pair.driver else text(12)
    tfm = aead(caller, pair.driver, text(16), authsize)
    sealed = bytearray(caller.crypt(tfm, text(33), iv).out)
    sealed[-1] ^= 1
    made = caller.crypt(tfm, bytes(sealed), iv, decrypt=True)
    assert made.status == -errno.EBADMSG
    assert made.out == b"\xfe" * 33


@pytest.mark.parametrize(
    ("name", "refused"),
    [("gcm-aes-openssl", (1, 5, 6, 7, 9, 10, 11)), ("ccm-aes-openssl", (1, 2, 3, 5, 7, 9, 15))],
)
def test_tag_lengths_that_a_mode_has_not_are_refused(
    caller: Caller, name: str, refused: tuple[int, ...]
) -> None:
    tfm = caller.machine.registry.alloc_aead(name)
    for authsize in refused:
        with pytest.raises(OSError, match="Invalid argument"):
            tfm.setauthsize(authsize)


@pytest.mark.parametrize(
    ("first", "length", "status"),
    [(0, 1, -errno.EINVAL), (8, 1, -errno.EINVAL), (1, 65_536, -errno.EOVERFLOW), (1, 65_535, 0)],
)
def test_ccm_holds_the_rules_of_its_iv(
    caller: Caller, first: int, length: int, status: int
) -> None:
    tfm = aead(caller, "ccm-aes-openssl", text(16))
    assert caller.crypt(tfm, bytes(length), bytes([first]) + bytes(15)).status == status
