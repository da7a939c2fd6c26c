"""The pump of a `crypto_engine`: it takes requests from the queue and has the driver start them.

What becomes of a request that could not be started depends on retry support and on the semantics
(kernel-crypto, sections 5.4, 5.5 and 5.9).
"""

from __future__ import annotations

import errno

from tcrypt.engine.api.errors import errno_name
from tcrypt.engine.api.flags import ReqFlag
from tcrypt.engine.api.requests import AnyRequest
from tcrypt.engine.engine_hooks import EngineHooks

__all__ = ("EnginePump",)

_EINPROGRESS, _ENOSPC = -errno.EINPROGRESS, -errno.ENOSPC
_MAY_BACKLOG = int(ReqFlag.MAY_BACKLOG)


class EnginePump(EngineHooks):
    """The part of an engine that starts requests."""

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
            self.most_in_hardware = max(self.most_in_hardware, len(self.in_hardware))
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
        sim = self._sim
        sim.local_bh_disable()
        try:
            request.complete(request.data, status)
        finally:
            sim.local_bh_enable()
