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
from tcrypt.engine.api.machine import Machine
from tcrypt.engine.api.requests import AnyRequest
from tcrypt.engine.engine_pump import EnginePump
from tcrypt.engine.engine_state import Hook

__all__ = ("MAX_QLEN", "CryptoEngine", "alloc_init", "alloc_init_and_set")

MAX_QLEN = 10
_STOP_POLLS = 500
_STOP_POLL_NS = 20_000_000
_TRANSFERRED = {
    -errno.EINPROGRESS: "transfer accepted",
    -errno.EBUSY: "transfer backlogged",
    -errno.ENOSPC: "transfer refused",
}


class CryptoEngine(EnginePump):
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
        self.coverage[self._state(), "finalize, error" if status else "finalize, success"] += 1
        self._watch.finalized(request, status)
        self.in_hardware.discard(request)
        matched = self.current is request
        if matched:
            self.current = None
        if self._has_hooks and (matched or self.retry_support):
            self._unprepare_finalized(request)
        if not self._sim.in_softirq:
            self.machine.warn(f"{self.name}: finalize outside of softirq context")
        self._finalizing = True
        request.complete(request.data, status)
        self._finalizing = False
        if not self._exited:
            self._pump_work.queue()


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
