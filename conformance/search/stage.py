"""The stage of a world: which transforms are open, under which keys, on which engines."""

from __future__ import annotations

import errno
from dataclasses import dataclass, field, replace
from typing import Any

from tcrypt import facts
from tcrypt.checks.common import AnyBench, make_bench
from tcrypt.cipher_bench import CipherBench
from tcrypt.engine.api.errors import errno_name
from tcrypt.problems import Problem
from tcrypt.search.faults import Faults
from tcrypt.search.flights import Order
from tcrypt.search.stock import Stock
from tcrypt.subject import Subject

__all__ = ("Cast", "Stage", "Transform")


@dataclass(frozen=True, slots=True)
class Cast:
    """Who plays: the driver under test first, others of its provider, and their stocks."""

    subjects: tuple[Subject, ...]
    stocks: tuple[Stock, ...]


@dataclass(slots=True, eq=False)
class Transform:
    """An open transform: its driver's place in the cast, its key (0 for none), its requests.

    While `keying` a key is being set; a template may wait for its parts in that.  What it does is
    done `in_steps` where a template built its driver.
    """

    driver: int
    name: str
    bench: AnyBench
    stock: Stock
    tfm: Any
    key: int = 0
    keying: bool = False
    in_steps: bool = False
    orders: list[Order] = field(default_factory=list)

    @property
    def in_flight(self) -> list[Order]:
        """The requests that were submitted and have no final status yet."""
        return [order for order in self.orders if not order.over]


class Stage:
    """Transforms and engines of one machine.

    Attributes:
        transforms: those that are open, in the order of their opening.
        found: what was wrong with opening, keying, stopping and binding.
        own_blocks: memory blocks that the suite itself has allocated on the way.
    """

    def __init__(self, cast: Cast, bench: AnyBench, faults: Faults) -> None:
        self.cast = cast
        self.transforms: list[Transform] = []
        self.found: list[Problem] = []
        self.own_blocks = 0
        self._machine = bench.machine
        self._bench = bench
        self._benches: dict[int, AnyBench] = {0: bench}
        self._faults = faults
        self._keys = 0
        self._gone = False
        self._exited: list[Any] = []

    @property
    def engines(self) -> list[Any]:
        """The engines of bound drivers; one whose driver was unbound is not used any more."""
        return [engine for engine in self._machine.engines if engine not in self._exited]

    def _bench_of(self, driver: int) -> AnyBench:
        """The bench that judges a driver's requests; all are on the one machine."""
        if driver not in self._benches:
            subject = self.cast.subjects[driver]
            here = replace(subject.provider, build=lambda setup: self._machine)
            made = make_bench(replace(subject, provider=here), self._bench.watchdog)
            self._benches[driver] = made
        return self._benches[driver]

    def open(self, number: int) -> None:
        """Open a transform of one of the drivers and key it."""
        driver = number % len(self.cast.subjects)
        if self._gone and not driver:
            return
        self._faults.disarm()
        before = self._machine.memory.live_blocks
        bench, name = self._bench_of(driver), self.cast.subjects[driver].driver
        if isinstance(bench, CipherBench):
            tfm: Any = bench.new_tfm()
        else:
            tfm = self._machine.registry.alloc_ahash(name)
        transform = Transform(driver, name, bench, self.cast.stocks[driver], tfm)
        transform.in_steps = self.cast.subjects[driver].instance
        self.transforms.append(transform)
        self.setkey(transform)
        self.own_blocks += self._machine.memory.live_blocks - before

    def setkey(self, transform: Transform) -> None:
        """Set another good key; nothing is promised any more to the requests in flight."""
        if not transform.stock.keyed:
            return
        self._faults.disarm()
        self._keys += 1
        key = self._keys
        for order in transform.in_flight:
            order.rekeyed = True
        transform.keying = True
        try:
            transform.tfm.setkey(transform.stock.key(key))
        except OSError as error:
            got = errno_name(-(error.errno or 0))
            if transform.in_steps and self._hardware_lacking(-(error.errno or 0)):
                transform.key = 0
                self._machine.sim.note(f"setkey of {transform.name} got no hardware: {got}")
                return
            details = (str(error), transform.name)
            self.found.append(Problem("key refused", facts.SETKEY, "0", got, details=details))
            return
        finally:
            transform.keying = False
        transform.key = key
        self._machine.sim.note(f"setkey: key {key} for a transform of {transform.name}")

    def _hardware_lacking(self, status: int) -> bool:
        """Whether that is why a template's part did not do the work for a new key.

        A template may need its part's hardware to take a key: GCM's hash key is a block.
        """
        stopped = not all(engine.running for engine in self.engines)
        return (status == -errno.ESHUTDOWN and stopped) or self._faults.may_hit(status)

    def refused_key(self, transform: Transform) -> None:
        """Set a key that the driver must refuse; it leaves the transform without one (6.2)."""
        bad = transform.stock.bad_key()
        if bad is None or transform.in_flight:
            return
        self._faults.disarm()
        try:
            transform.tfm.setkey(bad)
        except OSError:
            transform.key = 0
            return
        details = (transform.name,)
        self.found.append(Problem("bad key accepted", facts.SETKEY, details=details))

    def free(self, transform: Transform) -> None:
        """Free a transform of which nothing is in flight."""
        if not transform.in_flight:
            self.transforms.remove(transform)
            self._machine.registry.free(transform.tfm)

    def stop(self) -> None:
        """Stop the engines; they drain first."""
        # To wait for an interrupt that a fault has taken away is to fail: that is no finding.
        self._faults.heal()
        for engine in self.engines:
            status = engine.stop()
            self._machine.sim.note(f"stop of {engine.name} returned {errno_name(status)}")

    def start(self) -> None:
        """Start the engines; those that run or are busy answer -EBUSY (5.2)."""
        for engine in self.engines:
            wanted = -errno.EBUSY if engine.running or engine.busy else 0
            got = engine.start()
            if not (got or engine.running):
                message = "a started engine does not run"
                self.found.append(Problem(message, facts.STATUS, attribution="profile"))
            if got != wanted:
                self.found.append(
                    Problem(
                        "wrong status of start",
                        facts.STATUS,
                        errno_name(wanted),
                        errno_name(got),
                        attribution="profile",
                    )
                )

    def unregister(self) -> None:
        """Unregister the driver under test while it is in use: a warning, and it goes on (6.7)."""
        if self._gone:
            return
        self._gone = True
        subject, registry = self.cast.subjects[0], self._machine.registry
        warnings = self._machine.warnings
        before = len(warnings)
        registry.unregister(registry.find(subject.driver, subject.type))
        del warnings[before:]
        self._machine.sim.note(f"unregistered {subject.driver} in use")

    def rebind(self) -> None:
        """Free everything on an idle machine, unbind the drivers, and bind them again."""
        if self._gone or any(transform.in_flight for transform in self.transforms):
            return
        registry = self._machine.registry
        self._faults.disarm()
        open_ones = [transform.tfm for transform in self.transforms]
        for tfm in [*open_ones, *(bench.tfm for bench in self._benches.values())]:
            registry.free(tfm)
        self.transforms.clear()
        self._benches = {0: self._bench}
        for accelerator in self._machine.accelerators:
            if accelerator.unbind is not None and accelerator.rebind is not None:
                status = accelerator.unbind()
                if status:
                    problem = Problem("unbind of an idle driver failed", facts.STATUS, "0")
                    self.found.append(problem._replace(got=errno_name(status)))
                    break
                self._exited += [e for e in self.engines if not e.running]
                accelerator.rebind()
        before = self._machine.memory.live_blocks
        self._bench.opened()
        self.own_blocks += self._machine.memory.live_blocks - before
