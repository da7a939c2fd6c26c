"""Check `faults`: what does not happen on a good day.

Interrupts that come late, not at all, or without a reason; memory and mappings that cannot be
had; a buffer that the device cannot reach while others are in flight; interrupts that strike
inside of the driver's register accesses; a software fallback that is asynchronous and full.
Each time a request ends once, with its result or with the errno of what went wrong, all others
are right, nothing is left behind, and the next requests work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from tcrypt import facts
from tcrypt.checks.common import AnyBench, SpecRunner, make_bench, reference_for
from tcrypt.checks.fault_loads import (
    BACKLOG,
    Interlude,
    Partner,
    at_fault,
    ended,
    partner_of,
    played,
    reach,
    strike,
)
from tcrypt.checks.loads import MIXED, SINGLE, fill, make_swarm
from tcrypt.checks.single_faults import device_errors, lonely_faults, needs_of, reporter
from tcrypt.checks.waiting_faults import TIGHT, WAITING_FAULTS
from tcrypt.cover.capabilities import devices_of
from tcrypt.engine.api.algorithms import SkcipherAlg
from tcrypt.engine.api.flags import AlgFlag
from tcrypt.engine.api.machine import Setup
from tcrypt.engine.sim import Costs
from tcrypt.oracle import AeadReference, SkcipherReference
from tcrypt.plan import Plan
from tcrypt.problems import Problem
from tcrypt.recorder import Recorder
from tcrypt.settings import Settings
from tcrypt.specs import SkcipherSpec
from tcrypt.subject import Subject
from tcrypt.trouble import beside, no_memory, no_room, unreachable
from tcrypt.vectors.catalogue import Catalogue
from tcrypt.watchdog import Watchdog

__all__ = ("CHECK", "plans")

CHECK = "faults"
_LATE_NS = 50_000
_BATCH = 5
_FLOOD = 7
_POINTS = 6
_MOMENTS = (0, 1, 2, 4, 7)
_COSTS = (70, 400, 1_100)
_COUNTER = 16
_NEVER_FITS = "counter-wraps-in-the-smallest-ring"

_Scenario = Callable[[], list[Problem]]


def plans(subject: Subject, settings: Settings, catalogue: Catalogue) -> Iterator[Plan]:
    """One item for each driver whose algorithm the oracle knows."""
    if not settings.vector and reference_for(subject) is not None:
        yield Plan(CHECK, subject, _Faults(subject).run)


class _Faults:
    def __init__(self, subject: Subject) -> None:
        self.subject = subject

    def run(self, recorder: Recorder, watchdog: Watchdog) -> None:
        """Each kind of fault, at each place where it can strike."""
        if not self.subject.alg.cra_flags & AlgFlag.ASYNC:
            reason = "a synchronous driver: no interrupt, mapping or queue of its own can fail"
            recorder.unexecuted("not-applicable", reason, ["all"])
            return
        bench = make_bench(self.subject, watchdog)
        for group in (self._interrupts, self._resources, device_errors, self._flood):
            for name, scenario in group(bench):
                self._case(recorder, bench, name, scenario)
        if reporter(bench) is None:
            reason = "the provider offers no way to make a device report errors"
            recorder.unexecuted("not-applicable", reason, ["device-reports"])
        self._waiting(recorder, watchdog)
        self._preempted(recorder, watchdog)

    def _waiting(self, recorder: Recorder, watchdog: Watchdog) -> None:
        """What meets requests that wait, on a machine that one of them fills."""
        setup = self.subject.provider.setup
        tight = self.subject.under(replace(setup, knobs={**setup.knobs, **TIGHT}))
        for name, play in WAITING_FAULTS.items():
            if recorder.takes(name):
                bench = make_bench(tight, watchdog)
                found = bench.guarded("request", partial(play, bench))
                recorder.result(name, found, token=name)
        reference = reference_for(self.subject)
        if not isinstance(reference, SkcipherReference) or reference.ivsize != _COUNTER:
            return
        if recorder.takes(_NEVER_FITS):
            # Where a counter wraps a request may need one piece more than the empty ring holds.
            spec = SkcipherSpec("enc", reference.key_sizes[0], _COUNTER * 4, iv="wrap32:2")
            found = SpecRunner(tight, watchdog).problems(spec)
            recorder.result(_NEVER_FITS, found, token=_NEVER_FITS)

    def _case(
        self,
        recorder: Recorder,
        bench: AnyBench,
        name: str,
        scenario: _Scenario,
        *,
        again: bool = True,
    ) -> None:
        if not recorder.takes(name):
            return
        bench.refresh()
        found = bench.guarded("request", scenario, again=again)
        recorder.result(name, found, token=name)

    def _interrupts(self, bench: AnyBench) -> Iterator[tuple[str, _Scenario]]:
        if not bench.sim.irq_lines:
            return
        yield "interrupt-late", partial(_late, bench)
        yield "interrupt-lost", partial(_lost, bench)
        yield "interrupt-spurious-idle", partial(_idle, bench)
        for moment in _MOMENTS:
            yield f"interrupt-spurious-{moment}", partial(_spurious, bench, moment)

    def _resources(self, bench: AnyBench) -> Iterator[tuple[str, _Scenario]]:
        needs = needs_of(bench)
        mappings = sum(need.maps for need in needs)
        for point in range(min(sum(need.blocks for need in needs), _POINTS)):
            yield f"allocation-{point}-fails", partial(_starved, bench, point, "memory")
        for point in range(min(mappings, _POINTS)):
            yield f"mapping-{point}-fails", partial(_starved, bench, point, "mapping")
        yield from lonely_faults(bench, needs)
        if mappings:
            yield "unreachable-in-a-batch", partial(_unreachable, bench)

    def _flood(self, bench: AnyBench) -> Iterator[tuple[str, _Scenario]]:
        """Requests for the software fallback, more than an asynchronous one may hold."""
        for size in self._software_sizes(bench):
            yield f"fallback-{size}-flooded", partial(_flooded, bench, size)

    def _software_sizes(self, bench: AnyBench) -> Iterator[int]:
        """Key sizes that the hardware lacks, as its own evidence says."""
        reference = reference_for(self.subject)
        if not isinstance(reference, SkcipherReference | AeadReference):
            return
        # The parts of a template's instance may run on a device that the instance does not drive.
        devices = devices_of(self.subject, bench.machine) or bench.machine.accelerators
        for size in reference.key_sizes or (16, 24, 32):
            lacked = devices and not any(a.supports(reference.name, size) for a in devices)
            if lacked and self._declares(size):
                yield size

    def _declares(self, size: int) -> bool:
        """Whether the driver says that it takes keys of this size at all."""
        alg = self.subject.alg
        return not isinstance(alg, SkcipherAlg) or alg.min_keysize <= size <= alg.max_keysize

    def _preempted(self, recorder: Recorder, watchdog: Watchdog) -> None:
        """Interrupts inside of register accesses, on machines built for it."""
        names = [f"preempted-every-{cost}-ns" for cost in _COSTS]
        for index, (cost, name) in enumerate(zip(_COSTS, names, strict=True)):
            if not recorder.takes(name):
                continue
            bench = make_bench(self.subject.under(Setup(knobs={"preempt": cost})), watchdog)
            if bench.sim.preemption_points is None:
                reason = "the provider does not interrupt its driver (no knob `preempt`)"
                # What came before was left to another driver.
                recorder.unexecuted("not-applicable", reason, names[index:])
                return
            partner = partner_of(bench, watchdog)
            # A second machine would not have the partner.
            self._case(recorder, bench, name, partial(_struck, bench, partner), again=False)


def _late(bench: AnyBench) -> list[Problem]:
    """The first interrupts come long after their results."""
    for line in bench.sim.irq_lines:
        line.delay(_LATE_NS, count=3)
    return played(bench, _BATCH, MIXED)


def _lost(bench: AnyBench) -> list[Problem]:
    """One interrupt never arrives; the next one on its line finds the work of both."""
    lines = bench.sim.irq_lines

    def lose() -> None:
        for line in lines:
            line.lose()

    def recover() -> None:
        for line in lines:
            line.mend()
        bench.settle()

    return played(
        bench, _BATCH, MIXED, Interlude(after=1, settled=True, before=lose), then=recover
    )


def _idle(bench: AnyBench) -> list[Problem]:
    """The handler runs for another device on its line, while this one does nothing.

    Softirqs are slow in the load behind it: a line that stays high keeps them away for ever.
    """
    sim, costs = bench.sim, bench.sim.costs
    for line in sim.irq_lines:
        line.spurious()
    bench.settle()
    sim.costs = Costs(softirq=4 * costs.irq)
    try:
        return played(bench, _BATCH, MIXED)
    finally:
        sim.costs = costs


def _spurious(bench: AnyBench, moment: int) -> list[Problem]:
    """The handler runs for another device on its line, after so many events of a load."""

    def interrupt() -> None:
        for line in bench.sim.irq_lines:
            line.spurious()

    return played(bench, _BATCH, MIXED, Interlude(events=moment, act=interrupt))


def _starved(bench: AnyBench, point: int, what: str) -> list[Problem]:
    """One allocation or mapping of a load fails."""
    machine = bench.machine
    inject = machine.memory.fail_allocs if what == "memory" else machine.dma.fail_maps
    strays = machine.dma.strays
    found = at_fault(bench, len(MIXED), MIXED, partial(inject, point), no_memory(machine))
    if not found and machine.dma.strays != strays:
        found = [Problem("the device was sent to memory that is not mapped", facts.NO_MEMORY)]
    return found or played(bench, len(MIXED), MIXED)


def _unreachable(bench: AnyBench) -> list[Problem]:
    """The device cannot reach the source of the one in the middle."""
    swarm = make_swarm(bench)
    found = fill(swarm, _BATCH, SINGLE)
    if found:
        return found
    broken = swarm.flights[_BATCH // 2]
    address, length = reach(broken)
    bench.machine.dma.break_range(address, length)
    swarm.submit(BACKLOG)
    bench.settle()
    bench.machine.dma.mend()
    machine = bench.machine
    hit, others = (unreachable(machine), beside(machine)) if machine.dma.faults else ((0,), (0,))
    allowed = {f.index: hit if f is broken else others for f in swarm.flights}
    found = ended(swarm, allowed)
    return found or played(bench, _BATCH, SINGLE)


def _flooded(bench: AnyBench, size: int) -> list[Problem]:
    """Requests that only software can do, with and without MAY_BACKLOG."""
    found = played(bench, _FLOOD, MIXED, key_size=size)
    if found:
        return found
    swarm = make_swarm(bench)
    found = fill(swarm, _FLOOD, MIXED, key_size=size)
    if found:
        return found
    swarm.submit(0)
    bench.settle()
    full = no_room(bench.machine)
    refused = [f for f in swarm.flights if f.ticket.submitted in full]
    for flight in refused:
        if flight.ticket.notes:
            return [Problem("refused by a full queue and called back", facts.ONCE)]
    return ended(swarm, {f.index: None for f in refused})


def _struck(bench: AnyBench, partner: Partner | None) -> list[Problem]:
    """A load and a partner's load on the same device, submitted while the device works."""
    return strike(bench, partner, _BATCH + 3)
