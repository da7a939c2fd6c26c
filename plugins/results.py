"""What the plugin's hooks do once the suite runs: session, log, report, summary."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from tcrypt.mutants import UnknownMutantError
from tcrypt.plan import Plan
from tcrypt.plugins import options
from tcrypt.plugins.providers import ProviderError, Providers, load_file
from tcrypt.plugins.session import NothingSelectedError, TcryptSession
from tcrypt.reports.build import report_of
from tcrypt.reports.compare import with_baseline
from tcrypt.reports.log import LogFormatError
from tcrypt.reports.model import Report
from tcrypt.reports.store import read_report
from tcrypt.reports.terminal import summary_lines
from tcrypt.reports.write import write_all
from tcrypt.vectors.catalogue import Catalogue
from tcrypt.vectors.errors import UnknownVectorError, VectorError

__all__ = ("begin", "end", "find_providers", "make_session", "report", "summary")

REPORT: pytest.StashKey[Report] = pytest.StashKey()
_DISTRIBUTION = "pytest-tcrypt"


def find_providers(config: pytest.Config) -> Providers:
    """Built-in and installed providers, those of hooks, and those of files."""
    providers = Providers()
    providers.add_entry_points()
    config.hook.pytest_tcrypt_register(providers=providers)
    for where in config.getoption("tcrypt_from"):
        load_file(providers, where)
    return providers


def make_session(config: pytest.Config) -> TcryptSession:
    """The session of this process.

    Raises:
        pytest.UsageError: an option names something that does not exist or cannot be read.
    """
    settings = options.settings_of(config)
    try:
        catalogue = Catalogue.load()
        catalogue.extra(config.getoption("tcrypt_vectors"))
        if settings.vector:
            catalogue.find(settings.vector)
        mutants = tuple(config.getoption("tcrypt_mutant"))
        return TcryptSession(settings, find_providers(config), catalogue, mutants)
    except (
        ProviderError,
        NothingSelectedError,
        UnknownMutantError,
        UnknownVectorError,
        VectorError,
    ) as error:
        raise pytest.UsageError(str(error)) from error


def begin(
    config: pytest.Config, session: TcryptSession, plans: list[Plan], *, worker: str, run: str
) -> None:
    """Open the event log and write down what was found and what will run."""
    session.open_log(
        options.report_directory(config),
        worker=worker,
        run=run,
        arguments=[str(word) for word in config.invocation_params.args],
        version=metadata.version(_DISTRIBUTION),
    )
    session.record_untested(config.getoption("tcrypt_allow_untested"))
    session.record_missing_sources(config.getoption("tcrypt_require"))
    for plan in plans:
        session.record_plan(plan)


def end(config: pytest.Config, session: TcryptSession | None, exit_status: int) -> None:
    """Close this process's log."""
    if session is not None:
        session.close(exit_status)


def report(config: pytest.Config, exit_status: int) -> int:
    """Write the report; the exit status of the run."""
    directory = options.report_directory(config)
    try:
        found = report_of(directory)
    except (LogFormatError, OSError):
        # Nothing was recorded: pytest stopped before collection ended, and has said why.
        return exit_status
    baseline = config.getoption("tcrypt_baseline")
    if baseline:
        found = with_baseline(found, _baseline(baseline), baseline)
    config.stash[REPORT] = found
    write_all(directory, found)
    return exit_status or found.exit_status


def _baseline(path: str) -> Report:
    try:
        return read_report(Path(path))
    except Exception as error:
        raise pytest.UsageError(f"{options.PREFIX}baseline {path}: {error}") from error


def summary(config: pytest.Config, reporter: Any) -> None:
    """Print the report's summary."""
    found = config.stash.get(REPORT, None)
    if found is None:
        return
    reporter.section("conformance")
    page = options.report_directory(config) / "index.html"
    width, colour = reporter._tw.fullwidth, reporter._tw.hasmarkup
    for line in summary_lines(found, width, colour, str(page)):
        reporter.line(line)
