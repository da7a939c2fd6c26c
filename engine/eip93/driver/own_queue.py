"""Submission without `crypto_engine`: requests go to the hardware from their callers' context.

So does the mainline driver, and what it lacks is here.  It sleeps or spins while the ring is full,
whatever the context, and knows no backlog (eip93, sections 4.2 and 7).  Here a request that finds
no room waits in a `crypto_queue`, under the rules that every caller of the crypto API relies on
(kernel-crypto, 5.1 and 6.10), and is started when a completion has made room.

One lock holds together that nobody waits, that there is room, and that descriptors are written:
so requests start in the order in which they came, none is left waiting beside idle hardware, and
no two contexts count on the same descriptors.  It is taken with bottom halves disabled, for the
completion tasklet takes it as well; nothing under it sleeps, and no callback is called under it.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tcrypt.engine.api.algorithms import AnyAlg, DoOneRequest
from tcrypt.engine.api.machine import Machine
from tcrypt.engine.api.queue import CryptoQueue
from tcrypt.engine.api.requests import AnyRequest
from tcrypt.engine.preemption import SpinLock

__all__ = ("OwnQueue",)

_EINPROGRESS: Final = -errno.EINPROGRESS
_ENOSPC: Final = -errno.ENOSPC
_STOP_POLLS: Final = 500
_STOP_POLL_NS: Final = 20_000_000


class OwnQueue:
    """The driver's own queue in front of its ring.

    Attributes:
        queue: the requests that found no room.
        running: whether requests are accepted.
    """

    def __init__(self, machine: Machine, name: str, qlen: int) -> None:
        self.machine = machine
        self.name = name
        self.queue = CryptoQueue(machine.setup.knobs.get("queue_length", qlen))
        self.running = False
        self._lock = SpinLock(machine.sim, f"{name}: queue lock")
        self._starters: dict[str, DoOneRequest] = {}

    @property
    def busy(self) -> bool:
        """Whether requests wait to be started."""
        return bool(self.queue.waiting)

    def register(self, alg: AnyAlg) -> None:
        """Register an algorithm; no engine is there to call its `do_one_request`, so we keep it.

        Raises:
            OSError: as `Registry.register`.
        """
        start, alg.do_one_request = alg.do_one_request, None
        assert start is not None, "an algorithm of this driver can start its requests"
        self._starters[alg.cra_driver_name] = start
        self.machine.registry.register(alg)

    def start(self) -> int:
        """Accept requests from now on; 0."""
        self.running = True
        return 0

    def transfer(self, request: AnyRequest) -> int:
        """Start a request at once if nobody waits and there is room, or else queue it.

        Returns:
            -EINPROGRESS, -EBUSY or -ENOSPC as `CryptoQueue.enqueue`, -ESHUTDOWN when stopped, or
            -ENOMEM; after the last three nobody is called back.
        """
        with self._locked():
            if not self.running:
                return -errno.ESHUTDOWN
            if not self.queue.waiting:
                status = self._try(request)
                if status != _ENOSPC:
                    return status or _EINPROGRESS
                self.machine.sim.preemption_point("no room")
            return self.queue.enqueue(request)

    def not_started(self, request: AnyRequest, status: int) -> int:
        """Answer with the error: who asked to start the request tells its caller."""
        return status

    def finalize(self, request: AnyRequest, status: int) -> None:
        """Complete a request, and start what has waited for its room."""
        request.complete(request.data, status)
        self._feed()

    def stop(self) -> int:
        """Accept nothing more, and wait until all that waits was started, at most 10 s.

        Returns:
            0, or -EBUSY, and then requests are accepted as before.
        """
        self.running = False
        for _ in range(_STOP_POLLS):
            if not self.queue.waiting:
                return 0
            self.machine.sim.sleep(_STOP_POLL_NS, f"{self.name}: stop")
        self.machine.warn(f"{self.name}: could not stop")
        self.running = True
        return -errno.EBUSY

    def exit(self) -> None:
        """There is no worker to give back."""

    def _feed(self) -> None:
        """Start what waits, the oldest first, until the hardware has no room.

        Only the completion tasklet does so, and a tasklet never runs twice at once: whom it tells
        that it was accepted, nobody else can start meanwhile, and complete before it has heard.
        """
        while self._feed_one():
            pass

    def _feed_one(self) -> bool:
        """Start the oldest request and tell whom it concerns; False when none could be started."""
        with self._locked():
            request = next(iter(self.queue), None)
            status = _ENOSPC if request is None else self._try(request)
            if request is None or status == _ENOSPC:
                return False
            promoted = self.queue.backlog
            self.queue.dequeue()
        if promoted is not None:
            promoted.complete(promoted.data, _EINPROGRESS)
        if status:
            request.complete(request.data, status)
        return True

    def _try(self, request: AnyRequest) -> int:
        """Start a request: 0, -ENOSPC when there is no room, or why it cannot be started."""
        return self._starters[request.tfm.alg.cra_driver_name](self, request)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        sim = self.machine.sim
        sim.local_bh_disable()
        self._lock.acquire()
        sim.preemption_point("queue lock")
        try:
            yield
        finally:
            self._lock.release()
            sim.local_bh_enable()
