"""Check `answers`: what a live Linux kernel answered through AF_ALG, asked of each driver again.

Every recorded answer and every measured case of the driver's algorithm is replayed on the AF_ALG
model, bound to the driver by name.  A row that was measured on another driver of the algorithm
holds as well: on the same kernel, three drivers of one algorithm gave the same answers.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeVar

from tcrypt import facts
from tcrypt.answers.asking import (
    Class,
    Finding,
    Question,
    answer_result,
    ask,
    bound,
    classify,
    wanted_of,
)
from tcrypt.answers.binding import bind_name
from tcrypt.answers.probe import Probe
from tcrypt.bench import Bench
from tcrypt.engine.api.flags import AlgType
from tcrypt.plan import Plan
from tcrypt.problems import Problem
from tcrypt.recorder import Recorder
from tcrypt.settings import Settings
from tcrypt.subject import Subject
from tcrypt.vectors import linux_answers, linux_behaviour
from tcrypt.vectors.catalogue import Catalogue
from tcrypt.vectors.linux_answers import Answer
from tcrypt.watchdog import Watchdog

__all__ = (
    "CHECK",
    "AnswersBench",
    "Asker",
    "Questions",
    "by_algorithm",
    "measured",
    "plans",
    "unasked",
)

CHECK = "answers"
# Rows that take more requests than this are left to a larger profile.
_MOST_REQUESTS = {"quick": 16, "default": 64}
_BIND = "bind"
_REASONS = 12
_KINDS = {AlgType.SKCIPHER: "skcipher", AlgType.AEAD: "aead", AlgType.AHASH: "hash"}
_T = TypeVar("_T", Answer, Question)


@dataclass(frozen=True, slots=True)
class Questions:
    """What one algorithm's drivers are asked."""

    answers: tuple[Answer, ...] = ()
    rows: tuple[Question, ...] = ()

    def __len__(self) -> int:
        return len(self.answers) + len(self.rows)

    def only(self, case: str) -> Questions:
        """The one case of a name, if it is here."""
        return Questions(
            tuple(answer for answer in self.answers if answer.id == case),
            tuple(question for question in self.rows if question.row.id == case),
        )


def by_algorithm(
    answers: Iterable[Answer], rows: Iterable[linux_behaviour.Row]
) -> tuple[dict[str, Questions], dict[tuple[Class, str], list[str]]]:
    """What is asked of each algorithm's drivers, and the rows that are asked of nobody, by why."""
    found: dict[str, tuple[list[Answer], list[Question]]] = defaultdict(lambda: ([], []))
    rest: dict[tuple[Class, str], list[str]] = defaultdict(list)
    for answer in answers:
        found[answer.algorithm][0].append(answer)
    for row in rows:
        question = classify(row)
        if isinstance(question, Question):
            found[question.algorithm][1].append(question)
        else:
            rest[question].append(row.id)
    return {name: Questions(tuple(a), tuple(q)) for name, (a, q) in found.items()}, dict(rest)


@lru_cache(maxsize=1)
def measured() -> tuple[dict[str, Questions], dict[tuple[Class, str], list[str]]]:
    """The shipped measurements, as `by_algorithm` sorts them; VectorError when one is broken."""
    return by_algorithm(linux_answers.shipped().answers, linux_behaviour.shipped().rows)


def unasked(algorithms: Iterable[str]) -> str:
    """How many records say nothing in a run of drivers of these algorithms, and why."""
    questions, rest = measured()
    found = Counter({why: len(ids) for (_, why), ids in rest.items()})
    for name in set(questions) - set(algorithms):
        found[f"no driver of {name}"] = len(questions[name])
    shown = [f"{count} {why}" for why, count in sorted(found.items(), key=_most)[:_REASONS]]
    more = len(found) - len(shown)
    tail = f"; and {more} more reasons" if more else ""
    total = linux_answers.COUNT + linux_behaviour.COUNT
    silent = f"{found.total():,} of {total:,} records of measured Linux answers do not apply"
    return f"{silent}: {'; '.join(shown)}{tail}"


def _most(reason: tuple[str, int]) -> tuple[int, str]:
    return -reason[1], reason[0]


def plans(subject: Subject, settings: Settings, catalogue: Catalogue) -> Iterator[Plan]:
    """One item for each driver whose algorithm was measured."""
    if settings.vector or (settings.case and not settings.case.startswith("linux-")):
        return
    questions = measured()[0].get(subject.algorithm, Questions())
    if subject.type is AlgType.AHASH and len(questions):
        questions = replace(questions, rows=(*questions.rows, *_general(questions.rows)))
    if settings.case:
        questions = questions.only(settings.case)
    if len(questions):
        yield Plan(CHECK, subject, Asker(subject, questions, settings).run)


def _general(own: Sequence[Question]) -> Iterator[Question]:
    """Rows on other hashes that speak of the interface alone, as clones of messages do."""
    asked = {question.row.case for question in own}
    for others in measured()[0].values():
        for question in others.rows:
            if question.general and question.row.case not in asked:
                asked.add(question.row.case)
                yield question


class Asker:
    """All questions to one driver.

    Args:
        subject: the driver.
        questions: those of its algorithm.
        settings: the profile says how many are asked.
    """

    def __init__(self, subject: Subject, questions: Questions, settings: Settings) -> None:
        self.subject = subject
        self.questions = questions
        self.settings = settings
        self._heard: dict[tuple[str, str, str], Finding] = {}

    def run(self, recorder: Recorder, watchdog: Watchdog) -> None:
        """Ask, and record what is said."""
        bench = AnswersBench(self.subject, watchdog)
        unbound = bench.guarded("bind", bench.bind)
        if unbound:
            recorder.result(_BIND, unbound)
            return
        for answer in self._chosen(self.questions.answers, lambda answer: answer.id, recorder):
            problems = bench.answer(answer)
            recorder.result(answer.id, problems, token=answer.id)
        rows = self._affordable(recorder)
        silent: dict[str, list[str]] = defaultdict(list)
        for question in self._chosen(rows, lambda question: question.row.id, recorder):
            finding, problems = self._row(bench, question)
            if finding is not None and finding.kind is Class.NOT_APPLICABLE:
                silent[finding.got].append(question.row.id)
            else:
                recorder.result(question.row.id, problems, token=question.row.id)
        for why, ids in silent.items():
            recorder.unexecuted("not-applicable", why, ids)

    def _row(
        self, bench: AnswersBench, question: Question
    ) -> tuple[Finding | None, list[Problem]]:
        """A row's finding; the same case of another measured driver is asked only once."""
        row = question.row
        place = (row.group, row.case, row.driver if bind_name(row.case) else "")
        heard = self._heard.get(place)
        if heard is not None and heard.expected == question.expected:
            return heard, []
        finding, problems = bench.row(question)
        if finding is not None and not problems:
            self._heard[place] = finding
        return finding, problems

    def _affordable(self, recorder: Recorder) -> Sequence[Question]:
        """The rows without those that take too many requests for the profile."""
        most = _MOST_REQUESTS.get(self.settings.profile)
        rows = self.questions.rows
        if most is None or self.settings.case:
            return rows
        long = [question.row.id for question in rows if question.cost > most]
        if long:
            reason = f"profile {self.settings.profile} asks nothing of over {most} requests"
            recorder.unexecuted("skipped", reason, long)
        return [question for question in rows if question.cost <= most]

    def _chosen(
        self, cases: Sequence[_T], name: Callable[[_T], str], recorder: Recorder
    ) -> Sequence[_T]:
        """All cases, or a sample that is spread evenly."""
        most, count = self.settings.limits.vectors_per_file, len(cases)
        if self.settings.case or not most or count <= most:
            return cases
        places = {place * count // most for place in range(most)}
        left_out = [name(case) for place, case in enumerate(cases) if place not in places]
        reason = f"profile {self.settings.profile} asks a sample of what was measured"
        recorder.unexecuted("skipped", reason, left_out)
        return [cases[place] for place in sorted(places)]


class AnswersBench(Bench):
    """One driver behind the AF_ALG model, on a machine that is replaced when a case broke it."""

    def opened(self) -> None:
        """Put the model in front of the driver."""
        self.probe = Probe(
            self.machine, _KINDS[self.subject.type], self.subject.algorithm, self.subject.driver
        )

    def bind(self) -> list[Problem]:
        """Bind to the driver by its name, which all questions need."""
        got = bound(self.probe)
        return [] if got == "ok" else [Problem("cannot be bound by name", facts.NAMES, "ok", got)]

    def answer(self, answer: Answer) -> list[Problem]:
        """What is wrong with the driver's answer."""
        self.refresh()
        return self.guarded("answer", lambda: self._answer(answer))

    def row(self, question: Question) -> tuple[Finding | None, list[Problem]]:
        """What the driver says to a row, and what is wrong with it; no finding when it broke."""
        self.refresh()
        findings: list[Finding] = []

        def body() -> list[Problem]:
            mappings = self.machine.dma.live_mappings
            findings.append(ask(self.probe, question))
            wrong = _judged(findings[-1], question)
            return wrong or self.machine_problems(mappings)

        problems = self.guarded("case", body)
        return (findings[-1] if findings else None), problems

    def _answer(self, answer: Answer) -> list[Problem]:
        wanted, mappings = wanted_of(answer), self.machine.dma.live_mappings
        got = answer_result(self.probe, answer)
        if got != wanted:
            what = f"{answer.algorithm}, key of {len(answer.key or b'')} bytes"
            detail = f"{what}, {len(answer.data)} bytes in pieces {list(answer.pieces)}"
            message = "another output than Linux" if answer.output else "another error than Linux"
            return [Problem(message, facts.LINUX, wanted, got, details=(detail,))]
        return self.machine_problems(mappings)


def _judged(finding: Finding, question: Question) -> list[Problem]:
    if finding.right:
        return []
    row = question.row
    detail = f"{row.group}, measured on {row.driver}: {row.case}"
    message = f"another behaviour than Linux ({row.group})"
    return [Problem(message, facts.LINUX, finding.expected, finding.got, details=(detail,))]
