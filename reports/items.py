"""What events say about one item, until it becomes a record."""

from __future__ import annotations

from collections import Counter

from tcrypt.reports import events as ev
from tcrypt.reports.judge import unexecuted_verdict
from tcrypt.reports.model import CaseSet, Counts, ItemRecord
from tcrypt.reports.words import CaseVerdict, ItemVerdict, UnexecutedVerdict

__all__ = ("ItemState",)

_NO_REASON = "no reason was given"


class ItemState:
    """What the events have said about one item so far."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.failures: list[tuple[ev.CaseFailed, tuple[int, ...]]] = []
        self.finished: ev.ItemFinished | None = None
        self._plan: ev.ItemPlanned | None = None
        self._started = False
        self._worker = ""
        self._cases: dict[str, CaseVerdict] = {}
        self._reasons: dict[str, tuple[UnexecutedVerdict, str]] = {}
        self._repeated: list[str] = []
        self._conflicts: list[str] = []

    def plan(self, event: ev.ItemPlanned) -> None:
        """Take the plan of the item; every worker of a run may repeat it."""
        if self._plan is None:
            self._plan = event
        elif self._plan != event:
            self._conflicts.append("it was planned in two ways")

    def start(self, worker: str) -> None:
        """Note which worker had the item first."""
        if not self._started:
            self._started, self._worker = True, worker

    def passed(self, ids: list[str]) -> None:
        """Record cases as passed."""
        for case in ids:
            self._record(case, "passed")

    def failed(self, event: ev.CaseFailed) -> None:
        """Record a failure; one case may fail in more than one way."""
        self._failed(event, ())

    def expected(self, event: ev.CaseExpected) -> None:
        """Record a failure that entries expect; the case has failed all the same in other ways."""
        self._failed(event.failure, tuple(event.entries))

    def _failed(self, event: ev.CaseFailed, entries: tuple[int, ...]) -> None:
        self.failures.append((event, entries))
        verdict: CaseVerdict = "expected-failure" if entries else "failed"
        match self._cases.get(event.case):
            case "failed":
                pass
            case "expected-failure":
                self._cases[event.case] = verdict
            case _:
                self._record(event.case, verdict)

    def set(self, event: ev.CasesSet) -> None:
        """Record cases that did not run."""
        for case in event.ids:
            self._reasons.setdefault(case, (event.verdict, event.reason))
            self._record(case, event.verdict)

    def finish(self, event: ev.ItemFinished) -> None:
        """Note the end of the item; a failure is not undone by a later run that passed."""
        if self.finished is None or self.finished.verdict != "failed":
            self.finished = event

    def settle(self) -> None:
        """Give an item that ended without naming any case the one case that it is itself."""
        if self.finished is None:
            return
        verdict = self.finished.verdict
        if verdict == "failed" or verdict == "expected-failure":
            if not any(verdict != "failed" or not entries for _, entries in self.failures):
                message = "the item failed without naming a case"
                self.failed(ev.CaseFailed(self.name, self.name, message, attribution="suite"))
        elif not self._cases and (self._plan is None or self._plan.cases is None):
            if verdict != "passed":
                self._reasons[self.name] = (verdict, _NO_REASON)
            self._record(self.name, verdict)

    def record(self) -> ItemRecord:
        """Return the record of the item, once all events are read and it is settled."""
        plan = self._plan or ev.ItemPlanned(self.name, "unknown", "unknown", "unknown", "unknown")
        planned, cases = plan.cases, self._cases
        return ItemRecord(
            item=self.name,
            provider=plan.provider,
            driver=plan.driver,
            algorithm=plan.algorithm,
            check=plan.check,
            verdict=self._verdict(),
            planned=planned,
            unrecorded=max(0, (planned or 0) - len(cases)),
            seconds=self.finished.seconds if self.finished else 0.0,
            worker=self._worker,
            passed=tuple(case for case, verdict in cases.items() if verdict == "passed"),
            failed=tuple(case for case, verdict in cases.items() if verdict == "failed"),
            expected=tuple(c for c, verdict in cases.items() if verdict == "expected-failure"),
            others=self._others(),
        )

    def problems(self) -> list[str]:
        """Return what contradicts itself in the events of this item."""
        texts = list(self._conflicts[:3])
        if len(self._conflicts) > 3:
            texts.append(f"{len(self._conflicts) - 3:,} more contradictions of this kind")
        if self._plan is None:
            texts.append("events name it, and none planned it")
        if self._repeated:
            texts.append(
                f"{len(self._repeated):,} case ids are recorded twice, first {self._repeated[0]!r}"
            )
        return [f"item {self.name}: {text}" for text in texts]

    def _record(self, case: str, verdict: CaseVerdict) -> None:
        before = self._cases.get(case)
        if before is None:
            self._cases[case] = verdict
        elif before == verdict:
            self._repeated.append(case)
        else:
            # The word that promises less is kept: failed, then not having run, then passed.
            kept = min(before, verdict, key=_promises)
            self._cases[case] = kept
            self._conflicts.append(
                f"case {case!r} is both {before} and {verdict}, counted as {self._cases[case]}"
            )

    def _others(self) -> tuple[CaseSet, ...]:
        groups: dict[tuple[UnexecutedVerdict, str], list[str]] = {}
        for case, (verdict, reason) in self._reasons.items():
            if self._cases[case] == verdict:
                groups.setdefault((verdict, reason), []).append(case)
        return tuple(
            CaseSet(verdict=verdict, reason=reason, ids=tuple(ids))
            for (verdict, reason), ids in groups.items()
        )

    def _verdict(self) -> ItemVerdict:
        numbers = Counter(self._cases.values())
        if numbers["failed"]:
            return "failed"
        if self.finished is None:
            return "interrupted" if self._started or self._cases else "not-run"
        if numbers["expected-failure"]:
            return "expected-failure"
        if self.finished.verdict == "passed" and not numbers["passed"]:
            return unexecuted_verdict(Counts.of(numbers))
        return self.finished.verdict


def _promises(verdict: CaseVerdict) -> int:
    return {"failed": 0, "expected-failure": 1, "passed": 3}.get(verdict, 2)
