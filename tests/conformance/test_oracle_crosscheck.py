"""The oracle agrees with a third library on random requests.

Ciphers come from OpenSSL in the oracle and from pycryptodome here, hashes the other way round
(pycryptodome there, hashlib here), CMAC and composed XTS likewise.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Any

import pytest
from Crypto.Cipher import AES, DES, DES3
from Crypto.Hash import CMAC
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tcrypt.oracle import AeadReference, HashReference, SkcipherReference, reference
from tcrypt.oracle.blocks import BLOCK_CIPHERS
from tcrypt.oracle.xts import compose_xts

_few = settings(max_examples=20, deadline=None, database=None)


def _skcipher(name: str) -> SkcipherReference:
    found = reference(name)
    assert isinstance(found, SkcipherReference)
    return found


def _aead(name: str) -> AeadReference:
    found = reference(name)
    assert isinstance(found, AeadReference)
    return found


def _hash(name: str) -> HashReference:
    found = reference(name)
    assert isinstance(found, HashReference)
    return found


def _bytes(size: int) -> st.SearchStrategy[bytes]:
    return st.binary(min_size=size, max_size=size)


_aes_key = st.sampled_from((16, 24, 32)).flatmap(_bytes)
_MODES: dict[str, tuple[Any, Callable[[Any, bytes, bytes], Any]]] = {
    "ecb(aes)": (AES, lambda m, key, iv: m.new(key, m.MODE_ECB)),
    "cbc(aes)": (AES, lambda m, key, iv: m.new(key, m.MODE_CBC, iv=iv)),
    "ctr(aes)": (AES, lambda m, key, iv: m.new(key, m.MODE_CTR, nonce=b"", initial_value=iv)),
    "ecb(des)": (DES, lambda m, key, iv: m.new(key, m.MODE_ECB)),
    "cbc(des)": (DES, lambda m, key, iv: m.new(key, m.MODE_CBC, iv=iv)),
    "ctr(des)": (DES, lambda m, key, iv: m.new(key, m.MODE_CTR, nonce=b"", initial_value=iv)),
    "cbc(des3_ede)": (DES3, lambda m, key, iv: m.new(key, m.MODE_CBC, iv=iv)),
    "ctr(des3_ede)": (
        DES3,
        lambda m, key, iv: m.new(key, m.MODE_CTR, nonce=b"", initial_value=iv),
    ),
}


@pytest.mark.parametrize("name", _MODES)
@_few
@given(data=st.data())
def test_mode_agrees_with_pycryptodome(name: str, data: st.DataObject) -> None:
    cipher = _skcipher(name)
    module, new = _MODES[name]
    key = data.draw(st.sampled_from(cipher.key_sizes).flatmap(_bytes))
    assume(module is not DES3 or not _degenerate(key))
    iv = data.draw(st.one_of(_bytes(cipher.ivsize), st.just(b"\xff" * cipher.ivsize)))
    text = data.draw(st.binary(max_size=90))
    text = text[: len(text) - len(text) % cipher.block_size]
    assert cipher.encrypt(key, iv, text).out == new(module, key, iv).encrypt(text)
    assert cipher.decrypt(key, iv, text).out == new(module, key, iv).decrypt(text)


def _degenerate(key: bytes) -> bool:
    """Whether pycryptodome refuses a 3DES key: neighbours equal but for parity bits."""
    first, second, third = (bytes(b & 0xFE for b in key[i : i + 8]) for i in (0, 8, 16))
    return first == second or second == third


@pytest.mark.parametrize("name", ["cbc(aes)", "ctr(aes)", "cbc(des)", "ctr(des3_ede)"])
@_few
@given(data=st.data())
def test_two_requests_joined_by_the_output_iv_equal_one(name: str, data: st.DataObject) -> None:
    cipher = _skcipher(name)
    key = data.draw(_bytes(cipher.max_keysize))
    iv = data.draw(st.one_of(_bytes(cipher.ivsize), st.just(b"\xff" * cipher.ivsize)))
    text = data.draw(_bytes(6 * cipher.chunksize))
    cut = cipher.chunksize * data.draw(st.integers(0, 6))
    whole = cipher.encrypt(key, iv, text)
    first = cipher.encrypt(key, iv, text[:cut])
    assert first.iv_out is not None
    second = cipher.encrypt(key, first.iv_out, text[cut:])
    assert (first.out + second.out, second.iv_out) == whole


@_few
@given(key=st.sampled_from((32, 64)).flatmap(_bytes), iv=_bytes(16), text=st.data())
def test_composed_xts_agrees_with_openssl(key: bytes, iv: bytes, text: st.DataObject) -> None:
    half = len(key) // 2
    if key[:half] == key[half:]:
        key = key[:-1] + bytes([key[-1] ^ 1])
    data = text.draw(st.binary(min_size=16, max_size=80))
    xts, aes = _skcipher("xts(aes)"), BLOCK_CIPHERS["aes"]
    assert compose_xts(aes, key, iv, data, True) == xts.encrypt(key, iv, data).out
    assert compose_xts(aes, key, iv, data, False) == xts.decrypt(key, iv, data).out


@_few
@given(key=_bytes(48), iv=_bytes(16), data=st.binary(min_size=16, max_size=80))
def test_xts_with_aes_192_agrees_with_a_block_by_block_reading(
    key: bytes, iv: bytes, data: bytes
) -> None:
    data = data[: len(data) - len(data) % 16]
    tweak = int.from_bytes(AES.new(key[24:], AES.MODE_ECB).encrypt(iv), "little")
    wanted = b""
    for start in range(0, len(data), 16):
        block = int.from_bytes(data[start : start + 16], "little") ^ tweak
        out = AES.new(key[:24], AES.MODE_ECB).encrypt(block.to_bytes(16, "little"))
        wanted += (int.from_bytes(out, "little") ^ tweak).to_bytes(16, "little")
        tweak = (tweak << 1) % (1 << 128) ^ (0x87 if tweak >> 127 else 0)
    assert _skcipher("xts(aes)").encrypt(key, iv, data).out == wanted


@_few
@given(key=st.sampled_from((32, 48)).flatmap(_bytes), iv=_bytes(16), text=st.data())
def test_xts_and_cts_undo_themselves(key: bytes, iv: bytes, text: st.DataObject) -> None:
    data = text.draw(st.binary(min_size=16, max_size=80))
    for name, used in (("xts(aes)", key), ("cts(cbc(aes))", key[:16])):
        cipher = _skcipher(name)
        assert cipher.decrypt(used, iv, cipher.encrypt(used, iv, data).out).out == data


@_few
@given(key=_aes_key, iv=_bytes(12), assoc=st.binary(max_size=40), text=st.binary(max_size=70))
def test_gcm_agrees_with_pycryptodome(key: bytes, iv: bytes, assoc: bytes, text: bytes) -> None:
    other = AES.new(key, AES.MODE_GCM, nonce=iv, mac_len=12)
    other.update(assoc)
    ctext, tag = other.encrypt_and_digest(text)
    gcm = _aead("gcm(aes)")
    assert gcm.encrypt(key, iv, assoc, text, 12) == ctext + tag
    assert gcm.decrypt(key, iv, assoc, ctext + tag, 12) == text


@_few
@given(key=_aes_key, tail=_bytes(15), length=st.integers(1, 7), text=st.binary(max_size=70))
def test_ccm_agrees_with_pycryptodome(key: bytes, tail: bytes, length: int, text: bytes) -> None:
    iv, assoc = bytes([length]) + tail, tail[:9]
    other = AES.new(key, AES.MODE_CCM, nonce=tail[: 14 - length], mac_len=10)
    other.update(assoc)
    ctext, tag = other.encrypt_and_digest(text)
    ccm = _aead("ccm(aes)")
    assert ccm.encrypt(key, iv, assoc, text, 10) == ctext + tag
    assert ccm.decrypt(key, iv, assoc, ctext + tag, 10) == text


@pytest.mark.parametrize("name", ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"])
@_few
@given(key=st.binary(max_size=140), message=st.binary(max_size=260))
def test_hash_and_hmac_agree_with_the_standard_library(
    name: str, key: bytes, message: bytes
) -> None:
    assert _hash(name).digest(None, message) == hashlib.new(name, message).digest()
    assert _hash(f"hmac({name})").digest(key, message) == hmac.digest(key, message, name)


@pytest.mark.parametrize("name", ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"])
@pytest.mark.parametrize("beyond", [-1, 0, 1])
def test_hmac_key_around_the_block_size(name: str, beyond: int) -> None:
    mac = _hash(f"hmac({name})")
    key = bytes(range(mac.block_size + beyond))
    assert mac.digest(key, b"abc") == hmac.digest(key, b"abc", name)


@_few
@given(key=_aes_key, message=st.binary(max_size=70))
def test_cmac_agrees_with_pycryptodome(key: bytes, message: bytes) -> None:
    assert _hash("cmac(aes)").digest(key, message) == CMAC.new(key, message, AES).digest()


@pytest.mark.parametrize("hash_name", ["md5", "sha1", "sha384"])
@_few
@given(authkey=st.binary(max_size=140), seed=_bytes(60), blocks=st.integers(0, 3))
def test_authenc_is_cbc_then_hmac_over_both(
    hash_name: str, authkey: bytes, seed: bytes, blocks: int
) -> None:
    aead = _aead(f"authenc(hmac({hash_name}),cbc(aes))")
    enckey, iv, assoc = seed[:24], seed[24:40], seed[40:]
    text = (seed + seed)[: 16 * blocks]
    ctext = AES.new(enckey, AES.MODE_CBC, iv=iv).encrypt(text)
    tag = hmac.digest(authkey, assoc + ctext, hash_name)[:11]
    key = aead.join_key(authkey, enckey)
    assert aead.encrypt(key, iv, assoc, text, 11) == ctext + tag
    assert aead.decrypt(key, iv, assoc, ctext + tag, 11) == text
