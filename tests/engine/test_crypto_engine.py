"""`crypto_engine` as the newest kernel has it: kernel-crypto, sections 5.2 to 5.7 and 5.9."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tcrypt.engine.api.algorithms import SkcipherAlg
from tcrypt.engine.api.flags import ReqFlag
from tcrypt.engine.api.machine import Machine
from tcrypt.engine.crypto_engine import MAX_QLEN, CryptoEngine
from tcrypt.engine.sim import Context

_EINPROGRESS, _EBUSY, _ENOSPC = -errno.EINPROGRESS, -errno.EBUSY, -errno.ENOSPC
_ESHUTDOWN, _EINVAL, _EIO = -errno.ESHUTDOWN, -errno.EINVAL, -errno.EIO
_STOP_NS = 10_000_000_000


def _ok(*arguments: Any) -> int:
    return 0


def make_alg(do_one_request: Callable[[Any, Any], Any] | None) -> SkcipherAlg:
    return SkcipherAlg(
        cra_name="cbc(aes)",
        cra_driver_name="cbc-engine",
        cra_priority=1,
        min_keysize=0,
        max_keysize=0,
        setkey=_ok,
        encrypt=_ok,
        decrypt=_ok,
        do_one_request=do_one_request,
    )


class Rig:
    """An engine, hardware of a given depth behind it, and a log of all that happens.

    The log has `("start", n)`, `("full", n)`, `("fail", n)` for what `do_one_request` did with
    request n, and `("callback", n, status)` for its completions.
    """

    def __init__(self, *, retry: bool, qlen: int = MAX_QLEN, depth: int = 1_000) -> None:
        self.machine = Machine()
        self.sim = self.machine.sim
        self.engine = CryptoEngine(self.machine, "rig", retry_support=retry, qlen=qlen)
        self.depth = depth
        self.log: list[tuple[Any, ...]] = []
        self.answers: dict[int, Any] = {}
        self.in_hardware: list[int] = []
        self.requests: dict[int, Any] = {}
        self.in_softirq: list[bool] = []
        self.engine.register(make_alg(self.do_one_request))
        self.tfm = self.machine.registry.alloc_skcipher("cbc-engine")

    def do_one_request(self, engine: CryptoEngine, request: Any) -> Any:
        number = request.data
        assert engine is self.engine
        assert self.sim.context is Context.WORK
        if number in self.answers:
            self.log.append(("fail", number))
            return self.answers[number]
        if len(self.in_hardware) >= self.depth:
            self.log.append(("full", number))
            return _ENOSPC
        self.log.append(("start", number))
        self.in_hardware.append(number)
        return 0

    def callback(self, number: int, status: int) -> None:
        self.log.append(("callback", number, status))
        self.in_softirq.append(self.sim.in_softirq)

    def transfer(self, *numbers: int, backlog: bool = True) -> list[int]:
        """Submit new requests; their statuses."""
        statuses = []
        for number in numbers:
            request = self.tfm.request()
            request.set_callback(ReqFlag.MAY_BACKLOG if backlog else 0, self.callback, number)
            self.requests[number] = request
            statuses.append(self.engine.transfer(request))
        return statuses

    def finalize(self, number: int, status: int = 0) -> None:
        """The hardware is done with a request."""
        if number in self.in_hardware:
            self.in_hardware.remove(number)
        self.sim.local_bh_disable()
        self.engine.finalize(self.requests[number], status)
        self.sim.local_bh_enable()

    def take(self) -> list[tuple[Any, ...]]:
        """The log since the last call."""
        taken, self.log = self.log, []
        return taken

    def pump(self) -> list[tuple[Any, ...]]:
        """Let the worker run until it rests; what happened.  It never rests while full."""
        self.sim.run(max_steps=100)
        return self.take()


@pytest.fixture
def rig() -> Rig:
    """A started engine with retry support; its hardware is never full."""
    made = Rig(retry=True)
    assert made.engine.start() == 0
    return made


@pytest.fixture
def plain() -> Rig:
    """A started engine without retry support."""
    made = Rig(retry=False)
    assert made.engine.start() == 0
    return made


@pytest.fixture(params=[True, False], ids=["retry", "no retry"])
def either(request: pytest.FixtureRequest) -> Iterator[Rig]:
    """Both; every completion must have come with bottom halves disabled."""
    made = Rig(retry=request.param)
    assert made.engine.start() == 0
    yield made
    assert all(made.in_softirq)


# 5.2: life cycle.


def test_an_algorithm_without_do_one_request_is_refused() -> None:
    machine = Machine()
    engine = CryptoEngine(machine, "rig")
    with pytest.raises(OSError, match="cbc-engine: do_one_request is missing") as caught:
        engine.register(make_alg(None))
    assert caught.value.errno == errno.EINVAL
    assert list(machine.registry) == []


def test_registration_follows_the_registry(rig: Rig) -> None:
    with pytest.raises(FileExistsError):
        rig.engine.register(rig.tfm.alg)


def test_starting_a_running_engine_is_ebusy(either: Rig) -> None:
    assert either.engine.start() == _EBUSY


def test_an_engine_can_be_started_again_after_a_stop(either: Rig) -> None:
    assert either.engine.stop() == 0
    assert either.engine.start() == 0
    assert either.transfer(1) == [_EINPROGRESS]
    assert either.pump() == [("start", 1)]


def test_nothing_is_accepted_while_the_engine_is_not_running(either: Rig) -> None:
    assert either.engine.stop() == 0
    assert either.transfer(1) == [_ESHUTDOWN]
    assert either.pump() == []
    assert len(either.engine.queue) == 0


def test_nothing_is_accepted_before_the_start() -> None:
    rig = Rig(retry=True)
    assert rig.transfer(1) == [_ESHUTDOWN]


def test_stopping_a_stopped_engine_is_no_error(either: Rig) -> None:
    assert [either.engine.stop() for _ in range(2)] == [0, 0]
    assert either.sim.now == 0


def test_the_default_queue_holds_ten() -> None:
    rig = Rig(retry=False)
    rig.engine.start()
    assert rig.transfer(*range(11), backlog=False) == [_EINPROGRESS] * 10 + [_ENOSPC]


def test_exit_stops_and_drops_the_worker(either: Rig) -> None:
    either.transfer(1)
    either.sim.schedule(5_000, Context.TASK, "done", lambda: either.finalize(1))
    either.engine.exit()
    assert either.take() == [("start", 1), ("callback", 1, 0)]
    assert not either.engine.running
    assert either.sim.idle


# 5.3: transfer.


def test_a_request_never_runs_in_its_submitter(either: Rig) -> None:
    assert either.transfer(1) == [_EINPROGRESS]
    assert either.take() == []
    assert either.pump() == [("start", 1)]


@pytest.mark.parametrize("retry", [True, False], ids=["retry", "no retry"])
def test_a_full_queue_answers_by_flag(retry: bool) -> None:
    rig = Rig(retry=retry, qlen=3)
    rig.engine.start()
    assert rig.transfer(1, 2, 3) == [_EINPROGRESS] * 3
    assert rig.transfer(4, backlog=False) == [_ENOSPC]
    assert rig.transfer(5, 6) == [_EBUSY, _EBUSY]
    assert len(rig.engine.queue) == 5


def test_the_refused_request_is_never_called_back() -> None:
    rig = Rig(retry=True, qlen=1)
    rig.engine.start()
    assert rig.transfer(1, 2, backlog=False) == [_EINPROGRESS, _ENOSPC]
    rig.pump()
    rig.finalize(1)
    assert rig.pump() == [("callback", 1, 0)]


# 5.4 and 5.5: the pump.


def test_with_retry_support_the_pump_feeds_until_the_queue_is_empty(rig: Rig) -> None:
    rig.transfer(1, 2, 3)
    assert rig.pump() == [("start", 1), ("start", 2), ("start", 3)]
    assert rig.engine.started == 3


def test_without_retry_support_one_request_is_in_hand(plain: Rig) -> None:
    plain.transfer(1, 2)
    assert plain.pump() == [("start", 1)]
    plain.finalize(1)
    assert plain.pump() == [("callback", 1, 0), ("start", 2)]


@pytest.mark.parametrize("status", [0, 1, 77])
def test_any_status_that_is_not_negative_means_started(either: Rig, status: int) -> None:
    either.answers[1] = status
    either.transfer(1)
    assert either.pump() == [("fail", 1)]
    either.finalize(1)
    assert either.take() == [("callback", 1, 0)]
    assert either.engine.started == 1


def test_no_room_puts_the_request_back_at_the_head() -> None:
    rig = Rig(retry=True, depth=2)
    rig.engine.start()
    rig.transfer(1, 2, 3, 4)
    rig.sim.run(deadline=20_000)
    log = rig.take()
    assert log[:2] == [("start", 1), ("start", 2)]
    assert set(log[2:]) == {("full", 3)}, "request 4 must wait behind request 3"
    assert len(log) > 10, "the kernel spins, it does not wait"
    assert rig.engine.retries == len(log) - 2
    assert len(rig.engine.queue) == 2


def test_retries_keep_the_order_and_lose_nothing() -> None:
    rig = Rig(retry=True, depth=3, qlen=4)
    rig.engine.start()
    rig.transfer(*range(40))
    finished: list[int] = []

    def hardware() -> None:
        if rig.in_hardware:
            finished.append(rig.in_hardware[0])
            rig.finalize(rig.in_hardware[0])
        if len(finished) < 40:
            rig.sim.schedule(7_000, Context.DEVICE, "hardware", hardware)

    hardware()
    assert rig.sim.run(max_steps=10_000)
    log = rig.take()
    assert [n for what, n, *_ in log if what == "start"] == list(range(40))
    assert [entry[1] for entry in log if entry[0] == "callback" and entry[2] == 0] == finished
    assert finished == list(range(40))
    assert rig.engine.retries > 0
    assert not rig.engine.busy


def test_without_retry_support_no_room_is_an_error(plain: Rig) -> None:
    plain.answers[1] = _ENOSPC
    plain.transfer(1)
    assert plain.pump() == [("fail", 1), ("callback", 1, _ENOSPC)]
    assert plain.engine.retries == 0


@pytest.mark.parametrize("status", [_EINVAL, _EIO, -errno.ENOMEM, _EBUSY])
@pytest.mark.parametrize("backlog", [True, False])
def test_any_other_error_completes_that_request_alone(
    rig: Rig, status: int, backlog: bool
) -> None:
    """Whatever its flags: MAY_BACKLOG matters at transfer only (section 5.5)."""
    rig.answers[2] = status
    rig.transfer(1, 2, 3, backlog=backlog)
    assert rig.pump() == [("start", 1), ("fail", 2), ("callback", 2, status), ("start", 3)]
    assert rig.engine.started == 2


@pytest.mark.parametrize("answer", [None, True, "0", 0.0], ids=repr)
def test_an_answer_that_is_no_status_is_warned_about(rig: Rig, answer: object) -> None:
    rig.answers[1] = answer
    rig.transfer(1, 2)
    assert rig.pump() == [("fail", 1), ("callback", 1, _EINVAL), ("start", 2)]
    assert rig.machine.warnings == [
        f"cbc-engine: do_one_request returned {answer!r}, must be 0 or a negative errno"
    ]


def test_an_operation_that_went_away_fails_its_requests(rig: Rig) -> None:
    rig.tfm.alg.do_one_request = None
    rig.transfer(1)
    assert rig.pump() == [("callback", 1, _EINVAL)]


def test_the_backlogged_are_told_when_one_before_them_has_started() -> None:
    rig = Rig(retry=True, qlen=1)
    rig.engine.start()
    assert rig.transfer(1, 2, 3) == [_EINPROGRESS, _EBUSY, _EBUSY]
    assert rig.pump() == [
        ("start", 1),
        ("callback", 2, _EINPROGRESS),
        ("start", 2),
        ("callback", 3, _EINPROGRESS),
        ("start", 3),
    ]
    assert all(rig.in_softirq)


def test_the_backlogged_are_told_even_when_the_one_before_them_failed() -> None:
    rig = Rig(retry=True, qlen=1)
    rig.engine.start()
    rig.answers[1] = _EIO
    rig.transfer(1, 2)
    assert rig.pump()[:3] == [
        ("fail", 1),
        ("callback", 1, _EIO),
        ("callback", 2, _EINPROGRESS),
    ]


def test_full_queue_trace_of_section_5_7() -> None:
    rig = Rig(retry=False, qlen=2)
    rig.engine.start()
    statuses = [rig.transfer(n, backlog=n != 4)[0] for n in (1, 2, 3, 4, 5)]
    assert statuses == [-115, -115, -16, -28, -16]
    assert rig.pump() == [("start", 1), ("callback", 3, -115)]
    rig.finalize(1)
    assert rig.pump() == [("callback", 1, 0), ("start", 2), ("callback", 5, -115)]
    rig.finalize(2)
    assert rig.pump() == [("callback", 2, 0), ("start", 3)]
    rig.finalize(3)
    assert rig.pump() == [("callback", 3, 0), ("start", 5)]
    rig.finalize(5)
    assert rig.pump() == [("callback", 5, 0)]
    assert not rig.engine.busy


def test_retry_trace_of_section_5_7() -> None:
    rig = Rig(retry=True, qlen=2, depth=1)
    rig.engine.start()
    assert rig.transfer(1, 2, 3, 4) == [-115, -115, -16, -16]
    rig.sim.run(deadline=10_000)
    log = rig.take()
    assert log[:3] == [("start", 1), ("callback", 3, -115), ("full", 2)]
    assert len(log) > 5
    assert set(log[2:]) == {("full", 2)}
    rig.finalize(1)
    rig.sim.run(deadline=20_000)
    log = rig.take()
    assert log[:3] == [("callback", 1, 0), ("start", 2), ("callback", 4, -115)]
    assert set(log[3:]) == {("full", 3)}
    rig.finalize(2)
    rig.sim.run(deadline=30_000)
    log = rig.take()
    assert log[:2] == [("callback", 2, 0), ("start", 3)]
    assert set(log[2:]) == {("full", 4)}


# 5.6: finalize and stop.


def test_finalize_delivers_the_status(either: Rig) -> None:
    either.transfer(1)
    either.pump()
    either.finalize(1, -errno.EBADMSG)
    assert either.take() == [("callback", 1, -errno.EBADMSG)]
    assert either.machine.warnings == []


@pytest.mark.parametrize("context", [Context.TASK, Context.WORK, Context.HARDIRQ])
def test_finalize_outside_of_softirq_context_is_warned_about(rig: Rig, context: Context) -> None:
    rig.transfer(1)
    rig.pump()
    request = rig.requests[1]
    rig.sim.schedule(0, context, "done", lambda: rig.engine.finalize(request, 0))
    rig.sim.run()
    assert rig.machine.warnings == ["rig: finalize outside of softirq context"]
    assert rig.take() == [("callback", 1, 0)]


def test_finalize_in_softirq_context_is_right(rig: Rig) -> None:
    rig.transfer(1)
    rig.pump()
    request = rig.requests[1]
    rig.sim.schedule(0, Context.SOFTIRQ, "done", lambda: rig.engine.finalize(request, 0))
    rig.sim.run()
    assert rig.machine.warnings == []


def test_finalizing_another_than_the_current_request_completes_it(plain: Rig) -> None:
    plain.transfer(1, 2)
    plain.pump()
    plain.finalize(2)
    assert plain.take() == [("callback", 2, 0)]
    assert plain.engine.current is plain.requests[1]


def test_a_callback_may_submit_the_next_request(rig: Rig) -> None:
    rig.transfer(1)
    rig.pump()
    done = rig.requests[1].complete

    def resubmit(number: int, status: int) -> None:
        done(number, status)
        assert rig.transfer(2) == [_EINPROGRESS]

    rig.requests[1].complete = resubmit
    rig.finalize(1)
    assert rig.pump() == [("callback", 1, 0), ("start", 2)]


def test_busy_is_cleared_when_the_pump_finds_nothing(either: Rig) -> None:
    either.transfer(1)
    either.pump()
    assert either.engine.busy
    either.finalize(1)
    either.pump()
    assert not either.engine.busy
    assert either.transfer(2) == [_EINPROGRESS]
    assert either.pump() == [("start", 2)]


def test_stop_waits_and_takes_new_work_meanwhile(plain: Rig) -> None:
    plain.transfer(1)
    statuses: list[int] = []

    def late() -> None:
        statuses.extend(plain.transfer(2))
        plain.finalize(1)

    sim = plain.sim
    sim.schedule(30_000_000, Context.TASK, "late", late)
    sim.schedule(70_000_000, Context.TASK, "done", lambda: plain.finalize(2))
    assert plain.engine.stop() == 0
    assert statuses == [_EINPROGRESS]
    assert plain.take() == [
        ("start", 1),
        ("callback", 1, 0),
        ("start", 2),
        ("callback", 2, 0),
    ]
    assert sim.now == 80_000_000, "it looks every 20 ms"
    assert plain.transfer(3) == [_ESHUTDOWN]


def test_stop_gives_up_after_ten_seconds_and_cancels_nothing(plain: Rig) -> None:
    plain.transfer(1, 2)
    assert plain.engine.stop() == _EBUSY
    assert plain.sim.now == _STOP_NS
    assert plain.machine.warnings == ["rig: could not stop"]
    assert plain.engine.running
    plain.finalize(1)
    assert plain.pump() == [("start", 1), ("callback", 1, 0), ("start", 2)]


def test_exit_fails_with_stop_and_leaves_the_worker(plain: Rig) -> None:
    plain.transfer(1)
    plain.engine.exit()
    assert plain.engine.running
    plain.finalize(1)
    assert plain.transfer(2) == [_EINPROGRESS]
    assert ("start", 2) in plain.pump()


# 5.7: wedges, reproduced on purpose.


def test_wedge_b_an_error_without_retry_support_stalls_the_engine(plain: Rig) -> None:
    plain.answers[1] = _EIO
    plain.transfer(1)
    assert plain.pump() == [("fail", 1), ("callback", 1, _EIO)]
    assert plain.transfer(2, 3) == [_EINPROGRESS, _EINPROGRESS]
    assert plain.pump() == []
    assert plain.engine.stop() == _EBUSY


def test_wedge_f_an_error_of_the_last_request_stalls_an_idle_engine(rig: Rig) -> None:
    rig.answers[1] = _EIO
    rig.transfer(1)
    assert rig.pump() == [("fail", 1), ("callback", 1, _EIO)]
    assert rig.transfer(2) == [_EINPROGRESS]
    assert rig.pump() == []
    assert rig.engine.stop() == _EBUSY


def test_wedge_g_a_request_in_hardware_rescues_from_wedge_f(rig: Rig) -> None:
    rig.answers[2] = _EIO
    rig.transfer(1, 2)
    rig.pump()
    assert rig.transfer(3) == [_EINPROGRESS]
    assert rig.pump() == []
    rig.finalize(1)
    assert rig.pump() == [("callback", 1, 0), ("start", 3)]


def test_wedge_h_einprogress_from_do_one_request_looks_like_a_backlog_notice(rig: Rig) -> None:
    rig.answers[1] = _EINPROGRESS
    rig.transfer(1, 2)
    assert rig.pump() == [("fail", 1), ("callback", 1, _EINPROGRESS), ("start", 2)]


def test_wedge_j_a_retry_on_a_full_queue_notifies_a_request_that_was_accepted() -> None:
    rig = Rig(retry=True, qlen=2, depth=1)
    rig.engine.start()
    assert rig.transfer(1, 2, backlog=False) == [_EINPROGRESS, _EINPROGRESS]
    rig.sim.run(until=lambda: rig.engine.started == 1)

    def race(engine: CryptoEngine, request: Any) -> int:
        """Request 3 comes while the hardware is asked, and finds room: 2 is out of the queue."""
        rig.tfm.alg.do_one_request = rig.do_one_request
        assert rig.transfer(3, 4, backlog=False) == [_EINPROGRESS, _EINPROGRESS]
        return rig.do_one_request(engine, request)  # type: ignore[no-any-return]

    rig.tfm.alg.do_one_request = race
    rig.sim.run(deadline=rig.sim.now + 5_000)
    rig.take()
    rig.finalize(1)
    rig.sim.run(deadline=rig.sim.now + 5_000)
    assert rig.take()[:3] == [("callback", 1, 0), ("start", 2), ("callback", 4, _EINPROGRESS)]


def test_wedge_k_stop_does_not_wait_for_what_is_in_hardware(rig: Rig) -> None:
    rig.transfer(1, 2)
    rig.pump()
    rig.finalize(1)
    rig.pump()
    assert rig.in_hardware == [2]
    assert rig.engine.stop() == 0


def test_without_retry_support_stop_waits_for_what_is_in_hardware(plain: Rig) -> None:
    plain.transfer(1)
    plain.pump()
    assert plain.engine.stop() == _EBUSY
