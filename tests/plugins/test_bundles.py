"""What pytest runs at once: bundles of items, which lose none and keep drivers apart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tcrypt.engine.api.machine import Machine, Setup
from tcrypt.mutants import plant
from tcrypt.plugins.agenda import CHECKS
from tcrypt.plugins.providers import Providers
from tcrypt.plugins.session import TcryptSession
from tcrypt.recorder import EventSink
from tcrypt.reports.events import CaseFailed, CasesPassed, CasesSet, Event
from tcrypt.settings import Selection, Settings
from tcrypt.vectors.catalogue import Catalogue

pytest_plugins = ("pytester",)
_CBC = Selection(providers=("eip93-*",), algorithms=("cbc(aes)", "cbc(des3_ede)"))


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.load()


def session(catalogue: Catalogue, profile: str = "quick", **more: str) -> TcryptSession:
    providers = Providers()
    providers.add_entry_points()
    settings = Settings(profile=profile, selection=_CBC, **more)
    return TcryptSession(settings, providers, catalogue)


class Kept(EventSink):
    """Keeps what the items record."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def append(self, event: Event) -> None:
        self.events.append(event)


def test_every_item_is_in_one_bundle(catalogue: Catalogue) -> None:
    found = session(catalogue)
    for check in CHECKS:
        bundled = [plan for plans in found.bundles(check).values() for plan in plans]
        assert sorted(p.item for p in bundled) == sorted(p.item for p in found.plans(check))


def test_quick_runs_the_files_of_a_driver_at_once(catalogue: Catalogue) -> None:
    bundles = session(catalogue).bundles("vectors")
    plans = bundles["eip93-mt7621/cbc(aes-eip93)"]
    assert len(plans) > 3
    assert {plan.subject.id for plan in plans} == {"eip93-mt7621/cbc(aes-eip93)"}
    further = {plan.subject.driver for plan in bundles["eip93-tiny-ring"]}
    assert further >= {"cbc(aes-eip93)", "cbc(des3_ede-eip93)"}


def test_default_and_a_run_of_one_vector_have_an_item_each(catalogue: Catalogue) -> None:
    for found in (
        session(catalogue, "default"),
        session(catalogue, vector="curated:skcipher/cbc-aes.yaml#sp800-38a-f.2.1"),
    ):
        assert all(len(plans) == 1 for plans in found.bundles("vectors").values())


def test_a_machine_is_shared_by_the_files_of_one_driver_only(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = session(catalogue)
    booted: list[Setup] = []
    init = Machine.__init__

    def counted(machine: Machine, **more: Setup) -> None:
        booted.append(more["setup"])
        init(machine, **more)

    monkeypatch.setattr(Machine, "__init__", counted)
    plans = found.bundles("vectors")["eip93-tiny-ring"]
    drivers = {plan.subject.driver for plan in plans}
    assert len(plans) > 2 * len(drivers)
    assert not any(record.failures for record in found.run_all(plans))
    assert len(booted) == len(drivers)


def test_each_driver_of_a_bundle_has_its_own_failures(catalogue: Catalogue) -> None:
    found = session(catalogue)
    sink = found.sink = Kept()
    with plant("IV-01"):
        records = found.run_all(found.bundles("vectors")["eip93-tiny-ring"])
    failed = {event.item for event in sink.events if isinstance(event, CaseFailed)}
    assert len({item.split("/")[2] for item in failed}) > 1
    assert {record.plan.item for record in records if record.failures} == failed


def _cases(events: list[Event]) -> Iterator[str]:
    for event in events:
        if isinstance(event, CasesPassed):
            yield from event.ids


def test_what_a_further_machine_does_not_repeat_is_named(catalogue: Catalogue) -> None:
    found = session(catalogue)
    ran: dict[str, set[str]] = {}
    left: dict[str, set[str]] = {}
    for plan in found.plans("keys"):
        if plan.subject.algorithm != "cbc(aes)":
            continue
        sink = found.sink = Kept()
        found.run(plan)
        name = plan.subject.provider.name
        ran[name] = set(_cases(sink.events))
        left[name] = {
            case
            for event in sink.events
            if isinstance(event, CasesSet) and event.verdict == "skipped"
            for case in event.ids
        }
    (main,) = (name for name, cases in left.items() if not cases)
    whole = ran.pop(main)
    assert len(ran) > 3
    for name, cases in ran.items():
        assert cases < whole
        assert cases | left[name] == whole
        assert not cases & left[name]
    assert set.union(*ran.values()) == whole


def test_the_text_of_a_bundle_that_fails_names_the_items_it_does_not_show(inside: Any) -> None:
    words = ("--provider", "eip93-mt7621", "--algorithm", "cbc(aes)", "--check", "vectors")
    outcome = inside.run(*words, "--mutant", "IV-01", "--profile", "quick")
    assert outcome.status == 1
    failed = {failure.item for failure in outcome.report.failures}
    (told,) = [line for line in outcome.out.splitlines() if " more items: " in line]
    number, _, names = told.partition(" more items: ")
    assert int(number.split()[-1]) == len(failed) - 3
    assert set(names.split(", ")) < failed
