"""What the monitor sees of requests on their way through an engine, and whom it blames."""

from __future__ import annotations

import errno
import gc
from collections.abc import Callable
from typing import Any

import pytest

from tcrypt.engine.api.algorithms import SkcipherAlg
from tcrypt.engine.api.flags import ReqFlag
from tcrypt.engine.api.machine import Machine, Setup
from tcrypt.engine.api.queue import CryptoQueue
from tcrypt.engine.crypto_engine import CryptoEngine
from tcrypt.engine.monitor import Monitor

_EINPROGRESS, _ENOSPC, _EIO = -errno.EINPROGRESS, -errno.ENOSPC, -errno.EIO
Action = Callable[["Bed"], None]


def _nothing(*arguments: Any) -> int:
    return 0


class Bed:
    """A machine with one engine, and a driver whose `do_one_request` is `start`."""

    def __init__(self, *, retry: bool = True, profile: str = "linux-6.17", qlen: int = 10) -> None:
        self.machine = Machine(setup=Setup(semantics=profile))
        self.monitor: Monitor = self.machine.monitor
        self.engine = CryptoEngine(self.machine, "bed", retry_support=retry, qlen=qlen)
        self.start: Callable[[Any], Any] = _nothing
        self.notes: list[int] = []
        self.alg = SkcipherAlg(
            cra_name="cbc(aes)",
            cra_driver_name="cbc-bed",
            cra_priority=1,
            min_keysize=0,
            max_keysize=0,
            setkey=_nothing,
            encrypt=_nothing,
            decrypt=_nothing,
            do_one_request=lambda engine, request: self.start(request),
        )
        self.engine.register(self.alg)
        self.tfm = self.machine.registry.alloc_skcipher("cbc-bed")
        self.engine.start()

    def request(self, flags: int = int(ReqFlag.MAY_BACKLOG)) -> Any:
        request = self.tfm.request()
        request.set_callback(flags, lambda data, status: self.notes.append(status), None)
        return request

    def transfer(self, count: int = 1) -> list[Any]:
        requests = [self.request() for _ in range(count)]
        for request in requests:
            self.engine.transfer(request)
        return requests

    def run(self) -> None:
        self.machine.sim.run(max_steps=1_000)

    def finalize(self, request: Any, status: Any = 0) -> None:
        self.machine.sim.local_bh_disable()
        self.engine.finalize(request, status)
        self.machine.sim.local_bh_enable()

    @property
    def blamed(self) -> list[tuple[str, str]]:
        return [(v.message, v.who) for v in self.monitor.violations]


def test_a_sound_life_breaks_no_rule() -> None:
    bed = Bed(qlen=2)
    for _ in range(3):
        requests = bed.transfer(5)
        bed.run()
        for request in requests:
            bed.finalize(request)
        bed.run()
    assert bed.engine.stop() == 0
    bed.machine.registry.unregister(bed.alg)
    bed.engine.exit()
    assert bed.blamed == []
    assert not bed.monitor.breaks


def test_a_request_is_used_again_in_its_callback_and_after_a_refusal() -> None:
    bed = Bed(qlen=1)
    (request,) = bed.transfer()
    again = bed.request(flags=0)
    assert bed.engine.transfer(again) == _ENOSPC
    bed.run()
    request.complete = lambda data, status: bed.engine.transfer(again)
    bed.finalize(request)
    bed.run()
    bed.finalize(again)
    assert bed.blamed == []


def test_a_driver_may_finalize_inside_of_do_one_request() -> None:
    bed = Bed()

    def start(request: Any) -> int:
        bed.finalize(request, _EIO)
        return 0

    bed.start = start
    bed.transfer(2)
    bed.run()
    assert bed.notes == [_EIO, _EIO]
    assert bed.blamed == []
    assert bed.engine.in_hardware == set()
    assert bed.engine.stop() == 0


# What a driver does wrong.


def finalizes_twice(bed: Bed) -> None:
    (request,) = bed.transfer()
    bed.run()
    bed.finalize(request)
    bed.finalize(request)


def finalizes_a_stranger(bed: Bed) -> None:
    bed.finalize(bed.request())


def finalizes_a_refused_one(bed: Bed) -> None:
    bed.engine.stop()
    (request,) = bed.transfer()
    bed.finalize(request)


def finalizes_too_early(bed: Bed) -> None:
    (request,) = bed.transfer()
    bed.finalize(request)


def finalizes_with_a_notice(bed: Bed) -> None:
    (request,) = bed.transfer()
    bed.run()
    bed.finalize(request, _EINPROGRESS)


def finalizes_with_a_positive_status(bed: Bed) -> None:
    (request,) = bed.transfer()
    bed.run()
    bed.finalize(request, 5)


def finalizes_and_returns_an_error(bed: Bed) -> None:
    def start(request: Any) -> int:
        bed.finalize(request, _EIO)
        return _EIO

    bed.start = start
    bed.transfer()
    bed.run()


def finalizes_and_has_no_room(bed: Bed) -> None:
    def start(request: Any) -> int:
        bed.finalize(request)
        bed.start = _nothing
        return _ENOSPC

    bed.start = start
    bed.transfer()
    bed.run()


def transfers_twice(bed: Bed) -> None:
    (request,) = bed.transfer()
    bed.engine.transfer(request)


def starts_after_exit(bed: Bed) -> None:
    bed.machine.registry.unregister(bed.alg)
    bed.engine.exit()
    bed.engine.start()


def exits_twice(bed: Bed) -> None:
    bed.machine.registry.unregister(bed.alg)
    bed.engine.exit()
    bed.engine.exit()


def exits_idle_while_registered(bed: Bed) -> None:
    bed.engine.exit()


def exits_while_registered(bed: Bed) -> None:
    first, _ = bed.transfer(2)
    bed.run()
    bed.finalize(first)
    bed.run()
    bed.engine.exit()


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (finalizes_twice, "finalized a request twice"),
        (finalizes_a_stranger, "finalized a request that was never transferred"),
        (finalizes_a_refused_one, "finalized a request that was never transferred"),
        (finalizes_too_early, "finalized a request that was never started"),
        (finalizes_with_a_notice, "finalized with no final status"),
        (finalizes_with_a_positive_status, "finalized with no final status"),
        (finalizes_and_returns_an_error, "finalized in do_one_request, which failed as well"),
        (finalizes_and_has_no_room, "finalized in do_one_request, which failed as well"),
        (transfers_twice, "transferred again before its completion"),
        (starts_after_exit, "start after exit"),
        (exits_twice, "exit after exit"),
        (
            exits_idle_while_registered,
            "the engine exited before its algorithms were unregistered",
        ),
        (exits_while_registered, "the engine exited before its algorithms were unregistered"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_misdeeds_of_a_driver(action: Action, message: str) -> None:
    bed = Bed()
    action(bed)
    assert bed.blamed[:1] == [(message, "driver")]


def test_what_is_in_hardware_when_registered_algorithms_lose_their_engine_is_the_drivers() -> None:
    bed = Bed()
    exits_while_registered(bed)
    assert bed.blamed[1:] == [("in hardware when the engine exited", "driver")]
    assert "still registered: cbc-bed" in bed.monitor.violations[0].details


def test_a_batch_hook_that_leaves_requests_to_nobody_is_remembered() -> None:
    bed = Bed(profile="guide")
    bed.engine.do_batch_requests = lambda engine: _EIO
    bed.transfer(2)
    bed.run()
    (text,) = bed.monitor.breaks
    assert text.startswith("cbc-bed returned -EIO from do_batch_requests, with requests left")


@pytest.mark.parametrize("answer", [0, _EIO, _ENOSPC])
def test_a_batch_hook_that_is_asked_again_leaves_nobody_alone(answer: int) -> None:
    bed, taken = Bed(profile="guide"), []

    def one(engine: CryptoEngine) -> int:
        taken.append(engine.queue.dequeue())
        return answer

    bed.engine.do_batch_requests = one
    first, second = bed.transfer(2)
    bed.run()
    bed.finalize(first)
    bed.run()
    assert (taken[:2], dict(bed.monitor.breaks)) == ([first, second], {})


def test_a_violation_names_rule_engine_and_driver() -> None:
    bed = Bed()
    finalizes_twice(bed)
    (violation,) = bed.monitor.violations
    assert "5.6" in violation.fact
    assert violation.details == ("engine bed, linux-6.17", "driver cbc-bed")


def test_a_request_of_another_engine_is_a_stranger() -> None:
    bed = Bed()
    other = CryptoEngine(bed.machine, "other", retry_support=True)
    (request,) = bed.transfer()
    bed.run()
    bed.machine.sim.local_bh_disable()
    other.finalize(request, 0)
    assert bed.blamed == [("finalized a request that was never transferred", "driver")]
    assert bed.monitor.violations[0].details[0].startswith("engine other")


# What the engine does.


def test_wedge_k_is_the_profiles_and_so_is_what_follows() -> None:
    bed = Bed()
    first, second = bed.transfer(2)
    bed.run()
    bed.finalize(first)
    bed.run()
    bed.machine.registry.entry(bed.alg).users = 0  # type: ignore[union-attr]
    bed.machine.registry.unregister(bed.alg)
    bed.engine.exit()
    bed.finalize(second)
    assert bed.blamed == [
        ("in hardware when the engine exited", "profile"),
        ("finalized after exit", "profile"),
    ]
    assert bed.machine.sim.idle, "nothing is queued on a worker that is gone"


@pytest.mark.parametrize("profile", ["linux-5.8", "linux-6.17", "fixed"])
def test_a_start_out_of_order_is_told(profile: str) -> None:
    class Tail(CryptoQueue):
        def enqueue_head(self, request: Any) -> None:
            self.enqueue(request)

    bed = Bed(profile=profile)
    bed.engine.queue = Tail(10)
    answers = [_ENOSPC, 0, 0]
    bed.start = lambda request: answers.pop(0)
    bed.transfer(2)
    bed.run()
    assert bed.blamed == [("started out of order", "profile")]
    assert "submission 1 after submission 2" in bed.monitor.violations[0].details


def test_requests_that_a_stop_drops_are_told() -> None:
    bed = Bed()
    bed.transfer(2)
    while bed.engine.queue.dequeue() is not None:
        pass
    assert bed.engine.stop() == 0
    assert bed.blamed == [("lost by stop", "profile")] * 2


# What a driver does at its own risk.


@pytest.mark.parametrize(
    ("retry", "profile", "sentence"),
    [
        (True, "linux-6.17", "cbc-bed returned -EIO from do_one_request; finalize with"),
        (False, "linux-6.17", "cbc-bed returned -EIO from do_one_request; finalize with"),
        (True, "linux-5.8", "cbc-bed returned -EIO from do_one_request; finalize with"),
        (True, "fixed", ""),
        (False, "fixed", ""),
        (False, "guide", ""),
    ],
)
def test_an_error_from_do_one_request_is_remembered_where_it_can_stop_the_engine(
    retry: bool, profile: str, sentence: str
) -> None:
    bed = Bed(retry=retry, profile=profile)
    bed.start = lambda request: _EIO
    for _ in range(2):
        request = bed.request(flags=0)
        bed.engine.transfer(request)
        bed.run()
    assert bed.blamed == [], "by itself it does no harm"
    assert [text.startswith(sentence) for text in bed.monitor.breaks] == [True] * bool(sentence)


def test_no_room_is_no_break_with_retry_support_and_one_without() -> None:
    for retry in (True, False):
        bed = Bed(retry=retry)
        answers = [_ENOSPC, 0]
        bed.start = lambda request, answers=answers: answers.pop(0)
        bed.transfer()
        bed.run()
        assert bool(bed.monitor.breaks) == (not retry)


def test_einprogress_from_do_one_request_is_remembered_with_what_to_do() -> None:
    bed = Bed()
    bed.start = lambda request: _EINPROGRESS
    bed.transfer()
    bed.run()
    assert list(bed.monitor.breaks) == [
        "cbc-bed returned -EINPROGRESS from do_one_request; return 0 once the request is started"
    ]


def test_finished_requests_are_forgotten_before_they_fill_the_memory() -> None:
    bed = Bed()
    other = CryptoEngine(bed.machine, "other", retry_support=True)
    other.start()
    waiting = bed.request()
    other.transfer(waiting)
    for _ in range(6_000):
        (request,) = bed.transfer()
        bed.run()
        bed.finalize(request)
        bed.run()
    gc.collect()
    kept = sum(isinstance(found, type(waiting)) for found in gc.get_objects())
    assert kept < 5_000
    bed.machine.sim.local_bh_disable()
    other.finalize(waiting, 0)
    assert bed.blamed == []
