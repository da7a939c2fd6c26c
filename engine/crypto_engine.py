"""`crypto_engine`: the kernel's work queue between the crypto API and a hardware driver.

Which kernel's, the machine's semantics say (`tcrypt.engine.semantics`); its known wedges are
included, because a driver must be safe there (kernel-crypto, sections 5.2 to 5.7 and 5.9).
`do_one_request` returns 0 once it has started a request, or finalizes it with an error and
returns 0; -ENOSPC means that the hardware has no room, and puts the request back at the head of
the queue when the engine was made with retry support.
"""

from __future__ import annotations

import errno

from tcrypt.engine.api.algorithms import AnyAlg
from tcrypt.engine.api.errors import errno_name
from tcrypt.engine.api.flags import ReqFlag
from tcrypt.engine.api.machine import Machine
from tcrypt.engine.api.requests import AnyRequest
from tcrypt.engine.engine_hooks import EngineHooks
from tcrypt.engine.engine_state import Hook

__all__ = ("MAX_QLEN", "CryptoEngine", "alloc_init", "alloc_init_and_set")

MAX_QLEN = 10
_STOP_POLLS = 500
_STOP_POLL_NS = 20_000_000
_EINPROGRESS, _ENOSPC = -errno.EINPROGRESS, -errno.ENOSPC
_MAY_BACKLOG = int(ReqFlag.MAY_BACKLOG)
_TRANSFERRED = {
    _EINPROGRESS: "transfer accepted",
    -errno.EBUSY: "transfer backlogged",
    _ENOSPC: "transfer refused",
}


class CryptoEngine(EngineHooks):
    """One engine: a queue, a worker, and the requests that a driver has in hand.

    Args:
        machine: the machine of the device.
        name: the device's name; the worker is `<name>-engine`.
        retry_support: whether -ENOSPC from `do_one_request` means "try again".
        qlen: how many requests the queue holds before it is full.
        do_batch: `do_batch_requests`; kept with retry support only, where the semantics have it.
        rt: whether the worker runs with real-time priority.

    Raises:
        UnknownSemanticsError: the machine's setup names semantics that do not exist.
    """

    def __init__(
        self,
        machine: Machine,
        name: str,
        *,
        retry_support: bool = False,
        qlen: int = MAX_QLEN,
        do_batch: Hook | None = None,
        rt: bool = False,
    ) -> None:
        super().__init__(
            machine, name, retry_support=retry_support, qlen=qlen, do_batch=do_batch, rt=rt
        )
        self._algs: list[AnyAlg] = []
        machine.engines.append(self)

    def register(self, alg: AnyAlg) -> None:
        """Register an algorithm whose requests go through an engine.

        Raises:
            OSError: EINVAL when `do_one_request` is missing and the semantics look at
                registration, or as `Registry.register`.
        """
        if alg.do_one_request is None and self.semantics.missing_operation == "registration":
            raise OSError(errno.EINVAL, f"{alg.cra_driver_name}: do_one_request is missing")
        self.machine.registry.register(alg)
        self._algs.append(alg)

    def start(self) -> int:
        """Accept requests from now on; -EBUSY when already running or busy."""
        self._watch.used("start")
        if self.running or self.busy:
            self._count("start refused")
            return -errno.EBUSY
        self._count("start")
        self.running = True
        self._pump_work.queue()
        return 0

    def stop(self) -> int:
        """Wait until the queue has drained, at most 10 s; -EBUSY when it has not.

        Nothing is cancelled, and new requests are accepted while it waits.  With retry support it
        does not wait for what is in hardware (wedge K), unless the semantics mend that.
        """
        for _ in range(_STOP_POLLS):
            if not self._active():
                break
            self.machine.sim.sleep(_STOP_POLL_NS, f"{self.name}: stop")
        if self._active():
            self._count("stop, timed out")
            self.machine.warn(f"{self.name}: could not stop")
            return -errno.EBUSY
        self._count("stop, drained")
        self.running = False
        self._watch.stopped()
        return 0

    def _active(self) -> bool:
        """Whether there is anything that `stop` waits for."""
        if len(self.queue) or self.busy:
            return True
        return bool(self.in_hardware) and self.semantics.mends("K")

    def exit(self) -> int | None:
        """Stop, then drop the worker, unless that failed.

        Returns:
            The status of `stop`, or None where the semantics give none: a driver that must know
            calls `stop` itself before.
        """
        self._watch.used("exit")
        status = self.stop()
        if not status:
            self._count("exit")
            self._pump_work.cancel()
            self._retry.cancel()
            self._exited = True
            registry = self.machine.registry
            registered = [a.cra_driver_name for a in self._algs if registry.entry(a) is not None]
            self._watch.left(self.in_hardware, registered)
        return status if self.semantics.exit_returns_status else None

    def transfer(self, request: AnyRequest) -> int:
        """Hand a request to the engine, to be started from its worker.

        Returns:
            -EINPROGRESS (accepted), -EBUSY (accepted onto the backlog), -ENOSPC (queue full, not
            accepted) or -ESHUTDOWN (engine not running).  A driver returns it to its caller.
        """
        state = self._state()
        if not self.running:
            self.coverage[state, "transfer shut down"] += 1
            self._watch.transferred(request, -errno.ESHUTDOWN)
            return -errno.ESHUTDOWN
        status = self.queue.enqueue(request)
        self.coverage[state, _TRANSFERRED[status]] += 1
        self._watch.transferred(request, status)
        if not self.busy:
            self._pump_work.queue()
        return status

    def finalize(self, request: AnyRequest, status: int) -> None:
        """Complete a request that `do_one_request` took, from softirq context."""
        self._count("finalize, error" if status else "finalize, success")
        self._watch.finalized(request, status)
        self.in_hardware.discard(request)
        matched = self.current is request
        if matched:
            self.current = None
        if self._has_hooks and (matched or self.retry_support):
            self._unprepare_finalized(request)
        if not self.machine.sim.in_softirq:
            self.machine.warn(f"{self.name}: finalize outside of softirq context")
        self._finalizing = True
        request.complete(request.data, status)
        self._finalizing = False
        if not self._exited:
            self._pump_work.queue()

    def _pump(self) -> None:
        self._pumping = True
        try:
            self._feed()
            if self.do_batch_requests is not None:
                self._batch_after_pump(self.do_batch_requests)
        finally:
            self._pumping = False

    def _feed(self) -> None:
        if not self.retry_support and self.current is not None:
            self._count("pump, one in hand")
        elif not self.queue.waiting or not self.running:
            self._count("pump, nothing")
            if self.busy:
                self.busy = False
                self._unprepare_hardware()
        elif self.do_batch_requests is not None and self.semantics.batch == "replaces":
            self._batch_instead(self.do_batch_requests)
        else:
            while self._start_next():
                pass

    def _start_next(self) -> bool:
        """Start the request at the head; whether the pump goes on feeding."""
        state = self._state()
        backlog = self.queue.backlog
        request = self.queue.dequeue()
        if request is None:
            return False
        if not self.retry_support:
            self.current = request
        first, self.busy = not self.busy, True
        if backlog is not None and self.semantics.notice_before_start:
            self._notice(backlog)
            backlog = None
        self.in_hardware.add(request)
        if not self._try(request, state, first=first):
            return False
        if backlog is not None:
            self._notice(backlog)
        return self.retry_support

    def _try(self, request: AnyRequest, state: str, *, first: bool) -> bool:
        """Start a request, or complete it with an error; False when it was put back instead."""
        number = self._watch.trying(request)
        status = self._prepare(request, first=first) if self._has_hooks else 0
        if status:
            self._fail(request, number, status, state, "prepare failed")
            return True
        status = self._do_one_request(request)
        if status >= 0:
            self._no_room = False
            self._watch.started(request, number)
            self.coverage[state, "pump, started"] += 1
            return True
        if self._has_hooks:
            self._unprepare(request)
        if self._goes_back(request, status):
            self._put_back(request, number, status, state)
            return False
        self._fail(request, number, status, state, "pump, failed")
        return True

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
        if status == _EINPROGRESS and self.semantics.mends("H"):
            status = 0
        if status >= 0:
            self.started += 1
        return status

    def _goes_back(self, request: AnyRequest, status: int) -> bool:
        """Whether a request that could not be started waits again (5.5)."""
        if not self.retry_support:
            return False
        fatal = self.semantics.requeues_fatal and bool(request.flags & _MAY_BACKLOG)
        return fatal or status == _ENOSPC

    def _put_back(self, request: AnyRequest, number: int, status: int, state: str) -> None:
        """Put a request back at the head of the queue, and see to its next try."""
        no_room = status == _ENOSPC
        self._watch.put_back(request, number, status)
        self.coverage[state, "pump, no room" if no_room else "pump, put back"] += 1
        self.in_hardware.discard(request)
        self.retries += no_room
        self._no_room = no_room
        self.queue.enqueue_head(request)
        if no_room and self.semantics.retry_delay:
            self._retry.start(self.semantics.retry_delay)
        else:
            self._pump_work.queue()

    def _fail(self, request: AnyRequest, number: int, status: int, state: str, event: str) -> None:
        """Complete a request that was not started; where wedges are mended, keep going."""
        self._watch.failed(request, number, status, asked=event != "prepare failed")
        self.coverage[state, event] += 1
        self.in_hardware.discard(request)
        self._no_room = False
        wedge = ("F" if self.retry_support else "B") if event == "pump, failed" else "I"
        if self.semantics.mends(wedge):
            if self.current is request:
                self.current = None
            self._pump_work.queue()
        self._complete(request, status)

    def _complete(self, request: AnyRequest, status: int) -> None:
        sim = self.machine.sim
        sim.local_bh_disable()
        try:
            request.complete(request.data, status)
        finally:
            sim.local_bh_enable()


def alloc_init(machine: Machine | None, name: str, rt: bool = False) -> CryptoEngine | None:
    """An engine without retry support, whose queue holds `MAX_QLEN`; None without a machine."""
    return alloc_init_and_set(machine, name, False, None, rt, MAX_QLEN)


def alloc_init_and_set(
    machine: Machine | None,
    name: str,
    retry_support: bool,
    do_batch: Hook | None,
    rt: bool,
    qlen: int,
) -> CryptoEngine | None:
    """An engine with everything chosen (5.2), as `CryptoEngine`; None without a machine."""
    if machine is None:
        return None
    return CryptoEngine(
        machine, name, retry_support=retry_support, qlen=qlen, do_batch=do_batch, rt=rt
    )
