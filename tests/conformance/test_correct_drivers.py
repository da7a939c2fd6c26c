"""No check accuses a driver that is right in an unusual way.

The drivers stand in `correct_drivers`, one file each.  What one of them does is allowed by the
kernel's API, and no check may take it for an error; where the semantics of an old crypto_engine
stop one, these are to blame.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tcrypt.importing import import_file
from tcrypt.plugins.providers import Providers
from tcrypt.plugins.session import TcryptSession
from tcrypt.recorder import EventSink
from tcrypt.reports.events import CaseFailed, CasesPassed, Event
from tcrypt.settings import Selection, Settings
from tcrypt.vectors.catalogue import Catalogue

FOLDER = Path(__file__).with_name("correct_drivers")
EXAMPLE = Path(__file__).parents[2] / "examples" / "my_driver.py"
# The vectors are curated files of plain requests, of which the other checks have enough.
CHECKS = (
    "answers",
    "boundaries",
    "fallback",
    "faults",
    "fuzz",
    "interleavings",
    "keys",
    "lifecycle",
    "registration",
    "retry",
    "sequences",
    "world",
)
STOPPED = "failing_hooks"
RIGHT = [EXAMPLE, *sorted(path for path in FOLDER.glob("*.py") if path.stem != STOPPED)]


class _Sink(EventSink):
    def __init__(self) -> None:
        self.failures: list[CaseFailed] = []
        self.passed: Counter[str] = Counter()

    def append(self, event: Event) -> None:
        if isinstance(event, CaseFailed):
            self.failures.append(event)
        elif isinstance(event, CasesPassed):
            self.passed[event.item.partition("/")[0]] += len(event.ids)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.load()


def run(path: Path, catalogue: Catalogue, checks: tuple[str, ...]) -> _Sink:
    """Run checks on the driver of a file, under the semantics that it names."""
    module = import_file(path)
    providers = Providers()
    providers.add(path.stem, module.register)
    semantics = getattr(module, "SEMANTICS", Settings().semantics)
    settings = Settings(profile="quick", selection=Selection(checks=checks), semantics=semantics)
    session = TcryptSession(settings, providers, catalogue)
    session.sink = sink = _Sink()
    try:
        for check in checks:
            for plan in session.plans(check):
                session.run(plan)
    finally:
        session.release()
    return sink


@pytest.mark.parametrize("path", RIGHT, ids=lambda path: path.stem)
def test_a_correct_driver_is_not_accused(path: Path, catalogue: Catalogue) -> None:
    sink = run(path, catalogue, CHECKS)
    told = {(f.item, f.case, f.message, *f.details) for f in sink.failures}
    assert told == set()
    # Neither has Linux been asked about these drivers, nor can they be taken off their device.
    silent = {"answers", "lifecycle"} | getattr(import_file(path), "NOT_ASKED", set())
    assert set(CHECKS) - set(sink.passed) <= silent


def test_a_hook_that_fails_is_stopped_by_the_semantics(catalogue: Catalogue) -> None:
    sink = run(FOLDER / f"{STOPPED}.py", catalogue, ("faults",))
    assert {failure.attribution for failure in sink.failures} == {"profile"}
    assert "wedge I" in " ".join(sink.failures[0].details)
