"""What check `registration` finds in drivers whose transforms do not live and fail cleanly."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

import pytest

from tcrypt.checks import registration, transform_lives
from tcrypt.engine import software
from tcrypt.engine.api.flags import AlgFlag, AlgType
from tcrypt.engine.api.machine import Accelerator, Machine, Setup
from tcrypt.engine.api.memory import Memory
from tcrypt.problems import Problem
from tcrypt.recorder import EventSink, Recorder
from tcrypt.reports.events import CaseFailed, Event
from tcrypt.settings import Settings
from tcrypt.subject import Provider, Subject
from tcrypt.vectors.catalogue import Catalogue
from tcrypt.watchdog import Watchdog

_ENOMEM = -errno.ENOMEM
_RECORD = 64


class Careful:
    """A driver over the generic CBC: a record in init, one more in setkey, and a fallback.

    Misdeeds are methods that a subclass replaces.
    """

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.memory: Memory = machine.memory
        self.registry = machine.registry

    def alg(self) -> Any:
        generic = self.registry.find("cbc(aes)", AlgType.SKCIPHER)
        return generic.variant(
            cra_driver_name="cbc-careful",
            cra_priority=300,
            cra_flags=AlgFlag.NEED_FALLBACK,
            init=self.init,
            exit=self.exit,
            setkey=self.setkey,
            encrypt=self.encrypt,
            decrypt=self.encrypt,
        )

    def init(self, tfm: Any) -> int:
        record = 0
        try:
            record = self.memory.alloc(_RECORD)
            fallback = self.registry.alloc_skcipher("cbc(aes)", 0, AlgFlag.NEED_FALLBACK)
        except (OSError, MemoryError) as error:
            if record:
                self.forget(record)
            return -(getattr(error, "errno", 0) or errno.ENOMEM)
        tfm.ctx = {"record": record, "fallback": fallback, "key": 0}
        return 0

    def exit(self, tfm: Any) -> None:
        self.registry.free(tfm.ctx["fallback"])
        for name in ("record", "key"):
            if tfm.ctx[name]:
                self.memory.free(tfm.ctx[name])

    def forget(self, record: int) -> None:
        self.memory.free(record)

    def setkey(self, tfm: Any, key: bytearray) -> int:
        try:
            schedule = self.memory.alloc(_RECORD)
        except MemoryError:
            return _ENOMEM
        status = self.key_fallback(tfm, bytes(key))
        if status:
            self.forget(schedule)
            return status
        if tfm.ctx["key"]:
            self.memory.free(tfm.ctx["key"])
        tfm.ctx["key"] = schedule
        return 0

    def key_fallback(self, tfm: Any, key: bytes) -> int:
        try:
            tfm.ctx["fallback"].setkey(key)
        except OSError as error:
            return -(error.errno or 0)
        return 0

    def encrypt(self, request: Any) -> int:
        fallback = request.tfm.ctx["fallback"]
        inner = fallback.request()
        inner.set_callback(request.flags, request.complete, request.data)
        inner.set_crypt(request.src, request.dst, request.cryptlen, request.iv)
        return int(fallback.encrypt(inner))


class KeepsItsFallback(Careful):
    def exit(self, tfm: Any) -> None:
        self.memory.free(tfm.ctx["record"])
        if tfm.ctx["key"]:
            self.memory.free(tfm.ctx["key"])


class KeepsOneForAll(Careful):
    """No misdeed: a transform of its own, taken once and kept."""

    shared: Any = None

    def init(self, tfm: Any) -> int:
        if self.shared is None:
            self.shared = self.registry.alloc_shash("sha1")
        return super().init(tfm)


class LeaksWhenItFails(Careful):
    def forget(self, record: int) -> None:
        pass


class SwallowsTheFallbacksErrno(Careful):
    def key_fallback(self, tfm: Any, key: bytes) -> int:
        super().key_fallback(tfm, key)
        return 0


class ReplacesTheFallbacksErrno(Careful):
    def key_fallback(self, tfm: Any, key: bytes) -> int:
        return -errno.EINVAL if super().key_fallback(tfm, key) else 0


class BreaksForGood(Careful):
    """After one setkey that failed, no later one reaches the fallback."""

    failed = False

    def key_fallback(self, tfm: Any, key: bytes) -> int:
        return 0 if self.failed else super().key_fallback(tfm, key)

    def setkey(self, tfm: Any, key: bytearray) -> int:
        status = super().setkey(tfm, key[::-1] if self.failed else key)
        self.failed = self.failed or bool(status)
        return status


def subject(driver: type[Careful], attach: Callable[[Machine], None] | None = None) -> Subject:
    def build(setup: Setup) -> Machine:
        machine = Machine(setup=setup)
        software.register(machine)
        machine.registry.register(driver(machine).alg())
        if attach is not None:
            attach(machine)
        return machine

    provider = Provider("careful", build, setup=Setup())
    names = {alg.cra_driver_name: alg for alg in provider.boot().registry}
    return Subject(provider, names["cbc-careful"])


def setkey_fails(tested: Subject) -> list[Problem]:
    return transform_lives.setkey_fails(tested, Watchdog(10))


Case = Callable[[Subject], list[Problem]]
_REFERENCES, _INIT = transform_lives.references_kept, transform_lives.init_fails


@pytest.mark.parametrize("case", [_REFERENCES, _INIT, setkey_fails])
@pytest.mark.parametrize("driver", [Careful, KeepsOneForAll])
def test_careful_drivers_pass(case: Case, driver: type[Careful]) -> None:
    assert case(subject(driver)) == []


@pytest.mark.parametrize(
    ("driver", "case", "message"),
    [
        (KeepsItsFallback, _REFERENCES, "users left behind by a freed transform"),
        (LeaksWhenItFails, _INIT, "a step that failed leaves something"),
        (LeaksWhenItFails, setkey_fails, "a step that failed leaves something"),
        (
            SwallowsTheFallbacksErrno,
            setkey_fails,
            "wrong status of a key that the fallback refused",
        ),
        (
            ReplacesTheFallbacksErrno,
            setkey_fails,
            "wrong status of a key that the fallback refused",
        ),
        (BreaksForGood, setkey_fails, "wrong output"),
    ],
)
def test_each_misdeed_is_found(driver: type[Careful], case: Case, message: str) -> None:
    assert [found.message for found in case(subject(driver))] == [message]


def test_users_left_behind_are_named() -> None:
    (found,) = _REFERENCES(subject(KeepsItsFallback))
    assert "cbc(aes-generic): 1 users before, 2 after" in found.details


# The flag of drivers whose work a device does.


class _Messages(EventSink):
    def __init__(self) -> None:
        self.found: list[str] = []

    def append(self, event: Event) -> None:
        if isinstance(event, CaseFailed):
            self.found.append(event.message)


def flag_problems(tested: Subject) -> list[str]:
    settings = Settings(case="kern-driver-only-flag")
    (plan,) = registration.plans(tested, Settings(), Catalogue.load())
    sink = _Messages()
    plan.body(Recorder(sink, plan, settings), Watchdog(10))
    return sink.found


def device(does: int) -> Callable[[Machine], None]:
    """A device that does so many jobs whenever somebody looks."""

    def attach(machine: Machine) -> None:
        jobs = [0]

        def count() -> int:
            jobs[0] += does
            return jobs[0]

        machine.attach(Accelerator(name="d", jobs=count, supports=lambda *_: True, depth=1))

    return attach


class SaysSo(Careful):
    def alg(self) -> Any:
        return super().alg().variant(cra_flags=AlgFlag.NEED_FALLBACK | AlgFlag.KERN_DRIVER_ONLY)


def test_a_driver_whose_work_a_device_does_must_say_so() -> None:
    message = "drives a device without CRYPTO_ALG_KERN_DRIVER_ONLY"
    assert flag_problems(subject(Careful, device(does=1))) == [message]


@pytest.mark.parametrize(
    ("driver", "attach"),
    [(SaysSo, device(does=1)), (Careful, device(does=0)), (Careful, None)],
    ids=["says-so", "idle-device", "no-device"],
)
def test_who_has_no_device_to_tell_of_need_not(
    driver: type[Careful], attach: Callable[[Machine], None] | None
) -> None:
    assert flag_problems(subject(driver, attach)) == []
