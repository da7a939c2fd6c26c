"""The hashes on OpenSSL against hashlib, hmac, and the generics' exported states."""

from __future__ import annotations

import errno
import hashlib
import hmac
from typing import TYPE_CHECKING

import pytest

from tcrypt.engine import openssl, software
from tcrypt.engine.api.machine import Machine, Setup
from tcrypt.engine.api.transforms import Ahash

if TYPE_CHECKING:
    from tests.engine.conftest import Caller

_DIGESTS = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")
_LENGTHS = (0, 1, 55, 64, 127, 128, 129, 1000)
_KEYS = (b"", b"Jefe", bytes(range(64)), bytes(range(129)))


def message(length: int) -> bytes:
    return bytes(i * 7 % 251 for i in range(length))


def opened(caller: Caller, name: str, key: bytes | None = None) -> Ahash:
    tfm = caller.machine.registry.alloc_ahash(name)
    if key is not None:
        tfm.setkey(key)
    return tfm


@pytest.mark.parametrize("name", _DIGESTS)
def test_digest_is_hashlibs(caller: Caller, name: str) -> None:
    tfm = opened(caller, f"{name}-openssl")
    for length in _LENGTHS:
        hashing = caller.hash(tfm)
        assert hashing.step("digest", message(length)) == 0
        assert hashing.hexdigest() == hashlib.new(name, message(length)).hexdigest()


@pytest.mark.parametrize("key", _KEYS, ids=len)
@pytest.mark.parametrize("name", _DIGESTS)
def test_hmac_is_the_standard_librarys(caller: Caller, name: str, key: bytes) -> None:
    tfm = opened(caller, f"hmac-{name}-openssl", key)
    for length in _LENGTHS:
        wanted = hmac.new(key, message(length), name).hexdigest()
        one, steps = caller.hash(tfm), caller.hash(tfm)
        assert one.step("digest", message(length)) == 0
        assert steps.step("init") == steps.step("update", message(length)) == 0
        assert steps.step("final") == 0
        assert one.hexdigest() == steps.hexdigest() == wanted


@pytest.mark.parametrize("keyed", [False, True], ids=["plain", "hmac"])
@pytest.mark.parametrize("name", _DIGESTS)
@pytest.mark.parametrize("length", [0, 5, 128, 200])
def test_either_goes_on_from_the_others_state(
    caller: Caller, name: str, keyed: bool, length: int
) -> None:
    key = b"a key" if keyed else None
    mine = opened(caller, f"hmac-{name}-openssl" if keyed else f"{name}-openssl", key)
    generic = opened(caller, f"hmac({name}-generic)" if keyed else f"{name}-generic", key)
    data = message(300)
    wanted = hmac.new(key, data, name) if key else hashlib.new(name, data)
    states = []
    for first, second in ((mine, generic), (generic, mine)):
        begun, ended = caller.hash(first), caller.hash(second)
        assert begun.step("init") == begun.step("update", data[:length]) == 0
        states.append(begun.export())
        assert ended.import_state(states[-1]) == 0
        assert ended.step("finup", data[length:]) == 0
        assert ended.hexdigest() == wanted.hexdigest()
    assert states[0] == states[1]


def test_short_hmac_key_is_refused_in_fips_mode() -> None:
    machine = Machine(setup=Setup(fips=True))
    software.register(machine)
    openssl.register(machine)
    tfm = machine.registry.alloc_ahash("hmac-sha1-openssl")
    with pytest.raises(OSError, match="Invalid argument") as refused:
        tfm.setkey(bytes(13))
    assert refused.value.errno == errno.EINVAL
    tfm.setkey(bytes(14))


def test_templates_prefer_these_drivers(caller: Caller) -> None:
    tfm = caller.machine.registry.alloc_aead("authenc(hmac(sha256),cbc(aes))")
    assert tfm.alg.cra_driver_name == "authenc(hmac-sha256-openssl,cbc-aes-openssl)"
