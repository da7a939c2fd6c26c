"""The verdict on a hash: each misdeed has its own problem, and the next case is clean."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

import pytest

from tcrypt import facts
from tcrypt.engine import templates
from tcrypt.engine.api.algorithms import AhashAlg, ShashAlg
from tcrypt.engine.api.dma import DmaDirection
from tcrypt.engine.api.flags import AlgType, ReqFlag
from tcrypt.engine.api.machine import Machine, Setup
from tcrypt.engine.api.memory import Buffer
from tcrypt.engine.api.scatterlist import Scatterlist, Segment
from tcrypt.engine.api.shash import ahash_view
from tcrypt.engine.sim import Context
from tcrypt.engine.software import software_algs
from tcrypt.hash_bench import HashBench, HashCase, Steps
from tcrypt.layouts import HASH_LAYOUTS, HashLayout, hash_layout
from tcrypt.oracle import HashReference, reference
from tcrypt.problems import Problem
from tcrypt.specs import HashSpec
from tcrypt.subject import Provider, Subject
from tcrypt.swarm import HashSwarm
from tcrypt.watchdog import Watchdog

_EINPROGRESS = -errno.EINPROGRESS
_STEPS = hash_layout("init-update-update-final-two-even-splits")
_DIGEST = hash_layout("digest-aligned-buffer")
_FINUP = hash_layout("init-finup-aligned-buffer")
_REIMPORT = hash_layout("import-export")
_CALLS = ("hash_init", "update", "final", "finup", "digest", "export", "import_state")

Right = Callable[..., int]
Misdeed = Callable[[Machine, Any, Right], Any]


def later(machine: Machine, request: Any, right: Right) -> int:
    """Do the right thing in softirq context."""

    def done() -> None:
        request.complete(request.data, right())

    machine.sim.schedule(1_000, Context.SOFTIRQ, "planted", done)
    return _EINPROGRESS


class Planted:
    """A provider of one hash driver; `misdeeds` names the steps that go wrong."""

    def __init__(self, name: str = "sha1", **misdeeds: Any) -> None:
        self.misdeeds: dict[str, Misdeed] = misdeeds
        self.machines: list[Machine] = []
        self.generics = software_algs()
        found = self.bare(Setup()).registry.find(name, AlgType.SHASH)
        assert isinstance(found, ShashAlg)
        right = ahash_view(found)
        calls = {step: self.step(step, getattr(right, step)) for step in _CALLS}
        self.alg: AhashAlg = right.variant(cra_driver_name="planted", **calls)

    def step(self, name: str, right: Right) -> Callable[..., Any]:
        def call(request: Any, *state: Buffer) -> Any:
            misdeed = self.misdeeds.get(name)
            if misdeed is None:
                return right(request, *state)
            return misdeed(request.tfm.machine, request, lambda: right(request, *state))

        return call

    def bare(self, setup: Setup) -> Machine:
        """A machine with the same generics, on which the driver computes."""
        machine = Machine(setup=setup)
        for alg in self.generics:
            machine.registry.register(alg)
        templates.register(machine)
        return machine

    def build(self, setup: Setup) -> Machine:
        machine = self.bare(setup)
        machine.registry.register(self.alg)
        self.machines.append(machine)
        return machine

    def bench(self) -> HashBench:
        return HashBench(Subject(Provider("planted", self.build), self.alg), Watchdog(30.0))


def case(length: int = 150, name: str = "sha1") -> HashCase:
    found = reference(name)
    assert isinstance(found, HashReference)
    return HashSpec(length, 20 if found.keyed else -1).case(found)


def verdict(layout: HashLayout = _STEPS, **misdeeds: Any) -> list[Problem]:
    """What the bench says, after it was seen to recover: the next case passes, elsewhere."""
    planted = Planted(**misdeeds)
    bench = planted.bench()
    found = bench.check(case(), layout)
    where = bench.machine
    planted.misdeeds = {}
    assert bench.check(case(), layout) == []
    assert (bench.machine is where) == (not found), (
        "a fresh machine after a failure, and only then"
    )
    return found


def only(found: list[Problem]) -> Problem:
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize("layout", HASH_LAYOUTS, ids=lambda layout: layout.name)
@pytest.mark.parametrize("name", ["sha1", "sha256", "hmac(sha1)", "hmac(sha256)"])
@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_right_driver_has_no_problem(name: str, layout: HashLayout, asynchronous: bool) -> None:
    steps = ("update", "final", "finup", "digest") if asynchronous else ()
    bench = Planted(name, **dict.fromkeys(steps, later)).bench()
    for length in (0, 1, 63, 64, 65, 300):
        assert bench.check(case(length, name), layout) == []


# Life cycle, in any step.


def completes_twice(machine: Machine, request: Any, right: Right) -> int:
    later(machine, request, right)
    return later(machine, request, lambda: 0)


def returns_and_calls_back(machine: Machine, request: Any, right: Right) -> int:
    later(machine, request, lambda: 0)
    return right()


def never_completes(machine: Machine, request: Any, right: Right) -> int:
    return _EINPROGRESS


def answers_nonsense(machine: Machine, request: Any, right: Right) -> Any:
    right()
    return None


def completes_in_process_context(machine: Machine, request: Any, right: Right) -> int:
    machine.sim.schedule(0, Context.WORK, "x", lambda: request.complete(request.data, right()))
    return _EINPROGRESS


@pytest.mark.parametrize(
    ("misdeed", "message", "fact"),
    [
        (completes_twice, "completed more than once", facts.ONCE),
        (returns_and_calls_back, "returned a status and called back as well", facts.ONCE),
        (never_completes, "accepted and never completed", facts.PROGRESS),
        (answers_nonsense, "status is neither 0 nor a negative errno", facts.STATUS),
        (completes_in_process_context, "completed with bottom halves enabled", facts.CONTEXT),
    ],
    ids=lambda value: value.__name__ if callable(value) else None,
)
@pytest.mark.parametrize(
    ("step", "layout"),
    [("update", _STEPS), ("final", _STEPS), ("finup", _FINUP), ("digest", _DIGEST)],
    ids=["update", "final", "finup", "digest"],
)
def test_a_broken_life_cycle(
    step: str, layout: HashLayout, misdeed: Misdeed, message: str, fact: str
) -> None:
    found = only(verdict(layout, **{step: misdeed}))
    assert (found.message, found.fact) == (message, fact)


@pytest.mark.parametrize(
    ("step", "name", "layout"),
    [
        ("hash_init", "init", _STEPS),
        ("update", "update", _STEPS),
        ("final", "final", _STEPS),
        ("finup", "finup", _FINUP),
        ("digest", "digest", _DIGEST),
        ("export", "export", _REIMPORT),
        ("import_state", "import", _REIMPORT),
    ],
)
def test_a_step_that_fails(step: str, name: str, layout: HashLayout) -> None:
    found = only(verdict(layout, **{step: lambda machine, request, right: -errno.EIO}))
    assert (found.message, found.fact) == (f"wrong status of {name}", facts.STATUS)
    assert (found.expected, found.got) == ("0", "-EIO")


@pytest.mark.parametrize("step", ["export", "import_state"])
def test_export_and_import_do_not_sleep_nor_complete_later(step: str) -> None:
    found = only(verdict(_REIMPORT, **{step: later}))
    assert (found.message.split()[-1], found.got) == (step.split("_")[0], "-EINPROGRESS")


def test_a_step_that_raises() -> None:
    def raises(machine: Machine, request: Any, right: Right) -> int:
        raise KeyError("planted")

    assert only(verdict(update=raises)).message == "hash raised KeyError"


def test_a_step_that_never_ends() -> None:
    def spins(machine: Machine, request: Any, right: Right) -> int:
        def again() -> None:
            machine.sim.schedule(1_000_000_000, Context.WORK, "poll", again)

        again()
        return _EINPROGRESS

    found = only(verdict(final=spins))
    assert (found.message, found.fact) == ("hash never ends", facts.PROGRESS)


# Request and memory.


def changes(**fields: Any) -> Misdeed:
    """Do the right thing, and change fields of the request."""

    def misdeed(machine: Machine, request: Any, right: Right) -> int:
        status = right()
        for name, value in fields.items():
            setattr(request, name, value)
        return status

    return misdeed


def consumes_the_list(machine: Machine, request: Any, right: Right) -> int:
    status = right()
    request.src.entries[0] = Segment(0, 0)
    return status


def moves_src(machine: Machine, request: Any, right: Right) -> int:
    status = right()
    request.src = Scatterlist(machine.memory, request.src.entries)
    return status


@pytest.mark.parametrize(
    ("misdeed", "detail"),
    [
        (changes(nbytes=3), "nbytes (75 is now 3)"),
        (changes(src=None), "src or result pointer"),
        (changes(result=None), "src or result pointer"),
        (changes(flags=0), "flags"),
        (changes(complete=print), "complete"),
        (changes(data=None), "data"),
        (changes(tfm=None), "tfm"),
        (moves_src, "src or result pointer"),
        (consumes_the_list, "scatterlist entries"),
    ],
    ids=["nbytes", "src", "result", "flags", "complete", "data", "tfm", "other list", "entries"],
)
def test_a_changed_request(misdeed: Misdeed, detail: str) -> None:
    found = only(verdict(update=misdeed))
    assert (found.message, found.fact) == ("request changed by the driver", facts.REQUEST)
    assert found.details == (detail,)


def pokes(where: Callable[[Any], int]) -> Misdeed:
    """Do the right thing, and write one wrong byte to an address."""

    def misdeed(machine: Machine, request: Any, right: Right) -> int:
        status = right()
        address = where(request)
        (old,) = machine.memory.read(address, 1)
        machine.memory.write(address, bytes([old ^ 0x80]))
        return status

    return misdeed


@pytest.mark.parametrize(
    ("distance", "side"), [(-1, "before"), (-32, "before"), (20, "behind"), (51, "behind")]
)
@pytest.mark.parametrize(("step", "layout"), [("final", _STEPS), ("digest", _DIGEST)])
def test_a_byte_around_the_result(step: str, layout: HashLayout, distance: int, side: str) -> None:
    misdeed = pokes(lambda request: request.result.address + distance)
    found = only(verdict(layout, **{step: misdeed}))
    assert found.message == f"memory {side} the result buffer overwritten"
    assert (found.fact, found.details) == (facts.GUARD, ("a buffer of 20 bytes",))


@pytest.mark.parametrize(("step", "name"), [("hash_init", "init"), ("update", "update")])
@pytest.mark.parametrize("where", [0, 19])
def test_a_step_before_the_last_that_writes_the_result(step: str, name: str, where: int) -> None:
    misdeed: Any = pokes(lambda request: request.result.address + where)
    found = only(verdict(**{step: misdeed}))
    assert (found.message, found.fact) == (
        f"{name} wrote to the result buffer",
        facts.RESULT_KEPT,
    )


@pytest.mark.parametrize("where", [0, 19])
def test_a_wrong_digest(where: int) -> None:
    found = only(verdict(final=pokes(lambda request: request.result.address + where)))
    assert (found.message, found.fact) == ("wrong digest", facts.OUTPUT)
    assert found.expected == case().digest.hex()
    assert found.got != found.expected


def test_a_digest_that_was_not_written() -> None:
    found = only(verdict(final=lambda machine, request, right: 0))
    assert (found.message, found.got) == ("wrong digest", "fe" * 20)


@pytest.mark.parametrize(
    "where",
    [
        lambda request: request.src.entries[0].address,
        lambda request: request.src.entries[0].address - 1,
        lambda request: sum(request.src.entries[-1]),
    ],
    ids=["inside", "before", "behind"],
)
def test_a_changed_message(where: Callable[[Any], int]) -> None:
    found = only(verdict(update=pokes(where)))
    assert found.message == "the message or memory around it changed"
    assert found.fact == facts.SOURCE


@pytest.mark.parametrize(("distance", "side"), [(-1, "before"), (96, "behind"), (127, "behind")])
def test_an_export_that_overruns(distance: int, side: str) -> None:
    planted = Planted()
    right = planted.alg.export

    def overruns(request: Any, out: Buffer) -> int:
        status = right(request, out)
        out.memory.write(out.address + distance, b"\0")
        return status

    planted.alg.export = overruns
    found = only(planted.bench().check(case(), _REIMPORT))
    assert found.message == f"memory {side} the state buffer overwritten"
    assert (found.fact, found.details) == (facts.STATE_SIZE, ("a buffer of 96 bytes",))


def test_a_state_kept_outside_of_the_request_does_not_survive() -> None:
    kept: dict[int, Any] = {}

    def keeps(machine: Machine, request: Any, right: Right) -> int:
        status = right()
        kept[id(request)] = request.ctx
        return status

    def forgets(machine: Machine, request: Any, right: Right) -> int:
        request.ctx = kept.get(id(request))
        return 0

    found = only(verdict(_REIMPORT, hash_init=keeps, import_state=forgets))
    assert found.message.startswith("hash raised")


def test_an_import_that_keeps_the_callers_buffer() -> None:
    planted = Planted()
    right = planted.alg.import_state
    pending: dict[int, Buffer] = {}

    def lazy(request: Any, state: Buffer) -> int:
        pending[id(request)] = state
        return 0

    def late(machine: Machine, request: Any, again: Right) -> int:
        state = pending.pop(id(request), None)
        if state is not None:
            right(request, state)
        return again()

    planted.alg.import_state = lazy
    planted.misdeeds = {"update": late}
    assert planted.bench().check(case(), _REIMPORT) != []


# The machine.


def test_a_mapping_left_behind() -> None:
    def leaks(machine: Machine, request: Any, right: Right) -> int:
        machine.dma.map(request.src.entries[0].address, 8, DmaDirection.TO_DEVICE)
        return right()

    found = only(verdict(_DIGEST, digest=leaks))
    assert (found.message, found.fact) == ("DMA mappings left behind", facts.LEAK)


def test_a_kernel_warning() -> None:
    def warns(machine: Machine, request: Any, right: Right) -> int:
        machine.warn("planted warning")
        return right()

    found = only(verdict(_DIGEST, digest=warns))
    assert (found.message, found.details) == ("the kernel would warn", ("planted warning",))


def test_a_refused_key() -> None:
    planted = Planted("hmac(sha1)")
    planted.alg.setkey = lambda tfm, key: -errno.EINVAL
    found = only(planted.bench().check(case(name="hmac(sha1)"), _DIGEST))
    assert (found.message, found.fact, found.got) == ("key refused", facts.SETKEY, "-EINVAL")


def test_after_a_problem_no_further_step_is_played() -> None:
    played: list[str] = []

    def counts(name: str) -> Misdeed:
        def misdeed(machine: Machine, request: Any, right: Right) -> int:
            played.append(name)
            return right()

        return misdeed

    bench = Planted(
        update=answers_nonsense, final=counts("final"), export=counts("export")
    ).bench()
    steps = Steps(bench)
    steps.init()
    steps.update([])
    steps.final()
    assert steps.export() == b""
    assert only(steps.found).message == "status is neither 0 nor a negative errno"
    assert played == []


# Several messages at once.


def swarm_of(count: int, **misdeeds: Any) -> HashSwarm:
    bench = Planted(**misdeeds).bench()
    swarm = HashSwarm(bench)
    for length in range(count):
        message = case(length).message
        swarm.add(bench.tfm, message, case(length).digest)
    swarm.submit(int(ReqFlag.MAY_BACKLOG))
    bench.settle()
    return swarm


def test_a_swarm_that_is_right() -> None:
    swarm = swarm_of(5, digest=later)
    assert [swarm.problems(flight) for flight in swarm.flights] == [[]] * 5
    assert swarm.order_problems(swarm.flights) == []


def test_each_message_of_a_swarm_is_judged_for_itself() -> None:
    misdeeds: list[Misdeed] = [
        later,
        lambda machine, request, right: -errno.ENOSPC,
        lambda machine, request, right: 0,
        completes_twice,
        pokes(lambda request: request.result.address + 20),
    ]
    turns = iter(misdeeds)

    def in_turn(machine: Machine, request: Any, right: Right) -> Any:
        return next(turns)(machine, request, right)

    swarm = swarm_of(5, digest=in_turn)
    untouched = [swarm.untouched(flight) for flight in swarm.flights]
    assert untouched == [False, True, True, False, False]
    messages = [[p.message for p in swarm.problems(flight)] for flight in swarm.flights]
    assert messages == [
        [],
        ["wrong status of digest"],
        ["wrong digest"],
        ["completed more than once"],
        ["memory behind the result buffer overwritten"],
    ]
