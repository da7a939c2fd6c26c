"""Descriptor rings: order, counts, pointers, ownership, resets, and where results land."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.descriptors import Descriptor, Ownership, ownership
from tcrypt.engine.eip93.device import Latency
from tcrypt.engine.eip93.errors import DriverFault
from tcrypt.engine.eip93.records import Cipher, CipherMode, IVSource, SACommand
from tcrypt.engine.eip93.variants import MT7621, CDRUpdate

if TYPE_CHECKING:
    from tests.engine.eip93.conftest import Bench

AES_ECB = SACommand(
    cipher=Cipher.AES, mode=CipherMode.ECB, aes_key_length=2, iv_source=IVSource.STATE
)
PLAIN = bytes.fromhex("00112233445566778899aabbccddeeff")
KEY = bytes(range(16))
SECRET = bytes.fromhex("69c4e0d86a7b0430d8cdb78070b4c55a")  # FIPS 197, C.1


def packet(bench: Bench, user_id: int = 0) -> Descriptor:
    """One AES block, whose result is `SECRET`."""
    return bench.descriptor(
        sa=bench.sa(AES_ECB, key=KEY),
        source=bench.memory.alloc(PLAIN),
        destination=bench.memory.alloc(16),
        length=16,
        user_id=user_id,
    )


def counts(bench: Bench) -> tuple[int, int]:
    return bench.device.read32(reg.PE_CD_COUNT), bench.device.read32(reg.PE_RD_COUNT)


def test_result_echoes_the_command_and_changes_hands(bench):
    command = packet(bench, user_id=0xCAFE_F00D)
    result = bench.run(command).descriptor
    assert ownership(result.control, result.length) is Ownership.HOST
    assert result[1:7] == command[1:7]
    assert result.length & reg.LENGTH_BYTES == 16
    assert bench.memory.peek(command.destination, 16) == SECRET


def test_packets_complete_one_by_one_in_order(bench):
    commands = [packet(bench, user_id=number) for number in range(5)]
    for command in commands:
        bench.queue(command)
    bench.ring(5)
    seen = []
    for done in range(1, 6):
        bench.sim.run(until=lambda done=done: counts(bench)[1] == done)
        seen.append(counts(bench))
        finished = [bench.memory.peek(c.destination, 16) == SECRET for c in commands]
        assert finished == [n < done for n in range(5)]
    assert seen == [(4, 1), (3, 2), (2, 3), (1, 4), (0, 5)]
    assert [bench.take().user_id for _ in range(5)] == [0, 1, 2, 3, 4]


def test_pointers_wrap_at_the_ring_size(bench):
    for number in range(19):
        assert bench.run(packet(bench, user_id=number)).descriptor.user_id == number
        at = (number + 1) % 8
        assert bench.device.read32(reg.PE_RING_RW_PNTR) == at | at << 16


@pytest.mark.parametrize("size", [2, 3, 1024])
def test_smallest_and_largest_ring_wrap(make_bench, size):
    bench = make_bench()
    bench.start(size=size)
    for _ in range(3):
        assert bench.run(packet(bench)).status == 0
    assert bench.device.read32(reg.PE_RING_RW_PNTR) & 0x3FF == 3 % size


def test_stride_sets_entries_apart(make_bench):
    bench = make_bench()
    bench.start(stride=12)
    results = [bench.run(packet(bench, user_id=number)) for number in range(10)]
    assert [result.descriptor.user_id for result in results] == list(range(10))


def test_stride_zero_is_a_tight_ring(bench):
    bench.device.write32(reg.PE_RING_CONFIG, 7)
    results = [bench.run(packet(bench, user_id=number)) for number in range(10)]
    assert [result.descriptor.user_id for result in results] == list(range(10))


def test_overlaid_rings_keep_the_results(make_bench):
    bench = make_bench()
    bench.start(overlaid=True)
    for number in range(6):
        bench.queue(packet(bench, user_id=number))
    bench.ring(6)
    bench.sim.run()
    taken = [bench.take() for _ in range(6)]
    assert [result.user_id for result in taken] == list(range(6))
    assert {ownership(r.control, r.length) for r in taken} == {Ownership.HOST}
    entries = [address for address, length in bench.memory.writes if length == 32]
    assert entries == [bench.slot(bench.commands, number) for number in range(6)]


def entry(bench: Bench) -> Descriptor:
    return Descriptor.unpack(bench.memory.peek(bench.commands, 32))


def test_processed_command_loses_its_owner(bench):
    command = packet(bench)
    bench.run(command)
    after = entry(bench)
    assert ownership(after.control, after.length) is Ownership.NULL
    assert after[1:7] == command[1:7]


def test_processed_command_stays_without_the_update_bit(make_bench):
    bench = make_bench()
    bench.start(update=False)
    command = packet(bench)
    bench.run(command)
    assert entry(bench) == command


def test_processed_command_becomes_the_result_in_the_other_reading(make_bench):
    bench = make_bench(replace(MT7621, cdr_update=CDRUpdate.WRITE_RESULT))
    bench.start()
    assert entry(bench) != bench.run(packet(bench)).descriptor
    assert ownership(entry(bench).control, entry(bench).length) is Ownership.HOST


def test_count_of_255_commands_is_the_largest_step(make_bench):
    bench = make_bench()
    bench.start(size=512)
    for number in range(255):
        bench.queue(packet(bench, user_id=number))
    bench.ring(255)
    bench.sim.run()
    assert counts(bench) == (0, 255)
    assert bench.device.jobs == 255


@pytest.mark.parametrize("value", [0x100, 0x700, 0xFFFF_FF00])
def test_count_bits_above_seven_add_nothing(bench, value):
    bench.ring(value)
    assert counts(bench) == (0, 0)
    assert bench.device.read32(reg.PE_RING_STAT) == 0


def test_counting_in_more_than_the_ring_holds_overflows_and_adds_nothing(bench):
    bench.queue(packet(bench))
    bench.ring(1)
    bench.ring(8)
    assert counts(bench)[0] == 1
    assert bench.device.read32(reg.PE_RING_STAT) == reg.RING_STAT_CDROVFL
    assert bench.device.read32(reg.INT_UNMASK_STAT) & reg.INT_RING_ERR
    bench.device.write32(reg.PE_RING_STAT, 0)
    bench.device.write32(reg.INT_CLR, reg.INT_RING_ERR)
    assert bench.device.read32(reg.PE_RING_STAT) == 0
    assert not bench.device.read32(reg.INT_UNMASK_STAT) & reg.INT_RING_ERR
    bench.sim.run()
    assert counts(bench) == (0, 1)


def test_taking_more_results_than_there_are_underflows_and_takes_none(bench):
    for _ in range(2):
        bench.queue(packet(bench))
    bench.ring(2)
    bench.sim.run()
    bench.device.write32(reg.PE_RD_COUNT, 3)
    assert counts(bench)[1] == 2
    assert bench.device.read32(reg.PE_RING_STAT) == reg.RING_STAT_RDRUNFL
    assert bench.device.read32(reg.INT_UNMASK_STAT) & reg.INT_RING_ERR


def test_doorbell_before_the_ring_has_a_size_is_the_drivers_fault(make_bench):
    bench = make_bench()
    bench.device.write32(reg.PE_CONFIG, reg.CONFIG_MODE_ARM)
    with pytest.raises(DriverFault, match="2 to 1024 entries"):
        bench.ring()


@pytest.mark.parametrize(
    ("owner", "name"), [(0, "nobody"), (2, "host"), (3, "both")], ids=lambda value: str(value)
)
def test_command_that_is_not_the_engines_fails_with_a_result(bench, owner, name):
    command = packet(bench)
    length = command.length & ~(3 << 22) | owner << 22
    result = bench.run(command._replace(control=command.control & ~3 | owner, length=length))
    assert result.status == reg.ERR_DESCRIPTOR
    assert result.length == 0
    assert ownership(result.descriptor.control, result.descriptor.length) is Ownership.HOST
    assert bench.memory.peek(command.destination, 16) != SECRET
    assert bench.device.jobs == 0


def test_command_whose_halves_disagree_is_fetched_again_until_they_agree(bench):
    command = packet(bench)
    bench.queue(command._replace(length=command.length & ~reg.LENGTH_HOST_READY))
    bench.ring()
    bench.sim.run(deadline=20_000)
    assert counts(bench) == (1, 0)
    bench.memory.poke(bench.commands, command.pack())
    bench.sim.run()
    assert bench.take().length & reg.LENGTH_BYTES == 16
    assert bench.memory.peek(command.destination, 16) == SECRET


def test_endless_disagreement_lets_the_simulation_go_idle_and_a_doorbell_resume(bench):
    command = packet(bench)
    bench.queue(command._replace(control=command.control & ~reg.CONTROL_HOST_READY))
    bench.ring()
    assert bench.sim.run(max_steps=100)
    assert counts(bench) == (1, 0)
    bench.memory.poke(bench.commands, command.pack())
    bench.queue(packet(bench))
    bench.ring()
    bench.sim.run()
    assert counts(bench) == (0, 2)


def test_full_result_ring_holds_the_engine_until_a_place_is_free(bench):
    commands = [packet(bench, user_id=number) for number in range(9)]
    for command in commands[:8]:
        bench.queue(command)
    bench.ring(8)
    bench.sim.run()
    bench.queue(commands[8])
    bench.ring()
    bench.sim.run()
    assert counts(bench) == (1, 8)
    assert bench.memory.peek(commands[8].destination, 16) != SECRET
    assert bench.take().user_id == 0
    bench.sim.run()
    assert counts(bench) == (0, 8)
    assert [bench.take().user_id for _ in range(8)] == list(range(1, 9))


def hold_reset(bench: Bench, bits: int) -> None:
    mode = reg.CONFIG_MODE_ARM | reg.CONFIG_EN_CDR_UPDATE
    bench.device.write32(reg.PE_CONFIG, mode | bits)
    bench.device.write32(reg.PE_CONFIG, mode)


def after_three_packets(bench: Bench) -> None:
    for _ in range(3):
        bench.queue(packet(bench))
    bench.ring(3)
    bench.sim.run()


def test_ring_reset_is_bit_one_and_keeps_bases_and_sizes(bench):
    after_three_packets(bench)
    kept = [
        bench.device.read32(offset)
        for offset in (reg.PE_CDR_BASE, reg.PE_RDR_BASE, reg.PE_RING_CONFIG)
    ]
    hold_reset(bench, reg.CONFIG_RST_RING)
    assert bench.device.read32(reg.PE_RING_RW_PNTR) == 0
    assert counts(bench) == (0, 0)
    assert kept == [bench.commands, bench.results, 0x0008_0007]


def test_bit_two_resets_nothing(bench):
    after_three_packets(bench)
    hold_reset(bench, 1 << 2)
    assert bench.device.read32(reg.PE_RING_RW_PNTR) == 3 | 3 << 16
    assert counts(bench) == (0, 3)


def test_engine_reset_keeps_the_rings(bench):
    after_three_packets(bench)
    hold_reset(bench, reg.CONFIG_RST_PE)
    assert bench.device.read32(reg.PE_RING_RW_PNTR) == 3 | 3 << 16
    assert counts(bench) == (0, 3)


def test_engine_held_in_reset_takes_nothing(bench):
    mode = reg.CONFIG_MODE_ARM
    bench.device.write32(reg.PE_CONFIG, mode | reg.CONFIG_RST_PE)
    bench.queue(packet(bench))
    bench.ring()
    bench.sim.run()
    assert counts(bench) == (1, 0)
    bench.device.write32(reg.PE_CONFIG, mode)
    bench.sim.run()
    assert counts(bench) == (0, 1)


@pytest.mark.parametrize(
    "mode", [reg.CONFIG_MODE_DHM, reg.CONFIG_MODE_TCM, reg.CONFIG_MODE_TCM_RDR]
)
def test_engine_outside_of_ring_mode_reads_no_ring(bench, mode):
    bench.device.write32(reg.PE_CONFIG, mode)
    bench.queue(packet(bench))
    bench.memory.reads.clear()
    bench.ring()
    bench.sim.run()
    assert not bench.memory.reads


def test_power_on_reset_drops_the_packet_in_work(bench):
    command = packet(bench)
    bench.queue(command)
    bench.ring()
    bench.device.reset()
    bench.sim.run()
    assert bench.memory.peek(command.destination, 16) != SECRET
    assert bench.device.jobs == 0


def test_descriptor_window_shows_the_packet_in_work_and_then_its_result(bench):
    command = packet(bench)
    bench.queue(command)
    bench.ring()
    window = range(reg.PE_CTRL_STAT, reg.PE_LENGTH + 4, 4)
    assert tuple(bench.device.read32(offset) for offset in window) == command
    assert not bench.device.read32(reg.PE_STATUS) & reg.STATUS_OUTPUT_DONE
    bench.sim.run()
    result = bench.take()
    assert tuple(bench.device.read32(offset) for offset in window) == result
    assert bench.device.read32(reg.PE_STATUS) == reg.STATUS_IDLE


def test_immediate_latency_completes_inside_the_doorbell(make_bench):
    bench = make_bench(MT7621, Latency.IMMEDIATE)
    bench.start()
    bench.device.write32(reg.INT_MASK_ENABLE, reg.INT_RDR_THRESH)
    command = packet(bench)
    bench.queue(command)
    bench.ring()
    assert counts(bench) == (0, 1)
    assert bench.memory.peek(command.destination, 16) == SECRET
    assert bench.irq.level
    assert bench.sim.now == 0


def test_immediate_latency_takes_a_full_doorbell_at_once(make_bench):
    bench = make_bench(MT7621, Latency.IMMEDIATE)
    bench.start(size=1024)
    for _ in range(255):
        bench.queue(packet(bench))
    bench.ring(255)
    assert counts(bench) == (0, 255)


@pytest.mark.parametrize("latency", Latency)
def test_torn_result_is_counted_when_only_its_first_word_is_there(make_bench, latency):
    bench = make_bench(replace(MT7621, torn_result_ns=700), latency)
    bench.start()
    bench.queue(packet(bench))
    bench.ring()
    bench.sim.run(until=lambda: counts(bench)[1] == 1)
    torn = Descriptor.unpack(bench.memory.peek(bench.results, 32))
    assert ownership(torn.control, torn.length) is None
    assert torn.control & reg.CONTROL_PE_READY
    assert bench.memory.peek(bench.results + 4, 28) == bytes(28)
    counted = bench.sim.now
    bench.sim.run()
    whole = Descriptor.unpack(bench.memory.peek(bench.results, 32))
    assert ownership(whole.control, whole.length) is Ownership.HOST
    assert bench.sim.now == counted + 700


def test_power_on_reset_loses_the_end_of_a_torn_result(make_bench):
    bench = make_bench(replace(MT7621, torn_result_ns=700))
    bench.start()
    bench.queue(packet(bench))
    bench.ring()
    bench.sim.run(until=lambda: counts(bench)[1] == 1)
    before = bench.memory.peek(bench.results, 32)
    bench.device.reset()
    bench.sim.run()
    assert bench.memory.peek(bench.results, 32) == before
