"""One fault in one request alone, wherever it can strike, and the next request of its transform.

What a request asks for is counted on a good day: blocks of memory, mappings, pieces of work for
the device.  Then each of them goes wrong once, for requests in one piece, in several and through
a buffer of the driver's.  Nothing else is in flight, so nothing else wakes what fell asleep.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

from tcrypt import facts
from tcrypt.checks.common import AnyBench
from tcrypt.checks.fault_loads import BACKLOG, Watch, ended, reach
from tcrypt.checks.loads import MIXED, SINGLE, AnySwarm, fill, fill_pair, make_swarm
from tcrypt.engine.api.errors import errno_name
from tcrypt.engine.api.machine import Accelerator, Machine
from tcrypt.engine.api.scatterlist import Scatterlist, Segment
from tcrypt.problems import Problem
from tcrypt.swarm import HashSwarm
from tcrypt.trouble import no_memory, unreachable

__all__ = ("Needs", "device_errors", "lonely_faults", "needs_of", "reporter")

_POINTS = 6
_BATCH = 5
# The largest block of a hash that a device cuts its work at, in bytes.
_BLOCK = 64
_STRAY = "the device was sent to memory that is not mapped"

_Scenario = Callable[[], list[Problem]]
_Inject = Callable[[Machine], None]
_Statuses = Callable[[Machine], tuple[int, ...]]


class Needs(NamedTuple):
    """What one request asked for: blocks, mappings, and pieces of work for the devices."""

    blocks: int
    maps: int
    jobs: int


def lonely_faults(bench: AnyBench, needed: Sequence[Needs]) -> Iterator[tuple[str, _Scenario]]:
    """Each allocation and each mapping of a request fails once, and each mapping breaks once."""
    for index, needs in enumerate(needed):
        for point in range(min(needs.blocks, _POINTS)):
            fail = partial(_fail_block, point)
            name = f"allocation-{point}-fails-alone-{index}"
            yield name, partial(_alone, bench, index, fail, no_memory)
        for point in range(min(needs.maps, _POINTS)):
            fail, sever = partial(_fail_map, point), partial(_break_map, point)
            name = f"mapping-{point}-fails-alone-{index}"
            yield name, partial(_alone, bench, index, fail, no_memory)
            name = f"mapping-{point}-breaks-alone-{index}"
            yield name, partial(_alone, bench, index, sever, _unreachable)


def reporter(bench: AnyBench) -> Accelerator | None:
    """The driver's device, if it can be made to report errors."""
    driver = bench.subject.driver
    own = [a for a in bench.machine.accelerators if a.drives(driver) and a.report is not None]
    return own[0] if own else None


def device_errors(bench: AnyBench) -> Iterator[tuple[str, _Scenario]]:
    """Each error that the device can report, for a request in one piece, and beside others.

    In turn, it strikes one request of several, or one piece of a request that has several: the
    first, one in the middle, the last.
    """
    accelerator = reporter(bench)
    if accelerator is None:
        return
    jobs = [needs.jobs for needs in needs_of(bench)]
    most = max(jobs, default=0)
    single = next((index for index, count in enumerate(jobs) if count == 1), None)
    places = (0, most // 2, most - 1)
    for number, (error, status) in enumerate(accelerator.errors.items()):
        if not accelerator.meets(bench.subject.algorithm, error):
            continue
        name = error.replace(" ", "-")
        if single is not None:
            inject, allowed = partial(_report, error, 0), partial(_exactly, status)
            yield f"device-reports-{name}", partial(_alone, bench, single, inject, allowed)
        if number % 2 == 0:
            yield f"device-reports-{name}-in-a-batch", partial(_in_a_batch, bench, error, status)
        elif most > 1:
            place = places[number // 2 % len(places)]
            inject, allowed = partial(_report, error, place), partial(_exactly, status)
            case = f"device-reports-{name}-in-piece-{place}-of-{most}"
            yield case, partial(_alone, bench, jobs.index(most), inject, allowed)


# Faults, and how a request may end that meets one.


def _fail_block(point: int, machine: Machine) -> None:
    machine.memory.fail_allocs(point)


def _fail_map(point: int, machine: Machine) -> None:
    machine.dma.fail_maps(point)


def _break_map(point: int, machine: Machine) -> None:
    machine.dma.break_map(point)


def _report(error: str, after: int, machine: Machine) -> None:
    for accelerator in machine.accelerators:
        if accelerator.report is not None and error in accelerator.errors:
            accelerator.report(error, after)


def _unreachable(machine: Machine) -> tuple[int, ...]:
    # A mapping that the device had no reason to touch harms nobody.
    return unreachable(machine) if machine.dma.faults else (0,)


def _exactly(status: int, machine: Machine) -> tuple[int, ...]:
    return (status,)


# Loads.


def _jobs(machine: Machine) -> int:
    return sum(accelerator.jobs() for accelerator in machine.accelerators)


def needs_of(bench: AnyBench) -> list[Needs]:
    """What each kind of request asks for, alone and while nothing fails.

    Nothing is known of a driver that cannot do them: other checks judge it.
    """
    found: list[Needs] = []

    def count() -> list[Problem]:
        machine, swarm = bench.machine, make_swarm(bench)
        problems = fill(swarm, len(MIXED), MIXED)
        _cut_messages(swarm)
        for flight in swarm.flights:
            before = machine.memory.allocations, machine.dma.maps, _jobs(machine)
            swarm.launch(flight, BACKLOG)
            bench.settle()
            after = machine.memory.allocations, machine.dma.maps, _jobs(machine)
            found.append(Needs(*(now - then for now, then in zip(after, before, strict=True))))
        return problems

    bench.refresh()
    return [] if bench.guarded("request", count, again=False) else found


def _cut_messages(swarm: AnySwarm) -> None:
    """Let long messages of a load of hashes lie in entries of a block, and the rest."""
    for flight in swarm.flights if isinstance(swarm, HashSwarm) else ():
        address, length = reach(flight)
        cuts = range(0, length - _BLOCK, _BLOCK) if length > 2 * _BLOCK else range(1)
        ends = [*cuts[1:], length]
        entries = [Segment(address + a, b - a) for a, b in zip(cuts, ends, strict=True)]
        flight.request.src = Scatterlist(swarm.machine.memory, entries)


def _alone(bench: AnyBench, index: int, inject: _Inject, statuses: _Statuses) -> list[Problem]:
    """A fault in the request of one kind; then the transform's next request, without one.

    What a driver keeps for later it takes once: a second time, nothing more may be left.
    """
    for _ in range(2):
        found, watch = _once(bench, index, inject, statuses)
        if found or not watch.grown:
            return found
    blocks = f"{watch.grown} blocks more each time"
    return [Problem("memory left allocated", facts.LEAK, "none", blocks)]


def _once(
    bench: AnyBench, index: int, inject: _Inject, statuses: _Statuses
) -> tuple[list[Problem], Watch]:
    machine, swarm = bench.machine, make_swarm(bench)
    found = fill_pair(swarm, index)
    _cut_messages(swarm)
    watch, strays = Watch(bench), machine.dma.strays
    if found:
        return found, watch
    struck, following = swarm.flights
    inject(machine)
    try:
        swarm.launch(struck, BACKLOG)
        bench.settle()
    finally:
        machine.memory.mend()
        machine.dma.mend()
    if machine.dma.strays != strays:
        return [Problem(_STRAY, facts.NO_MEMORY)], watch
    swarm.launch(following, BACKLOG)
    bench.settle()
    return ended(swarm, {struck.index: statuses(machine)}) or watch.problems(), watch


def _in_a_batch(bench: AnyBench, error: str, status: int) -> list[Problem]:
    """The device reports an error for one of several requests: that one ends with it alone."""
    swarm = make_swarm(bench)
    found = fill(swarm, _BATCH, SINGLE)
    if found:
        return found
    watch = Watch(bench)
    _report(error, _BATCH // 2, bench.machine)
    swarm.submit(BACKLOG)
    bench.settle()
    found = ended(swarm, {flight.index: (0, status) for flight in swarm.flights})
    return found or _hit(status, [f.ticket.status for f in swarm.flights]) or watch.problems()


def _hit(status: int, statuses: Sequence[int]) -> list[Problem]:
    """Whether one request of several has the error, if it is one."""
    count = statuses.count(status)
    if not status or count == 1:
        return []
    message = "an error of one request ends others" if count else "an error of the device is lost"
    wanted = f"{errno_name(status)} once"
    return [Problem(message, facts.DEVICE_ERROR, wanted, ", ".join(map(errno_name, statuses)))]
