"""Lookup, registration, templates: the rows of kernel-crypto, sections 6.6 to 6.8, by name."""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tcrypt.engine import software
from tcrypt.engine.api.algorithms import AeadAlg, AhashAlg, AnyAlg, CipherAlg, SkcipherAlg
from tcrypt.engine.api.flags import AlgFlag, AlgType
from tcrypt.engine.api.machine import Machine, Setup
from tcrypt.engine.api.templates import Builder, Template, split_name
from tcrypt.engine.templates.cryptd import cryptd

_SKCIPHER, _AEAD, _AHASH = AlgType.SKCIPHER, AlgType.AEAD, AlgType.AHASH
_STEPS = ("hash_init", "update", "final", "finup", "digest", "export", "import_state")


def rows(*names: str) -> pytest.MarkDecorator:
    """Put the names of the rows that a test is about into its id."""
    return pytest.mark.parametrize("row", names)


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
        "setkey": _ok,
        "encrypt": _ok,
        "decrypt": _ok,
    }
    return SkcipherAlg(**(values | changes))


def cipher(driver: str = "aes-a", **changes: Any) -> CipherAlg:
    values: dict[str, Any] = {
        "cra_name": "aes",
        "cra_driver_name": driver,
        "cra_priority": 100,
        "min_keysize": 16,
        "max_keysize": 32,
        "setkey": _ok,
        "encrypt_block": lambda tfm, block: block,
        "decrypt_block": lambda tfm, block: block,
    }
    return CipherAlg(**(values | changes))


def _cbc(builder: Builder, arguments: Sequence[str]) -> SkcipherAlg:
    part = builder.cipher(arguments[0])
    return skcipher(
        f"cbc({part.cra_driver_name})",
        cra_name=f"cbc({part.cra_name})",
        cra_priority=part.cra_priority,
        cra_flags=builder.flags,
        init=lambda tfm: _spawn(tfm, part),
        exit=lambda tfm: tfm.machine.registry.free(tfm.ctx),
    )


def _spawn(tfm: Any, part: CipherAlg) -> int:
    try:
        tfm.ctx = tfm.machine.registry.spawn_cipher(part)
    except OSError as error:
        return -(error.errno or 0)
    return 0


def templated(core: str = "linux-6.17") -> Machine:
    """A machine with a block cipher, and CBC over what there is."""
    machine = Machine(setup=Setup(core=core))
    machine.registry.register(cipher())
    machine.registry.register_template(Template("cbc", _SKCIPHER, _cbc))
    return machine


def error_of(call: Callable[..., object], *arguments: Any) -> int:
    """0, or the errno of what was raised."""
    try:
        call(*arguments)
    except OSError as error:
        return error.errno or 0
    return 0


def find(machine: Machine, name: str, type_: int = 0, mask: int = 0) -> str:
    return machine.registry.find(name, _SKCIPHER, type_, mask).cra_driver_name


# 6.6


@rows("6.6 step 1: dying entries and the mask")
def test_an_init_that_wants_a_retry_is_not_tried_again(machine: Machine, row: str) -> None:
    """-EAGAIN marks the algorithm as dying, and the lookup goes on to the next one."""
    dying = skcipher("dying", cra_priority=200, init=lambda tfm: -errno.EAGAIN)
    for alg in (skcipher("old"), dying):
        machine.registry.register(alg)
    assert machine.registry.alloc_skcipher("cbc(aes)").alg.cra_driver_name == "old"
    assert error_of(find, machine, "dying") == errno.ENOENT
    entry = machine.registry.entry(dying)
    assert entry is not None
    assert entry.flags & AlgFlag.DYING


@rows("6.6 step 1: dying entries and the mask")
def test_type_and_mask(machine: Machine, row: str) -> None:
    machine.registry.register(skcipher("sync"))
    machine.registry.register(skcipher("async", cra_priority=300, cra_flags=AlgFlag.ASYNC))
    assert find(machine, "cbc(aes)") == "async"
    assert find(machine, "cbc(aes)", 0, AlgFlag.ASYNC) == "sync"
    assert find(machine, "cbc(aes)", AlgFlag.ASYNC, AlgFlag.ASYNC) == "async"


@rows("6.6 step 2: a driver name wins at once", "6.6 step 3: priority, then the latest")
def test_driver_name_priority_and_ties(machine: Machine, row: str) -> None:
    for name, priority in (("low", 1), ("high", 500), ("tie", 500)):
        machine.registry.register(skcipher(name, cra_priority=priority))
    assert find(machine, "low") == "low"
    assert find(machine, "cbc(aes)") == "tie"


@rows("6.6 step 4: TESTED")
def test_only_tested_algorithms_are_found_unless_tested_is_mentioned(
    machine: Machine, row: str
) -> None:
    registry = machine.registry
    registry.register(skcipher("good"))
    registry.selftest = lambda alg: -errno.EINVAL
    registry.register(skcipher("bad", cra_priority=500))
    assert find(machine, "cbc(aes)") == "good"
    assert find(machine, "cbc(aes)", 0, AlgFlag.TESTED) == "bad"


@rows("6.6 step 5: INTERNAL")
def test_internal_algorithms_are_hidden(machine: Machine, row: str) -> None:
    machine.registry.register(skcipher("inside", cra_flags=AlgFlag.INTERNAL))
    assert error_of(find, machine, "inside") == errno.ENOENT
    assert error_of(find, machine, "cbc(aes)") == errno.ENOENT
    assert find(machine, "inside", AlgFlag.INTERNAL, AlgFlag.INTERNAL) == "inside"
    assert find(machine, "cbc(aes)", AlgFlag.INTERNAL, 0) == "inside"


@rows("6.6 step 6: templates")
def test_a_name_that_nobody_registered_is_built(row: str) -> None:
    machine = templated()
    assert find(machine, "cbc(aes)") == find(machine, "cbc(aes-a)") == "cbc(aes-a)"
    assert len(list(machine.registry)) == 2, "built once"
    assert error_of(find, machine, "ctr(aes)") == errno.ENOENT


@rows("6.6 step 7: waiting for a larval")
def test_a_lookup_that_waits_for_the_test_it_is_part_of(machine: Machine, row: str) -> None:
    seen: list[int] = []

    def selftest(alg: AnyAlg) -> int:
        seen.append(error_of(find, machine, "cbc-a"))
        assert find(machine, "cbc-a", 0, AlgFlag.TESTED) == "cbc-a"
        return 0

    machine.registry.selftest = selftest
    machine.registry.register(skcipher())
    assert seen == [errno.ETIMEDOUT]


@rows("6.6 step 8: a failed self-test is -ELIBBAD")
def test_a_failed_self_test_is_elibbad(row: str) -> None:
    machine = templated()
    machine.registry.selftest = lambda alg: -errno.EINVAL if alg.cra_driver_name == "bad" else 0
    bad = skcipher("bad")
    machine.registry.register(bad)
    assert error_of(find, machine, "bad") == errno.ELIBBAD
    assert error_of(find, machine, "cbc(aes)") == errno.ELIBBAD, "and no template is tried"
    assert find(machine, "cbc(aes-a)") == "cbc(aes-a)", "others stay reachable"
    assert find(machine, "cbc(aes)") == "cbc(aes-a)"
    entry = machine.registry.entry(bad)
    assert entry is not None
    assert entry.selftest == "failed"


@rows("6.6 idioms: ASYNC, NEED_FALLBACK, KERN_DRIVER_ONLY, ALLOCATES_MEMORY")
@pytest.mark.parametrize(
    "flag",
    [
        AlgFlag.ASYNC,
        AlgFlag.NEED_FALLBACK,
        AlgFlag.KERN_DRIVER_ONLY,
        AlgFlag.ALLOCATES_MEMORY,
    ],
)
def test_a_mask_rules_out_what_has_the_flag(machine: Machine, row: str, flag: AlgFlag) -> None:
    machine.registry.register(skcipher("without"))
    machine.registry.register(skcipher("with", cra_flags=flag, cra_priority=900))
    assert (find(machine, "cbc(aes)"), find(machine, "cbc(aes)", 0, flag)) == ("with", "without")
    assert error_of(find, machine, "with", 0, flag) == errno.ENOENT


@rows("6.6 inherited by instances")
@pytest.mark.parametrize(
    ("flag", "inherited"),
    [
        (AlgFlag.ASYNC, True),
        (AlgFlag.NEED_FALLBACK, True),
        (AlgFlag.ALLOCATES_MEMORY, True),
        (AlgFlag.KERN_DRIVER_ONLY, False),
    ],
)
def test_what_instances_inherit(
    machine: Machine, row: str, flag: AlgFlag, inherited: bool
) -> None:
    machine.registry.register(cipher(cra_flags=flag))
    machine.registry.register_template(Template("cbc", _SKCIPHER, _cbc))
    found = machine.registry.lookup("cbc(aes)", _SKCIPHER)
    assert bool(found.flags & flag) is inherited
    assert found.flags & AlgFlag.INSTANCE
    fresh = templated()
    fresh.registry.register(cipher("aes-flagged", cra_flags=flag, cra_priority=900))
    wanted = "cbc(aes-a)" if inherited else "cbc(aes-flagged)"
    got = find(fresh, "cbc(aes)", 0, flag)
    assert got == wanted, "a mask holds for the parts of what is built"


@rows("6.6 errors of allocation")
def test_errors_of_allocation(row: str) -> None:
    machine = templated()
    alloc = machine.registry.alloc_skcipher
    assert error_of(alloc, "nothing") == errno.ENOENT
    assert error_of(machine.registry.alloc_aead, "cbc(aes)") == errno.EINVAL
    machine.registry.register(skcipher("poor", init=lambda tfm: -errno.ENOMEM))
    assert error_of(alloc, "poor") == errno.ENOMEM


@rows("6.6 a transform is bound at allocation")
def test_a_transform_is_bound_at_allocation(machine: Machine, row: str) -> None:
    machine.registry.register(skcipher("first"))
    tfm = machine.registry.alloc_skcipher("cbc(aes)")
    machine.registry.register(skcipher("second", cra_priority=900))
    tfm.setkey(bytes(16))
    assert tfm.alg.cra_driver_name == "first"


@rows("6.6 a driver's lookup of its fallback")
def test_a_fallback_is_never_the_driver_itself(machine: Machine, row: str) -> None:
    needy = AlgFlag.NEED_FALLBACK

    def init(tfm: Any) -> int:
        try:
            tfm.ctx = machine.registry.alloc_skcipher("cbc(aes)", 0, needy)
        except OSError as error:
            return -(error.errno or 0)
        return 0

    for name in ("one", "two"):
        machine.registry.register(skcipher(name, cra_flags=needy, cra_priority=900, init=init))
    assert error_of(machine.registry.alloc_skcipher, "one") == errno.ENOENT
    assert [entry.users for entry in machine.registry.entries()] == [0, 0], "nothing half open"
    machine.registry.register(skcipher("software"))
    tfm = machine.registry.alloc_skcipher("one")
    assert tfm.ctx.alg.cra_driver_name == "software"


# 6.7


def ahash(**changes: Any) -> AhashAlg:
    values: dict[str, Any] = {
        "cra_name": "x",
        "cra_driver_name": "x-mine",
        "cra_priority": 1,
        "digestsize": 4,
        "statesize": 8,
        **dict.fromkeys(_STEPS, _ok),
    }
    return AhashAlg(**(values | changes))


def aead(**changes: Any) -> AeadAlg:
    values: dict[str, Any] = {
        "cra_name": "gcm(x)",
        "cra_driver_name": "gcm-x",
        "cra_priority": 1,
        "maxauthsize": 16,
        "setkey": _ok,
        "encrypt": _ok,
        "decrypt": _ok,
    }
    return AeadAlg(**(values | changes))


@rows("6.7 checks of the common fields")
@pytest.mark.parametrize(
    "changes",
    [
        {"cra_alignmask": 5},
        {"cra_alignmask": 255},
        {"cra_blocksize": 161},
        {"cra_priority": -1},
        {"cra_name": ""},
        {"cra_driver_name": ""},
    ],
    ids=str,
)
def test_common_fields(machine: Machine, row: str, changes: dict[str, Any]) -> None:
    assert error_of(machine.registry.register, skcipher().variant(**changes)) == errno.EINVAL


@rows("6.7 checks of the common fields")
@pytest.mark.parametrize(("core", "largest"), [("linux-6.1", 63), ("linux-6.17", 127)])
def test_the_largest_alignmask(row: str, core: str, largest: int) -> None:
    registry = Machine(setup=Setup(core=core)).registry
    registry.register(skcipher("at", cra_alignmask=largest))
    over = skcipher("over", cra_alignmask=2 * largest + 1)
    assert error_of(registry.register, over) == errno.EINVAL


@rows("6.7 checks of the common fields")
def test_tested_is_the_cores_own_flag(machine: Machine, row: str) -> None:
    machine.registry.selftest = lambda alg: -errno.EINVAL
    machine.registry.register(skcipher("liar", cra_flags=AlgFlag.TESTED))
    assert error_of(find, machine, "liar") == errno.ELIBBAD


@rows("6.7 sizes by type")
@pytest.mark.parametrize(
    "alg",
    [
        skcipher(ivsize=513),
        skcipher(chunksize=513),
        skcipher(walksize=513),
        aead(maxauthsize=513),
        aead(ivsize=513),
        aead(chunksize=513),
        ahash(statesize=0),
    ],
    ids=["ivsize", "chunksize", "walksize", "maxauthsize", "aead ivsize", "aead chunk", "state"],
)
def test_sizes_beyond_an_eighth_of_a_page(machine: Machine, row: str, alg: AnyAlg) -> None:
    assert error_of(machine.registry.register, alg) == errno.EINVAL


@rows("6.7 sizes by type")
@pytest.mark.parametrize(
    ("given", "completed"),
    [((0, 0), (16, 16)), ((32, 0), (32, 32)), ((0, 64), (16, 64)), ((32, 64), (32, 64))],
)
def test_sizes_that_the_core_fills_in(
    machine: Machine, row: str, given: tuple[int, int], completed: tuple[int, int]
) -> None:
    alg = skcipher(chunksize=given[0], walksize=given[1])
    machine.registry.register(alg)
    assert (alg.chunksize, alg.walksize) == completed
    gcm = aead(cra_blocksize=8)
    machine.registry.register(gcm)
    assert gcm.chunksize == 8


@rows("6.7 -EEXIST")
def test_names_that_clash(machine: Machine, row: str) -> None:
    alg = skcipher()
    machine.registry.register(alg)
    register = machine.registry.register
    assert error_of(register, alg) == errno.EEXIST
    assert error_of(register, skcipher("new", cra_name="cbc-a")) == errno.EEXIST
    assert error_of(register, skcipher("cbc(aes)", cra_name="new")) == errno.EEXIST
    assert error_of(register, skcipher("cbc-a")) == errno.EEXIST
    assert error_of(register, skcipher("other")) == 0


@rows("6.7 -EEXIST")
def test_a_self_test_that_runs_blocks_its_driver_name(row: str) -> None:
    """Linux 6.1 as well, which lets two finished ones have the same driver name."""
    machine = Machine(setup=Setup(core="linux-6.1"))
    register, seen = machine.registry.register, []

    def selftest(alg: AnyAlg) -> int:
        if not seen:
            seen.append(0)
            seen.append(error_of(register, skcipher("twin")))
        return 0

    machine.registry.selftest = selftest
    register(skcipher("twin"))
    assert seen == [0, errno.EEXIST]
    assert error_of(register, skcipher("twin")) == 0


@rows("6.7 -EAGAIN of a dead object")
def test_what_was_unregistered_in_use_is_dead_until_its_last_user_goes(
    machine: Machine, row: str
) -> None:
    registry, alg = machine.registry, skcipher()
    registry.register(alg)
    tfm = registry.alloc_skcipher("cbc-a")
    registry.unregister(alg)
    assert registry.users(alg) == 1
    assert error_of(registry.register, alg) == errno.EAGAIN
    assert error_of(registry.spawn_skcipher, alg) == errno.EAGAIN
    registry.free(tfm)
    assert error_of(registry.register, alg) == 0
    assert find(machine, "cbc(aes)") == "cbc-a"


@rows("6.7 unregister")
def test_unregister(row: str) -> None:
    machine = templated()
    registry, base = machine.registry, next(iter(machine.registry))
    find(machine, "cbc(aes)")
    registry.unregister(base)
    assert list(registry) == [], "instances built over it are gone as well"
    assert machine.warnings == [], "an idle instance is no user"
    registry.unregister(base)
    assert machine.warnings == ["unregister of aes-a: not registered"]
    registry.register(base)
    tfm = registry.alloc_skcipher("cbc(aes)")
    registry.unregister(base)
    assert machine.warnings[1:] == ["unregister of aes-a: in use"]
    assert error_of(find, machine, "cbc(aes)") == errno.ENOENT
    tfm.setkey(bytes(16))
    registry.free(tfm)
    assert registry.users(base) == 0


@rows("6.7 the self-test")
def test_registration_succeeds_whatever_the_self_test_says(machine: Machine, row: str) -> None:
    registry, tested = machine.registry, []

    def selftest(alg: AnyAlg) -> int:
        tested.append(alg.cra_driver_name)
        return -errno.EIO

    registry.selftest = selftest
    registry.register(skcipher())
    assert tested == ["cbc-a"]
    assert [entry.selftest for entry in registry.entries()] == ["failed"]


@rows("6.7 the self-test")
def test_a_self_test_of_the_setup_sees_what_is_registered_first(row: str) -> None:
    tested: list[str] = []

    def selftest(machine: Machine, alg: AnyAlg) -> int:
        tested.append(alg.cra_driver_name)
        return -errno.EINVAL if alg.cra_driver_name == "sha1-generic" else 0

    machine = Machine(setup=Setup(selftest=selftest))
    software.register(machine)
    assert tested[0] == "aes-generic"
    assert error_of(machine.registry.find, "sha1", _AHASH) == errno.ELIBBAD
    assert error_of(machine.registry.find, "sha256", _AHASH) == 0


@rows("6.7 a better algorithm outdoes instances")
@pytest.mark.parametrize(("priority", "outdone"), [(99, False), (100, True), (300, True)])
def test_a_better_algorithm_outdoes_instances(row: str, priority: int, outdone: bool) -> None:
    machine = templated()
    registry = machine.registry
    tfm = registry.alloc_skcipher("cbc(aes)")
    registry.register(cipher("aes-b", cra_priority=priority))
    assert find(machine, "cbc(aes)") == ("cbc(aes-b)" if outdone else "cbc(aes-a)")
    assert tfm.alg.cra_driver_name == "cbc(aes-a)", "users keep theirs"
    assert machine.warnings == []


@rows("6.7 a better algorithm outdoes instances")
def test_an_untested_or_unfit_algorithm_outdoes_nothing(row: str) -> None:
    machine = templated()
    registry = machine.registry
    find(machine, "cbc(aes)", 0, AlgFlag.ASYNC)
    registry.register(cipher("aes-async", cra_priority=300, cra_flags=AlgFlag.ASYNC))
    assert find(machine, "cbc(aes)") == "cbc(aes-a)", "it was built for callers without ASYNC"
    registry.selftest = lambda alg: -errno.EINVAL
    registry.register(cipher("aes-bad", cra_priority=900))
    assert find(machine, "cbc(aes)") == "cbc(aes-a)"


@rows("6.7 self-test result -ECANCELED")
def test_a_cancelled_self_test_leaves_an_algorithm_to_templates(row: str) -> None:
    machine = Machine()
    registry = machine.registry
    registry.register_template(Template("cbc", _SKCIPHER, _cbc))
    registry.selftest = lambda alg: -errno.ECANCELED if alg.cra_name == "aes" else 0
    alg = cipher()
    registry.register(alg)
    entry = registry.entry(alg)
    assert entry is not None
    assert entry.selftest == "passed"
    assert entry.flags & AlgFlag.TESTED
    assert entry.flags & AlgFlag.FIPS_INTERNAL
    assert error_of(registry.find, "aes", AlgType.CIPHER) == errno.ENOENT
    assert find(machine, "cbc(aes)") == "cbc(aes-a)"
    flag = AlgFlag.FIPS_INTERNAL
    assert registry.find("aes", AlgType.CIPHER, flag) is alg


# 6.8


@rows("6.8 grammar")
@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("cbc(aes)", ("cbc", ["aes"])),
        ("authenc(hmac(sha1),cbc(aes))", ("authenc", ["hmac(sha1)", "cbc(aes)"])),
        ("essiv(cbc(aes),sha256)", ("essiv", ["cbc(aes)", "sha256"])),
        ("gcm_base(ctr(aes-x),ghash)", ("gcm_base", ["ctr(aes-x)", "ghash"])),
        ("aes", None),
        ("cbc(aes", None),
        ("cbc()", None),
        ("c bc(aes)", None),
        ("(aes)", None),
    ],
)
def test_grammar(row: str, name: str, parts: tuple[str, list[str]] | None) -> None:
    assert split_name(name) == parts


@rows("6.8 errors of instantiation")
@pytest.mark.parametrize(
    ("name", "kind", "newer", "older"),
    [
        ("cbc(aes)", _AEAD, errno.EINVAL, errno.ENOENT),
        ("cbc(aes)", _AHASH, errno.EINVAL, errno.ENOENT),
        ("cbc(des)", _SKCIPHER, errno.ENOENT, errno.ENOENT),
        ("nothing(aes)", _SKCIPHER, errno.ENOENT, errno.ENOENT),
        ("CBC(AES)", _SKCIPHER, errno.ENOENT, errno.ENOENT),
        ("aes", _SKCIPHER, errno.ENOENT, errno.ENOENT),
        ("", _SKCIPHER, errno.ENOENT, errno.ENOENT),
        ("__cbc(aes)", _SKCIPHER, errno.ENOENT, errno.ENOENT),
        ("cbc(aes))", _SKCIPHER, errno.EEXIST, errno.ENOENT),
        ("cbc(aes) ", _SKCIPHER, errno.EEXIST, errno.ENOENT),
        (f"cbc({'a' * 123})", _SKCIPHER, errno.ENAMETOOLONG, errno.ENAMETOOLONG),
    ],
)
def test_errors_of_instantiation(
    row: str, name: str, kind: AlgType, newer: int, older: int
) -> None:
    """As measured on Linux 6.12 and 6.1; a second try says the same as the first."""
    for core, wanted in (("linux-6.12", newer), ("linux-6.1", older)):
        registry = templated(core).registry
        assert [error_of(registry.find, name, kind) for _ in range(2)] == [wanted, wanted]


@rows("6.8 errors of instantiation")
def test_a_name_that_says_the_same_differently_is_found_once_it_exists(row: str) -> None:
    machine = templated()
    assert error_of(find, machine, "cbc(aes))") == errno.EEXIST
    assert find(machine, "cbc(aes)") == "cbc(aes-a)"


@rows("6.8 errors of instantiation")
def test_composed_names_that_are_too_long(row: str) -> None:
    machine = templated()
    machine.registry.register(cipher("a" * 125, cra_priority=900))
    assert error_of(find, machine, "cbc(aes)") == errno.ENAMETOOLONG


@rows("6.8 an instance that fails its self-test")
def test_an_instance_that_fails_its_self_test(row: str) -> None:
    machine = templated()
    machine.registry.selftest = lambda alg: -errno.EINVAL
    assert error_of(find, machine, "cbc(aes)") == errno.ELIBBAD
    assert error_of(find, machine, "cbc(aes)") == errno.ELIBBAD
    assert [entry.selftest for entry in machine.registry.entries()] == ["failed", "passed"]


_GCM = "gcm_base(ctr(aes-generic),ghash-generic)"
_CCM = "ccm_base(ctr(aes-generic),cbcmac(aes-generic))"


@rows("6.8 names and priorities of instances")
@pytest.mark.parametrize(
    ("kind", "name", "driver", "priority"),
    [
        (_SKCIPHER, "ecb(aes)", "ecb(aes-generic)", 100),
        (_SKCIPHER, "cbc(aes)", "cbc(aes-generic)", 100),
        (_SKCIPHER, "ctr(aes)", "ctr(aes-generic)", 100),
        (_SKCIPHER, "xts(aes)", "xts(ecb(aes-generic))", 100),
        (_SKCIPHER, "cts(cbc(aes))", "cts(cbc(aes-generic))", 100),
        (_SKCIPHER, "rfc3686(ctr(aes))", "rfc3686(ctr(aes-generic))", 100),
        (_SKCIPHER, "essiv(cbc(aes),sha256)", "essiv(cbc(aes-generic),sha256-generic)", 100),
        (_AEAD, "gcm(aes)", _GCM, 100),
        (_AEAD, "ccm(aes)", _CCM, 100),
        (_AEAD, "rfc4106(gcm(aes))", f"rfc4106({_GCM})", 100),
        (_AEAD, "rfc4543(gcm(aes))", f"rfc4543({_GCM})", 100),
        (_AEAD, "rfc4309(ccm(aes))", f"rfc4309({_CCM})", 100),
        (
            _AEAD,
            "authenc(hmac(sha1),cbc(aes))",
            "authenc(hmac(sha1-generic),cbc(aes-generic))",
            1100,
        ),
        (_AHASH, "hmac(sha1)", "hmac(sha1-generic)", 100),
        (_AHASH, "cmac(aes)", "cmac(aes-generic)", 100),
        (_AHASH, "xcbc(aes)", "xcbc(aes-generic)", 100),
        (_AHASH, "cbcmac(aes)", "cbcmac(aes-generic)", 100),
    ],
)
def test_names_and_priorities(
    machine: Machine, row: str, kind: AlgType, name: str, driver: str, priority: int
) -> None:
    software.register(machine)
    alg = machine.registry.find(name, kind)
    assert (alg.cra_name, alg.cra_driver_name, alg.cra_priority) == (name, driver, priority)
    assert machine.registry.find(driver, kind) is alg


@rows("6.8 names and priorities of instances")
def test_cryptd_is_asynchronous_and_50_better(machine: Machine, row: str) -> None:
    software.register(machine)
    alg = cryptd(machine, machine.registry.find("cbc(aes)", _SKCIPHER))
    assert (alg.cra_name, alg.cra_driver_name) == ("cbc(aes)", "cryptd(cbc(aes-generic))")
    assert alg.cra_priority == 150
    assert alg.cra_flags & AlgFlag.ASYNC


@rows("6.8 rfc3686 and ctr")
def test_rfc3686_wants_a_stream_with_16_bytes_of_iv(machine: Machine, row: str) -> None:
    software.register(machine)
    assert error_of(find, machine, "rfc3686(cbc(aes))") == errno.EINVAL
    ctr = machine.registry.find("ctr(aes)", _SKCIPHER)
    assert isinstance(ctr, SkcipherAlg)
    assert (ctr.cra_blocksize, ctr.chunksize) == (1, 16)
