"""The generic block ciphers: names, key rules (kernel-crypto, 6.2), and blocks."""

from __future__ import annotations

import errno

import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher as LibraryCipher
from cryptography.hazmat.primitives.ciphers import algorithms, modes

from tcrypt.engine import software
from tcrypt.engine.api.flags import ReqFlag
from tcrypt.engine.api.machine import Machine, Setup
from tcrypt.engine.api.transforms import Cipher
from tcrypt.oracle import SEMI_WEAK_DES_KEYS, WEAK_DES_KEYS

_A, _B, _C = bytes(range(1, 9)), bytes(range(17, 25)), bytes(range(33, 41))


def opened(name: str, *, fips: bool = False, flags: int = 0) -> Cipher:
    machine = Machine(setup=Setup(fips=fips))
    software.register(machine)
    tfm = machine.registry.alloc_cipher(name)
    tfm.set_flags(flags)
    return tfm


def refusal(tfm: Cipher, key: bytes) -> int:
    """The errno of setkey; 0 when the key is taken."""
    try:
        tfm.setkey(key)
    except OSError as error:
        return error.errno or 0
    return 0


def flipped(key: bytes) -> bytes:
    """The same DES key with all parity bits the other way."""
    return bytes(byte ^ 1 for byte in key)


@pytest.mark.parametrize("size", [16, 24, 32])
def test_aes_blocks_are_the_librarys(size: int) -> None:
    tfm, key, block = opened("aes"), bytes(range(size)), bytes(range(16))
    tfm.setkey(key)
    wanted = LibraryCipher(algorithms.AES(key), modes.ECB()).encryptor().update(block)
    assert tfm.encrypt_block(block) == wanted
    assert tfm.decrypt_block(wanted) == block


@pytest.mark.parametrize(
    "key",
    [
        _A + _B + _C,
        _A + _B + _A,
        _A + _A + _C,
        _A + _C + _C,
        _A + _A + _A,
        _A + flipped(_A) + _C,
        _A + _C + flipped(_C),
    ],
    ids=["three", "K1=K3", "K1=K2", "K2=K3", "one", "K1=K2 but parity", "K2=K3 but parity"],
)
def test_des3_blocks_are_the_librarys_for_degenerate_keys_too(key: bytes) -> None:
    tfm, block = opened("des3_ede"), b"a block!"
    tfm.setkey(key)
    wanted = LibraryCipher(TripleDES(key), modes.ECB()).encryptor().update(block)
    assert tfm.encrypt_block(block) == wanted
    assert tfm.decrypt_block(wanted) == block


def test_des_is_des3_with_one_key() -> None:
    des, des3 = opened("des"), opened("des3_ede")
    des.setkey(_A)
    des3.setkey(_A * 3)
    assert des.encrypt_block(b"a block!") == des3.encrypt_block(b"a block!")


@pytest.mark.parametrize("key", [*WEAK_DES_KEYS, *SEMI_WEAK_DES_KEYS, bytes(8)], ids=bytes.hex)
def test_weak_des_keys_are_refused_on_request_only(key: bytes) -> None:
    strict = opened("des", flags=ReqFlag.FORBID_WEAK_KEYS)
    assert refusal(opened("des"), key) == 0
    assert refusal(strict, key) == errno.EINVAL
    assert refusal(strict, flipped(key)) == errno.EINVAL


@pytest.mark.parametrize("key", [_A, _B, bytes.fromhex("01fe01fe01fe01f1")])
def test_other_des_keys_are_taken(key: bytes) -> None:
    assert refusal(opened("des", flags=ReqFlag.FORBID_WEAK_KEYS), key) == 0


@pytest.mark.parametrize(
    ("key", "by_default", "forbidden", "fips"),
    [
        (_A + _B + _C, 0, 0, 0),
        (_A + _B + _A, 0, 0, errno.EINVAL),
        (_A + _A + _C, 0, errno.EINVAL, errno.EINVAL),
        (_A + _C + _C, 0, errno.EINVAL, errno.EINVAL),
        # The halves are compared with their parity bits.
        (_A + flipped(_A) + _C, 0, 0, 0),
    ],
    ids=["three", "K1=K3", "K1=K2", "K2=K3", "K1=K2 but parity"],
)
def test_degenerate_des3_keys(key: bytes, by_default: int, forbidden: int, fips: int) -> None:
    assert refusal(opened("des3_ede"), key) == by_default
    assert refusal(opened("des3_ede", flags=ReqFlag.FORBID_WEAK_KEYS), key) == forbidden
    assert refusal(opened("des3_ede", fips=True), key) == fips


@pytest.mark.parametrize(
    ("name", "block", "least", "most"),
    [("aes", 16, 16, 32), ("des", 8, 8, 8), ("des3_ede", 8, 24, 24)],
)
def test_names_and_sizes(name: str, block: int, least: int, most: int) -> None:
    alg = opened(name).alg
    assert (alg.cra_driver_name, alg.cra_priority) == (f"{name}-generic", 100)
    assert (alg.cra_blocksize, alg.min_keysize, alg.max_keysize) == (block, least, most)
    assert refusal(opened(name), bytes(most + 1)) == errno.EINVAL
