"""The traces and the wedges of kernel-crypto, section 5.7, in every profile."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tcrypt.engine.semantics import PROFILES, WEDGES, Semantics

_EINPROGRESS, _EBUSY = -errno.EINPROGRESS, -errno.EBUSY
_EIO = -errno.EIO
_LINUX = [name for name in PROFILES if name.startswith("linux-")]
_FIX_UP = [name for name in _LINUX if PROFILES[name].head_moves_backlog]
_HOOKED = [name for name in _LINUX if PROFILES[name].hardware_hooks]

MakeRig = Callable[..., Any]


def faithful(*names: str) -> Any:
    return pytest.mark.parametrize("profile", names or _LINUX)


# The full-queue trace.


@faithful(*(name for name in PROFILES if not PROFILES[name].notice_before_start))
def test_full_queue_trace(make_rig: MakeRig, profile: str) -> None:
    rig = make_rig(retry=False, qlen=2, profile=profile)
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
    assert rig.blamed == []


def test_full_queue_trace_with_the_notice_before_the_start(make_rig: MakeRig) -> None:
    rig = make_rig(retry=False, qlen=2, profile="linux-5.8")
    statuses = [rig.transfer(n, backlog=n != 4)[0] for n in (1, 2, 3, 4, 5)]
    assert statuses == [-115, -115, -16, -28, -16]
    assert rig.pump() == [("callback", 3, -115), ("start", 1)]
    rig.finalize(1)
    assert rig.pump() == [("callback", 1, 0), ("callback", 5, -115), ("start", 2)]
    rig.finalize(2)
    assert rig.pump() == [("callback", 2, 0), ("start", 3)]
    assert rig.blamed == []


# The retry trace.


@faithful(*_FIX_UP, "fixed")
def test_retry_trace(make_rig: MakeRig, profile: str) -> None:
    rig = make_rig(retry=True, qlen=2, depth=1, profile=profile)
    assert rig.transfer(1, 2, 3, 4) == [-115, -115, -16, -16]
    rig.sim.run(deadline=10_000)
    log = rig.take()
    assert log[:3] == [("start", 1), ("callback", 3, -115), ("full", 2)]
    assert len(log) > 5, "the kernel spins, it does not wait"
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


def test_retry_trace_of_5_8_tells_the_whole_backlog_that_it_is_accepted(
    make_rig: MakeRig,
) -> None:
    """Every retry takes a request out of the queue, and so accepts another of the backlog."""
    rig = make_rig(retry=True, qlen=2, depth=1, profile="linux-5.8")
    assert rig.transfer(1, 2, 3, 4) == [-115, -115, -16, -16]
    rig.sim.run(deadline=10_000)
    log = rig.take()
    assert log[:4] == [
        ("callback", 3, -115),
        ("start", 1),
        ("callback", 4, -115),
        ("full", 2),
    ]
    assert set(log[3:]) == {("full", 2)}
    assert len(log) > 5
    assert len(rig.engine.queue) == 3


def test_retry_trace_of_the_guide_waits_between_the_tries(make_rig: MakeRig) -> None:
    rig = make_rig(retry=True, qlen=2, depth=1, profile="guide")
    assert rig.transfer(1, 2, 3, 4) == [-115, -115, -16, -16]
    delay = PROFILES["guide"].retry_delay
    rig.sim.run(deadline=3 * delay)
    assert rig.take() == [("start", 1), ("callback", 3, -115), *[("full", 2)] * 3]
    rig.finalize(1)
    rig.sim.run(deadline=rig.sim.now + delay // 2)
    log = rig.take()
    assert log[:3] == [("callback", 1, 0), ("start", 2), ("callback", 4, -115)]


# The wedges.


@faithful()
def test_wedge_b_an_error_without_retry_support_stalls_the_engine(
    make_rig: MakeRig, profile: str
) -> None:
    rig = make_rig(retry=False, profile=profile)
    rig.answers[1] = _EIO
    rig.transfer(1)
    assert rig.pump() == [("fail", 1), ("callback", 1, _EIO)]
    assert rig.transfer(2, 3) == [_EINPROGRESS, _EINPROGRESS]
    assert rig.pump() == []
    assert rig.engine.stop() == _EBUSY


@pytest.mark.parametrize("profile", ["fixed", "guide"])
def test_wedge_b_is_mended(make_rig: MakeRig, profile: str) -> None:
    rig = make_rig(retry=False, profile=profile)
    rig.answers[1] = _EIO
    rig.transfer(1, 2)
    assert rig.pump() == [("fail", 1), ("callback", 1, _EIO), ("start", 2)]
    rig.finalize(2)
    rig.pump()
    assert rig.engine.stop() == 0


@faithful()
def test_wedge_f_an_error_of_the_last_request_stalls_an_idle_engine(
    make_rig: MakeRig, profile: str
) -> None:
    rig = make_rig(retry=True, profile=profile)
    rig.answers[1] = _EIO
    rig.transfer(1)
    assert rig.pump() == [("fail", 1), ("callback", 1, _EIO)]
    assert rig.transfer(2) == [_EINPROGRESS]
    assert rig.pump() == []
    assert rig.engine.stop() == _EBUSY


@pytest.mark.parametrize("profile", ["fixed", "guide"])
def test_wedge_f_is_mended(make_rig: MakeRig, profile: str) -> None:
    rig = make_rig(retry=True, profile=profile)
    rig.answers[1] = _EIO
    rig.transfer(1, backlog=False)
    assert rig.pump() == [("fail", 1), ("callback", 1, _EIO)]
    assert rig.transfer(2) == [_EINPROGRESS]
    assert rig.pump() == [("start", 2)]


@pytest.mark.parametrize("profile", [*_LINUX, "fixed"])
def test_wedge_g_a_request_in_hardware_rescues_from_wedge_f(
    make_rig: MakeRig, profile: str
) -> None:
    rig = make_rig(retry=True, profile=profile)
    rig.answers[2] = _EIO
    rig.transfer(1, 2)
    rig.pump()
    assert rig.transfer(3) == [_EINPROGRESS]
    before = rig.pump()
    rig.finalize(1)
    after = rig.pump()
    if profile == "fixed":
        assert (before, after) == ([("start", 3)], [("callback", 1, 0)])
    else:
        assert (before, after) == ([], [("callback", 1, 0), ("start", 3)])


@faithful()
@pytest.mark.parametrize("retry", [True, False])
def test_wedge_h_einprogress_from_do_one_request_looks_like_a_backlog_notice(
    make_rig: MakeRig, profile: str, retry: bool
) -> None:
    rig = make_rig(retry=retry, profile=profile)
    rig.answers[1] = _EINPROGRESS
    rig.transfer(1, 2)
    log = rig.pump()
    assert log[:2] == [("fail", 1), ("callback", 1, _EINPROGRESS)]
    assert log[2:] == ([("start", 2)] if retry else []), "without retry support wedge B follows"


@pytest.mark.parametrize("profile", ["fixed", "guide"])
@pytest.mark.parametrize("retry", [True, False])
def test_wedge_h_is_mended(make_rig: MakeRig, profile: str, retry: bool) -> None:
    rig = make_rig(retry=retry, profile=profile)
    rig.answers[1] = _EINPROGRESS
    rig.transfer(1)
    assert rig.pump() == [("fail", 1)]
    assert rig.engine.started == 1
    rig.finalize(1)
    assert rig.pump() == [("callback", 1, 0)]
    assert rig.blamed == []
    assert not rig.machine.monitor.breaks


@faithful(*_HOOKED, "guide")
@pytest.mark.parametrize("retry", [True, False])
def test_wedge_i_a_failing_hardware_hook_stalls_the_engine(
    make_rig: MakeRig, profile: str, retry: bool
) -> None:
    rig = make_rig(retry=retry, profile=profile)
    rig.engine.prepare_crypt_hardware = lambda engine: _EIO
    rig.transfer(1)
    assert rig.pump() == [("callback", 1, _EIO)]
    assert rig.transfer(2) == [_EINPROGRESS]
    assert rig.pump() == []
    assert rig.engine.stop() == _EBUSY
    assert not rig.machine.monitor.breaks, "no fault of the driver"


@faithful(*(name for name in _LINUX if PROFILES[name].request_hooks))
def test_wedge_i_a_failing_request_hook_stalls_the_engine(make_rig: MakeRig, profile: str) -> None:
    rig = make_rig(retry=False, profile=profile, prepare_request=lambda engine, request: _EIO)
    rig.transfer(1, 2)
    assert rig.pump() == [("callback", 1, _EIO)]
    assert rig.engine.stop() == _EBUSY


@pytest.mark.parametrize("retry", [True, False])
def test_wedge_i_is_mended_where_there_are_hooks_to_fail(
    make_rig: MakeRig, invented: Callable[[Semantics], str], retry: bool
) -> None:
    hooked = replace(PROFILES["linux-6.1"], name="mended", mended=frozenset(WEDGES))
    rig = make_rig(retry=retry, profile=invented(hooked))
    answers = [_EIO, 0]
    rig.engine.prepare_crypt_hardware = lambda engine: answers.pop(0)
    rig.transfer(1)
    assert rig.pump() == [("callback", 1, _EIO)]
    rig.transfer(2)
    assert rig.pump() == [("start", 2)]
    assert answers == []


@pytest.mark.parametrize("profile", ["linux-6.17", "fixed"])
def test_wedge_i_needs_a_hook_and_there_is_none_any_more(make_rig: MakeRig, profile: str) -> None:
    rig = make_rig(retry=False, profile=profile, prepare_request=lambda engine, request: _EIO)
    rig.engine.prepare_crypt_hardware = lambda engine: _EIO
    rig.transfer(1)
    assert rig.pump() == [("start", 1)]


def _race(rig: Any) -> list[tuple[Any, ...]]:
    """Two come while the hardware is asked, and the first finds the room of the one asked for."""
    assert rig.transfer(1, 2, backlog=False) == [_EINPROGRESS, _EINPROGRESS]
    rig.sim.run(until=lambda: rig.engine.started == 1)

    def race(engine: Any, request: Any) -> Any:
        rig.alg.do_one_request = rig.do_one_request
        assert rig.transfer(3, 4, backlog=False) == [_EINPROGRESS, _EINPROGRESS]
        return rig.do_one_request(engine, request)

    rig.alg.do_one_request = race
    some_tries = 5_000 + 2 * rig.engine.semantics.retry_delay
    rig.sim.run(deadline=rig.sim.now + some_tries)
    rig.take()
    rig.finalize(1)
    rig.sim.run(deadline=rig.sim.now + some_tries)
    log: list[tuple[Any, ...]] = rig.take()
    return log


@faithful(*_FIX_UP, "guide")
def test_wedge_j_a_retry_on_a_full_queue_notifies_a_request_that_was_accepted(
    make_rig: MakeRig, profile: str
) -> None:
    rig = make_rig(retry=True, qlen=2, depth=1, profile=profile)
    log = _race(rig)
    assert [entry for entry in log if entry[0] != "full"] == [
        ("callback", 1, 0),
        ("start", 2),
        ("callback", 4, _EINPROGRESS),
    ]
    assert rig.blamed == [("notice without a backlog", "profile")]


@pytest.mark.parametrize("profile", ["fixed", "linux-5.8"])
def test_wedge_j_is_mended_or_not_there_yet(make_rig: MakeRig, profile: str) -> None:
    rig = make_rig(retry=True, qlen=2, depth=1, profile=profile)
    log = _race(rig)
    assert log[:2] == [("callback", 1, 0), ("start", 2)]
    assert ("callback", 4, _EINPROGRESS) not in log
    assert rig.blamed == []


def _one_of_two_done(rig: Any) -> None:
    rig.transfer(1, 2)
    rig.pump()
    rig.finalize(1)
    rig.pump()
    assert rig.in_hardware == [2]


@faithful(*_LINUX, "guide")
def test_wedge_k_stop_does_not_wait_for_what_is_in_hardware(
    make_rig: MakeRig, profile: str
) -> None:
    rig = make_rig(retry=True, profile=profile)
    _one_of_two_done(rig)
    assert rig.engine.stop() == 0


def test_wedge_k_is_mended(make_rig: MakeRig) -> None:
    rig = make_rig(retry=True, profile="fixed")
    _one_of_two_done(rig)
    rig.sim.schedule(50_000_000, rig.sim.context, "hardware", lambda: rig.finalize(2))
    assert rig.engine.stop() == 0
    assert rig.take() == [("callback", 2, 0)]
    assert rig.sim.now > 50_000_000


@pytest.mark.parametrize("profile", PROFILES)
def test_without_retry_support_stop_waits_for_what_is_in_hardware(
    make_rig: MakeRig, profile: str
) -> None:
    rig = make_rig(retry=False, profile=profile)
    rig.transfer(1)
    rig.pump()
    assert rig.engine.stop() == _EBUSY


# Requests that never fit.


@pytest.mark.parametrize("profile", PROFILES)
def test_a_request_that_can_never_fit_is_tried_for_ever(make_rig: MakeRig, profile: str) -> None:
    rig = make_rig(retry=True, depth=0, profile=profile)
    rig.transfer(1, 2)
    between = PROFILES[profile].retry_delay or 1_000
    assert not rig.sim.run(deadline=1_000 * between)
    assert set(rig.take()) == {("full", 1)}
    assert rig.engine.retries >= 990


def test_livelock_of_the_guide_a_fatal_error_is_requeued_for_ever(make_rig: MakeRig) -> None:
    rig = make_rig(retry=True, profile="guide")
    rig.answers[1] = _EIO
    rig.transfer(1, 2)
    rig.sim.run(deadline=1_000_000)
    log = rig.take()
    assert len(log) > 100
    assert set(log) == {("fail", 1)}, "and nothing behind it runs"
    assert not rig.machine.monitor.breaks, "the guide allows the error"


@faithful(*_LINUX, "fixed")
def test_no_released_kernel_requeues_a_fatal_error(make_rig: MakeRig, profile: str) -> None:
    rig = make_rig(retry=True, profile=profile)
    rig.answers[1] = _EIO
    rig.transfer(1, 2)
    assert rig.pump() == [("fail", 1), ("callback", 1, _EIO), ("start", 2)]
