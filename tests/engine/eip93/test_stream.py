"""The device behind a byte stream, in another process: its doors, and when packets complete."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

import pytest

from tests.engine.eip93.foreign import Mainline
from tests.engine.eip93.ports import BASE, SIZE, StreamPort


@pytest.fixture
def connect() -> Iterator[Callable[[str], StreamPort]]:
    """A maker of ports; every device process ends in peace."""
    ports: list[StreamPort] = []

    def make(schedule: str) -> StreamPort:
        ports.append(StreamPort(schedule))
        return ports[-1]

    yield make
    for port in ports:
        assert port.close() == 0


def doorbell(port: StreamPort) -> list[str]:
    """What went over the stream from the doorbell of one packet until it was complete."""
    driver = Mainline(port, BASE)
    port.log.clear()
    request, _ = driver.start_hash("sha256", b"abc")
    assert driver.finish(request) == 0
    log = port.log
    return log[log.index("W090") : log.index("W094")]


def test_completion_inside_the_doorbell_writes_before_its_answer(connect):
    log = doorbell(connect("inside"))
    assert log.index("w") < log.index("k")


@pytest.mark.parametrize("schedule", ["after", "later"])
def test_completion_outside_of_the_doorbell_writes_after_its_answer(connect, schedule):
    log = doorbell(connect(schedule))
    assert log.index("k") < log.index("w")


def test_completion_long_after_the_doorbell_waits_for_time(connect):
    log = doorbell(connect("later"))
    assert log.index("T") < log.index("w")


def test_completion_right_after_the_doorbell_needs_no_time(connect):
    port = connect("after")
    driver = Mainline(port, BASE)
    request, state = driver.start_hash("sha1", b"abc")
    while not port.read32(0x094):
        """Reading registers serves the device's memory accesses meanwhile."""
    assert request.status is None
    driver.finish(request)
    raw = port.load(state + 24, 20)
    swapped = b"".join(raw[at : at + 4][::-1] for at in range(0, 20, 4))
    assert swapped == hashlib.sha1(b"abc").digest()


def test_memory_that_does_not_answer_is_a_bus_error(connect):
    port = connect("inside")
    driver = Mainline(port, BASE)
    sa = driver.sa(0x0200F3C0, 0x02000000, bytes(16))
    request, last = driver.new_request(1 << 19)
    driver.put(BASE + SIZE, BASE + SIZE, sa, 0, last, 16, 0)
    assert driver.finish(request) == 0x08


def test_refusals_of_the_model_cross_the_stream(connect):
    port = connect("inside")
    with pytest.raises(RuntimeError, match=r"DriverFault: PE_REVISION"):
        port.write32(0x1FC, 1)
    with pytest.raises(RuntimeError, match=r"NotModelled: offset 0xffc"):
        port.read32(0xFFC)
    assert port.read32(0x1FC) & 0xFF == 0x5D
