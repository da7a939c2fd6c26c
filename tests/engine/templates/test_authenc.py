"""The authenc template against other libraries: kernel-crypto, section 6.4."""

from __future__ import annotations

import errno
import hmac
import struct
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tcrypt.engine.api.transforms import Aead

if TYPE_CHECKING:
    from tests.engine.conftest import Caller

_AUTH = b"authentication key!!"
_ENC = bytes(range(16))
_IV = bytes(range(16, 32))
_NAME = "authenc(hmac(sha1),cbc(aes))"


def blob(authkey: bytes = _AUTH, enckey: bytes = _ENC) -> bytes:
    return struct.pack("<HH", 8, 1) + struct.pack(">I", len(enckey)) + authkey + enckey


def sealed(
    assoc: bytes, text: bytes, authsize: int = 20, auth: bytes = _AUTH, enc: bytes = _ENC
) -> bytes:
    """Ciphertext and tag."""
    context = Cipher(algorithms.AES(enc), modes.CBC(_IV)).encryptor()
    ctext = context.update(text) + context.finalize()
    return ctext + hmac.new(auth, assoc + ctext, "sha1").digest()[:authsize]


def keyed(caller: Caller, key: bytes | None = None, authsize: int = 20) -> Aead:
    tfm = caller.machine.registry.alloc_aead(_NAME)
    tfm.setkey(blob() if key is None else key)
    tfm.setauthsize(authsize)
    return tfm


@pytest.mark.parametrize("authsize", [1, 3, 12, 20])
@pytest.mark.parametrize("assoclen", [0, 1, 24])
@pytest.mark.parametrize("textlen", [0, 16, 96])
def test_encryption_and_decryption(
    caller: Caller, assoclen: int, textlen: int, authsize: int
) -> None:
    assoc, text = bytes(range(assoclen)), bytes(range(textlen))
    tfm = keyed(caller, authsize=authsize)
    call = caller.crypt(tfm, text, _IV, assoc=assoc)
    assert call.status == 0
    assert call.out == assoc + sealed(assoc, text, authsize)
    back = caller.crypt(tfm, call.out[assoclen:], _IV, assoc=assoc, decrypt=True)
    assert back.status == 0
    assert back.out[assoclen:] == text


@pytest.mark.parametrize("size", [16, 24, 32])
@pytest.mark.parametrize("authsize", [0, 64, 65])
def test_keys_of_all_sizes(caller: Caller, size: int, authsize: int) -> None:
    enc, auth = bytes(range(3, 3 + size)), bytes(range(authsize))
    tfm = keyed(caller, blob(auth, enc))
    call = caller.crypt(tfm, bytes(32), _IV, assoc=b"aad")
    assert call.out == b"aad" + sealed(b"aad", bytes(32), auth=auth, enc=enc)


def test_in_place(caller: Caller) -> None:
    lists = caller.scatter(b"aad" + bytes(32) + bytes(20), (5, 20))
    tfm = keyed(caller)
    assert caller.crypt(tfm, bytes(32), _IV, assoc=b"aad", src=lists, dst=lists).status == 0
    assert lists.read(55) == b"aad" + sealed(b"aad", bytes(32))
    back = caller.crypt(
        tfm, sealed(b"aad", bytes(32)), _IV, assoc=b"aad", src=lists, dst=lists, decrypt=True
    )
    assert back.status == 0
    assert lists.read(35) == b"aad" + bytes(32)


@pytest.mark.parametrize("where", [0, 2, 3, 34, 35, 54])
def test_a_forgery_is_ebadmsg_and_releases_nothing(caller: Caller, where: int) -> None:
    message = bytearray(b"aad" + sealed(b"aad", bytes(32)))
    message[where] ^= 0x10
    tfm = keyed(caller)
    call = caller.crypt(tfm, bytes(message[3:]), _IV, assoc=bytes(message[:3]), decrypt=True)
    assert call.status == -errno.EBADMSG
    assert call.out == b"\xfe" * 35


def test_the_tag_is_judged_before_the_length(caller: Caller) -> None:
    tfm = keyed(caller)
    assert caller.crypt(tfm, bytes(37), _IV, decrypt=True).status == -errno.EBADMSG
    text = bytes(17)
    tag = hmac.new(_AUTH, text, "sha1").digest()
    assert caller.crypt(tfm, text + tag, _IV, decrypt=True).status == -errno.EINVAL


@pytest.mark.parametrize("length", [1, 15, 17])
def test_encrypting_a_partial_block_is_einval(caller: Caller, length: int) -> None:
    call = caller.crypt(keyed(caller), bytes(length), _IV)
    assert call.status == -errno.EINVAL
    assert call.out == b"\xfe" * (length + 20)


@pytest.mark.parametrize("decrypt", [False, True], ids=["encrypt", "decrypt"])
@pytest.mark.parametrize("short", ["src", "dst"])
def test_a_list_that_is_too_short_is_einval(caller: Caller, short: str, decrypt: bool) -> None:
    data = sealed(b"aad", bytes(32)) if decrypt else bytes(32)
    room = 35 if decrypt else 55
    lists = {"src": caller.scatter(b"aad" + data), "dst": caller.scatter(room)}
    lists[short] = caller.scatter(lists[short].read(99)[:-1])
    call = caller.crypt(keyed(caller), data, _IV, assoc=b"aad", decrypt=decrypt, **lists)
    assert call.status == -errno.EINVAL


@pytest.mark.parametrize(
    "key",
    [b"", blob()[:7], blob(enckey=bytes(15)), blob(enckey=b""), b"\x09" + blob()[1:]],
    ids=["empty", "short", "15-byte key", "no cipher key", "bad attribute"],
)
def test_a_bad_key_is_einval_and_unsets_the_old_one(caller: Caller, key: bytes) -> None:
    tfm = keyed(caller)
    with pytest.raises(OSError, match="setkey") as caught:
        tfm.setkey(key)
    assert caught.value.errno == errno.EINVAL
    assert caller.crypt(tfm, bytes(16), _IV).status == -errno.ENOKEY


def test_declared_sizes(caller: Caller) -> None:
    alg = keyed(caller).alg
    assert alg.cra_driver_name == "authenc(hmac(sha1-generic),cbc(aes-generic))"
    assert (alg.cra_blocksize, alg.ivsize, alg.chunksize, alg.maxauthsize) == (16, 16, 16, 20)
