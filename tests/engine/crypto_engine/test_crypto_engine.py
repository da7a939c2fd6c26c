"""`crypto_engine` as the newest kernel has it: kernel-crypto, sections 5.2 to 5.7 and 5.9."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tcrypt.engine.api.machine import Machine
from tcrypt.engine.crypto_engine import CryptoEngine
from tcrypt.engine.sim import Context

_EINPROGRESS, _EBUSY, _ENOSPC = -errno.EINPROGRESS, -errno.EBUSY, -errno.ENOSPC
_ESHUTDOWN, _EINVAL, _EIO = -errno.ESHUTDOWN, -errno.EINVAL, -errno.EIO
_STOP_NS = 10_000_000_000

Rig = Any
MakeRig = Callable[..., Any]


@pytest.fixture
def rig(make_rig: MakeRig) -> Rig:
    """A started engine with retry support; its hardware is never full."""
    return make_rig(retry=True)


@pytest.fixture
def plain(make_rig: MakeRig) -> Rig:
    """A started engine without retry support."""
    return make_rig(retry=False)


@pytest.fixture(params=[True, False], ids=["retry", "no retry"])
def either(request: pytest.FixtureRequest, make_rig: MakeRig) -> Iterator[Rig]:
    """Both; every completion must have come with bottom halves disabled."""
    made = make_rig(retry=request.param)
    yield made
    assert all(made.in_softirq)


# 5.2: life cycle.


def test_an_algorithm_without_do_one_request_is_refused(make_alg: Callable[..., Any]) -> None:
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


def test_nothing_is_accepted_before_the_start(make_rig: MakeRig) -> None:
    rig = make_rig(retry=True, start=False)
    assert rig.transfer(1) == [_ESHUTDOWN]


def test_stopping_a_stopped_engine_is_no_error(either: Rig) -> None:
    assert [either.engine.stop() for _ in range(2)] == [0, 0]
    assert either.sim.now == 0


def test_the_default_queue_holds_ten(make_rig: MakeRig) -> None:
    rig = make_rig(retry=False)
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
def test_a_full_queue_answers_by_flag(make_rig: MakeRig, retry: bool) -> None:
    rig = make_rig(retry=retry, qlen=3)
    assert rig.transfer(1, 2, 3) == [_EINPROGRESS] * 3
    assert rig.transfer(4, backlog=False) == [_ENOSPC]
    assert rig.transfer(5, 6) == [_EBUSY, _EBUSY]
    assert len(rig.engine.queue) == 5


def test_the_refused_request_is_never_called_back(make_rig: MakeRig) -> None:
    rig = make_rig(retry=True, qlen=1)
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


def test_no_room_puts_the_request_back_at_the_head(make_rig: MakeRig) -> None:
    rig = make_rig(retry=True, depth=2)
    rig.transfer(1, 2, 3, 4)
    rig.sim.run(deadline=20_000)
    log = rig.take()
    assert log[:2] == [("start", 1), ("start", 2)]
    assert set(log[2:]) == {("full", 3)}, "request 4 must wait behind request 3"
    assert len(log) > 10, "the kernel spins, it does not wait"
    assert rig.engine.retries == len(log) - 2
    assert len(rig.engine.queue) == 2


def test_retries_keep_the_order_and_lose_nothing(make_rig: MakeRig) -> None:
    rig = make_rig(retry=True, depth=3, qlen=4)
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


def test_the_backlogged_are_told_when_one_before_them_has_started(make_rig: MakeRig) -> None:
    rig = make_rig(retry=True, qlen=1)
    assert rig.transfer(1, 2, 3) == [_EINPROGRESS, _EBUSY, _EBUSY]
    assert rig.pump() == [
        ("start", 1),
        ("callback", 2, _EINPROGRESS),
        ("start", 2),
        ("callback", 3, _EINPROGRESS),
        ("start", 3),
    ]
    assert all(rig.in_softirq)


def test_the_backlogged_are_told_even_when_the_one_before_them_failed(make_rig: MakeRig) -> None:
    rig = make_rig(retry=True, qlen=1)
    rig.answers[1] = _EIO
    rig.transfer(1, 2)
    assert rig.pump()[:3] == [
        ("fail", 1),
        ("callback", 1, _EIO),
        ("callback", 2, _EINPROGRESS),
    ]


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
