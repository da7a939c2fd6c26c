"""The simulation: order, ties, contexts, and the kernel's deferred work."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from tcrypt.engine.sim import (
    AtomicSleepError,
    Context,
    Costs,
    Event,
    IrqLine,
    Simulation,
    SimulationError,
    StepBudgetError,
    Tasklet,
    Timer,
    WorkItem,
)


class Last:
    """Always runs the event that was queued last, and remembers what it chose from."""

    def __init__(self) -> None:
        self.offers: list[list[str]] = []

    def choose(self, ready: Sequence[Event]) -> int:
        self.offers.append([event.label for event in ready])
        return len(ready) - 1


class Always:
    """Gives the same answer whatever is asked."""

    def __init__(self, answer: int) -> None:
        self.answer = answer

    def choose(self, ready: Sequence[Event]) -> int:
        return self.answer


@pytest.fixture
def sim() -> Simulation:
    return Simulation()


def note(sim: Simulation, log: list[tuple[str, int]], name: str) -> Callable[[], None]:
    return lambda: log.append((name, sim.now))


def test_events_run_in_the_order_of_their_times(sim: Simulation) -> None:
    log: list[tuple[str, int]] = []
    for delay in (30, 10, 20):
        sim.schedule(delay, Context.TASK, str(delay), note(sim, log, str(delay)))
    assert sim.run()
    assert log == [("10", 10), ("20", 20), ("30", 30)]


def test_events_of_one_instant_run_in_the_order_of_queueing(sim: Simulation) -> None:
    log: list[tuple[str, int]] = []
    for name in "cab":
        sim.schedule(5, Context.TASK, name, note(sim, log, name))
    sim.run()
    assert [name for name, _ in log] == ["c", "a", "b"]


def test_an_event_queued_for_now_runs_after_those_that_wait(sim: Simulation) -> None:
    log: list[tuple[str, int]] = []

    def first() -> None:
        log.append(("first", sim.now))
        sim.schedule(0, Context.TASK, "late", note(sim, log, "late"))

    sim.schedule(1, Context.TASK, "first", first)
    sim.schedule(1, Context.TASK, "second", note(sim, log, "second"))
    sim.run()
    assert log == [("first", 1), ("second", 1), ("late", 1)]


def test_an_event_in_the_past_is_refused_by_name(sim: Simulation) -> None:
    with pytest.raises(SimulationError, match=r"event 'early' scheduled -1 ns ahead"):
        sim.schedule(-1, Context.TASK, "early", lambda: None)


def test_a_chooser_decides_ties_and_only_ties() -> None:
    chooser = Last()
    sim = Simulation(chooser)
    log: list[tuple[str, int]] = []
    for delay, name in ((5, "a"), (5, "b"), (5, "c"), (9, "alone")):
        sim.schedule(delay, Context.TASK, name, note(sim, log, name))
    sim.run()
    assert [name for name, _ in log] == ["c", "b", "a", "alone"]
    assert chooser.offers == [["a", "b", "c"], ["a", "b"]]


def test_a_chooser_is_not_offered_cancelled_events() -> None:
    chooser = Last()
    sim = Simulation(chooser)
    log: list[tuple[str, int]] = []
    for name in "abc":
        event = sim.schedule(5, Context.TASK, name, note(sim, log, name))
        if name == "b":
            event.cancel()
    sim.run()
    assert chooser.offers == [["a", "c"]]
    assert [name for name, _ in log] == ["c", "a"]


@pytest.mark.parametrize("answer", [-1, 2])
def test_a_chooser_that_answers_nonsense_is_named(answer: int) -> None:
    sim = Simulation(Always(answer))
    for name in "ab":
        sim.schedule(0, Context.TASK, name, lambda: None)
    with pytest.raises(SimulationError, match=f"chooser answered {answer} for 2 ready events"):
        sim.run()


def test_a_cancelled_event_does_not_run_nor_count(sim: Simulation) -> None:
    event = sim.schedule(5, Context.TASK, "gone", lambda: pytest.fail("it ran"))
    event.cancel()
    event.cancel()
    assert sim.idle
    assert sim.run()
    assert (sim.now, sim.steps) == (0, 0)


def test_run_stops_when_the_condition_holds(sim: Simulation) -> None:
    log: list[tuple[str, int]] = []
    for delay in (10, 20, 30):
        sim.schedule(delay, Context.TASK, "tick", note(sim, log, "tick"))
    assert sim.run(until=lambda: len(log) == 2)
    assert sim.now == 20
    assert not sim.idle


@pytest.mark.parametrize("until", [None, lambda: False], ids=["plain", "with a condition"])
def test_the_deadline_is_reached_but_not_passed(
    sim: Simulation, until: Callable[[], bool] | None
) -> None:
    log: list[tuple[str, int]] = []
    for delay in (10, 25, 26):
        sim.schedule(delay, Context.TASK, "tick", note(sim, log, "tick"))
    assert not sim.run(until=until, deadline=25)
    assert log == [("tick", 10), ("tick", 25)]
    assert sim.now == 25
    assert sim.run(until=until, deadline=26)


@pytest.mark.parametrize("until", [None, lambda: False], ids=["plain", "with a condition"])
def test_the_step_budget_bounds_a_machine_that_never_rests(
    sim: Simulation, until: Callable[[], bool] | None
) -> None:
    def again() -> None:
        sim.schedule(1, Context.TASK, "again", again)

    again()
    with pytest.raises(StepBudgetError, match=r"100 events without an end, now 100 ns"):
        sim.run(until=until, max_steps=100)
    assert sim.steps == 100


def test_the_step_budget_counts_from_the_call(sim: Simulation) -> None:
    for _ in range(2):
        for _ in range(5):
            sim.schedule(1, Context.TASK, "tick", lambda: None)
        assert sim.run(max_steps=5)


def test_an_exception_leaves_the_outer_context(sim: Simulation) -> None:
    def fail() -> None:
        raise ValueError("planted")

    sim.schedule(0, Context.HARDIRQ, "fail", fail)
    with pytest.raises(ValueError, match="planted"):
        sim.run()
    assert sim.context is Context.TASK
    assert sim.idle


def test_sleeping_lets_everything_else_run(sim: Simulation) -> None:
    log: list[tuple[str, int]] = []

    def sleeper() -> None:
        sim.sleep(100)
        log.append(("sleeper", sim.now))

    sim.schedule(10, Context.WORK, "sleeper", sleeper)
    sim.schedule(60, Context.TASK, "inside", note(sim, log, "inside"))
    sim.schedule(111, Context.TASK, "behind", note(sim, log, "behind"))
    sim.run()
    assert log == [("inside", 60), ("sleeper", 110), ("behind", 111)]


def test_sleeps_nest(sim: Simulation) -> None:
    log: list[tuple[str, int, Context]] = []

    def inner() -> None:
        sim.sleep(500)
        log.append(("inner", sim.now, sim.context))

    def outer() -> None:
        sim.schedule(50, Context.TASK, "inner", inner)
        sim.sleep(100)
        # The inner sleeper ran on this one's stack, so this one wakes up late; not before it.
        log.append(("outer", sim.now, sim.context))

    sim.schedule(0, Context.WORK, "outer", outer)
    sim.run()
    assert log == [("inner", 550, Context.TASK), ("outer", 550, Context.WORK)]


def test_sleep_runs_nothing_of_the_time_behind_it(sim: Simulation) -> None:
    log: list[tuple[str, int]] = []
    sim.schedule(50, Context.TASK, "cancelled", lambda: None).cancel()
    sim.schedule(1_000, Context.TASK, "later", note(sim, log, "later"))
    sim.sleep(100)
    assert (log, sim.now) == ([], 100)


@pytest.mark.parametrize("context", [Context.SOFTIRQ, Context.HARDIRQ])
def test_atomic_contexts_must_not_sleep(sim: Simulation, context: Context) -> None:
    sim.schedule(0, context, "sleeper", lambda: sim.sleep(1, "usleep_range"))
    with pytest.raises(AtomicSleepError, match=f"usleep_range sleeps in {context.value} context"):
        sim.run()


@pytest.mark.parametrize("context", [Context.TASK, Context.WORK, Context.DEVICE])
def test_other_contexts_may_sleep(sim: Simulation, context: Context) -> None:
    sim.schedule(0, context, "sleeper", lambda: sim.sleep(7))
    assert sim.run()
    assert sim.now == 7


def test_bottom_halves_disabled_are_softirq_context_and_nest(sim: Simulation) -> None:
    sim.local_bh_disable()
    sim.local_bh_disable()
    sim.local_bh_enable()
    assert sim.in_softirq
    assert sim.in_atomic
    with pytest.raises(AtomicSleepError):
        sim.might_sleep("anything")
    sim.local_bh_enable()
    assert not sim.in_softirq
    assert not sim.in_atomic
    with pytest.raises(SimulationError, match="without local_bh_disable"):
        sim.local_bh_enable()


def test_hard_interrupts_are_atomic_but_no_softirq(sim: Simulation) -> None:
    seen = []
    sim.schedule(0, Context.HARDIRQ, "irq", lambda: seen.append((sim.in_atomic, sim.in_softirq)))
    sim.run()
    assert seen == [(True, False)]


def test_a_work_item_is_queued_once(sim: Simulation) -> None:
    runs: list[int] = []
    item = WorkItem(sim, "work", lambda: runs.append(sim.now))
    assert [item.queue(), item.queue()] == [True, False]
    assert item.pending
    sim.run()
    assert runs == [sim.costs.work]
    assert not item.pending
    assert item.queue()
    sim.run()
    assert len(runs) == 2


def test_a_work_item_may_queue_itself_and_moves_the_clock(sim: Simulation) -> None:
    runs: list[int] = []

    def again() -> None:
        runs.append(sim.now)
        if len(runs) < 3:
            assert item.queue()
            assert not item.queue()

    item = WorkItem(sim, "work", again)
    item.queue()
    sim.run()
    step = sim.costs.work
    assert runs == [step, 2 * step, 3 * step]


def test_a_work_item_never_runs_twice_at_once(sim: Simulation) -> None:
    log: list[str] = []

    def sleeper() -> None:
        log.append("begin")
        sim.sleep(100_000)
        log.append("end")

    item = WorkItem(sim, "work", sleeper)
    item.queue()
    sim.schedule(5_000, Context.SOFTIRQ, "requeue", lambda: log.append(f"queue {item.queue()}"))
    sim.schedule(6_000, Context.SOFTIRQ, "requeue", lambda: log.append(f"queue {item.queue()}"))
    sim.run()
    assert log == ["begin", "queue True", "queue False", "end", "begin", "end"]


def test_a_cancelled_work_item_does_not_run(sim: Simulation) -> None:
    item = WorkItem(sim, "work", lambda: pytest.fail("it ran"))
    item.queue()
    item.cancel()
    item.cancel()
    assert not item.pending
    assert sim.idle


def test_a_tasklet_runs_once_for_many_schedules_in_softirq_context(sim: Simulation) -> None:
    runs: list[tuple[int, Context]] = []
    tasklet = Tasklet(sim, "tasklet", lambda: runs.append((sim.now, sim.context)))
    tasklet.schedule()
    tasklet.schedule()
    sim.run()
    assert runs == [(sim.costs.softirq, Context.SOFTIRQ)]


def test_a_tasklet_scheduled_while_it_runs_runs_again(sim: Simulation) -> None:
    runs: list[int] = []

    def function() -> None:
        runs.append(sim.now)
        if len(runs) == 1:
            tasklet.schedule()

    tasklet = Tasklet(sim, "tasklet", function)
    tasklet.schedule()
    sim.run()
    assert len(runs) == 2


def test_a_timer_fires_once_in_its_context(sim: Simulation) -> None:
    fired: list[tuple[int, Context]] = []
    timer = Timer(sim, "timer", lambda: fired.append((sim.now, sim.context)), Context.HARDIRQ)
    timer.start(40)
    assert timer.pending
    sim.run()
    assert fired == [(40, Context.HARDIRQ)]
    assert not timer.pending


def test_starting_a_timer_again_moves_it(sim: Simulation) -> None:
    fired: list[int] = []
    timer = Timer(sim, "timer", lambda: fired.append(sim.now))
    timer.start(40)
    sim.schedule(30, Context.TASK, "restart", lambda: timer.start(40))
    sim.run()
    assert fired == [70]


def test_a_cancelled_timer_does_not_fire(sim: Simulation) -> None:
    timer = Timer(sim, "timer", lambda: pytest.fail("it fired"))
    timer.start(40)
    timer.cancel()
    timer.cancel()
    assert not timer.pending
    assert sim.run()


def test_an_interrupt_is_delivered_until_its_line_is_low(sim: Simulation) -> None:
    line = IrqLine(sim, "eip93")
    seen: list[tuple[int, Context]] = []

    def handler() -> None:
        seen.append((sim.now, sim.context))
        if len(seen) == 3:
            line.set_level(False)

    line.request(handler)
    line.set_level(True)
    sim.run()
    step = sim.costs.irq
    assert seen == [(n * step, Context.HARDIRQ) for n in (1, 2, 3)]
    assert line.delivered == 3


def test_a_line_that_drops_before_delivery_is_not_delivered(sim: Simulation) -> None:
    line = IrqLine(sim, "eip93")
    line.request(lambda: pytest.fail("a spurious interrupt"))
    line.set_level(True)
    line.set_level(False)
    sim.run()
    assert line.delivered == 0


def test_a_line_raised_while_its_handler_runs_is_delivered_once_more(sim: Simulation) -> None:
    line = IrqLine(sim, "eip93")

    def handler() -> None:
        line.set_level(False)
        if line.delivered == 1:
            line.set_level(True)

    line.request(handler)
    line.set_level(True)
    sim.run()
    assert line.delivered == 2


def test_a_high_line_waits_for_a_handler(sim: Simulation) -> None:
    line = IrqLine(sim, "eip93")
    line.set_level(True)
    assert sim.idle
    line.request(lambda: line.set_level(False))
    sim.run()
    assert line.delivered == 1


def test_a_freed_line_is_quiet_and_can_be_requested_again(sim: Simulation) -> None:
    line = IrqLine(sim, "eip93")
    line.request(lambda: pytest.fail("freed"))
    with pytest.raises(SimulationError, match="interrupt line eip93 is already requested"):
        line.request(lambda: None)
    line.set_level(True)
    line.free()
    sim.run()
    assert line.delivered == 0
    line.request(lambda: line.set_level(False))
    sim.run()
    assert line.delivered == 1


def test_costs_say_how_long_deferred_work_takes() -> None:
    sim = Simulation(costs=Costs(work=7, softirq=11, irq=13))
    times: dict[str, int] = {}

    def noting(name: str) -> Callable[[], None]:
        return lambda: times.update({name: sim.now})

    WorkItem(sim, "work", noting("work")).queue()
    Tasklet(sim, "tasklet", noting("softirq")).schedule()
    line = IrqLine(sim, "line")

    def handler() -> None:
        times["irq"] = sim.now
        line.set_level(False)

    line.request(handler)
    line.set_level(True)
    sim.run()
    assert times == {"work": 7, "softirq": 11, "irq": 13}


def _busy(sim: Simulation) -> None:
    """Work, tasklets, timers and cancelled events that depend on each other."""
    tasklet = Tasklet(sim, "tasklet", lambda: None)
    item = WorkItem(sim, "work", tasklet.schedule)

    def fire() -> None:
        item.queue()

    timer = Timer(sim, "timer", fire)

    def tick(left: int) -> None:
        timer.start(left * 37 % 11)
        if left:
            sim.schedule(left * 29 % 13, Context.DEVICE, f"tick {left}", lambda: tick(left - 1))

    tick(80)
    sim.run()


@pytest.mark.parametrize("make", [Simulation, lambda: Simulation(Last())], ids=["fifo", "chosen"])
def test_equal_inputs_run_equally(make: Callable[[], Simulation]) -> None:
    traces = []
    for _ in range(2):
        sim = make()
        sim.trace = []
        _busy(sim)
        traces.append((sim.trace, sim.now, sim.steps))
    assert traces[0] == traces[1]
    assert len(traces[0][0]) > 100, "too little happened to compare"


def test_notes_stand_in_the_trace_beside_events(sim: Simulation) -> None:
    sim.note("nobody listens")
    sim.trace = []
    sim.schedule(5, Context.HARDIRQ, "event", lambda: sim.note("noted"))
    assert sim.step()
    assert not sim.step()
    assert sim.trace == [(5, Context.HARDIRQ, "event"), (5, Context.HARDIRQ, "noted")]


def test_tracing_changes_nothing() -> None:
    plain, traced = Simulation(), Simulation()
    traced.trace = []
    _busy(plain)
    _busy(traced)
    assert (plain.now, plain.steps) == (traced.now, traced.steps)
    assert traced.steps == len(traced.trace)


def test_within_a_window_a_later_event_may_overtake() -> None:
    chooser = Last()
    sim = Simulation(chooser)
    sim.window = 100
    log: list[tuple[str, int]] = []
    for delay, name in ((0, "a"), (99, "b"), (150, "c")):
        sim.schedule(delay, Context.TASK, name, note(sim, log, name))
    sim.run()
    assert chooser.offers == [["a", "b"]]
    assert log == [("b", 99), ("a", 99), ("c", 150)]


def test_what_a_device_does_stays_in_its_order() -> None:
    chooser = Last()
    sim = Simulation(chooser)
    sim.window = 100
    for delay, context, name in (
        (0, Context.DEVICE, "packet 1"),
        (10, Context.DEVICE, "packet 2"),
        (20, Context.WORK, "pump"),
    ):
        sim.schedule(delay, context, name, lambda: None)
    sim.run()
    assert chooser.offers == [["packet 1", "pump"]]
