"""Runs one request of a template as a chain of requests to its parts.

The work is a generator: it yields one step after another and returns the final status.  A step
is a call and the child request for it, such as `(child_tfm.encrypt, child_request)`; `run_steps`
gives the child its callback and flags.  The generator goes on when the step has succeeded, at once
or much later.  A step that fails ends the work: the generator is closed, so that its `finally`
parts clean up, and the step's error is the final status.  An OSError out of the generator ends
the work with its errno, a MemoryError with -ENOMEM.

    def work() -> Work:
        with Scratch(memory, 16) as scratch:
            yield cipher.encrypt, first
            yield mac.digest, second
        return 0

    return run_steps(request, work())

The rules of completion are those of kernel-crypto, 5.1 and 6.10.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Generator
from types import TracebackType
from typing import Any, TypeAlias

from tcrypt.engine.api.errors import errno_name
from tcrypt.engine.api.flags import ReqFlag
from tcrypt.engine.api.memory import Memory
from tcrypt.engine.api.requests import AnyRequest
from tcrypt.engine.sim import Simulation

__all__ = ("Scratch", "Step", "Work", "finish", "run_steps")

Step: TypeAlias = tuple[Callable[[Any], int], AnyRequest]
Work: TypeAlias = Generator[Step, None, int]

_EINPROGRESS = -errno.EINPROGRESS
_EBUSY = -errno.EBUSY
_MAY_SLEEP = int(ReqFlag.MAY_SLEEP)
_MAY_BACKLOG = int(ReqFlag.MAY_BACKLOG)


def run_steps(request: AnyRequest, work: Work) -> int:
    """Start the work of a request; the status to answer its submission with.

    -EINPROGRESS and -EBUSY (only to a caller who said MAY_BACKLOG) mean that the request's
    callback will be called, exactly once with the final status and, after -EBUSY, once before
    that with -EINPROGRESS.  Any other status is final and no callback follows.  Nothing of the
    request is looked at once its callback was called.

    A part that completes a step twice, or a step that it had answered itself, is recorded as a
    warning of the machine; the work goes on undisturbed.
    """
    return _Run(request, work).submit()


def finish(sim: Simulation, call: Callable[[Any], int], request: AnyRequest) -> int:
    """Submit a request and sleep until it has completed, as setkey may; its final status.

    -ETIMEDOUT when the machine comes to rest without a completion: in the kernel the caller would
    sleep for ever.
    """
    final: list[int] = []
    request.set_callback(_MAY_SLEEP | _MAY_BACKLOG, _take_final, final)
    status = call(request)
    if status not in (_EINPROGRESS, _EBUSY):
        return status
    sim.might_sleep("waiting for a request")
    sim.run(until=lambda: bool(final))
    return final[0] if final else -errno.ETIMEDOUT


def _take_final(final: list[int], status: int) -> None:
    if status != _EINPROGRESS:
        final.append(status)


class Scratch:
    """Room in a request's context for a `with` statement, wiped before it is given back.

    Entering gives the address.  Whoever uses it asks for as much in the transform's `reqsize`.
    """

    __slots__ = ("_address", "_memory", "_size")

    def __init__(self, memory: Memory, size: int) -> None:
        self._memory = memory
        self._size = size
        self._address = 0

    def __enter__(self) -> int:
        self._address = self._memory.room(self._size)
        return self._address

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._memory.write(self._address, bytes(self._size))
        self._memory.free(self._address)


class _Run:
    """One request under way.

    It keeps what it needs of the request: the caller may reuse that as soon as it is completed.
    """

    __slots__ = ("_complete", "_data", "_flags", "_forward", "_open", "_step", "_tfm", "_work")

    def __init__(self, request: AnyRequest, work: Work) -> None:
        self._tfm: Any = request.tfm
        self._complete = request.complete
        self._data = request.data
        self._flags = request.flags
        self._work = work
        # The number of the step that was started last, and of the one whose end is awaited.
        self._step = 0
        self._open = 0
        # Until the submission is answered, a part that gives notice of a backlog can only be one
        # that is about to answer -EBUSY.
        self._forward = True

    def submit(self) -> int:
        """Begin; the answer to the caller."""
        first = self._go_on()
        if first != _EBUSY:
            self._forward = False
        return first

    def _go_on(self) -> int:
        """Run until a step will complete later: its status.  Or else to the end: the final one."""
        while True:
            try:
                call, child = next(self._work)
            except StopIteration as end:
                status: int = end.value
                return status
            except MemoryError:
                return -errno.ENOMEM
            except OSError as error:
                return -(error.errno or errno.EIO)
            self._step = self._open = number = self._step + 1
            child.set_callback(self._flags, self._completed, number)
            status = call(child)
            if self._accepted(status):
                return status
            if self._open != number:
                self._warn(f"answered {errno_name(status)} to a step that it has completed")
                return _EINPROGRESS
            self._open = 0
            if status != 0:
                self._work.close()
                return status

    def _accepted(self, status: int) -> bool:
        return status == _EINPROGRESS or (status == _EBUSY and bool(self._flags & _MAY_BACKLOG))

    def _completed(self, number: int, status: int) -> None:
        """The callback of every step."""
        if status == _EINPROGRESS:
            self._notice(number)
            return
        if number != self._open:
            self._warn(f"completed step {number} again, with {errno_name(status)}")
            return
        self._open = 0
        self._forward = False
        # Completions run where nobody may sleep.
        self._flags &= ~_MAY_SLEEP
        if status == 0:
            status = self._go_on()
            if self._accepted(status):
                return
        else:
            self._work.close()
        self._complete(self._data, status)

    def _notice(self, number: int) -> None:
        """A backlogged step was taken up: tell the caller who was answered -EBUSY for it."""
        if self._forward and number == self._open:
            self._forward = False
            self._complete(self._data, _EINPROGRESS)

    def _warn(self, what: str) -> None:
        self._tfm.machine.warn(f"a part of {self._tfm.alg.cra_driver_name} {what}")
