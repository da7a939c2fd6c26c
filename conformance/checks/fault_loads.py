"""How the check `faults` plays a load while something goes wrong, and judges what became of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple, TypeAlias

from tcrypt import facts
from tcrypt.checks.common import AnyBench, make_bench, reference_for
from tcrypt.checks.loads import MIXED, AnySwarm, fill, make_swarm
from tcrypt.engine.api.errors import errno_name
from tcrypt.engine.api.flags import AlgFlag, AlgType, ReqFlag
from tcrypt.engine.sim import Context
from tcrypt.layouts import CipherLayout
from tcrypt.problems import Problem
from tcrypt.subject import Subject
from tcrypt.swarm import Flight, HashSwarm
from tcrypt.trouble import beside, unreachable
from tcrypt.watchdog import Watchdog

__all__ = (
    "BACKLOG",
    "Interlude",
    "Partner",
    "Statuses",
    "Watch",
    "at_fault",
    "ended",
    "partner_of",
    "played",
    "reach",
    "strike",
)

BACKLOG = int(ReqFlag.MAY_BACKLOG)
_KEPT_BLOCKS = 8
_STAGGER_NS = 900

# Which statuses a request may end with; None for one that was refused and is not judged.
Statuses: TypeAlias = tuple[int, ...] | None


def _nothing() -> None:
    return


class Interlude(NamedTuple):
    """What happens in the middle of a load.

    Attributes:
        after: how many requests are submitted before it.
        events: how many events run then; with `settled`, all of them.
        act: what it is.
        before: what happens before the first of them, when the keys are set.
    """

    after: int = 3
    events: int = 0
    settled: bool = False
    act: Callable[[], None] = _nothing
    before: Callable[[], None] = _nothing


class Partner(NamedTuple):
    """Another driver of the same device, on the same machine."""

    bench: AnyBench


def played(
    bench: AnyBench,
    count: int,
    layouts: Sequence[CipherLayout],
    interlude: Interlude | None = None,
    *,
    then: Callable[[], None] = _nothing,
    key_size: int = 0,
) -> list[Problem]:
    """Play a load that must succeed altogether; what is wrong with it."""
    swarm = make_swarm(bench)
    found = fill(swarm, count, layouts, key_size=key_size)
    if found:
        return found
    watch = Watch(bench)
    middle = interlude or Interlude(after=count)
    middle.before()
    for flight in swarm.flights[: middle.after]:
        swarm.launch(flight, BACKLOG)
    if middle.settled:
        bench.settle()
    for _ in range(middle.events):
        bench.sim.step()
    middle.act()
    for flight in swarm.flights[middle.after :]:
        swarm.launch(flight, BACKLOG)
    bench.settle()
    then()
    return ended(swarm, {}) or watch.problems()


def at_fault(
    bench: AnyBench,
    count: int,
    layouts: Sequence[CipherLayout],
    inject: Callable[[], None],
    statuses: tuple[int, ...],
) -> list[Problem]:
    """Play a load under a fault; each request ends with one of `statuses`."""
    machine = bench.machine
    swarm = make_swarm(bench)
    found = fill(swarm, count, layouts)
    if found:
        return found
    watch = Watch(bench)
    inject()
    try:
        swarm.submit(BACKLOG)
        bench.settle()
    finally:
        machine.memory.mend()
        machine.dma.mend()
    return ended(swarm, {f.index: statuses for f in swarm.flights}) or watch.problems()


def ended(swarm: AnySwarm, allowed: Mapping[int, Statuses]) -> list[Problem]:
    """The problems of the first request of a settled load that has any.

    Args:
        swarm: the load.
        allowed: for each flight's index, how it may end; success only where it is absent.
    """
    for flight in swarm.flights:
        statuses = allowed.get(flight.index, (0,))
        if statuses is None:
            continue
        found = _judge(swarm, flight, statuses)
        if found:
            detail = f"request {flight.index} of {len(swarm.flights)}"
            return [problem._replace(details=(*problem.details, detail)) for problem in found]
    return []


def _judge(swarm: AnySwarm, flight: Flight[Any], statuses: tuple[int, ...]) -> list[Problem]:
    status = flight.ticket.status
    if status == 0 and 0 in statuses:
        return swarm.problems(flight)
    found = flight.ticket.problems()
    if found:
        return found
    if status not in statuses:
        wanted = " or ".join(map(errno_name, statuses))
        return [Problem("wrong status", facts.FAULT_STATUS, wanted, errno_name(status))]
    if isinstance(swarm, HashSwarm):
        # A digest that failed promises nothing but that it kept to its buffer.
        return swarm.bench.judge(b"", flight.load.result)
    flight.load.case = flight.load.case._replace(status=status, iv_out=None)
    return swarm.problems(flight)


def reach(flight: Flight[Any]) -> tuple[int, int]:
    """Address and length of the first piece of a request's source."""
    assert flight.request.src is not None, "requests of a load have data"
    address, length = flight.request.src.entries[0]
    return address, length


class Watch:
    """What a load must leave as it was."""

    def __init__(self, bench: AnyBench) -> None:
        self._bench = bench
        self._mappings = bench.machine.dma.live_mappings
        self._blocks = bench.machine.memory.live_blocks
        self._stuck = self._stuck_lines()

    def _stuck_lines(self) -> int:
        return sum(line.stuck for line in self._bench.sim.irq_lines)

    @property
    def grown(self) -> int:
        """How many more blocks of memory there are than before."""
        return self._bench.machine.memory.live_blocks - self._blocks

    def problems(self) -> list[Problem]:
        """Warnings, mappings and blocks; a driver may keep a few blocks for the next load.

        So is what was switched off, and an interrupt line that kept the processor to itself.
        """
        found = self._bench.machine_problems(self._mappings)
        off, stuck = self._bench.sim.disabled, self._stuck_lines() - self._stuck
        if off:
            found.append(Problem("left switched off", facts.SECTIONS, "nothing", off))
        if stuck:
            times = (f"{stuck} more runs of the handler, with nothing in between",)
            message = "the interrupt line stays high behind its handler"
            found.append(Problem(message, facts.LEVEL, details=times))
        if self.grown > _KEPT_BLOCKS:
            wanted, got = f"{self._blocks} blocks", f"{self._blocks + self.grown} blocks"
            found.append(Problem("memory left allocated", facts.LEAK, wanted, got))
        return found


def partner_of(bench: AnyBench, watchdog: Watchdog) -> Partner | None:
    """A hash beside a cipher, a cipher beside a hash, on the same machine and device."""
    machine, subject = bench.machine, bench.subject
    own = {AlgType.AHASH} if subject.type is AlgType.AHASH else {AlgType.SKCIPHER, AlgType.AEAD}
    for alg in machine.registry:
        drives = any(a.drives(alg.cra_driver_name) for a in machine.accelerators)
        if not drives or alg.type in own or not alg.cra_flags & AlgFlag.ASYNC:
            continue
        provider = replace(subject.provider, build=lambda _: machine)
        other = Subject(provider, alg)
        if reference_for(other) is not None:
            return Partner(make_bench(other, watchdog))
    return None


def strike(bench: AnyBench, partner: Partner | None, count: int) -> list[Problem]:
    """Submit a load, and a partner's in between, while the device works on what came before.

    The device cannot reach the sources of some, so that errors are among the results.
    """
    swarms = [make_swarm(b) for b in (bench, *([partner.bench] if partner else []))]
    for swarm in swarms:
        found = fill(swarm, count, MIXED)
        if found:
            return found
    watch = Watch(bench)
    broken = swarms[0].flights[count // 4 : -count // 4]
    first, last = (reach(flight) for flight in (broken[0], broken[-1]))
    bench.machine.dma.break_range(first[0], sum(last) - first[0])
    for number, swarm in enumerate(swarms):
        for place, flight in enumerate(swarm.flights):
            delay = (len(swarms) * place + number) * _STAGGER_NS
            launch = partial(swarm.launch, flight, BACKLOG)
            bench.sim.schedule(delay, Context.TASK, "submitter", launch)
    bench.settle()
    bench.machine.dma.mend()
    # One that went through a buffer of the driver's was not affected.
    machine, reached = bench.machine, {flight.index for flight in broken}
    hit, others = (0, *unreachable(machine)), beside(machine)
    for swarm in swarms:
        own = reached if swarm is swarms[0] else set()
        allowed = {f.index: hit if f.index in own else others for f in swarm.flights}
        found = found or ended(swarm, allowed)
    return found or watch.problems()
