"""One simulated machine: clock, memory, DMA, registry, and what was attached to it.

A provider gets a machine and registers algorithms on it.  Machines are cheap and share nothing,
so a run boots a new one wherever the previous one may have been left in pieces.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any, NamedTuple

from tcrypt.engine.api.algorithms import AnyAlg
from tcrypt.engine.api.core_rules import DEFAULT_CORE
from tcrypt.engine.api.dma import DmaBus
from tcrypt.engine.api.flags import AlgType
from tcrypt.engine.api.memory import Memory
from tcrypt.engine.api.registry import Registry
from tcrypt.engine.monitor import Monitor
from tcrypt.engine.sim import Simulation

__all__ = ("Accelerator", "Machine", "Offer", "Setup", "Shape")


def _any_length(cra_name: str) -> int:
    return 1


def _any_priority(cra_name: str) -> int | None:
    return None


def _any_error(cra_name: str, error: str) -> bool:
    return True


def _any_driver(cra_driver_name: str) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Setup:
    """How a machine is built, beside what a provider registers on it.

    Attributes:
        semantics: which `crypto_engine` it has, a name of `tcrypt.engine.semantics.PROFILES`.
        knobs: sizes that a provider may honour, such as `ring_size` (entries) and `queue_length`
            (requests); what it does not know it ignores.
        core: which rules its registry has, a name of `tcrypt.engine.api.core_rules.CORES`.
        fips: whether it runs in FIPS mode.
        selftest: called with the machine and every algorithm as it is registered, from the first
            one on; 0 lets lookups find it (see `Registry.selftest`).
    """

    semantics: str = "linux-6.17"
    knobs: Mapping[str, int] = field(default_factory=dict, hash=False)
    core: str = DEFAULT_CORE
    fips: bool = False
    selftest: Callable[[Machine, AnyAlg], int] | None = None


class Shape(NamedTuple):
    """The sizes of one AEAD request, in bytes, and its direction."""

    encrypt: bool
    text: int
    assoc: int
    tag: int


@dataclass(frozen=True, kw_only=True)
class Accelerator:
    """Evidence about a hardware engine, from the device's side, for the suite's eyes only.

    Attributes:
        name: the device.
        jobs: how many data-carrying jobs the device has processed so far.
        supports: `supports(cra_name, key_size)`: whether the device's own capability bits say
            that it can do this algorithm with this key size (bytes; 0 for unkeyed).
        algorithms: the names (`cra_name`) of what the driver's documents say that it registers
            for a device with these capability bits; empty where they do not say.
        depth: how many single-segment requests it holds at once before it is full.
        shortest: `shortest(cra_name)`: the least bytes that the driver's documented policy gives
            to the hardware, whatever the size of the key; 1 where it has no such policy.
        shortest_for_key: `shortest_for_key(cra_name, key_size)`: the same for keys of one size
            (bytes, as `supports` takes it); None where the size makes no difference.
        takes: `takes(cra_name, shape)`: whether the driver's documented policy gives an AEAD
            request of this shape to the hardware; None where nothing is said about shapes.
        drives: `drives(cra_driver_name)`: whether that driver runs on this device; by default
            every one on the machine does that is asynchronous or says KERN_DRIVER_ONLY.  Several
            devices may do the work of one driver.
        in_order: whether it completes requests in the order in which it was given them; the kernel
            promises the order of starting only (5.4), so without this no other one is asked for.
        exact: whether the driver documents how faults end requests, and is held to it: -ENOMEM
            where memory or a mapping is missing, -EIO where the device cannot reach memory, and
            nobody but the request that it happened to.  Without this any errno for trouble will
            do, and for all that is in flight.
        unbind: takes the driver off the device, as unloading it does; its status.  None where
            that cannot be done.
        rebind: binds the driver to the same device again, which keeps its power meanwhile;
            raises OSError when that fails.
        ceiling: `ceiling(cra_name)`: the highest priority that the provider's documented policy
            gives an offloaded algorithm, so that it is not preferred to faster software; None
            where it has no such policy.
        queue: how many more requests wait in a queue of the driver's own, where it has no
            crypto_engine, before it is full.
        full: how many requests the driver had to make wait for room in the hardware, as it counts
            them itself; None where it does not count.
        errors: which errors the device can be made to report, each with the errno that a request
            ends with by its documents; 0 for what is no error of the request.
        report: `report(error, after)`: after so many pieces of work more, as `jobs` counts them,
            the device reports this error for one; None where it cannot be made to.
        meets: `meets(cra_name, error)`: whether a request of that algorithm can meet that error.
        unanswered: how many jobs the device was given and does not work on, although nothing
            keeps it from that which a driver could do something about; None where the device
            cannot tell.
        statistics: what the driver itself counted since it was bound, as a text of lines, like a
            file in debugfs; empty where it counts nothing.
    """

    name: str
    jobs: Callable[[], int]
    supports: Callable[[str, int], bool]
    depth: int
    algorithms: frozenset[str] = frozenset()
    shortest: Callable[[str], int] = _any_length
    shortest_for_key: Callable[[str, int], int] | None = None
    takes: Callable[[str, Shape], bool] | None = None
    drives: Callable[[str], bool] = _any_driver
    in_order: bool = False
    exact: bool = False
    unbind: Callable[[], int] | None = None
    rebind: Callable[[], None] | None = None
    ceiling: Callable[[str], int | None] = _any_priority
    queue: int = 0
    full: Callable[[], int] | None = None
    errors: Mapping[str, int] = field(default_factory=dict, hash=False)
    report: Callable[[str, int], None] | None = None
    meets: Callable[[str, str], bool] = _any_error
    unanswered: Callable[[], int] | None = None
    statistics: Callable[[], str] = str


class Offer(NamedTuple):
    """What a provider has the suite test.

    Attributes:
        kind: its type.
        name: its driver name.
        checks: which checks, by name; empty for all.
    """

    kind: AlgType
    name: str
    checks: tuple[str, ...] = ()


class Machine:
    """The simulated machine that drivers are registered on.

    Attributes:
        monitor: follows the requests of all engines, and records what breaks a rule.
        settled: what was registered when `settle` was called last.
        offers: what `offer` named, in that order.
    """

    def __init__(
        self,
        sim: Simulation | None = None,
        memory: Memory | None = None,
        setup: Setup | None = None,
    ) -> None:
        self.setup = setup or Setup()
        self.sim = sim or Simulation()
        self.memory = memory or Memory()
        self.memory.report = self.warn
        self.dma = DmaBus(self.memory)
        self.dma.report = self.warn
        self.registry = Registry(self)
        if self.setup.selftest is not None:
            self.registry.selftest = partial(self.setup.selftest, self)
        self.monitor = Monitor()
        self.engines: list[Any] = []
        self.accelerators: list[Accelerator] = []
        self._warnings: list[str] = []
        self._entropy = Random(0)
        self.settled: frozenset[AnyAlg] = frozenset()
        self.offers: list[Offer] = []

    def warn(self, text: str) -> None:
        """Record what the kernel would WARN about; a run counts it as a failure."""
        self._warnings.append(text)

    @property
    def warnings(self) -> list[str]:
        """All warnings so far; those about freed memory are looked for first."""
        self.memory.look_at_freed()
        return self._warnings

    def random(self, length: int) -> bytes:
        """Random bytes, the same on every machine that is asked for the same."""
        return self._entropy.randbytes(length)

    def attach(self, accelerator: Accelerator) -> None:
        """Tell the suite about a hardware engine on this machine.

        Raises:
            TypeError: its depth is no number of 1 or more, or `jobs` counts nothing.
        """
        what, depth, jobs = (
            f"Accelerator {accelerator.name!r}",
            accelerator.depth,
            accelerator.jobs,
        )
        if type(depth) is not int or depth < 1:
            raise TypeError(f"{what}: depth {depth!r}, must be a number of requests, 1 or more")
        if type(count := jobs()) is not int:
            raise TypeError(f"{what}: jobs() returned {count!r}, must be how many jobs were done")
        self.accelerators.append(accelerator)

    def settle(self) -> None:
        """Say that what is registered by now is there to be used: the suite does not test it."""
        self.settled = frozenset(self.registry)

    def offer(self, kind: AlgType, *names: str, checks: tuple[str, ...] = ()) -> None:
        """Have the suite test instances of templates, by driver name.

        They are built when a lookup asks for them.  The suite tests what a provider registers
        itself, and of the instances only those that it offers.

        Args:
            kind: the type of all of them.
            names: their driver names.
            checks: the only checks to run, by name, for what is tested in all ways elsewhere;
                empty for all.
        """
        self.offers.extend(Offer(kind, name, checks) for name in names)
