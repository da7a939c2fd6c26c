"""The life of one submitted request, and what is wrong with it (crypto API, 6.10)."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tcrypt import facts
from tcrypt.engine.api.errors import errno_name
from tcrypt.engine.api.flags import ReqFlag
from tcrypt.engine.api.requests import AnyRequest, Completion
from tcrypt.engine.sim import Context
from tcrypt.problems import Problem
from tcrypt.trouble import documented

__all__ = ("AfterCompletionError", "Ticket")

_EINPROGRESS = -errno.EINPROGRESS
_EBUSY = -errno.EBUSY
_MAY_BACKLOG = int(ReqFlag.MAY_BACKLOG)
_FIELDS = ("src", "dst", "iv", "result", "tfm")
_LISTS = ("src", "dst")
_BUFFERS = ("iv", "result")
# Steps of a hash after which the request still holds the state of the message.
_GO_ON = frozenset({"init", "update"})
_SHOWN = 4
_MAPPED = "completed while its memory is mapped for the device"
_POINTED = "memory that may lie on a stack is mapped for DMA"
_USED = "request used after its completion"


class AfterCompletionError(Exception):
    """A driver looked at a request that it has completed, and that is its caller's again."""

    def problem(self) -> Problem:
        """The same as a finding."""
        return Problem(_USED, facts.RETURNED, details=(str(self),))


class _Gone:
    """Stands in a completed request where the driver could still find something."""

    __slots__ = ("_field", "_seen")

    def __init__(self, field: str, seen: list[str]) -> None:
        self._field = field
        self._seen = seen

    def __getattr__(self, name: str) -> Any:
        text = f"request.{self._field}.{name}"
        self._seen.append(text)
        raise AfterCompletionError(text)


class Ticket:
    """The life of one submitted request: the submission's status, and every callback since.

    From its completion until `problems` is asked for, the request's fields are taken away: its
    memory may be freed or used again in the callback, so a driver must not look at it any more.

    Attributes:
        ahead: how many requests of the same load were under way when it was submitted.
        jobs: how many jobs the driver's device did for it; None where that is not known.
    """

    __slots__ = (
        "_ends",
        "_mapped",
        "_maps",
        "_pointed",
        "_seen",
        "_taken",
        "ahead",
        "atomic",
        "given",
        "interrupts_off",
        "jobs",
        "notes",
        "request",
        "sim",
        "submitted",
    )

    def __init__(self, request: AnyRequest, sim: Any) -> None:
        self.request = request
        self.sim = sim
        self.submitted: Any = None
        self.given: tuple[Any, ...] = ()
        self.notes: list[int] = []
        self.ahead = 0
        self.jobs: int | None = None
        self.atomic = True
        self.interrupts_off = False
        self._ends = True
        self._maps = 0
        self._pointed: tuple[str, ...] = ()
        self._mapped: dict[tuple[int, int], str] = {}
        self._seen: list[str] = []
        self._taken: list[tuple[str, Any, _Gone]] = []

    def submit(self, flags: int, complete: Completion, call: Callable[[Any], int]) -> None:
        """Submit the request with these flags and this callback, which gets the ticket as data."""
        request = self.request
        request.set_callback(flags, complete, self)
        self.given = (request.tfm, flags, complete)
        self._ends = getattr(call, "__name__", "") not in _GO_ON
        self._maps = request.tfm.machine.dma.maps
        self.submitted = call(request)
        if not self.pending:
            self._look_for_mappings()

    def changes(self) -> tuple[str, ...]:
        """Which common fields of the request are not what they were at submission (1.6)."""
        request = self.request
        now = (request.tfm, request.flags, request.complete)
        if now == self.given and request.data is self:
            return ()
        pairs = zip(("tfm", "flags", "complete"), now, self.given, strict=True)
        changed = [name for name, got, given in pairs if got != given]
        return (*changed, *([] if request.data is self else ["data"]))

    def completed(self, status: int) -> None:
        """Called for every completion."""
        self.notes.append(status)
        if self.sim.trace is not None:
            self.sim.note(f"completion callback: {errno_name(status)}")
        sim = self.sim
        if sim.irqs_disabled or sim.context is Context.HARDIRQ:
            self.interrupts_off = True
        elif not sim.in_softirq:
            self.atomic = False
        if status != _EINPROGRESS and not self._taken:
            self._look_for_mappings()
            self._take_away()

    def _look_for_mappings(self) -> None:
        """Note which memory of the request the device may still use.

        Only mappings made since the submission count: what a driver keeps mapped for good is not
        this request's.
        """
        dma, maps = self.given[0].machine.dma, self._maps
        if dma.maps == maps:
            return
        for field, start, length in self._pieces():
            for mapping in dma.reaching(start, length, maps):
                self._mapped[mapping] = f"{field}: {length} bytes at {start:#010x}"

    def _pieces(self) -> Iterator[tuple[str, int, int]]:
        """Field, address and length of all memory that the request names."""
        for field in _LISTS:
            for start, length in getattr(getattr(self.request, field, None), "entries", ()):
                if length:
                    yield field, start, length
        for field in _BUFFERS:
            buffer = getattr(self.request, field, None)
            if buffer is not None:
                yield field, buffer.address, buffer.length

    def saw(self, mapped: Sequence[tuple[int, int]]) -> None:
        """Note what of the memory that the request points to is among what was mapped."""
        taken = {field: value for field, value, _ in self._taken}
        for field in _BUFFERS:
            buffer = taken.get(field) or getattr(self.request, field, None)
            if buffer is None:
                continue
            start, end = buffer.address, buffer.address + buffer.length
            if any(address < end and address + length > start for address, length in mapped):
                self._pointed += (f"{field}: {buffer.length} bytes at {start:#010x}",)

    def _take_away(self) -> None:
        request: Any = self.request
        for field in (*_FIELDS, "ctx") if self._ends else _FIELDS:
            value = getattr(request, field, None)
            if value is not None:
                gone = _Gone(field, self._seen)
                self._taken.append((field, value, gone))
                setattr(request, field, gone)

    def give_back(self) -> None:
        """Put the fields back; `problems` tells whether the driver has used them meanwhile."""
        for field, value, gone in self._taken:
            if getattr(self.request, field) is not gone:
                self._seen.append(f"request.{field} was set")
            setattr(self.request, field, value)
        self._taken.clear()

    def _used(self) -> list[Problem]:
        self.give_back()
        used = tuple(dict.fromkeys(self._seen))
        return [Problem(_USED, facts.RETURNED, details=used)] if used else []

    @property
    def pending(self) -> bool:
        """Whether the request was accepted for later.

        -EBUSY accepts a request that may be backlogged and refuses any other (5.1).
        """
        if self.submitted == _EBUSY:
            return bool(self.given[1] & _MAY_BACKLOG)
        return bool(self.submitted == _EINPROGRESS)

    @property
    def status(self) -> Any:
        """The final status: the submission's, or that of the last final callback."""
        if not self.pending:
            return self.submitted
        final = [note for note in self.notes if note != _EINPROGRESS]
        return final[-1] if final else None

    @property
    def alone(self) -> bool:
        """Whether it was accepted for later when no other of its load was under way."""
        return bool(self.submitted == _EINPROGRESS) and not self.ahead

    def problems(self) -> list[Problem]:
        """What is wrong with the life cycle (crypto API, 6.10)."""
        return self._life_problems() + self._mapping_problems() + self._used()

    def _mapping_problems(self) -> list[Problem]:
        """What was unmapped too late; what is mapped still is a leak, which benches look for."""
        if self._pointed:
            return [Problem(_POINTED, facts.POINTED, details=self._pointed)]
        if not self._mapped:
            return []
        left = self.given[0].machine.dma.since(self._maps)
        late = tuple(text for mapping, text in self._mapped.items() if mapping not in left)
        return [Problem(_MAPPED, facts.UNMAPPED, details=late[:_SHOWN])] if late else []

    def _life_problems(self) -> list[Problem]:
        if not self.pending:
            if not self.notes:
                return self._refusal_problems() or _status_problem(self.submitted)
            notes = ", ".join(errno_name(note) for note in self.notes)
            return [
                Problem(
                    "returned a status and called back as well",
                    facts.ONCE,
                    details=(f"returned {errno_name(self.submitted)}, called back with {notes}",),
                )
            ]
        found = self._callback_problems()
        if not self.atomic:
            found.append(Problem("completed with bottom halves enabled", facts.CONTEXT))
        if self.interrupts_off:
            found.append(Problem("completed with interrupts off", facts.INTERRUPTS))
        return found

    def _refusal_problems(self) -> list[Problem]:
        """A refusal that the kernel's generic wait takes for an acceptance (crypto API, 5.1).

        Before Linux 4.15 it was the usual one, so only who documents another is held to it.
        """
        if self.submitted != _EBUSY or not documented(self.given[0].machine):
            return []
        return [Problem("refused with -EBUSY", facts.BACKLOG, "-ENOSPC", "-EBUSY")]

    def _callback_problems(self) -> list[Problem]:
        notices = self.notes.count(_EINPROGRESS)
        finals = [note for note in self.notes if note != _EINPROGRESS]
        if not finals:
            told = errno_name(self.submitted)
            return [
                Problem(
                    "accepted and never completed",
                    facts.PROGRESS,
                    details=(f"submission returned {told}",),
                )
            ]
        found = _status_problem(finals[0])
        if len(finals) > 1:
            statuses = ", ".join(errno_name(note) for note in finals)
            found.append(Problem("completed more than once", facts.ONCE, "one status", statuses))
        if self.submitted == _EBUSY and not notices:
            found.append(Problem("backlogged and completed without a notice", facts.BACKLOG))
        if notices > (1 if self.submitted == _EBUSY else 0) or _EINPROGRESS in self.notes[1:]:
            told = errno_name(self.submitted)
            found.append(
                Problem(
                    "unexpected backlog notice",
                    facts.BACKLOG,
                    details=(f"{notices} notices after a submission of {told}",),
                )
            )
        return found


def _status_problem(status: Any) -> list[Problem]:
    if type(status) is int and status <= 0:
        return []
    return [
        Problem(
            "status is neither 0 nor a negative errno",
            facts.STATUS,
            expected="0 or a negative errno",
            got=repr(status),
        )
    ]
