"""Arguments of the larger commands; what they need is imported when one of them runs."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from datetime import date
from pathlib import Path

from tcrypt.plugins.options import DEFAULT_REPORT

__all__ = ("coverage_arguments", "expect_arguments", "mutants_arguments", "vectors_arguments")


def coverage_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `tcrypt coverage`."""
    parser.add_argument(
        "report",
        nargs="?",
        type=Path,
        default=Path(DEFAULT_REPORT),
        metavar="REPORT",
        help="a report.json, or the folder of one",
    )
    for name in ("provider", "driver"):
        parser.add_argument(
            f"--{name}", action="append", default=[], metavar="PATTERN", help=f"this {name} only"
        )
    parser.add_argument("--holes", action="store_true", help="name every bin that was never hit")
    parser.add_argument(
        "--left-out", action="store_true", help="say which bins are not counted, and why"
    )
    parser.add_argument("--json", action="store_true", help="machine-readable output")


def expect_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `tcrypt expect`."""
    parser.add_argument(
        "report",
        nargs="?",
        type=Path,
        default=Path(DEFAULT_REPORT),
        metavar="REPORT",
        help="a report.json, or the folder of one",
    )
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="a new file (default: standard output)"
    )
    parser.add_argument(
        "--reason", default="", help="why they are expected (default: each entry asks for its own)"
    )
    parser.add_argument(
        "--expires", type=_day, metavar="DATE", help="their last day (default: in 90 days)"
    )


def _day(text: str) -> date:
    try:
        if len(text) == len("YYYY-MM-DD"):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text!r}: want a date, YYYY-MM-DD")


def mutants_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `tcrypt mutants`."""
    parser.add_argument(
        "ids", nargs="*", metavar="ID", help="these defects only (default: all there are)"
    )
    parser.add_argument(
        "--from",
        dest="files",
        action="append",
        default=[],
        metavar="FILE",
        help="defects of this Python file or module instead of the catalogue's (repeatable)",
    )
    parser.add_argument(
        "--driver-from", action="append", default=[], metavar="FILE", help="load a driver"
    )
    for name, text in (("provider", "search"), ("algorithm", "search"), ("check", "run")):
        parser.add_argument(
            f"--{name}", action="append", default=[], metavar="NAME", help=f"{text} only these"
        )
    parser.add_argument(
        "--profile",
        choices=("quick", "default", "full"),
        default="default",
        help="search up to this profile",
    )
    parser.add_argument("--seed", type=int, default=0, help="of all generated data")
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count() or 1, help="at a time")
    parser.add_argument(
        "--timeout", type=float, default=900.0, help="seconds for one defect (default: 900)"
    )
    parser.add_argument(
        "--compare",
        choices=("testmgr", "testmgr-extra"),
        help="also say what the kernel's self-test (Linux 6.1) makes of each: its default build,"
        " or also with its extra tests, which take seconds for each",
    )
    parser.add_argument("--json", action="store_true", help="machine-readable output")


def vectors_arguments(
    parser: argparse.ArgumentParser, run: Callable[[argparse.Namespace], int]
) -> None:
    """Declare the arguments of `tcrypt vectors`."""
    actions = parser.add_subparsers(required=True, metavar="ACTION", dest="action")
    listing = actions.add_parser("list", help="vectors per algorithm and source, and what lacks")
    listing.add_argument("--json", action="store_true", help="machine-readable output")
    checking = actions.add_parser("check", help="read every file: digests, counts, format")
    importing = actions.add_parser(
        "import", help="turn a published source into a folder for run --vectors"
    )
    importing.add_argument("source", metavar="SOURCE", help="testmgr, wycheproof, acvp or nist")
    importing.add_argument(
        "path", type=Path, metavar="PATH", help="a tree, a folder, an archive or a package"
    )
    importing.add_argument(
        "--to", type=Path, metavar="FOLDER", help="where to write (default: vectors-SOURCE)"
    )
    importing.add_argument(
        "--all", action="store_true", help="also algorithms that this suite does not know"
    )
    importing.add_argument(
        "--largest",
        type=int,
        default=0,
        metavar="MIB",
        help="take ACVP's tests of large data up to this size, 8192 for all (default: none)",
    )
    showing = actions.add_parser("show", help="print one vector")
    showing.add_argument("id", metavar="ID", help="as reports name it")
    for action in (listing, checking, showing):
        action.add_argument(
            "--vectors", action="append", default=[], metavar="PATH", help="add your own files"
        )
    for action in (listing, checking, importing, showing):
        action.set_defaults(function=run)
