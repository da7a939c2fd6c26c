"""The command `tcrypt`: run the suite, list what is registered, render a report again."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from importlib import metadata
from pathlib import Path
from typing import Any, NoReturn

from tcrypt.plugins import options
from tcrypt.plugins.arguments import (
    coverage_arguments,
    expect_arguments,
    mutants_arguments,
    vectors_arguments,
)

__all__ = ("main", "pytest_arguments")

_WIDE = 240
_SUITE = ("--pyargs", "tcrypt")


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["run"]:
        _run(words[1:])
    parser = _parser()
    chosen = parser.parse_args(words)
    status: int = chosen.function(chosen)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tcrypt", description="Conformance suite for Linux-style crypto drivers."
    )
    version = metadata.version("pytest-tcrypt")
    parser.add_argument("--version", action="version", version=f"tcrypt {version}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser(
        "run",
        help="run the suite: pytest --pyargs tcrypt, options with or without --tcrypt-",
        add_help=False,
    )
    listing = commands.add_parser("list", help="list every registered algorithm")
    form = listing.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="machine-readable output")
    form.add_argument(
        "--proc-crypto", action="store_true", help="everything on the machine, as /proc/crypto"
    )
    listing.add_argument(
        "--provider",
        action="append",
        default=[],
        metavar="PATTERN",
        help="of these providers only",
    )
    listing.add_argument(
        "--from", dest="sources", action="append", default=[], metavar="FILE", help="load a driver"
    )
    listing.set_defaults(function=_list)
    asking = commands.add_parser(
        "answers", help="ask drivers what a live Linux kernel was asked, from files of answers"
    )
    _add_answers(asking)
    _add_mutants(commands)
    vectors_arguments(
        commands.add_parser("vectors", help="list, check, import and show test vectors"), _vectors
    )
    covering = commands.add_parser(
        "coverage", help="what kinds of requests a run covered for each driver, and the holes"
    )
    coverage_arguments(covering)
    covering.set_defaults(function=_coverage)
    expecting = commands.add_parser(
        "expect", help="write the failures of a run as a file for run --expect-failures"
    )
    expect_arguments(expecting)
    expecting.set_defaults(function=_expect)
    report = commands.add_parser(
        "report", help="render the report of a run again, or of a killed one"
    )
    report.add_argument("directory", nargs="?", default=options.DEFAULT_REPORT, type=Path)
    report.set_defaults(function=_report)
    return parser


def _add_mutants(commands: Any) -> None:
    hunting = commands.add_parser(
        "mutants", help="plant known defects one by one and say which check catches each"
    )
    mutants_arguments(hunting)
    hunting.set_defaults(function=_mutants)


def _mutants(chosen: argparse.Namespace) -> int:
    """Hunt planted defects."""
    from tcrypt.plugins.mutation import run

    return run(chosen)


def _coverage(chosen: argparse.Namespace) -> int:
    """Print the coverage of a report."""
    from tcrypt.plugins.coverage_command import run

    return run(chosen)


def _expect(chosen: argparse.Namespace) -> int:
    """Write a file of expected failures."""
    from tcrypt.plugins.expect_command import run

    return run(chosen)


def _vectors(chosen: argparse.Namespace) -> int:
    """List, check, import or show vectors."""
    from tcrypt.plugins.vectors_command import run

    return run(chosen)


def _add_answers(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", type=Path, metavar="FILE", help="answers with input and output")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="cases in words, with results")
    parser.add_argument(
        "--provider", action="append", default=[], metavar="NAME", help="ask its drivers only"
    )
    parser.add_argument(
        "--driver", action="append", default=[], metavar="NAME", help="ask this driver only"
    )
    parser.set_defaults(function=_answers)


def _answers(chosen: argparse.Namespace) -> int:
    """Print what the drivers say to files of measured answers."""
    from tcrypt.plugins.answers import run

    return run(chosen)


def _run(words: list[str]) -> NoReturn:
    """Become pytest; `--provider` and the like mean `--tcrypt-provider`.

    In this process the package is imported already, and pytest could not rewrite its asserts.
    """
    # -P as for the command `pytest`: the current folder is not on the import path.
    command = [sys.executable, "-P", "-m", "pytest", *pytest_arguments(words)]
    os.execv(sys.executable, command)


def pytest_arguments(words: Sequence[str]) -> list[str]:
    """What `tcrypt run` with these words hands to pytest."""
    return [*_SUITE, *map(_prefixed, words)]


def _prefixed(word: str) -> str:
    name, mark, value = word.partition("=")
    if name.startswith("--") and name[2:] in options.option_names():
        return options.PREFIX + name[2:] + mark + value
    return word


def _list(chosen: argparse.Namespace) -> int:
    """Print the registered algorithms of all providers with their properties."""
    from tcrypt.plugins.discovery import discover
    from tcrypt.plugins.providers import ProviderError, Providers, load_file
    from tcrypt.settings import PROFILES
    from tcrypt.watchdog import Watchdog

    providers = Providers()
    try:
        # What a driver prints must not get into the list, which programs read.
        with redirect_stdout(sys.stderr):
            providers.add_entry_points()
            for where in chosen.sources:
                load_file(providers, where)
            wanted = _of_name(providers, chosen.provider)
            found, broken = discover(wanted, Watchdog(PROFILES["default"].patience))
    except ProviderError as error:
        print(f"tcrypt list: {error}", file=sys.stderr)
        return 2
    if chosen.proc_crypto:
        _print_proc_crypto([subject.provider for subject in found])
    elif chosen.json:
        _print_json(found)
    else:
        _print_table(found)
    for bad in broken:
        print(f"tcrypt list: provider {bad.provider.name}: {bad.why}", file=sys.stderr)
    return 1 if broken else 0


def _of_name(providers: Any, patterns: Sequence[str]) -> list[Any]:
    """The providers whose name matches a pattern, all of them without one."""
    from tcrypt.plugins.providers import ProviderError
    from tcrypt.settings import matches

    for pattern in patterns:
        if not any(matches(pattern, name) for name in providers.names()):
            choices = ", ".join(providers.names())
            raise ProviderError(f"no provider {pattern!r}: there are {choices}")
    return [p for p in providers if not patterns or any(matches(n, p.name) for n in patterns)]


def _print_proc_crypto(providers: Sequence[Any]) -> None:
    """The file of each provider's machine; with a heading where there is more than one."""
    from tcrypt.engine.api.proc_crypto import proc_crypto

    unique = list(dict.fromkeys(providers))
    for provider in unique:
        with redirect_stdout(sys.stderr):
            text = proc_crypto(provider.boot().registry)
        if len(unique) > 1:
            print(f"# provider {provider.name}\n")
        print(text, end="")


def _rows(found: Sequence[Any]) -> list[dict[str, Any]]:
    from tcrypt.subject import properties_of

    return [
        {
            "provider": subject.provider.name,
            "driver": subject.driver,
            "algorithm": subject.algorithm,
            "type": subject.type.word,
            **properties_of(subject.alg),
        }
        for subject in found
    ]


def _print_json(found: Sequence[Any]) -> None:
    import json

    print(json.dumps(_rows(found), indent=2))


def _print_table(found: Sequence[Any]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    columns = ("provider", "driver", "algorithm", "type", "priority", "blocksize")
    table = Table(box=None, pad_edge=False)
    for column in (*columns, "sizes", "flags"):
        table.add_column(column, overflow="fold")
    for row in _rows(found):
        cells = (*(str(row[c]) for c in columns), _sizes(row), str(row["flags"]))
        # Plain text: a driver's name may hold what rich would take for markup.
        table.add_row(*map(Text, cells))
    Console(width=None if sys.stdout.isatty() else _WIDE).print(table)


def _sizes(row: dict[str, Any]) -> str:
    """The sizes that matter for the type, in bytes."""
    parts = []
    if "min keysize" in row:
        parts.append(f"key {row['min keysize']}-{row['max keysize']}")
    if "ivsize" in row:
        parts.append(f"iv {row['ivsize']}")
    if "maxauthsize" in row:
        parts.append(f"tag {row['maxauthsize']}")
    if "digestsize" in row:
        parts.append(f"digest {row['digestsize']}")
    return ", ".join(parts)


def _report(chosen: argparse.Namespace) -> int:
    """Render report.json, index.html and junit.xml from the event logs of a folder."""
    from tcrypt.reports.build import report_of
    from tcrypt.reports.log import LogFormatError
    from tcrypt.reports.terminal import summary_lines
    from tcrypt.reports.write import write_all

    try:
        found = report_of(chosen.directory)
        write_all(chosen.directory, found)
    except (LogFormatError, OSError) as error:
        print(f"tcrypt report: {error}", file=sys.stderr)
        return 2
    page = chosen.directory / "index.html"
    print("\n".join(summary_lines(found, location=str(page))))
    return found.exit_status
