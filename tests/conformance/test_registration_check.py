"""What check `registration` finds wrong in a registry that misbehaves, and in drivers that lie."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest

from tcrypt.checks import fallback_needs, registry_conduct
from tcrypt.engine import software
from tcrypt.engine.api import registry as registry_module
from tcrypt.engine.api.algorithms import SkcipherAlg
from tcrypt.engine.api.allocation import Allocation
from tcrypt.engine.api.entries import Entry
from tcrypt.engine.api.flags import AlgFlag, AlgType
from tcrypt.engine.api.machine import Accelerator, Machine, Setup
from tcrypt.engine.api.registry import Registry
from tcrypt.problems import Problem
from tcrypt.subject import Provider, Subject
from tcrypt.watchdog import Watchdog

Case = Callable[[Subject], list[Problem]]
CONDUCT: tuple[Case, ...] = (
    registry_conduct.shadowing,
    registry_conduct.found_by_name,
    registry_conduct.unregistering,
    registry_conduct.failed_self_test,
    registry_conduct.self_test,
    registry_conduct.listing,
    registry_conduct.priority_policy,
    fallback_needs.lookup_of_a_fallback,
    fallback_needs.fallback_taken,
    fallback_needs.without_a_fallback,
)


def mine(machine: Machine, **changes: Any) -> SkcipherAlg:
    """The generic CBC under a name of its own, with changes."""
    generic = machine.registry.find("cbc(aes)", AlgType.SKCIPHER)
    found: SkcipherAlg = generic.variant(
        **{"cra_driver_name": "cbc-mine", "cra_priority": 300} | changes
    )
    return found


def subject(
    register: Callable[[Machine], Any], setup: Setup | None = None, driver: str = "cbc-mine"
) -> Subject:
    def build(given: Setup) -> Machine:
        machine = Machine(setup=given)
        software.register(machine)
        register(machine)
        return machine

    provider = Provider("mine", build, setup=setup or Setup())
    machine = provider.boot()
    return Subject(provider, next(a for a in machine.registry if a.cra_driver_name == driver))


def plain(**changes: Any) -> Callable[[Machine], None]:
    return lambda machine: machine.registry.register(mine(machine, **changes))


def needy(**changes: Any) -> Callable[[Machine], None]:
    """A driver that takes the generic as its fallback, and says so unless changed."""

    def register(machine: Machine) -> None:
        def init(tfm: Any) -> int:
            try:
                tfm.ctx = machine.registry.alloc_skcipher("cbc(aes)", 0, AlgFlag.NEED_FALLBACK)
            except OSError as error:
                return -(error.errno or 0)
            return 0

        def setkey(tfm: Any, key: bytearray) -> int:
            try:
                tfm.ctx.setkey(bytes(key))
            except OSError as error:
                return -(error.errno or 0)
            return 0

        def encrypt(request: Any) -> int:
            inner = request.tfm.ctx.request()
            inner.set_callback(request.flags, request.complete, request.data)
            inner.set_crypt(request.src, request.dst, request.cryptlen, request.iv)
            status: int = request.tfm.ctx.encrypt(inner)
            return status

        values: dict[str, Any] = {
            "cra_flags": AlgFlag.NEED_FALLBACK,
            "init": init,
            "exit": lambda tfm: machine.registry.free(tfm.ctx),
            "setkey": setkey,
            "encrypt": encrypt,
            "decrypt": encrypt,
        }
        machine.registry.register(mine(machine, **values | changes))

    return register


@pytest.mark.parametrize("case", CONDUCT, ids=lambda case: case.__name__)
@pytest.mark.parametrize("register", [plain(), needy()], ids=["plain", "needy"])
@pytest.mark.parametrize("core", ["linux-6.1", "linux-6.17"])
def test_good_drivers_pass(case: Case, register: Callable[[Machine], None], core: str) -> None:
    assert case(subject(register, Setup(core=core))) == []


def messages(case: Case, tested: Subject) -> list[str]:
    return [problem.message for problem in case(tested)]


# Registries that break a rule.


def test_a_driver_of_another_drivers_name_is_found() -> None:
    def register(machine: Machine) -> None:
        machine.registry.register(mine(machine))
        machine.registry.register(mine(machine))

    found = messages(registry_conduct.shadowing, subject(register, Setup(core="linux-6.1")))
    assert found == ["a driver name finds another driver"]


def test_a_lookup_that_ignores_priorities_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def worst(entries: Iterable[Entry], name: str, type_: int, mask: int) -> Entry | None:
        known = list(entries)
        named = [entry for entry in known if entry.alg.cra_driver_name == name]
        fitting = [entry for entry in known if entry.alg.cra_name == name]
        return min(named or fitting, key=lambda entry: entry.alg.cra_priority, default=None)

    tested = subject(plain())
    monkeypatch.setattr(registry_module, "best_match", worst)
    found = messages(registry_conduct.found_by_name, tested)
    assert "a name finds the wrong driver" in found


def test_an_unregistration_without_effect_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    tested = subject(plain())
    monkeypatch.setattr(Registry, "_bury", lambda self, entry: None)
    found = messages(registry_conduct.unregistering, tested)
    assert found == ["found after it was unregistered"]


def test_an_unregistration_of_everything_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    tested = subject(plain())
    monkeypatch.setattr(Registry, "_bury", lambda self, entry: self._entries.clear())
    assert messages(registry_conduct.unregistering, tested) == ["takes others away with it"]


def test_a_driver_that_does_not_survive_its_own_exit_is_found() -> None:
    """Its second life finds nothing where the first one had left it."""

    def register(machine: Machine) -> None:
        lives = [1]
        alg = mine(machine, init=lambda tfm: 0 if lives else -errno.ENODEV)
        machine.registry.register(alg)
        unregister = machine.registry.unregister

        def unregister_once(gone: Any) -> None:
            lives.clear()
            unregister(gone)

        machine.registry.unregister = unregister_once  # type: ignore[method-assign]

    found = messages(registry_conduct.unregistering, subject(register))
    assert found == ["not usable when it is registered again"]


def test_a_self_test_that_does_not_matter_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def test(self: Registry, entry: Entry) -> None:
        entry.flags |= AlgFlag.TESTED

    tested = subject(plain())
    monkeypatch.setattr(Registry, "_test", test)
    assert messages(registry_conduct.failed_self_test, tested) == ["usable without its self-test"]
    assert messages(registry_conduct.self_test, tested) == ["registered without a self-test"]


def test_a_transform_that_is_not_given_back_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    tested = subject(plain())
    monkeypatch.setattr(Allocation, "free", lambda self, tfm: None)
    assert messages(registry_conduct.listing, tested) == ["wrong refcnt in /proc/crypto"]


# Drivers that lie.


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"setkey": lambda tfm, key: -errno.EIO}, "self-test: setkey fails"),
        ({"encrypt": lambda request: -errno.EIO}, "self-test: the request fails"),
        ({"encrypt": lambda request: -errno.EINPROGRESS}, "self-test: the request fails"),
        ({"encrypt": lambda request: 0}, "self-test: wrong output"),
        ({"init": lambda tfm: -errno.ENOMEM}, "self-test: allocation fails"),
    ],
    ids=["setkey", "status", "silence", "output", "init"],
)
def test_a_driver_that_fails_its_self_test_is_found(changes: dict[str, Any], message: str) -> None:
    assert messages(registry_conduct.self_test, subject(plain(**changes))) == [message]


def test_a_priority_beyond_the_policy_is_found() -> None:
    def register(machine: Machine) -> None:
        machine.registry.register(mine(machine, cra_flags=AlgFlag.ASYNC))
        machine.attach(
            Accelerator(
                name="slow",
                jobs=lambda: 0,
                supports=lambda name, size: True,
                depth=1,
                ceiling=lambda name: 299 if name == "cbc(aes)" else None,
            )
        )

    found = registry_conduct.priority_policy(subject(register))
    assert [(p.message, p.expected, p.got) for p in found] == [
        ("priority beyond the policy", "at most 299", "300")
    ]


@pytest.fixture
def secretive() -> Subject:
    """It takes a fallback by its driver name, and does not say that it needs one."""

    def register(machine: Machine) -> None:
        def init(tfm: Any) -> int:
            tfm.ctx = machine.registry.alloc_skcipher("cbc(aes-generic)")
            return 0

        needy(cra_flags=0, init=init)(machine)

    return subject(register)


def test_a_fallback_that_is_not_declared_is_found(secretive: Subject) -> None:
    found = messages(fallback_needs.fallback_taken, secretive)
    assert found == ["a fallback without CRYPTO_ALG_NEED_FALLBACK"]


def test_a_fallback_that_nobody_takes_is_found() -> None:
    tested = subject(plain(cra_flags=AlgFlag.NEED_FALLBACK))
    assert messages(fallback_needs.fallback_taken, tested) == [
        "NEED_FALLBACK, and no fallback is taken"
    ]
    assert messages(fallback_needs.without_a_fallback, tested) == ["usable without a fallback"]


def test_a_fallback_that_needs_one_is_found() -> None:
    def register(machine: Machine) -> None:
        needy(cra_driver_name="cbc-other", cra_priority=900)(machine)

        def init(tfm: Any) -> int:
            tfm.ctx = machine.registry.alloc_skcipher("cbc-other")
            return 0

        needy(init=init)(machine)

    found = messages(fallback_needs.fallback_taken, subject(register))
    assert found == ["a fallback that needs a fallback"]


def test_a_lookup_that_gives_a_driver_to_itself_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    tested = subject(needy())
    original = Registry.lookup

    def blind(self: Registry, name: str, kind: AlgType, type_: int = 0, mask: int = 0) -> Entry:
        return original(self, name, kind, type_, mask & ~AlgFlag.NEED_FALLBACK)

    monkeypatch.setattr(Registry, "lookup", blind)
    found = messages(fallback_needs.lookup_of_a_fallback, tested)
    assert found == ["a fallback that needs a fallback"]


def test_a_transform_left_half_open_is_found() -> None:
    def register(machine: Machine) -> None:
        def init(tfm: Any) -> int:
            machine.memory.alloc(64)
            try:
                tfm.ctx = machine.registry.alloc_skcipher("cbc(aes)", 0, AlgFlag.NEED_FALLBACK)
            except OSError as error:
                return -(error.errno or 0)
            return 0

        needy(init=init)(machine)

    found = messages(fallback_needs.without_a_fallback, subject(register))
    assert found == ["a transform is left half open"]


def test_a_wrapper_is_no_driver_with_a_fallback() -> None:
    def register(machine: Machine) -> None:
        def init(tfm: Any) -> int:
            tfm.ctx = machine.registry.alloc_skcipher("cbc(aes-generic)")
            return 0

        needy(cra_flags=0, init=init, cra_driver_name="wrap(cbc(aes-generic))")(machine)

    tested = subject(register, driver="wrap(cbc(aes-generic))")
    assert fallback_needs.fallback_taken(tested) == []


def test_a_setup_of_the_provider_is_kept_for_the_self_test() -> None:
    seen: list[Setup] = []

    def register(machine: Machine) -> None:
        seen.append(machine.setup)
        plain()(machine)

    tested = subject(register, replace(Setup(), core="linux-6.1"))
    registry_conduct.self_test(tested)
    assert seen[-1].core == "linux-6.1"
    assert seen[-1].selftest is not None


def test_what_raises_is_a_problem_of_its_case() -> None:
    def body() -> list[Problem]:
        raise RuntimeError("planted")

    found = registry_conduct.attempt(Watchdog(5), "case", body)
    assert [problem.message for problem in found] == ["case raised RuntimeError"]
