"""The command `tcrypt answers`: measured Linux answers, asked of the registered drivers."""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import takewhile

from tcrypt.answers.asking import Class
from tcrypt.checks.answers import AnswersBench, Questions, by_algorithm
from tcrypt.engine.api.flags import AlgType
from tcrypt.plugins.discovery import discover
from tcrypt.plugins.providers import Providers
from tcrypt.problems import Problem
from tcrypt.settings import PROFILES
from tcrypt.subject import Subject
from tcrypt.vectors import linux_answers, linux_behaviour
from tcrypt.vectors.errors import VectorError
from tcrypt.vectors.linux_answers import Answer
from tcrypt.vectors.linux_behaviour import Row
from tcrypt.watchdog import Watchdog

__all__ = ("run",)

_SHOWN = 40
_WIDTH = 100
_BEFORE = 16


class _Tally:
    """What became of each record, over all drivers that it was asked of."""

    def __init__(self) -> None:
        self.asked: set[str] = set()
        self.wrong: dict[str, list[str]] = defaultdict(list)
        self.silent: dict[str, str] = {}
        self.unparsed: dict[str, str] = {}

    def word(self, name: str) -> str:
        """The category of a record."""
        if name in self.wrong:
            return "wrong"
        if name in self.asked:
            return "right"
        return "unparsed" if name in self.unparsed else "not applicable"


def run(chosen: argparse.Namespace) -> int:
    """Ask, and print what was said; 0 when everything agrees, 2 for an unusable file."""
    try:
        answers, rows = _records(chosen)
    except VectorError as error:
        print(f"tcrypt answers: {error}", file=sys.stderr)
        return 2
    providers = Providers()
    providers.add_entry_points()
    watchdog = Watchdog(PROFILES["full"].patience)
    wanted = [p for p in providers if not chosen.provider or p.name in chosen.provider]
    subjects, broken = discover(wanted, watchdog)
    for bad in broken:
        print(f"tcrypt answers: provider {bad.provider.name}: {bad.why}", file=sys.stderr)
    subjects = [s for s in subjects if not chosen.driver or s.driver in chosen.driver]
    if not subjects:
        print("tcrypt answers: no such provider or driver", file=sys.stderr)
        return 2
    tally = _ask_all(subjects, answers, rows, watchdog)
    _print(tally, answers, rows, len(subjects))
    return 1 if tally.wrong or tally.unparsed or broken else 0


def _records(chosen: argparse.Namespace) -> tuple[Sequence[Answer], Sequence[Row]]:
    """The named files, or the shipped ones when none is named."""
    if chosen.json is None and chosen.csv is None:
        return linux_answers.shipped().answers, linux_behaviour.shipped().rows
    answers = linux_answers.load(chosen.json).answers if chosen.json is not None else ()
    rows = linux_behaviour.load(chosen.csv).rows if chosen.csv is not None else ()
    return answers, rows


def _ask_all(
    subjects: Iterable[Subject], answers: Sequence[Answer], rows: Sequence[Row], watchdog: Watchdog
) -> _Tally:
    questions, rest = by_algorithm(answers, rows)
    tally, left = _Tally(), dict(questions)
    for (kind, why), names in rest.items():
        into = tally.unparsed if kind is Class.UNPARSED else tally.silent
        into.update(dict.fromkeys(names, why))
    for subject in subjects:
        left.pop(subject.algorithm, None)
        with watchdog.watching(subject.id):
            _ask(subject, questions.get(subject.algorithm, Questions()), watchdog, tally)
    for algorithm, unasked in left.items():
        built = _built(subjects, algorithm)
        if built is not None:
            with watchdog.watching(built.id):
                _ask(built, unasked, watchdog, tally)
            continue
        names = [a.id for a in unasked.answers] + [q.row.id for q in unasked.rows]
        tally.silent.update(dict.fromkeys(names, f"no driver of {algorithm}"))
    return tally


def _built(subjects: Iterable[Subject], algorithm: str) -> Subject | None:
    """A driver that templates make when the algorithm is asked for; None when they cannot."""
    for provider in dict.fromkeys(subject.provider for subject in subjects):
        machine = provider.boot()
        for kind in (AlgType.SKCIPHER, AlgType.AEAD):
            try:
                return Subject(provider, machine.registry.find(algorithm, kind))
            except OSError:
                continue
    return None


def _ask(subject: Subject, questions: Questions, watchdog: Watchdog, tally: _Tally) -> None:
    if not len(questions):
        return
    bench = AnswersBench(subject, watchdog)
    for problem in bench.guarded("bind", bench.bind):
        tally.wrong[subject.id].append(f"{subject.id}: {problem.message}: {problem.got}")
        return
    for answer in questions.answers:
        tally.asked.add(answer.id)
        for problem in bench.answer(answer)[:1]:
            said = f"{problem.message}: {_difference(problem)}"
            tally.wrong[answer.id].append(f"{subject.id}: {said}")
    for question in questions.rows:
        name = question.row.id
        finding, problems = bench.row(question)
        if finding is not None and finding.kind is Class.NOT_APPLICABLE:
            tally.silent[name] = finding.got
            continue
        tally.asked.add(name)
        for problem in problems[:1]:
            case = f"{question.row.driver}: {question.row.case}"
            said = f"{case}: {_difference(problem)}"
            tally.wrong[name].append(f"{subject.id}: {said}")


def _difference(problem: Problem) -> str:
    """Both results; where they are long, from shortly before they part."""
    pair = (problem.expected, problem.got)
    same = sum(1 for _ in takewhile(lambda two: two[0] == two[1], zip(*pair, strict=False)))
    start = max(0, same - _BEFORE)
    shown = [("..." if start else "") + text[start:][:_WIDTH] for text in pair]
    return f"expected {shown[0]}, got {shown[1]}" if any(pair) else "; ".join(problem.details)


def _print(tally: _Tally, answers: Sequence[Answer], rows: Sequence[Row], drivers: int) -> None:
    columns = ("right", "wrong", "not applicable", "unparsed")
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for answer in answers:
        counts[f"answers {answer.kind}"][tally.word(answer.id)] += 1
    for row in rows:
        counts[f"cases {row.group}"][tally.word(row.id)] += 1
    print(f"{'group':<20}" + "".join(f"{column:>16}" for column in columns))
    for group, found in counts.items():
        print(f"{group:<20}" + "".join(f"{found[column]:>16}" for column in columns))
    print(f"asked of {drivers} drivers")
    _print_reasons("not applicable", [w for n, w in tally.silent.items() if n not in tally.asked])
    _print_reasons("unparsed", list(tally.unparsed.values()))
    found_wrong = [line for lines in tally.wrong.values() for line in lines]
    for line in found_wrong[:_SHOWN]:
        print(f"WRONG {line}")
    if len(found_wrong) > _SHOWN:
        print(f"... and {len(found_wrong) - _SHOWN} more")


def _print_reasons(title: str, reasons: Iterable[str]) -> None:
    for reason, count in Counter(reasons).most_common():
        print(f"{title}: {count:>5}  {reason}")
