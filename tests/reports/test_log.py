"""The event log: what was appended is there, whatever happens to the writer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from tcrypt.reports import events as ev
from tcrypt.reports.build import report_of
from tcrypt.reports.expectations import Expectation
from tcrypt.reports.log import (
    EventLog,
    LogFormatError,
    clear_directory,
    log_path,
    read_directory,
    read_events,
)

SAMPLES: dict[type, ev.AnyEvent] = {
    type(event): event
    for event in (
        ev.RunStarted(
            ev.FORMAT, "1", 7, "p", "2026", "3.11", "x", {"a": "1"}, ["-q"], "gw0", {"d": ["x"]}
        ),
        ev.AlgorithmFound("p", "d", "a", "aead", 300, ["ASYNC"], {"ivsize": 16, "note": "x"}),
        ev.ItemPlanned("i", "p", "d", "a", "c", 4),
        ev.ItemStarted("i"),
        ev.ExpectationsRead(
            "2026-11-23",
            [Expectation(file="f", line=3, id="*", message="m", reason="r", expires="2027-01-01")],
        ),
        ev.CasesPassed("i", ["a", "b"]),
        ev.CaseFailed(
            "i", "c", "m", "f", "00", "01", ["d"], "l", "driver", "cmd", ["t0", "t1 \u2713\n"]
        ),
        ev.CaseExpected(ev.CaseFailed("i", "c", "m", grave=True), [0, 3]),
        ev.CasesSet("i", "blocked", "policy", ["x"]),
        ev.WorkSeen("i", "a", "d", "p", 16, "hardware", "hardware", 3),
        ev.EngineStates("fixed", [("idle", "exit", "no"), ("idle", "start", "")]),
        ev.EngineCoverage("i", [("idle", "start", 3)]),
        ev.CoverModelled(
            *("p", "d", "a"),
            [("size", ["1", "2"])],
            [[0]],
            [ev.CoverRule("impossible", "too large", {"size": ["2"]})],
            "why",
        ),
        ev.CoverHits("p", "d", "a", [[0, 1]]),
        ev.CoverGoals({"*": (50, 80)}, "a part ran"),
        ev.ItemFinished("i", "failed", 0.25),
        ev.CoverageLost("w", "e", "g", "r"),
        ev.Untested("p", "d", "a", "r"),
        ev.SourceUsed("n", "o", "d", 3),
        ev.Note("text"),
        ev.RunFinished(1, 2.5, 4096),
    )
}


def test_there_is_a_sample_of_every_event():
    assert set(SAMPLES) == set(get_args(ev.AnyEvent))


def test_every_event_is_read_back_as_it_was_written(tmp_path: Path):
    path = log_path(tmp_path)
    with EventLog(path) as log:
        for event in SAMPLES.values():
            log.append(event)
    read = read_events(path)
    assert read.events == list(SAMPLES.values())
    assert not read.problems
    assert not read.unknown


def test_an_event_is_in_the_file_before_append_returns(tmp_path: Path):
    with EventLog(tmp_path / "events.ndjson") as log:
        for number in range(1, 4):
            log.append(ev.Note(str(number)))
            assert log.path.read_bytes().count(b"\n") == number


def test_a_closed_log_refuses_events(tmp_path: Path):
    log = EventLog(tmp_path / "events.ndjson")
    log.close()
    log.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        log.append(ev.Note("late"))


def test_arguments_that_are_no_utf8_are_kept_readable(tmp_path: Path):
    with EventLog(tmp_path / "events.ndjson") as log:
        log.append(ev.Note(os.fsdecode(b"file-\xff.yaml")))
    (event,) = read_events(log.path).events
    assert event == ev.Note("file-\\udcff.yaml")


def test_a_truncated_last_line_is_reported_and_the_rest_is_read(tmp_path: Path):
    path = tmp_path / "events.ndjson"
    with EventLog(path) as log:
        log.append(ev.Note("first"))
        log.append(ev.Note("second"))
    path.write_bytes(path.read_bytes()[:-8])
    read = read_events(path)
    assert read.events == [ev.Note("first")]
    (problem,) = read.problems
    assert problem.startswith("events.ndjson:2: the last line is cut off")


def test_a_cut_in_the_middle_of_a_character_is_a_truncated_line(tmp_path: Path):
    path = tmp_path / "events.ndjson"
    whole = '{"event":"Note","text":"\u2713"}\n'.encode()
    path.write_bytes(whole + whole[: whole.index("\u2713".encode()) + 1])
    read = read_events(path)
    assert read.events == [ev.Note("\u2713")]
    assert "cut off" in read.problems[0]


def test_a_log_resumed_after_a_truncated_line_loses_only_that_line(tmp_path: Path):
    path = tmp_path / "events.ndjson"
    path.write_bytes(b'{"event":"Note","text":"first"}\n{"event":"No')
    with EventLog(path) as log:
        log.append(ev.Note("second"))
    read = read_events(path)
    assert read.events == [ev.Note("first"), ev.Note("second")]
    assert [problem.split(":")[1] for problem in read.problems] == ["2"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"event":"CasesPassed","item":"i","ids":"a"}', "CasesPassed: Expected `array`"),
        ('{"event":"CasesSet","item":"i","verdict":"passed","reason":"","ids":[]}', "verdict"),
        ('{"event":"ItemStarted"}', "ItemStarted: Object missing required field `item`"),
        ("{}", "line without an event"),
        ("not json", "the line is damaged"),
    ],
)
def test_a_damaged_line_is_named_with_file_and_line(tmp_path: Path, line: str, words: str):
    path = tmp_path / "events-gw1.ndjson"
    path.write_text(f'{{"event":"Note","text":"a"}}\n{line}\n{{"event":"Note","text":"b"}}\n')
    read = read_events(path)
    assert read.events == [ev.Note("a"), ev.Note("b")]
    (problem,) = read.problems
    assert problem.startswith("events-gw1.ndjson:2: ")
    assert words in problem


def test_unknown_events_are_counted_and_unknown_fields_ignored(tmp_path: Path):
    path = tmp_path / "events.ndjson"
    path.write_text(
        '{"event":"Temperature","celsius":40}\n'
        '{"event":"Note","text":"a","colour":"red"}\n'
        '{"event":"Temperature","celsius":41}\n'
    )
    read = read_events(path)
    assert read.events == [ev.Note("a")]
    assert read.unknown == {"Temperature": 2}
    assert not read.problems


@pytest.mark.parametrize("changed", [{}, {"seed": "no longer a number"}])
def test_a_newer_format_is_refused(tmp_path: Path, changed: dict[str, object]):
    path = tmp_path / "events.ndjson"
    head = {"format": ev.FORMAT + 1, "version": "9", "seed": 1, "profile": "", "started": ""}
    head |= {"event": "RunStarted", "python": "", "platform": ""} | changed
    path.write_text(str(head).replace("'", '"') + "\n")
    with pytest.raises(LogFormatError, match=f"format {ev.FORMAT + 1}.*up to {ev.FORMAT}"):
        read_events(path)


def test_logs_are_read_the_leading_process_first_and_workers_by_number(tmp_path: Path):
    for worker in ("gw10", "gw2", "", "gw1"):
        with EventLog(log_path(tmp_path, worker)) as log:
            log.append(ev.Note(worker))
    names = [log.name for log in read_directory(tmp_path)]
    assert names == [
        "events.ndjson",
        "events-gw1.ndjson",
        "events-gw2.ndjson",
        "events-gw10.ndjson",
    ]


def test_a_folder_without_logs_is_an_error(tmp_path: Path):
    with pytest.raises(LogFormatError, match="no event log"):
        read_directory(tmp_path)


def test_clearing_removes_the_logs_and_nothing_else(tmp_path: Path):
    for name in ("events.ndjson", "events-gw0.ndjson", "report.json"):
        (tmp_path / name).touch()
    clear_directory(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


WRITER = """
import os, sys
from pathlib import Path
from tcrypt.reports import events as ev
from tcrypt.reports.log import EventLog

log = EventLog(Path(sys.argv[1]))
log.append(ev.RunStarted(ev.FORMAT, "1", 42, "default", "2026", "3.11", "x"))
log.append(ev.ItemPlanned("i", "p", "d", "a", "vectors", 1_000_000))
log.append(ev.ItemPlanned("j", "p", "d", "a", "layouts", 3))
log.append(ev.ItemStarted("i"))
for number in range(1_000_000):
    log.append(ev.CasesPassed("i", [f"case-{number}", "x" * 3000 + str(number)]))
    os.write(1, b".")
"""


def test_a_killed_run_loses_nothing_it_had_logged(tmp_path: Path):
    command = [sys.executable, "-c", WRITER, str(tmp_path / "events.ndjson")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        acknowledged = len(child.stdout.read(200))
        os.kill(child.pid, signal.SIGKILL)
        acknowledged += len(child.stdout.read())
    assert child.returncode == -signal.SIGKILL
    report = report_of(tmp_path)
    passed = set(report.items_that_ended("interrupted")[0].passed)
    assert {f"case-{number}" for number in range(acknowledged)} <= passed
    assert report.verdict == "interrupted"
    assert report.exit_status == 2
    assert [item.item for item in report.items_that_ended("not-run")] == ["j"]
    assert report.totals.not_run == 1_000_000 + 3 - len(passed)
