"""What the drivers of a provider run between them: a planted defect in all of them is found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest

from tcrypt.checks import boundaries, retry, sequences, vectors
from tcrypt.division import Standing, standings
from tcrypt.mutants import plant
from tcrypt.plugins.discovery import subjects_of
from tcrypt.plugins.providers import Providers
from tcrypt.recorder import EventSink, Recorder
from tcrypt.reports.events import CaseFailed, CasesPassed, CasesSet, Event
from tcrypt.settings import Settings
from tcrypt.subject import Subject
from tcrypt.vectors.catalogue import Catalogue
from tcrypt.watchdog import Watchdog


@dataclass
class Log(EventSink):
    events: list[Event] = field(default_factory=list)

    def append(self, event: Event) -> None:
        self.events.append(event)

    def passed(self) -> Iterator[str]:
        for event in self.events:
            if isinstance(event, CasesPassed):
                yield from event.ids


@pytest.fixture(scope="module")
def subjects() -> list[Subject]:
    providers = Providers()
    providers.add_entry_points()
    return [s for p in providers.of("eip93-mt7621".__eq__) for s in subjects_of(p)]


@pytest.fixture(scope="module")
def ciphers(subjects: list[Subject]) -> list[Subject]:
    return [s for s in subjects if s.type.word == "skcipher"]


def run(check, subject: Subject, settings: Settings) -> Log:  # type: ignore[no-untyped-def]
    log = Log()
    for plan in check.plans(subject, settings, Catalogue.load()):
        recorder = Recorder(log, plan, settings)
        plan.body(recorder, Watchdog(30))
        recorder.finish()
    return log


def _without_layout(cases: set[str]) -> set[str]:
    return {case.rpartition("/")[0] for case in cases}


def quick(subjects: list[Subject]) -> Settings:
    return Settings("quick", standings=standings(subjects, together=True))


@pytest.mark.parametrize("check", [retry, sequences])
def test_drivers_run_all_scenarios_between_them_and_name_the_others(
    check, ciphers: list[Subject]
) -> None:
    settings, seen = quick(ciphers), set()
    for subject in ciphers:
        log = run(check, subject, settings)
        ran = {case.split("/")[0] for case in log.passed()}
        left = {case for event in log.events if isinstance(event, CasesSet) for case in event.ids}
        alone = run(check, subject, Settings("quick"))
        assert ran | left >= {case.split("/")[0] for case in alone.passed()}
        assert ran.isdisjoint(left)
        assert left
        seen |= ran
    common = {case.split("/")[0] for case in run(check, ciphers[0], Settings("quick")).passed()}
    assert seen >= common


def test_a_vector_runs_with_every_driver_in_one_layout_at_least(ciphers: list[Subject]) -> None:
    subject = next(s for s in ciphers if s.algorithm == "cbc(aes)")
    whole = set(run(vectors, subject, Settings("quick")).passed())
    some = set(run(vectors, subject, quick(ciphers)).passed())
    assert some < whole
    assert _without_layout(some) == _without_layout(whole)


def test_a_case_that_is_asked_for_runs_wherever_it_falls(ciphers: list[Subject]) -> None:
    settings = replace(quick(ciphers), case="backlog")
    for subject in ciphers[:3]:
        assert any(run(retry, subject, settings).passed())


def test_a_defect_of_all_drivers_is_found_by_some(ciphers: list[Subject]) -> None:
    with plant("LEN-03"):
        failed = [
            event
            for subject in ciphers
            for event in run(boundaries, subject, quick(ciphers)).events
            if isinstance(event, CaseFailed)
        ]
    assert failed


def test_providers_of_the_same_drivers_are_one_crowd_whatever_comes_first() -> None:
    providers = Providers()
    providers.add_entry_points()
    found = [s for p in providers for s in subjects_of(p) if p.name.startswith("eip93-")]
    own = [s for s in found if s.provider.name != "eip93-templates" and s.type.word == "ahash"]
    for order in (own, own[::-1]):
        standing = standings(order, together=True)
        assert {at.crowd for at in standing.values()} == {len(own)}
        assert sorted(at.member for at in standing.values()) == list(range(len(own)))
        apart = standings(order, together=False)
        assert max(at.crowd for at in apart.values()) < len(own)


def test_one_of_three_further_machines_repeats_a_case_and_the_main_one_does_all() -> None:
    cases = [f"case-{n}" for n in range(60)]
    main, *further = (Standing(5, 9, machine, "main") for machine in (None, 0, 1, 2))
    for case in cases:
        assert main.repeats(case, 3)
        assert sum(at.repeats(case, 3) for at in further) == 1
    other = Standing(6, 9, 0, "main")
    assert {case for case in cases if other.repeats(case, 3)}.isdisjoint(
        case for case in cases if further[0].repeats(case, 3)
    )
