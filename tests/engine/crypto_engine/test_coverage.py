"""The table of states and events holds: what happens is possible, what is possible happens.

Random walks of a driver that keeps the rules, over hardware of one or two places that is now and
then full, or fails.
"""

from __future__ import annotations

import errno
import random
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tcrypt.engine import coverage, crypto_engine
from tcrypt.engine.api.algorithms import SkcipherAlg
from tcrypt.engine.api.flags import ReqFlag
from tcrypt.engine.api.machine import Machine, Setup
from tcrypt.engine.coverage import EVENTS, STATES
from tcrypt.engine.coverage_table import impossible, table
from tcrypt.engine.crypto_engine import CryptoEngine
from tcrypt.engine.semantics import PROFILES
from tcrypt.engine.sim import Context

_EIO, _ENOSPC, _EINPROGRESS = -errno.EIO, -errno.ENOSPC, -errno.EINPROGRESS
_STEPS = 40
_SEEDS = 1_000


def _ok(*arguments: Any) -> int:
    return 0


class Walk:
    """One engine, its driver and hardware, and a number of random steps."""

    def __init__(self, profile: str, *, retry: bool, batch: bool, seed: int) -> None:
        self.draw = draw = random.Random(seed)
        self.machine = Machine(setup=Setup(semantics=profile))
        self.sim = self.machine.sim
        self.engine = engine = CryptoEngine(
            self.machine,
            "walk",
            retry_support=retry,
            qlen=2,
            do_batch=self.batch if batch else None,
        )
        self.depth = draw.choice((1, 2))
        self.error_rate = draw.choice((0.0, 0.1, 0.5))
        self.in_hardware: list[Any] = []
        engine.prepare_crypt_hardware = self.prepare
        engine.unprepare_crypt_hardware = _ok
        self.alg = SkcipherAlg(
            cra_name="cbc(aes)",
            cra_driver_name="cbc-walk",
            cra_priority=1,
            min_keysize=0,
            max_keysize=0,
            setkey=_ok,
            encrypt=_ok,
            decrypt=_ok,
            do_one_request=self.start,
            prepare_request=self.prepare,
        )
        engine.register(self.alg)
        self.tfm = self.machine.registry.alloc_skcipher("cbc-walk")

    def prepare(self, *arguments: Any) -> int:
        return _EIO if self.error_rate and self.draw.random() < 0.2 else 0

    def start(self, engine: CryptoEngine, request: Any) -> int:
        if self.draw.random() < self.error_rate:
            return self.draw.choice((_EIO, _EINPROGRESS))
        what = self.draw.random()
        if what < 0.1:
            self.finalize_now(request)
            return 0
        if what < 0.2:
            self.transfer()
        if what > 0.97 or len(self.in_hardware) >= self.depth:
            return _ENOSPC
        self.in_hardware.append(request)
        return 0

    def batch(self, engine: CryptoEngine) -> int:
        if engine.semantics.batch == "after-pump":
            return 0
        while len(self.in_hardware) < self.depth:
            request = engine.queue.dequeue()
            if request is None:
                return 0
            self.in_hardware.append(request)
        return _ENOSPC if len(engine.queue) else 0

    def transfer(self) -> None:
        request = self.tfm.request()
        another = self.draw.random() < 0.3

        def done(data: Any, status: int) -> None:
            if another and status != _EINPROGRESS:
                self.transfer()

        flags = int(ReqFlag.MAY_BACKLOG) if self.draw.random() < 0.6 else 0
        request.set_callback(flags, done, None)
        self.engine.transfer(request)

    def burst(self) -> None:
        for _ in range(4):
            self.transfer()

    def finalize_now(self, request: Any) -> None:
        self.sim.local_bh_disable()
        self.engine.finalize(request, self.draw.choice((0, 0, _EIO)))
        self.sim.local_bh_enable()

    def finalize(self) -> None:
        if self.in_hardware:
            self.finalize_now(self.in_hardware.pop(0))

    def run(self) -> None:
        delay = self.engine.semantics.retry_delay
        self.sim.run(deadline=self.sim.now + self.draw.choice((0, 1_000, 3_000, 5_000 + delay)))

    def stop(self) -> None:
        for _ in range(self.draw.choice((0, 1, 3))):
            when = self.draw.randrange(9_000)
            self.sim.schedule(when, Context.SOFTIRQ, "done", self.finalize)
        if self.draw.random() < 0.3:
            when = self.draw.randrange(9_000)
            self.sim.schedule(when, Context.SOFTIRQ, "submit", self.transfer)
        self.engine.stop()

    def leave(self) -> None:
        self.machine.registry.free(self.tfm)
        self.machine.registry.unregister(self.alg)
        self.engine.exit()
        for _ in range(4):
            self.draw.choice((self.transfer, self.finalize, self.engine.stop, self.run))()

    def go(self) -> None:
        usual = [self.transfer] * 3 + [self.burst] + [self.run] * 4 + [self.finalize] * 3
        if self.draw.random() < 0.9:
            self.engine.start()
        for _ in range(_STEPS):
            what = self.draw.random()
            if what < 0.005:
                self.leave()
                return
            if what < 0.03:
                self.engine.start()
            elif what < 0.06:
                self.stop()
            else:
                self.draw.choice(usual)()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Lets stop give up sooner, but after everything has run that needs no hardware."""

    def set_up(profile: str) -> None:
        delay = PROFILES[profile].retry_delay
        monkeypatch.setattr(crypto_engine, "_STOP_POLLS", 3)
        monkeypatch.setattr(crypto_engine, "_STOP_POLL_NS", 20_000 + 2 * delay)

    return set_up


def _walked(profile: str) -> Counter[tuple[str, str]]:
    """What engines of all kinds have met, as far as their driver kept the rules."""
    total: Counter[tuple[str, str]] = Counter()
    for retry, batch in ((True, False), (True, True), (False, False)):
        for seed in range(_SEEDS):
            walk = Walk(profile, retry=retry, batch=batch, seed=seed)
            walk.go()
            # After -EINPROGRESS, for instance, a request is done before its driver knows.
            if not any(v.who == "driver" for v in walk.machine.monitor.violations):
                total.update(walk.engine.coverage)
    return total


@pytest.mark.parametrize("profile", PROFILES)
def test_exactly_what_is_possible_happens(profile: str, impatient: Callable[[str], None]) -> None:
    impatient(profile)
    met = _walked(profile)
    rows = list(table(PROFILES[profile]))
    surprises = [row for row in rows if row.reason and met[row.state, row.event]]
    never = [(r.state, r.event) for r in rows if not r.reason and not met[r.state, r.event]]
    assert surprises == []
    assert never == []


@pytest.mark.parametrize("profile", PROFILES)
def test_the_table_has_every_pair_once_with_a_reason_or_without(profile: str) -> None:
    rows = list(table(PROFILES[profile]))
    assert [(r.state, r.event) for r in rows] == [(s, e) for s in STATES for e in EVENTS]
    assert {impossible(PROFILES[profile], "idle", event) == "" for event in EVENTS} == {
        True,
        False,
    }


# Who counts.


@pytest.fixture
def _forgotten() -> Iterator[None]:
    coverage.take("linux-6.17")
    yield
    coverage.take("linux-6.17")


@pytest.mark.usefixtures("_forgotten")
def test_the_engines_of_all_machines_are_collected() -> None:
    for _ in range(200):
        CryptoEngine(Machine(), "device").start()
    assert coverage.take("linux-6.17") == {("stopped", "start"): 200}
    assert coverage.take("linux-6.17") == {}


@pytest.mark.usefixtures("_forgotten")
def test_engines_of_other_semantics_count_for_themselves() -> None:
    CryptoEngine(Machine(setup=Setup(semantics="fixed")), "device").start()
    assert coverage.take("linux-6.17") == {}


def test_an_engine_keeps_its_own_count() -> None:
    engine = CryptoEngine(Machine(), "device")
    engine.start()
    coverage.take("linux-6.17")
    engine.start()
    assert engine.coverage == {("stopped", "start"): 1, ("idle", "start refused"): 1}
