"""The sums over all items: records, cells, failures, and what is missing."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tcrypt.reports import events as ev
from tcrypt.reports.items import ItemState
from tcrypt.reports.judge import cell_verdict
from tcrypt.reports.model import Cell, Counts, Failure, ItemRecord, LostCoverage
from tcrypt.reports.order import natural_key
from tcrypt.reports.words import CaseVerdict

__all__ = ("Tally",)


@dataclass
class _Group:
    numbers: Counter[CaseVerdict] = field(default_factory=Counter)
    interrupted: bool = False
    seconds: float = 0.0
    items: int = 0
    finished: int = 0


class Tally:
    """Everything that follows from the items, in an order that no worker can influence.

    Attributes:
        records: The items by provider, driver, algorithm, check and name.
        cells: The same, summed over the items of a check.
        failures: All failures that nobody expected, in the order of the records.
        expected: Those that entries of a file expect.
        lost: Items that ended as passed with fewer cases than planned.
        problems: Contradictions between events.
        unfinished: Whether an item was planned and did not get to its end.
    """

    def __init__(self, states: Sequence[ItemState]) -> None:
        for state in states:
            state.settle()
        pairs = [(state, state.record()) for state in states]
        pairs.sort(key=lambda pair: _order(pair[1]))
        self.records = tuple(record for _, record in pairs)
        self.cells = tuple(_cells(pairs))
        found = list(_failures(pairs))
        self.failures = tuple(failure for failure in found if not failure.expected_by)
        self.expected = tuple(failure for failure in found if failure.expected_by)
        self.lost = [loss for pair in pairs for loss in _lost(*pair)]
        self.problems = [text for state, _ in pairs for text in state.problems()]
        self.unfinished = any(state.finished is None for state in states)


def _order(record: ItemRecord) -> tuple[str, str, str, str, list[tuple[int, str]]]:
    return record.provider, record.driver, record.algorithm, record.check, natural_key(record.item)


def _cells(pairs: Sequence[tuple[ItemState, ItemRecord]]) -> list[Cell]:
    groups: dict[tuple[str, str, str, str], _Group] = {}
    for state, record in pairs:
        key = (record.provider, record.driver, record.algorithm, record.check)
        group = groups.setdefault(key, _Group())
        group.numbers.update(_numbers(record))
        group.interrupted |= record.verdict == "interrupted"
        group.seconds += record.seconds
        group.items += 1
        group.finished += state.finished is not None
    return [_cell(*key, group) for key, group in groups.items()]


def _cell(provider: str, driver: str, algorithm: str, check: str, group: _Group) -> Cell:
    counts = Counts.of(group.numbers)
    return Cell(
        provider=provider,
        driver=driver,
        algorithm=algorithm,
        check=check,
        verdict=cell_verdict(counts, group.interrupted),
        counts=counts,
        seconds=group.seconds,
        items_planned=group.items,
        items_finished=group.finished,
    )


def _numbers(record: ItemRecord) -> dict[CaseVerdict, int]:
    numbers: Counter[CaseVerdict] = Counter()
    numbers["passed"] = len(record.passed)
    numbers["failed"] = len(record.failed)
    numbers["expected-failure"] = len(record.expected)
    for group in record.others:
        numbers[group.verdict] += len(group.ids)
    # What left no record shares the item's word for not having run, when it has one.
    verdict = record.verdict
    if verdict == "interrupted" or verdict in ("passed", "failed", "expected-failure"):
        verdict = "not-run"
    numbers[verdict] += record.unrecorded
    return numbers


def _lost(state: ItemState, record: ItemRecord) -> list[LostCoverage]:
    if state.finished is None or state.finished.verdict not in ("passed", "expected-failure"):
        return []
    recorded = sum(_numbers(record).values()) - record.unrecorded
    if recorded and not record.unrecorded:
        return []
    return [
        LostCoverage(
            what=f"{record.provider}/{record.driver}/{record.algorithm}/{record.check}:"
            f" item {record.item}",
            expected=f"{record.planned:,} cases" if record.planned else "at least one case",
            got=f"{recorded:,} cases",
            reason="the item ended as passed without a record of the rest",
        )
    ]


def _failures(pairs: Sequence[tuple[ItemState, ItemRecord]]) -> list[Failure]:
    taken: Counter[str] = Counter()
    failures = []
    for state, record in pairs:
        for event, entries in state.failures:
            name = _failure_id(record, event)
            taken[name] += 1
            if taken[name] > 1:
                name = f"{name}-{taken[name]}"
            failures.append(_failure(name, record, event, entries))
    return failures


def _failure_id(record: ItemRecord, event: ev.CaseFailed) -> str:
    # Neither the item nor the message: chunks of cases and wordings change between runs.
    parts = (record.provider, record.driver, record.algorithm, record.check)
    text = "\0".join((*parts, event.case, event.layout))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _failure(
    name: str, record: ItemRecord, event: ev.CaseFailed, entries: tuple[int, ...]
) -> Failure:
    return Failure(
        id=name,
        item=event.item,
        provider=record.provider,
        driver=record.driver,
        algorithm=record.algorithm,
        check=record.check,
        case=event.case,
        message=event.message,
        fact=event.fact,
        expected=event.expected,
        got=event.got,
        details=tuple(event.details),
        layout=event.layout,
        attribution=event.attribution,
        command=event.command,
        timeline=tuple(event.timeline),
        grave=event.grave,
        expected_by=entries,
    )
