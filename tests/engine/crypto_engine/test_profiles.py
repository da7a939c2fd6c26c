"""What the profiles have beside wedges: hooks, batches, registration, exit (5.2 to 5.4, 5.9)."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

import pytest

from tcrypt.engine.api.machine import Machine, Setup
from tcrypt.engine.crypto_engine import CryptoEngine, alloc_init, alloc_init_and_set
from tcrypt.engine.semantics import PROFILES

_EBUSY, _EIO, _EINVAL, _ENOSPC = -errno.EBUSY, -errno.EIO, -errno.EINVAL, -errno.ENOSPC
MakeRig = Callable[..., Any]


def _having(**values: object) -> list[str]:
    """The profiles with these fields."""
    return [
        name
        for name, profile in PROFILES.items()
        if all(getattr(profile, field) == value for field, value in values.items())
    ]


def _both(field: str) -> Any:
    return pytest.mark.parametrize(
        ("profile", "has"), [(name, getattr(PROFILES[name], field)) for name in PROFILES]
    )


# Allocation (5.2).


def test_an_engine_needs_a_device() -> None:
    assert alloc_init(None, "device") is None
    assert alloc_init_and_set(None, "device", True, None, False, 5) is None


def test_the_plain_engine_has_no_retry_support_and_holds_ten() -> None:
    engine = alloc_init(Machine(), "device", True)
    assert engine is not None
    assert (engine.retry_support, engine.queue.max_qlen, engine.rt) == (False, 10, True)
    assert (engine.running, engine.busy, engine.do_batch_requests) == (False, False, None)


@pytest.mark.parametrize("retry", [True, False])
def test_batches_are_kept_with_retry_support_only(retry: bool) -> None:
    machine = Machine(setup=Setup(semantics="linux-6.6"))
    engine = alloc_init_and_set(machine, "device", retry, lambda engine: 0, False, 7)
    assert engine is not None
    assert engine.queue.max_qlen == 7
    assert (engine.do_batch_requests is not None) == retry


def test_an_engine_is_one_of_its_machine() -> None:
    machine = Machine()
    assert machine.engines == [alloc_init(machine, "device")]


# Registration and a missing operation.


@pytest.mark.parametrize("profile", _having(missing_operation="registration"))
def test_a_missing_operation_is_refused_at_registration(
    make_alg: Callable[..., Any], profile: str
) -> None:
    engine = CryptoEngine(Machine(setup=Setup(semantics=profile)), "rig")
    with pytest.raises(OSError, match="do_one_request is missing") as caught:
        engine.register(make_alg(None))
    assert caught.value.errno == errno.EINVAL


@pytest.mark.parametrize("profile", _having(missing_operation="run-time"))
def test_a_missing_operation_fails_each_request(make_rig: MakeRig, profile: str) -> None:
    rig = make_rig(retry=True, profile=profile, operation=False)
    rig.transfer(1, 2)
    assert rig.pump() == [("callback", 1, _EINVAL), ("callback", 2, _EINVAL)]
    assert list(rig.machine.monitor.breaks) == ["cbc-engine has no do_one_request"]


# Exit.


@_both("exit_returns_status")
def test_what_exit_returns(make_rig: MakeRig, profile: str, has: bool) -> None:
    rig = make_rig(retry=False, profile=profile)
    rig.transfer(1)
    rig.pump()
    assert rig.engine.exit() == (_EBUSY if has else None)
    assert rig.engine.running
    rig.finalize(1)
    rig.pump()
    assert rig.engine.exit() == (0 if has else None)
    assert not rig.engine.running


# Hooks of a request.


def _hooks(log: list[tuple[Any, ...]], *, answer: int = 0) -> dict[str, Any]:
    def prepare(engine: Any, request: Any) -> int:
        log.append(("prepare", request.data))
        return answer

    def unprepare(engine: Any, request: Any) -> int:
        log.append(("unprepare", request.data))
        return _EIO

    return {"prepare_request": prepare, "unprepare_request": unprepare}


@_both("request_hooks")
@pytest.mark.parametrize("retry", [True, False])
def test_a_request_is_prepared_before_its_start_and_unprepared_before_its_completion(
    make_rig: MakeRig, profile: str, has: bool, retry: bool
) -> None:
    log: list[tuple[Any, ...]] = []
    rig = make_rig(retry=retry, profile=profile, **_hooks(log))
    rig.log = log
    rig.transfer(1)
    rig.sim.run()
    assert log == ([("prepare", 1), ("start", 1)] if has else [("start", 1)])
    log.clear()
    rig.finalize(1)
    assert log == [("unprepare", 1), ("callback", 1, 0)][0 if has else 1 :]


@pytest.mark.parametrize("profile", _having(request_hooks=True))
def test_a_request_that_goes_back_is_unprepared(make_rig: MakeRig, profile: str) -> None:
    log: list[tuple[Any, ...]] = []
    rig = make_rig(retry=True, depth=0, profile=profile, **_hooks(log))
    rig.log = log
    rig.transfer(1)
    rig.sim.run(deadline=3_000)
    once = [("prepare", 1), ("full", 1), ("unprepare", 1)]
    assert log == once * 3


@pytest.mark.parametrize("profile", _having(request_hooks=True))
def test_a_request_that_fails_is_unprepared(make_rig: MakeRig, profile: str) -> None:
    log: list[tuple[Any, ...]] = []
    rig = make_rig(retry=True, profile=profile, **_hooks(log))
    rig.log = log
    rig.answers[1] = _EIO
    rig.transfer(1)
    rig.sim.run()
    assert log == [("prepare", 1), ("fail", 1), ("unprepare", 1), ("callback", 1, _EIO)]


@pytest.mark.parametrize("profile", _having(request_hooks=True))
def test_a_failed_preparation_is_not_undone(make_rig: MakeRig, profile: str) -> None:
    log: list[tuple[Any, ...]] = []
    rig = make_rig(retry=True, profile=profile, **_hooks(log, answer=_ENOSPC))
    rig.log = log
    rig.transfer(1)
    rig.sim.run()
    assert log == [("prepare", 1), ("callback", 1, _ENOSPC)], "-ENOSPC means nothing there"


@pytest.mark.parametrize("profile", _having(request_hooks=True))
def test_finalize_unprepares_only_where_both_hooks_exist(make_rig: MakeRig, profile: str) -> None:
    log: list[tuple[Any, ...]] = []
    unprepare = _hooks(log)["unprepare_request"]
    rig = make_rig(retry=True, profile=profile, unprepare_request=unprepare)
    rig.transfer(1)
    rig.sim.run()
    rig.finalize(1)
    assert log == []


# Hooks of the hardware.


@_both("hardware_hooks")
def test_the_hardware_is_prepared_after_a_rest_and_unprepared_at_the_next(
    make_rig: MakeRig, profile: str, has: bool
) -> None:
    rig = make_rig(retry=True, profile=profile)
    seen: list[tuple[str, bool]] = []

    def prepare(engine: CryptoEngine) -> int:
        seen.append(("prepare", engine.idling))
        return 0

    def unprepare(engine: CryptoEngine) -> int:
        seen.append(("unprepare", engine.idling))
        return _EIO

    rig.engine.prepare_crypt_hardware = prepare
    rig.engine.unprepare_crypt_hardware = unprepare
    for number in (1, 3):
        rig.transfer(number, number + 1)
        rig.pump()
        rig.finalize(number)
        rig.finalize(number + 1)
        rig.pump()
    assert seen == ([("prepare", False), ("unprepare", True)] * 2 if has else [])
    assert not rig.engine.idling


# Batches.


@pytest.mark.parametrize(
    ("profile", "has"),
    [(n, p.batch) for n, p in PROFILES.items() if p.batch != "replaces"],
)
def test_the_batch_hook_after_the_pump(make_rig: MakeRig, profile: str, has: str) -> None:
    """At every end of the pump, and also when nothing was sent."""
    calls: list[int] = []

    def batch(engine: CryptoEngine) -> int:
        calls.append(engine.started)
        return _EIO

    rig = make_rig(retry=True, profile=profile, batch=batch)
    rig.pump()
    rig.transfer(1, 2, 3)
    assert rig.pump() == [("start", 1), ("start", 2), ("start", 3)]
    assert calls == ([0, 3] if has == "after-pump" else [])


@pytest.mark.parametrize("profile", _having(batch="after-pump"))
def test_the_batch_hook_is_called_after_a_retry_as_well(make_rig: MakeRig, profile: str) -> None:
    calls: list[int] = []
    rig = make_rig(
        retry=True, depth=1, profile=profile, batch=lambda e: calls.append(e.started) or 0
    )
    rig.transfer(1, 2)
    rig.sim.run(deadline=2_000)
    assert calls == [1, 1]
    assert rig.engine.retries == 2


def _taking(log: list[int], room: int) -> Callable[[CryptoEngine], int]:
    """A driver that takes requests from the queue by itself, `room` of them at a time."""

    def batch(engine: CryptoEngine) -> int:
        for _ in range(room):
            request: Any = engine.queue.dequeue()
            if request is None:
                return 0
            log.append(request.data)
        return _ENOSPC if len(engine.queue) else 0

    return batch


def test_the_guides_batch_hook_takes_the_place_of_do_one_request(make_rig: MakeRig) -> None:
    taken: list[int] = []
    rig = make_rig(retry=True, profile="guide", qlen=2, batch=_taking(taken, 3))
    assert rig.transfer(1, 2, 3, 4) == [-115, -115, -16, -16]
    rig.sim.run(deadline=10_000)
    assert taken == [1, 2, 3]
    assert rig.take() == [("callback", 3, -115), ("callback", 4, -115)]
    assert rig.engine.started == 3
    rig.sim.run(deadline=rig.sim.now + PROFILES["guide"].retry_delay)
    assert taken == [1, 2, 3, 4]
    for number in taken:
        rig.finalize(number)
    rig.pump()
    assert not rig.engine.busy
    assert rig.blamed == []


def test_a_batch_that_leaves_requests_is_called_again_when_one_is_finalized(
    make_rig: MakeRig,
) -> None:
    taken: list[int] = []

    def one(engine: CryptoEngine) -> int:
        request: Any = engine.queue.dequeue()
        taken.append(request.data)
        return 0

    rig = make_rig(retry=True, profile="guide", batch=one)
    rig.transfer(1, 2)
    rig.pump()
    assert taken == [1]
    rig.finalize(1)
    rig.pump()
    assert taken == [1, 2]
