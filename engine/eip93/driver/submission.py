"""The way of requests to the hardware: over a `crypto_engine`, or with a queue of one's own.

The algorithms know neither.  They hand a request over with `transfer`; whoever has it asks their
`do_one_request` to start it, which answers -ENOSPC while the hardware has no room; and when its
results are in, the driver says so with `finalize`.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Final, Literal, Protocol

from tcrypt.engine.api.algorithms import AnyAlg
from tcrypt.engine.api.machine import Machine
from tcrypt.engine.api.requests import AnyRequest
from tcrypt.engine.crypto_engine import CryptoEngine
from tcrypt.engine.eip93.driver.own_queue import OwnQueue

__all__ = ("Mode", "OneByOne", "OverEngine", "Submission", "submission_of")

Mode = Literal["engine", "direct", "dhm"]


class Submission(Protocol):
    """What the driver needs of the way to the hardware."""

    @property
    def busy(self) -> bool:
        """Whether requests wait to be started."""

    def register(self, alg: AnyAlg) -> None:
        """Register an algorithm whose requests go this way; OSError as the registry says."""

    def start(self) -> int:
        """Accept requests from now on; 0."""

    def transfer(self, request: AnyRequest) -> int:
        """Take a request, which may come from atomic context.

        Returns:
            -EINPROGRESS (accepted), -EBUSY (accepted onto the backlog), -ENOSPC (no room, not
            accepted), -ESHUTDOWN (not running), or why it could not be started at all.
        """

    def not_started(self, request: AnyRequest, status: int) -> int:
        """A request cannot be started at all: what `do_one_request` answers."""

    def finalize(self, request: AnyRequest, status: int) -> None:
        """Complete a request that was started, from softirq context; that makes room."""

    def stop(self) -> int:
        """Wait until nothing waits to be started any more; -EBUSY when that takes too long."""

    def exit(self) -> int | None:
        """Give back what `start` took."""


class OverEngine(CryptoEngine):
    """Over a `crypto_engine` with retry support, for hardware that holds many requests."""

    retries_full = True

    def __init__(self, machine: Machine, name: str, qlen: int) -> None:
        super().__init__(machine, name, retry_support=self.retries_full, qlen=qlen)

    def not_started(self, request: AnyRequest, status: int) -> int:
        """Finalize it and answer 0: an error from `do_one_request` may stop the engine (5.7)."""
        sim = self.machine.sim
        sim.local_bh_disable()
        try:
            self.finalize(request, status)
        finally:
            sim.local_bh_enable()
        return 0


class OneByOne(OverEngine):
    """Over a `crypto_engine` without it, for hardware that does one request after another."""

    retries_full = False


_WAYS: Final[dict[str, Callable[[Machine, str, int], Submission]]] = {
    "engine": OverEngine,
    "direct": OwnQueue,
    "dhm": OneByOne,
}


def submission_of(mode: str, name: str) -> Callable[[Machine, str, int], Submission]:
    """Makes the way to the hardware that a mode names, from machine, name and queue length.

    Raises:
        OSError: EINVAL, there is no such mode.
    """
    if mode not in _WAYS:
        known = ", ".join(_WAYS)
        raise OSError(errno.EINVAL, f"{name}: no submission mode {mode!r}; there are {known}")
    return _WAYS[mode]
