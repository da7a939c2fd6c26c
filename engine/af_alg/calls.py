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

__all__ = (
    "BlocksError",
    "Job",
    "NeverCompletedError",
    "Pages",
    "Pending",
    "finish",
    "start",
    "wait",
)

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
    """A request that was submitted and is not waited for.

    Attributes:
        result: the bytes received, or the negative errno; None as long as it is under way.
    """

    __slots__ = ("_log", "result")

    def __init__(self, log: list[Pending] | None = None) -> None:
        self._log = log
        self.result: bytes | int | None = None

    def end(self, result: bytes | int) -> None:
        """The request is complete; the log gets every request when it completes."""
        self.result = result
        if self._log is not None:
            self._log.append(self)


class Job:
    """The memory of one cipher request."""

    __slots__ = ("dst", "iv", "src")

    def __init__(self, memory: Memory, data: bytes, lent: bytes, iv: bytes) -> None:
        self.src = Pages(memory, len(data))
        self.dst = Pages(memory, len(lent))
        self.iv = Pages(memory, len(iv))
        self.src.write(data)
        self.dst.write(lent)
        self.iv.write(iv)

    def end(self) -> tuple[bytes, bytes]:
        """Give the memory back; what the destination and the IV hold."""
        held = self.dst.read(), self.iv.read()
        for pages in (self.src, self.dst, self.iv):
            pages.free()
        return held


def start(
    request: AnyRequest, call: Callable[[Any], int], job: Job, pending: Pending, *, backlog: bool
) -> None:
    """Submit a request that nobody waits for.

    Args:
        request: the request.
        call: submits it.
        job: its memory, freed when it is complete.
        pending: gets the result.
        backlog: whether the driver may put it onto its backlog, as it may for a caller who waits.
    """

    def completed(data: Any, status: int) -> None:
        if status != _EINPROGRESS:
            out = job.end()[0]
            pending.end(status or out)

    request.set_callback(_WAITS if backlog else int(ReqFlag.MAY_SLEEP), completed, None)
    status = call(request)
    if status not in _LATER or (status != _EINPROGRESS and not backlog):
        completed(None, status)


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
