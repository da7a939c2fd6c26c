"""Which requests are refused, and in what order: kernel-crypto sections 6.3 and 6.4."""

from __future__ import annotations

import errno

import pytest

from tcrypt.oracle import AeadReference, HashReference, SkcipherReference, reference

_EINVAL, _EBADMSG, _EOVERFLOW = -errno.EINVAL, -errno.EBADMSG, -errno.EOVERFLOW
_LENGTHS = range(70)

# Lengths accepted below 70 bytes (real-kernel, section 3, "len 0" and the rows below it).
_ACCEPTED = {
    "ecb(aes)": range(0, 70, 16),
    "cbc(aes)": range(0, 70, 16),
    "ecb(des)": range(0, 70, 8),
    "cbc(des)": range(0, 70, 8),
    "ecb(des3_ede)": range(0, 70, 8),
    "cbc(des3_ede)": range(0, 70, 8),
    "ctr(aes)": range(70),
    "ctr(des)": range(70),
    "rfc3686(ctr(aes))": range(70),
    "cts(cbc(aes))": range(16, 70),
    "xts(aes)": range(16, 70),
}
_AUTH_SIZES = {
    "gcm(aes)": (4, 8, 12, 13, 14, 15, 16),
    "ccm(aes)": (4, 6, 8, 10, 12, 14, 16),
    "rfc4106(gcm(aes))": (8, 12, 16),
    "authenc(hmac(md5),cbc(des3_ede))": range(1, 17),
    "authenc(hmac(sha1),cbc(aes))": range(1, 21),
    "authenc(hmac(sha256),rfc3686(ctr(aes)))": range(1, 33),
    "authenc(hmac(sha512),cbc(aes))": range(1, 65),
}


def _skcipher(name: str) -> SkcipherReference:
    found = reference(name)
    assert isinstance(found, SkcipherReference)
    return found


def _aead(name: str) -> AeadReference:
    found = reference(name)
    assert isinstance(found, AeadReference)
    return found


@pytest.mark.parametrize(("name", "accepted"), _ACCEPTED.items(), ids=_ACCEPTED)
def test_lengths(name: str, accepted: range) -> None:
    cipher = _skcipher(name)
    statuses = {length: cipher.length_status(length) for length in _LENGTHS}
    assert statuses == {n: 0 if n in accepted else _EINVAL for n in _LENGTHS}


@pytest.mark.parametrize(("name", "accepted"), _ACCEPTED.items(), ids=_ACCEPTED)
def test_output_is_as_long_as_an_accepted_input(name: str, accepted: range) -> None:
    cipher = _skcipher(name)
    key, iv = bytes(range(cipher.max_keysize)), bytes(cipher.ivsize)
    for length in accepted:
        data = bytes(range(length))
        out = cipher.encrypt(key, iv, data).out
        assert len(out) == length
        assert cipher.decrypt(key, iv, out).out == data


@pytest.mark.parametrize(("name", "accepted"), _AUTH_SIZES.items(), ids=_AUTH_SIZES)
def test_authsizes(name: str, accepted: range) -> None:
    aead = _aead(name)
    statuses = {size: aead.authsize_status(size) for size in range(70)}
    assert statuses == {n: 0 if n in accepted else _EINVAL for n in range(70)}
    assert max(accepted) == aead.maxauthsize


# CCM is left out: it authenticates the length of its tag.
@pytest.mark.parametrize("name", sorted(_AUTH_SIZES.keys() - {"ccm(aes)"}))
def test_short_tag_is_the_beginning_of_the_full_one(name: str) -> None:
    aead = _aead(name)
    key = _valid_key(aead)
    iv, assoc = b"\3" + bytes(aead.ivsize - 1), bytes(16)
    full = aead.encrypt(key, iv, assoc, bytes(32), aead.maxauthsize)
    for size in _AUTH_SIZES[name]:
        sealed = aead.encrypt(key, iv, assoc, bytes(32), size)
        assert sealed == full[: 32 + size]
        assert aead.decrypt(key, iv, assoc, sealed, size) == bytes(32)


def _valid_key(aead: AeadReference) -> bytes:
    if aead.key_sizes:
        return bytes(range(aead.key_sizes[0]))
    for size in (16, 20, 24):
        key = aead.join_key(bytes(20), bytes(range(size)))
        if aead.setkey(key) == 0:
            return key
    raise AssertionError(f"{aead.name}: no key is accepted")


@pytest.mark.parametrize("name", [*_AUTH_SIZES])
def test_decryption_shorter_than_the_tag_is_refused(name: str) -> None:
    aead = _aead(name)
    iv, size = b"\3" + bytes(aead.ivsize - 1), aead.maxauthsize
    key = _valid_key(aead)
    assert aead.crypt_status(False, 16, size - 1, size, iv) == _EINVAL
    assert aead.crypt_status(False, 16, size, size, iv) == 0
    assert aead.decrypt(key, iv, bytes(16), bytes(size - 1), size) == _EINVAL
    assert aead.decrypt(key, iv, bytes(16), bytes(size), size) == _EBADMSG


@pytest.mark.parametrize("name", [*_AUTH_SIZES])
@pytest.mark.parametrize("where", ["tag", "text", "assoc"])
def test_one_changed_bit_is_found(name: str, where: str) -> None:
    aead = _aead(name)
    key, iv, size = _valid_key(aead), b"\3" + bytes(aead.ivsize - 1), aead.maxauthsize
    sealed = bytearray(aead.encrypt(key, iv, bytes(16), bytes(32), size))
    assoc = bytes(16)
    if where == "assoc":
        assoc = b"\x01" + bytes(15)
    else:
        sealed[-1 if where == "tag" else 0] ^= 1
    assert aead.decrypt(key, iv, assoc, bytes(sealed), size) == _EBADMSG


def test_rfc4106_takes_16_or_20_bytes_of_associated_data() -> None:
    aead = _aead("rfc4106(gcm(aes))")
    for encrypt in (True, False):
        statuses = {n: aead.crypt_status(encrypt, n, 32, 16, bytes(8)) for n in range(40)}
        assert statuses == {n: 0 if n in (16, 20) else _EINVAL for n in range(40)}


def test_rfc4106_does_not_authenticate_its_copy_of_the_iv() -> None:
    aead, key = _aead("rfc4106(gcm(aes))"), bytes(range(20))
    sealed = aead.encrypt(key, bytes(8), bytes(16), b"text", 16)
    assert aead.decrypt(key, bytes(8), bytes(8) + b"\xff" * 8, sealed, 16) == b"text"


def test_ccm_takes_a_length_field_of_2_to_8_bytes() -> None:
    aead = _aead("ccm(aes)")
    for encrypt in (True, False):
        statuses = {
            first: aead.crypt_status(encrypt, 0, 16, 16, bytes([first]) + bytes(15))
            for first in range(256)
        }
        assert statuses == {n: 0 if 1 <= n <= 7 else _EINVAL for n in range(256)}


def test_ccm_text_must_fit_its_length_field() -> None:
    aead = _aead("ccm(aes)")
    two, three = b"\1" + bytes(15), b"\2" + bytes(15)
    assert aead.crypt_status(True, 0, 0xFFFF, 8, two) == 0
    assert aead.crypt_status(True, 0, 0x10000, 8, two) == _EOVERFLOW
    assert aead.crypt_status(True, 0, 0x10000, 8, three) == 0
    # The tag is no part of the text that the field counts.
    assert aead.crypt_status(False, 0, 0xFFFF + 8, 8, two) == 0
    assert aead.crypt_status(False, 0, 0x10000 + 8, 8, two) == _EOVERFLOW


def test_ccm_ignores_the_iv_where_its_counter_goes() -> None:
    aead, key = _aead("ccm(aes)"), bytes(16)
    iv = b"\3" + bytes(range(1, 16))
    assert aead.encrypt(key, iv, b"a", b"text", 8) == aead.encrypt(
        key, iv[:12] + b"\xff" * 4, b"a", b"text", 8
    )


@pytest.mark.parametrize("length", [1, 15, 17, 33])
def test_authenc_encryption_of_a_partial_block_is_refused(length: int) -> None:
    aead = _aead("authenc(hmac(sha1),cbc(aes))")
    assert aead.crypt_status(True, 8, length, 20, bytes(16)) == _EINVAL
    with pytest.raises(ValueError, match="-EINVAL"):
        aead.encrypt(_valid_key(aead), bytes(16), bytes(8), bytes(length), 20)


@pytest.mark.parametrize("length", [1, 15, 17])
def test_authenc_decryption_checks_the_mac_before_the_length(length: int) -> None:
    aead = _aead("authenc(hmac(sha1),cbc(aes))")
    mac = reference("hmac(sha1)")
    assert isinstance(mac, HashReference)
    key, ctext = _valid_key(aead), bytes(range(length))
    right = mac.digest(bytes(20), b"assoc" + ctext)
    wrong = right[:-1] + bytes([right[-1] ^ 1])
    assert aead.crypt_status(False, 5, length + 20, 20, bytes(16)) == 0
    assert aead.decrypt(key, bytes(16), b"assoc", ctext + right, 20) == _EINVAL
    assert aead.decrypt(key, bytes(16), b"assoc", ctext + wrong, 20) == _EBADMSG


def test_authenc_does_not_authenticate_the_iv() -> None:
    aead = _aead("authenc(hmac(sha1),cbc(aes))")
    key, text = _valid_key(aead), bytes(range(32))
    sealed = aead.encrypt(key, bytes(16), b"assoc", text, 20)
    opened = aead.decrypt(key, b"\xff" * 16, b"assoc", sealed, 20)
    assert opened == bytes(byte ^ 0xFF for byte in text[:16]) + text[16:]


@pytest.mark.parametrize("name", [*_AUTH_SIZES])
@pytest.mark.parametrize("assoclen", [0, 16])
def test_empty_text_gives_the_tag_alone(name: str, assoclen: int) -> None:
    aead = _aead(name)
    assoc = bytes(assoclen or (20 if name == "rfc4106(gcm(aes))" else 0))
    key, iv, size = _valid_key(aead), b"\3" + bytes(aead.ivsize - 1), aead.maxauthsize
    tag = aead.encrypt(key, iv, assoc, b"", size)
    assert len(tag) == size
    assert aead.decrypt(key, iv, assoc, tag, size) == b""


@pytest.mark.parametrize(
    ("name", "copied"),
    [("authenc(hmac(sha1),cbc(aes))", True), ("gcm(aes)", False), ("ccm(aes)", False)],
)
def test_associated_data_in_the_destination(name: str, copied: bool) -> None:
    assert _aead(name).aad_copied_to_dst is copied


def test_misuse_of_a_skcipher_raises() -> None:
    cbc = _skcipher("cbc(aes)")
    with pytest.raises(ValueError, match="IV of 8 bytes: must be 16"):
        cbc.encrypt(bytes(16), bytes(8), bytes(16))
    with pytest.raises(ValueError, match="17 bytes of data"):
        cbc.decrypt(bytes(16), bytes(16), bytes(17))
    with pytest.raises(ValueError, match="key of 15 bytes"):
        cbc.encrypt(bytes(15), bytes(16), bytes(16))


def test_misuse_of_an_aead_raises() -> None:
    gcm = _aead("gcm(aes)")
    with pytest.raises(ValueError, match="IV of 16 bytes: must be 12"):
        gcm.encrypt(bytes(16), bytes(16), b"", b"", 16)
    with pytest.raises(ValueError, match="tag of 5 bytes"):
        gcm.decrypt(bytes(16), bytes(12), b"", bytes(5), 5)
    with pytest.raises(ValueError, match="malformed authenc key"):
        _aead("authenc(hmac(md5),ctr(aes))").encrypt(bytes(16), bytes(16), b"", b"", 16)


def test_misuse_of_a_hash_raises() -> None:
    plain, hmac, cmac = reference("sha1"), reference("hmac(sha1)"), reference("cmac(aes)")
    assert isinstance(plain, HashReference)
    assert isinstance(hmac, HashReference)
    assert isinstance(cmac, HashReference)
    with pytest.raises(ValueError, match="takes no key"):
        plain.digest(b"key", b"")
    with pytest.raises(ValueError, match="needs a key"):
        hmac.digest(None, b"")
    with pytest.raises(ValueError, match="must be one of"):
        cmac.digest(bytes(15), b"")
