"""What the plugin's hooks do once the suite runs: session, log, report, summary."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from tcrypt.checks.long_vectors import ONWARDS
from tcrypt.mutants import BadMutantError, UnknownMutantError
from tcrypt.plan import Plan
from tcrypt.plugins import options
from tcrypt.plugins.agenda import CHECKS
from tcrypt.plugins.collector import collect_nothing, collect_rarely
from tcrypt.plugins.expecting import entries_of
from tcrypt.plugins.providers import ProviderError, Providers, load_file
from tcrypt.plugins.selection import SelectionError
from tcrypt.plugins.session import TcryptSession
from tcrypt.reports.build import report_of
from tcrypt.reports.compare import with_baseline
from tcrypt.reports.log import LogFormatError, clear_directory
from tcrypt.reports.model import Report
from tcrypt.reports.store import ReportError, read_report
from tcrypt.reports.terminal import summary_lines
from tcrypt.reports.write import write_all
from tcrypt.vectors.catalogue import Catalogue
from tcrypt.vectors.errors import UnknownVectorError, VectorError

__all__ = ("begin", "end", "find_providers", "lead", "make_session", "report", "summary")

REPORT: pytest.StashKey[Report] = pytest.StashKey()
BASELINE: pytest.StashKey[Report] = pytest.StashKey()
TROUBLE: pytest.StashKey[str] = pytest.StashKey()

_RENDERED = ("report.json", "index.html", "junit.xml")


def find_providers(config: pytest.Config) -> Providers:
    """Built-in and installed providers, those of hooks, and those of files."""
    providers = Providers()
    providers.add_entry_points()
    try:
        config.hook.pytest_tcrypt_register(providers=providers)
    except ProviderError:
        raise
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
        raise ProviderError(f"hook pytest_tcrypt_register: {why}") from error
    for where in config.getoption("tcrypt_from"):
        load_file(providers, where)
    return providers


def make_session(config: pytest.Config, today: str) -> TcryptSession:
    """The session of this process; `today` is the day by which expected failures expire.

    Raises:
        pytest.UsageError: an option names something that does not exist or cannot be read.
    """
    settings = options.settings_of(config)
    try:
        catalogue = Catalogue.load()
        catalogue.extra(config.getoption("tcrypt_vectors"))
        if settings.vector:
            _find_vector(catalogue, settings.vector)
        mutants = tuple(config.getoption("tcrypt_mutant"))
        expected = entries_of(config)
        session = TcryptSession(
            settings, find_providers(config), catalogue, mutants, expected, today
        )
        config.add_cleanup(session.release)
        session.check_names(*_names(config))
    except (BadMutantError, UnknownMutantError) as error:
        raise pytest.UsageError(f"{options.PREFIX}mutant: {error}") from error
    except (ProviderError, SelectionError, VectorError) as error:
        raise pytest.UsageError(str(error)) from error
    return session


def _find_vector(catalogue: Catalogue, name: str) -> None:
    try:
        file, _ = catalogue.find(name.removesuffix(ONWARDS))
    except UnknownVectorError as error:
        raise SelectionError(f"{options.PREFIX}vector {name!r}: {error}") from error
    if name.endswith(ONWARDS) and not file.chains:
        reason = f"{ONWARDS!r} is for rounds of Monte Carlo tests alone"
        raise SelectionError(f"{options.PREFIX}vector {name!r}: {reason}")


def _names(config: pytest.Config) -> tuple[list[str], list[str]]:
    return config.getoption("tcrypt_require"), config.getoption("tcrypt_allow_untested")


def lead(config: pytest.Config) -> str:
    """Prepare the report directory for a new run; the run's id, for all of its processes.

    What an earlier run left there goes: a run that is killed must not look like the one before.

    Raises:
        pytest.UsageError: the baseline cannot be read, or the directory cannot be written.
    """
    path = config.getoption("tcrypt_baseline")
    if path:
        # Read first, because it may be the report that this run replaces.
        config.stash[BASELINE] = _baseline(config.invocation_params.dir / path)
    directory = options.report_directory(config)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        clear_directory(directory)
        for name in _RENDERED:
            (directory / name).unlink(missing_ok=True)
        if not os.access(directory, os.W_OK):
            raise PermissionError(f"{directory} cannot be written")
    except OSError as error:
        raise pytest.UsageError(f"{options.PREFIX}report-dir {directory}: {error}") from error
    return os.urandom(8).hex()


def _baseline(path: Path) -> Report:
    try:
        return read_report(path)
    except (ReportError, OSError) as error:
        raise pytest.UsageError(f"{options.PREFIX}baseline {path}: {error}") from error


def begin(
    config: pytest.Config,
    session: TcryptSession,
    plans: list[Plan],
    asked: Iterable[str] | None,
    *,
    worker: str,
    run: str,
) -> None:
    """Open the event log and write down what was found and what will run.

    `asked` are the checks that pytest collected; None when it was not meant to collect all.
    """
    arguments = [str(word) for word in config.invocation_params.args]
    session.open_log(options.report_directory(config), arguments, worker=worker, run=run)
    session.record_losses(*_names(config))
    session.record_items(plans, CHECKS if asked is None else asked)
    config.add_cleanup(collect_rarely())


def end(config: pytest.Config, session: TcryptSession, exit_status: int) -> None:
    """Close this process's log."""
    try:
        session.close(exit_status)
    except OSError as error:
        # The report will say that the log has no end; the terminal says why.
        config.stash[TROUBLE] = f"the event log could not be ended: {error}"


def report(config: pytest.Config, exit_status: int) -> int:
    """Write the report; the exit status of the run."""
    with collect_nothing():
        return _report(config, exit_status)


def _report(config: pytest.Config, exit_status: int) -> int:
    directory = options.report_directory(config)
    try:
        found = report_of(directory)
    except (LogFormatError, OSError):
        # Nothing was recorded: pytest stopped before the first item, and has said why.
        return exit_status
    baseline = config.stash.get(BASELINE, None)
    if baseline is not None:
        found = with_baseline(found, baseline, config.getoption("tcrypt_baseline"))
    config.stash[REPORT] = found
    try:
        write_all(directory, found)
    except OSError as error:
        config.stash[TROUBLE] = f"the report could not be written: {error}"
        return exit_status or int(pytest.ExitCode.INTERNAL_ERROR)
    return exit_status or found.exit_status


def summary(config: pytest.Config, reporter: pytest.TerminalReporter) -> None:
    """Print the report's summary."""
    found = config.stash.get(REPORT, None)
    if found is None:
        return
    reporter.section("conformance")
    page = options.report_directory(config) / "index.html"
    writer = config.get_terminal_writer()
    for line in summary_lines(found, writer.fullwidth, writer.hasmarkup, str(page)):
        reporter.line(line)
    if TROUBLE in config.stash:
        reporter.line(config.stash[TROUBLE], red=True)
