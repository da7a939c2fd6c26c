"""Interrupts: latches, masks, thresholds, the result timeout, and the line that they drive."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.records import Cipher, CipherMode, SACommand
from tcrypt.engine.eip93.variants import MT7621

if TYPE_CHECKING:
    from tests.engine.eip93.conftest import Bench

CDR, RDR = reg.INT_CDR_THRESH, reg.INT_RDR_THRESH


def process(bench: Bench, count: int, *, opcode: int = 0) -> None:
    """Send `count` AES blocks through the engine, and run until the last result is counted."""
    command = SACommand(opcode=opcode, cipher=Cipher.AES, mode=CipherMode.ECB, aes_key_length=2)
    sa = bench.sa(command, key=bytes(16))
    data = bench.memory.alloc(16)
    for _ in range(count):
        bench.queue(bench.descriptor(sa=sa, source=data, destination=data, length=16))
    before = bench.device.read32(reg.PE_RD_COUNT)
    bench.ring(count)
    bench.sim.run(until=lambda: bench.device.read32(reg.PE_RD_COUNT) == before + count)


def thresholds(bench: Bench, *, cdr: int = 0, rdr: int = 0, timeout: int | None = None) -> None:
    value = cdr | rdr << reg.RING_THRESH_RDR_SHIFT
    if timeout is not None:
        value |= timeout << reg.RING_THRESH_TIMEOUT_SHIFT | reg.RING_THRESH_TIMEOUT_ENABLE
    bench.device.write32(reg.PE_RING_THRESH, value)


def raw(bench: Bench) -> int:
    return bench.device.read32(reg.INT_UNMASK_STAT)


def clear(bench: Bench, bits: int = 0xFFFF_FFFF) -> None:
    bench.device.write32(reg.INT_CLR, bits)


def test_line_is_high_while_a_latched_source_is_enabled(bench):
    process(bench, 1)
    assert raw(bench) & RDR
    assert not bench.irq.level
    assert bench.device.read32(reg.INT_MASK_STAT) == 0
    bench.device.write32(reg.INT_MASK_ENABLE, RDR)
    assert bench.irq.level
    assert bench.device.read32(reg.INT_MASK_STAT) == RDR
    bench.device.write32(reg.INT_MASK_DISABLE, RDR)
    assert not bench.irq.level
    assert raw(bench) & RDR


def test_result_raises_the_line_as_soon_as_it_is_counted(bench):
    bench.device.write32(reg.INT_MASK_ENABLE, RDR)
    assert not bench.irq.level
    process(bench, 1)
    assert bench.irq.level


def test_mask_registers_set_and_clear_single_bits(bench):
    write, read = bench.device.write32, bench.device.read32
    write(reg.INT_MASK, CDR | reg.INT_PROC_ERR)
    write(reg.INT_MASK_ENABLE, RDR)
    assert read(reg.INT_MASK) == CDR | RDR | reg.INT_PROC_ERR
    write(reg.INT_MASK_DISABLE, CDR | reg.INT_PROC_ERR)
    assert read(reg.INT_MASK) == RDR
    write(reg.INT_MASK_ENABLE, 0xFFFF_FFFF)
    assert read(reg.INT_MASK) == reg.INT_SOURCES


def test_clearing_while_the_count_is_above_the_threshold_latches_again(bench):
    thresholds(bench, rdr=1)
    bench.device.write32(reg.INT_MASK_ENABLE, RDR)
    process(bench, 3)
    clear(bench, RDR)
    assert raw(bench) & RDR
    assert bench.irq.level
    bench.device.write32(reg.PE_RD_COUNT, 2)
    assert raw(bench) & RDR, "the latch outlives its condition"
    clear(bench, RDR)
    assert not raw(bench) & RDR
    assert not bench.irq.level


def test_clearing_touches_only_the_bits_written_as_one(bench):
    process(bench, 1, opcode=2)  # A reserved operation: PROC_ERR as well as RDR.
    bench.device.write32(reg.PE_RD_COUNT, 1)
    clear(bench, RDR)
    assert raw(bench) & (RDR | reg.INT_PROC_ERR) == reg.INT_PROC_ERR


@pytest.mark.parametrize("threshold", [0, 1, 3])
def test_result_source_fires_above_its_threshold(bench, threshold):
    thresholds(bench, rdr=threshold)
    process(bench, threshold)
    assert not raw(bench) & RDR
    process(bench, 1)
    assert raw(bench) & RDR


@pytest.mark.parametrize("threshold", [0, 2])
def test_command_source_fires_at_or_below_its_threshold(bench, threshold):
    thresholds(bench, cdr=threshold)
    data = bench.memory.alloc(16)
    command = SACommand(cipher=Cipher.AES, mode=CipherMode.ECB, aes_key_length=2)
    sa = bench.sa(command, key=bytes(16))
    for _ in range(threshold + 2):
        bench.queue(bench.descriptor(sa=sa, source=data, destination=data, length=16))
    bench.ring(threshold + 2)
    clear(bench, CDR)
    waiting = []
    while not raw(bench) & CDR:
        waiting.append(bench.device.read32(reg.PE_CD_COUNT))
        assert bench.sim.step(), "the machine went idle without the interrupt"
    assert waiting == [threshold + 2, threshold + 1]
    assert bench.device.read32(reg.PE_CD_COUNT) == threshold


@pytest.mark.parametrize("exponent", [0, 5])
def test_silence_below_the_threshold_ends_with_the_timeout(bench, exponent):
    thresholds(bench, rdr=3, timeout=exponent)
    bench.device.write32(reg.INT_MASK_ENABLE, RDR)
    process(bench, 1)
    first = bench.sim.now
    process(bench, 2)
    assert not bench.irq.level
    bench.sim.run(until=lambda: bench.irq.level)
    clocks = 2 ** (exponent + 10)
    assert bench.sim.now - first == clocks * 1_000_000_000 // MT7621.clock_hz


def test_timeout_stays_asserted_until_a_result_is_taken(bench):
    thresholds(bench, rdr=3, timeout=0)
    process(bench, 3)
    bench.sim.run()
    clear(bench, RDR)
    assert raw(bench) & RDR
    bench.device.write32(reg.PE_RD_COUNT, 1)
    clear(bench, RDR)
    assert not raw(bench) & RDR


def test_taking_a_result_starts_the_timeout_again(bench):
    thresholds(bench, rdr=3, timeout=0)
    process(bench, 2)
    bench.sim.sleep(6_000)
    bench.device.write32(reg.PE_RD_COUNT, 1)
    taken = bench.sim.now
    bench.sim.run(until=lambda: bool(raw(bench) & RDR))
    assert bench.sim.now - taken == 10_240


def test_no_timeout_without_its_enable_bit_or_without_results(bench):
    thresholds(bench, rdr=3)
    process(bench, 2)
    bench.sim.run()
    assert not raw(bench) & RDR
    thresholds(bench, rdr=3, timeout=0)
    bench.device.write32(reg.PE_RD_COUNT, 2)
    bench.sim.run()
    assert not raw(bench) & RDR


def test_threshold_that_is_raised_over_waiting_results_leaves_them_to_the_timeout(bench):
    process(bench, 2)
    thresholds(bench, rdr=3, timeout=0)
    clear(bench, RDR)
    assert not raw(bench) & RDR
    bench.sim.run()
    assert raw(bench) & RDR


def test_ring_error_latches_again_until_its_status_is_cleared(bench):
    bench.device.write32(reg.PE_RD_COUNT, 1)
    clear(bench)
    assert raw(bench) & reg.INT_RING_ERR
    bench.device.write32(reg.PE_RING_STAT, 0)
    clear(bench)
    assert not raw(bench) & reg.INT_RING_ERR


def test_processing_error_is_an_event_and_can_be_the_only_source(bench):
    bench.device.write32(reg.INT_MASK_ENABLE, reg.INT_PROC_ERR)
    process(bench, 1, opcode=2)
    assert bench.device.read32(reg.INT_MASK_STAT) == reg.INT_PROC_ERR
    assert bench.irq.level
    clear(bench, reg.INT_PROC_ERR)
    assert not bench.irq.level


def test_successful_packet_raises_no_error(bench):
    process(bench, 1)
    errors = reg.INT_RING_ERR | reg.INT_PROC_ERR | reg.INT_INTERFACE_ERR
    assert not raw(bench) & errors


def test_handler_runs_in_hardirq_context_until_it_lowers_the_line(bench):
    contexts = []

    def handler() -> None:
        contexts.append(bench.sim.context.value)
        bench.device.write32(reg.INT_MASK_DISABLE, RDR)

    bench.irq.request(handler)
    bench.device.write32(reg.INT_MASK_ENABLE, RDR)
    process(bench, 2)
    bench.sim.run()
    assert contexts == ["hardirq"]


def test_timeout_follows_the_engine_clock(make_bench):
    bench = make_bench(replace(MT7621, clock_hz=40_000_000))
    bench.start()
    thresholds(bench, rdr=1, timeout=0)
    process(bench, 1)
    counted = bench.sim.now
    bench.sim.run()
    assert raw(bench) & RDR
    assert bench.sim.now - counted == 25_600
