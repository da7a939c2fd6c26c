"""Drivers that do without crypto_engine: what cannot be asked of them is named, never passed."""

from __future__ import annotations

import errno
from collections.abc import Callable
from functools import partial

import pytest

from tcrypt.engine.api.machine import Machine
from tcrypt.engine.api.requests import AnyRequest
from tcrypt.engine.eip93.driver.own_queue import OwnQueue
from tcrypt.engine.eip93.variants import TINY_RING
from tcrypt.plugins.eip93 import attach_eip93
from tcrypt.plugins.providers import Providers
from tcrypt.plugins.session import TcryptSession
from tcrypt.recorder import EventSink
from tcrypt.reports.events import CaseFailed, CasesSet, Event
from tcrypt.settings import Selection, Settings
from tcrypt.vectors.catalogue import Catalogue

_NO_ENGINE = "no crypto_engine: "


class Seen(EventSink):
    """Remembers what failed, and why what did not run."""

    def __init__(self) -> None:
        self.failed: list[str] = []
        self.reasons: list[str] = []

    def append(self, event: Event) -> None:
        if isinstance(event, CaseFailed):
            self.failed.append(event.message)
        elif isinstance(event, CasesSet) and event.verdict == "not-applicable":
            self.reasons.append(event.reason)


def run(register: Callable[[Machine], None], check: str) -> Seen:
    """Run one check on cbc(aes)."""
    providers = Providers()
    providers.add("mine", register)
    chosen = Selection(algorithms=("cbc(aes)",), checks=(check,))
    session = TcryptSession(Settings(profile="quick", selection=chosen), providers, Catalogue(()))
    session.sink = seen = Seen()
    try:
        for plan in session.plans(check):
            session.run(plan)
    finally:
        session.release()
    return seen


direct = partial(attach_eip93, variant=TINY_RING, mode="direct")
engine = partial(attach_eip93, variant=TINY_RING)


@pytest.mark.parametrize(
    ("check", "reason"),
    [
        ("retry", "there is none to stop while requests wait"),
        ("interleavings", "there is none to stop and start"),
        ("world", "steps that stop and start engines do nothing"),
    ],
)
def test_what_needs_an_engine_is_not_applicable_and_the_rest_is_judged(
    check: str, reason: str
) -> None:
    seen = run(direct, check)
    assert seen.failed == []
    assert set(seen.reasons) == {f"{_NO_ENGINE}{reason}"}
    assert not [other for other in run(engine, check).reasons if _NO_ENGINE in other]


def uncounted(machine: Machine) -> None:
    """The same driver, which keeps for itself how often it had no room."""
    direct(machine)
    object.__setattr__(machine.accelerators[0], "full", None)


def test_full_hardware_that_nobody_counts_is_not_applicable() -> None:
    assert f"{_NO_ENGINE}nobody counts how often the hardware had no room" in (
        run(uncounted, "retry").reasons
    )


def test_hardware_that_was_never_full_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver that queues what it could start has never seen its ring full."""
    start, finalize = OwnQueue._try, OwnQueue.finalize
    started: list[AnyRequest] = []

    def one_at_a_time(self: OwnQueue, request: AnyRequest) -> int:
        if started:
            return -errno.ENOSPC
        started.append(request)
        return start(self, request)

    def done(self: OwnQueue, request: AnyRequest, status: int) -> None:
        started.clear()
        finalize(self, request, status)

    monkeypatch.setattr(OwnQueue, "_try", one_at_a_time)
    monkeypatch.setattr(OwnQueue, "finalize", done)
    assert "the hardware was never full" in run(direct, "retry").failed
