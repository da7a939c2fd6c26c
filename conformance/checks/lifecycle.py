"""Check `lifecycle`: a driver is taken off its device, and put on again.

Unbound, it has left nothing: no algorithm, no memory, no mapping.  Bound again it finds a device
that kept its power, with its ring pointers wherever the last request left them, and must work
from the first request on.  Requests that are in flight when it is unbound still end.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from tcrypt import facts
from tcrypt.checks.common import AnyBench, make_bench, reference_for
from tcrypt.checks.fault_loads import BACKLOG, ended
from tcrypt.checks.loads import MIXED, SINGLE, AnySwarm, fill, make_swarm
from tcrypt.engine.api.errors import errno_name
from tcrypt.engine.api.flags import AlgFlag
from tcrypt.engine.api.machine import Accelerator
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
# How a request may end that was in flight when its driver went away.
_CUT_OFF = (0, -errno.ESHUTDOWN, -errno.ENODEV, -errno.ECANCELED, -errno.EIO)

_Scenario = Callable[[], list[Problem]]


def plans(subject: Subject, settings: Settings, catalogue: Catalogue) -> Iterator[Plan]:
    """One item for each driver whose algorithm the oracle knows."""
    if not settings.vector and reference_for(subject) is not None:
        yield Plan(CHECK, subject, _Lifecycle(subject).run)


@dataclass(frozen=True, slots=True)
class _Device:
    """The device behind a driver, with what runs on it and both ways to bind it."""

    drives: Callable[[str], bool]
    unbind: Callable[[], int]
    rebind: Callable[[], None]


def _device(subject: Subject, accelerators: list[Accelerator]) -> _Device | str:
    """The driver's device, or why it cannot be unbound."""
    if not subject.alg.cra_flags & AlgFlag.ASYNC:
        return "a software driver: there is no device to take it off"
    own = [a for a in accelerators if a.drives(subject.driver)]
    if not own:
        return "no hardware engine is attached for the driver"
    unbind, rebind = own[0].unbind, own[0].rebind
    if unbind is None or rebind is None:
        return f"the provider offers no way to unbind {own[0].name}"
    return _Device(own[0].drives, unbind, rebind)


class _Lifecycle:
    def __init__(self, subject: Subject) -> None:
        self.subject = subject

    def run(self, recorder: Recorder, watchdog: Watchdog) -> None:
        """Unbind at rest, under load and after errors; bind again, with and without memory."""
        bench = make_bench(self.subject, watchdog)
        device = _device(self.subject, bench.machine.accelerators)
        if isinstance(device, str):
            recorder.unexecuted("not-applicable", device, ["all"])
            return
        for name, scenario in self._scenarios(bench):
            if not recorder.wants(name):
                continue
            # What a failure left behind on the machine says nothing about the next case.
            bench.broken = True
            bench.refresh()
            bench.machine.registry.free(bench.tfm)
            found = bench.guarded("driver", scenario, again=False)
            recorder.result(name, found, token=name)

    def _scenarios(self, bench: AnyBench) -> Iterator[tuple[str, _Scenario]]:
        yield "unbound-unused", partial(_unused, bench)
        yield "bound-again-and-again", partial(_again, bench)
        yield "unbound-after-errors", partial(_after_errors, bench)
        for moment in _MOMENTS:
            yield f"unbound-in-flight-{moment}", partial(_in_flight, bench, moment)
        yield "bound-without-memory", partial(_without_memory, bench)


def _attached(bench: AnyBench) -> _Device:
    device = _device(bench.subject, bench.machine.accelerators)
    assert not isinstance(device, str)
    return device


def _unused(bench: AnyBench) -> list[Problem]:
    """Nobody ever used it: what it registered and allocated is gone, and comes back."""
    before = _State(bench)
    found = _unbind(bench)
    if found:
        return found
    gone = _State(bench)
    _attached(bench).rebind()
    back = _State(bench)
    if back.drivers != before.drivers:
        missing = ", ".join(sorted(set(before.drivers) ^ set(back.drivers)))
        return [Problem("other algorithms after binding again", facts.REBOUND, got=missing)]
    found = _unbind(bench)
    return found or gone.compared(_State(bench))


def _again(bench: AnyBench) -> list[Problem]:
    """Used, unbound and bound again, several times: the device's pointers are never the same."""
    for _ in range(_TIMES):
        found = _used(bench, _LOAD) or _unbind(bench)
        if found:
            return found
        _attached(bench).rebind()
    return [problem._replace(fact=facts.REBOUND) for problem in _used(bench, _LOAD)]


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
        _free_all(bench, swarm)
    return found or _unbind(bench)


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
    status = _attached(bench).unbind()
    bench.settle()
    found = ended(swarm, {flight.index: _CUT_OFF for flight in swarm.flights})
    if found or status == -errno.EBUSY:
        # A driver may refuse to go while it is used; the requests had to end all the same.
        return found
    if status:
        return [Problem("wrong status of unbind", facts.UNBOUND, "0", errno_name(status))]
    _free_all(bench, swarm)
    _attached(bench).rebind()
    return [problem._replace(fact=facts.REBOUND) for problem in _used(bench, _LOAD)]


def _without_memory(bench: AnyBench) -> list[Problem]:
    """Binding fails cleanly at each of its first allocations, and then works."""
    device, memory = _attached(bench), bench.machine.memory
    found = _unbind(bench)
    if found:
        return found
    gone = _State(bench)
    for point in range(_POINTS):
        memory.fail_allocs(point)
        try:
            device.rebind()
        except OSError as error:
            found = gone.compared(_State(bench)) + _errno_problems(error)
        else:
            found = _unbind(bench)
        finally:
            memory.mend()
        if found:
            return found
    device.rebind()
    return [problem._replace(fact=facts.REBOUND) for problem in _used(bench, _LOAD)]


def _errno_problems(error: OSError) -> list[Problem]:
    if error.errno == errno.ENOMEM:
        return []
    got = errno_name(-(error.errno or 0))
    return [Problem("wrong errno of binding without memory", facts.UNBOUND, "-ENOMEM", got)]


class _State:
    """What a driver can leave behind on a machine."""

    def __init__(self, bench: AnyBench) -> None:
        machine, drives = bench.machine, _attached(bench).drives
        self.mappings = machine.dma.live_mappings
        self.blocks = machine.memory.live_blocks
        # Others come and go with what they are built over, or when somebody asks for them.
        hardware = (alg for alg in machine.registry if alg.cra_flags & AlgFlag.ASYNC)
        self.drivers = sorted(a.cra_driver_name for a in hardware if drives(a.cra_driver_name))

    def compared(self, later: _State) -> list[Problem]:
        """What is different later."""
        found = []
        for name in ("mappings", "blocks"):
            wanted, got = getattr(self, name), getattr(later, name)
            if wanted != got:
                message = f"{name} left behind by a driver that is gone"
                found.append(Problem(message, facts.UNBOUND, str(wanted), str(got)))
        if self.drivers != later.drivers:
            others = ", ".join(sorted(set(self.drivers) ^ set(later.drivers)))
            message = "algorithms left behind by a driver that is gone"
            found.append(Problem(message, facts.UNBOUND, got=others))
        return found


def _unbind(bench: AnyBench) -> list[Problem]:
    """Unbind a driver that nobody uses; what is wrong with that."""
    warned = len(bench.machine.warnings)
    status = _attached(bench).unbind()
    found = []
    if status:
        found.append(Problem("wrong status of unbind", facts.UNBOUND, "0", errno_name(status)))
    for text in bench.machine.warnings[warned:]:
        found.append(Problem("the kernel would warn", facts.KERNEL_WARNING, details=(text,)))
    left = [alg for alg in bench.machine.registry if alg.cra_driver_name == bench.subject.driver]
    if not found and left:
        found.append(Problem("algorithm left behind by a driver that is gone", facts.UNBOUND))
    return found


def _used(bench: AnyBench, count: int) -> list[Problem]:
    """Play a load on new transforms, and free them all."""
    bench.opened()
    swarm = make_swarm(bench)
    found = fill(swarm, count, MIXED)
    if found:
        return found
    swarm.submit(BACKLOG)
    bench.settle()
    found = ended(swarm, {})
    if not found:
        _free_all(bench, swarm)
    return found


def _free_all(bench: AnyBench, swarm: AnySwarm) -> None:
    """Free every transform of a load, and the bench's own."""
    transforms = {id(flight.request.tfm): flight.request.tfm for flight in swarm.flights}
    transforms[id(bench.tfm)] = bench.tfm
    for tfm in transforms.values():
        bench.machine.registry.free(tfm)
