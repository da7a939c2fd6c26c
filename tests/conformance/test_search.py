"""The search itself: schedules as tokens, states by number, and every schedule exactly once."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from itertools import permutations
from pathlib import Path

import pytest

from tcrypt.engine.api.machine import Machine
from tcrypt.engine.sim import Context
from tcrypt.problems import Problem
from tcrypt.search.exhaustive import explore
from tcrypt.search.fingerprint import LEFT_OUT, fingerprint
from tcrypt.search.program import Program, parse_steps
from tcrypt.search.runner import program_of
from tcrypt.search.script import Script, choices_text, parse_choices
from tcrypt.specs import SpecError

Look = Callable[[int], None]


def racing(*tasks: str) -> tuple[Callable[[Script, Look], list[Problem]], set[str]]:
    """Tasks of one letter for each step, at once on a machine; and the orders that were seen."""
    seen: set[str] = set()

    def play(script: Script, look: Look) -> list[Problem]:
        machine = Machine()
        sim, ran = machine.sim, bytearray()
        sim.chooser, sim.window = script, 1_000
        script.watch = lambda: look(fingerprint(machine, [bytes(ran)]))

        def start(task: str) -> None:
            if task:
                sim.schedule(7, Context.TASK, task, lambda: step(task))

        def step(task: str) -> None:
            ran.extend(task[0].encode())
            start(task[1:])

        for task in tasks:
            start(task)
        sim.run()
        seen.add(ran.decode())
        return []

    return play, seen


def test_every_schedule_is_run_once() -> None:
    play, seen = racing("a", "b", "c", "d")
    outcome = explore(play, 1_000, hashing=False)
    assert seen == {"".join(order) for order in permutations("abcd")}
    assert outcome.schedules == outcome.runs == len(seen)
    assert outcome.exhausted


def test_the_steps_of_one_task_stay_in_order() -> None:
    play, seen = racing("ab", "xy")
    explore(play, 1_000, hashing=False)
    assert seen == {"abxy", "axby", "axyb", "xaby", "xayb", "xyab"}


def test_a_state_that_was_met_is_not_explored_again() -> None:
    counts = []
    for hashing in (False, True):

        def play(script: Script, look: Look) -> list[Problem]:
            machine = Machine()
            machine.sim.chooser = script
            script.watch = lambda: look(fingerprint(machine))
            for name in "abcdef":
                machine.sim.schedule(0, Context.TASK, name, lambda: None)
            machine.sim.run()
            return []

        outcome = explore(play, 1_000, hashing=hashing)
        assert outcome.exhausted
        counts.append(outcome.runs)
    assert counts[0] == 720
    # What is left to run is a set of events: 57 of them have two members or more.
    assert outcome.states == 57
    assert counts[1] < counts[0]


def test_a_bound_that_is_reached_is_told() -> None:
    play, seen = racing("a", "b", "c", "d")
    outcome = explore(play, 10, hashing=False)
    assert (outcome.runs, outcome.exhausted, len(seen)) == (10, False, 10)


def test_the_choices_of_a_failure_lead_to_it_again() -> None:
    ends: list[str] = []

    def judged(script: Script, look: Look) -> list[Problem]:
        play_once, seen = racing("a", "b", "c")
        play_once(script, lambda state: None)
        (end,) = seen
        ends.append(end)
        return [Problem("c came before a", "")] if end.index("c") < end.index("a") else []

    outcome = explore(judged, 100, hashing=False)
    assert outcome.failing is not None
    choices, problems = outcome.failing
    assert problems[0].message == "c came before a"
    failed = ends[-1]
    judged(Script(choices), lambda state: None)
    assert ends[-1] == failed


def test_choices_count_round_and_end_in_zeros() -> None:
    script = Script((5, 1))
    assert [script.pick(3), script.pick(2), script.pick(4)] == [2, 1, 0]
    assert (script.offers, script.taken) == ([3, 2, 4], [2, 1, 0])


@pytest.mark.parametrize("choices", [(), (1,), (0, 2, 1)])
def test_choices_are_read_back(choices: tuple[int, ...]) -> None:
    assert parse_choices(choices_text(choices)) == choices


def test_zeros_at_the_end_of_choices_are_left_out() -> None:
    assert choices_text((1, 0, 0)) == "1"


@pytest.mark.parametrize("text", ["1.", "a", "1.-2", "256", "\u0663"])
def test_choices_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a number from 0 to 255"):
        parse_choices(text)


def test_a_program_is_read_back() -> None:
    token = "ring=4,queue=2,steps=o0.e0/3.k1.r12.fe.fm2.R.i,tasks=E0+s.t,window=600,choices=0.2"
    program = Program.parse(token)
    assert program.token == token
    assert [step.text for step in program.sequence()] == "o0 e0/3 k1 r12 fe fm2 R i".split()
    assert [[step.text for step in task] for task in program.parallel()] == [["E0"], ["s", "t"]]


@pytest.mark.parametrize("steps", ["q0", "e", "i3", "k0/2", "e0/", "e0..i", "fx"])
def test_a_step_that_is_none_is_named(steps: str) -> None:
    with pytest.raises(SpecError, match="is not one that this version knows"):
        parse_steps(steps)


@pytest.mark.parametrize("token", ["two-requests", "ring=1,steps=o0", "steps=q0", "choices=x"])
def test_what_is_no_program_is_not_taken_for_one(token: str) -> None:
    assert program_of(token) is None


def test_equal_machines_have_equal_numbers() -> None:
    assert fingerprint(Machine()) == fingerprint(Machine())


def test_times_do_not_count_but_what_is_queued_does() -> None:
    numbers = []
    for delay, label in ((0, "a"), (300, "a"), (0, "b")):
        machine = Machine()
        machine.sim.schedule(delay, Context.TASK, label, machine.sim.local_bh_disable)
        numbers.append(fingerprint(machine))
    assert numbers[0] == numbers[1] != numbers[2]


def test_a_closure_and_memory_are_state() -> None:
    def machine(count: int, content: bytes) -> Machine:
        made = Machine()
        made.memory.write(made.memory.alloc(64), content)
        made.sim.schedule(0, Context.TASK, "later", lambda: print(count))
        return made

    assert fingerprint(machine(1, b"x")) == fingerprint(machine(1, b"x"))
    assert fingerprint(machine(1, b"x")) != fingerprint(machine(2, b"x"))
    assert fingerprint(machine(1, b"x")) != fingerprint(machine(1, b"y"))
    assert fingerprint(machine(-1, b"x")) != fingerprint(machine(-2, b"x"))


@pytest.mark.parametrize(("place", "name"), sorted(LEFT_OUT))
def test_what_is_left_out_of_a_state_exists(place: str, name: str) -> None:
    module, _, owner = place.rpartition(".")
    text = Path(import_module(module).__file__ or "").read_text(encoding="utf-8")
    assert hasattr(import_module(module), owner)
    assert f"self.{name}" in text
