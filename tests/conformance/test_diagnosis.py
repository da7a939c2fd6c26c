"""Whose fault a standstill is, on drivers that use a crypto_engine well, badly, or unluckily."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

import pytest

from tcrypt import facts
from tcrypt.bench import Bench
from tcrypt.cipher_bench import CipherBench, CipherCase
from tcrypt.diagnosis import counted
from tcrypt.engine.api.algorithms import SkcipherAlg
from tcrypt.engine.api.flags import AlgFlag, AlgType
from tcrypt.engine.api.machine import Accelerator, Machine, Setup
from tcrypt.engine.crypto_engine import CryptoEngine
from tcrypt.engine.sim import Context
from tcrypt.layouts import CIPHER_LAYOUTS
from tcrypt.mutants import plant
from tcrypt.oracle import SkcipherReference
from tcrypt.oracle import reference as find_reference
from tcrypt.plugins.providers import Providers, eip93_mt7621
from tcrypt.problems import Problem
from tcrypt.specs import SkcipherSpec
from tcrypt.subject import Provider, Subject
from tcrypt.watchdog import Watchdog

_EINVAL, _EIO, _ENOSPC = -errno.EINVAL, -errno.EIO, -errno.ENOSPC
_LAYOUT = CIPHER_LAYOUTS[0]
_NEVER = "accepted and never completed"


def _reference() -> SkcipherReference:
    found = find_reference("cbc(aes)")
    assert isinstance(found, SkcipherReference)
    return found


class Accelerated:
    """A driver for one request at a time, whose "hardware" is the oracle.

    `start` is its do_one_request: it gets the driver and the request.  `setting` is applied to
    each new engine.
    """

    def __init__(
        self,
        start: Callable[[Accelerated, Any], int],
        *,
        retry: bool = True,
        setting: Callable[[CryptoEngine], None] | None = None,
    ) -> None:
        self.start = start
        self.retry = retry
        self.setting = setting
        self.machine: Machine
        self.engine: CryptoEngine
        self.alg = SkcipherAlg(
            cra_name="cbc(aes)",
            cra_driver_name="cbc-accelerated",
            cra_priority=1,
            cra_flags=int(AlgFlag.ASYNC),
            cra_blocksize=16,
            min_keysize=16,
            max_keysize=32,
            ivsize=16,
            setkey=self.setkey,
            encrypt=lambda request: self.engine.transfer(request),
            decrypt=lambda request: self.engine.transfer(request),
            do_one_request=lambda engine, request: self.start(self, request),
        )

    def setkey(self, tfm: Any, key: bytearray) -> int:
        tfm.ctx = bytes(key)
        return 0

    def build(self, setup: Setup) -> Machine:
        self.machine = machine = Machine(setup=setup)
        self.engine = CryptoEngine(machine, "accelerated", retry_support=self.retry)
        if self.setting is not None:
            self.setting(self.engine)
        self.engine.register(self.alg)
        self.engine.start()
        return machine

    def bench(self, semantics: str = "linux-6.17") -> CipherBench:
        provider = Provider("own", self.build, setup=Setup(semantics=semantics))
        return CipherBench(Subject(provider, self.alg), Watchdog(30.0))

    def later(self, action: Callable[[], None]) -> int:
        self.machine.sim.schedule(2_000, Context.SOFTIRQ, "hardware", action)
        return 0


def works(driver: Accelerated, request: Any) -> int:
    """Encrypts, some time later."""
    engine = driver.engine

    def done() -> None:
        data = request.src.read(request.cryptlen)
        answer = _reference().encrypt(request.tfm.ctx, request.iv.read(16), data)
        request.dst.write(answer.out)
        request.iv.write(answer.iv_out)
        engine.finalize(request, 0)

    return driver.later(done)


def returns_an_error(driver: Accelerated, request: Any) -> int:
    """Looks at lengths too late, and answers as the interface of the engine does not allow."""
    return works(driver, request) if not request.cryptlen % 16 else _EINVAL


def finalizes_an_error(driver: Accelerated, request: Any) -> int:
    """The same, rightly."""
    if not request.cryptlen % 16:
        return works(driver, request)
    engine = driver.engine
    driver.machine.sim.local_bh_disable()
    engine.finalize(request, _EINVAL)
    driver.machine.sim.local_bh_enable()
    return 0


def never_finalizes(driver: Accelerated, request: Any) -> int:
    return 0


def never_has_room(driver: Accelerated, request: Any) -> int:
    return _ENOSPC


def finalizes_twice(driver: Accelerated, request: Any) -> int:
    engine = driver.engine

    def again() -> None:
        engine.finalize(request, 0)

    works(driver, request)
    driver.machine.sim.schedule(4_000, Context.SOFTIRQ, "again", again)
    return 0


def right(length: int = 32) -> CipherCase:
    return SkcipherSpec("enc", 16, length).case(_reference())


def bad_length() -> CipherCase:
    return right(16)._replace(data=bytes(17), out=bytes(17), iv_out=None, status=_EINVAL)


def only(found: list[Problem]) -> Problem:
    assert len(found) == 1, [problem.message for problem in found]
    return found[0]


def run(bench: Bench, *cases: CipherCase) -> list[Problem]:
    """What is wrong with the last case; the others pass."""
    assert isinstance(bench, CipherBench)
    *before, last = cases
    for case in before:
        assert bench.check(case, _LAYOUT) == []
    return bench.check(last, _LAYOUT)


@pytest.fixture(autouse=True)
def _short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A livelock is told after fewer events than in a run."""
    monkeypatch.setattr("tcrypt.bench._STEP_BUDGET", 20_000)


@pytest.mark.parametrize("semantics", ["guide", "linux-5.8", "linux-6.17", "fixed"])
@pytest.mark.parametrize("start", [works, finalizes_an_error])
@pytest.mark.parametrize("retry", [True, False])
def test_a_driver_that_keeps_the_rules_passes_everywhere(
    start: Callable[[Accelerated, Any], int], semantics: str, retry: bool
) -> None:
    bench = Accelerated(start, retry=retry).bench(semantics)
    cases = [right(), bad_length(), right()] if start is finalizes_an_error else [right(), right()]
    assert run(bench, *cases) == []


@pytest.mark.parametrize("retry", [True, False])
@pytest.mark.parametrize("semantics", ["linux-5.8", "linux-6.17"])
def test_a_driver_that_armed_the_wedge_is_to_blame(retry: bool, semantics: str) -> None:
    bench = Accelerated(returns_an_error, retry=retry).bench(semantics)
    found = only(run(bench, right(), bad_length(), right()))
    assert (found.message, found.fact, found.attribution) == (_NEVER, facts.PROGRESS, "driver")
    assert (
        "rule broken before: cbc-accelerated returned -EINVAL from do_one_request; finalize with"
        " the error and return 0"
    ) in found.details


@pytest.mark.parametrize("retry", [True, False])
def test_the_same_driver_passes_without_wedges(retry: bool) -> None:
    bench = Accelerated(returns_an_error, retry=retry).bench("fixed")
    assert run(bench, right(), bad_length(), right()) == []


def _fails_once(engine: CryptoEngine) -> None:
    answers = [_EIO]
    engine.prepare_crypt_hardware = lambda engine: answers.pop() if answers else 0


def test_a_standstill_without_a_misdeed_is_the_profiles() -> None:
    """Wedge I: the hook may fail, and the case before was right to say so."""
    bench = Accelerated(works, setting=_fails_once).bench("linux-6.6")
    failing = right()._replace(status=_EIO, out=bytes(32), iv_out=None)
    found = only(run(bench, failing, right()))
    assert (found.message, found.attribution) == (_NEVER, "profile")
    text = "\n".join(found.details)
    assert "it passes with --semantics fixed and fails with linux-6.6" in text
    assert "wedge I: a failing prepare hook stops the engine for good" in text


def test_the_livelock_of_the_guide_is_the_profiles() -> None:
    bench = Accelerated(returns_an_error).bench("guide")
    found = only(run(bench, right(), bad_length()))
    assert (found.message, found.attribution) == ("encrypt never ends", "profile")
    assert any("puts it back, for ever" in line for line in found.details)


@pytest.mark.parametrize(
    ("start", "message"), [(never_finalizes, _NEVER), (never_has_room, "encrypt never ends")]
)
def test_a_driver_that_stands_still_by_itself_is_to_blame(
    start: Callable[[Accelerated, Any], int], message: str
) -> None:
    found = only(run(Accelerated(start).bench(), right()))
    assert (found.message, found.attribution) == (message, "driver")
    assert not any("fixed" in line for line in found.details)


def test_what_a_driver_left_behind_is_its_own_fault_though_it_passes_alone() -> None:
    started: dict[int, int] = {}

    def forgets_the_third(driver: Accelerated, request: Any) -> int:
        number = started[id(driver.engine)] = started.get(id(driver.engine), 0) + 1
        return 0 if number == 3 else works(driver, request)

    found = only(run(Accelerated(forgets_the_third).bench(), right(), right(), right()))
    assert (found.message, found.attribution) == (_NEVER, "driver")


def test_the_bench_is_on_its_own_semantics_again_after_a_diagnosis() -> None:
    bench = Accelerated(works, setting=_fails_once).bench("linux-6.6")
    failing = right()._replace(status=_EIO, out=bytes(32), iv_out=None)
    run(bench, failing, right())
    assert run(bench, failing) == []
    assert bench.machine.setup.semantics == "linux-6.6"


def test_many_of_a_kind_are_taken_for_the_same_ones() -> None:
    driver = Accelerated(works, setting=_fails_once)
    bench = driver.bench("linux-6.6")
    failing = right()._replace(status=_EIO, out=bytes(32), iv_out=None)
    boots: list[str] = []
    build = driver.build

    def counted(setup: Setup) -> Machine:
        boots.append(setup.semantics)
        return build(setup)

    bench.subject = Subject(
        Provider("own", counted, setup=Setup(semantics="linux-6.6")), driver.alg
    )
    for _ in range(8):
        assert only(run(bench, failing, right())).attribution == "profile"
    assert boots.count("fixed") == 3


def test_violations_that_the_monitor_saw_are_problems_of_the_case() -> None:
    found = run(Accelerated(finalizes_twice).bench(), right())
    assert [(p.message, p.attribution) for p in found] == [
        ("completed more than once", "driver"),
        ("engine: finalized a request twice", "driver"),
    ]
    assert "driver cbc-accelerated" in found[1].details


# After the completion.


def _looks_again(look: Callable[[Any], object]) -> Callable[[Accelerated, Any], int]:
    def start(driver: Accelerated, request: Any) -> int:
        works(driver, request)
        driver.machine.sim.schedule(3_000, Context.SOFTIRQ, "late", lambda: look(request))
        return 0

    return start


def _quietly(request: Any) -> None:
    try:
        request.dst.write(bytes(16))
    except Exception:
        return


def _sets(request: Any) -> None:
    request.ctx = 5


@pytest.mark.parametrize(
    ("look", "field"),
    [
        (lambda request: request.src.read(1), "src.read"),
        (lambda request: request.dst.write(b"x"), "dst.write"),
        (lambda request: request.iv.read(1), "iv.read"),
        (lambda request: request.ctx.anything, "ctx.anything"),
        (_quietly, "dst.write"),
        (_sets, "ctx was set"),
    ],
)
def test_a_look_at_a_completed_request_is_seen(look: Callable[[Any], object], field: str) -> None:
    found = run(Accelerated(_looks_again(look)).bench(), right())
    assert (found[0].message, found[0].fact) == (
        "request used after its completion",
        facts.RETURNED,
    )
    assert f"request.{field}" in found[0].details


def test_a_request_has_its_fields_again_when_it_is_judged() -> None:
    bench = Accelerated(works).bench()
    prepared = bench.prepare(right(), _LAYOUT)
    bench.keyed(bench.tfm, right())
    before = (prepared.request.src, prepared.request.dst, prepared.request.iv)
    ticket = bench.perform(prepared.request, bench.tfm.encrypt)
    assert prepared.request.src is not before[0]
    assert bench.judge(prepared, ticket) == []
    assert (prepared.request.src, prepared.request.dst, prepared.request.iv) == before


def _counting(statistics: Callable[[], str]) -> Machine:
    machine = Machine()
    machine.attach(
        Accelerator(
            name="dev",
            jobs=lambda: 0,
            supports=lambda name, size: True,
            depth=1,
            statistics=statistics,
        )
    )
    return machine


def test_a_failure_tells_what_the_driver_counted() -> None:
    providers = Providers()
    providers.add("mine", eip93_mt7621)
    (provider,) = providers
    alg = provider.boot().registry.find("cbc(aes-eip93)", AlgType.SKCIPHER)
    spec = SkcipherSpec("enc", 16, 32)
    with plant("IV-01"):
        bench = CipherBench(Subject(provider, alg), Watchdog(10))
        case = spec.case(_reference())
        (found,) = bench.check(case, _LAYOUT)
    assert found.details == ("mt7621's driver counted cbc(aes-eip93): hardware: 1",)


def test_a_driver_that_counts_nothing_has_no_lines() -> None:
    assert counted(_counting(str)) == []


def test_a_driver_whose_counters_cannot_be_read_is_told_of() -> None:
    def broken() -> str:
        raise ZeroDivisionError("no such file")

    (line,) = counted(_counting(broken))
    assert line == "dev's driver counted nothing: ZeroDivisionError: no such file"
