"""Runs the suite as a user does: the installed command, in an empty folder, as a process."""

from __future__ import annotations

import io
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tcrypt.mutants import all_mutants
from tcrypt.plugins import cli, results
from tcrypt.reports.model import Report
from tcrypt.reports.store import read_report
from tcrypt.settings import PROFILES

_DRIVERS = Path(__file__).with_name("drivers")
_REPORT = "conformance-report"
# pytester forgets what a run inside of this process imported, unless it was there before.
_IMPORTED = (results, *all_mutants())


@dataclass(frozen=True)
class Outcome:
    """What a user sees of a run: exit status, terminal, report."""

    status: int
    out: str
    err: str
    folder: Path

    @property
    def report(self) -> Report:
        return self.read()

    def read(self, directory: str = _REPORT) -> Report:
        path = self.folder / directory / "report.json"
        assert path.exists(), self.out + self.err
        return read_report(path)

    @property
    def text(self) -> str:
        """The terminal's text as one line, wherever it was wrapped."""
        return " ".join(self.out.split())

    @property
    def reported(self) -> bool:
        return (self.folder / _REPORT).exists()


class Tcrypt:
    """Starts commands in a folder; the tools are those of this interpreter."""

    timeout = 60

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def environment(self, **more: str) -> dict[str, str]:
        # What the outer pytest told its own process is not for the inner one.
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "COV_"))}
        path = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", "")])
        return {**kept, "PATH": path, "COLUMNS": "120", **more}

    def command(self, *words: str, **environment: str) -> Outcome:
        done = subprocess.run(
            words,
            cwd=self.folder,
            env=self.environment(**environment),
            capture_output=True,
            text=True,
            timeout=self.timeout,
            check=False,
        )
        return Outcome(done.returncode, done.stdout, done.stderr, self.folder)

    def run(self, *words: str, **environment: str) -> Outcome:
        """`tcrypt run` in the quick profile."""
        return self.command("tcrypt", "run", "--profile", "quick", *words, **environment)

    def again(self, command: str) -> Outcome:
        """What a user does with a command that a report prints."""
        return self.command(*shlex.split(command))

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def stop(self, number: signal.Signals, ready: Callable[[], bool], *words: str) -> Outcome:
        """Send a signal to `tcrypt run` once `ready()`; what it leaves."""
        process = subprocess.Popen(
            ["tcrypt", "run", "--profile", "quick", *words],
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # A shell starts what runs in the background with Ctrl-C ignored, which is inherited.
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
        )
        with process:
            deadline = time.monotonic() + self.timeout
            while not ready() and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.02)
            assert process.poll() is None, "the run ended before the signal"
            process.send_signal(number)
            out, err = process.communicate(timeout=self.timeout)
        return Outcome(process.returncode, out, err, self.folder)


class Inside(Tcrypt):
    """The same inside of this process, which is much faster: for what does not need its own."""

    def __init__(
        self,
        pytester: pytest.Pytester,
        monkeypatch: pytest.MonkeyPatch,
        capture: pytest.CaptureFixture[str],
    ) -> None:
        super().__init__(pytester.path)
        self._capture = capture
        self._pytester = pytester
        self._monkeypatch = monkeypatch

    def command(self, *words: str, **environment: str) -> Outcome:
        for name, value in environment.items():
            self._monkeypatch.setenv(name, value)
        assert words[0] == "tcrypt"
        if words[1] == "run":
            return self.pytest(*cli.pytest_arguments(words[2:]))
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            status = cli.main(words[1:])
        return Outcome(status, out.getvalue(), err.getvalue(), self.folder)

    def pytest(self, *words: str) -> Outcome:
        self._capture.readouterr()
        record = self._pytester.inline_run(*words, no_reraise_ctrlc=True)
        out, err = self._capture.readouterr()
        return Outcome(int(record.ret or 0), out, err, self.folder)


@pytest.fixture
def tcrypt(tmp_path: Path) -> Tcrypt:
    """Commands as processes of their own."""
    return Tcrypt(tmp_path)


@pytest.fixture
def inside(
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Inside:
    """Commands inside of this process; the module must ask for the plugin `pytester`."""
    return Inside(pytester, monkeypatch, capsys)


@pytest.fixture(scope="module")
def tcrypt_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Tcrypt]:
    """Makes folders for runs that the tests of a module share."""
    return lambda: Tcrypt(tmp_path_factory.mktemp("run"))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A third of a second of patience, so that a test of hanging drivers ends soon."""
    monkeypatch.setitem(PROFILES, "quick", replace(PROFILES["quick"], patience=0.3))
    monkeypatch.setattr("tcrypt.watchdog._REPEAT", 0.1)


@pytest.fixture(scope="session")
def drivers() -> Callable[[str], str]:
    """The path of a driver file for `--from`."""
    return lambda name: str(_DRIVERS / f"{name}.py")


@pytest.fixture(scope="session")
def log_holds() -> Callable[[Path, str], bool]:
    """Whether any event log of a report folder holds a text by now."""

    def holds(folder: Path, text: str) -> bool:
        logs = (folder / _REPORT).glob("events*.ndjson")
        return any(text in log.read_text() for log in logs)

    return holds


def failures_of(report: Report) -> list[tuple[Any, ...]]:
    """The failures without what differs between a run and its repetition."""
    return [
        (f.provider, f.driver, f.check, f.case, f.message, f.expected) for f in report.failures
    ]


@pytest.fixture(scope="session")
def failures() -> Callable[[Report], list[tuple[Any, ...]]]:
    return failures_of
