"""setkey's statuses, row by row: real-kernel section 3, kernel-crypto section 6.2."""

from __future__ import annotations

import errno
import struct

import pytest

from tcrypt.oracle import (
    SEMI_WEAK_DES_KEYS,
    WEAK_DES_KEYS,
    AeadReference,
    HashReference,
    SkcipherReference,
    reference,
)

_EINVAL, _ENOKEY, _ENOSYS = -errno.EINVAL, -errno.ENOKEY, -errno.ENOSYS
_TRIED = (*range(70), 128, 129, 255, 256, 1024, 65536)

# Lengths that the kernel took of all those in _TRIED (real-kernel, section 3, setkey).
_ACCEPTED_LENGTHS = {
    "ecb(aes)": (16, 24, 32),
    "cbc(aes)": (16, 24, 32),
    "ctr(aes)": (16, 24, 32),
    "cts(cbc(aes))": (16, 24, 32),
    "rfc3686(ctr(aes))": (20, 28, 36),
    "xts(aes)": (32, 48, 64),
    "ecb(des)": (8,),
    "cbc(des)": (8,),
    "ecb(des3_ede)": (24,),
    "cbc(des3_ede)": (24,),
    "gcm(aes)": (16, 24, 32),
    "ccm(aes)": (16, 24, 32),
    "rfc4106(gcm(aes))": (20, 28, 36),
    "cmac(aes)": (16, 24, 32),
    "hmac(md5)": _TRIED,
    "hmac(sha1)": _TRIED,
    "hmac(sha224)": _TRIED,
    "hmac(sha256)": _TRIED,
    "hmac(sha384)": _TRIED,
    "hmac(sha512)": _TRIED,
}


def _key(length: int) -> bytes:
    """Bytes that are no weak key and whose parts differ."""
    return bytes((29 * i + 7) % 256 for i in range(length))


def _skcipher(name: str) -> SkcipherReference:
    found = reference(name)
    assert isinstance(found, SkcipherReference)
    return found


def _authenc(name: str = "authenc(hmac(sha1),cbc(aes))") -> AeadReference:
    found = reference(name)
    assert isinstance(found, AeadReference)
    return found


@pytest.mark.parametrize(("name", "accepted"), _ACCEPTED_LENGTHS.items(), ids=_ACCEPTED_LENGTHS)
def test_key_lengths(name: str, accepted: tuple[int, ...]) -> None:
    alg = reference(name)
    assert alg is not None
    statuses = {length: alg.setkey(_key(length)) for length in _TRIED}
    assert statuses == {n: 0 if n in accepted else _EINVAL for n in _TRIED}


@pytest.mark.parametrize("name", ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"])
def test_unkeyed_hash_has_no_setkey(name: str) -> None:
    alg = reference(name)
    assert isinstance(alg, HashReference)
    assert [alg.setkey(_key(n)) for n in (0, 16, 64)] == [_ENOSYS] * 3


@pytest.mark.parametrize("name", ["hmac(md5)", "hmac(sha256)", "hmac(sha512)"])
def test_hmac_key_below_112_bits_is_refused_in_fips_mode(name: str) -> None:
    alg = reference(name)
    assert isinstance(alg, HashReference)
    assert alg.setkey(_key(13), fips=True) == _EINVAL
    assert alg.setkey(_key(14), fips=True) == 0
    assert alg.setkey(_key(13)) == 0


def _even_parity(key: bytes) -> bytes:
    return bytes(byte ^ 1 for byte in key)


def test_weak_and_semi_weak_keys_are_sixteen() -> None:
    assert (len(set(WEAK_DES_KEYS)), len(set(SEMI_WEAK_DES_KEYS))) == (4, 12)


@pytest.mark.parametrize("key", WEAK_DES_KEYS, ids=bytes.hex)
def test_weak_key_is_its_own_inverse(key: bytes) -> None:
    once = _skcipher("ecb(des)").encrypt(key, b"", b"plain tx").out
    assert _skcipher("ecb(des)").encrypt(key, b"", once).out == b"plain tx"


@pytest.mark.parametrize("first", range(0, 12, 2))
def test_semi_weak_pair_undoes_itself(first: int) -> None:
    once = _skcipher("ecb(des)").encrypt(SEMI_WEAK_DES_KEYS[first], b"", b"plain tx").out
    twice = _skcipher("ecb(des)").encrypt(SEMI_WEAK_DES_KEYS[first + 1], b"", once).out
    assert twice == b"plain tx"


@pytest.mark.parametrize("name", ["ecb(des)", "cbc(des)", "ctr(des)"])
@pytest.mark.parametrize("key", WEAK_DES_KEYS + SEMI_WEAK_DES_KEYS, ids=bytes.hex)
def test_weak_des_key_is_refused_only_on_request(name: str, key: bytes) -> None:
    cipher = _skcipher(name)
    assert cipher.setkey(key) == 0
    assert cipher.setkey(key, forbid_weak=True) == _EINVAL
    assert cipher.setkey(_even_parity(key), forbid_weak=True) == _EINVAL
    assert cipher.setkey(key[:-1] + bytes([key[-1] ^ 2]), forbid_weak=True) == 0


_K1, _K2, _K3 = _key(24)[:8], _key(24)[8:16], _key(24)[16:]
# (key, with FORBID_WEAK_KEYS, in FIPS mode)
_TRIPLE_DES = {
    "K1 K2 K3": (_K1 + _K2 + _K3, {0}, {0}),
    "K1==K2": (_K1 + _K1 + _K3, {_EINVAL, _ENOKEY}, {_EINVAL}),
    "K2==K3": (_K1 + _K2 + _K2, {_EINVAL, _ENOKEY}, {_EINVAL}),
    "K1==K2==K3": (_K1 * 3, {_EINVAL, _ENOKEY}, {_EINVAL}),
    "K1==K3": (_K1 + _K2 + _K1, {0}, {_EINVAL}),
    "zero": (bytes(24), {_EINVAL, _ENOKEY}, {_EINVAL}),
}


@pytest.mark.parametrize("name", ["ecb(des3_ede)", "cbc(des3_ede)"])
@pytest.mark.parametrize(("key", "forbidden", "fips"), _TRIPLE_DES.values(), ids=_TRIPLE_DES)
def test_degenerate_triple_des_key(
    name: str, key: bytes, forbidden: set[int], fips: set[int]
) -> None:
    cipher = _skcipher(name)
    assert cipher.setkey_allowed(key) == {0}
    assert cipher.setkey_allowed(key, forbid_weak=True) == forbidden
    assert cipher.setkey_allowed(key, fips=True) == fips
    assert cipher.setkey_allowed(key, forbid_weak=True, fips=True) == fips
    assert cipher.setkey(key, forbid_weak=True) == (0 if 0 in forbidden else _EINVAL)


def test_degenerate_triple_des_is_single_des() -> None:
    triple, single = _skcipher("ecb(des3_ede)"), _skcipher("ecb(des)")
    wanted = single.encrypt(_K3, b"", bytes(16)).out
    assert triple.encrypt(_K1 + _K1 + _K3, b"", bytes(16)).out == wanted


@pytest.mark.parametrize("half", [16, 24, 32])
def test_xts_equal_halves(half: int) -> None:
    xts, key = _skcipher("xts(aes)"), _key(half) * 2
    assert xts.setkey(key) == 0
    assert xts.setkey(key, forbid_weak=True) == _EINVAL
    assert xts.setkey(key, fips=True) == _EINVAL
    assert xts.setkey(key[:-1] + b"\xff", forbid_weak=True, fips=True) == 0


@pytest.mark.parametrize("authkey", [0, 1, 16, 20, 32, 64, 65, 128])
def test_authenc_takes_any_authentication_key_and_a_valid_cipher_key(authkey: int) -> None:
    aead = _authenc()
    statuses = {n: aead.setkey(aead.join_key(_key(authkey), _key(n))) for n in range(40)}
    assert statuses == {n: 0 if n in (16, 24, 32) else _EINVAL for n in range(40)}


def _blob(length: int, kind: int, enckeylen: bytes, keys: bytes = _key(36)) -> bytes:
    return struct.pack("<HH", length, kind) + enckeylen + keys


_MALFORMED = {
    "empty": b"",
    "3 bytes": b"\x08\x00\x01",
    "header only": struct.pack("<HH", 8, 1),
    "one byte short of the parameter": _blob(8, 1, b"\0\0\0", b""),
    "type 0": _blob(8, 0, b"\0\0\0\x10"),
    "type 2": _blob(8, 2, b"\0\0\0\x10"),
    "attribute length 0": _blob(0, 1, b"\0\0\0\x10"),
    "attribute length 7": _blob(7, 1, b"\0\0\0\x10"),
    "attribute length 12": _blob(12, 1, b"\0\0\0\x10"),
    "attribute length 200": _blob(200, 1, b"\0\0\0\x10"),
    "enckeylen above the rest": _blob(8, 1, b"\0\0\0\x25"),
    "enckeylen of 2^32 - 1": _blob(8, 1, b"\xff\xff\xff\xff"),
    "enckeylen little-endian": _blob(8, 1, b"\x10\0\0\0"),
    "attribute big-endian": struct.pack(">HH", 8, 1) + b"\0\0\0\x10" + _key(36),
    "raw 36 bytes": _key(36),
    "raw 16 bytes": _key(16),
}


@pytest.mark.parametrize("blob", _MALFORMED.values(), ids=_MALFORMED)
def test_malformed_authenc_blob(blob: bytes) -> None:
    assert _authenc().split_key(blob) is None
    assert _authenc().setkey_allowed(blob) == {_EINVAL}


def test_authenc_blob_with_the_cipher_key_alone() -> None:
    assert _authenc().split_key(_blob(8, 1, b"\0\0\0\x24")) == (b"", _key(36))
    assert _authenc().setkey(_blob(8, 1, b"\0\0\0\x24")) == _EINVAL
    assert _authenc().setkey(_blob(8, 1, b"\0\0\0\x20", _key(32))) == 0


def test_authenc_blob_layout() -> None:
    blob = _authenc().join_key(b"AUTH", b"cipher key")
    assert blob == b"\x08\x00\x01\x00" + b"\x00\x00\x00\x0a" + b"AUTH" + b"cipher key"
    assert _authenc().split_key(blob) == (b"AUTH", b"cipher key")


def test_authenc_hands_weak_key_rules_to_its_cipher() -> None:
    des = _authenc("authenc(hmac(md5),cbc(des))")
    triple = _authenc("authenc(hmac(md5),cbc(des3_ede))")
    weak = des.join_key(_key(16), WEAK_DES_KEYS[0])
    degenerate = triple.join_key(_key(16), _K1 * 3)
    assert (des.setkey(weak), des.setkey(weak, forbid_weak=True)) == (0, _EINVAL)
    assert triple.setkey_allowed(degenerate) == {0}
    assert triple.setkey_allowed(degenerate, forbid_weak=True) == {_EINVAL, _ENOKEY}


def test_authenc_refuses_a_short_authentication_key_in_fips_mode() -> None:
    aead = _authenc()
    blob = aead.join_key(_key(13), _key(16))
    assert (aead.setkey(blob), aead.setkey(blob, fips=True)) == (0, _EINVAL)


@pytest.mark.parametrize("name", ["gcm(aes)", "ccm(aes)", "rfc4106(gcm(aes))"])
def test_plain_key_is_no_blob(name: str) -> None:
    aead = _authenc(name)
    assert aead.split_key(_authenc().join_key(_key(20), _key(16))) is None
    with pytest.raises(ValueError, match="takes a plain key"):
        aead.join_key(_key(20), _key(16))
