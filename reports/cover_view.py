"""The coverage of a run as a page and a terminal show it: tables by provider and type, holes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tcrypt.reports.cover import Coverage, CoverCross, DriverCover, LeftOut, percent
from tcrypt.reports.model import Report

__all__ = ("CoverRow", "CoverTable", "CoverView", "cover_view", "hole_lines", "judgement")

_MOST_HOLES = 15


@dataclass(frozen=True)
class CoverCell:
    """A cross of a driver: how much was hit, and whether that is what it must be."""

    text: str
    tone: str
    title: str


@dataclass(frozen=True)
class CoverRow:
    """A driver; a cross that its model lacks has None."""

    driver: str
    algorithm: str
    total: str
    bins: int
    cells: tuple[CoverCell | None, ...]
    holes: tuple[tuple[str, tuple[str, ...]], ...]
    holes_left: int
    waived: str
    search: str


@dataclass(frozen=True)
class CoverTable:
    """The drivers of one provider and type: what was hit, and what is left out and why."""

    provider: str
    type: str
    total: str
    bins: int
    crosses: tuple[str, ...]
    rows: tuple[CoverRow, ...]
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True)
class CoverView:
    """All tables, and whether goals hold."""

    total: str
    bins: int
    judged: str
    tables: tuple[CoverTable, ...]


def cover_view(report: Report) -> CoverView:
    """Lay the coverage of a report out; an empty view when there is none."""
    coverage = report.coverage
    types = {(a.provider, a.driver, a.algorithm): a.type for a in report.algorithms}
    if coverage is None:
        return CoverView("", 0, "", ())
    groups: dict[tuple[str, str], list[DriverCover]] = {}
    for driver in coverage.drivers:
        kind = types.get((driver.provider, driver.driver, driver.algorithm), "")
        groups.setdefault((driver.provider, kind), []).append(driver)
    return CoverView(
        total=_percent(coverage.hits, coverage.bins),
        bins=coverage.bins,
        judged=judgement(coverage),
        tables=tuple(_table(coverage, *key, group) for key, group in groups.items()),
    )


def judgement(coverage: Coverage) -> str:
    """Whether the run is judged by its coverage, in a sentence."""
    if coverage.waived:
        return f"not judged: {coverage.waived}"
    return "judged by the goals of its profile" if coverage.goals else "there were no goals"


def hole_lines(driver: DriverCover) -> Iterator[str]:
    """Every hole of a driver, a line each: the driver, the bin, and which cross lacks it."""
    for cross in driver.crosses:
        for name in cross.names_missed:
            yield f"{driver.driver}: {name}: never seen ({cross.name})"


def _percent(hits: int, bins: int) -> str:
    return f"{percent(hits, bins):.0f} %" if hits == bins else f"{percent(hits, bins):.1f} %"


def _table(
    coverage: Coverage, provider: str, kind: str, drivers: Sequence[DriverCover]
) -> CoverTable:
    names = dict.fromkeys(cross.name for driver in drivers for cross in driver.crosses)
    crosses = tuple(sorted(names, key=lambda name: " x " in name))
    bins, hits = sum(d.bins for d in drivers), sum(d.hits for d in drivers)
    return CoverTable(
        provider=provider,
        type=kind,
        total=_percent(hits, bins),
        bins=bins,
        crosses=crosses,
        rows=tuple(_row(coverage, driver, crosses) for driver in drivers),
        left_out=tuple(_summed(out for driver in drivers for out in driver.left_out)),
    )


def _row(coverage: Coverage, driver: DriverCover, names: Iterable[str]) -> CoverRow:
    known = {cross.name: cross for cross in driver.crosses}
    holes: list[tuple[str, tuple[str, ...]]] = []
    room = _MOST_HOLES
    for cross in driver.crosses:
        missed = tuple(cross.names_missed)
        if missed and room > 0:
            holes.append((cross.name, missed[:room]))
        room -= len(missed)
    return CoverRow(
        driver=driver.driver,
        algorithm=driver.algorithm,
        total=_percent(driver.hits, driver.bins),
        bins=driver.bins,
        cells=tuple(_cell(coverage, driver, known.get(name)) for name in names),
        holes=tuple(holes),
        holes_left=max(0, -room),
        waived=driver.waived,
        search=f"{driver.provider} {driver.driver} {driver.algorithm}".lower(),
    )


def _cell(coverage: Coverage, driver: DriverCover, cross: CoverCross | None) -> CoverCell | None:
    if cross is None:
        return None
    goal = coverage.goal_of(driver, cross.name)
    own, shared = cross.hits, cross.hits + cross.elsewhere
    missed = percent(own, cross.bins) < goal.own or percent(shared, cross.bins) < goal.shared
    tone = "short" if missed and not (coverage.waived or driver.waived) else "part"
    title = f"{cross.name}: {own} of {cross.bins} bins"
    if cross.elsewhere:
        title += f", {cross.elsewhere} more by its like"
    return CoverCell(
        text=f"{percent(own, cross.bins):.0f}" if own == cross.bins else f"{own}/{cross.bins}",
        tone="whole" if own == cross.bins else tone,
        title=title,
    )


def _summed(left_out: Iterable[LeftOut]) -> list[LeftOut]:
    """One entry for what several drivers or crosses leave out for the same reason."""
    sums: dict[tuple[str, str, str], int] = {}
    for out in left_out:
        key = (out.kind, out.where, out.reason)
        sums[key] = sums.get(key, 0) + out.bins
    return [
        LeftOut(cross="", kind=kind, where=where, reason=reason, bins=bins)
        for (kind, where, reason), bins in sorted(sums.items())
    ]
