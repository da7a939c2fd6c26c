"""What every algorithm of the driver does with a request, whatever it computes."""

from __future__ import annotations

import errno
from collections.abc import Callable

from tcrypt.engine.api.dma import DmaError
from tcrypt.engine.api.requests import AnyRequest
from tcrypt.engine.eip93.driver.core import Core, Job
from tcrypt.engine.eip93.driver.policy import Outcome, error_outcome

__all__ = ("Offload",)


class Offload:
    """One algorithm on one device.

    Attributes:
        core: the device.
        driver_name: under which its decisions are counted.
    """

    def __init__(self, core: Core, driver_name: str) -> None:
        self.core = core
        self.driver_name = driver_name

    def note(self, outcome: str) -> None:
        """Count a decision or its outcome."""
        self.core.counters[self.driver_name, outcome] += 1

    def refuse(self, status: int) -> int:
        """Count a request that ends before anybody works on it; the same status."""
        self.note(error_outcome(status))
        return status

    def enqueue(self, request: AnyRequest) -> int:
        """Queue a request for the hardware; the status."""
        self.note(Outcome.HARDWARE)
        return self.core.engine.transfer(request)

    def launch(
        self, request: AnyRequest, count: int, prepare: Callable[[Job], Callable[[], None]]
    ) -> int:
        """Start a queued request with `count` descriptors: 0, or -ENOSPC when the ring is full.

        Without memory or mappings it is finalized with -ENOMEM, which is 0 as well.
        """
        job = self.core.begin(request, count, self._done)
        if job is None:
            self.note(Outcome.RETRY)
            return -errno.ENOSPC

        def counted(job: Job) -> Callable[[], None]:
            try:
                return prepare(job)
            except (MemoryError, DmaError):
                self.note(error_outcome(-errno.ENOMEM))
                raise

        return self.core.start(job, counted)

    def _done(self, job: Job, status: int) -> None:
        if status:
            self.note(error_outcome(status))
        self.finish(job, status)

    def finish(self, job: Job, status: int) -> None:
        """Copy out what the request gets; `status` is the hardware's verdict, as an errno."""
        raise NotImplementedError
