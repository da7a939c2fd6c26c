"""The bench: submits requests to one driver on one machine and watches their life cycle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from tcrypt import diagnosis, facts
from tcrypt.cover.capabilities import devices_of
from tcrypt.cover.sampling import sampler_for
from tcrypt.engine.api.errors import errno_name
from tcrypt.engine.api.flags import ReqFlag
from tcrypt.engine.api.machine import Machine
from tcrypt.engine.api.requests import AnyRequest
from tcrypt.engine.sim import Context, StepBudgetError
from tcrypt.layouts import CipherLayout, HashLayout
from tcrypt.problems import Problem, WatchdogError, raised
from tcrypt.reports.words import Attribution
from tcrypt.subject import Subject
from tcrypt.ticket import AfterCompletionError, Ticket
from tcrypt.watchdog import DriverGivenUpError, Watchdog

__all__ = ("Bench", "Ticket", "Uninitialised", "flags_of")

_MAY_BACKLOG = int(ReqFlag.MAY_BACKLOG)
_MAY_SLEEP = int(ReqFlag.MAY_SLEEP)
_DEADLINE_NS = 30_000_000_000
_STEP_BUDGET = 400_000
_PAGE = 4096
_FIRST_ARENA = 64 * 1024
_TIMELINES = 3
_TIMELINE_LINES = 60
_DIAGNOSES = 3


class Uninitialised:
    """What a driver finds in a request's context before it has put something there."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<uninitialised request context>"


_UNINITIALISED = Uninitialised()


def flags_of(layout: CipherLayout | HashLayout) -> int:
    """The flags of a request in a layout, when no other is under way."""
    return (0 if layout.hasty else _MAY_BACKLOG) | (_MAY_SLEEP if layout.may_sleep else 0)


def _timeline(trace: Sequence[tuple[int, Context, str]]) -> tuple[str, ...]:
    """The last events as lines: ns, context, what."""
    shown = trace[-_TIMELINE_LINES:]
    lines = [f"{time:>12} ns  {context.value:<7}  {text}" for time, context, text in shown]
    left_out = len(trace) - len(shown)
    return (*([f"({left_out} earlier events)"] if left_out else []), *lines)


class Bench:
    """One driver on one machine.

    A bench is *broken* after a driver raised, hung or left the machine busy; `refresh` then boots
    a new machine, so that the next case starts clean.

    Attributes:
        machine: the current machine.
        last: the ticket of the latest request.
        cover: counts which kinds of requests were judged.
        device: the accelerator that the driver runs on, the first of several; None for software.
        timelines: how many more failing cases run again for their timeline.
    """

    machine: Machine
    last: Ticket

    def __init__(self, subject: Subject, watchdog: Watchdog) -> None:
        self.subject = subject
        self.watchdog = watchdog
        self.broken = False
        self.timelines = _TIMELINES
        # For each kind of problem, whose fault the first few were found to be.
        self._blamed: dict[str, list[Attribution]] = {}
        self._boot()

    def _boot(self) -> None:
        # What runs here is the driver's code as well: it may hang.
        self.watchdog.arm()
        try:
            self._boot_machine()
        finally:
            self.watchdog.disarm()

    def _boot_machine(self) -> None:
        self.machine = self.subject.provider.boot()
        self.sim = self.machine.sim
        self.memory = self.machine.memory
        self._arena = 0
        self._arena_size = 0
        self.broken = False
        self._warned = len(self.machine.warnings)
        self._violations = len(self.machine.monitor.violations)
        self.cover = sampler_for(self.subject, self.machine)
        self._devices = devices_of(self.subject, self.machine)
        self.device = next(iter(self._devices), None)
        self.opened()

    def opened(self) -> None:
        """Allocate what the bench needs on a new machine; the subclass says what."""

    def refresh(self) -> None:
        """Boot a new machine if the last case broke the current one."""
        if self.broken:
            self._boot()

    def arena(self, size: int) -> int:
        """The page-aligned address of at least `size` bytes, the same as long as it suffices."""
        if size > self._arena_size:
            self._arena_size = max(size, _FIRST_ARENA, 2 * self._arena_size)
            address = self.memory.alloc(self._arena_size + _PAGE)
            self._arena = -(-address // _PAGE) * _PAGE
            self.moved()
        return self._arena

    def own_memory(self, size: int) -> int:
        """The page-aligned address of `size` bytes for one request of several in flight."""
        return -(-self.memory.alloc(size + _PAGE) // _PAGE) * _PAGE

    def moved(self) -> None:
        """The arena has a new address: forget what was derived from the old one."""

    def guarded(
        self,
        what: str,
        body: Callable[[], list[Problem]],
        *,
        again: bool = True,
        timeline: bool = True,
    ) -> list[Problem]:
        """Run one case; a driver that raises or hangs becomes a problem and breaks the bench.

        The first failing cases run once more on a new machine that keeps a trace, which becomes
        the problem's timeline, and where an engine stands still, without its wedges.

        Args:
            what: what is done, for messages.
            body: does it on the bench's machine; what is wrong.
            again: whether `body` can be called twice.
            timeline: whether it is worth its time to do so for a timeline.
        """
        found = self._attempt(what, body)
        if not found:
            return found
        machine = self.machine
        if again and timeline and self.timelines:
            self.timelines -= 1
            found = self._traced(what, body, found)
        if diagnosis.may_be_the_engine(found[0], machine):
            first, *rest = found
            # What cannot be run a second time speaks against nobody but the driver.
            alone = partial(self._alone, what, body) if again else lambda semantics: [first]
            found = [self._attributed(first, machine, alone), *rest]
        self.broken = True
        return found

    def _attributed(
        self, problem: Problem, machine: Machine, alone: Callable[[str], list[Problem]]
    ) -> Problem:
        """A problem with whose fault it is; many of one kind are taken for the same one's."""
        known = self._blamed.setdefault(problem.message, [])
        if len(known) < _DIAGNOSES:
            problem = diagnosis.attributed(problem, machine, alone)
            known.append(problem.attribution)
            return problem
        alike = known[0] if len(set(known)) == 1 else problem.attribution
        explained = diagnosis.attributed(problem, machine, lambda semantics: [problem])
        return explained if explained != problem else problem._replace(attribution=alike)

    def _alone(
        self, what: str, body: Callable[[], list[Problem]], semantics: str
    ) -> list[Problem]:
        """What is wrong with a case on a new machine of these semantics."""
        subject = self.subject
        self.subject = subject.under(replace(subject.provider.setup, semantics=semantics))
        try:
            self._boot()
            return self._attempt(what, body)
        except DriverGivenUpError as error:
            return [Problem("not run again", facts.PROGRESS, details=(str(error),), grave=True)]
        finally:
            self.subject = subject

    def _attempt(self, what: str, body: Callable[[], list[Problem]]) -> list[Problem]:
        self.watchdog.arm()
        try:
            return body()
        except WatchdogError as error:
            return [Problem(f"{what} hangs", facts.PROGRESS, details=(str(error),), grave=True)]
        except StepBudgetError as error:
            self.watchdog.hung()
            return [
                Problem(f"{what} never ends", facts.PROGRESS, details=(str(error),), grave=True)
            ]
        except AfterCompletionError as error:
            return [error.problem()]
        except Exception as error:
            return [raised(error, what)]
        finally:
            self.watchdog.disarm()

    def _traced(
        self, what: str, body: Callable[[], list[Problem]], found: list[Problem]
    ) -> list[Problem]:
        first, *rest = found
        if first.message.endswith("hangs"):
            return found
        self._boot()
        trace: list[tuple[int, Context, str]] = []
        self.sim.trace = trace
        alone = self._attempt(what, body)
        if not alone or alone[0].message != first.message:
            detail = "alone, on a new machine, this case does not fail like that"
            return [first._replace(details=(*first.details, detail)), *rest]
        details = (*first.details, *diagnosis.counted(self.machine))
        return [first._replace(timeline=_timeline(trace), details=details), *rest]

    def perform(
        self,
        request: AnyRequest,
        call: Callable[[Any], int],
        flags: int = _MAY_BACKLOG,
        *,
        settle: bool = True,
    ) -> Ticket:
        """Submit a request and let the machine settle; behind one done at once if `settle`."""
        sim, dma = self.sim, self.machine.dma
        seen: list[tuple[int, int]] = []
        dma.seen = seen
        ticket = self.submit(request, call, flags)
        if not sim.idle and (settle or ticket.pending):
            self.settle()
        dma.seen = None
        if seen:
            ticket.saw(seen)
        return ticket

    def submit(
        self, request: AnyRequest, call: Callable[[Any], int], flags: int = _MAY_BACKLOG
    ) -> Ticket:
        """Submit a request without running the machine."""
        self.last = ticket = Ticket(request, self.sim)
        ticket.submit(flags, Ticket.completed, call)
        if self.sim.trace is not None:
            self.sim.note(f"{call.__name__} returned {errno_name(ticket.submitted)}")
        return ticket

    def jobs(self) -> int:
        """How many jobs the driver's devices have done so far; 0 for software."""
        done = 0
        for device in self._devices:
            done += device.jobs()
        return done

    def settle(self) -> None:
        """Run the machine until it is idle; StepBudgetError when it never is."""
        sim = self.sim
        if not sim.run(deadline=sim.now + _DEADLINE_NS, max_steps=_STEP_BUDGET):
            raise StepBudgetError(f"still busy after {_DEADLINE_NS // 10**9} s of simulated time")

    def uninitialised(self, request: AnyRequest) -> None:
        """Make the request's context what the kernel's is: not zero, not the last one's."""
        request.ctx = _UNINITIALISED

    def machine_problems(self, mappings: int) -> list[Problem]:
        """What the machine noticed since the last call, and more mappings than `mappings`."""
        # What is left mapped comes first: the bench's own look at it makes the machine warn.
        found = self._left_behind(mappings)
        warnings = self.machine.warnings
        if len(warnings) > self._warned:
            for text in warnings[self._warned :]:
                found.append(
                    Problem("the kernel would warn", facts.KERNEL_WARNING, details=(text,))
                )
            self._warned = len(warnings)
        violations = self.machine.monitor.violations
        if len(violations) > self._violations:
            found += diagnosis.engine_problems(self.machine, self._violations)
            self._violations = len(violations)
        return found

    def _left_behind(self, mappings: int) -> list[Problem]:
        live = self.machine.dma.live_mappings
        if live == mappings:
            return []
        left, expected, got = "DMA mappings left behind", str(mappings), str(live)
        return [Problem(left, facts.LEAK, expected=expected, got=got)]
