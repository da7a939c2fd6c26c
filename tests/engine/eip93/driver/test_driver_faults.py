"""The driver when something is missing: memory, mappings, interrupts, or the driver itself."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tcrypt.engine import software
from tcrypt.engine.api.machine import Machine, Setup
from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.variants import TINY_RING
from tcrypt.plugins.eip93 import attach_eip93

if TYPE_CHECKING:
    from tests.engine.conftest import Call, Caller

_KEY, _IV = bytes(range(16)), bytes(16)
_BLOB = bytes([8, 0, 1, 0, 0, 0, 0, 16]) + bytes(20) + _KEY
_AUTHENC = "authenc(hmac(sha1),cbc(aes))"
_TEXT = bytes(range(48))


def start(rig: Any, name: str, *, bounced: bool) -> Call:
    """Submit one request that maps its memory, or that needs a bounce buffer."""
    caller: Caller = rig.caller
    offset = 1 if bounced else 0
    if name == "sha1":
        tfm = rig.tfm(name)
        request = tfm.request()
        result = caller.buffer(bytes(20))
        request.set_crypt(caller.scatter(_TEXT, offset=offset), result, len(_TEXT))
        return caller.submit(request, tfm.digest)
    tfm = rig.tfm(name, _BLOB if name == _AUTHENC else _KEY)
    return caller.start(tfm, _TEXT, _IV, src=caller.scatter(_TEXT, offset=offset))


_REQUESTS = [
    (name, bounced) for name in ("cbc(aes)", _AUTHENC, "sha1") for bounced in (False, True)
]


@pytest.mark.parametrize(("name", "bounced"), _REQUESTS)
def test_without_mappings_a_request_ends_with_enomem_and_leaves_nothing(
    make_rig: Callable[..., Any], name: str, bounced: bool
) -> None:
    rig = make_rig(TINY_RING)
    for point in range(2):
        start(rig, name, bounced=bounced)
        rig.caller.settle()
        before = rig.machine.dma.live_mappings
        maps = rig.machine.dma.maps
        made = start(rig, name, bounced=bounced)
        rig.machine.dma.fail_maps(point)
        rig.caller.settle()
        rig.machine.dma.mend()
        failed = rig.machine.dma.maps - maps == point + 1
        assert made.status == (-errno.ENOMEM if failed else 0)
        assert rig.machine.dma.live_mappings == before
        assert rig.driver.core.rings.used == 0
        again = start(rig, name, bounced=bounced)
        rig.caller.settle()
        assert again.status == 0


@pytest.mark.parametrize("name", ["cbc(aes)", _AUTHENC, "sha1"])
def test_without_memory_a_bounced_request_ends_with_enomem(
    make_rig: Callable[..., Any], name: str
) -> None:
    rig = make_rig(TINY_RING)
    made = start(rig, name, bounced=True)
    blocks = rig.machine.memory.live_blocks
    rig.machine.memory.fail_allocs()
    rig.caller.settle()
    rig.machine.memory.mend()
    assert made.status == -errno.ENOMEM
    assert rig.device.jobs == 0
    assert rig.machine.memory.live_blocks == blocks


def test_more_failures_than_slots_do_not_use_the_slots_up(make_rig: Callable[..., Any]) -> None:
    rig = make_rig(TINY_RING)
    for _ in range(2 * TINY_RING.ring_size):
        made = start(rig, "cbc(aes)", bounced=True)
        rig.machine.memory.fail_allocs()
        rig.caller.settle()
        assert made.status == -errno.ENOMEM
    made = start(rig, "cbc(aes)", bounced=True)
    rig.caller.settle()
    assert made.status == 0


def test_a_lost_interrupt_is_made_up_for_by_the_next(make_rig: Callable[..., Any]) -> None:
    rig = make_rig(TINY_RING)
    rig.irq.lose()
    first = start(rig, "cbc(aes)", bounced=False)
    rig.caller.settle()
    assert first.notes == []
    second = start(rig, "cbc(aes)", bounced=False)
    rig.irq.kick()
    rig.caller.settle()
    assert (first.status, second.status) == (0, 0)


@pytest.mark.parametrize("events", range(8))
def test_a_spurious_interrupt_changes_nothing(make_rig: Callable[..., Any], events: int) -> None:
    rig = make_rig(TINY_RING)
    made = [start(rig, "cbc(aes)", bounced=False) for _ in range(3)]
    for _ in range(events):
        rig.sim.step()
    rig.irq.spurious()
    rig.caller.settle()
    assert [call.status for call in made] == [0, 0, 0]


# Removing and binding again.


@pytest.mark.parametrize("used", range(1, 5))
def test_a_driver_binds_again_wherever_the_pointers_are(
    make_rig: Callable[..., Any], used: int
) -> None:
    rig = make_rig(TINY_RING)
    tfm = rig.tfm("cbc(aes)", _KEY)
    for _ in range(used):
        assert rig.caller.crypt(tfm, _TEXT, _IV).status == 0
    rig.machine.registry.free(tfm)
    assert rig.driver.remove() == 0
    rig.driver = rig.probe()
    assert rig.device.read32(reg.PE_RING_RW_PNTR) == 0
    tfm = rig.tfm("cbc(aes)", _KEY)
    assert [rig.caller.crypt(tfm, _TEXT, _IV).status for _ in range(6)] == [0] * 6


@pytest.mark.parametrize("events", [0, 1, 3, 5, 9])
def test_removal_waits_for_what_is_in_flight(make_rig: Callable[..., Any], events: int) -> None:
    rig = make_rig(TINY_RING)
    made = [start(rig, "cbc(aes)", bounced=index % 2 == 1) for index in range(8)]
    for _ in range(events):
        rig.sim.step()
    assert rig.driver.remove() == 0
    assert [call.status for call in made] == [0] * 8
    assert rig.machine.dma.live_mappings == 0
    warnings, rig.machine.warnings[:] = list(rig.machine.warnings), []
    assert set(warnings) == {"unregister of cbc(aes-eip93): in use"}
    rig.idle_mappings = 0


def test_a_removed_driver_refuses_requests(make_rig: Callable[..., Any]) -> None:
    rig = make_rig(TINY_RING)
    tfm = rig.tfm("cbc(aes)", _KEY)
    assert rig.driver.remove() == 0
    rig.machine.warnings.clear()
    rig.idle_mappings = 0
    assert rig.caller.crypt(tfm, _TEXT, _IV).submitted == -errno.ESHUTDOWN


@pytest.mark.parametrize("point", range(3))
def test_binding_without_memory_leaves_nothing(make_rig: Callable[..., Any], point: int) -> None:
    rig = make_rig(TINY_RING)
    assert rig.driver.remove() == 0
    blocks, algs = rig.machine.memory.live_blocks, list(rig.machine.registry)
    rig.machine.memory.fail_allocs(point)
    with pytest.raises(OSError, match="injected fault") as caught:
        rig.probe()
    assert caught.value.errno == errno.ENOMEM
    assert rig.machine.memory.live_blocks == blocks
    assert rig.machine.dma.live_mappings == 0
    assert list(rig.machine.registry) == algs
    rig.machine.memory.mend()
    rig.driver = rig.probe()
    assert rig.caller.crypt(rig.tfm("cbc(aes)", _KEY), _TEXT, _IV).status == 0


# Interrupted inside of its register accesses.


@pytest.fixture(params=[0, 40, 300, 1_500], ids=lambda cost: f"{cost} ns")
def board(request: pytest.FixtureRequest) -> Iterator[Machine]:
    machine = Machine(setup=Setup(knobs={"preempt": request.param, "ring_size": 8}))
    software.register(machine)
    attach_eip93(machine, TINY_RING)
    assert (machine.sim.preemption_points is None) == (request.param == 0)
    yield machine
    assert machine.warnings == []


def test_requests_survive_interrupts_at_every_register_access(
    board: Machine, make_caller: Callable[[Machine], Caller]
) -> None:
    caller = make_caller(board)
    tfm = board.registry.alloc_skcipher("cbc(aes-eip93)")
    tfm.setkey(_KEY)
    texts = [bytes([index]) * 16 * (1 + index % 5) for index in range(40)]
    made = [caller.start(tfm, text, _IV) for text in texts]
    caller.settle()
    plain = board.registry.alloc_skcipher("cbc(aes-generic)")
    plain.setkey(_KEY)
    assert [call.status for call in made] == [0] * 40
    assert [call.out for call in made] == [caller.crypt(plain, t, _IV).out for t in texts]
