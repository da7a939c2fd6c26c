"""Which states of a queue a driver's requests can meet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tcrypt.cover.capabilities import Capabilities
from tcrypt.cover.model import Rule

__all__ = ("queue_rules",)

_MAY_BACKLOG = ("MAY_BACKLOG", "MAY_SLEEP and MAY_BACKLOG")
_MAY_NOT = ("no flags", "MAY_SLEEP")
_MAY_SLEEP = ("MAY_SLEEP", "MAY_SLEEP and MAY_BACKLOG")
_CROWDED = ("busy", "hardware full", "backlogged", "refused")


def queue_rules(capable: Capabilities, crosses: Iterable[str]) -> Iterator[Rule]:
    """What is left out of the states of the queue, and of the flags that they are met with.

    Args:
        capable: what is known of the driver's queues.
        crosses: those of queues with what else the loads are made of, by name.
    """
    if not capable.waits:
        return
    yield Rule("not asked", "nothing need complete in its submission", {"queue": ("at once",)})
    if not capable.queued:
        reason = "no queue is known that its requests wait in"
        yield Rule("unreachable", reason, {"queue": ("backlogged", "refused")})
        reason = "without a queue a request may be done before the next one comes"
        yield Rule("not asked", reason, {"queue": ("busy",)})
    if not capable.retries and not capable.depth:
        reason = "nobody says which of its requests find no room in the hardware"
        yield Rule("unreachable", reason, {"queue": ("hardware full",)})
    rare = {"queue": ("hardware full",)}
    for cross in crosses:
        reason = "of all that wait, only the first is tried and finds the hardware full"
        yield Rule("not asked", reason, rare, cross)
    backlogged = {"queue": ("backlogged",), "flags": _MAY_NOT}
    yield Rule("impossible", "it may not be backlogged", backlogged)
    refused = {"queue": ("refused",), "flags": _MAY_BACKLOG}
    yield Rule("impossible", "a full queue keeps what may be backlogged", refused)
    crowd = {"queue": _CROWDED, "flags": _MAY_SLEEP}
    yield Rule("not asked", "loads are submitted from where nobody may sleep", crowd)
