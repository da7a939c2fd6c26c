"""What register accesses cost, and what that makes of direct host mode."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tcrypt.engine import software
from tcrypt.engine.api.machine import Machine
from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.bus_time import TimedMmio
from tcrypt.engine.eip93.driver.submission import Mode
from tcrypt.engine.eip93.variants import MT7621, Timing, Variant
from tcrypt.engine.sim import Context, Simulation
from tcrypt.plugins.eip93 import attach_eip93

if TYPE_CHECKING:
    from tests.engine.conftest import Caller

    MakeCaller = Callable[[Machine], Caller]

_DOCUMENT = Path(__file__).parents[3] / "docs" / "timing.md"
_ODD = replace(MT7621, timing=Timing(register_read=7, register_write=3))
_CLOCK_NS = 10


class Registers:
    """Remembers when it was accessed."""

    def __init__(self, sim: Simulation) -> None:
        self._sim = sim
        self.times: list[int] = []

    def read32(self, offset: int) -> int:
        self.times.append(self._sim.now)
        return offset

    def write32(self, offset: int, value: int) -> None:
        self.times.append(self._sim.now)


def test_accesses_take_the_clocks_of_the_timing() -> None:
    sim = Simulation()
    registers = Registers(sim)
    door = TimedMmio(registers, sim, _ODD)
    assert door.read32(reg.PE_STATUS) == reg.PE_STATUS
    door.write32(reg.PE_CD_COUNT, 1)
    door.read32(reg.PE_STATUS)
    assert [time // _CLOCK_NS for time in registers.times] == [7, 10, 17]


def test_words_of_windows_are_paid_for_by_the_next_access_that_does_something() -> None:
    sim = Simulation()
    door = TimedMmio(Registers(sim), sim, _ODD)
    for place in range(0, 64, 4):
        door.write32(reg.DATA_WINDOW + place, 0)
    assert sim.now == 0
    door.write32(reg.PE_INBUF_COUNT, 64)
    assert sim.now == (16 + 1) * 3 * _CLOCK_NS
    for place in range(0, 64, 4):
        door.read32(reg.DATA_WINDOW + place)
    door.write32(reg.SA_READY, 0)
    assert sim.now == (16 + 1 + 1) * 3 * _CLOCK_NS + 16 * 7 * _CLOCK_NS


def test_the_device_goes_on_meanwhile() -> None:
    sim = Simulation()
    registers = Registers(sim)
    seen: list[int] = []
    sim.schedule(5 * _CLOCK_NS, Context.DEVICE, "packet", lambda: seen.append(sim.now))
    TimedMmio(registers, sim, _ODD).read32(reg.PE_STATUS)
    assert seen == [5 * _CLOCK_NS]
    assert registers.times == [7 * _CLOCK_NS]


def took(make_caller: MakeCaller, mode: Mode, length: int, variant: Variant = MT7621) -> float:
    """Simulated ns of one request of cbc(aes), from its submission to its completion."""
    machine = Machine()
    software.register(machine)
    attach_eip93(machine, variant, mode=mode)
    caller = make_caller(machine)
    tfm: Any = machine.registry.alloc_skcipher("cbc(aes-eip93)")
    tfm.setkey(bytes(16))
    before = machine.sim.now
    assert caller.crypt(tfm, bytes(length), bytes(16)).status == 0
    return machine.sim.now - before


def test_only_in_direct_host_mode_do_register_accesses_take_time(make_caller: MakeCaller) -> None:
    slow = replace(MT7621, timing=Timing(register_read=1_000, register_write=1_000))
    modes: tuple[Mode, ...] = ("engine", "direct", "dhm")
    slower = [took(make_caller, m, 256, slow) > took(make_caller, m, 256) for m in modes]
    assert slower == [False, False, True]


def test_every_word_of_data_costs_a_write_and_a_read(make_caller: MakeCaller) -> None:
    """Between two lengths that need as many turns of the buffers, nothing else differs."""
    words = 16
    costs = [
        took(make_caller, "dhm", 64 + 4 * words, variant) - took(make_caller, "dhm", 64, variant)
        for variant in (MT7621, replace(MT7621, timing=Timing(register_read=16)))
    ]
    assert costs[1] - costs[0] == words * _CLOCK_NS


@pytest.mark.skipif(not _DOCUMENT.exists(), reason="the documents are in the checkout only")
def test_documented_speeds_are_the_models(make_caller: MakeCaller) -> None:
    def speed(mode: Mode, length: int) -> str:
        return f"{length * 1e3 / took(make_caller, mode, length):.2f}"

    rows = [
        f"| {length} | {speed('engine', length)} | {speed('dhm', length)} |"
        for length in (16, 64, 256, 1024, 8192, 16384)
    ]
    assert "\n".join(rows) in _DOCUMENT.read_text("utf-8")
