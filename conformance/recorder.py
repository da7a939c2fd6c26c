"""Writes what an item finds to the event log while it runs."""

from __future__ import annotations

import difflib
import time
from collections.abc import Sequence

from tcrypt import facts
from tcrypt.cover import sampling
from tcrypt.division import Part
from tcrypt.engine import coverage
from tcrypt.expected import NOTHING_EXPECTED, Expectations, beyond_expectation
from tcrypt.plan import Plan
from tcrypt.problems import Problem
from tcrypt.reports.events import (
    CaseExpected,
    CaseFailed,
    CasesPassed,
    CasesSet,
    EngineCoverage,
    Event,
    ItemFinished,
    ItemStarted,
    SourceUsed,
    WorkSeen,
)
from tcrypt.reports.words import CaseVerdict, Engine, UnexecutedVerdict
from tcrypt.settings import Settings

__all__ = ("EventSink", "Recorder")

_BATCH = 200
_SHOWN = 5
_NAMED = 12


class EventSink:
    """Where events go; the base class drops them."""

    def append(self, event: Event) -> None:
        """Take one event."""


class Recorder:
    """The record of one item: passes in batches, failures at once."""

    def __init__(
        self,
        sink: EventSink,
        plan: Plan,
        settings: Settings,
        expectations: Expectations = NOTHING_EXPECTED,
    ) -> None:
        self.plan = plan
        self.settings = settings
        self.failures: list[str] = []
        self.expected: list[str] = []
        self.executed = 0
        self._offered: list[str] = []
        self._left: list[str] = []
        self._reasons: list[str] = []
        self._verdict: CaseVerdict = "passed"
        self._sink = sink
        self._passed: list[str] = []
        self._expectations = expectations.about(plan)
        self._wrong_engine: set[str] = set()
        self._part: Part | None = None
        self._began = time.perf_counter()
        sink.append(ItemStarted(plan.item))
        # What engines have met outside of items is nobody's coverage.
        coverage.take(settings.semantics)

    def wants(self, case: str) -> bool:
        """Whether to run a case by name: yes, unless the run asks for another one only.

        Asking for a part of the case, `<case>/<part>`, is asking for the case.
        """
        self._offered.append(case)
        asked = self.settings.case
        return not asked or asked == case or asked.startswith(f"{case}/")

    def takes(self, scenario: str) -> bool:
        """As `wants`, for a scenario that the profile lets many drivers run between them."""
        return self.wants(scenario) and self.shares(scenario)

    def repeats(self, case: str) -> bool:
        """Whether to run a case that the driver's main machine runs as well; noted if not."""
        if self.settings.repeats(self.plan.subject, case):
            return True
        self._left.append(case)
        return False

    def shares(self, case: str) -> bool:
        """Whether a case that many drivers may run between them is this one's; noted if not."""
        most = self.settings.limits.scenario_teams
        if most <= 1 or self.settings.narrow:
            return True
        if self._part is None:
            self._part = self.settings.part(self.plan.subject, most)
        if self._part.takes(case):
            return True
        self._left.append(case)
        return False

    def result(
        self,
        case: str,
        problems: Sequence[Problem],
        *,
        layout: str = "",
        vector: str = "",
        token: str = "",
    ) -> None:
        """Record one case: passed when there is no problem.

        Args:
            case: the case's id, unique in the item.
            problems: what is wrong with it.
            layout: how the request lay in memory.
            vector: the vector's id, for the reproducing command.
            token: the generated case's token, for the same.
        """
        self.executed += 1
        if not problems:
            self._passed.append(case)
            if len(self._passed) >= _BATCH:
                self.flush()
            return
        command = self.settings.command(
            self.plan.subject, self.plan.check, vector=vector, case=token
        )
        problems = self._expectations.surprising_first(case, problems)
        failure = _failed(self.plan.item, case, problems, layout, command)
        entries = self._expectations.forgiving(case, problems)
        if not entries:
            self._sink.append(failure)
            self.failures.append(_line(case, problems[0], command))
            return
        self._sink.append(CaseExpected(failure, entries))
        self.expected.append(f"{case}: {self._expectations.reasons(entries)}")
        if any(problem.fact == facts.WHO for problem in problems):
            self._wrong_engine.add(case.partition("/")[0])

    def forgives(self, case: str, problems: Sequence[Problem]) -> bool:
        """Whether what is wrong with a case is expected, so that a search looks for more."""
        return bool(self._expectations.forgiving(case, problems))

    def unexecuted(self, verdict: UnexecutedVerdict, reason: str, ids: Sequence[str]) -> None:
        """Record cases that did not run, and why."""
        self._sink.append(CasesSet(self.plan.item, verdict, reason, list(ids)))
        self._verdict = verdict
        self._reasons.append(reason)

    def work(self, key_size: int, engine: Engine, expected: Engine | None, requests: int) -> None:
        """Record who did the work of some requests with keys of a size (bytes)."""
        subject = self.plan.subject
        if engine != expected and f"key-{key_size}" in self._wrong_engine:
            # The cases that say so were expected to fail; the evidence says nothing beyond them.
            expected = None
        self._sink.append(
            WorkSeen(
                item=self.plan.item,
                algorithm=subject.algorithm,
                driver=subject.driver,
                provider=subject.provider.name,
                key_size=key_size,
                engine=engine,
                expected=expected or "",
                jobs=requests,
            )
        )

    def source(self, name: str, origin: str, cases: int) -> None:
        """Record that cases were taken from a published file."""
        self._sink.append(SourceUsed(name=name, origin=origin, cases=cases))

    def flush(self) -> None:
        """Write the passes that were held back."""
        if self._passed:
            self._sink.append(CasesPassed(self.plan.item, self._passed))
            self._passed = []
        for event in sampling.events():
            self._sink.append(event)

    def finish(self) -> None:
        """End the item; one that recorded nothing has failed, unless it had no such case."""
        if self._left:
            reason = f"profile {self.settings.profile}: for another driver that shares its code"
            self.unexecuted("skipped", reason, self._left)
        if not self.executed and not self._reasons:
            if self.settings.case:
                self.unexecuted("skipped", self._no_such_case(), [self.settings.case])
            else:
                problem = Problem("the item recorded no case", facts.RECORD, attribution="suite")
                self.result("all", [problem])
        self.flush()
        pairs = coverage.take(self.settings.semantics)
        if pairs:
            counts = [(state, event, n) for (state, event), n in sorted(pairs.items())]
            self._sink.append(EngineCoverage(self.plan.item, counts))
        seconds = time.perf_counter() - self._began
        self._sink.append(ItemFinished(self.plan.item, self.verdict, seconds))

    def _no_such_case(self) -> str:
        wanted = self.settings.case
        near = difflib.get_close_matches(wanted, self._offered, n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else "it has " + _some(self._offered)
        return f"no case {wanted!r} in this item; {hint}"

    @property
    def verdict(self) -> CaseVerdict:
        """The item's verdict so far: failed, also as expected, passed, or why nothing ran."""
        if self.failures:
            return "failed"
        if self.expected:
            return "expected-failure"
        return "passed" if self.executed else self._verdict

    @property
    def skip_reason(self) -> str:
        """Why nothing ran; empty when something did."""
        return "" if self.executed else "; ".join(self._reasons)

    def expected_text(self) -> str:
        """The first failures that were expected, with the reasons, in one line."""
        more = len(self.expected) - 1
        return self.expected[0] + (f" (and {more:,} more)" if more > 0 else "")

    def failure_text(self) -> str:
        """The first failures for a terminal; the report has all of them."""
        shown = self.failures[:_SHOWN]
        more = len(self.failures) - len(shown)
        tail = [f"... and {more} more in the report"] if more else []
        return "\n".join([*shown, *tail])


def _some(names: Sequence[str]) -> str:
    if not names:
        return "no cases with names"
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _failed(
    item: str, case: str, problems: Sequence[Problem], layout: str, command: str
) -> CaseFailed:
    first = problems[0]
    return CaseFailed(
        item=item,
        case=case,
        message=first.message,
        fact=first.fact,
        expected=first.expected,
        got=first.got,
        details=[*first.details, *(f"also: {p.message}" for p in problems[1:])],
        layout=layout,
        attribution=first.attribution,
        command=command,
        timeline=list(first.timeline),
        grave=any(beyond_expectation(problem) for problem in problems),
    )


def _line(case: str, problem: Problem, command: str) -> str:
    parts = [f"{case}: {problem.message}"]
    if problem.expected or problem.got:
        parts.append(f"  expected {problem.expected}\n  got      {problem.got}")
    parts += [f"  {line}" for line in problem.details]
    parts += [f"  fact: {problem.fact}", f"  reproduce: {command}"]
    return "\n".join(parts)
