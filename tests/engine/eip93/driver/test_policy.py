"""The fallback policy as data: thresholds by key size, and key sizes that are refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tcrypt.engine.api.machine import Machine
from tcrypt.engine.eip93.driver.policy import (
    MAINLINE,
    OPENWRT,
    OPENWRT_INTENDED,
    OUT_OF_TREE_2020,
    FallbackPolicy,
    Reason,
)
from tcrypt.engine.eip93.variants import AES128_ONLY, MT7621, Variant
from tcrypt.plugins.eip93 import attach_eip93
from tcrypt.plugins.providers import Providers
from tcrypt.plugins.session import TcryptSession
from tcrypt.recorder import EventSink
from tcrypt.reports.events import CaseFailed, CasesPassed, Event
from tcrypt.settings import Selection, Settings
from tcrypt.vectors.catalogue import Catalogue
from tests.engine.eip93.driver.edge_cases import CBC, IV, RFC3686, crypted, rfc3686, text

if TYPE_CHECKING:
    from tests.engine.eip93.driver.conftest import Rig

    MakeRig = Callable[..., Rig]

_LEFT = {
    "mainline": (MAINLINE, "ctr(aes)", {16: 0, 24: 0, 32: 0}),
    "openwrt": (OPENWRT, "ctr(aes)", {16: 512, 24: 512, 32: 512}),
    "openwrt rfc3686": (OPENWRT, RFC3686, {16: 0, 24: 0, 32: 0}),
    "openwrt as intended": (OPENWRT_INTENDED, "ctr(aes)", {16: 512, 24: 256, 32: 256}),
    "out of tree": (OUT_OF_TREE_2020, "ctr(aes)", {16: 256, 24: 256, 32: 256}),
    "out of tree rfc3686": (OUT_OF_TREE_2020, RFC3686, {16: 256, 24: 256, 32: 256}),
    "one size only": (FallbackPolicy(by_key_size={24: 33}), "ctr(aes)", {16: 0, 24: 33, 32: 0}),
    "all but one": (
        FallbackPolicy(33, by_key_size={24: 0}),
        "ctr(aes)",
        {16: 33, 24: 0, 32: 33},
    ),
}


@pytest.mark.parametrize("size", [16, 24, 32])
@pytest.mark.parametrize("name", list(_LEFT))
def test_requests_up_to_the_threshold_of_the_key_size_are_left_to_software(
    make_rig: MakeRig, name: str, size: int
) -> None:
    policy, algorithm, thresholds = _LEFT[name]
    rig, key, threshold = make_rig(policy=policy), bytes(range(size)), thresholds[size]
    nonce = b"nonc" if algorithm == RFC3686 else b""
    tfm = rig.tfm(algorithm, key + nonce)
    iv = IV[:8] if nonce else IV
    for length in (threshold - 1, threshold, threshold + 1):
        if length <= 0:
            continue
        rig.driver.core.counters.clear()
        call = rig.caller.crypt(tfm, text(length), iv)
        wanted = rfc3686(key + nonce, iv, text(length)) if nonce else None
        assert call.out == (wanted or crypted("ctr", text(length), key=key))
        left = length <= threshold
        assert (rig.count(Reason.SHORT), rig.hardware) == ((1, 0) if left else (0, 1))


def test_a_new_key_brings_its_own_threshold(make_rig: MakeRig) -> None:
    rig = make_rig(policy=OPENWRT_INTENDED)
    tfm = rig.tfm(CBC)
    for size, software in ((16, 1), (32, 1), (16, 2), (24, 2)):
        tfm.setkey(bytes(size))
        rig.caller.crypt(tfm, text(272), IV)
        assert rig.count(Reason.SHORT) == software


class Cases(EventSink):
    """Remembers what passed, and the messages of what failed."""

    def __init__(self) -> None:
        self.passed: list[str] = []
        self.failed: set[str] = set()

    def append(self, event: Event) -> None:
        if isinstance(event, CaseFailed):
            self.failed.add(event.message)
        elif isinstance(event, CasesPassed):
            self.passed += event.ids


def judged(policy: FallbackPolicy, algorithm: str, check: str, variant: Variant) -> Cases:
    """What a check of the suite says of a driver with this policy."""

    def register(machine: Machine) -> None:
        attach_eip93(machine, variant, policy)

    providers = Providers()
    providers.add("mine", register)
    selection = Selection(algorithms=(algorithm,), checks=(check,))
    session = TcryptSession(
        Settings(profile="quick", selection=selection), providers, Catalogue(())
    )
    session.sink = cases = Cases()
    try:
        for plan in session.plans(check):
            session.run(plan)
    finally:
        session.release()
    return cases


@pytest.mark.parametrize("algorithm", [CBC, "ctr(aes)", RFC3686])
@pytest.mark.parametrize("name", ["openwrt as intended", "one size only", "all but one"])
def test_the_suite_knows_the_thresholds_of_key_sizes(name: str, algorithm: str) -> None:
    found = judged(_LEFT[name][0], algorithm, "fallback", MT7621)
    assert found.failed == set()
    assert found.passed


def test_the_suite_sees_a_threshold_that_is_not_the_key_sizes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As in OpenWrt's patch, whose test of the key size is always true (eip93, section 5.5)."""
    rule = FallbackPolicy.threshold
    always = lambda self, algorithm, key_size: rule(self, algorithm, 16)  # noqa: E731
    monkeypatch.setattr(FallbackPolicy, "threshold", always)
    found = judged(OPENWRT_INTENDED, CBC, "fallback", MT7621)
    assert found.failed == {"the wrong engine did the work"}


@pytest.mark.parametrize("check", ["registration", "keys", "boundaries", "fallback"])
@pytest.mark.parametrize("algorithm", ["cbc(des)", "sha256"])
def test_refusing_keys_of_aes_changes_nothing_else(algorithm: str, check: str) -> None:
    found = judged(MAINLINE, algorithm, check, AES128_ONLY)
    assert found.passed
    assert found.failed == set()


@pytest.mark.parametrize(
    ("check", "said"),
    [
        ("registration", {"wrong max_keysize"}),
        ("keys", {"key refused", "operation without a usable key"}),
        ("fallback", {"key or tag size refused"}),
        ("sequences", {"key or tag size refused"}),
        ("faults", set()),
    ],
)
def test_the_suite_says_of_refused_keys_what_the_kernels_self_tests_say(
    check: str, said: set[str]
) -> None:
    """They have keys of every size, and fail with -EINVAL (eip93, section 10).

    A length beyond the registered ones is refused by the core, which keeps the key before it.
    """
    found = judged(MAINLINE, CBC, check, AES128_ONLY)
    assert found.failed == said
    assert found.passed, "and what it can do is right"


def test_on_a_device_with_every_key_size_nothing_is_refused() -> None:
    assert judged(MAINLINE, CBC, "keys", MT7621).failed == set()
