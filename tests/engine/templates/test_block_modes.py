"""The generic ciphers against another library, and the rules of kernel-crypto, section 6.3."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tcrypt.engine.api.transforms import Skcipher
from tcrypt.engine.templates.block_modes import advanced

if TYPE_CHECKING:
    from tests.engine.conftest import Caller

_KEY = bytes(range(16))
_IV = bytes.fromhex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")
_MODES = ("ecb", "cbc", "ctr")
_SIZES = (16, 24, 32)


def library(mode: str, key: bytes, iv: bytes, data: bytes, *, decrypt: bool = False) -> bytes:
    """What OpenSSL makes of it."""
    made = {"ecb": modes.ECB(), "cbc": modes.CBC(iv), "ctr": modes.CTR(iv)}[mode]
    cipher: Any = Cipher(algorithms.AES(key), made)
    context = cipher.decryptor() if decrypt else cipher.encryptor()
    return bytes(context.update(data) + context.finalize())


def keyed(caller: Caller, mode: str, key: bytes = _KEY) -> Skcipher:
    tfm = caller.machine.registry.alloc_skcipher(f"{mode}(aes)")
    tfm.setkey(key)
    return tfm


def iv_of(mode: str) -> bytes:
    return b"" if mode == "ecb" else _IV


@pytest.mark.parametrize("decrypt", [False, True], ids=["encrypt", "decrypt"])
@pytest.mark.parametrize("size", _SIZES)
@pytest.mark.parametrize("mode", _MODES)
def test_output_is_the_librarys(caller: Caller, mode: str, size: int, decrypt: bool) -> None:
    key, data = bytes(range(7, 7 + size)), bytes(range(240))
    call = caller.crypt(keyed(caller, mode, key), data, iv_of(mode), decrypt=decrypt)
    assert call.submitted == 0, "the generics are synchronous"
    assert call.out == library(mode, key, _IV, data, decrypt=decrypt)


@given(st.binary(min_size=16, max_size=16), st.integers(0, 100))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
def test_ctr_counts_over_all_bits_and_any_length(caller: Caller, iv: bytes, length: int) -> None:
    data = bytes(length)
    call = caller.crypt(keyed(caller, "ctr"), data, iv)
    assert call.out == library("ctr", _KEY, iv, data)


@pytest.mark.parametrize("decrypt", [False, True], ids=["encrypt", "decrypt"])
@pytest.mark.parametrize("in_place", [False, True])
def test_cbc_leaves_the_last_ciphertext_block(
    caller: Caller, decrypt: bool, in_place: bool
) -> None:
    data = bytes(range(48))
    src = caller.scatter(data)
    call = caller.crypt(
        keyed(caller, "cbc"), data, _IV, decrypt=decrypt, src=src, dst=src if in_place else None
    )
    assert call.iv_out == (data if decrypt else call.out)[-16:]


@pytest.mark.parametrize(
    ("iv", "length", "wanted"),
    [
        ("00000000000000000000000000000000", 16, "00000000000000000000000000000001"),
        ("00000000000000000000000000000000", 1, "00000000000000000000000000000001"),
        ("00000000000000000000000000000000", 33, "00000000000000000000000000000003"),
        ("000102030405060708090a0bffffffff", 16, "000102030405060708090a0c00000000"),
        ("ffffffffffffffffffffffffffffffff", 32, "00000000000000000000000000000001"),
    ],
)
def test_ctr_leaves_the_advanced(caller: Caller, iv: str, length: int, wanted: str) -> None:
    call = caller.crypt(keyed(caller, "ctr"), bytes(length), bytes.fromhex(iv))
    assert call.iv_out.hex() == wanted
    assert advanced(bytes.fromhex(iv), length).hex() == wanted


@pytest.mark.parametrize("mode", _MODES)
def test_nothing_to_do_changes_nothing(caller: Caller, mode: str) -> None:
    dst = caller.scatter(16)
    call = caller.crypt(keyed(caller, mode), b"", iv_of(mode), dst=dst)
    assert call.status == 0
    assert dst.read(16) == b"\xfe" * 16
    if mode != "ecb":
        assert call.iv_out == _IV


@pytest.mark.parametrize("length", [1, 15, 17, 47])
@pytest.mark.parametrize("mode", ["ecb", "cbc"])
@pytest.mark.parametrize("decrypt", [False, True], ids=["encrypt", "decrypt"])
def test_a_partial_block_is_einval_and_writes_nothing(
    caller: Caller, mode: str, length: int, decrypt: bool
) -> None:
    call = caller.crypt(keyed(caller, mode), bytes(length), iv_of(mode), decrypt=decrypt)
    assert call.status == -errno.EINVAL
    assert call.out == b"\xfe" * length
    if mode != "ecb":
        assert call.iv_out == _IV


@pytest.mark.parametrize("mode", _MODES)
@pytest.mark.parametrize("short", ["src", "dst"])
def test_a_list_that_is_too_short_is_einval(caller: Caller, mode: str, short: str) -> None:
    lists = {"src": caller.scatter(32), "dst": caller.scatter(32), short: caller.scatter(31)}
    call = caller.crypt(keyed(caller, mode), bytes(32), iv_of(mode), **lists)
    assert call.status == -errno.EINVAL
    assert lists["dst"].read(32) == b"\xfe" * lists["dst"].total


@pytest.mark.parametrize("size", [16, 17, 20, 24, 31, 32])
@pytest.mark.parametrize("mode", _MODES)
def test_only_aes_key_sizes_are_taken(caller: Caller, mode: str, size: int) -> None:
    tfm = caller.machine.registry.alloc_skcipher(f"{mode}(aes)")
    if size in _SIZES:
        tfm.setkey(bytes(size))
    else:
        with pytest.raises(OSError, match=f"setkey of {size} bytes") as caught:
            tfm.setkey(bytes(size))
        assert caught.value.errno == errno.EINVAL
    assert tfm.needs_key == (size not in _SIZES)


@given(st.lists(st.integers(0, 40), max_size=4), st.lists(st.integers(0, 40), max_size=4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
def test_placement_does_not_matter(caller: Caller, source: list[int], target: list[int]) -> None:
    data = bytes(range(160))
    src, dst = caller.scatter(data, source, offset=3), caller.scatter(160, target, offset=1)
    call = caller.crypt(keyed(caller, "cbc"), data, _IV, src=src, dst=dst)
    assert call.out == library("cbc", _KEY, _IV, data)
    assert src.read(160) == data


def test_a_new_key_replaces_the_old_one(caller: Caller) -> None:
    tfm = keyed(caller, "ecb")
    other = bytes(32)
    tfm.setkey(other)
    assert caller.crypt(tfm, bytes(16)).out == library("ecb", other, b"", bytes(16))


@pytest.mark.parametrize(
    ("name", "blocksize", "ivsize"), [("ecb", 16, 0), ("cbc", 16, 16), ("ctr", 1, 16)]
)
def test_declared_sizes(caller: Caller, name: str, blocksize: int, ivsize: int) -> None:
    alg = caller.machine.registry.alloc_skcipher(f"{name}(aes-generic)").alg
    assert (alg.cra_name, alg.cra_priority, alg.cra_flags) == (f"{name}(aes)", 100, 0)
    assert (alg.cra_blocksize, alg.ivsize, alg.chunksize) == (blocksize, ivsize, 16)
    assert (alg.min_keysize, alg.max_keysize) == (16, 32)
