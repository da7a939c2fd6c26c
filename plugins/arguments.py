"""Arguments of the larger commands; what they need is imported when one of them runs."""

from __future__ import annotations

import argparse
import os

__all__ = ("mutants_arguments",)


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
    parser.add_argument("--json", action="store_true", help="machine-readable output")
