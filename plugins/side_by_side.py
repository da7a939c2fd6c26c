"""What the kernel's self-test says of each planted defect, next to what the suite says."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any

import msgspec

from tcrypt.mutants import BadMutantError, Mutant, NotApplicableError, UnknownMutantError
from tcrypt.plugins.hunt import Found, Outcome, Prey
from tcrypt.plugins.providers import Providers
from tcrypt.plugins.selection import SelectionError
from tcrypt.plugins.session import TcryptSession
from tcrypt.selftest import self_test
from tcrypt.settings import Selection
from tcrypt.vectors.catalogue import Catalogue

__all__ = ("TESTMGR", "figures", "print_comparison", "self_tested")

TESTMGR = "testmgr"


def self_tested(mutant: Mutant, prey: Prey, providers: Providers, vectors: Catalogue) -> Found:
    """Plant a defect and let testmgr test each driver of the provider that has it.

    `check` of the answer is `verdict`, `hang` or `crash`.
    """
    began, place = time.perf_counter(), mutant.place
    found = Found(id=mutant.name, summary=mutant.summary, outcome="survived", profile=TESTMGR)
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
                verdict = self_test(subject, vectors, session.watchdog)
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


def figures(kernel: Sequence[Found], suite: Sequence[Found]) -> dict[str, int]:
    """How many defects each of both caught, and how testmgr did."""
    caught = [one for one in kernel if one.outcome == "killed"]
    return {
        "defects": len(suite),
        "testmgr": len(caught),
        "testmgr by a verdict of its own": sum(one.check == "verdict" for one in caught),
        "testmgr by a hang": sum(one.check == "hang" for one in caught),
        "testmgr by a crash": sum(one.check == "crash" for one in caught),
        "tcrypt": sum(one.outcome == "killed" for one in suite),
    }


def print_comparison(kernel: Sequence[Found], suite: Sequence[Found], *, as_json: bool) -> None:
    """Both columns as JSON, or as a table in Markdown with the figures behind it."""
    total, ours = figures(kernel, suite), {one.id: one for one in suite}
    if as_json:
        whole: dict[str, Any] = {"summary": total, "testmgr": kernel, "tcrypt": suite}
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(whole)).decode() + "\n")
        return
    print("| id | defect | testmgr | tcrypt |\n|---|---|---|---|")
    for one in kernel:
        own = ours[one.id]
        says = f"{one.check}: {one.message}" if one.outcome == "killed" else one.outcome
        check = f"`{own.check}`" if own.outcome == "killed" else own.outcome
        print(f"| {one.id} | {one.summary} | {says.replace('|', '/')} | {check} |")
    print("\n" + "; ".join(f"{name}: {number}" for name, number in total.items()))
