"""Failures of one kind told once, so that five hundred of them are not a wall."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tcrypt.reports.model import Failure, Report
from tcrypt.reports.words import ItemVerdict, UnexecutedVerdict

__all__ = ("FailureGroup", "UnexecutedGroup", "group_failures", "group_unexecuted")


@dataclass(frozen=True)
class FailureGroup:
    """Failures of the same driver, check and message; at least one."""

    provider: str
    driver: str
    check: str
    message: str
    failures: tuple[Failure, ...]

    @property
    def title(self) -> str:
        """Where the failures are: provider/driver and the check."""
        return f"{self.provider}/{self.driver} {self.check}"


@dataclass(frozen=True)
class UnexecutedGroup:
    """Cases that did not run for one reason, and the drivers that this concerns."""

    verdict: UnexecutedVerdict
    reason: str
    cases: int
    drivers: tuple[str, ...]
    checks: tuple[str, ...]


def group_failures(failures: Iterable[Failure]) -> list[FailureGroup]:
    """Return the failures in groups, each group where its first failure stood."""
    groups: dict[tuple[str, str, str, str], list[Failure]] = {}
    for failure in failures:
        key = (failure.provider, failure.driver, failure.check, failure.message)
        groups.setdefault(key, []).append(failure)
    return [FailureGroup(*key, tuple(group)) for key, group in groups.items()]


def group_unexecuted(report: Report) -> list[UnexecutedGroup]:
    """Return the reasons for which cases did not run, the most frequent first."""
    numbers: dict[tuple[UnexecutedVerdict, str], int] = {}
    drivers: dict[tuple[UnexecutedVerdict, str], dict[str, None]] = {}
    checks: dict[tuple[UnexecutedVerdict, str], dict[str, None]] = {}
    for item in report.items:
        sets = [(group.verdict, group.reason, len(group.ids)) for group in item.others]
        if item.unrecorded:
            sets.append((*_unrecorded(item.verdict), item.unrecorded))
        for verdict, reason, number in sets:
            key = (verdict, reason)
            numbers[key] = numbers.get(key, 0) + number
            drivers.setdefault(key, {})[f"{item.provider}/{item.driver}"] = None
            checks.setdefault(key, {})[item.check] = None
    return [
        UnexecutedGroup(*key, number, tuple(drivers[key]), tuple(checks[key]))
        for key, number in sorted(numbers.items(), key=lambda pair: (-pair[1], pair[0]))
    ]


def _unrecorded(verdict: ItemVerdict) -> tuple[UnexecutedVerdict, str]:
    match verdict:
        case "skipped" | "unsupported" | "blocked" | "not-applicable":
            return verdict, "the whole item, which gave no reason"
        case "interrupted":
            return "not-run", "the run ended in the middle of the item"
        case "not-run":
            return "not-run", "the run ended before the item had its turn"
    return "not-run", "the item ended without a record of them"
