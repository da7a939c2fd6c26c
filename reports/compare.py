"""Two reports compared: what is no longer tested, what broke, what was fixed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Literal

import msgspec

from tcrypt.reports.events import CoverageLost
from tcrypt.reports.judge import judged
from tcrypt.reports.model import Cell, Change, Counts, LostCoverage, Report
from tcrypt.reports.words import DIVIDED_CHECKS

__all__ = ("changes", "lost_bins", "lost_coverage", "with_baseline")

_CellKey = tuple[str, str, str, str]
_NAMED = 5


def lost_coverage(baseline: Report, current: Report) -> list[CoverageLost]:
    """Return what ran in the baseline, whether it passed or not, and did not run now.

    There is one event for a provider, or for a driver, of which nothing runs any more, else one
    for each cell.  Drivers of one provider divide some checks among them, and so do the machines
    of one driver: where a provider has more drivers than it had, or a driver more providers, what
    one of them ran before may be another's now.
    """
    before, now = _cells(baseline), _cells(current)
    alive = {key[:n] for key, cell in now.items() if cell.counts.executed for n in (1, 2)}
    gone: dict[tuple[str, ...], int] = {}
    events: list[CoverageLost] = []
    ran_before, ran_now = _executed_cases(baseline), _executed_cases(current)
    fates = _fates(current)
    divided = _Divided(baseline, current, ran_now)
    for key, cell in before.items():
        if not cell.counts.executed:
            continue
        dead = next((key[:n] for n in (1, 2) if key[:n] not in alive), None)
        if dead:
            gone[dead] = gone.get(dead, 0) + cell.counts.executed
            continue
        missing = list((ran_before.get(key, Counter()) - ran_now.get(key, Counter())).elements())
        executed = now[key].counts.executed if key in now else 0
        if executed and divided.keeps(key, missing):
            continue
        if missing or executed < cell.counts.executed:
            events.append(_lost_cell(key, cell, executed, missing, fates.get(key, {})))
    return [_lost_whole(name, number) for name, number in gone.items()] + events


class _Divided:
    """What drivers run between them, where there are more of them, or of their machines, now."""

    def __init__(
        self, baseline: Report, current: Report, ran: dict[_CellKey, Counter[str]]
    ) -> None:
        self._grown = _grown(baseline, current, 0)
        self._spread = _grown(baseline, current, 1)
        self._sums = (_sums(baseline), _sums(current))
        self._homes = _homes(current)
        self._ran: dict[tuple[str, str], set[str]] = {}
        for key, cases in ran.items():
            self._ran.setdefault((key[0], key[3]), set()).update(cases)

    def keeps(self, key: _CellKey, missing: list[str]) -> bool:
        """Whether the other drivers, or machines, run what this one no longer does."""
        if key[3] not in DIVIDED_CHECKS:
            return False
        before, now = self._sums
        both = key[0], key[3]
        if key[1] in self._spread:
            return sum(now[home, key[3]] for home in self._homes[key[1]]) >= before[both]
        if key[0] not in self._grown:
            return False
        return now[both] >= before[both] and self._ran.get(both, set()).issuperset(missing)


def _grown(baseline: Report, current: Report, which: int) -> set[str]:
    """Providers that have more drivers now (0), or drivers that more providers have (1)."""
    before, now = _pairs(baseline, which), _pairs(current, which)
    return {name for name, number in now.items() if number > before[name]}


def _pairs(report: Report, which: int) -> Counter[str]:
    return Counter(pair[which] for pair in _alive(report))


def _alive(report: Report) -> set[tuple[str, str]]:
    return {(cell.provider, cell.driver) for cell in report.cells if cell.counts.executed}


def _homes(report: Report) -> dict[str, set[str]]:
    """The providers that have a driver, by its name."""
    homes: dict[str, set[str]] = {}
    for provider, driver in _alive(report):
        homes.setdefault(driver, set()).add(provider)
    return homes


def _sums(report: Report) -> Counter[tuple[str, str]]:
    sums: Counter[tuple[str, str]] = Counter()
    for cell in report.cells:
        sums[cell.provider, cell.check] += cell.counts.executed
    return sums


def changes(baseline: Report, current: Report) -> list[Change]:
    """Return the cells that ran in both and failed in only one of the two.

    That a failure is expected now, or no longer, is a change of a file and none of a driver: such
    a cell broke when a case fails that did not fail before, and is fixed when none fails.
    """
    before, found = _cells(baseline), []
    known, failing = _failing_cases(baseline), _failing_cases(current)
    for key, cell in _cells(current).items():
        old = before.get(key)
        if old is None or not old.counts.executed or not cell.counts.executed:
            continue
        kind = _kind(old.counts, cell.counts, known.get(key, set()), failing.get(key, set()))
        if kind is not None:
            found.append(
                Change(
                    kind=kind,
                    provider=key[0],
                    driver=key[1],
                    algorithm=key[2],
                    check=key[3],
                    before=_outcome(old.counts),
                    now=_outcome(cell.counts),
                )
            )
    return found


def _kind(
    before: Counts, now: Counts, known: set[str], failing: set[str]
) -> Literal["broken", "fixed"] | None:
    """What became of a cell, by its counts and by the cases that fail, expected or not."""
    if before.failed or before.expected_failure:
        if not now.failed and not now.expected_failure:
            return "fixed"
        return "broken" if now.failed and not before.failed and failing - known else None
    return "broken" if now.failed else None


def lost_bins(baseline: Report, current: Report) -> list[LostCoverage]:
    """Return the bins of functional coverage that the baseline hit and this run did not.

    There is one entry for each cross of each driver, which names them all.  A driver that is gone
    altogether is told of by `lost_coverage`.  Where a provider has more drivers than it had, or a
    driver more providers, what one of them showed before may be another's now.
    """
    before, now = _bins_hit(baseline), _bins_hit(current)
    grown, spread = _grown(baseline, current, 0), _grown(baseline, current, 1)
    homes = _homes(current)
    anywhere: dict[tuple[str, str], set[str]] = {}
    for (provider, *_), crosses in now.items():
        for cross, names in crosses.items():
            anywhere.setdefault((provider, cross), set()).update(names)
    found = []
    for key, crosses in before.items():
        alive = now.get(key, {})
        for cross, names in crosses.items() if key in now else ():
            kept = set(alive.get(cross, ()))
            others = homes[key[1]] if key[1] in spread else grown & {key[0]}
            kept.update(*(anywhere.get((home, cross), ()) for home in others))
            gone = [name for name in names if name not in kept]
            if gone:
                found.append(
                    LostCoverage(
                        what=f"{'/'.join(key)}: bins of {cross}",
                        expected=f"{len(names):,} hit",
                        got=f"{len(names) - len(gone):,} of them hit",
                        reason=f"not hit any more: {'; '.join(gone)}",
                    )
                )
    return found


def _bins_hit(report: Report) -> dict[tuple[str, str, str], dict[str, dict[str, None]]]:
    drivers = report.coverage.drivers if report.coverage is not None else ()
    return {
        (d.provider, d.driver, d.algorithm): {
            cross.name: dict.fromkeys(cross.names_hit) for cross in d.crosses
        }
        for d in drivers
    }


def with_baseline(current: Report, baseline: Report, name: str) -> Report:
    """Return the current report, judged also by what it lost since the baseline called `name`."""
    lost = [
        LostCoverage(what=e.what, expected=e.expected, got=e.got, reason=e.reason)
        for e in lost_coverage(baseline, current)
    ]
    lost += lost_bins(baseline, current)
    known = set(current.coverage_lost)
    return judged(
        msgspec.structs.replace(
            current,
            baseline=name,
            changes=tuple(changes(baseline, current)),
            coverage_lost=(*current.coverage_lost, *(loss for loss in lost if loss not in known)),
        )
    )


def _cells(report: Report) -> dict[_CellKey, Cell]:
    return {(c.provider, c.driver, c.algorithm, c.check): c for c in report.cells}


def _executed_cases(report: Report) -> dict[_CellKey, Counter[str]]:
    cases: dict[_CellKey, Counter[str]] = {}
    for item in report.items:
        key = (item.provider, item.driver, item.algorithm, item.check)
        counter = cases.setdefault(key, Counter())
        counter.update(item.passed)
        counter.update(item.failed)
        counter.update(item.expected)
    return cases


def _failing_cases(report: Report) -> dict[_CellKey, set[str]]:
    cases: dict[_CellKey, set[str]] = {}
    for item in report.items:
        key = (item.provider, item.driver, item.algorithm, item.check)
        cases.setdefault(key, set()).update(item.failed, item.expected)
    return cases


def _fates(report: Report) -> dict[_CellKey, dict[str, str]]:
    """Return what became of the cases that did not run, in words."""
    fates: dict[_CellKey, dict[str, str]] = {}
    for item in report.items:
        cell = fates.setdefault((item.provider, item.driver, item.algorithm, item.check), {})
        for group in item.others:
            cell.update(dict.fromkeys(group.ids, f"{group.verdict} ({group.reason})"))
    return fates


def _lost_cell(
    key: _CellKey, cell: Cell, executed: int, missing: list[str], fates: dict[str, str]
) -> CoverageLost:
    # Without an id to name, only the number of cases is known to have shrunk.
    by_fate: dict[str, list[str]] = {}
    for case in missing:
        by_fate.setdefault(fates.get(case, "no longer there"), []).append(case)
    reasons = [f"{fate}: {_some(cases)}" for fate, cases in by_fate.items()]
    return CoverageLost(
        what="/".join(key),
        expected=f"{cell.counts.executed:,} cases ran",
        got=f"{executed:,} cases ran",
        reason="; ".join(reasons) or "fewer cases were recorded",
    )


def _lost_whole(name: tuple[str, ...], number: int) -> CoverageLost:
    kind = "provider" if len(name) == 1 else "driver"
    return CoverageLost(
        what="/".join(name),
        expected=f"{number:,} cases ran",
        got="0 cases ran",
        reason=f"nothing of this {kind} runs any more",
    )


def _some(cases: Iterable[str]) -> str:
    names = list(cases)
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _outcome(counts: Counts) -> str:
    expected = counts.expected_failure
    known = f", {expected:,} as expected" if expected else ""
    if counts.failed:
        return f"{counts.failed:,} of {counts.executed:,} failed{known}"
    if expected:
        return f"{expected:,} of {counts.executed:,} failed as expected"
    return f"{counts.passed:,} passed"
