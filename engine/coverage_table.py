"""Which pairs of state and event can happen to a `crypto_engine`, and why others cannot.

A pair counts as possible when a driver that keeps the rules of `tcrypt.engine.monitor`, on some
hardware, with or without retry support, can get there under the given semantics.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from tcrypt.engine.coverage import EVENTS, STATES
from tcrypt.engine.semantics import Semantics

__all__ = ("Row", "impossible", "table")


class Row(NamedTuple):
    """One pair; `reason` says why it cannot happen, and is empty when it can."""

    state: str
    event: str
    reason: str


_STOPPED = ("stopped", "stopped, hardware busy")
_WAITING = ("waiting", "waiting, full", "waiting, backlog")
_BEHIND = ("queued", "full", "backlog")
_WITH_WORK = (*_WAITING, *_BEHIND, "hardware full")
_NO_ROOM = ("waiting, full", "waiting, backlog", "full", "backlog", "hardware full", "wedged")
_RUNNING = tuple(
    state for state in STATES if state not in ("stopped", "stopped, hardware busy", "exited")
)

# Where each event can be met, and what keeps it from the other states.
_MET: Mapping[str, tuple[tuple[str, ...], str]] = MappingProxyType(
    {
        "start": (_STOPPED, "start is refused while it runs, and misuse after exit"),
        "start refused": (_RUNNING, "it is neither running nor busy"),
        "transfer accepted": (
            ("idle", "waiting", "settling", "working", "queued", "hardware full", "wedged"),
            "it is not running, or its queue is full",
        ),
        "transfer backlogged": (_NO_ROOM, "it is not running, or its queue has room"),
        "transfer refused": (_NO_ROOM, "it is not running, or its queue has room"),
        "transfer shut down": ((*_STOPPED, "exited"), "it is running"),
        "pump, one in hand": ((), "nothing queues the pump before that request is finalized"),
        "pump, nothing": (
            (*_STOPPED, "idle", "settling", "working"),
            "a request waits, or nobody is there to run the pump",
        ),
        "pump, started": (_WITH_WORK, "no request waits, or nobody is there to start it"),
        "pump, no room": (_WITH_WORK, "no request waits, or nobody is there to start it"),
        "pump, failed": (_WITH_WORK, "no request waits, or nobody is there to start it"),
        "pump, put back": (_WITH_WORK, "no request waits, or nobody is there to start it"),
        "pump, batch": (
            (*_STOPPED, "idle", "settling", "working", "hardware full"),
            "the pump ends when the queue is empty or the hardware full",
        ),
        "notice": (
            ("waiting, full", "waiting, backlog", "full", "backlog"),
            "no request that is backlogged has just found room",
        ),
        "hardware prepared": (
            ("working", *_BEHIND),
            "the first request after a rest is in hand then",
        ),
        "hardware unprepared": (("idle", "working"), "it has not just come to rest"),
        "prepare failed": ((*_WAITING, *_BEHIND), "no request is to be started after a rest"),
        "finalize, success": (
            (*_STOPPED[1:], "exited", "working", *_BEHIND, "hardware full"),
            "nothing is in hardware",
        ),
        "finalize, error": (
            (*_STOPPED[1:], "exited", "working", *_BEHIND, "hardware full"),
            "nothing is in hardware",
        ),
        "stop, drained": (
            (*_STOPPED, "exited", "idle", "working"),
            "it waits for the queue, and while it is busy",
        ),
        "stop, timed out": (
            ("working", *_BEHIND, "hardware full", "wedged"),
            "nothing is there that lasts for 10 s",
        ),
        "exit": (_STOPPED, "exit stops it first, and is misuse when it was called before"),
    }
)


def impossible(semantics: Semantics, state: str, event: str) -> str:
    """Why a pair cannot happen under these semantics; empty when it can."""
    return (
        _no_such_state(semantics, state)
        or _no_such_event(semantics, event)
        or _not_there(semantics, state, event)
    )


def _no_such_state(semantics: Semantics, state: str) -> str:
    if state == "stopped, hardware busy" and semantics.mends("K"):
        return "stop waits for the hardware"
    hooks = semantics.request_hooks or semantics.hardware_hooks
    causes = {"B", "F", "I"} if hooks else {"B", "F"}
    if state == "wedged" and causes <= semantics.mended:
        return "its wedges are mended"
    return ""


def _no_such_event(semantics: Semantics, event: str) -> str:
    hooks = semantics.request_hooks or semantics.hardware_hooks
    missing = {
        "pump, put back": not semantics.requeues_fatal,
        "pump, batch": semantics.batch == "none",
        "hardware prepared": not semantics.hardware_hooks,
        "hardware unprepared": not semantics.hardware_hooks,
        "prepare failed": not hooks,
    }
    return f"{semantics.name} has nothing of the kind" if missing.get(event, False) else ""


def _not_there(semantics: Semantics, state: str, event: str) -> str:
    places, reason = _MET[event]
    if state == "exited" and event.startswith("finalize") and semantics.mends("K"):
        return "stop has waited for the hardware"
    if (state, event) == ("working", "stop, drained") and semantics.mends("K"):
        return "stop waits for the hardware"
    if event == "pump, batch" and semantics.batch == "replaces":
        places = (*_WAITING, *_BEHIND)
        reason = "no request waits, or nobody is there to start it"
    also = {
        ("queued", "notice"): semantics.batch == "replaces",
        ("hardware full", "notice"): semantics.notice_before_start,
        ("hardware full", "prepare failed"): semantics.request_hooks,
    }
    return "" if state in places or also.get((state, event), False) else reason


def table(semantics: Semantics) -> Iterator[Row]:
    """Every pair, states in the order of `STATES`, events in that of `EVENTS`."""
    for state in STATES:
        for event in EVENTS:
            yield Row(state, event, impossible(semantics, state, event))
