"""Check `retry`: more requests than the hardware holds, all at once.

Every accepted request must complete once, with the right bytes, in the order of submission; the
hardware must have been seen to be full.  With MAY_BACKLOG nothing is refused; without it a full
queue answers -ENOSPC, and what it refused must stay untouched.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from tcrypt import facts
from tcrypt.checks.common import AnyBench, make_bench, reference_for
from tcrypt.checks.fullness import never_full, room, was_full
from tcrypt.checks.loads import EVERY, SINGLE, AnySwarm, fill, make_swarm
from tcrypt.engine.api.errors import errno_name
from tcrypt.engine.api.flags import AlgFlag, ReqFlag
from tcrypt.engine.api.machine import Machine
from tcrypt.engine.sim import Costs
from tcrypt.hash_bench import HashBench
from tcrypt.layouts import CipherLayout
from tcrypt.plan import Plan
from tcrypt.problems import Problem
from tcrypt.recorder import Recorder
from tcrypt.settings import Settings
from tcrypt.subject import Subject
from tcrypt.swarm import Flight
from tcrypt.trouble import no_room
from tcrypt.vectors.catalogue import Catalogue
from tcrypt.watchdog import Watchdog

__all__ = ("CHECK", "plans")

CHECK = "retry"
_BEYOND = 40
_LATE = 20
_KEPT_BLOCKS = 8
# The same as the first for hashes, whose requests are alike in all loads.
_MIXED = "backlog-mixed"
# Longer than a device needs for some ten requests, and for all that its ring holds.
_SLOW_NS = 20_000
_LONG_NS = 10_000_000
_SMALL = {"ring_size": 4, "queue_length": 4}
_MAY_BACKLOG = int(ReqFlag.MAY_BACKLOG)


@dataclass(frozen=True, slots=True)
class _Load:
    """Requests that are submitted at once.

    Attributes:
        name: the case's name.
        layouts: in which ciphers' requests lie, in turn.
        flags: of the requests.
        most: how many requests at most; 0 for more than ring and queue hold.
        late: how much later (ns) than the results the interrupts come, so that many wait.
        late_ones: how many interrupts are late.
        slow: whether the host is always slower than the device, so that some results wait.
        small: whether the machine is one that some requests fill, where its sizes can be chosen.
        stop: whether the engines are stopped while the requests wait; they must drain.
        hasty: how many of the first may not wait either; those of a template are refused if they
            find the queue full at their second step.
        stragglers: how many of the requests come when the hardware has been full; they may not
            wait.
        chained: how many of the requests come from the completion callbacks of others, while
            more wait.
    """

    name: str
    layouts: tuple[CipherLayout, ...]
    flags: int
    most: int = 0
    late: int = 0
    late_ones: int = 1
    slow: bool = False
    small: bool = False
    stop: bool = False
    hasty: int = 0
    stragglers: int = 0
    chained: int = 0


_LOADS = (
    _Load("backlog", SINGLE, _MAY_BACKLOG),
    # The whole ring waits for the first interrupt: more results than a register of 8 bits counts.
    _Load("no-backlog", SINGLE, 0, late=_LONG_NS),
    _Load(_MIXED, EVERY, _MAY_BACKLOG, small=True),
    _Load(
        "backlog-slow-host", EVERY, _MAY_BACKLOG, most=120, late=_SLOW_NS, late_ones=3, slow=True
    ),
    _Load("stopped", EVERY, _MAY_BACKLOG, most=60, small=True, stop=True),
    _Load("late-no-backlog", EVERY, _MAY_BACKLOG, small=True, hasty=3, stragglers=_LATE),
    _Load("from-callbacks", SINGLE, _MAY_BACKLOG, small=True, chained=_LATE),
)


def plans(subject: Subject, settings: Settings, catalogue: Catalogue) -> Iterator[Plan]:
    """One item for each driver whose algorithm the oracle knows."""
    if not settings.vector and reference_for(subject) is not None:
        yield Plan(CHECK, subject, _Retry(subject).run)


class _Retry:
    def __init__(self, subject: Subject) -> None:
        self.subject = subject

    def run(self, recorder: Recorder, watchdog: Watchdog) -> None:
        """Fill ring and queue, with and without MAY_BACKLOG, with equal and mixed requests."""
        if not self.subject.alg.cra_flags & AlgFlag.ASYNC:
            reason = "a synchronous driver: its requests never wait"
            recorder.unexecuted("not-applicable", reason, ["all"])
            return
        # A queue that is small is full also when a request comes back to it for a second step.
        small = make_bench(self._small(), watchdog)
        usual = small if self.subject.instance else None
        engines = small.machine.engines
        if not engines:
            _say_what_needs_an_engine(recorder, small.machine)
        for load in _LOADS:
            if load.stop and not engines:
                continue
            mixed = load.name == _MIXED and isinstance(small, HashBench)
            if not recorder.takes(load.name) or mixed:
                continue
            if not load.small and usual is None:
                usual = make_bench(self.subject, watchdog)
            bench = small if load.small or usual is None else usual
            bench.refresh()
            self._load(recorder, bench, load)
            bench.broken = True

    def _small(self) -> Subject:
        """The driver on a machine that some ten requests fill."""
        setup = self.subject.provider.setup
        return self.subject.under(replace(setup, knobs={**setup.knobs, **_SMALL}))

    def _load(self, recorder: Recorder, bench: AnyBench, load: _Load) -> None:
        """One load on a machine of its own: judged as a whole, then request by request."""
        name = load.name
        swarms: list[AnySwarm] = []

        def play() -> list[Problem]:
            swarms.append(make_swarm(bench))
            return self._play(bench, swarms[-1], load)

        found = bench.guarded("retry", play, timeline=False)
        recorder.result(f"{name}/all", found, token=name)
        if found:
            return
        swarm = swarms[0]
        for flight in swarm.flights:
            judge = partial(self._flight_problems, swarm, flight)
            problems = bench.guarded("retry", judge, again=False)
            recorder.result(f"{name}/request-{flight.index}", problems, token=name)

    def _play(self, bench: AnyBench, swarm: AnySwarm, load: _Load) -> list[Problem]:
        machine = bench.machine
        if load.slow:
            machine.sim.costs = Costs(softirq=1_000, irq=2_000)
        if load.late:
            for line in machine.sim.irq_lines:
                line.delay(load.late, load.late_ones)
        overflow = room(machine) + _BEYOND
        count = min(load.most, overflow) if load.most else overflow
        found = fill(swarm, count, load.layouts)
        if found:
            return found
        mappings, blocks = machine.dma.live_mappings, machine.memory.live_blocks
        _submit(machine, swarm, load)
        if load.stop:
            for engine in machine.engines:
                engine.stop()
        bench.settle()
        full = len(swarm.flights) == overflow and self._on_device(machine)
        found = _whole(swarm, load.flags, full=full) + bench.machine_problems(mappings)
        if self._in_order(machine):
            # A request of several steps waits anew for each, behind those that came meanwhile.
            done = [f for f in swarm.launched if f.ticket.pending and f.ticket.status == 0]
            found += swarm.order_problems(done)
        return found + _blocks_left(blocks, machine.memory.live_blocks)

    def _on_device(self, machine: Machine) -> bool:
        """Whether requests of the driver go to the hardware, by its own word or the device's."""
        if machine.engines:
            return self.subject.alg.do_one_request is not None
        return any(a.full and a.drives(self.subject.driver) for a in machine.accelerators)

    def _in_order(self, machine: Machine) -> bool:
        """Whether completions in another order than that of submission would be wrong."""
        devices = [a for a in machine.accelerators if a.drives(self.subject.driver)]
        kept = all(engine.semantics.keeps_order for engine in machine.engines)
        promised = bool(devices) and all(device.in_order for device in devices)
        return promised and kept and not self.subject.instance

    def _flight_problems(self, swarm: AnySwarm, flight: Flight[Any]) -> list[Problem]:
        ticket = flight.ticket
        refusable = self.subject.instance and not _may_wait(flight)
        if refusable and ticket.status in no_room(swarm.machine):
            # Steps before the one that was refused have worked on the caller's memory.
            swarm.sample(flight)
            return ticket.problems()
        if not _is_refused(swarm, flight):
            return swarm.problems(flight)
        if ticket.notes:
            return [Problem("refused by a full queue and called back", facts.ONCE)]
        if not swarm.untouched(flight):
            return [Problem("refused by a full queue, but its memory changed", facts.GUARD)]
        return ticket.problems()


def _whole(swarm: AnySwarm, flags: int, *, full: bool) -> list[Problem]:
    """What can be said of all requests together; `full` if they are more than the ring holds."""
    # Callbacks that never came have submitted nothing.
    submitted = [f for f in swarm.flights if hasattr(f, "ticket")]
    accepted = [f for f in submitted if f.ticket.pending]
    found: list[Problem] = []
    refused = [f.ticket.submitted for f in submitted if _is_refused(swarm, f) and _may_wait(f)]
    if refused:
        found.append(
            Problem(
                "request refused although it may be backlogged",
                facts.BACKLOG,
                "accepted",
                ", ".join(sorted({errno_name(status) for status in refused})),
                details=(f"{len(refused)} of {len(swarm.flights)} requests",),
            )
        )
    lost = [f for f in accepted if f.ticket.status is None]
    if lost:
        problem = lost[0].ticket.problems()[0]
        detail = f"{len(lost)} of {len(accepted)} requests, the first is number {lost[0].index}"
        found.append(problem._replace(details=(*problem.details, detail)))
    # Where requests fail, what is wrong with each of them says more.
    well = all(f.ticket.status in (0, None) for f in accepted)
    if full and well and flags & _MAY_BACKLOG and never_full(swarm.machine):
        told = "no room for a request, once at least", "never"
        details = (f"{len(accepted)} requests at once",)
        found.append(
            Problem("the hardware was never full", facts.RING_FULL, *told, details=details)
        )
    return found


def _blocks_left(before: int, after: int) -> list[Problem]:
    """Memory that the load left allocated; a few blocks may be kept for the next one."""
    if after - before <= _KEPT_BLOCKS:
        return []
    return [Problem("memory left allocated", facts.LEAK, f"{before} blocks", f"{after} blocks")]


def _submit(machine: Machine, swarm: AnySwarm, load: _Load) -> None:
    """Submit all at once; stragglers when the hardware was full, or has no work any more."""
    flights = swarm.flights
    first = len(flights) - load.stragglers - load.chained
    for place, flight in enumerate(flights[:first]):
        follower = flights[first + place] if place < load.chained else None
        then = partial(swarm.launch, follower, load.flags) if follower else None
        swarm.launch(flight, load.flags if place >= load.hasty else 0, then)
        if then is not None and not flight.ticket.pending:
            # A request that ends at once calls nobody back: its caller goes on by itself.
            then()
    if load.stragglers:
        machine.sim.run(until=lambda: bool(was_full(machine)))
        for flight in flights[first:]:
            swarm.launch(flight, 0)


def _say_what_needs_an_engine(recorder: Recorder, machine: Machine) -> None:
    """Name the expectations that rest on a crypto_engine, on a machine without one."""
    reason = "no crypto_engine: there is none to stop while requests wait"
    recorder.unexecuted("not-applicable", reason, ["stopped"])
    if was_full(machine) is None:
        reason = "no crypto_engine: nobody counts how often the hardware had no room"
        recorder.unexecuted("not-applicable", reason, ["hardware-full"])


def _may_wait(flight: Flight[Any]) -> bool:
    return bool(flight.ticket.given[1] & _MAY_BACKLOG)


def _is_refused(swarm: AnySwarm, flight: Flight[Any]) -> bool:
    ticket = flight.ticket
    return not ticket.pending and ticket.submitted in no_room(swarm.machine)
