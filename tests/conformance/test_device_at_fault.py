"""A device that does nothing is told apart from a driver that gave it nothing to do."""

from __future__ import annotations

import pytest

from tcrypt.cipher_bench import CipherBench
from tcrypt.engine import software
from tcrypt.engine.api.flags import AlgType
from tcrypt.engine.api.machine import Machine, Setup
from tcrypt.engine.eip93.driver.core import Core
from tcrypt.engine.eip93.driver.own_queue import OwnQueue
from tcrypt.engine.eip93.sequencer import Sequencer
from tcrypt.layouts import CIPHER_LAYOUTS
from tcrypt.oracle import SkcipherReference, reference
from tcrypt.plugins import providers
from tcrypt.problems import Problem
from tcrypt.specs import SkcipherSpec
from tcrypt.subject import Provider, Subject
from tcrypt.watchdog import Watchdog

_DIRECT = pytest.mark.parametrize("direct", [False, True], ids=["crypto_engine", "own-queue"])


def verdict(*, direct: bool) -> Problem:
    """What the bench says of one request to an EIP-93."""

    def build(setup: Setup) -> Machine:
        machine = Machine(setup=setup)
        software.register(machine)
        (providers.eip93_direct if direct else providers.eip93_mt7621)(machine)
        return machine

    provider = Provider("mine", build, setup=Setup())
    alg = provider.boot().registry.find("cbc(aes-eip93)", AlgType.SKCIPHER)
    cbc = reference("cbc(aes)")
    assert isinstance(cbc, SkcipherReference)
    bench = CipherBench(Subject(provider, alg), Watchdog(10))
    found = bench.check(SkcipherSpec("enc", 16, 32).case(cbc), CIPHER_LAYOUTS[0])
    assert found[0].message == "accepted and never completed"
    return found[0]


@_DIRECT
def test_a_device_that_forgets_its_doorbell(monkeypatch: pytest.MonkeyPatch, direct: bool) -> None:
    def deaf(self: Sequencer, value: int) -> None:
        self._rings.add_commands(value)

    monkeypatch.setattr(Sequencer, "doorbell", deaf)
    found = verdict(direct=direct)
    assert found.attribution == "device"
    assert found.details[-1].endswith(" was given 1 jobs and does nothing")


@_DIRECT
def test_a_driver_that_never_rings(monkeypatch: pytest.MonkeyPatch, direct: bool) -> None:
    monkeypatch.setattr(Core, "ring_doorbell", lambda self, count: None)
    found = verdict(direct=direct)
    assert found.attribution == "driver"
    assert "no device has a job that it could go on with" in found.details


def test_a_driver_that_keeps_a_request_in_its_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OwnQueue, "_try", lambda self, request: -28)
    assert verdict(direct=True).attribution == "driver"
