"""Registration and lookup: kernel-crypto, sections 6.6 and 6.7."""

from __future__ import annotations

import errno
from typing import Any

import pytest

from tcrypt.engine.api.algorithms import AeadAlg, AhashAlg, AnyAlg, SkcipherAlg
from tcrypt.engine.api.errors import DriverNonsenseError
from tcrypt.engine.api.flags import AlgFlag, AlgType
from tcrypt.engine.api.machine import Machine, Setup


def _ok(*arguments: Any) -> int:
    return 0


def skcipher(driver: str = "cbc-a", **changes: Any) -> SkcipherAlg:
    values: dict[str, Any] = {
        "cra_name": "cbc(aes)",
        "cra_driver_name": driver,
        "cra_priority": 100,
        "cra_blocksize": 16,
        "min_keysize": 16,
        "max_keysize": 32,
        "ivsize": 16,
        "setkey": _ok,
        "encrypt": _ok,
        "decrypt": _ok,
    }
    return SkcipherAlg(**(values | changes))


def aead(driver: str = "gcm-a", **changes: Any) -> AeadAlg:
    values: dict[str, Any] = {
        "cra_name": "gcm(aes)",
        "cra_driver_name": driver,
        "cra_priority": 100,
        "maxauthsize": 16,
        "ivsize": 12,
        "setkey": _ok,
        "encrypt": _ok,
        "decrypt": _ok,
    }
    return AeadAlg(**(values | changes))


def ahash(driver: str = "sha1-a", **changes: Any) -> AhashAlg:
    calls = ("hash_init", "update", "final", "finup", "digest", "export", "import_state")
    values: dict[str, Any] = {
        "cra_name": "sha1",
        "cra_driver_name": driver,
        "cra_priority": 100,
        "cra_blocksize": 64,
        "digestsize": 20,
        "statesize": 96,
        **dict.fromkeys(calls, _ok),
    }
    return AhashAlg(**(values | changes))


def refusal(machine: Machine, alg: AnyAlg) -> OSError:
    """The error of registering an algorithm that must be refused and leave no trace."""
    before = list(machine.registry)
    with pytest.raises(OSError, match="registering") as caught:
        machine.registry.register(alg)
    assert list(machine.registry) == before
    return caught.value


# Lookup.


def test_an_unknown_name_is_enoent(machine: Machine) -> None:
    machine.registry.register(skcipher())
    with pytest.raises(OSError, match=r"skcipher ctr\(aes\)") as caught:
        machine.registry.find("ctr(aes)", AlgType.SKCIPHER)
    assert caught.value.errno == errno.ENOENT


def test_the_highest_priority_wins_a_name(machine: Machine) -> None:
    algs = [skcipher(f"cbc-{p}", cra_priority=p) for p in (100, 300, 200)]
    for alg in algs:
        machine.registry.register(alg)
    assert machine.registry.find("cbc(aes)", AlgType.SKCIPHER) is algs[1]


def test_of_equal_priorities_the_latest_registration_wins(machine: Machine) -> None:
    algs = [skcipher(name) for name in ("first", "second")]
    for alg in algs:
        machine.registry.register(alg)
    assert machine.registry.find("cbc(aes)", AlgType.SKCIPHER) is algs[1]


@pytest.mark.parametrize("priority", [0, 100])
@pytest.mark.parametrize("better_last", [True, False])
def test_a_driver_name_wins_whatever_its_priority(
    machine: Machine, priority: int, better_last: bool
) -> None:
    wanted = skcipher("cbc-slow", cra_priority=priority)
    other = skcipher("cbc-fast", cra_priority=5000)
    for alg in (wanted, other) if better_last else (other, wanted):
        machine.registry.register(alg)
    assert machine.registry.find("cbc-slow", AlgType.SKCIPHER) is wanted


def test_a_name_of_another_type_is_not_found(machine: Machine) -> None:
    machine.registry.register(aead())
    with pytest.raises(OSError, match=r"skcipher gcm\(aes\)"):
        machine.registry.alloc_skcipher("gcm(aes)")
    assert machine.registry.alloc_aead("gcm(aes)").alg.cra_driver_name == "gcm-a"


def test_a_fallback_is_found_by_excluding_those_that_need_one(machine: Machine) -> None:
    machine.registry.register(skcipher("software"))
    machine.registry.register(
        skcipher("hardware", cra_priority=1500, cra_flags=AlgFlag.NEED_FALLBACK | AlgFlag.ASYNC)
    )
    registry = machine.registry
    assert registry.alloc_skcipher("cbc(aes)").alg.cra_driver_name == "hardware"
    fallback = registry.alloc_skcipher("cbc(aes)", 0, AlgFlag.NEED_FALLBACK)
    assert fallback.alg.cra_driver_name == "software"
    needy = registry.alloc_skcipher("cbc(aes)", AlgFlag.ASYNC, AlgFlag.ASYNC)
    assert needy.alg.cra_driver_name == "hardware"


def test_flags_exclude_a_driver_name_too(machine: Machine) -> None:
    machine.registry.register(skcipher("hardware", cra_flags=AlgFlag.ASYNC))
    with pytest.raises(OSError, match="hardware"):
        machine.registry.find("hardware", AlgType.SKCIPHER, 0, AlgFlag.ASYNC)


def test_a_transform_keeps_its_implementation(machine: Machine) -> None:
    machine.registry.register(skcipher("old"))
    tfm = machine.registry.alloc_skcipher("cbc(aes)")
    machine.registry.register(skcipher("new", cra_priority=9000))
    assert tfm.alg.cra_driver_name == "old"
    assert machine.registry.alloc_skcipher("cbc(aes)").alg.cra_driver_name == "new"


# Registration.


@pytest.mark.parametrize(
    ("alg", "reason"),
    [
        (skcipher(cra_name=""), "cra_name '' must have 1 to 127 characters"),
        (skcipher(cra_name="n" * 128), "must have 1 to 127 characters"),
        (skcipher(""), "cra_driver_name '' must have 1 to 127 characters"),
        (skcipher(cra_alignmask=2), "cra_alignmask 0x2 must be 2^n - 1, at most 0x7f"),
        (skcipher(cra_alignmask=255), "cra_alignmask 0xff must be 2^n - 1, at most 0x7f"),
        (skcipher(cra_alignmask=-1), "cra_alignmask -0x1 must be 2^n - 1"),
        (skcipher(cra_blocksize=0), "cra_blocksize 0 must be 1 to 160"),
        (skcipher(cra_blocksize=161), "cra_blocksize 161 must be 1 to 160"),
        (skcipher(cra_priority=-1), "cra_priority -1 is negative"),
        (skcipher(cra_flags=5), "cra_flags 0x5 carry a type"),
        (skcipher(ivsize=513), "ivsize 513 must be 0 to 512"),
        (skcipher(ivsize=-1), "ivsize -1 must be 0 to 512"),
        (skcipher(chunksize=513), "chunksize 513 must be 0 to 512"),
        (skcipher(walksize=513), "walksize 513 must be 0 to 512"),
        (aead(maxauthsize=513), "maxauthsize 513 must be 0 to 512"),
        (aead(ivsize=513), "ivsize 513 must be 0 to 512"),
        (aead(chunksize=513), "chunksize 513 must be 0 to 512"),
        (ahash(digestsize=65), "digestsize 65 must be 1 to 64"),
        (ahash(digestsize=0), "digestsize 0 must be 1 to 64"),
        (ahash(statesize=0), "statesize 0 must be 1 to 512"),
        (ahash(statesize=513), "statesize 513 must be 1 to 512"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else None,
)
def test_a_descriptor_that_breaks_a_rule_is_refused(
    machine: Machine, alg: AnyAlg, reason: str
) -> None:
    error = refusal(machine, alg)
    assert error.errno == errno.EINVAL
    assert reason in str(error)
    assert (alg.cra_driver_name or "(no driver name)") in str(error)


@pytest.mark.parametrize(
    "alg",
    [
        skcipher(cra_name="n" * 127),
        skcipher(cra_alignmask=127, cra_blocksize=160, ivsize=512, chunksize=512, walksize=512),
        skcipher(cra_priority=0, cra_blocksize=1, ivsize=0),
        aead(maxauthsize=512, ivsize=512, chunksize=512),
        ahash(digestsize=64, statesize=512),
        ahash(digestsize=1, statesize=1),
    ],
    ids=["long name", "largest", "least", "largest aead", "largest ahash", "least ahash"],
)
def test_limits_themselves_are_accepted(machine: Machine, alg: AnyAlg) -> None:
    machine.registry.register(alg)
    assert list(machine.registry) == [alg]


def test_the_same_object_twice_is_eexist(machine: Machine) -> None:
    alg = skcipher()
    machine.registry.register(alg)
    assert refusal(machine, alg).errno == errno.EEXIST


@pytest.mark.parametrize(
    "second",
    [skcipher("cbc(aes)", cra_name="other"), skcipher("other", cra_name="cbc-a")],
    ids=["driver name is a name", "name is a driver name"],
)
def test_a_name_that_is_a_driver_name_is_eexist(machine: Machine, second: SkcipherAlg) -> None:
    machine.registry.register(skcipher())
    error = refusal(machine, second)
    assert error.errno == errno.EEXIST
    assert second.cra_driver_name in str(error)


def test_a_second_driver_of_the_same_name_is_eexist(machine: Machine) -> None:
    machine.registry.register(skcipher("twice"))
    assert refusal(machine, skcipher("twice")).errno == errno.EEXIST


def test_a_second_driver_of_the_same_name_is_accepted_by_linux_6_1() -> None:
    """The surprise of section 6.7: there only names are compared with driver names."""
    machine = Machine(setup=Setup(core="linux-6.1"))
    algs = [skcipher("twice"), skcipher("twice")]
    for alg in algs:
        machine.registry.register(alg)
    assert machine.registry.find("twice", AlgType.SKCIPHER) is algs[1]


def test_listing_begins_with_the_latest(machine: Machine) -> None:
    for name in "abc":
        machine.registry.register(skcipher(name))
    assert [alg.cra_driver_name for alg in machine.registry] == ["c", "b", "a"]


# Transforms and unregistration.


def test_an_algorithm_in_use_is_unregistered_with_a_warning(machine: Machine) -> None:
    """Lookups do not find it any more; who has a transform keeps it (6.7)."""
    alg = skcipher()
    machine.registry.register(alg)
    tfm = machine.registry.alloc_skcipher("cbc-a")
    machine.registry.unregister(alg)
    assert machine.warnings == ["unregister of cbc-a: in use"]
    assert list(machine.registry) == []
    tfm.setkey(bytes(16))
    machine.registry.free(tfm)
    assert len(machine.warnings) == 1
    machine.registry.unregister(alg)
    assert machine.warnings[1:] == ["unregister of cbc-a: not registered"]


def test_unregistering_a_stranger_is_warned_about(machine: Machine) -> None:
    machine.registry.unregister(skcipher())
    assert machine.warnings == ["unregister of cbc-a: not registered"]


def test_init_and_exit_run_once_for_each_transform(machine: Machine) -> None:
    calls: list[str] = []

    def init(tfm: Any) -> int:
        calls.append("init")
        return 0

    alg = skcipher(init=init, exit=lambda tfm: calls.append("exit"))
    machine.registry.register(alg)
    tfms = [machine.registry.alloc_skcipher("cbc-a") for _ in range(2)]
    assert (calls, machine.registry.users(alg)) == (["init", "init"], 2)
    for tfm in tfms:
        machine.registry.free(tfm)
    assert (calls, machine.registry.users(alg)) == (["init", "init", "exit", "exit"], 0)


def test_freeing_twice_is_warned_about_and_does_not_run_exit(machine: Machine) -> None:
    calls: list[str] = []
    machine.registry.register(skcipher(exit=lambda tfm: calls.append("exit")))
    tfm = machine.registry.alloc_skcipher("cbc-a")
    machine.registry.free(tfm)
    machine.registry.free(tfm)
    assert calls == ["exit"]
    assert machine.warnings == ["transform of cbc-a freed twice"]


def test_a_failing_init_is_the_error_of_the_allocation(machine: Machine) -> None:
    alg = skcipher(init=lambda tfm: -errno.ENOMEM)
    machine.registry.register(alg)
    with pytest.raises(OSError, match="cbc-a: init") as caught:
        machine.registry.alloc_skcipher("cbc(aes)")
    assert caught.value.errno == errno.ENOMEM
    assert machine.registry.users(alg) == 0


@pytest.mark.parametrize("status", [1, None, True, "0"])
def test_an_init_that_returns_nonsense_is_named(machine: Machine, status: object) -> None:
    machine.registry.register(skcipher(init=lambda tfm: status))
    with pytest.raises(DriverNonsenseError, match="cbc-a: init returned"):
        machine.registry.alloc_skcipher("cbc(aes)")
