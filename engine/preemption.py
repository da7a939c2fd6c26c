"""What a driver has to do with being interrupted: spinlocks, and registers at which it is.

A callback of the simulation runs to its end unless somebody sets `Simulation.preemption_points`.
A register access is such a point; what strikes there runs inside of the access, under the rules
of `Simulation.may_strike`.
"""

from __future__ import annotations

from typing import Protocol

from tcrypt.engine.sim import Simulation, SimulationError

__all__ = ("DeadlockError", "Mmio", "PreemptibleMmio", "SpinLock")


class DeadlockError(SimulationError):
    """A spinlock is wanted by what interrupted its holder: neither ever goes on."""


class SpinLock:
    """A spinlock of a machine with one processor.

    `with lock:` takes it with interrupts off, which is right in every context.  `acquire` leaves
    them on, and is right only where no interrupt or softirq takes the same lock.
    """

    __slots__ = ("_sim", "held", "name")

    def __init__(self, sim: Simulation, name: str) -> None:
        self._sim = sim
        self.name = name
        self.held = False

    def acquire(self) -> None:
        """Take the lock; DeadlockError when the interrupted code holds it."""
        if self.held:
            raise self._deadlock()
        self.held = True
        self._sim.preempt_disable()

    def _deadlock(self) -> DeadlockError:
        context = self._sim.context.value
        held = f"{self.name} is held by the code that this {context} interrupts"
        return DeadlockError(f"{held}, or that called it")

    def release(self) -> None:
        """Give the lock back; SimulationError when nobody holds it."""
        if not self.held:
            raise self._not_held()
        self.held = False
        self._sim.preempt_enable()

    def _not_held(self) -> SimulationError:
        return SimulationError(f"{self.name} is released, but nobody holds it")

    def __enter__(self) -> None:
        if self.held:
            raise self._deadlock()
        self.held = True
        self._sim.lock_out()

    def __exit__(self, *_: object) -> None:
        if not self.held:
            raise self._not_held()
        self.held = False
        self._sim.let_in()


class Mmio(Protocol):
    """A device's register door."""

    def read32(self, offset: int) -> int:
        """Read the register at a byte offset."""

    def write32(self, offset: int, value: int) -> None:
        """Write the register at a byte offset."""


class PreemptibleMmio:
    """A register door at which the driver can be interrupted.

    A read can be interrupted on its way to the device and on its way back, a write before it has
    arrived.
    """

    __slots__ = ("_mmio", "_sim")

    def __init__(self, mmio: Mmio, sim: Simulation) -> None:
        self._mmio = mmio
        self._sim = sim

    def read32(self, offset: int) -> int:
        """Read a register, interrupted before and after."""
        self._sim.preemption_point(f"read of {offset:#05x}")
        value = self._mmio.read32(offset)
        self._sim.preemption_point(f"answer of {offset:#05x}")
        return value

    def write32(self, offset: int, value: int) -> None:
        """Be interrupted, then write a register."""
        self._sim.preemption_point(f"write to {offset:#05x}")
        self._mmio.write32(offset, value)
