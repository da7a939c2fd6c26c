"""The pytest plugin: hooks only; everything heavy is imported when the suite is asked for.

It is loaded in every pytest run of an environment, so importing it must cost nothing noticeable.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import tcrypt
from tcrypt.plugins import hookspecs, options

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from tcrypt.plan import Plans
    from tcrypt.plugins.session import TcryptSession
    from tcrypt.recorder import Recorder

SESSION: pytest.StashKey[TcryptSession] = pytest.StashKey()
RUN_ID: pytest.StashKey[str] = pytest.StashKey()
TODAY: pytest.StashKey[str] = pytest.StashKey()
ASKED: pytest.StashKey[set[str]] = pytest.StashKey()
_FIXTURE = "tcrypt_plans"
_SHOWN = 3
_NO_RUN = ("collectonly", "showfixtures", "show_fixtures_per_test", "setuponly", "setupplan")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    options.add_options(parser)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare the hooks."""
    pluginmanager.add_hookspecs(hookspecs)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Look at options and drivers before anything is collected, so that errors come first."""
    if _named(session.config):
        _start(session.config)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell an xdist worker which run it belongs to, and what day it is."""
    if RUN_ID in node.config.stash:
        node.workerinput["tcrypt_today"] = node.config.stash[TODAY]
        node.workerinput["tcrypt_run"] = node.config.stash[RUN_ID]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Turn a function of the suite into its items."""
    if _FIXTURE not in metafunc.fixturenames:
        return
    check = metafunc.function.__name__.removeprefix("test_")
    bundles = _session(metafunc.config).bundles(check)
    metafunc.config.stash[ASKED].add(check)
    # Without a plan there is a placeholder, which goes again before anybody sees it.
    metafunc.parametrize(_FIXTURE, list(bundles.values()) or [None], ids=list(bundles) or ["none"])


class _Placeholders:
    """Drops the placeholders of checks that have no items; registered where the suite runs."""

    @pytest.hookimpl(wrapper=True)
    def pytest_pycollect_makeitem(self) -> Generator[None, Any, Any]:
        found = yield
        if not isinstance(found, list):
            return found
        return [item for item in found if _params(item).get(_FIXTURE, item) is not None]


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Open the log and write down what will run; the leader of xdist workers runs nothing."""
    config = session.config
    if SESSION not in config.stash or not _runs(config):
        return
    if config.pluginmanager.has_plugin("dsession"):
        return
    from tcrypt.plugins import results

    plans = [plan for item in session.items for plan in _params(item).get(_FIXTURE) or ()]
    asked = config.stash[ASKED] if _named(config, whole=True) else None
    results.begin(
        config, config.stash[SESSION], plans, asked, worker=_worker(config), run=_run_id(config)
    )


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int | pytest.ExitCode) -> None:
    """End the log; the leading process writes the report and has the last word on the status."""
    config = session.config
    if SESSION not in config.stash or not _runs(config):
        return
    from tcrypt.plugins import results

    results.end(config, config.stash[SESSION], int(exitstatus))
    if RUN_ID in config.stash:
        session.exitstatus = results.report(config, int(exitstatus))


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the summary of the report."""
    if RUN_ID in config.stash:
        from tcrypt.plugins import results

        results.summary(config, terminalreporter)


@pytest.fixture
def tcrypt_run(request: pytest.FixtureRequest) -> Callable[[Plans | None], None]:
    """A function that runs plans, and fails or skips the item by their records."""

    def run(plans: Plans | None) -> None:
        if plans is None:
            pytest.skip("no selected driver has items of this check")
        records = request.config.stash[SESSION].run_all(plans)
        failed = [record for record in records if record.failures]
        if failed:
            pytest.fail(_failure_text(failed), pytrace=False)
        expected = [record.expected_text() for record in records if record.expected]
        if expected:
            pytest.xfail("\n".join(expected))
        if all(record.skip_reason for record in records):
            pytest.skip("; ".join(dict.fromkeys(record.skip_reason for record in records)))

    return run


def _failure_text(failed: list[Recorder]) -> str:
    """The failures of the first items; the names of the others, for the report has them."""
    texts = [record.failure_text() for record in failed[:_SHOWN]]
    others = [record.plan.item for record in failed[_SHOWN:]]
    if others:
        texts.append(f"... and in {len(others)} more items: {', '.join(others)}")
    return "\n".join(texts)


def _session(config: pytest.Config) -> TcryptSession:
    """This process's session, also where the command line names the suite in no usual way."""
    if SESSION not in config.stash:
        try:
            _start(config)
        except pytest.UsageError as error:
            # In the middle of collection a usage error would be shown as a traceback.
            raise pytest.Collector.CollectError(str(error)) from None
    return config.stash[SESSION]


def _start(config: pytest.Config) -> None:
    from tcrypt.plugins import results

    if _worker(config) and not _run_id(config):
        raise pytest.UsageError("xdist: name the suite on the command line, as `--pyargs tcrypt`")
    config.stash[TODAY] = _today(config)
    found = results.make_session(config, config.stash[TODAY])
    config.pluginmanager.register(_Placeholders())
    if not _worker(config) and _runs(config):
        config.stash[RUN_ID] = results.lead(config)
    config.stash[ASKED] = set()
    config.stash[SESSION] = found


def _runs(config: pytest.Config) -> bool:
    """Whether items will run, and a report will be due."""
    return not any(config.getoption(name, False) for name in _NO_RUN)


def _named(config: pytest.Config, *, whole: bool = False) -> bool:
    """Whether the command line names the suite, as module or folder; with `whole`, all of it."""
    home = Path(tcrypt.__path__[0])
    for argument in config.args:
        name = argument.partition("::")[0]
        path = Path(config.invocation_params.dir, name)
        if (config.option.pyargs and name == tcrypt.__name__) or path == home:
            return True
        inside = config.option.pyargs and name.startswith(tcrypt.__name__ + ".")
        if not whole and (inside or home in path.parents):
            return True
    return False


def _worker(config: pytest.Config) -> str:
    """The name of this xdist worker; empty in the process that leads."""
    return str(getattr(config, "workerinput", {}).get("workerid", ""))


def _run_id(config: pytest.Config) -> str:
    if _worker(config):
        return str(getattr(config, "workerinput", {}).get("tcrypt_run", ""))
    return config.stash.get(RUN_ID, "")


def _today(config: pytest.Config) -> str:
    """The same day for all processes of a run, also for one that begins after midnight."""
    if not config.getoption("tcrypt_expect_failures"):
        return ""
    from tcrypt.plugins.expecting import BadDateError, today

    if _worker(config):
        return str(getattr(config, "workerinput", {})["tcrypt_today"])
    try:
        return today()
    except BadDateError as error:
        raise pytest.UsageError(str(error)) from None


def _params(item: object) -> dict[str, Any]:
    callspec = getattr(item, "callspec", None)
    return callspec.params if callspec is not None else {}
