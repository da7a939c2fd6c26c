"""Submission without crypto_engine: eip93, sections 4.2 and 5.8, kernel-crypto, 5.1 and 6.10.

The ring of four entries holds three descriptors, and the queue behind it four requests.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tcrypt.engine import software
from tcrypt.engine.api.machine import Machine, Setup
from tcrypt.engine.eip93.device import Device, Latency
from tcrypt.engine.eip93.driver.policy import Outcome
from tcrypt.engine.eip93.driver.probe import probe
from tcrypt.engine.eip93.variants import MT7621, TINY_RING
from tcrypt.engine.sim import Context, Event, IrqLine
from tcrypt.plugins.eip93 import attach_eip93

if TYPE_CHECKING:
    from tests.engine.conftest import Call, Caller
    from tests.engine.eip93.driver.conftest import Rig

_KEY, _IV = bytes(range(16)), bytes(range(16, 32))
_EINPROGRESS, _EBUSY, _ENOSPC = -errno.EINPROGRESS, -errno.EBUSY, -errno.ENOSPC


@pytest.fixture
def tiny(make_rig: Callable[..., Rig]) -> Rig:
    return make_rig(TINY_RING, mode="direct")


def flood(rig: Rig, count: int, **options: Any) -> list[Call]:
    """Submit many requests at once, each with data of its own."""
    tfm = rig.tfm("cbc(aes)", _KEY)
    return [rig.caller.start(tfm, n.to_bytes(4, "big") * 4, _IV, **options) for n in range(count)]


def test_there_is_no_crypto_engine(tiny: Rig) -> None:
    ours = [alg for alg in tiny.machine.registry if alg.cra_module == "eip93"]
    assert len(ours) == 32
    assert all(alg.do_one_request is None for alg in ours)
    assert tiny.machine.engines == []


def test_descriptors_are_written_before_the_submission_returns(tiny: Rig) -> None:
    flood(tiny, 3)
    assert len(tiny.tap.work) == 3
    tiny.caller.settle()


def test_what_ring_and_queue_hold_is_accepted_and_the_rest_backlogged(tiny: Rig) -> None:
    calls = flood(tiny, 10)
    assert [call.submitted for call in calls] == [_EINPROGRESS] * 7 + [_EBUSY] * 3
    assert len(tiny.tap.work) == 3
    tiny.caller.settle()
    assert [call.notes for call in calls] == [[0]] * 7 + [[_EINPROGRESS, 0]] * 3
    assert tiny.count(Outcome.RETRY) >= 4


def test_without_backlog_a_full_queue_refuses(tiny: Rig) -> None:
    calls = flood(tiny, 9, flags=0)
    tiny.caller.settle()
    assert [call.submitted for call in calls] == [_EINPROGRESS] * 7 + [_ENOSPC] * 2
    assert [call.notes for call in calls] == [[0]] * 7 + [[]] * 2
    assert calls[8].out == b"\xfe" * 16


def test_a_backlogged_request_hears_that_it_is_accepted_when_one_before_it_starts(
    tiny: Rig,
) -> None:
    calls = flood(tiny, 9)
    tiny.sim.run(until=lambda: bool(calls[7].notes))
    assert calls[7].notes == [_EINPROGRESS]
    assert calls[0].notes == [0], "a completion had made the room"
    assert calls[8].notes == [], "one notice for each request that has left the queue"
    tiny.caller.settle()


@pytest.mark.parametrize("latency", list(Latency), ids=lambda latency: latency.value)
def test_requests_complete_in_the_order_of_their_submission(
    make_rig: Callable[..., Rig], latency: Latency
) -> None:
    rig = make_rig(TINY_RING, mode="direct", latency=latency)
    order: list[int] = []
    calls = flood(rig, 40)
    for n, call in enumerate(calls):
        call.request.complete = _noting(call.request.complete, order, n)
    rig.caller.settle()
    assert order == list(range(40))
    assert {call.status for call in calls} == {0}


def _noting(complete: Any, order: list[int], n: int) -> Any:
    def noted(data: Any, status: int) -> None:
        if status != _EINPROGRESS:
            order.append(n)
        complete(data, status)

    return noted


def test_a_request_of_many_pieces_keeps_its_place_before_small_ones(
    make_rig: Callable[..., Rig],
) -> None:
    """Small ones that would fit must not overtake it, or it might wait for ever."""
    rig = make_rig(TINY_RING, mode="direct")
    tfm = rig.tfm("cbc(aes)", _KEY)
    order: list[int] = []
    calls = []
    for n in range(12):
        data = bytes(48) if n % 4 == 2 else bytes(16)
        src = rig.caller.scatter(data, [16] * (len(data) // 16 - 1))
        call = rig.caller.start(tfm, data, _IV, src=src)
        call.request.complete = _noting(call.request.complete, order, n)
        calls.append(call)
    rig.caller.settle()
    assert order == list(range(12))


def test_callbacks_may_submit_while_other_results_are_taken(tiny: Rig) -> None:
    """Three jobs have left the ring and two of them still hold their records."""
    tfm = tiny.tfm("cbc(aes)", _KEY)
    calls: list[Any] = []

    def follow(call: Any) -> None:
        complete = call.request.complete

        def completed(data: Any, status: int) -> None:
            complete(data, status)
            if status != _EINPROGRESS and len(calls) < 40:
                for _ in range(3):
                    submit()

        call.request.complete = completed

    def submit() -> None:
        calls.append(tiny.caller.start(tfm, bytes(16), _IV))
        follow(calls[-1])

    for _ in range(3):
        submit()
    tiny.caller.settle()
    assert len(calls) >= 40
    assert {call.status for call in calls} == {0}


def test_without_memory_the_submission_itself_fails(tiny: Rig) -> None:
    """Nobody is called back, and the lock is free again."""
    tfm = tiny.tfm("cbc(aes)", _KEY)
    src = tiny.caller.scatter(bytes(16), offset=1)
    dst, request = tiny.caller.scatter(16), tfm.request()
    request.set_crypt(src, dst, 16, tiny.caller.buffer(_IV))
    tiny.machine.memory.fail_allocs()
    call = tiny.caller.submit(request, tfm.encrypt)
    tiny.machine.memory.mend()
    assert (call.submitted, call.notes) == (-errno.ENOMEM, [])
    assert tiny.machine.dma.live_mappings == tiny.idle_mappings
    assert tiny.caller.crypt(tfm, bytes(16), _IV).status == 0


def test_a_request_that_fails_when_its_turn_comes_is_called_back_and_the_next_starts(
    tiny: Rig,
) -> None:
    tfm = tiny.tfm("cbc(aes)", _KEY)
    calls = [
        tiny.caller.start(tfm, bytes(16), _IV, src=tiny.caller.scatter(bytes(16), offset=n == 4))
        for n in range(9)
    ]
    assert len(tiny.tap.work) == 3
    tiny.machine.memory.fail_allocs()
    tiny.sim.run(until=lambda: bool(calls[4].notes))
    tiny.machine.memory.mend()
    assert calls[4].notes == [-errno.ENOMEM]
    tiny.caller.settle()
    assert [call.status for call in calls] == [0] * 4 + [-errno.ENOMEM] + [0] * 4


def test_what_waits_is_completed_when_the_driver_is_removed(tiny: Rig) -> None:
    calls = flood(tiny, 9)
    assert tiny.driver.core.remove() == 0
    assert {call.status for call in calls} == {0}
    tiny.idle_mappings = 0


def test_a_stopped_queue_accepts_nothing_more(tiny: Rig) -> None:
    tfm = tiny.tfm("cbc(aes)", _KEY)
    assert tiny.driver.core.remove() == 0
    tiny.idle_mappings = 0
    late = tiny.caller.start(tfm, bytes(16), _IV)
    assert (late.submitted, late.notes) == (-errno.ESHUTDOWN, [])


def test_remove_gives_up_on_requests_that_never_leave_the_queue(tiny: Rig) -> None:
    calls = flood(tiny, 5)
    tiny.irq.lose(100)
    assert tiny.driver.core.remove() == -errno.EBUSY
    assert tiny.machine.warnings == ["eip93: could not stop"]
    tiny.machine.warnings.clear()
    tiny.irq.mend()
    tiny.caller.settle()
    assert {call.status for call in calls} == {0}


def test_a_mode_that_does_not_exist_is_refused_and_leaves_nothing() -> None:
    machine = Machine()
    software.register(machine)
    irq = IrqLine(machine.sim, "eip93")
    device = Device(machine.sim, machine.dma, irq, MT7621)
    before = machine.memory.live_blocks, len(list(machine.registry))
    with pytest.raises(OSError, match="no submission mode 'doorbell'; there are engine,"):
        probe(machine, device, irq, mode="doorbell")  # type: ignore[arg-type]
    assert (machine.memory.live_blocks, len(list(machine.registry))) == before


class Drawn:
    """Lets a search decide which of the ready events runs next."""

    def __init__(self, choices: list[int]) -> None:
        self.choices = choices

    def choose(self, ready: Sequence[Event]) -> int:
        return self.choices.pop() % len(ready) if self.choices else 0


@given(
    st.lists(st.integers(0, 5), max_size=100),
    st.lists(st.integers(0, 20_000), min_size=1, max_size=14),
    st.sampled_from((Context.TASK, Context.SOFTIRQ)),
    st.sampled_from((None, 70, 400)),
)
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)
def test_no_order_of_events_loses_a_request(
    make_caller: Callable[[Machine], Caller],
    choices: list[int],
    delays: list[int],
    context: Context,
    preempt: int | None,
) -> None:
    """From tasks and softirqs, and with interrupts inside of register accesses."""
    knobs = {} if preempt is None else {"preempt": preempt}
    machine = Machine(setup=Setup(knobs=knobs))
    software.register(machine)
    attach_eip93(machine, TINY_RING, mode="direct")
    caller = make_caller(machine)
    tfm: Any = machine.registry.alloc_skcipher("cbc(aes-eip93)")
    tfm.setkey(_KEY)
    wanted = caller.crypt(tfm, bytes(64), _IV).out
    machine.sim.chooser = Drawn(choices)
    calls: list[Any] = []

    def submit() -> None:
        src = caller.scatter(bytes(64), [16] * (len(calls) % 4))
        calls.append(caller.start(tfm, bytes(64), _IV, src=src))

    for delay in delays:
        # Rounded, so that many events fall on one instant.
        machine.sim.schedule(delay // 500 * 500, context, "submit", submit)
    caller.settle()
    assert [made.status for made in calls] == [0] * len(delays)
    assert {made.out for made in calls} == {wanted}
    assert machine.warnings == []
