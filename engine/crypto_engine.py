"""`crypto_engine`: the kernel's work queue between the crypto API and a hardware driver.

Behaviour is that of Linux 6.17 and later (kernel-crypto, sections 5.2 to 5.7 and 5.9), its known
wedges included: a driver must be safe there.  `do_one_request` returns 0 once it has started a
request, or finalizes it with an error and returns 0; -ENOSPC means that the hardware has no room,
and puts the request back at the head of the queue when the engine was made with retry support.
"""

from __future__ import annotations

import errno

from tcrypt.engine.api.algorithms import AnyAlg
from tcrypt.engine.api.errors import errno_name
from tcrypt.engine.api.machine import Machine
from tcrypt.engine.api.queue import CryptoQueue
from tcrypt.engine.api.requests import AnyRequest
from tcrypt.engine.sim import WorkItem

__all__ = ("MAX_QLEN", "CryptoEngine")

MAX_QLEN = 10
_STOP_POLLS = 500
_STOP_POLL_NS = 20_000_000


class CryptoEngine:
    """One engine: a queue, a worker, and the requests that a driver has in hand.

    Attributes:
        retries: how many times a request went back to the head of the queue on -ENOSPC.
        started: how many requests `do_one_request` took.
    """

    def __init__(
        self, machine: Machine, name: str, *, retry_support: bool = False, qlen: int = MAX_QLEN
    ) -> None:
        self.machine = machine
        self.name = name
        self.retry_support = retry_support
        self.queue = CryptoQueue(machine.setup.knobs.get("queue_length", qlen))
        self.running = False
        self.busy = False
        self.current: AnyRequest | None = None
        self.retries = 0
        self.started = 0
        self._pump_work = WorkItem(machine.sim, f"{name}: pump", self._pump)
        machine.engines.append(self)

    def register(self, alg: AnyAlg) -> None:
        """Register an algorithm whose requests go through an engine.

        Raises:
            OSError: EINVAL when `do_one_request` is missing, or as `Registry.register`.
        """
        if alg.do_one_request is None:
            raise OSError(errno.EINVAL, f"{alg.cra_driver_name}: do_one_request is missing")
        self.machine.registry.register(alg)

    def start(self) -> int:
        """Accept requests from now on; -EBUSY when already running or busy."""
        if self.running or self.busy:
            return -errno.EBUSY
        self.running = True
        self._pump_work.queue()
        return 0

    def stop(self) -> int:
        """Wait until the queue has drained, at most 10 s; -EBUSY when it has not.

        Nothing is cancelled, and new requests are accepted while it waits.
        """
        for _ in range(_STOP_POLLS):
            if not len(self.queue) and not self.busy:
                break
            self.machine.sim.sleep(_STOP_POLL_NS, f"{self.name}: stop")
        if len(self.queue) or self.busy:
            self.machine.warn(f"{self.name}: could not stop")
            return -errno.EBUSY
        self.running = False
        return 0

    def exit(self) -> int:
        """Stop, drop the worker and leave the machine; the error of `stop` when that fails."""
        status = self.stop()
        if not status:
            self._pump_work.cancel()
            if self in self.machine.engines:
                self.machine.engines.remove(self)
        return status

    def transfer(self, request: AnyRequest) -> int:
        """Hand a request to the engine, to be started from its worker.

        Returns:
            -EINPROGRESS (accepted), -EBUSY (accepted onto the backlog), -ENOSPC (queue full, not
            accepted) or -ESHUTDOWN (engine not running).  A driver returns it to its caller.
        """
        if not self.running:
            return -errno.ESHUTDOWN
        status = self.queue.enqueue(request)
        if not self.busy:
            self._pump_work.queue()
        return status

    def finalize(self, request: AnyRequest, status: int) -> None:
        """Complete a request that `do_one_request` took, from softirq context."""
        if self.current is request:
            self.current = None
        if not self.machine.sim.in_softirq:
            self.machine.warn(f"{self.name}: finalize outside of softirq context")
        request.complete(request.data, status)
        self._pump_work.queue()

    def _pump(self) -> None:
        if not self.retry_support and self.current is not None:
            return
        if not len(self.queue) or not self.running:
            self.busy = False
            return
        while self._start_next():
            pass

    def _start_next(self) -> bool:
        """Start the request at the head; whether the pump goes on feeding."""
        backlog = self.queue.backlog
        request = self.queue.dequeue()
        if request is None:
            return False
        if not self.retry_support:
            self.current = request
        self.busy = True
        status = self._do_one_request(request)
        if status == -errno.ENOSPC and self.retry_support:
            self.retries += 1
            self.queue.enqueue_head(request)
            self._pump_work.queue()
            return False
        if status < 0:
            self._complete(request, status)
        if backlog is not None:
            self._complete(backlog, -errno.EINPROGRESS)
        return self.retry_support

    def _do_one_request(self, request: AnyRequest) -> int:
        alg = request.tfm.alg
        if alg.do_one_request is None:
            return -errno.EINVAL
        status = alg.do_one_request(self, request)
        if type(status) is not int:
            self.machine.warn(
                f"{alg.cra_driver_name}: do_one_request returned {errno_name(status)}, "
                "must be 0 or a negative errno"
            )
            return -errno.EINVAL
        if status >= 0:
            self.started += 1
        return status

    def _complete(self, request: AnyRequest, status: int) -> None:
        sim = self.machine.sim
        sim.local_bh_disable()
        try:
            request.complete(request.data, status)
        finally:
            sim.local_bh_enable()
