"""Events of small runs, from which the tests build reports."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tcrypt.reports import events as ev
from tcrypt.reports.build import build_report
from tcrypt.reports.log import ReadLog
from tcrypt.reports.model import Report


class Runs:
    """Makes the events of a run, piece by piece, and reports from them."""

    provider, driver, algorithm, check = "eip93", "cbc-aes-eip93", "cbc(aes)", "vectors"

    def started(self, worker: str = "", **fields: object) -> ev.RunStarted:
        values: dict[str, object] = {
            "format": ev.FORMAT,
            "version": "0.1.0",
            "seed": 42,
            "profile": "default",
            "started": "2026-11-22T10:00:00Z",
            "python": "3.11.7",
            "platform": "Linux x86_64",
            "worker": worker,
        }
        return ev.RunStarted(**(values | fields))  # type: ignore[arg-type]

    def planned(self, item: str = "i1", cases: int | None = None, **where: str) -> ev.ItemPlanned:
        names = ("provider", "driver", "algorithm", "check")
        place = {name: where.get(name, getattr(self, name)) for name in names}
        return ev.ItemPlanned(item, cases=cases, **place)

    def failed(self, case: str = "c1", item: str = "i1", **fields: object) -> ev.CaseFailed:
        values: dict[str, object] = {
            "message": "ciphertext differs",
            "fact": "SP 800-38A 6.2",
            "expected": "00112233445566778899aabbccddeeff",
            "got": "00112233445566778899aabbccddeefe",
            "layout": "in-place",
            "attribution": "driver",
            "command": f"pytest --pyargs tcrypt --tcrypt-case {case}",
        }
        return ev.CaseFailed(item, case, **(values | fields))  # type: ignore[arg-type]

    def item(
        self, name: str = "i1", *middle: ev.AnyEvent, verdict: str = "passed", **where: str
    ) -> list[ev.AnyEvent]:
        """Return all the events of an item that ran to its end."""
        end = ev.ItemFinished(name, verdict, 0.5)  # type: ignore[arg-type]
        return [self.planned(name, **where), ev.ItemStarted(name), *middle, end]

    def log(self, *events: ev.AnyEvent, name: str = "events.ndjson") -> ReadLog:
        return ReadLog(name, list(events))

    def whole(self, *events: ev.AnyEvent, status: int = 0) -> list[ev.AnyEvent]:
        """Return the events with the start and the end of a run around them."""
        return [self.started(), *events, ev.RunFinished(status, 1.5, 50_000)]

    def report(self, *events: ev.AnyEvent, status: int = 0) -> Report:
        """Return the report of a run that came to its end."""
        return build_report([self.log(*self.whole(*events, status=status))])

    def one_item(self, *middle: ev.AnyEvent, verdict: str = "passed", **where: str) -> Report:
        return self.report(*self.item("i1", *middle, verdict=verdict, **where))


@pytest.fixture
def runs() -> Runs:
    return Runs()


DRIVERS: Sequence[tuple[str, str, str]] = (
    ("eip93", "cbc-aes-eip93", "cbc(aes)"),
    ("eip93", "ctr-aes-eip93", "ctr(aes)"),
    ("eip93", "hmac-sha256-eip93", "hmac(sha256)"),
    ("software", "cbc-aes-generic", "cbc(aes)"),
)


@pytest.fixture
def mixed_report(runs: Runs) -> Report:
    """Return a report in which every word, warning and table occurs."""
    events: list[ev.AnyEvent] = []
    for provider, driver, algorithm in DRIVERS:
        events.append(ev.AlgorithmFound(provider, driver, algorithm, "skcipher", 300, ["ASYNC"]))
        where = {"provider": provider, "driver": driver, "algorithm": algorithm}
        for check in ("vectors", "layouts", "retry"):
            name = f"{driver}::{check}"
            events += runs.item(name, ev.CasesPassed(name, ["a", "b", "c"]), check=check, **where)
    bad = "cbc-aes-eip93::iv-out"
    first = {"provider": "eip93", "driver": "cbc-aes-eip93", "algorithm": "cbc(aes)"}
    events += runs.item(
        bad,
        ev.CasesPassed(bad, ["p1"]),
        *[runs.failed(f"f{i}", bad, timeline=["t=0 submit", "t=9 irq"]) for i in range(30)],
        ev.CasesSet(bad, "blocked", "ring too small", ["b1", "b2"]),
        verdict="failed",
        check="iv-out",
        **first,
    )
    events += [
        runs.planned("never", cases=4, check="fallback", **first),
        ev.AlgorithmFound("eip93", "rng-eip93", "stdrng", "rng", 100),
        ev.Untested("eip93", "rng-eip93", "stdrng", "random generators are not covered"),
        ev.WorkSeen("x", "cbc(aes)", "cbc-aes-eip93", "eip93", 16, "hardware", "hardware", 7),
        ev.WorkSeen("x", "cbc(aes)", "cbc-aes-eip93", "eip93", 24, "software", "hardware", 2),
        ev.CoverageLost("eip93/gcm-aes-eip93", "driver registered", "absent", "manifest"),
        ev.SourceUsed("wycheproof", "C2SP/wycheproof", "sha256:00ff", 12),
        ev.Note("AF_ALG was not probed."),
    ]
    return runs.report(*events, status=1)
