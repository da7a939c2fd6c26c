"""How the check `lifecycle` takes a driver off its device, and what it looks at then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tcrypt import facts
from tcrypt.checks.common import AnyBench
from tcrypt.checks.fault_loads import BACKLOG, ended
from tcrypt.checks.loads import MIXED, AnySwarm, fill, make_swarm
from tcrypt.engine.api.errors import errno_name
from tcrypt.engine.api.flags import AlgFlag
from tcrypt.engine.api.machine import Accelerator
from tcrypt.problems import Problem
from tcrypt.subject import Subject

__all__ = (
    "Device",
    "Failing",
    "Leftovers",
    "State",
    "attached",
    "device_of",
    "free_all",
    "unbound",
    "used",
)

_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Device:
    """The device behind a driver, with what runs on it and both ways to bind it."""

    drives: Callable[[str], bool]
    unbind: Callable[[], int]
    rebind: Callable[[], None]


def device_of(subject: Subject, accelerators: list[Accelerator]) -> Device | str:
    """The driver's device, or why it cannot be unbound."""
    if not subject.alg.cra_flags & AlgFlag.ASYNC:
        return "a software driver: there is no device to take it off"
    own = [a for a in accelerators if a.drives(subject.driver)]
    if not own:
        return "no hardware engine is attached for the driver"
    unbind, rebind = own[0].unbind, own[0].rebind
    if unbind is None or rebind is None:
        return f"the provider offers no way to unbind {own[0].name}"
    return Device(own[0].drives, unbind, rebind)


def attached(bench: AnyBench) -> Device:
    """The device behind the driver of a bench, which `device_of` has found before."""
    device = device_of(bench.subject, bench.machine.accelerators)
    assert not isinstance(device, str)
    return device


class State:
    """What a driver can leave behind on a machine."""

    def __init__(self, bench: AnyBench) -> None:
        machine, drives = bench.machine, attached(bench).drives
        self.mappings = machine.dma.live_mappings
        self.blocks = machine.memory.live_blocks
        # Others come and go with what they are built over, or when somebody asks for them.
        hardware = (alg for alg in machine.registry if alg.cra_flags & AlgFlag.ASYNC)
        self.drivers = sorted(a.cra_driver_name for a in hardware if drives(a.cra_driver_name))

    def compared(self, later: State) -> list[Problem]:
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


class Leftovers:
    """What a driver has set up on a machine and must take back before it goes.

    Interrupt handlers and engines say nothing of whose they are, so they are looked at on machines
    with one device only.
    """

    def __init__(self, bench: AnyBench) -> None:
        self._machine = bench.machine
        self._sim = bench.machine.sim
        self._there = self._present()
        self._touched: list[str] = []

    def _present(self) -> list[tuple[str, Any]]:
        machine = self._machine
        if len(machine.accelerators) != 1:
            return []
        lines = [("interrupt handler", line) for line in machine.sim.irq_lines if line.requested]
        return lines + [("engine", engine) for engine in machine.engines if not _exited(engine)]

    def problems(self) -> list[Problem]:
        """What is still there, right after the driver said that it is gone."""
        return _left([thing for thing in self._present() if thing in self._there])

    def added(self) -> list[Problem]:
        """What is there since a driver could not be bound."""
        return _left([thing for thing in self._present() if thing not in self._there])

    def listen(self) -> None:
        """From now on nobody may come by the device's registers."""
        self._sim.preemption_points = self._touched.append

    def heard(self) -> list[Problem]:
        """Who did so all the same, where the provider lets its driver be interrupted there."""
        self._sim.preemption_points = None
        if not self._touched:
            return []
        message = "a driver that is gone uses its device"
        return [Problem(message, facts.STILL_THERE, details=tuple(self._touched[:_SHOWN]))]


def _left(things: list[tuple[str, Any]]) -> list[Problem]:
    message = "{} left behind by a driver that is gone"
    return [Problem(message.format(w), facts.STILL_THERE, got=x.name) for w, x in things]


def _exited(engine: Any) -> bool:
    return any(event == "exit" for _, event in engine.coverage)


def unbound(bench: AnyBench) -> list[Problem]:
    """Unbind a driver that nobody uses; what is wrong with that."""
    warned, leftovers = len(bench.machine.warnings), Leftovers(bench)
    status = attached(bench).unbind()
    found = []
    if status:
        found.append(Problem("wrong status of unbind", facts.UNBOUND, "0", errno_name(status)))
    for text in bench.machine.warnings[warned:]:
        found.append(Problem("the kernel would warn", facts.KERNEL_WARNING, details=(text,)))
    left = [alg for alg in bench.machine.registry if alg.cra_driver_name == bench.subject.driver]
    if not found and left:
        found.append(Problem("algorithm left behind by a driver that is gone", facts.UNBOUND))
    return found or leftovers.problems()


def used(bench: AnyBench, count: int) -> list[Problem]:
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
        free_all(bench, swarm)
    return found


def free_all(bench: AnyBench, swarm: AnySwarm) -> None:
    """Free every transform of a load, and the bench's own."""
    transforms = {id(flight.request.tfm): flight.request.tfm for flight in swarm.flights}
    transforms[id(bench.tfm)] = bench.tfm
    for tfm in transforms.values():
        bench.machine.registry.free(tfm)


class Failing:
    """An attempt to bind a driver that is not bound, where something is wrong on purpose."""

    def __init__(self, bench: AnyBench) -> None:
        self._bench = bench
        self._gone, self._leftovers = State(bench), Leftovers(bench)
        self._warned = len(bench.machine.warnings)

    def problems(self, error: OSError, wanted: int) -> list[Problem]:
        """What is wrong with how it failed, which should be with the errno `wanted`."""
        found = self._gone.compared(State(self._bench)) + self._leftovers.added()
        for text in self._bench.machine.warnings[self._warned :]:
            found.append(Problem("the kernel would warn", facts.KERNEL_WARNING, details=(text,)))
        if error.errno != wanted:
            names = errno_name(-wanted), errno_name(-(error.errno or 0))
            found.append(Problem("wrong errno of binding", facts.UNBOUND, *names))
        return found
