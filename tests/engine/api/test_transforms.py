"""What the core enforces before and after a driver is asked: kernel-crypto, section 6.2."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

import pytest

from tcrypt.engine.api.algorithms import AeadAlg, AhashAlg, SkcipherAlg
from tcrypt.engine.api.errors import DriverNonsenseError
from tcrypt.engine.api.flags import AlgFlag, ReqFlag
from tcrypt.engine.api.machine import Machine
from tcrypt.engine.api.memory import Buffer
from tcrypt.engine.api.scatterlist import Scatterlist
from tcrypt.engine.api.transforms import Aead, Ahash, Skcipher

_STEPS = ("hash_init", "update", "final", "finup", "digest", "export", "import_state")


class Driver:
    """Counts what reaches it, and answers as it is told."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.lent: list[bytearray] = []
        self.keys: list[bytes] = []
        self.status: Any = 0

    def setkey(self, tfm: Any, key: bytearray) -> Any:
        self.calls.append("setkey")
        self.lent.append(key)
        self.keys.append(bytes(key))
        if isinstance(self.status, Exception):
            raise self.status
        return self.status

    def step(self, name: str) -> Callable[..., int]:
        def call(*arguments: Any) -> int:
            self.calls.append(name)
            return -errno.EINPROGRESS

        return call


@pytest.fixture
def driver() -> Driver:
    return Driver()


@pytest.fixture
def skcipher(machine: Machine, driver: Driver) -> Skcipher:
    alg = SkcipherAlg(
        cra_name="cbc(aes)",
        cra_driver_name="cbc-test",
        cra_priority=1,
        min_keysize=16,
        max_keysize=32,
        setkey=driver.setkey,
        encrypt=driver.step("encrypt"),
        decrypt=driver.step("decrypt"),
    )
    machine.registry.register(alg)
    return machine.registry.alloc_skcipher("cbc-test")


def aead_alg(driver: Driver, **changes: Any) -> AeadAlg:
    values: dict[str, Any] = {
        "cra_name": "gcm(aes)",
        "cra_driver_name": "gcm-test",
        "cra_priority": 1,
        "maxauthsize": 16,
        "setkey": driver.setkey,
        "encrypt": driver.step("encrypt"),
        "decrypt": driver.step("decrypt"),
    }
    return AeadAlg(**(values | changes))


@pytest.fixture
def aead(machine: Machine, driver: Driver) -> Aead:
    machine.registry.register(aead_alg(driver))
    return machine.registry.alloc_aead("gcm-test")


def make_ahash(machine: Machine, driver: Driver, *, keyed: bool, flags: int = 0) -> Ahash:
    calls: dict[str, Any] = {name: driver.step(name) for name in _STEPS}
    alg = AhashAlg(
        cra_name="hmac(sha1)",
        cra_driver_name="hmac-test",
        cra_priority=1,
        cra_flags=flags,
        digestsize=20,
        statesize=96,
        reqsize=200,
        setkey=driver.setkey if keyed else None,
        **calls,
    )
    machine.registry.register(alg)
    return machine.registry.alloc_ahash("hmac-test")


@pytest.fixture
def ahash(machine: Machine, driver: Driver) -> Ahash:
    return make_ahash(machine, driver, keyed=True)


def aead_request(tfm: Aead, cryptlen: int) -> Any:
    request = tfm.request()
    nothing = Scatterlist(tfm.machine.memory, [])
    request.set_crypt(nothing, nothing, cryptlen, None)
    request.set_ad(0)
    return request


# Keys of skciphers.


@pytest.mark.parametrize("size", [0, 15, 33, 64])
def test_key_sizes_outside_the_range_never_reach_the_driver(
    skcipher: Skcipher, driver: Driver, size: int
) -> None:
    with pytest.raises(OSError, match=f"cbc-test: setkey of {size} bytes") as caught:
        skcipher.setkey(bytes(size))
    assert caught.value.errno == errno.EINVAL
    assert driver.calls == []


@pytest.mark.parametrize("size", [16, 20, 32])
def test_key_sizes_in_the_range_are_the_drivers_to_judge(
    skcipher: Skcipher, driver: Driver, size: int
) -> None:
    skcipher.setkey(bytes(size))
    assert driver.keys == [bytes(size)]


def test_a_size_outside_the_range_leaves_the_old_key_usable(skcipher: Skcipher) -> None:
    skcipher.setkey(bytes(16))
    with pytest.raises(OSError, match="setkey"):
        skcipher.setkey(bytes(15))
    assert not skcipher.needs_key
    assert skcipher.encrypt(skcipher.request()) == -errno.EINPROGRESS


def test_without_a_key_no_request_reaches_the_driver(skcipher: Skcipher, driver: Driver) -> None:
    assert skcipher.needs_key
    assert skcipher.encrypt(skcipher.request()) == -errno.ENOKEY
    assert skcipher.decrypt(skcipher.request()) == -errno.ENOKEY
    assert driver.calls == []


def test_a_cipher_without_keys_needs_none(machine: Machine, driver: Driver) -> None:
    alg = SkcipherAlg(
        cra_name="ecb(cipher_null)",
        cra_driver_name="null",
        cra_priority=1,
        min_keysize=0,
        max_keysize=0,
        setkey=driver.setkey,
        encrypt=driver.step("encrypt"),
        decrypt=driver.step("decrypt"),
    )
    machine.registry.register(alg)
    tfm = machine.registry.alloc_skcipher("null")
    assert tfm.encrypt(tfm.request()) == -errno.EINPROGRESS


def test_requests_reach_the_driver_as_they_were_asked_for(
    skcipher: Skcipher, driver: Driver
) -> None:
    skcipher.setkey(bytes(16))
    skcipher.encrypt(skcipher.request())
    skcipher.decrypt(skcipher.request())
    assert driver.calls == ["setkey", "encrypt", "decrypt"]


# Rules that hold for all types.


@pytest.fixture(params=["skcipher", "aead", "ahash"])
def keyed(request: pytest.FixtureRequest) -> Any:
    """A transform of each type, and one call that needs a key."""
    tfm = request.getfixturevalue(request.param)
    call = tfm.init if request.param == "ahash" else tfm.encrypt
    return tfm, lambda: call(tfm.request())


def test_a_key_that_the_driver_refuses_unsets_the_old_one(keyed: Any, driver: Driver) -> None:
    tfm, operate = keyed
    tfm.setkey(bytes(16))
    assert operate() == -errno.EINPROGRESS
    driver.status = -errno.EINVAL
    with pytest.raises(OSError, match="setkey of 24 bytes") as caught:
        tfm.setkey(bytes(24))
    assert caught.value.errno == errno.EINVAL
    assert operate() == -errno.ENOKEY
    driver.status = 0
    tfm.setkey(bytes(16))
    assert operate() == -errno.EINPROGRESS


def test_the_drivers_own_errno_is_passed_on(keyed: Any, driver: Driver) -> None:
    tfm, _ = keyed
    driver.status = -errno.ENOKEY
    with pytest.raises(OSError, match="setkey") as caught:
        tfm.setkey(bytes(16))
    assert caught.value.errno == errno.ENOKEY


@pytest.mark.parametrize("status", [1, None, False, -1.0], ids=repr)
def test_a_setkey_that_returns_nonsense_sets_no_key(
    keyed: Any, driver: Driver, status: object
) -> None:
    tfm, operate = keyed
    driver.status = status
    with pytest.raises(DriverNonsenseError, match="must be 0 or a negative errno"):
        tfm.setkey(bytes(16))
    assert operate() == -errno.ENOKEY


@pytest.mark.parametrize("status", [0, -errno.EINVAL, RuntimeError("planted")], ids=repr)
def test_the_lent_key_is_wiped(keyed: Any, driver: Driver, status: object) -> None:
    tfm, _ = keyed
    driver.status = status
    key = bytes(range(1, 17))
    try:
        tfm.setkey(key)
    except (OSError, RuntimeError):
        pass
    assert driver.keys == [key], "the driver saw the key itself"
    assert driver.lent == [bytearray(16)]
    assert key == bytes(range(1, 17)), "the caller's key is left alone"


def test_a_setkey_that_raises_sets_no_key(keyed: Any, driver: Driver) -> None:
    tfm, operate = keyed
    tfm.setkey(bytes(16))
    driver.status = RuntimeError("planted")
    with pytest.raises(RuntimeError, match="planted"):
        tfm.setkey(bytes(16))
    assert operate() == -errno.ENOKEY


def test_flags_of_the_request_mask_only_can_be_set(skcipher: Skcipher) -> None:
    skcipher.setkey(bytes(16))
    skcipher.set_flags(ReqFlag.FORBID_WEAK_KEYS | ReqFlag.NEED_KEY | 0x8000)
    assert skcipher.flags == ReqFlag.FORBID_WEAK_KEYS
    skcipher.set_flags(ReqFlag.MAY_SLEEP)
    skcipher.clear_flags(ReqFlag.FORBID_WEAK_KEYS | ReqFlag.NEED_KEY)
    assert skcipher.flags == ReqFlag.MAY_SLEEP


def test_clearing_flags_does_not_pretend_a_key(skcipher: Skcipher) -> None:
    skcipher.clear_flags(0xFFFF)
    assert skcipher.needs_key


# AEAD.


@pytest.mark.parametrize("size", [0, 1, 16, 400])
def test_the_driver_judges_every_key_size_of_an_aead(
    aead: Aead, driver: Driver, size: int
) -> None:
    aead.setkey(bytes(size))
    assert driver.keys == [bytes(size)]


def test_an_aead_without_a_key_answers_before_it_looks_at_lengths(
    aead: Aead, driver: Driver
) -> None:
    request = aead_request(aead, 0)
    assert aead.decrypt(request) == -errno.ENOKEY
    assert aead.encrypt(request) == -errno.ENOKEY
    assert driver.calls == []


def test_a_ciphertext_shorter_than_its_tag_never_reaches_the_driver(
    aead: Aead, driver: Driver
) -> None:
    aead.setkey(bytes(16))
    aead.setauthsize(12)
    assert aead.decrypt(aead_request(aead, 11)) == -errno.EINVAL
    assert driver.calls == ["setkey"]
    assert aead.decrypt(aead_request(aead, 12)) == -errno.EINPROGRESS
    assert aead.encrypt(aead_request(aead, 0)) == -errno.EINPROGRESS
    assert driver.calls == ["setkey", "decrypt", "encrypt"]


def test_the_tag_is_as_long_as_possible_until_told_otherwise(aead: Aead) -> None:
    assert aead.authsize == 16


@pytest.mark.parametrize("authsize", [0, 17, -1])
def test_tag_sizes_outside_the_range_are_refused(aead: Aead, authsize: int) -> None:
    aead.setauthsize(8)
    with pytest.raises(OSError, match=f"gcm-test: setauthsize {authsize}") as caught:
        aead.setauthsize(authsize)
    assert caught.value.errno == errno.EINVAL
    assert aead.authsize == 8


def test_the_driver_may_refuse_a_tag_size(machine: Machine, driver: Driver) -> None:
    asked: list[int] = []

    def setauthsize(tfm: Aead, authsize: int) -> int:
        asked.append(authsize)
        return 0 if authsize >= 12 else -errno.EINVAL

    machine.registry.register(aead_alg(driver, setauthsize=setauthsize))
    tfm = machine.registry.alloc_aead("gcm-test")
    tfm.setauthsize(12)
    with pytest.raises(OSError, match="setauthsize 4"):
        tfm.setauthsize(4)
    with pytest.raises(OSError, match="setauthsize 0"):
        tfm.setauthsize(0)
    assert tfm.authsize == 12
    assert asked == [12, 4], "the core's own refusals do not reach the driver"


# Hashes.


def test_a_keyed_hash_without_a_key_answers_enokey(
    machine: Machine, ahash: Ahash, driver: Driver
) -> None:
    request, buffer = ahash.request(), Buffer(machine.memory, 0, 0)
    assert ahash.init(request) == -errno.ENOKEY
    assert ahash.digest(request) == -errno.ENOKEY
    assert ahash.import_state(request, buffer) == -errno.ENOKEY
    assert driver.calls == []


def test_an_unkeyed_hash_has_no_setkey(machine: Machine, driver: Driver) -> None:
    tfm = make_ahash(machine, driver, keyed=False)
    with pytest.raises(OSError, match="hmac-test: setkey") as caught:
        tfm.setkey(b"key")
    assert caught.value.errno == errno.ENOSYS
    assert not tfm.needs_key
    assert tfm.digest(tfm.request()) == -errno.EINPROGRESS


def test_an_optional_key_may_be_missing(machine: Machine, driver: Driver) -> None:
    tfm = make_ahash(machine, driver, keyed=True, flags=AlgFlag.OPTIONAL_KEY)
    assert tfm.init(tfm.request()) == -errno.EINPROGRESS
    tfm.setkey(b"key")
    assert driver.calls == ["hash_init", "setkey"]


def test_every_step_reaches_the_driver(machine: Machine, ahash: Ahash, driver: Driver) -> None:
    ahash.setkey(b"key")
    request, buffer = ahash.request(), Buffer(machine.memory, 0, 0)
    for step in ("init", "update", "final", "finup", "digest"):
        assert getattr(ahash, step)(request) == -errno.EINPROGRESS
    ahash.export(request, buffer)
    ahash.import_state(request, buffer)
    assert driver.calls == ["setkey", *_STEPS]


def test_the_declared_request_size_is_the_transforms(ahash: Ahash) -> None:
    assert ahash.reqsize == 200
