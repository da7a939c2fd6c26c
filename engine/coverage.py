"""Which events met a `crypto_engine` in which state: the names, and who counted what.

An engine is in exactly one of the states at any time.  The pairs that can happen, and why others
cannot, are in `tcrypt.engine.coverage_table`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType

__all__ = ("EVENTS", "STATES", "Pair", "Pairs", "follow", "take")

Pair = tuple[str, str]
Pairs = Counter[Pair]

STATES: Mapping[str, str] = MappingProxyType(
    {
        "stopped": "not running, nothing in hardware",
        "stopped, hardware busy": "not running while requests are in hardware (wedge K)",
        "exited": "its worker is gone",
        "idle": "running, nothing to do",
        "waiting": "requests wait, the hardware has none",
        "waiting, full": "the same, and the queue is full",
        "waiting, backlog": "the same, and there is a backlog",
        "settling": "the last request is done, and the pump has not seen it yet",
        "working": "the hardware has requests, none waits",
        "queued": "the hardware has requests, others wait",
        "full": "the same, and the queue is full",
        "backlog": "the same, and there is a backlog",
        "hardware full": "a request was put back, to be tried again",
        "wedged": "busy, with nothing in hardware and nobody to wake the pump",
    }
)

EVENTS: Mapping[str, str] = MappingProxyType(
    {
        "start": "start was accepted",
        "start refused": "start answered -EBUSY",
        "transfer accepted": "transfer answered -EINPROGRESS",
        "transfer backlogged": "transfer answered -EBUSY",
        "transfer refused": "transfer answered -ENOSPC",
        "transfer shut down": "transfer answered -ESHUTDOWN",
        "pump, one in hand": "the pump ran and left the engine at its one request",
        "pump, nothing": "the pump found the queue empty",
        "pump, started": "do_one_request took a request",
        "pump, no room": "do_one_request answered -ENOSPC and the request went back",
        "pump, failed": "a request was completed with an error instead of started",
        "pump, put back": "a request went back after another error",
        "pump, batch": "do_batch_requests was called",
        "notice": "a backlogged request was told that it is accepted",
        "hardware prepared": "prepare_crypt_hardware was called",
        "hardware unprepared": "unprepare_crypt_hardware was called",
        "prepare failed": "a prepare hook answered with an error",
        "finalize, success": "a request was finalized with 0",
        "finalize, error": "a request was finalized with an error",
        "stop, drained": "stop answered 0",
        "stop, timed out": "stop gave up after 10 s",
        "exit": "the worker was dropped",
    }
)

# What engines that live now, or lived since the last `take`, have counted, by their semantics.
_followed: dict[str, list[Pairs]] = {}
_MOST = 64


def follow(semantics: str, counter: Pairs) -> None:
    """Collect what a new engine will count."""
    counters = _followed.setdefault(semantics, [])
    if len(counters) >= _MOST:
        # An engine that counts on after this is one that a failed case has left behind.
        counters[:] = [_sum(counters)]
    counters.append(counter)


def take(semantics: str) -> Pairs:
    """All that engines of these semantics have counted since the last call; forget the rest."""
    total = _sum(_followed.get(semantics, ()))
    _followed.clear()
    return total


def _sum(counters: list[Pairs] | tuple[Pairs, ...]) -> Pairs:
    total: Pairs = Counter()
    for counter in counters:
        total.update(counter)
    return total
