"""The optional hooks of a `crypto_engine`: to prepare requests and hardware, and to start many.

Which of them exist depends on the semantics (kernel-crypto, 5.4 and 5.9); one that does not is
never called.  `after-pump` and `replaces` are the two meanings of `do_batch_requests`.
"""

from __future__ import annotations

import errno

from tcrypt.engine.api.requests import AnyRequest
from tcrypt.engine.engine_state import EngineState, Hook

__all__ = ("EngineHooks",)


class EngineHooks(EngineState):
    """The part of an engine that calls hooks."""

    def _complete(self, request: AnyRequest, status: int) -> None:
        raise NotImplementedError

    def _prepare(self, request: AnyRequest, *, first: bool) -> int:
        """Prepare the hardware for the first request after a rest, then the request (5.4, 6-7)."""
        semantics = self.semantics
        if first and semantics.hardware_hooks and self.prepare_crypt_hardware is not None:
            self._count("hardware prepared")
            status = self.prepare_crypt_hardware(self)
            if status:
                return status
        hook = request.tfm.alg.prepare_request
        if semantics.request_hooks and hook is not None:
            return hook(self, request)
        return 0

    def _unprepare(self, request: AnyRequest) -> None:
        """Undo `prepare_request`; what the hook answers is only logged."""
        hook = request.tfm.alg.unprepare_request
        if self.semantics.request_hooks and hook is not None:
            hook(self, request)

    def _unprepare_finalized(self, request: AnyRequest) -> None:
        """The same for a request that was started: only where both hooks exist (5.6, step 2)."""
        if request.tfm.alg.prepare_request is not None:
            self._unprepare(request)

    def _unprepare_hardware(self) -> None:
        unprepare = self.unprepare_crypt_hardware
        if self.semantics.hardware_hooks and unprepare is not None:
            self._count("hardware unprepared")
            self.idling = True
            unprepare(self)
            self.idling = False

    def _notice(self, request: AnyRequest) -> None:
        """Tell a backlogged request that it has been accepted."""
        self._count("notice")
        self._watch.noticed(request)
        self._complete(request, -errno.EINPROGRESS)

    def _batch_after_pump(self, do_batch: Hook) -> None:
        """Let the driver send what it has gathered; its error is only logged (5.4, E)."""
        if self.semantics.batch == "after-pump":
            self._count("pump, batch")
            do_batch(self)

    def _batch_instead(self, do_batch: Hook) -> None:
        """Let the driver take what it can from the queue and start it (the guide, "Batching").

        What it leaves there is tried again when a request is finalized, or, where the driver
        answers -ENOSPC, after the delay.
        """
        self._count("pump, batch")
        queue, watch = self.queue, self._watch
        offered, backlog = list(queue), queue.backlog_requests()
        self.busy = True
        self.in_hardware.update(offered)
        numbers = [(request, watch.trying(request)) for request in offered]
        status = do_batch(self)
        left = set(queue)
        for request, number in numbers:
            if request in left:
                self.in_hardware.discard(request)
                watch.put_back(request, number, status)
            elif watch.started(request, number):
                self.started += 1
        for request in backlog[: len(backlog) - queue.backlogged]:
            self._notice(request)
        if left and status == -errno.ENOSPC:
            self._retry.start(self.semantics.retry_delay)
        elif left and not self.in_hardware:
            watch.left_alone(left, status)
