"""What check `keys` finds: weak keys, lost keys, broken clones, key bytes in memory."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

import pytest

from tcrypt.checks import keys
from tcrypt.checks.common import reference_for
from tcrypt.checks.key_memory import secrets_of
from tcrypt.cover.sampling import begin
from tcrypt.engine import software
from tcrypt.engine.api.algorithms import AnyAlg, ShashAlg
from tcrypt.engine.api.flags import AlgType, ReqFlag
from tcrypt.engine.api.machine import Machine, Setup
from tcrypt.engine.api.shash import ahash_view
from tcrypt.oracle import SEMI_WEAK_DES_KEYS, WEAK_DES_KEYS, reference
from tcrypt.plan import Plan
from tcrypt.recorder import EventSink, Recorder
from tcrypt.reports.events import CaseFailed, Event
from tcrypt.settings import Settings
from tcrypt.subject import Provider, Subject
from tcrypt.watchdog import Watchdog

_STRICT = int(ReqFlag.FORBID_WEAK_KEYS)
_SEMI = "weak-8-semi-forbidden"
Change = Callable[[Any, Machine], dict[str, Any]]


class Failed(EventSink):
    """Remembers which cases failed, and how."""

    def __init__(self) -> None:
        self.cases: dict[str, str] = {}

    def append(self, event: Event) -> None:
        if isinstance(event, CaseFailed):
            self.cases[event.case] = event.message


def failures(name: str, kind: AlgType, change: Change) -> dict[str, str]:
    """Run the check on a generic with changes; which cases failed, and how."""

    def build(setup: Setup) -> Machine:
        machine = Machine(setup=setup)
        software.register(machine)
        generic: Any = machine.registry.find(name, kind)
        if isinstance(generic, ShashAlg):
            generic = ahash_view(generic)
        alg: AnyAlg = generic.variant(cra_driver_name="mine", **change(generic, machine))
        machine.registry.register(alg)
        return machine

    provider = Provider("mine", build)
    subject = Subject(provider, next(iter(provider.boot().registry)))
    assert reference_for(subject) is not None
    begin([subject])
    (plan,) = keys.plans(subject, Settings(), None)  # type: ignore[arg-type]
    assert isinstance(plan, Plan)
    sink = Failed()
    plan.body(Recorder(sink, plan, Settings()), Watchdog(10))
    return sink.cases


def unchanged(alg: Any, machine: Machine) -> dict[str, Any]:
    return {}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("cbc(aes)", AlgType.SKCIPHER),
        ("cbc(des3_ede)", AlgType.SKCIPHER),
        ("ecb(des)", AlgType.SKCIPHER),
        ("xts(aes)", AlgType.SKCIPHER),
        ("authenc(hmac(sha1),cbc(aes))", AlgType.AEAD),
    ],
)
def test_a_good_driver_passes(name: str, kind: AlgType) -> None:
    assert failures(name, kind, unchanged) == {}


def test_a_weak_key_that_is_accepted_is_found() -> None:
    def change(alg: Any, machine: Machine) -> dict[str, Any]:
        def setkey(tfm: Any, key: bytearray) -> int:
            flags, tfm.flags = tfm.flags, tfm.flags & ~_STRICT
            status: int = alg.setkey(tfm, key)
            tfm.flags = flags
            return status

        return {"setkey": setkey}

    found = failures("xts(aes)", AlgType.SKCIPHER, change)
    assert found["weak-32-halves-forbidden"] == "key accepted that must be refused"
    assert all(case.endswith("-forbidden") for case in found)


@pytest.mark.parametrize(
    ("known", "missed"),
    [
        (frozenset(WEAK_DES_KEYS + SEMI_WEAK_DES_KEYS), 16),
        (frozenset(key[:-1] + bytes([key[-1] ^ 1]) for key in WEAK_DES_KEYS), 12),
    ],
    ids=["parity bits count", "no semi-weak keys"],
)
def test_a_list_of_weak_des_keys_that_is_too_short_is_found(
    known: frozenset[bytes], missed: int
) -> None:
    def change(alg: Any, machine: Machine) -> dict[str, Any]:
        def setkey(tfm: Any, key: bytearray) -> int:
            if tfm.flags & _STRICT and bytes(key) in known:
                return -errno.EINVAL
            flags, tfm.flags = tfm.flags, tfm.flags & ~_STRICT
            status: int = alg.setkey(tfm, key)
            tfm.flags = flags
            return status

        return {"setkey": setkey}

    found = failures("cbc(des)", AlgType.SKCIPHER, change)
    listed = [case for case in found if case not in ("weak-8-des-forbidden", _SEMI)]
    assert len(listed) == missed
    assert {found[case] for case in listed} == {"key accepted that must be refused"}


def test_a_weak_key_that_is_refused_although_allowed_is_found() -> None:
    def change(alg: Any, machine: Machine) -> dict[str, Any]:
        def setkey(tfm: Any, key: bytearray) -> int:
            first, second = key[:8], key[8:16]
            return -errno.EINVAL if first == second else int(alg.setkey(tfm, key))

        return {"setkey": setkey}

    found = failures("cbc(des3_ede)", AlgType.SKCIPHER, change)
    assert found["weak-24-first-two"] == "key refused"
    assert not [case for case in found if case.endswith("-forbidden")]


def test_a_key_that_a_refused_length_takes_away_is_found() -> None:
    def change(alg: Any, machine: Machine) -> dict[str, Any]:
        return {"min_keysize": 1, "max_keysize": 200}

    found = failures("cbc(aes)", AlgType.SKCIPHER, change)
    assert found["length-refused"] == "wrong status"


def test_key_bytes_in_memory_are_found_in_the_case_that_left_them() -> None:
    def change(alg: Any, machine: Machine) -> dict[str, Any]:
        place = machine.memory.alloc(64)

        def setkey(tfm: Any, key: bytearray) -> int:
            status: int = alg.setkey(tfm, key)
            if not status:
                machine.memory.write(place, bytes(key))
            return status

        return {"setkey": setkey}

    found = failures("cbc(aes)", AlgType.SKCIPHER, change)
    assert found == {
        "wiped-freed": "key of a freed transform left in memory",
        "wiped-refused-key": "key left in memory after a refused one",
    }


@pytest.mark.parametrize("secret", ["cipher key", "key block with 0x36", "outer state"])
@pytest.mark.parametrize("turned", ["", ", words reversed"])
def test_every_form_of_a_key_is_known(secret: str, turned: str) -> None:
    name = "cbc(aes)" if secret == "cipher key" else "hmac(sha1)"
    known = reference(name)
    assert known is not None
    forms = dict(secrets_of(known, bytes(range(32))))
    assert len(forms[secret + turned]) >= 4
    if not turned:
        assert forms[secret] != forms[f"{secret}, words reversed"]


@pytest.mark.parametrize(
    ("clone_tfm", "failed"),
    [
        (None, {}),
        (lambda new, old: -errno.ENOSYS, {}),
        (lambda new, old: -errno.EINVAL, {"clone": "clone refused"}),
        (lambda new, old: 0, {}),
        (lambda new, old: setattr(new, "ctx", old.ctx) or 0, {"clone": "wrong digest"}),
    ],
    ids=["none", "cannot", "refuses", "copied", "shared"],
)
def test_a_clone_must_work_or_say_that_there_is_none(
    clone_tfm: Any, failed: dict[str, str]
) -> None:
    """Where both transforms share what is keyed, a key for the one is one for the other."""
    found = failures("hmac(sha1)", AlgType.AHASH, lambda alg, machine: {"clone_tfm": clone_tfm})
    assert found == failed


def test_a_good_clone_passes() -> None:
    assert failures("hmac(sha1)", AlgType.AHASH, unchanged) == {}


@pytest.mark.parametrize("name", ["cbc(des3_ede)", "xts(aes)"])
def test_a_driver_that_forgets_fips_mode_is_found(name: str) -> None:
    def change(alg: Any, machine: Machine) -> dict[str, Any]:
        def setkey(tfm: Any, key: bytearray) -> int:
            strict, machine.setup = machine.setup, Setup()
            status: int = alg.setkey(tfm, key)
            machine.setup = strict
            return status

        return {"setkey": setkey}

    found = failures(name, AlgType.SKCIPHER, change)
    in_fips = {case: what for case, what in found.items() if case.startswith("fips-")}
    assert in_fips
    assert set(in_fips.values()) == {"key accepted that must be refused"}
