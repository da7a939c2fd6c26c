"""hmac, cmac, xcbc and cbcmac: published answers, the oracle's answers, key rules."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tcrypt.engine import software
from tcrypt.engine.api.flags import AlgType
from tcrypt.engine.api.machine import Machine, Setup
from tcrypt.oracle import HashReference, reference

if TYPE_CHECKING:
    from tests.engine.conftest import Caller

_KEY = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
_RFC3566_KEY = bytes(range(16))
_NAMES = ("cmac(aes)", "cmac(des3_ede)", "xcbc(aes)", "cbcmac(aes)", "cbcmac(des)", "hmac(sha224)")
_quick = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)


def oracle(name: str) -> HashReference:
    found = reference(name)
    assert isinstance(found, HashReference)
    return found


def key_of(name: str) -> bytes:
    return bytes(range(100, 100 + (oracle(name).key_sizes or (20,))[0]))


def mac(caller: Caller, name: str, key: bytes, message: bytes, cuts: tuple[int, ...] = ()) -> str:
    tfm = caller.machine.registry.alloc_ahash(name)
    tfm.setkey(key)
    hashing = caller.hash(tfm)
    if not cuts:
        assert hashing.step("digest", message) == 0
        return hashing.hexdigest()
    hashing.step("init")
    for start, end in zip((0, *cuts), (*cuts, len(message)), strict=True):
        state = hashing.export()
        hashing = caller.hash(tfm)
        assert hashing.import_state(state) == 0
        assert hashing.step("update", message[start:end]) == 0
    assert hashing.step("final") == 0
    return hashing.hexdigest()


@pytest.mark.parametrize(
    ("length", "wanted"),
    [
        (0, "bb1d6929e95937287fa37d129b756746"),
        (16, "070a16b46b4d4144f79bdd9dd04a287c"),
        (40, "dfa66747de9ae63030ca32611497c827"),
        (64, "51f0bebf7e3b9d92fc49741779363cfe"),
    ],
)
def test_cmac_of_rfc_4493(caller: Caller, length: int, wanted: str) -> None:
    message = bytes.fromhex(
        "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
        "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
    )
    assert mac(caller, "cmac(aes)", _KEY, message[:length]) == wanted


@pytest.mark.parametrize(
    ("length", "wanted"),
    [
        (0, "75f0251d528ac01c4573dfd584d79f29"),
        (3, "5b376580ae2f19afe7219ceef172756f"),
        (16, "d2a246fa349b68a79998a4394ff7a263"),
        (20, "47f51b4564966215b8985c63055ed308"),
        (32, "f54f0ec8d2b9f3d36807734bd5283fd4"),
        (34, "becbb3bccdb518a30677d5481fb6b4d8"),
    ],
)
def test_xcbc_of_rfc_3566(caller: Caller, length: int, wanted: str) -> None:
    assert mac(caller, "xcbc(aes)", _RFC3566_KEY, bytes(range(length))) == wanted


@given(st.binary(max_size=70), st.lists(st.integers(0, 70), min_size=1, max_size=4))
@pytest.mark.parametrize("name", _NAMES)
@_quick
def test_steps_and_states_do_not_matter(
    caller: Caller, name: str, message: bytes, cuts: list[int]
) -> None:
    places = tuple(sorted(min(cut, len(message)) for cut in cuts))
    wanted = oracle(name).digest(key_of(name), message).hex()
    assert mac(caller, name, key_of(name), message) == wanted
    assert mac(caller, name, key_of(name), message, places) == wanted


@pytest.mark.parametrize("name", _NAMES)
def test_a_new_key_is_for_the_next_message(caller: Caller, name: str) -> None:
    tfm = caller.machine.registry.alloc_ahash(name)
    for shift in (0, 1):
        key = bytes(byte + shift * 2 for byte in key_of(name))
        tfm.setkey(key)
        hashing = caller.hash(tfm)
        hashing.step("digest", b"message")
        assert hashing.hexdigest() == oracle(name).digest(key, b"message").hex()


def test_an_hmac_key_is_long_enough_in_fips_mode_only_from_14_bytes_on() -> None:
    for fips, least in ((False, 0), (True, 14)):
        machine = Machine(setup=Setup(fips=fips))
        software.register(machine)
        tfm = machine.registry.alloc_shash("hmac(sha256)")
        tfm.setkey(bytes(least))
        if least:
            with pytest.raises(OSError, match="setkey of 13 bytes") as caught:
                tfm.setkey(bytes(least - 1))
            assert caught.value.errno == errno.EINVAL


def test_a_state_with_more_than_a_block_pending_is_refused(caller: Caller) -> None:
    tfm = caller.machine.registry.alloc_ahash("cmac(aes)")
    tfm.setkey(_KEY)
    state = (17).to_bytes(4, "little") + bytes(32)
    assert caller.hash(tfm).import_state(state) == -errno.EINVAL


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("hmac(hmac(sha1))", errno.EINVAL),
        ("hmac(cmac(aes))", errno.EINVAL),
        ("hmac(sha3)", errno.ENOENT),
        ("hmac(sha1,sha1)", errno.EINVAL),
        ("xcbc(des)", errno.EINVAL),
        ("cmac(sha1)", errno.ENOENT),
    ],
)
def test_parts_that_do_not_fit(caller: Caller, name: str, error: int) -> None:
    with pytest.raises(OSError, match=os.strerror(error)) as caught:
        caller.machine.registry.find(name, AlgType.SHASH)
    assert caught.value.errno == error


@pytest.mark.parametrize(
    ("name", "driver", "priority", "block", "digest"),
    [
        ("hmac(md5)", "hmac(md5-generic)", 0, 64, 16),
        ("hmac(sha512)", "hmac(sha512-generic)", 100, 128, 64),
        ("cmac(aes)", "cmac(aes-generic)", 100, 16, 16),
        ("cbcmac(aes)", "cbcmac(aes-generic)", 100, 1, 16),
        ("xcbc(aes)", "xcbc(aes-generic)", 100, 16, 16),
    ],
)
def test_composed_names_and_sizes(
    caller: Caller, name: str, driver: str, priority: int, block: int, digest: int
) -> None:
    alg: Any = caller.machine.registry.find(name, AlgType.SHASH)
    assert (alg.cra_name, alg.cra_driver_name, alg.cra_priority) == (name, driver, priority)
    assert (alg.cra_blocksize, alg.digestsize) == (block, digest)
