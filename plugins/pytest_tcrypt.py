"""The pytest plugin: hooks only; everything heavy is imported when the suite is asked for.

It is loaded in every pytest run of an environment, so importing it must cost nothing noticeable.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from tcrypt.plugins import hookspecs, options

if TYPE_CHECKING:
    from tcrypt.plan import Plan
    from tcrypt.plugins.session import TcryptSession

SESSION: pytest.StashKey[TcryptSession] = pytest.StashKey()
RUN_ID: pytest.StashKey[str] = pytest.StashKey()
_FIXTURE = "tcrypt_plan"
_PACKAGE = "tcrypt"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    options.add_options(parser)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare the hooks."""
    pluginmanager.add_hookspecs(hookspecs)


def pytest_configure(config: pytest.Config) -> None:
    """Give the run an id that its processes share, and clear what an earlier one left."""
    if not _is_worker(config) and _suite_is_named(config):
        _lead(config)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell an xdist worker which run it belongs to."""
    if RUN_ID in node.config.stash:
        node.workerinput["tcrypt_run"] = node.config.stash[RUN_ID]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Turn a function of the suite into its items."""
    if _FIXTURE not in metafunc.fixturenames:
        return
    session = _session(metafunc.config)
    check = metafunc.function.__name__.removeprefix("test_")
    plans = list(session.plans(check))
    metafunc.parametrize(_FIXTURE, plans, ids=[plan.item.partition("/")[2] for plan in plans])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Drop the placeholders of checks that were not selected."""
    if SESSION not in config.stash:
        return
    empty = [item for item in items if _is_empty(item)]
    if empty:
        config.hook.pytest_deselected(items=empty)
        items[:] = [item for item in items if not _is_empty(item)]


def pytest_collection_finish(session: pytest.Session) -> None:
    """Open the log and write down what will run."""
    config = session.config
    if SESSION not in config.stash or config.option.collectonly:
        return
    from tcrypt.plugins import results

    plans = [plan for plan in map(_plan_of, session.items) if plan is not None]
    results.begin(
        config, config.stash[SESSION], plans, worker=_worker(config), run=_run_id(config)
    )


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int | pytest.ExitCode) -> None:
    """End the log; the leading process writes the report and has the last word on the status."""
    config = session.config
    if SESSION not in config.stash and RUN_ID not in config.stash:
        return
    from tcrypt.plugins import results

    found = config.stash.get(SESSION, None)
    results.end(config, found, int(exitstatus))
    if not _is_worker(config) and not config.option.collectonly:
        session.exitstatus = results.report(config, int(exitstatus))


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print the summary of the report."""
    if RUN_ID in config.stash and not config.option.collectonly:
        from tcrypt.plugins import results

        results.summary(config, terminalreporter)


@pytest.fixture
def tcrypt_run(request: pytest.FixtureRequest) -> Any:
    """A function that runs a plan, and fails or skips the item by its record."""

    def run(plan: Plan) -> None:
        recorder = request.config.stash[SESSION].run(plan)
        if recorder.failures:
            pytest.fail(recorder.failure_text(), pytrace=False)
        if recorder.skip_reason:
            pytest.skip(recorder.skip_reason)

    return run


def _session(config: pytest.Config) -> TcryptSession:
    """This process's session, made when it is first asked for."""
    if SESSION not in config.stash:
        from tcrypt.plugins import results

        if not _is_worker(config) and RUN_ID not in config.stash:
            _lead(config)
        config.stash[SESSION] = results.make_session(config)
    return config.stash[SESSION]


def _lead(config: pytest.Config) -> None:
    if config.option.collectonly:
        return
    from tcrypt.plugins.options import report_directory
    from tcrypt.reports.log import clear_directory

    config.stash[RUN_ID] = os.urandom(8).hex()
    clear_directory(report_directory(config))


def _suite_is_named(config: pytest.Config) -> bool:
    """Whether the command line names the suite, so that workers will need a leader."""
    if not config.option.pyargs:
        return False
    names = (arg.partition("::")[0] for arg in config.args)
    return any(name == _PACKAGE or name.startswith(_PACKAGE + ".") for name in names)


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def _worker(config: pytest.Config) -> str:
    return str(config.workerinput["workerid"]) if _is_worker(config) else ""  # type: ignore[attr-defined]


def _run_id(config: pytest.Config) -> str:
    if _is_worker(config):
        return str(config.workerinput.get("tcrypt_run", ""))  # type: ignore[attr-defined]
    return config.stash.get(RUN_ID, "")


def _plan_of(item: pytest.Item) -> Plan | None:
    callspec = getattr(item, "callspec", None)
    return callspec.params.get(_FIXTURE) if callspec is not None else None


def _is_empty(item: pytest.Item) -> bool:
    callspec = getattr(item, "callspec", None)
    if callspec is None or _FIXTURE not in callspec.params:
        return False
    return not hasattr(callspec.params[_FIXTURE], "item")
