"""Types, flags and keys: the rows of kernel-crypto, sections 6.1 and 6.2, by name."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tcrypt.engine import software
from tcrypt.engine.api.algorithms import AeadAlg, AhashAlg, ShashAlg, SkcipherAlg
from tcrypt.engine.api.flags import AlgFlag, AlgType, ReqFlag
from tcrypt.engine.api.machine import Machine, Setup
from tcrypt.engine.api.memory import Buffer

if TYPE_CHECKING:
    from tests.engine.conftest import Caller

_EINVAL, _ENOKEY = -errno.EINVAL, -errno.ENOKEY
_STEPS = ("hash_init", "update", "final", "finup", "digest", "export", "import_state")


def rows(*names: str) -> pytest.MarkDecorator:
    """Put the names of the rows that a test is about into its id."""
    return pytest.mark.parametrize("row", names)


class Driver:
    """A driver of every type; its setkey answers as it is told, everything else succeeds."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.calls: list[str] = []
        self.lent: list[bytearray] = []
        self.answer = 0

    def setkey(self, tfm: Any, key: bytearray) -> int:
        self.calls.append("setkey")
        self.lent.append(key)
        return self.answer

    def done(self, *arguments: Any) -> int:
        self.calls.append("operation")
        return 0

    def skcipher(self, **changes: Any) -> Any:
        values: dict[str, Any] = {
            "cra_name": "cbc(x)",
            "cra_driver_name": "cbc-x",
            "cra_priority": 1,
            "min_keysize": 16,
            "max_keysize": 32,
            "setkey": self.setkey,
            "encrypt": self.done,
            "decrypt": self.done,
        }
        self.machine.registry.register(SkcipherAlg(**(values | changes)))
        return self.machine.registry.alloc_skcipher("cbc(x)")

    def aead(self) -> Any:
        alg = AeadAlg(
            cra_name="gcm(x)",
            cra_driver_name="gcm-x",
            cra_priority=1,
            maxauthsize=16,
            setkey=self.setkey,
            encrypt=self.done,
            decrypt=self.done,
        )
        self.machine.registry.register(alg)
        return self.machine.registry.alloc_aead("gcm(x)")

    def ahash(self, **changes: Any) -> Any:
        values: dict[str, Any] = {
            "cra_name": "mac(x)",
            "cra_driver_name": "mac-x",
            "cra_priority": 1,
            "digestsize": 20,
            "statesize": 8,
            "setkey": self.setkey,
            **dict.fromkeys(_STEPS, self.done),
        }
        self.machine.registry.register(AhashAlg(**(values | changes)))
        return self.machine.registry.alloc_ahash("mac(x)")


@pytest.fixture
def driver(machine: Machine) -> Driver:
    return Driver(machine)


def generics(*, fips: bool = False) -> Machine:
    machine = Machine(setup=Setup(fips=fips))
    software.register(machine)
    return machine


def status(call: Callable[..., object], *arguments: Any) -> int:
    """0, or the negative errno of what was raised."""
    try:
        call(*arguments)
    except OSError as error:
        return -(error.errno or 0)
    return 0


def key_of(length: int) -> bytes:
    return bytes(range(1, length + 1))


def accepted(tfm: Any, lengths: range) -> list[int]:
    """Which key lengths are taken; all others must be -EINVAL."""
    found = {length: status(tfm.setkey, key_of(length)) for length in lengths}
    assert set(found.values()) <= {0, _EINVAL}
    return [length for length, answer in found.items() if not answer]


# 6.1


@rows("6.1 request flags")
def test_request_flags(row: str) -> None:
    assert [int(flag) for flag in ReqFlag] == [0x1, 0x100, 0x200, 0x400]


@rows("6.1 algorithm flags")
def test_algorithm_flags(row: str) -> None:
    bits = [0x10, 0x20, 0x40, 0x80, 0x100, 0x400, 0x800, 0x1000, 0x2000, 0x4000, 0x8000]
    assert [int(flag) for flag in AlgFlag] == [*bits, 0x10000, 0x20000]


@rows("6.1 types")
def test_types(row: str) -> None:
    numbers = {"CIPHER": 1, "AEAD": 3, "SKCIPHER": 5, "SHASH": 14, "AHASH": 15}
    assert {kind.name: int(kind) for kind in AlgType} == numbers


@rows("6.1 an ahash lookup takes a shash")
def test_an_ahash_lookup_takes_a_shash(row: str) -> None:
    registry = generics().registry
    assert registry.find("sha1", AlgType.AHASH).type is AlgType.SHASH
    assert registry.alloc_ahash("sha1").alg.digestsize == 20
    with pytest.raises(FileNotFoundError):
        registry.find("sha1", AlgType.SKCIPHER)


# 6.2, the core's own rows.


@rows("6.2 skcipher: klen outside [min,max]")
@pytest.mark.parametrize("length", [15, 33])
def test_klen_outside_of_the_range(driver: Driver, row: str, length: int) -> None:
    tfm = driver.skcipher()
    tfm.setkey(bytes(16))
    assert status(tfm.setkey, bytes(length)) == _EINVAL
    assert driver.calls == ["setkey"], "the driver is not asked"
    assert tfm.encrypt(tfm.request()) == 0, "the key before it stays usable"


@rows("6.2 driver setkey returns an error")
@pytest.mark.parametrize("kind", ["skcipher", "aead", "ahash"])
def test_driver_setkey_returns_an_error(driver: Driver, row: str, kind: str) -> None:
    tfm = getattr(driver, kind)()
    tfm.setkey(bytes(16))
    driver.answer = _EINVAL
    assert status(tfm.setkey, bytes(24)) == _EINVAL
    assert (tfm.init if kind == "ahash" else tfm.encrypt)(tfm.request()) == _ENOKEY


@rows("6.2 driver setkey returns an error")
def test_an_optional_key_that_is_refused_is_not_missed(driver: Driver, row: str) -> None:
    tfm = driver.ahash(cra_flags=AlgFlag.OPTIONAL_KEY)
    driver.answer = _EINVAL
    assert status(tfm.setkey, b"key") == _EINVAL
    assert tfm.init(tfm.request()) == 0


@rows("6.2 setkey success")
def test_setkey_success(driver: Driver, row: str) -> None:
    tfm = driver.skcipher()
    assert tfm.needs_key
    tfm.setkey(bytes(16))
    assert not tfm.needs_key


@rows("6.2 skcipher encrypt/decrypt while NEED_KEY")
def test_skcipher_while_need_key(driver: Driver, row: str) -> None:
    tfm = driver.skcipher()
    request = tfm.request()
    request.cryptlen = 7
    assert (tfm.encrypt(request), tfm.decrypt(request)) == (_ENOKEY, _ENOKEY)
    keyless = driver.skcipher(
        cra_name="null", cra_driver_name="null-x", min_keysize=0, max_keysize=0, cra_priority=2
    )
    tfm = keyless.machine.registry.alloc_skcipher("null")
    assert tfm.encrypt(tfm.request()) == 0, "without keys none is missed"


@rows("6.2 aead encrypt/decrypt while NEED_KEY")
def test_aead_while_need_key(driver: Driver, row: str) -> None:
    tfm = driver.aead()
    request = tfm.request()
    request.cryptlen = 0
    assert (tfm.encrypt(request), tfm.decrypt(request)) == (_ENOKEY, _ENOKEY)
    for length in (0, 1, 1000):
        assert status(tfm.setkey, bytes(length)) == 0, "the core knows no limits"


@rows("6.2 hash: setkey exists and not OPTIONAL_KEY")
def test_keyed_hash_without_a_key(driver: Driver, row: str) -> None:
    tfm = driver.ahash()
    request, state = tfm.request(), Buffer(tfm.machine.memory, 0, 0)
    assert tfm.init(request) == tfm.digest(request) == _ENOKEY
    assert tfm.import_state(request, state) == _ENOKEY
    assert driver.calls == []
    shash = generics().registry.alloc_shash("hmac(sha1)")
    assert status(shash.start) == _ENOKEY


@rows("6.2 hash without setkey")
def test_hash_without_setkey(driver: Driver, row: str) -> None:
    assert status(driver.ahash(setkey=None).setkey, b"key") == -errno.ENOSYS
    assert status(generics().registry.alloc_shash("sha1").setkey, b"") == -errno.ENOSYS


@rows("6.2 key copied for the alignmask and wiped")
@pytest.mark.parametrize("answer", [0, _EINVAL])
def test_the_driver_gets_a_copy_of_the_key(driver: Driver, row: str, answer: int) -> None:
    tfm = driver.skcipher(cra_alignmask=63)
    driver.answer = answer
    key = key_of(16)
    assert status(tfm.setkey, key) == answer
    assert driver.lent == [bytearray(16)], "wiped when the call returned"
    assert key == key_of(16)


@rows("6.2 error precedence")
def test_error_precedence(driver: Driver, row: str) -> None:
    """-ENOKEY, then the ciphertext's length against the tag's, then the driver."""
    tfm = driver.aead()
    request = tfm.request()
    request.cryptlen = 15
    assert tfm.decrypt(request) == _ENOKEY
    tfm.setkey(b"")
    assert tfm.decrypt(request) == _EINVAL
    assert "operation" not in driver.calls
    request.cryptlen = 16
    assert tfm.decrypt(request) == 0


# 6.2, the rows of algorithms.


@rows("6.2 DES weak key")
@pytest.mark.parametrize("key", ["0101010101010101", "01fe01fe01fe01fe", "fefefefefefefefe"])
def test_des_weak_keys(row: str, key: str) -> None:
    tfm = generics().registry.alloc_skcipher("ecb(des)")
    assert status(tfm.setkey, bytes.fromhex(key)) == 0
    tfm.set_flags(ReqFlag.FORBID_WEAK_KEYS)
    assert status(tfm.setkey, bytes.fromhex(key)) == _EINVAL
    assert status(tfm.setkey, key_of(8)) == 0


@rows("6.2 3DES K1=K2 or K2=K3")
@pytest.mark.parametrize("order", ["aab", "abb", "aaa"])
def test_triple_des_equal_keys(row: str, order: str) -> None:
    key = b"".join({"a": key_of(8), "b": bytes(range(101, 109))}[letter] for letter in order)
    tfm = generics().registry.alloc_skcipher("cbc(des3_ede)")
    assert status(tfm.setkey, key) == 0
    tfm.set_flags(ReqFlag.FORBID_WEAK_KEYS)
    assert status(tfm.setkey, key) in (_EINVAL, _ENOKEY)
    assert status(generics(fips=True).registry.alloc_skcipher("cbc(des3_ede)").setkey, key)


@rows("6.2 3DES K1=K3")
def test_triple_des_outer_keys_equal(row: str) -> None:
    key = key_of(8) + bytes(range(101, 109)) + key_of(8)
    tfm = generics().registry.alloc_skcipher("cbc(des3_ede)")
    tfm.set_flags(ReqFlag.FORBID_WEAK_KEYS)
    assert status(tfm.setkey, key) == 0
    strict = generics(fips=True).registry.alloc_skcipher("cbc(des3_ede)")
    assert status(strict.setkey, key) == _EINVAL


@rows("6.2 XTS: odd length")
def test_xts_key_lengths(row: str) -> None:
    tfm = generics().registry.alloc_skcipher("xts(aes)")
    assert accepted(tfm, range(70)) == [32, 48, 64]


@rows("6.2 XTS: both halves equal")
def test_xts_equal_halves(row: str) -> None:
    key = key_of(16) * 2
    tfm = generics().registry.alloc_skcipher("xts(aes)")
    assert status(tfm.setkey, key) == 0
    tfm.set_flags(ReqFlag.FORBID_WEAK_KEYS)
    assert status(tfm.setkey, key) == _EINVAL
    assert status(generics(fips=True).registry.alloc_skcipher("xts(aes)").setkey, key) == _EINVAL


@rows("6.2 AES key not 16/24/32")
@pytest.mark.parametrize("name", ["ecb(aes)", "cbc(aes)", "ctr(aes)"])
def test_aes_key_lengths(row: str, name: str) -> None:
    tfm = generics().registry.alloc_skcipher(name)
    assert accepted(tfm, range(50)) == [16, 24, 32]


@rows("6.2 rfc3686")
def test_rfc3686_key_lengths(row: str) -> None:
    tfm = generics().registry.alloc_skcipher("rfc3686(ctr(aes))")
    assert (tfm.alg.min_keysize, tfm.alg.max_keysize) == (20, 36)
    assert accepted(tfm, range(50)) == [20, 28, 36]


@rows("6.2 gcm, rfc4106, rfc4543, ccm, rfc4309")
@pytest.mark.parametrize(
    ("name", "lengths"),
    [
        ("gcm(aes)", [16, 24, 32]),
        ("rfc4106(gcm(aes))", [20, 28, 36]),
        ("rfc4543(gcm(aes))", [20, 28, 36]),
        ("ccm(aes)", [16, 24, 32]),
        ("rfc4309(ccm(aes))", [19, 27, 35]),
    ],
)
def test_aead_key_lengths(row: str, name: str, lengths: list[int]) -> None:
    assert accepted(generics().registry.alloc_aead(name), range(50)) == lengths


@rows("6.2 ghash")
def test_ghash_key_length(row: str) -> None:
    assert accepted(generics().registry.alloc_ahash("ghash"), range(40)) == [16]


@rows("6.2 hmac")
def test_hmac_key_lengths(row: str) -> None:
    assert accepted(generics().registry.alloc_ahash("hmac(sha256)"), range(200)) == [*range(200)]
    strict = generics(fips=True).registry.alloc_ahash("hmac(sha256)")
    assert accepted(strict, range(40)) == [*range(14, 40)]


@rows("6.2 hmac")
def test_an_hmac_key_longer_than_a_block_is_hashed_first(
    make_caller: Callable[[Machine], Caller], row: str
) -> None:
    caller = make_caller(generics())
    digests = []
    for key in (key_of(65), hashlib.sha256(key_of(65)).digest()):
        tfm = caller.machine.registry.alloc_ahash("hmac(sha256)")
        tfm.setkey(key)
        message = caller.hash(tfm)
        assert message.step("digest", b"message") == 0
        digests.append(message.hexdigest())
    assert digests[0] == digests[1]


@rows("6.2 cmac/xcbc/cbcmac")
@pytest.mark.parametrize("name", ["cmac(aes)", "cbcmac(aes)"])
def test_cmac_key_lengths(row: str, name: str) -> None:
    assert accepted(generics().registry.alloc_ahash(name), range(50)) == [16, 24, 32]


@rows("6.2 cmac/xcbc/cbcmac")
def test_xcbc_takes_every_key_of_its_child(row: str) -> None:
    found = accepted(generics().registry.alloc_ahash("xcbc(aes)"), range(50))
    assert found in ([16, 24, 32], [16]), "newer kernels check the length that the standard has"


def test_a_driver_of_bytes_only_is_keyed_through_its_ahash_view(machine: Machine) -> None:
    keys: list[bytes] = []

    def setkey(tfm: Any, key: bytearray) -> int:
        keys.append(bytes(key))
        return 0

    def nothing(*arguments: Any) -> int:
        return 0

    machine.registry.register(
        ShashAlg(
            cra_name="mac",
            cra_driver_name="mac-x",
            cra_priority=1,
            digestsize=4,
            setkey=setkey,
            hash_init=nothing,
            update=nothing,
            final=nothing,
        )
    )
    machine.registry.alloc_ahash("mac").setkey(b"key")
    assert keys == [b"key"]
