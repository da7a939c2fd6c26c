"""A check that never failed proves nothing: every planted defect is caught by its check.

The table says where each defect shows: provider, algorithm, check, and what the check says.  Most
run in this process; a dozen run as a user runs them, from the command line.  Defects that no
check sees yet are expected failures, with what is missing: a check that learns to see one turns
its entry into an error, and it moves to the others.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tcrypt.engine.api.machine import Machine
from tcrypt.engine.eip93.variants import TINY_RING
from tcrypt.engine.sim import Costs
from tcrypt.mutants import MUTANTS, UnknownMutantError, all_mutants, mutant, plant
from tcrypt.mutants.place_words import (
    AES128,
    ASYNC,
    CBC,
    DHM,
    DIRECT,
    FLAKY,
    MT7621,
    NO_MD5,
    OPENWRT,
    SOFTWARE,
    TEMPLATES,
    TINY,
)
from tcrypt.mutants.places import PLACES
from tcrypt.mutants.seams import replaced
from tcrypt.plugins import providers as builtin
from tcrypt.plugins.eip93 import attach_eip93
from tcrypt.plugins.providers import Providers
from tcrypt.plugins.session import TcryptSession
from tcrypt.recorder import EventSink
from tcrypt.reports.events import CaseFailed, Event
from tcrypt.settings import Selection, Settings
from tcrypt.vectors.catalogue import Catalogue

SLOW = "eip93-slow-host"


@dataclass(frozen=True)
class Caught:
    """Where a defect shows.

    `case` narrows the check down to one case; one that takes longer than `patience` (s) hangs.
    """

    mutant: str
    provider: str
    algorithm: str
    check: str
    message: str
    profile: str = "quick"
    case: str = ""
    patience: float = 10.0


CAUGHT = tuple(
    Caught(name, p.provider, p.algorithm, p.check, p.says, p.profile, p.case, p.patience)
    for name, p in PLACES.items()
)

# Run from the command line.
AS_A_USER = (
    "IV-01",
    "CTR-02",
    "CTR-06",
    "SG-03",
    "SG-07",
    "KF-04",
    "HM-01",
    "HS-07",
    "AE-04",
    "EQ-09",
    "CR-01",
    "CR-03",
    "CR-19",
    "CC-01",
)

# It stops the driver from registering at all, so there is no check to catch it.
UNREGISTERED = "RG-11"


def slow_host(machine: Machine) -> None:
    """The driver on a host that answers an interrupt more slowly than the engine goes on."""
    machine.sim.costs = Costs(softirq=1_000, irq=2_000)
    attach_eip93(machine, TINY_RING)


PROVIDERS: dict[str, Callable[[Machine], None]] = {
    MT7621: builtin.eip93_mt7621,
    AES128: builtin.eip93_aes128_only,
    OPENWRT: builtin.eip93_openwrt,
    TINY: builtin.eip93_tiny_ring,
    FLAKY: builtin.eip93_flaky,
    NO_MD5: builtin.eip93_no_md5,
    ASYNC: builtin.eip93_async_fallback,
    TEMPLATES: builtin.eip93_templates,
    DIRECT: builtin.eip93_direct,
    DHM: builtin.eip93_dhm,
    SOFTWARE: builtin.software,
    SLOW: slow_host,
}


class Failures(EventSink):
    """Remembers what failed."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def append(self, event: Event) -> None:
        if isinstance(event, CaseFailed):
            self.messages += [event.message, *_also(event)]


def _also(event: CaseFailed) -> Iterator[str]:
    for detail in event.details:
        if detail.startswith("also: "):
            yield detail.removeprefix("also: ")


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.load()


def failures(caught: Caught, catalogue: Catalogue, *, planted: bool = True) -> list[str]:
    """Run one check against one driver in this process; the messages of what failed."""
    providers = Providers()
    providers.add(caught.provider, PROVIDERS[caught.provider])
    selection = Selection(algorithms=(caught.algorithm,), checks=(caught.check,))
    settings = Settings(profile=caught.profile, selection=selection, case=caught.case)
    mutants = (caught.mutant,) if planted else ()
    session = TcryptSession(settings, providers, catalogue, mutants)
    session.sink = sink = Failures()
    session.watchdog.seconds = caught.patience
    try:
        for plan in session.plans(caught.check):
            session.run(plan)
    finally:
        session.release()
    return sink.messages


def tcrypt(folder: Path, *words: str) -> tuple[int, dict[str, Any]]:
    """Run the suite as a user does; the exit status and the report."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--pyargs",
        "tcrypt",
        "-q",
        "-p",
        "no:cacheprovider",
    ]
    done = subprocess.run(
        [*command, "--tcrypt-report-dir", str(folder), "--tcrypt-profile", "quick", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    report = folder / "report.json"
    assert report.exists(), done.stdout + done.stderr
    loaded: dict[str, Any] = json.loads(report.read_text())
    return done.returncode, loaded


def of(name: str) -> Caught:
    return next(caught for caught in CAUGHT if caught.mutant == name)


IN_PROCESS = [caught for caught in CAUGHT if caught.mutant not in AS_A_USER]


@pytest.mark.parametrize("caught", IN_PROCESS, ids=lambda caught: caught.mutant)
def test_defect_is_caught_by_its_check(caught: Caught, catalogue: Catalogue) -> None:
    assert caught.message in failures(caught, catalogue)


@pytest.mark.parametrize("name", AS_A_USER)
def test_defect_fails_a_run_of_the_suite(name: str, tmp_path: Path) -> None:
    caught = of(name)
    where = ["--tcrypt-provider", caught.provider, "--tcrypt-algorithm", caught.algorithm]
    where += ["--tcrypt-check", caught.check]
    status, report = tcrypt(tmp_path, "--tcrypt-mutant", name, *where)
    assert status == 1
    found = {(failure["check"], failure["message"]) for failure in report["failures"]}
    assert (caught.check, caught.message) in found


def test_defect_that_keeps_a_driver_from_registering_fails_the_run(tmp_path: Path) -> None:
    status, report = tcrypt(tmp_path, "--tcrypt-mutant", UNREGISTERED, "--tcrypt-provider", MT7621)
    assert status != 0
    assert "statesize 0" in json.dumps(report["coverage_lost"])


def test_correct_driver_raises_no_alarm(tmp_path: Path) -> None:
    """The provider of most defects; the main job runs all of them."""
    status, report = tcrypt(tmp_path, "--tcrypt-provider", MT7621)
    assert report["failures"] == []
    assert report["coverage_lost"] == report["untested"] == report["problems"] == []
    assert status == 0
    assert {algorithm["provider"] for algorithm in report["algorithms"]} == {MT7621}


def test_correct_driver_raises_no_alarm_on_a_slow_host(catalogue: Catalogue) -> None:
    for check in ("retry", "sequences"):
        assert failures(Caught("", SLOW, CBC, check, ""), catalogue, planted=False) == []


def test_every_defect_has_its_place_in_one_of_the_tables() -> None:
    listed = [caught.mutant for caught in CAUGHT]
    assert sorted([*listed, UNREGISTERED]) == sorted(found.id for found in all_mutants())
    assert set(AS_A_USER) <= {caught.mutant for caught in CAUGHT}


def test_document_lists_every_defect_with_what_catches_it() -> None:
    text = (Path(__file__).parents[2] / "docs" / "defects.md").read_text("utf-8")
    rows = [line.split(" | ") for line in text.splitlines()]
    listed = [(row[0].lstrip("| "), row[2].strip("`")) for row in rows[6:] if len(row) > 4]
    caught = [(caught.mutant, caught.check) for caught in CAUGHT]
    assert sorted(pair for pair in listed if pair[0] != UNREGISTERED) == sorted(caught)


@pytest.mark.parametrize("name", [found.id for found in all_mutants()])
def test_defect_is_gone_afterwards(name: str) -> None:
    modules = {n: m for n, m in sys.modules.items() if n.startswith("tcrypt.engine")}
    places: list[object] = [*modules.values()]
    for module in modules.values():
        places += [v for v in vars(module).values() if isinstance(v, type)]
    before = [dict(vars(place)) for place in places]
    with plant(name):
        assert before != [dict(vars(place)) for place in places], "nothing was planted"
    assert before == [dict(vars(place)) for place in places]


def test_unknown_defect_is_refused_with_near_names() -> None:
    with pytest.raises(UnknownMutantError, match=r"no mutant 'IV-011'; did you mean .*IV-"):
        plant("IV-011")


def test_two_defects_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="mutant IV-01 is defined twice"):
        mutant("IV-01", "another")(MUTANTS["IV-01"].plant)


def test_defect_without_its_place_in_the_code_is_refused() -> None:
    with pytest.raises(LookupError, match="has no 'gone': the defect has lost its place"):
        with replaced((Caught, "profile", "full"), (Caught, "gone", None)):
            pytest.fail("planted")
    assert Caught.profile == "quick"
