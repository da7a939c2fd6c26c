"""The choice of crypto_engine, from the option to machines, commands and report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tcrypt.engine.coverage import EVENTS, STATES
from tcrypt.engine.semantics import DEFAULT, PROFILES
from tcrypt.plugins import options
from tcrypt.plugins.providers import Providers
from tcrypt.plugins.session import TcryptSession
from tcrypt.recorder import EventSink
from tcrypt.reports.events import EngineCoverage, Event
from tcrypt.settings import Selection, Settings
from tcrypt.vectors.catalogue import Catalogue

_TINY = Selection(providers=("eip93-tiny-ring",), drivers=("cbc(aes-eip93)",), checks=("retry",))


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.load()


def session(semantics: str, catalogue: Catalogue, selection: Selection = _TINY) -> TcryptSession:
    providers = Providers()
    providers.add_entry_points()
    settings = Settings(profile="quick", semantics=semantics, selection=selection)
    return TcryptSession(settings, providers, catalogue)


class Kept(EventSink):
    """Keeps what an item records."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def append(self, event: Event) -> None:
        self.events.append(event)


def run(found: TcryptSession) -> list[Event]:
    sink = found.sink = Kept()
    for plan in found.plans("retry"):
        assert found.run(plan).failures == []
    return sink.events


def test_the_option_offers_every_profile_and_has_their_default() -> None:
    values = {name: (default, text) for name, _, default, text in options._VALUES}
    default, text = values["semantics"]
    assert default == DEFAULT == Settings().semantics
    assert all(name in text for name in PROFILES)


@pytest.mark.parametrize("semantics", PROFILES)
def test_the_machines_of_every_driver_have_the_chosen_semantics(
    semantics: str, catalogue: Catalogue
) -> None:
    found = session(semantics, catalogue)
    machine = found.subjects[0].provider.boot()
    assert machine.engines[0].semantics is PROFILES[semantics]


@pytest.mark.parametrize("semantics", [DEFAULT, "linux-5.8"])
def test_a_command_repeats_what_is_not_the_default(semantics: str, catalogue: Catalogue) -> None:
    found = session(semantics, catalogue)
    command = found.settings.command(found.subjects[0], "retry")
    assert (f"--semantics {semantics}" in command) == (semantics != DEFAULT)


def test_the_driver_is_right_under_all_semantics_and_each_meets_its_states(
    catalogue: Catalogue,
) -> None:
    for semantics in PROFILES:
        events = run(session(semantics, catalogue))
        (found,) = [event for event in events if isinstance(event, EngineCoverage)]
        counts: dict[tuple[str, str], int] = {(s, e): n for s, e, n in found.counts}
        assert {state for state, _ in counts} <= set(STATES)
        assert {event for _, event in counts} <= set(EVENTS)
        assert counts["hardware full", "pump, no room"] > 0
        assert counts["waiting, backlog", "transfer backlogged"] > 0


def test_what_one_item_has_met_is_not_counted_for_the_next(catalogue: Catalogue) -> None:
    found = session(DEFAULT, catalogue)
    first, second = (
        [event for event in run(found) if isinstance(event, EngineCoverage)] for _ in range(2)
    )
    assert first == second


def test_a_synchronous_driver_says_nothing_of_an_engine(catalogue: Catalogue) -> None:
    selection = Selection(providers=("software",), drivers=("cbc(aes-generic)",))
    found = session(DEFAULT, catalogue, selection)
    sink = found.sink = Kept()
    found.run(found.plans("registration")[0])
    assert not any(isinstance(event, EngineCoverage) for event in sink.events)


def test_the_report_says_whose_engine_it_was(tcrypt: Any) -> None:
    done = tcrypt.run(
        *("--provider", "eip93-tiny-ring", "--driver", "cbc(aes-eip93)", "--check", "retry"),
        *("--profile", "quick", "--semantics", "linux-5.8"),
    )
    assert done.status == 0
    assert done.report.run.semantics == "linux-5.8"
    assert "linux-5.8" in done.text
    page = (Path(done.folder) / "conformance-report" / "index.html").read_text(encoding="utf-8")
    assert "<dd>linux-5.8</dd>" in page
    assert "States of crypto_engine" in page
    assert sum(pair.count for pair in done.report.engine_pairs) > 100
