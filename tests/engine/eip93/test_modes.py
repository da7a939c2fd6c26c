"""Target command mode, halts, byte lanes, pulses, and coming back through the doors."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.descriptors import Descriptor, result_status
from tcrypt.engine.eip93.device import Device, Latency
from tcrypt.engine.eip93.errors import DriverFault, NotModelled
from tcrypt.engine.eip93.lanes import swap_lanes
from tcrypt.engine.eip93.records import (
    Cipher,
    CipherMode,
    Digest,
    HashSource,
    IVSource,
    Opcode,
    SACommand,
)
from tcrypt.engine.eip93.variants import MT7621
from tcrypt.engine.sim import Simulation
from tests.engine.eip93.foreign import Mainline
from tests.engine.eip93.ports import BASE, Ram

if TYPE_CHECKING:
    from tests.engine.eip93.conftest import Bench

PLAIN = bytes.fromhex("00112233445566778899aabbccddeeff")
SECRET = bytes.fromhex("69c4e0d86a7b0430d8cdb78070b4c55a")  # FIPS 197, C.1
ECB = SACommand(cipher=Cipher.AES, mode=CipherMode.ECB, aes_key_length=2)
CBC = replace(ECB, mode=CipherMode.CBC, iv_source=IVSource.STATE, save_iv=True)
HALT_ALL = reg.HALT_CONTROL


def packet(bench: Bench, command: SACommand = ECB) -> Descriptor:
    return bench.descriptor(
        sa=bench.sa(command, key=bytes(range(16))),
        source=bench.memory.alloc(PLAIN),
        destination=bench.memory.alloc(16),
        state=bench.state(iv=bytes(16)),
        length=16,
    )


def enter(bench: Bench, mode: int) -> None:
    bench.device.write32(reg.PE_CONFIG, mode | reg.CONFIG_RST_PE | reg.CONFIG_RST_RING)
    bench.device.write32(reg.PE_CONFIG, mode)


def command_registers(bench: Bench, command: Descriptor) -> None:
    for index, word in enumerate(command):
        bench.device.write32(reg.PE_CTRL_STAT + 4 * index, word)
    bench.device.write32(reg.PE_CD_COUNT, 1)


def window(bench: Bench) -> Descriptor:
    return Descriptor(*(bench.device.read32(4 * index) for index in range(8)))


# Target command mode.


@pytest.mark.parametrize("latency", Latency)
@pytest.mark.parametrize("swapped", [False, True])
def test_target_commands_leave_their_results_in_the_registers(make_bench, latency, swapped):
    bench = make_bench(replace(MT7621, target_modes_swapped=swapped), latency)
    bench.start()
    enter(bench, reg.CONFIG_MODE_TCM_RDR if swapped else reg.CONFIG_MODE_TCM)
    for _ in range(3):
        command = packet(bench)
        bench.memory.writes.clear()
        command_registers(bench, command)
        bench.sim.run()
        assert bench.device.read32(reg.PE_RD_COUNT) == 1
        assert window(bench).length == 16 | reg.LENGTH_PE_READY
        assert bench.memory.peek(command.destination, 16) == SECRET
        assert bench.memory.writes == [(command.destination, 16)]
        bench.device.write32(reg.PE_RD_COUNT, 1)


@pytest.mark.parametrize("latency", Latency)
def test_target_commands_with_a_result_ring_fill_it(make_bench, latency):
    bench = make_bench(MT7621, latency)
    bench.start(size=4)
    enter(bench, reg.CONFIG_MODE_TCM_RDR)
    for number in range(6):
        command_registers(bench, packet(bench)._replace(user_id=number))
        bench.sim.run()
        assert bench.take().user_id == number
    pointers = bench.device.read32(reg.PE_RING_RW_PNTR)
    assert (pointers & reg.RING_RW_PNTR_CDR, pointers >> 16) == (0, 2)


def test_second_target_command_before_the_first_is_done_overflows(bench):
    enter(bench, reg.CONFIG_MODE_TCM)
    command_registers(bench, packet(bench))
    bench.device.write32(reg.PE_CD_COUNT, 1)
    assert bench.device.read32(reg.PE_RING_STAT) == reg.RING_STAT_CDROVFL


def test_target_command_waits_until_the_result_before_is_taken(bench):
    enter(bench, reg.CONFIG_MODE_TCM)
    command_registers(bench, packet(bench))
    bench.sim.run()
    second = packet(bench)
    command_registers(bench, second)
    bench.sim.run()
    assert bench.memory.peek(second.destination, 16) != SECRET
    bench.device.write32(reg.PE_RD_COUNT, 1)
    bench.sim.run()
    assert bench.memory.peek(second.destination, 16) == SECRET


def test_target_command_of_nobody_is_an_invalid_descriptor(bench):
    enter(bench, reg.CONFIG_MODE_TCM)
    command = packet(bench)
    command_registers(bench, command._replace(control=0, length=16))
    bench.sim.run()
    assert result_status(window(bench).control) == reg.ERR_DESCRIPTOR


# Halts.

STAGES = {
    reg.HALT_AFTER_COMMAND: 9,
    reg.HALT_AFTER_SA: 10,
    reg.HALT_AFTER_DATA: 11,
    reg.HALT_AFTER_SA_WRITE: 12,
    reg.HALT_AFTER_RESULT: 15,
}


@pytest.mark.parametrize("latency", Latency)
def test_engine_halts_after_each_step_and_shows_what_it_did(make_bench, latency):
    bench = make_bench(MT7621, latency)
    bench.start()
    write, read = bench.device.write32, bench.device.read32
    write(reg.PE_HALT, HALT_ALL)
    command = packet(bench, CBC)
    bench.queue(command)
    bench.ring()
    seen = []
    for _ in STAGES:
        bench.sim.run()
        assert read(reg.INT_UNMASK_STAT) & reg.INT_HALT
        state = read(reg.PE_HALT) >> 16 & 0xF
        assert read(reg.PE_HALT) & 0x3F == HALT_ALL
        written = bench.memory.peek(command.destination, 16) != b"\xfe" * 16
        saved = bench.state_at(command.state).iv != bytes(16)
        seen.append((state, written, saved, read(reg.PE_RD_COUNT)))
        write(reg.INT_CLR, reg.INT_HALT)
        write(reg.PE_CONTINUE, 0)
    assert seen == [
        (9, False, False, 0),
        (10, False, False, 0),
        (11, True, False, 0),
        (12, True, True, 0),
        (15, True, True, 1),
    ]
    assert read(reg.PE_HALT) >> 16 == 0
    assert not read(reg.INT_UNMASK_STAT) & reg.INT_HALT


@pytest.mark.parametrize(("bit", "state"), STAGES.items())
def test_each_control_bit_halts_at_its_step_only(bench, bit, state):
    bench.device.write32(reg.PE_HALT, reg.HALT_ENABLE | bit)
    bench.queue(packet(bench, CBC))
    bench.ring()
    bench.sim.run()
    assert bench.device.read32(reg.PE_HALT) >> 16 == state
    bench.device.write32(reg.PE_CONTINUE, 1)
    bench.sim.run()
    assert bench.take().length & reg.LENGTH_BYTES == 16


def test_halted_engine_shows_the_sa_record_and_the_descriptor(bench):
    bench.device.write32(reg.PE_HALT, reg.HALT_ENABLE | reg.HALT_AFTER_SA)
    command = packet(bench)
    bench.queue(command)
    bench.ring()
    assert window(bench) == command
    record = [bench.device.read32(at) for at in range(reg.SA_WINDOW, reg.SA_WINDOW + 0x80, 4)]
    shown = b"".join(word.to_bytes(4, "little") for word in record)
    assert shown == bench.memory.peek(command.sa, 128)
    bench.device.write32(reg.PE_CONTINUE, 0)


def test_record_that_cannot_be_written_after_a_halt_is_a_bus_error(bench):
    bench.device.write32(reg.PE_HALT, reg.HALT_ENABLE | reg.HALT_AFTER_DATA)
    command = packet(bench, CBC)
    bench.queue(command)
    bench.ring()
    bench.memory.close(command.state, 16)
    bench.device.write32(reg.PE_CONTINUE, 0)
    bench.sim.run()
    assert result_status(bench.take().control) == reg.ERR_BUS
    assert [fault.register for fault in bench.device.faults] == ["DMA address"]


@pytest.mark.parametrize("what", ["sa", "source"])
def test_packet_that_fails_by_steps_fails_as_at_speed(bench, what):
    bench.device.write32(reg.PE_HALT, reg.HALT_ENABLE)
    command = packet(bench)
    bench.memory.close(getattr(command, what), 16)
    assert bench.run(command).status == reg.ERR_BUS


def test_command_of_nobody_halts_after_it_was_read(bench):
    bench.device.write32(reg.PE_HALT, reg.HALT_ENABLE | reg.HALT_AFTER_COMMAND)
    command = packet(bench)
    bench.queue(command._replace(control=2, length=16 | 2 << 22))
    bench.ring()
    assert bench.device.read32(reg.PE_HALT) >> 16 == reg.MAIN_STATE_HALT_COMMAND
    bench.device.write32(reg.PE_CONTINUE, 0)
    assert result_status(bench.take().control) == reg.ERR_DESCRIPTOR


def test_halt_bits_do_nothing_without_the_enable_bit(bench):
    bench.device.write32(reg.PE_HALT, HALT_ALL & ~reg.HALT_ENABLE)
    assert bench.run(packet(bench)).status == 0


def test_halt_outlives_an_engine_reset(bench):
    bench.device.write32(reg.PE_HALT, reg.HALT_ENABLE | reg.HALT_AFTER_COMMAND)
    bench.queue(packet(bench))
    bench.ring()
    enter(bench, reg.CONFIG_MODE_ARM)
    assert bench.device.read32(reg.PE_HALT) >> 16 == 9


def test_main_state_tells_of_a_packet_in_work(bench):
    bench.queue(packet(bench))
    bench.ring()
    assert bench.device.read32(reg.PE_HALT) >> 16 == reg.MAIN_STATE_DATA
    bench.sim.run()
    assert bench.device.read32(reg.PE_HALT) == 0


# Byte lanes.


@pytest.mark.parametrize(
    ("selectors", "expected"),
    [(0xE4, "00010203"), (0x1B, "03020100"), (0xB1, "01000302"), (0x39, "01020300")],
)
def test_selectors_name_the_source_of_each_lane(selectors, expected):
    assert swap_lanes(bytes(range(4)), selectors).hex() == expected


SWAPS = {
    "descriptors": (reg.CONFIG_SWAP_DESCRIPTORS, ("descriptor",)),
    "records": (reg.CONFIG_SWAP_SA, ("sa", "state")),
    "data": (reg.CONFIG_SWAP_DATA, ("source", "destination")),
    "nothing": (0, ()),
}


@pytest.mark.parametrize(("enable", "swapped"), SWAPS.values(), ids=SWAPS.keys())
def test_each_class_of_data_is_swapped_by_its_own_bit(bench, enable, swapped):
    """What lies reversed in memory is what the engine means, where the swap is enabled."""

    def lay(name: str, data: bytes) -> bytes:
        return swap_lanes(data, 0x1B) if name in swapped else data

    bench.device.write32(reg.PE_ENDIAN_CONFIG_MT7621, 0x00E4_001B)
    bench.device.write32(reg.PE_CONFIG, reg.CONFIG_MODE_ARM | reg.CONFIG_EN_CDR_UPDATE | enable)
    command = packet(bench, CBC)
    peek, poke = bench.memory.peek, bench.memory.poke
    for name, length in (("sa", 128), ("source", 16), ("state", 56)):
        address = getattr(command, name)
        poke(address, lay(name, peek(address, length)))
    poke(bench.commands, lay("descriptor", command.pack()))
    bench.ring()
    bench.sim.run()
    result = Descriptor.unpack(lay("descriptor", peek(bench.results, 32)))
    assert (result_status(result.control), result.user_id) == (0, command.user_id)
    assert lay("destination", peek(command.destination, 16)) == SECRET
    assert lay("state", peek(command.state, 16)) == SECRET


def test_swap_of_parts_of_words_is_not_modelled(bench):
    bench.device.write32(reg.PE_ENDIAN_CONFIG_MT7621, 0x1B)
    bench.device.write32(reg.PE_CONFIG, reg.CONFIG_MODE_ARM | reg.CONFIG_SWAP_DATA)
    bench.queue(packet(bench)._replace(length=15 | reg.LENGTH_HOST_READY))
    bench.ring()
    with pytest.raises(NotModelled, match="no whole words"):
        bench.sim.run()


def test_target_swap_reverses_every_register_access(bench):
    device = bench.device
    device.write32(reg.PE_ENDIAN_CONFIG_MT7621, 0x001B_00E4)
    device.write32(reg.PE_CONFIG, reg.CONFIG_MODE_ARM | reg.CONFIG_SWAP_TARGET)
    assert device.read32(reg.PE_OPTION_1) == int.from_bytes(
        MT7621.option_1.to_bytes(4, "little"), "big"
    )
    device.write32(reg.PE_CDR_BASE, 0x78563412)
    device.write32(reg.PE_CONFIG, 0x0003_0000)
    assert device.read32(reg.PE_CDR_BASE) == 0x12345678


def test_zero_selectors_of_drivers_change_nothing_while_no_swap_is_enabled(bench):
    bench.device.write32(reg.PE_ENDIAN_CONFIG_MT7621, 0)
    command = packet(bench)
    assert bench.run(command).status == 0
    assert bench.memory.peek(command.destination, 16) == SECRET


# Pulses.


class Scope:
    """Records what the interrupt line does."""

    def __init__(self, sim: Simulation) -> None:
        self.sim = sim
        self.edges: list[tuple[int, bool]] = []

    def set_level(self, high: bool) -> None:
        self.edges.append((self.sim.now, high))


@pytest.mark.parametrize("auto_clear", [False, True])
def test_pulse_lasts_two_clocks_for_each_new_event(bench, auto_clear):
    scope = Scope(bench.sim)
    device = Device(bench.sim, bench.memory, scope)
    device.write32(reg.INT_CLR, 0xFFFF_FFFF)
    device.write32(reg.INT_CFG, 3 if auto_clear else 1)
    device.write32(reg.INT_MASK_ENABLE, reg.INT_RING_ERR)
    for number in range(2):
        device.write32(reg.PE_RD_COUNT, 1)
        bench.sim.run()
        raised, lowered = scope.edges[-2:]
        assert (raised[1], lowered[1]) == (True, False)
        assert lowered[0] - raised[0] == 20
        assert len(scope.edges) == 2 * (number + 1)
        latched = device.read32(reg.INT_UNMASK_STAT) & reg.INT_RING_ERR
        assert bool(latched) is not auto_clear
        device.write32(reg.PE_RING_STAT, 0)
        device.write32(reg.INT_CLR, reg.INT_RING_ERR)
        bench.sim.sleep(100)


# Coming back through the doors.


class Meddler(Ram):
    """Memory that writes a register of the device whenever the device touches it."""

    def __init__(self, latency: Latency) -> None:
        super().__init__()
        self.sim = Simulation()
        self.meddle = self.inside = False
        self.device = Device(self.sim, self, self, latency=latency)
        self.read32, self.write32 = self.device.read32, self.device.write32

    def read(self, address: int, length: int) -> bytes:
        self._visit()
        return self.load(address, length)

    def write(self, address: int, data: bytes) -> None:
        self._visit()
        self.store(address, data)

    def _visit(self) -> None:
        if self.meddle and not self.inside:
            self.inside = True
            self.write32(reg.PE_CD_COUNT, 0)
            self.write32(reg.INT_MASK_ENABLE, reg.INT_RDR_THRESH)
            self.read32(reg.PE_STATUS)
            self.inside = False

    def set_level(self, high: bool) -> None:
        if high:
            self.on_interrupt()

    def wait(self) -> None:
        self.sim.run()


@pytest.mark.parametrize("latency", Latency)
def test_register_accesses_inside_of_bus_accesses_disturb_nothing(latency):
    port = Meddler(latency)
    driver = Mainline(port, BASE)
    port.meddle = True
    message = bytes(range(200))
    assert driver.hash("sha256", message) == (0, hashlib.sha256(message).digest())
    assert len(driver.order) == 4


@pytest.mark.parametrize("latency", Latency)
def test_reset_inside_of_a_bus_access_drops_the_packet(latency):
    port = Meddler(latency)
    driver = Mainline(port, BASE)
    fired: list[int] = []

    def reset_once() -> None:
        if not fired:
            fired.append(1)
            port.write32(reg.PE_CONFIG, 0x703)
            port.write32(reg.PE_CONFIG, 0x700)

    port._visit = reset_once
    request, _ = driver.start_hash("md5", b"abc")
    port.wait()
    driver.run_tasklet()
    assert request.status is None
    assert port.read32(reg.PE_RD_COUNT) == 0
    again = Mainline(port, BASE + (1 << 20))
    assert again.hash("md5", b"abc") == (0, hashlib.md5(b"abc").digest())


def test_configuration_for_every_mode_is_accepted(bench):
    for mode in range(4):
        bench.device.write32(reg.PE_CONFIG, mode << 8)
        assert bench.device.read32(reg.PE_CONFIG) == mode << 8


def test_unused_hash_words_of_a_target_command_do_not_matter(bench):
    enter(bench, reg.CONFIG_MODE_TCM)
    digest = SACommand(
        opcode=Opcode.HASH,
        digest=Digest.MD5,
        digest_length=4,
        hash_source=HashSource.CONSTANTS,
        copy_digest=True,
    )
    command = packet(bench, digest)
    command_registers(bench, command)
    bench.sim.run()
    assert bench.memory.peek(command.destination, 16) == hashlib.md5(PLAIN).digest()


def test_doorbell_of_ring_mode_needs_rings(make_bench):
    bench = make_bench()
    enter(bench, reg.CONFIG_MODE_ARM)
    with pytest.raises(DriverFault) as caught:
        bench.ring()
    assert (caught.value.register, caught.value.value) == ("PE_CD_COUNT", 1)
