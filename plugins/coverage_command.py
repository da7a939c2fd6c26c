"""The command `tcrypt coverage`: what a run covered, driver by driver, and what it never saw."""

from __future__ import annotations

import argparse
import json
import sys

from tcrypt.reports.cover import Coverage, DriverCover, percent
from tcrypt.reports.cover_view import hole_lines, judgement
from tcrypt.reports.store import ReportError, read_report
from tcrypt.settings import matches

__all__ = ("run",)

_WIDE = 200


def run(chosen: argparse.Namespace) -> int:
    """Print the table, and what else was asked for; 2 when there is nothing to print."""
    path = chosen.report / "report.json" if chosen.report.is_dir() else chosen.report
    try:
        coverage = read_report(path).coverage
    except (ReportError, OSError) as error:
        print(f"tcrypt coverage: {error}", file=sys.stderr)
        return 2
    if coverage is None:
        print(f"tcrypt coverage: {path}: the run counted no coverage", file=sys.stderr)
        return 2
    drivers = [driver for driver in coverage.drivers if _wanted(driver, chosen)]
    if not drivers:
        print(f"tcrypt coverage: {path}: no driver is so called", file=sys.stderr)
        return 2
    if chosen.json:
        _print_json(coverage, drivers)
        return 0
    _print_table(drivers)
    print(f"\n{judgement(coverage)}")
    if chosen.holes or len(drivers) == 1:
        _print_holes(drivers)
    if chosen.left_out:
        _print_left_out(drivers)
    return 0


def _wanted(driver: DriverCover, chosen: argparse.Namespace) -> bool:
    pairs = ((chosen.provider, driver.provider), (chosen.driver, driver.driver))
    return all(not given or any(matches(p, name) for p in given) for given, name in pairs)


def _print_json(coverage: Coverage, drivers: list[DriverCover]) -> None:
    import msgspec

    found = msgspec.structs.replace(coverage, drivers=tuple(drivers))
    print(json.dumps(msgspec.to_builtins(found), indent=1))


def _print_table(drivers: list[DriverCover]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for column in ("provider", "driver"):
        table.add_column(column, overflow="fold")
    for column in ("hit", "bins", "holes", "elsewhere"):
        table.add_column(column, justify="right")
    table.add_column("least covered", overflow="fold")
    for driver in drivers:
        elsewhere = sum(cross.elsewhere for cross in driver.crosses)
        cells = (
            *(driver.provider, driver.driver),
            f"{percent(driver.hits, driver.bins):.1f} %",
            *(f"{driver.bins:,}", f"{driver.bins - driver.hits:,}", f"{elsewhere:,}"),
            _least(driver),
        )
        table.add_row(*map(Text, cells))
    Console(width=None if sys.stdout.isatty() else _WIDE).print(table)


def _least(driver: DriverCover) -> str:
    """The cross with the smallest share of hits; nothing when all bins were hit."""
    short = [cross for cross in driver.crosses if cross.hits < cross.bins]
    if not short:
        return ""
    cross = min(short, key=lambda cross: cross.hits / cross.bins)
    return f"{cross.name} {percent(cross.hits, cross.bins):.0f} %"


def _print_holes(drivers: list[DriverCover]) -> None:
    for driver in drivers:
        for line in hole_lines(driver):
            print(f"{driver.provider}/{line}")


def _print_left_out(drivers: list[DriverCover]) -> None:
    for driver in drivers:
        for out in driver.left_out:
            where = f"{driver.provider}/{driver.driver}: {out.cross}: {out.where}"
            print(f"{where}: {out.kind}, {out.reason} ({out.bins:,} bins)")
