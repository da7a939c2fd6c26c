"""Defects that show only under load: full queues at a second step, many results, torn ones."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from tcrypt.checks import interleavings, retry
from tcrypt.engine.api.requests import AnyRequest
from tcrypt.engine.crypto_engine import CryptoEngine
from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.driver.core import Core
from tcrypt.engine.eip93.driver.jobs import Job
from tcrypt.engine.templates import steps
from tcrypt.mutants.seams import replaced
from tcrypt.plugins import providers as builtin
from tcrypt.plugins.discovery import subjects_of
from tcrypt.plugins.providers import Providers, Register
from tcrypt.recorder import EventSink, Recorder
from tcrypt.reports.events import CaseFailed, Event
from tcrypt.search.runner import Runner
from tcrypt.settings import Settings
from tcrypt.subject import Subject
from tcrypt.vectors.catalogue import Catalogue
from tcrypt.watchdog import Watchdog

Planted = AbstractContextManager[None]


class Failures(EventSink):
    def __init__(self) -> None:
        self.messages: set[str] = set()

    def append(self, event: Event) -> None:
        if isinstance(event, CaseFailed):
            self.messages.add(event.message)


def subject(register: Register, algorithm: str) -> Subject:
    providers = Providers()
    providers.add("mine", register)
    (provider,) = providers
    return next(s for s in subjects_of(provider) if s.algorithm == algorithm)


@pytest.fixture(autouse=True)
def _short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """What never ends is told after fewer events than in a run."""
    monkeypatch.setattr("tcrypt.bench._STEP_BUDGET", 40_000)


def messages(who: Subject, case: str = "") -> set[str]:
    """What the check says of a driver, in all loads or in one."""
    sink, settings = Failures(), Settings(case=case)
    for plan in retry.plans(who, settings, Catalogue(())):
        plan.body(Recorder(sink, plan, settings), Watchdog(10))
    return sink.messages


def flags_dropped() -> Planted:
    """A template asks for the second step without the caller's flags."""
    completed = steps._Run._completed

    def dropped(self: steps._Run, number: int, status: int) -> None:
        self._flags = 0
        completed(self, number, status)

    return replaced((steps._Run, "_completed", dropped))


def refused_twice() -> Planted:
    """A template tells a refusal of the second step, and tells it again."""
    go_on = steps._Run._go_on

    def told(self: steps._Run) -> int:
        status = go_on(self)
        if status < 0 and not self._accepted(status):
            self._complete(self._data, status)
        return status

    return replaced((steps._Run, "_go_on", told))


def cut_to_8_bits() -> Planted:
    """The driver acknowledges as many results as the register takes at once, and no more."""

    def acknowledge(self: Core, count: int) -> None:
        if count:
            self.mmio.write32(reg.PE_RD_COUNT, min(count, reg.COUNT_STEP))

    return replaced((Core, "_acknowledge", acknowledge))


def room_for_one() -> Planted:
    """The driver starts what the ring has no room for, as long as one descriptor fits."""
    begin = Core.begin

    def hopes(
        self: Core, request: AnyRequest, count: int, finish: Callable[[Job, int], None]
    ) -> Job | None:
        return begin(self, request, min(count, 1), finish)

    return replaced((Core, "begin", hopes))


CTS = (builtin.eip93_templates, "cts(cbc(aes))")
LARGE = (builtin.eip93_mt7621, "cbc(aes)")
HASH = (builtin.eip93_mt7621, "sha1")
TINY = (builtin.eip93_tiny_ring, "cbc(aes)")
PLANTED = {
    "flags dropped": (flags_dropped, CTS, "backlog", "wrong status"),
    "refused twice": (refused_twice, CTS, "late-no-backlog", "completed more than once"),
    "cut to 8 bits": (cut_to_8_bits, LARGE, "no-backlog", "the kernel would warn"),
    "cut to 8 bits, hash": (cut_to_8_bits, HASH, "no-backlog", "the kernel would warn"),
    "room for one": (room_for_one, TINY, "backlog-mixed", "retry never ends"),
}


@pytest.mark.parametrize("who", [CTS, LARGE, HASH, TINY], ids=["cts", "large", "hash", "tiny"])
def test_a_right_driver_bears_every_load(who: tuple[Register, str]) -> None:
    assert messages(subject(*who)) == set()


@pytest.mark.parametrize("name", PLANTED)
def test_a_load_shows_it(name: str) -> None:
    plant, who, load, message = PLANTED[name]
    driver = subject(*who)
    with plant():
        assert message in messages(driver, load)


def gives_up() -> Planted:
    """A result that is not ready yet ends the tasklet, and nobody looks again."""
    done = Core.done_task

    def done_task(self: Core) -> None:
        count = self.mmio.read32(reg.PE_RD_COUNT) & reg.COUNT_VALUE
        finished, stalled = self.take_results(count)
        for job in finished:
            self.complete(job)
        if not stalled:
            done(self)

    return replaced((Core, "done_task", done_task))


def never_stopped() -> Planted:
    """An engine that was stopped goes on accepting."""
    transfer = CryptoEngine.transfer

    def accepting(self: CryptoEngine, request: AnyRequest) -> int:
        running, self.running = self.running, True
        status = transfer(self, request)
        self.running = running
        return status

    return replaced((CryptoEngine, "transfer", accepting))


WORLDS = {"torn-results": gives_up, "stopped": never_stopped}


@pytest.mark.parametrize("world", WORLDS)
def test_a_small_world_shows_it_within_the_runs_of_the_quick_profile(world: str) -> None:
    with WORLDS[world]():
        runner = Runner(subject(*LARGE), Watchdog(10), alone=True)
        outcome = interleavings.search(runner, interleavings.WORLDS[world], 8)
    assert outcome.failing is not None
    assert outcome.failing[1][0].message == "accepted and never completed"
