"""Check `lifecycle`: a driver is taken off its device, and put on again.

Unbound, it has left nothing: no algorithm, no memory, no mapping.  Bound again it finds a device
that kept its power, with its ring pointers wherever the last request left them, and must work
from the first request on.  Requests that are in flight when it is unbound still end.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial

from tcrypt import facts
from tcrypt.checks.binding import (
    Failing,
    Leftovers,
    State,
    attached,
    device_of,
    free_all,
    unbound,
    used,
)
from tcrypt.checks.common import AnyBench, make_bench, reference_for
from tcrypt.checks.fault_loads import BACKLOG, ended, reach
from tcrypt.checks.loads import MIXED, SINGLE, fill, make_swarm
from tcrypt.diagnosis import engine_problems
from tcrypt.engine.api.errors import errno_name
from tcrypt.engine.api.flags import AlgFlag
from tcrypt.engine.api.scatterlist import Scatterlist
from tcrypt.plan import Plan
from tcrypt.problems import Problem
from tcrypt.recorder import Recorder
from tcrypt.settings import Settings
from tcrypt.subject import Subject
from tcrypt.vectors.catalogue import Catalogue
from tcrypt.watchdog import Watchdog

__all__ = ("CHECK", "plans")

CHECK = "lifecycle"
_TIMES = 3
_LOAD = 5
_FLIGHTS = 9
_MOMENTS = (0, 2, 6)
_POINTS = 4
# A ring and a queue so small that requests of a load are backlogged.
_SMALL = {"ring_size": 4, "queue_length": 2}
# How a request may end that was in flight when its driver went away.
_CUT_OFF = (0, -errno.ESHUTDOWN, -errno.ENODEV, -errno.ECANCELED, -errno.EIO)

_Scenario = Callable[[], list[Problem]]


def plans(subject: Subject, settings: Settings, catalogue: Catalogue) -> Iterator[Plan]:
    """One item for each driver whose algorithm the oracle knows."""
    if not settings.vector and reference_for(subject) is not None:
        yield Plan(CHECK, subject, _Lifecycle(subject).run)


class _Lifecycle:
    def __init__(self, subject: Subject) -> None:
        self.subject = subject

    def run(self, recorder: Recorder, watchdog: Watchdog) -> None:
        """Unbind at rest, under load and after errors; bind again, with and without memory."""
        bench = make_bench(self._watched({}), watchdog)
        device = device_of(self.subject, bench.machine.accelerators)
        if isinstance(device, str):
            recorder.unexecuted("not-applicable", device, ["all"])
            return
        for name, scenario in self._scenarios(bench):
            if recorder.takes(name):
                self._case(recorder, bench, name, scenario)
        names = {moment: f"unbound-with-a-backlog-{moment}" for moment in _MOMENTS}
        mine = [moment for moment, name in names.items() if recorder.takes(name)]
        small = make_bench(self._watched(_SMALL), watchdog) if mine else bench
        for moment in mine:
            self._case(recorder, small, names[moment], partial(_in_flight, small, moment))

    def _watched(self, knobs: Mapping[str, int]) -> Subject:
        """The driver where its accesses to registers are noticed, and nothing strikes at them."""
        setup = self.subject.provider.setup
        return self.subject.under(replace(setup, knobs={**setup.knobs, "preempt": 0, **knobs}))

    def _case(self, recorder: Recorder, bench: AnyBench, name: str, scenario: _Scenario) -> None:
        bench.refresh()
        bench.machine.registry.free(bench.tfm)
        seen = len(bench.machine.monitor.violations)
        found = bench.guarded("driver", scenario, again=False)
        found = found or engine_problems(bench.machine, seen)
        # What a failure left behind on the machine says nothing about the next case.
        bench.broken = True
        recorder.result(name, found, token=name)

    def _scenarios(self, bench: AnyBench) -> Iterator[tuple[str, _Scenario]]:
        yield "unbound-unused", partial(_unused, bench)
        yield "bound-again-and-again", partial(_again, bench)
        yield "unbound-after-errors", partial(_after_errors, bench)
        for moment in _MOMENTS:
            yield f"unbound-in-flight-{moment}", partial(_in_flight, bench, moment)
        yield "unbound-unanswered", partial(_unanswered, bench)
        yield "unbound-behind-an-error", partial(_behind_an_error, bench)
        yield "unbound-while-open", partial(_open, bench)
        yield "bound-without-memory", partial(_without_memory, bench)
        yield "bound-while-its-name-is-taken", partial(_name_taken, bench)


def _unused(bench: AnyBench) -> list[Problem]:
    """Nobody ever used it: what it registered and allocated is gone, and comes back."""
    before = State(bench)
    found = unbound(bench)
    if found:
        return found
    gone = State(bench)
    if gone.drivers and not attached(bench).drives(""):
        # Who drives everything was not told which algorithms are his.
        message = "algorithms left behind by a driver that is gone"
        return [Problem(message, facts.UNBOUND, got=", ".join(gone.drivers))]
    attached(bench).rebind()
    back = State(bench)
    if back.drivers != before.drivers:
        missing = ", ".join(sorted(set(before.drivers) ^ set(back.drivers)))
        return [Problem("other algorithms after binding again", facts.REBOUND, got=missing)]
    found = unbound(bench)
    return found or gone.compared(State(bench))


def _again(bench: AnyBench) -> list[Problem]:
    """Used, unbound and bound again, several times: the device's pointers are never the same."""
    for _ in range(_TIMES):
        found = used(bench, _LOAD) or unbound(bench)
        if found:
            return found
        attached(bench).rebind()
    return [problem._replace(fact=facts.REBOUND) for problem in used(bench, _LOAD)]


def _after_errors(bench: AnyBench) -> list[Problem]:
    """Requests that failed before they reached the device do not keep the driver."""
    bench.opened()
    swarm = make_swarm(bench)
    found = fill(swarm, _LOAD, SINGLE)
    if found:
        return found
    for flight in swarm.flights:
        # A source without entries is refused, or fails in the device: it is over in any case.
        flight.request.src = Scatterlist(bench.memory, [])
    swarm.submit(BACKLOG)
    bench.settle()
    for flight in swarm.flights:
        found = found or flight.ticket.problems()
    if not found:
        free_all(bench, swarm)
    return found or unbound(bench)


def _in_flight(bench: AnyBench, moment: int) -> list[Problem]:
    """Unbound while requests wait and run: each of them ends, and nothing hangs."""
    bench.opened()
    swarm = make_swarm(bench)
    found = fill(swarm, _FLIGHTS, MIXED)
    if found:
        return found
    swarm.submit(BACKLOG)
    for _ in range(moment):
        bench.sim.step()
    status, found = _unbound_now(bench)
    found = ended(swarm, {flight.index: _CUT_OFF for flight in swarm.flights}) or found
    if found or status == -errno.EBUSY:
        # A driver may refuse to go while it is used; the requests had to end all the same.
        return found
    if status:
        return [Problem("wrong status of unbind", facts.UNBOUND, "0", errno_name(status))]
    free_all(bench, swarm)
    attached(bench).rebind()
    return [problem._replace(fact=facts.REBOUND) for problem in used(bench, _LOAD)]


def _unbound_now(bench: AnyBench) -> tuple[int, list[Problem]]:
    """Unbind, and let everything end: the status, and what a driver that went left behind."""
    leftovers, found = Leftovers(bench), list[Problem]()
    status = attached(bench).unbind()
    if not status:
        found = leftovers.problems()
        leftovers.listen()
    bench.settle()
    return status, leftovers.heard() + found


def _unanswered(bench: AnyBench) -> list[Problem]:
    """Unbound while a device has done its work and its interrupt is lost.

    A driver that goes all the same has ended what it was given; one that refuses to ends it when
    the interrupt comes.  One request is enough: more could fill a ring that nobody empties.
    """
    bench.opened()
    swarm = make_swarm(bench)
    found = fill(swarm, 1, SINGLE)
    if found:
        return found
    lines = bench.sim.irq_lines
    for line in lines:
        line.lose()
    swarm.submit(BACKLOG)
    bench.settle()
    status = attached(bench).unbind()
    if status:
        for line in lines:
            line.mend()
    bench.settle()
    return ended(swarm, {flight.index: _CUT_OFF for flight in swarm.flights})


def _behind_an_error(bench: AnyBench) -> list[Problem]:
    """Unbound as soon as a request has failed: what mends the device must not come later."""
    bench.opened()
    swarm = make_swarm(bench)
    found = fill(swarm, 1, SINGLE)
    if found:
        return found
    (flight,) = swarm.flights
    bench.machine.dma.break_range(*reach(flight))
    swarm.submit(BACKLOG)
    bench.sim.run(until=lambda: not flight.ticket.pending or bool(flight.ticket.notes))
    status, found = _unbound_now(bench)
    bench.machine.dma.mend()
    found = flight.ticket.problems() or found
    if found or status:
        return found
    free_all(bench, swarm)
    attached(bench).rebind()
    return [problem._replace(fact=facts.REBOUND) for problem in used(bench, _LOAD)]


def _open(bench: AnyBench) -> list[Problem]:
    """Unbound while a keyed transform lives: its next request ends, and it can be freed."""
    bench.opened()
    swarm = make_swarm(bench)
    found = fill(swarm, _LOAD, MIXED)
    if found:
        return found
    status = attached(bench).unbind()
    swarm.submit(BACKLOG)
    bench.settle()
    found = ended(swarm, {flight.index: _CUT_OFF for flight in swarm.flights})
    if found or status == -errno.EBUSY:
        return found
    free_all(bench, swarm)
    attached(bench).rebind()
    return [problem._replace(fact=facts.REBOUND) for problem in used(bench, _LOAD)]


def _name_taken(bench: AnyBench) -> list[Problem]:
    """Binding while somebody else has the driver's name fails cleanly, and works then.

    A driver may also go without that one algorithm, and leave it alone when it is unbound.
    """
    device, registry = attached(bench), bench.machine.registry
    found = unbound(bench)
    if found:
        return found
    attempt, alg = Failing(bench), bench.subject.alg
    # Its name is the driver's name, which no core lets stand side by side (6.7).
    squatter = alg.variant(
        cra_name=alg.cra_driver_name,
        cra_driver_name=f"{alg.cra_driver_name}-squatter",
        cra_flags=alg.cra_flags & ~AlgFlag.ASYNC,
    )
    registry.register(squatter)
    try:
        device.rebind()
    except OSError as error:
        found = attempt.problems(error, errno.EEXIST)
    else:
        found = unbound(bench)
    if found:
        return found
    registry.unregister(squatter)
    device.rebind()
    return [problem._replace(fact=facts.REBOUND) for problem in used(bench, _LOAD)]


def _without_memory(bench: AnyBench) -> list[Problem]:
    """Binding fails cleanly at each of its first allocations, and then works."""
    device, memory = attached(bench), bench.machine.memory
    found = unbound(bench)
    if found:
        return found
    for point in range(_POINTS):
        attempt = Failing(bench)
        memory.fail_allocs(point)
        try:
            device.rebind()
        except OSError as error:
            found = attempt.problems(error, errno.ENOMEM)
        else:
            found = unbound(bench)
        finally:
            memory.mend()
        if found:
            return found
    device.rebind()
    return [problem._replace(fact=facts.REBOUND) for problem in used(bench, _LOAD)]
