"""One call of the crypto API on behalf of a program: pages to lie in, and waiting for the end."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

from tcrypt.engine.af_alg.numbers import PAGE
from tcrypt.engine.api.errors import check_status
from tcrypt.engine.api.flags import ReqFlag
from tcrypt.engine.api.machine import Machine
from tcrypt.engine.api.memory import Buffer, Memory
from tcrypt.engine.api.requests import AnyRequest
from tcrypt.engine.api.scatterlist import Scatterlist, Segment

__all__ = ("BlocksError", "NeverCompletedError", "Pages", "Pending", "finish", "wait")

_WAITS = int(ReqFlag.MAY_SLEEP | ReqFlag.MAY_BACKLOG)
_EINPROGRESS = -errno.EINPROGRESS
_LATER = (_EINPROGRESS, -errno.EBUSY)
_DEADLINE_NS = 30_000_000_000
_STEP_BUDGET = 400_000


class BlocksError(Exception):
    """The call would wait for more data, or for room, for ever."""


class NeverCompletedError(Exception):
    """The driver accepted a request, and the machine went idle without completing it."""


class Pages:
    """Memory of one request, as the kernel gives it to drivers: one list entry for each page."""

    __slots__ = ("address", "length", "memory")

    def __init__(self, memory: Memory, length: int) -> None:
        self.memory = memory
        self.length = length
        self.address = memory.alloc(length)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Store `data` from the start on."""
        self.memory.write(self.address, data)

    def read(self) -> bytes:
        """All of it."""
        return self.memory.read(self.address, self.length)

    def buffer(self) -> Buffer:
        """The whole as a buffer, for an IV or a digest."""
        return Buffer(self.memory, self.address, self.length)

    def list(self) -> Scatterlist:
        """The whole as a scatterlist; one empty entry when there is nothing."""
        address, length = self.address, self.length
        if length <= PAGE:
            return Scatterlist(self.memory, [Segment(address, length)])
        starts = range(0, length, PAGE)
        entries = [Segment(address + at, min(PAGE, length - at)) for at in starts]
        return Scatterlist(self.memory, entries)

    def free(self) -> None:
        """Give it back."""
        self.memory.free(self.address)


class Pending:
    """A request that a program has submitted and does not wait for (`io_submit`).

    Attributes:
        result: the bytes received, or the negative errno; None as long as it is under way.
    """

    __slots__ = ("result",)

    def __init__(self) -> None:
        self.result: bytes | int | None = None


def _note(notes: Any, status: int) -> None:
    # An early notice says that a backlogged request was accepted; the caller waits on.
    if status != _EINPROGRESS:
        notes.append(status)


def wait(machine: Machine, request: AnyRequest, call: Callable[[Any], int], what: str) -> None:
    """Submit a request and run the machine until it is complete.

    Raises:
        OSError: the request failed with this errno.
        DriverNonsenseError: its status is no status.
        NeverCompletedError: the machine is idle, and the request was not completed.
    """
    notes: list[int] = []
    request.set_callback(_WAITS, _note, notes)
    status = call(request)
    if status in _LATER:
        finish(machine)
        if not notes:
            raise NeverCompletedError(f"{what}: accepted and never completed")
        status = notes[0]
    if status:
        check_status(status, what)


def finish(machine: Machine) -> None:
    """Run a machine until it is idle; NeverCompletedError when it never is."""
    sim = machine.sim
    if sim.idle:
        return
    if not sim.run(deadline=sim.now + _DEADLINE_NS, max_steps=_STEP_BUDGET):
        raise NeverCompletedError(f"still busy after {_DEADLINE_NS // 10**9} s of simulated time")
