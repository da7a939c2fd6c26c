"""A run that is stopped leaves what it found, and says that it was stopped."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tcrypt.checks import keys

pytest_plugins = ("pytester",)

_WORDS = ("--provider", "software", "--algorithm", "*aes*", "--seed", "3")
_Holds = Callable[[Path, str], bool]


@pytest.fixture(scope="module")
def killed(tcrypt_once: Any, log_holds: _Holds) -> Any:
    """A run that is killed, without any warning, once one item has ended."""
    where = tcrypt_once()
    ready = lambda: log_holds(where.folder, '"event":"ItemFinished"')  # noqa: E731
    where.killed = where.stop(signal.SIGKILL, ready, *_WORDS)
    return where


@pytest.fixture(scope="module")
def rendered(killed: Any) -> Any:
    return killed.command("tcrypt", "report", "conformance-report")


def test_killed_run_leaves_no_report_that_looks_finished(killed: Any) -> None:
    assert killed.killed.status == -signal.SIGKILL
    names = {path.name for path in (killed.folder / "conformance-report").iterdir()}
    assert names >= {"events.ndjson"}


def test_report_of_a_killed_run_says_interrupted(rendered: Any) -> None:
    assert rendered.status == 2
    assert "Interrupted" in rendered.out
    assert rendered.report.interrupted
    assert rendered.report.verdict == "interrupted"
    assert "nterrupted" in (rendered.folder / "conformance-report/index.html").read_text()


def test_report_of_a_killed_run_has_what_was_found(rendered: Any) -> None:
    done = [item for item in rendered.report.items if item.verdict == "passed"]
    assert done
    assert all(item.passed for item in done)
    assert rendered.report.totals.passed > 0


def test_report_of_a_killed_run_lists_what_did_not_run(rendered: Any) -> None:
    left = [item for item in rendered.report.items if item.verdict == "not-run"]
    assert left
    assert {item.check for item in left} >= {"vectors"}
    assert f"{len(left)} items not run" in " ".join(rendered.out.split())


def test_new_run_takes_away_what_the_killed_one_left(inside: Any) -> None:
    words = ("--provider", "software", "--algorithm", "sha1", "--check", "keys")
    inside.write("conformance-report/report.json", "{}")
    inside.write("conformance-report/events-gw7.ndjson", "{}\n")
    outcome = inside.run(*words)
    assert outcome.status == 0
    assert [worker.name for worker in outcome.report.run.workers] == [""]


def test_run_that_cannot_start_takes_nothing_away(inside: Any) -> None:
    inside.write("conformance-report/report.json", "kept")
    assert inside.run("--seed", "x").status == 4
    assert inside.folder.joinpath("conformance-report/report.json").read_text() == "kept"
    assert inside.run("--collect-only").status == 0
    assert inside.run("--help").status == 0
    assert inside.run("--fixtures").status == 0
    assert inside.folder.joinpath("conformance-report/report.json").read_text() == "kept"


def test_ctrl_c_still_writes_a_report_that_says_so(tcrypt: Any, log_holds: _Holds) -> None:
    ready = lambda: log_holds(tcrypt.folder, '"event":"ItemFinished"')  # noqa: E731
    outcome = tcrypt.stop(signal.SIGINT, ready, *_WORDS)
    assert outcome.status == 2
    assert "Interrupted" in outcome.out
    report = outcome.report
    assert report.interrupted
    assert report.run.runner_status == 2
    ends = {item.verdict for item in report.items}
    assert {"passed", "not-run"} <= ends
    assert report.totals.passed > 0


@pytest.mark.parametrize("stop", [KeyboardInterrupt, pytest.exit.Exception])
def test_item_in_work_is_interrupted_and_not_passed(
    inside: Any, monkeypatch: pytest.MonkeyPatch, stop: type[BaseException]
) -> None:
    original = keys._Keys._record

    def stop_later(self: Any, recorder: Any, name: str, *rest: Any) -> None:
        if name == "length-9":
            raise stop
        original(self, recorder, name, *rest)

    monkeypatch.setattr(keys._Keys, "_record", stop_later)
    outcome = inside.run("--driver", "cbc(aes-generic)", "--check", "keys")
    assert outcome.status == 2
    (item,) = outcome.report.items
    assert item.verdict == "interrupted"
    assert item.passed == tuple(f"length-{n}" for n in range(9))


def test_first_failure_stops_with_x(inside: Any, drivers: Callable[[str], str]) -> None:
    words = ("--from", drivers("wrong_iv"), "--provider", "wrong_iv", "-x")
    outcome = inside.run(*words)
    assert outcome.status == 1
    ends = [item.verdict for item in outcome.report.items]
    assert ends.count("failed") == 1
    assert "not-run" in ends
    assert "items not run" in outcome.text


def test_report_of_a_folder_without_a_log_is_refused(inside: Any) -> None:
    outcome = inside.command("tcrypt", "report", "nowhere")
    assert outcome.status == 2
    assert outcome.err.startswith("tcrypt report: nowhere: no event log")
