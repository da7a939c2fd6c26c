"""What a `crypto_engine` consists of, and in which of its states it is.

The states are those of `tcrypt.engine.coverage`; every event is counted in the state that it met.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from tcrypt.engine import coverage
from tcrypt.engine.api.machine import Machine
from tcrypt.engine.api.queue import CryptoQueue, HeadRule
from tcrypt.engine.api.requests import AnyRequest
from tcrypt.engine.semantics import WEDGES, Semantics, semantics_of
from tcrypt.engine.sim import Timer, WorkItem

__all__ = ("EngineState", "Hook")

Hook = Callable[[Any], int]


class EngineState:
    """The parts of an engine.

    Attributes:
        semantics: which kernel's engine it is.
        retries: how many times a request went back to the head of the queue on -ENOSPC.
        started: how many requests `do_one_request` took.
        in_hardware: the requests that were started and not finalized.
        most_in_hardware: how many these were when they were most.
        prepare_crypt_hardware: called before the first request after a rest, unless None; where
            the semantics have it.
        unprepare_crypt_hardware: called when the engine comes to rest, likewise.
        do_batch_requests: None where the semantics have none.
        idling: whether `unprepare_crypt_hardware` is running.
        coverage: how often each event met the engine in each state.
    """

    prepare_crypt_hardware: Hook | None = None
    unprepare_crypt_hardware: Hook | None = None

    def __init__(
        self,
        machine: Machine,
        name: str,
        *,
        retry_support: bool,
        qlen: int,
        do_batch: Hook | None,
        rt: bool,
    ) -> None:
        self.machine = machine
        self._sim = machine.sim
        self.name = name
        self.semantics = semantics = semantics_of(machine.setup.semantics)
        self.retry_support = retry_support
        self.rt = rt
        self.do_batch_requests = do_batch if retry_support and semantics.batch != "none" else None
        self.queue = CryptoQueue(machine.setup.knobs.get("queue_length", qlen), _head(semantics))
        self.running = False
        self.busy = False
        self.idling = False
        self.current: AnyRequest | None = None
        self.in_hardware: set[AnyRequest] = set()
        self.most_in_hardware = 0
        self.retries = 0
        self.started = 0
        self.coverage: coverage.Pairs = Counter()
        self._pumping = False
        self._finalizing = False
        self._no_room = False
        self._exited = False
        # Most engines have no hooks to look for, and this is on the way of every request.
        self._has_hooks = semantics.request_hooks or semantics.hardware_hooks
        self._watch = machine.monitor.watch(name, semantics, retry_support=retry_support)
        self._pump_work = WorkItem(machine.sim, f"{name}-engine: pump", self._pump)
        self._retry = Timer(machine.sim, f"{name}-engine: retry", self._retry_now)
        coverage.follow(semantics.name, self.coverage)

    def peculiarities(self) -> list[str]:
        """What of these semantics this engine has met, and another engine would not suffer from.

        Only what no driver is to blame for; what one is, the machine's monitor has.
        """
        met = {event for _, event in self.coverage}
        found = []
        if "prepare failed" in met and not self.semantics.mends("I"):
            found.append(f"wedge I: {WEDGES['I']}")
        if "pump, put back" in met:
            found.append("an error of a request with MAY_BACKLOG puts it back, for ever")
        return found

    def _pump(self) -> None:
        raise NotImplementedError

    def _retry_now(self) -> None:
        self._pump_work.queue()

    def _count(self, event: str) -> None:
        self.coverage[self._state(), event] += 1

    def _state(self) -> str:
        """In which of `coverage.STATES` the engine is."""
        if not self.running:
            if self._exited:
                return "exited"
            return "stopped, hardware busy" if self.in_hardware else "stopped"
        if self._no_room:
            return "hardware full"
        queue = self.queue
        waiting = len(queue.waiting)
        if self.in_hardware:
            if not waiting:
                return "working"
            if queue.backlogged:
                return "backlog"
            return "queued" if waiting < queue.max_qlen else "full"
        if self.busy and not self._awake():
            return "wedged"
        if not waiting:
            return "settling" if self.busy else "idle"
        if queue.backlogged:
            return "waiting, backlog"
        return "waiting" if waiting < queue.max_qlen else "waiting, full"

    def _awake(self) -> bool:
        """Whether the pump runs, or somebody will see to it that it does."""
        pending = self._pump_work.pending or self._retry.pending
        return self._pumping or self._finalizing or pending


def _head(semantics: Semantics) -> HeadRule:
    """What an insertion at the head of the queue does to its backlog."""
    if semantics.mends("J"):
        return "undoes"
    return "moves" if semantics.head_moves_backlog else "stays"
