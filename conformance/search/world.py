"""A world: one machine, transforms of several drivers, requests in flight, and faults.

A world plays a program under a schedule and says what is wrong.  Each request is judged by the
bench of its driver.  What the kernel leaves open is not asked: nothing is promised about the
output of a request whose transform gets a new key, and one that a fault was meant for may fail.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from tcrypt import facts
from tcrypt.bench import _MAY_BACKLOG
from tcrypt.checks.common import AnyBench
from tcrypt.engine.api.errors import errno_name
from tcrypt.engine.api.machine import Setup
from tcrypt.engine.sim import Context, StepBudgetError
from tcrypt.hash_bench import HashBench
from tcrypt.problems import Problem
from tcrypt.search.faults import Faults
from tcrypt.search.fingerprint import Apart
from tcrypt.search.flights import Order, order_problems, verdict
from tcrypt.search.program import Program, Step
from tcrypt.search.script import Script
from tcrypt.search.stage import Cast, Stage, Transform
from tcrypt.swarm import CipherSwarm, HashSwarm

__all__ = ("World", "setup_for")

_EINPROGRESS = -errno.EINPROGRESS
_DEADLINE_NS = 30_000_000_000
_STEP_BUDGET = 20_000
_KEPT_BLOCKS = 8
_NO_ROOM = frozenset({-errno.ENOSPC})
_SHUTDOWN = frozenset({-errno.ESHUTDOWN})


def setup_for(program: Program, setup: Setup) -> Setup:
    """How the machine for a program is built, where it is otherwise built like `setup`."""
    knobs = dict(setup.knobs)
    if program.ring:
        knobs["ring_size"] = program.ring
    if program.queue:
        knobs["queue_length"] = program.queue
    if program.torn:
        knobs["torn_result"] = program.torn
    if program.preempt:
        # The driver can be interrupted at its registers, and the world says when it is.
        knobs["preempt"] = 0
    return replace(setup, semantics=program.semantics or setup.semantics, knobs=knobs)


class World(Apart):
    """One machine with a program to play.

    Args:
        cast: the drivers.
        bench: a bench of the first one, on a new machine.
        program: what happens.
        script: the schedule; it becomes the chooser of the machine.

    Attributes:
        orders: every request, in the order of preparation.
        finished: the numbers of those that were called back, in the order of completion.
    """

    def __init__(self, cast: Cast, bench: AnyBench, program: Program, script: Script) -> None:
        self.program = program
        self.script = script
        self.machine = bench.machine
        self.orders: list[Order] = []
        self.finished: list[int] = []
        self._launched: list[int] = []
        self._within: list[tuple[int, int]] = []
        self._struck = 0
        self._stopped = False
        self._bench = bench
        self._faults = Faults(self.machine)
        self._stage = Stage(cast, bench, self._faults)
        self._sim = bench.sim
        self._blocks = self.machine.memory.live_blocks
        drivers = [alg.cra_driver_name for alg in self.machine.registry]
        self._queued_elsewhere = any(name.startswith("cryptd(") for name in drivers)
        self._mappings = self.machine.dma.live_mappings
        self._sim.chooser = script
        self._sim.window = program.window
        if program.preempt:
            self._sim.preemption_points = self._interrupted

    def play(self) -> list[Problem]:
        """Play the program to its end and judge; what is wrong."""
        for step in self.program.sequence():
            self._perform(step)
        for number, steps in enumerate(self.program.parallel()):
            self._spawn(number, steps)
        self._settle()
        return self._judge()

    @property
    def between_events(self) -> bool:
        """Whether the objects are the whole state: no driver's code has been interrupted."""
        return not self._struck

    def state(self) -> list[Any]:
        """What the world itself adds to the state of the machine."""
        tickets = [order.ticket for order in self.orders]
        lives = [(ticket.submitted, ticket.notes, ticket.atomic) for ticket in tickets]
        rekeyed = [order.rekeyed for order in self.orders]
        transforms = [(t.tfm.flags, t.tfm.ctx, t.key) for t in self._stage.transforms]
        requests = [order.flight.request for order in self.orders]
        return [requests, lives, rekeyed, self._launched, self.finished, transforms, self._within]

    # The machine.

    def _settle(self) -> None:
        """Run until nothing happens; an interrupt that a fault took away comes again then."""
        self._run()
        if self._faults.heal():
            self._run()

    def _run(self) -> None:
        sim = self._sim
        if not sim.run(deadline=sim.now + _DEADLINE_NS, max_steps=_STEP_BUDGET):
            raise StepBudgetError(f"still busy after {_DEADLINE_NS // 10**9} s of simulated time")

    def _interrupted(self, label: str) -> None:
        """At a preemption point: the script says what strikes, if anything does."""
        sim = self._sim
        strikers = sim.strikers(sim.now + self.program.window)
        chosen = self.script.pick(len(strikers) + 1, watched=False) if strikers else 0
        if chosen:
            sim.note(f"interrupted at {label}")
            self._struck += 1
            sim.run_inside(strikers[chosen - 1])
            self._struck -= 1

    def _spawn(self, number: int, steps: Sequence[Step]) -> None:
        """Play steps as a task: each is an event, queued when the one before has returned."""
        if steps:
            play = partial(self._next, number, steps)
            self._sim.schedule(0, Context.TASK, f"task {number}: {steps[0].text}", play)

    def _next(self, number: int, steps: Sequence[Step]) -> None:
        # A step that waits, such as a stop, lets others run; where it is to go on is state.
        self._within.append((number, len(steps)))
        self._perform(steps[0])
        self._within.pop()
        self._spawn(number, steps[1:])

    # Steps.

    def _perform(self, step: Step) -> None:
        """Play one step; one that makes no sense now does nothing."""
        what, stage = step.what, self._stage
        if what == "o":
            stage.open(step.number)
        elif what == "i":
            self._settle()
        elif what == "r":
            self._let_happen(step.number)
        elif what in ("s", "t", "u"):
            self._stopped = self._stopped or what == "s"
            for order in self.orders:
                if order.launched and not order.over and self._may_find_it_stopped(order):
                    order.allowed |= _SHUTDOWN
            {"s": stage.stop, "t": stage.start, "u": stage.unregister}[what]()
        elif what == "R":
            self._settle()
            stage.rebind()
        elif what.startswith("f"):
            self._faults.arm(what, step.number)
        elif stage.transforms:
            self._perform_on(stage.transforms[step.number % len(stage.transforms)], step)

    def _perform_on(self, transform: Transform, step: Step) -> None:
        what, stage = step.what, self._stage
        if what in ("k", "b", "x"):
            {"k": stage.setkey, "b": stage.refused_key, "x": stage.free}[what](transform)
            return
        again = self._order(transform, True, step.variant) if what == "c" else None
        order = self._order(transform, what in "eEc", step.variant)
        self._launch(order, 0 if what.isupper() else _MAY_BACKLOG, again)

    def _let_happen(self, events: int) -> None:
        for _ in range(events):
            if not self._sim.step():
                return

    # Requests.

    def _order(self, transform: Transform, encrypt: bool, variant: int) -> Order:
        """Prepare a request; nothing of it is submitted."""
        self._faults.disarm()
        number, key = len(self.orders), transform.key
        bench, stock, memory = transform.bench, transform.stock, self.machine.memory
        before = memory.live_blocks
        swarm: CipherSwarm | HashSwarm
        if isinstance(bench, HashBench):
            swarm = HashSwarm(bench)
            swarm.add(transform.tfm, *stock.message(key, number, variant))
        else:
            swarm = CipherSwarm(bench)
            case = stock.cipher(encrypt, key, number, variant)
            swarm.add(transform.tfm, case, stock.layout(variant))
        self._stage.own_blocks += memory.live_blocks - before
        order = Order(number, swarm, key, encrypt, transform, transform.name)
        self.orders.append(order)
        return order

    def _launch(self, order: Order, flags: int, again: Order | None = None) -> None:
        """Submit a request; `again` follows from its completion callback."""
        transform: Transform = order.transform
        engines = self._stage.engines
        order.launched, order.flags = True, flags
        order.keyless = transform.stock.keyed and not transform.key
        order.rekeyed = transform.keying or transform.key != order.key
        order.full = any(len(engine.queue) >= engine.queue.max_qlen for engine in engines)
        if not all(engine.running for engine in engines) or self._may_find_it_stopped(order):
            order.allowed |= _SHUTDOWN
        if not flags & _MAY_BACKLOG and (self._queued_elsewhere or transform.in_steps):
            # A fallback's queue may be full when the engine hands the request on, and a
            # template's part when the request comes to its second step.
            order.allowed |= _NO_ROOM
        transform.orders.append(order)
        self._launched.append(order.number)
        turn = len(self._launched)
        order.ticket.ahead = self._under_way
        self._faults.strike(order, self.orders)
        self._sim.note(f"{order.what}: submitted")

        def completed(data: Any, status: int) -> None:
            self._completed(order, again, status)

        order.ticket.submit(flags, completed, order.flight.call)
        self._sim.note(f"{order.what}: submission returned {errno_name(order.ticket.submitted)}")
        if not order.ticket.pending:
            self._over(order, again)
        elif not self.program.preempt:
            order.turn = turn

    @property
    def _under_way(self) -> int:
        """How many requests were launched before and are not over."""
        return sum(not self.orders[number].over for number in self._launched[:-1])

    def _may_find_it_stopped(self, order: Order) -> bool:
        """Whether a later step of a request may: a stop does not wait for the hardware (5.6)."""
        return self._stopped and order.transform.in_steps

    def _completed(self, order: Order, again: Order | None, status: int) -> None:
        self._sim.note(f"{order.what}: called back with {errno_name(status)}")
        order.ticket.completed(status)
        if status != _EINPROGRESS and not order.over:
            self.finished.append(order.number)
            self._over(order, again)

    def _over(self, order: Order, again: Order | None) -> None:
        order.over = True
        self._faults.lift(order)
        if again is not None:
            self._launch(again, order.flags)

    # Verdicts.

    def _judge(self) -> list[Problem]:
        """What is wrong with the requests, their order, and the machine."""
        found = list(self._stage.found)
        for order in self.orders:
            if order.launched:
                wrong = verdict(order)
                found += [p._replace(details=(*p.details, order.what)) for p in wrong]
        found += order_problems(self.orders, self.finished)
        found += self._faults.problems(self.orders)
        for transform in list(self._stage.transforms):
            self._stage.free(transform)
        noticed = self._bench.machine_problems(self._mappings)
        left = self.machine.memory.live_blocks - self._stage.own_blocks
        if left - self._blocks > _KEPT_BLOCKS:
            before, after = f"{self._blocks} blocks", f"{left} blocks"
            noticed.append(Problem("memory left allocated", facts.LEAK, before, after))
        # What the engine itself does wrong explains what its requests look like.
        others = [problem for problem in noticed if problem.attribution != "driver"]
        return others + found + [problem for problem in noticed if problem not in others]
