"""What may strike inside of a running callback, and what a spinlock keeps out."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from tcrypt.engine.preemption import DeadlockError, PreemptibleMmio, SpinLock
from tcrypt.engine.sim import AtomicSleepError, Context, Simulation, SimulationError, Tasklet

_CPU = (Context.TASK, Context.WORK, Context.SOFTIRQ, Context.HARDIRQ)
# Who may strike whom where nothing is disabled; the device always goes on.
_STRIKES = {
    Context.TASK: {Context.TASK, Context.WORK, Context.SOFTIRQ, Context.HARDIRQ},
    Context.WORK: {Context.TASK, Context.WORK, Context.SOFTIRQ, Context.HARDIRQ},
    Context.SOFTIRQ: {Context.HARDIRQ},
    Context.HARDIRQ: set(),
}


@pytest.fixture
def sim() -> Simulation:
    return Simulation()


def struck(sim: Simulation, victim: Context, body: Callable[[], None]) -> set[Context]:
    """Who ran inside of `body`, which runs in context `victim` and lets 100 ns pass."""
    inside: set[Context] = set()
    running = False

    def strike(context: Context) -> None:
        if running:
            inside.add(context)

    def run() -> None:
        nonlocal running
        for context in Context:
            sim.schedule(50, context, context.value, partial(strike, context))
        running = True
        body()
        running = False

    sim.schedule(0, victim, "victim", run)
    assert sim.run()
    return inside


@pytest.mark.parametrize("victim", _CPU, ids=lambda context: context.value)
def test_contexts_strike_those_below_them(sim: Simulation, victim: Context) -> None:
    expected = {Context.DEVICE, *_STRIKES[victim]}
    assert struck(sim, victim, lambda: sim.let_pass(100)) == expected


@pytest.mark.parametrize(
    ("enter", "leave", "kept_out"),
    [
        ("local_irq_save", "local_irq_restore", set(_CPU)),
        ("local_bh_disable", "local_bh_enable", set(_CPU) - {Context.HARDIRQ}),
        ("preempt_disable", "preempt_enable", {Context.TASK, Context.WORK}),
    ],
)
def test_a_section_keeps_its_contexts_out(
    sim: Simulation, enter: str, leave: str, kept_out: set[Context]
) -> None:
    def body() -> None:
        getattr(sim, enter)()
        getattr(sim, enter)()
        getattr(sim, leave)()
        sim.let_pass(100)
        with pytest.raises(AtomicSleepError):
            sim.might_sleep("a section")
        getattr(sim, leave)()

    assert struck(sim, Context.TASK, body) == set(Context) - kept_out
    with pytest.raises(SimulationError, match=f"{leave} without {enter}"):
        getattr(sim, leave)()


def test_nothing_strikes_before_its_time(sim: Simulation) -> None:
    assert struck(sim, Context.TASK, lambda: sim.let_pass(49)) == set()


def test_what_was_kept_out_runs_afterwards(sim: Simulation) -> None:
    ran: list[str] = []

    def body() -> None:
        sim.schedule(10, Context.HARDIRQ, "irq", lambda: ran.append("irq"))
        with SpinLock(sim, "lock"):
            sim.let_pass(100)
            ran.append("section")

    sim.schedule(0, Context.TASK, "task", body)
    sim.run()
    assert ran == ["section", "irq"]


def test_the_context_is_that_of_the_striker_and_then_the_old_one(sim: Simulation) -> None:
    seen: list[Context] = []

    def body() -> None:
        sim.schedule(1, Context.HARDIRQ, "irq", lambda: seen.append(sim.context))
        sim.let_pass(10)
        seen.append(sim.context)

    sim.schedule(0, Context.WORK, "work", body)
    sim.run()
    assert seen == [Context.HARDIRQ, Context.WORK]
    assert sim.now == 10


def test_points_are_offered_only_to_who_asks(sim: Simulation) -> None:
    labels: list[str] = []
    sim.preemption_point("nobody")
    sim.preemption_points = labels.append
    sim.preemption_point("somebody")
    assert labels == ["somebody"]


def test_a_lock_taken_twice_deadlocks(sim: Simulation) -> None:
    lock = SpinLock(sim, "ring")
    with lock, pytest.raises(DeadlockError, match="ring is held by the code that this task"), lock:
        pytest.fail("taken twice")
    assert not lock.held
    assert not sim.in_atomic


def test_a_lock_that_nobody_holds_is_not_released(sim: Simulation) -> None:
    with pytest.raises(SimulationError, match="ring is released, but nobody holds it"):
        SpinLock(sim, "ring").release()


@pytest.mark.parametrize("interrupts_off", [True, False], ids=["irqsave", "plain"])
def test_only_a_lock_with_interrupts_off_is_safe_against_a_tasklet(
    sim: Simulation, interrupts_off: bool
) -> None:
    lock = SpinLock(sim, "ring")
    taken: list[bool] = []

    def tasklet() -> None:
        with lock:
            taken.append(True)

    def body() -> None:
        Tasklet(sim, "done", tasklet).schedule()
        if interrupts_off:
            with lock:
                sim.let_pass(1_000)
        else:
            lock.acquire()
            sim.let_pass(1_000)

    sim.schedule(0, Context.WORK, "work", body)
    if interrupts_off:
        sim.run()
        assert taken == [True]
    else:
        with pytest.raises(DeadlockError):
            sim.run()


class Register:
    """One register, and when it was accessed."""

    def __init__(self, sim: Simulation) -> None:
        self.sim = sim
        self.value = 0
        self.times: list[int] = []

    def read32(self, offset: int) -> int:
        self.times.append(self.sim.now)
        return self.value

    def write32(self, offset: int, value: int) -> None:
        self.times.append(self.sim.now)
        self.value = value


def test_accesses_can_be_interrupted_before_they_arrive(sim: Simulation) -> None:
    register = Register(sim)
    mmio = PreemptibleMmio(register, sim)
    sim.preemption_points = lambda _: sim.let_pass(10)
    mmio.write32(0, 5)
    sim.schedule(15, Context.DEVICE, "device", lambda: register.write32(0, 6))
    # What the device does while the answer is on its way does not change it.
    assert mmio.read32(0) == 5
    assert register.times == [10, 20, 25]
    assert mmio.read32(0) == 6


def test_a_killed_tasklet_does_not_run_and_can_be_scheduled_again(sim: Simulation) -> None:
    ran: list[bool] = []
    tasklet = Tasklet(sim, "done", lambda: ran.append(True))
    tasklet.schedule()
    tasklet.kill()
    sim.run()
    assert ran == []
    tasklet.schedule()
    sim.run()
    assert ran == [True]
