"""The event log: a file of JSON lines that survives the death of whoever writes it.

Each event is one `write` of one whole line to a file opened for appending, so a process that is
killed loses nothing it had logged.  (A machine that loses power may: nothing is synced to disk.)
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, get_args

import msgspec

from tcrypt.reports.events import FORMAT, AnyEvent, Event, RunStarted
from tcrypt.reports.order import natural_key

__all__ = (
    "EventLog",
    "LogFormatError",
    "ReadLog",
    "clear_directory",
    "log_path",
    "read_directory",
    "read_events",
)

_PATTERN = "events*.ndjson"


class LogFormatError(Exception):
    """A log is missing, or was written in a format that this reader would misread."""


def log_path(directory: Path, worker: str = "") -> Path:
    """Return where the log of a process belongs; `worker` is empty for the leading process."""
    return directory / (f"events-{worker}.ndjson" if worker else "events.ndjson")


def clear_directory(directory: Path) -> None:
    """Remove the logs that an earlier run left, lest they be merged into the next one.

    Only the leading process may call this, before any other starts.
    """
    for path in directory.glob(_PATTERN):
        path.unlink()


class EventLog:
    """Appends events to a file, which is created, with its folders, when it does not exist."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._encoder = msgspec.json.Encoder()
        self._fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self._end_broken_line()

    def append(self, event: Event) -> None:
        """Write one event.

        Raises:
            OSError: The event could not be written, or the log is closed.
        """
        try:
            line = self._encoder.encode(event)
        except UnicodeEncodeError:
            # Arguments and file names may hold bytes that are no UTF-8 and arrive as surrogates.
            line = self._encoder.encode(_without_surrogates(msgspec.to_builtins(event)))
        self._write(line + b"\n")

    def close(self) -> None:
        """Close the file; closing again does nothing."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> EventLog:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _write(self, data: bytes) -> None:
        written = os.write(self._fd, data)
        while written < len(data):
            written += os.write(self._fd, data[written:])

    def _end_broken_line(self) -> None:
        # What a killed writer left half-written must not swallow the next event.
        size = os.fstat(self._fd).st_size
        if size and os.pread(self._fd, 1, size - 1) != b"\n":
            self._write(b"\n")


@dataclass(frozen=True)
class ReadLog:
    """What was read from one log.

    Attributes:
        name: The name of the file, without its folder.
        events: The events, in the order in which they were written.
        problems: What could not be read, each with file and line.
        unknown: How often each event occurred that this version does not know.
    """

    name: str
    events: Sequence[AnyEvent]
    problems: Sequence[str] = ()
    unknown: Mapping[str, int] = field(default_factory=dict)


class _Head(msgspec.Struct):
    event: str = ""
    format: int = 0


_DECODER: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)
_HEAD = msgspec.json.Decoder(_Head)
_KNOWN = frozenset(kind.__name__ for kind in get_args(AnyEvent))


def read_events(path: Path) -> ReadLog:
    """Read a log, also one whose writer was killed in the middle of a line.

    Raises:
        LogFormatError: The log has a newer format than this reader understands.
        OSError: The file cannot be read.
    """
    events: list[AnyEvent] = []
    problems: list[str] = []
    unknown: dict[str, int] = {}
    lines = path.read_bytes().split(b"\n")
    for number, line in enumerate(lines, start=1):
        if not line:
            continue
        try:
            events.append(_DECODER.decode(line))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            kind = _explain(f"{path.name}:{number}", line, error, number == len(lines), problems)
            if kind:
                unknown[kind] = unknown.get(kind, 0) + 1
    for event in events:
        if isinstance(event, RunStarted):
            _check_format(path.name, event.format)
    return ReadLog(path.name, events, problems, unknown)


def _check_format(where: str, number: int) -> None:
    if number > FORMAT:
        raise LogFormatError(
            f"{where}: the log has format {number}, this version reads up to {FORMAT}"
        )


def _explain(
    where: str, line: bytes, error: Exception, last: bool, problems: list[str]
) -> str | None:
    """Return the name of an event that is only unknown; tell every other trouble to `problems`."""
    try:
        head = _HEAD.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        if last:
            problems.append(f"{where}: the last line is cut off after {len(line)} bytes")
        else:
            problems.append(f"{where}: the line is damaged: {error}")
        return None
    if head.event == "RunStarted":
        _check_format(where, head.format)
    if head.event and head.event not in _KNOWN:
        return head.event
    problems.append(f"{where}: {head.event or 'line without an event'}: {error}")
    return None


def read_directory(directory: Path) -> list[ReadLog]:
    """Read all the logs of a run: the leading process first, then the workers by their number.

    Raises:
        LogFormatError: The folder holds no log, or one of a newer format.
        OSError: A file cannot be read.
    """
    paths = sorted(directory.glob(_PATTERN), key=lambda path: natural_key(path.stem))
    if not paths:
        raise LogFormatError(f"{directory}: no event log ({_PATTERN}) is here")
    return [read_events(path) for path in paths]


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, list):
        return [_without_surrogates(part) for part in value]
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(part) for key, part in value.items()}
    return value
