"""What the kernel's self-test says of each planted defect, next to what the suite says."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tcrypt.mutants import BadMutantError, Mutant, NotApplicableError, UnknownMutantError
from tcrypt.plugins.hunt import Found, Outcome, Prey
from tcrypt.plugins.providers import Providers
from tcrypt.plugins.selection import SelectionError
from tcrypt.plugins.session import TcryptSession
from tcrypt.selftest import Extra, self_test
from tcrypt.settings import Selection
from tcrypt.subject import Subject
from tcrypt.vectors.catalogue import Catalogue

__all__ = ("BUILDS", "TESTMGR", "TESTMGR_EXTRA", "figures", "print_comparison", "self_tested")

TESTMGR = "testmgr"
TESTMGR_EXTRA = "testmgr-extra"
# What is compared, the first build in any case.
BUILDS = (TESTMGR, TESTMGR_EXTRA)


def self_tested(
    mutant: Mutant,
    prey: Prey,
    providers: Providers,
    vectors: Catalogue,
    build: str = TESTMGR,
) -> Found:
    """Plant a defect and let testmgr test each driver of the provider that has it.

    `check` of the answer is `verdict`, `hang` or `crash`.  With extra tests, which take seconds
    for each driver, only drivers of the algorithm that the defect is shown with are tested by
    them, and the others by the default build.
    """
    began, place = time.perf_counter(), mutant.place
    found = Found(id=mutant.name, summary=mutant.summary, outcome="survived", profile=build)

    def extra(subject: Subject) -> Extra | None:
        shown = build == TESTMGR_EXTRA and place.algorithm in ("", subject.algorithm)
        return Extra(prey.seed) if shown else None

    selection = Selection(providers=(place.provider,) if place.provider else ())
    only = providers.of(lambda name: name == place.provider) if place.provider else providers
    settings = prey.settings(selection, "quick", mutant.name, "")
    try:
        session = TcryptSession(settings, only, vectors, (mutant.name,))
    except NotApplicableError as error:
        return _ended(found, "not applicable", str(error), began)
    except SelectionError as error:
        why = f"nothing was registered: {error}".partition("\n")[0]
        return _ended(found, "survived", why, began)
    except (UnknownMutantError, BadMutantError) as error:
        return _ended(found, "broken", str(error), began)
    try:
        for subject in sorted(session.subjects, key=lambda s: s.algorithm != place.algorithm):
            found.items += 1
            with session.watchdog.watching(subject.id):
                verdict = self_test(subject, vectors, session.watchdog, extra(subject))
            if verdict is not None:
                found.provider, found.driver = subject.provider.name, subject.driver
                found.algorithm, found.check = subject.algorithm, verdict.how
                found.message, found.case = verdict.message, verdict.where
                return _ended(found, "killed", "", began)
    finally:
        session.release()
    return _ended(found, "survived", f"{found.items} drivers passed", began)


def _ended(found: Found, outcome: Outcome, reason: str, began: float) -> Found:
    found.outcome, found.reason = outcome, reason
    found.seconds = time.perf_counter() - began
    return found


def figures(builds: Mapping[str, Sequence[Found]], suite: Sequence[Found]) -> dict[str, int]:
    """How many defects each build of testmgr caught, and how, and how many the suite."""
    total = {"defects": len(suite)}
    for build, results in builds.items():
        caught = [one for one in results if one.outcome == "killed"]
        total[build] = len(caught)
        total[f"{build} by a verdict of its own"] = sum(one.check == "verdict" for one in caught)
        total[f"{build} by a hang"] = sum(one.check == "hang" for one in caught)
        total[f"{build} by a crash"] = sum(one.check == "crash" for one in caught)
    return total | {"tcrypt": sum(one.outcome == "killed" for one in suite)}


def print_comparison(
    builds: Mapping[str, Sequence[Found]], suite: Sequence[Found], *, as_json: bool
) -> None:
    """All columns as JSON, or as a table in Markdown with the figures behind it."""
    total = figures(builds, suite)
    if as_json:
        whole: dict[str, Any] = {"summary": total, **builds, "tcrypt": suite}
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(whole)).decode() + "\n")
        return
    print(f"| id | {' | '.join(builds)} | tcrypt, by the check |")
    print("|---" * (2 + len(builds)) + "|")
    by_id = [{one.id: one for one in results} for results in builds.values()]
    for own in suite:
        says = [_says(results[own.id]) for results in by_id]
        check = f"`{own.check}`" if own.outcome == "killed" else own.outcome
        print(f"| {own.id} | {' | '.join(says)} | {check} |")
    print("\n" + "; ".join(f"{name}: {number}" for name, number in total.items()))


def _says(one: Found) -> str:
    said = f"{one.check}: {one.message}" if one.outcome == "killed" else one.outcome
    return said.replace("|", "/")
