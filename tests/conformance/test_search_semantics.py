"""The searches under every semantics: right drivers pass, and an engine answers for itself."""

from __future__ import annotations

import errno
from contextlib import AbstractContextManager
from typing import Any

import pytest

from tcrypt.checks import interleavings, world
from tcrypt.engine.api.algorithms import AeadAlg, SkcipherAlg
from tcrypt.engine.api.dma import DmaDirection
from tcrypt.engine.api.flags import AlgType
from tcrypt.engine.api.machine import Machine, Setup
from tcrypt.engine.crypto_engine import CryptoEngine
from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.driver.core import Core
from tcrypt.engine.semantics import PROFILES
from tcrypt.engine.sim import BusError
from tcrypt.mutants.seams import replaced
from tcrypt.plugins import providers as builtin
from tcrypt.plugins.discovery import subjects_of
from tcrypt.plugins.providers import Providers, Register
from tcrypt.problems import Problem
from tcrypt.search.program import Program
from tcrypt.search.runner import Runner
from tcrypt.smallest import Smallest
from tcrypt.watchdog import Watchdog

Planted = AbstractContextManager[None]

# Under these an -ENOSPC on an exactly full queue tells a request that was accepted before.
FIXED_UP = ("guide", "linux-6.1", "linux-6.6", "linux-6.17")
RACE = Program(ring=2, queue=1, steps="o0.o0", tasks="e0.d0+e1", window=1_000_000, preempt=1)


def runner(register: Register, algorithm: str, semantics: str, *, alone: bool = True) -> Runner:
    """What plays one driver's programs on machines of these semantics."""
    providers = Providers()
    providers.add("mine", register)
    (provider,) = providers
    found = next(s for s in subjects_of(provider) if s.algorithm == algorithm)
    return Runner(found.under(Setup(semantics=semantics)), Watchdog(10), alone=alone)


DRIVERS = {
    "retry": (builtin.eip93_tiny_ring, "cbc(aes)"),
    "hash": (builtin.eip93_tiny_ring, "sha1"),
    "template": (builtin.eip93_templates, "cts(cbc(aes))"),
    "fallback": (builtin.eip93_async_fallback, "ctr(aes)"),
}


@pytest.mark.parametrize("semantics", PROFILES)
@pytest.mark.parametrize("who", DRIVERS)
def test_a_right_driver_is_never_accused(who: str, semantics: str) -> None:
    player = runner(*DRIVERS[who], semantics)
    for name, small in interleavings.WORLDS.items():
        outcome = interleavings.search(player, small, 12)
        assert outcome.failing is None, name
    mixed = runner(*DRIVERS[who], semantics, alone=False)
    assert Smallest(mixed.play, 3, 25).search(world.programs()) is None


# What a template cannot help: its second step meets a full queue, or an engine that was stopped.
HELPLESS = {
    "full queue": Program(ring=2, steps="o0.E0/1.e0.e0"),
    "stopped engine": Program(steps="o0.c0.e0.e0.r9.r12.s"),
}


@pytest.mark.parametrize("name", HELPLESS)
@pytest.mark.parametrize("algorithm", ["cts(cbc(aes))", "authenc(hmac(sha256),ctr(aes))"])
def test_a_template_is_not_accused_of_what_its_parts_are_told(name: str, algorithm: str) -> None:
    player = runner(builtin.eip93_templates, algorithm, "linux-6.17")
    assert player.play(HELPLESS[name]) == []


@pytest.mark.parametrize("fault", ["fm1", "fe"])
def test_a_key_may_be_refused_for_the_fault_of_a_request(fault: str) -> None:
    # GCM's hash key is a block of its cipher, which meets the failure that another one waits for.
    player = runner(builtin.eip93_templates, "gcm(aes)", "linux-6.17")
    for steps in (f"o0.{fault}.e0/2.o0", f"o0.{fault}.e0/2.k0.e0"):
        assert player.play(Program(ring=4, queue=4, steps=steps)) == []


def test_a_key_is_not_refused_before_a_fault_strikes() -> None:
    def without_memory(machine: Machine) -> None:
        builtin.eip93_templates(machine)
        name = "gcm_base(ctr(aes-eip93),ghash-generic)"
        alg = machine.registry.find(name, AlgType.AEAD)
        assert isinstance(alg, AeadAlg)
        alg.setkey = lambda tfm, key: -errno.ENOMEM

    (problem,) = runner(without_memory, "gcm(aes)", "linux-6.17").play(Program(steps="o0.fm1"))
    assert problem.message == "key refused"


def asks_for_room() -> Planted:
    """A driver that reads a register before it looks for room: others can come meanwhile."""
    begin = Core.begin

    def ask(self: Core, *arguments: Any) -> Any:
        self.mmio.read32(reg.PE_CD_COUNT)
        return begin(self, *arguments)

    return replaced((Core, "begin", ask))


@pytest.mark.parametrize("semantics", PROFILES)
def test_wedge_j_is_found_where_it_is_and_laid_at_the_engines_door(semantics: str) -> None:
    with asks_for_room():
        player = runner(builtin.eip93_mt7621, "cbc(aes)", semantics)
        outcome = interleavings.search(player, RACE, 1_500)
    if semantics not in FIXED_UP:
        assert outcome.failing is None
        return
    assert outcome.failing is not None
    first = outcome.failing[1][0]
    assert (first.message, first.attribution) == ("engine: notice without a backlog", "profile")


def looks_first(machine: Machine) -> None:
    """An EIP-93 whose driver reads a word as the device would, and returns the error of that."""
    builtin.eip93_tiny_ring(machine)
    alg = next(a for a in machine.registry if a.cra_driver_name == "cbc(aes-eip93)")
    assert isinstance(alg, SkcipherAlg)
    start, dma = alg.do_one_request, machine.dma
    assert start is not None

    def do_one_request(engine: CryptoEngine, request: Any) -> int:
        first = request.src.entries[0]
        address = dma.map(first.address, first.length, DmaDirection.TO_DEVICE)
        try:
            dma.read(address, 4)
        except BusError:
            return -errno.EIO
        finally:
            dma.unmap(address, first.length, DmaDirection.TO_DEVICE)
        status: int = start(engine, request)
        return status

    alg.do_one_request = do_one_request


UNREACHABLE = Program(ring=4, queue=2, steps="o0.e0.i.fe.e0.i.e0")


def first_problem(semantics: str) -> Problem | None:
    player = runner(looks_first, "cbc(aes)", semantics)
    first, second = (player.play(UNREACHABLE, timeline=True) for _ in range(2))
    assert first == second, "it is reproduced exactly"
    return first[0] if first else None


def test_the_livelock_of_the_guides_rule_is_found_and_is_the_guides() -> None:
    found = first_problem("guide")
    assert found is not None
    assert (found.message, found.attribution) == ("world never ends", "profile")
    assert any("for ever" in line for line in found.details)


def test_a_driver_that_returns_its_errors_passes_where_that_is_harmless() -> None:
    assert first_problem("fixed") is None


@pytest.mark.parametrize("semantics", [name for name in PROFILES if name.startswith("linux")])
def test_a_driver_that_relies_on_the_guide_is_to_blame_elsewhere(semantics: str) -> None:
    found = first_problem(semantics)
    assert found is not None
    assert (found.message, found.attribution) == ("accepted and never completed", "driver")
