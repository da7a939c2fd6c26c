"""The register file: every bit accounted for, reset values, access rules, refusals."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import tcrypt.engine.eip93
from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.device import Device
from tcrypt.engine.eip93.errors import DriverFault, NotModelled
from tcrypt.engine.eip93.regmap import Access, registers_of
from tcrypt.engine.eip93.variants import MT7621

if TYPE_CHECKING:
    from tests.engine.eip93.conftest import Bench

REGISTERS = registers_of(reg.PE_ENDIAN_CONFIG_MT7621).values()
RESETS = {
    "PE_CTRL_STAT": 0x0000_0002,
    "PE_STATUS": 0x0004_0402,
    "PE_CLOCK_CTRL": 0x0000_001F,
    "PE_OPTION_1": 0x000F_E007,
    "PE_OPTION_0": 0x4171_0041,
    "PE_REVISION": 0x0301_A25D,
    "INT_UNMASK_STAT": 0x0000_0001,
}


def rows(*accesses: Access) -> list[object]:
    return [pytest.param(r, id=r.name) for r in REGISTERS if r.access in accesses]


WRITE_ONLY = (Access.WO, Access.W1S, Access.W1C, Access.TRIGGER)
READABLE = [a for a in Access if a not in (*WRITE_ONLY, Access.NOT_MODELLED)]
# PE_CONFIG changes what all others do, and a write to the last SA word starts a packet.
APART = ("PE_CONFIG", "SA_NONCE/SA_READY")


@pytest.fixture
def device(make_bench: Callable[..., Bench]) -> Device:
    return make_bench().device


@pytest.mark.parametrize("register", rows(*Access))
def test_every_bit_is_modelled_or_refused_or_reserved(register):
    assert register.modelled & register.unmodelled == 0
    assert register.modelled | register.unmodelled | register.reserved == 0xFFFF_FFFF
    assert register.reset & ~register.modelled == 0
    assert register.offset % 4 == 0
    assert 0 <= register.offset < reg.WINDOW_SIZE


@pytest.mark.parametrize("endian", [0x1CC, 0x1D0])
def test_map_has_every_register_of_the_reference_page(endian):
    """eip93, section 1: descriptor window, rings, engine, interrupts, and the other windows."""
    stretches = [
        (0x000, 0x020),
        (0x080, 0x0A0),
        (0x100, 0x108),
        (0x10C, 0x11C),
        (0x120, 0x124),
        (endian, endian + 4),
        (0x1E0, 0x1EC),
        (0x1F4, 0x200),
        (0x200, 0x218),
        (0x300, 0x340),
        (0x400, 0x480),
        (0x500, 0x538),
        (0x700, 0x900),
    ]
    offsets = [offset for first, end in stretches for offset in range(first, end, 4)]
    assert list(registers_of(endian)) == offsets


def answer(access: Callable[[], int | None]) -> int | DriverFault | NotModelled:
    """What an access gives: a value (0 for a write), or the refusal."""
    try:
        return access() or 0
    except (DriverFault, NotModelled) as refusal:
        return refusal


@pytest.mark.parametrize("mode", range(4))
def test_every_word_of_the_window_answers_or_says_why_not(device, mode):
    device.write32(reg.PE_CONFIG, mode << 8)
    known = registers_of(reg.PE_ENDIAN_CONFIG_MT7621)
    for offset in range(0, reg.WINDOW_SIZE, 4):
        found, register = answer(partial(device.read32, offset)), known.get(offset)
        if register is None or register.access is Access.NOT_MODELLED:
            assert isinstance(found, NotModelled)
        elif register.access in WRITE_ONLY or (offset >= reg.SA_WINDOW and mode):
            assert isinstance(found, DriverFault)
            assert found.register == register.name
        else:
            assert isinstance(found, int)
            assert found & ~register.modelled == 0


@pytest.mark.parametrize("mode", range(4))
def test_every_word_of_the_window_takes_a_write_or_says_why_not(device, mode):
    known = registers_of(reg.PE_ENDIAN_CONFIG_MT7621)
    for offset in range(0, reg.WINDOW_SIZE, 4):
        register = known.get(offset)
        device.reset()
        device.write32(reg.PE_CONFIG, mode << 8)
        found = answer(partial(device.write32, offset, 0))
        if register is None or register.access is Access.NOT_MODELLED:
            assert isinstance(found, NotModelled)
        elif register.access is Access.RO:
            assert isinstance(found, DriverFault)
            assert found.register == register.name
        elif register.access is Access.RW and (offset < reg.SA_WINDOW or not mode):
            # A start without a descriptor is refused by another rule.
            assert found == 0 or offset == reg.SA_READY


def test_no_two_registers_share_a_name():
    names = [register.name for register in REGISTERS]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("register", rows(*READABLE))
def test_value_after_power_on(device, register):
    assert device.read32(register.offset) == RESETS.get(register.name, 0)


@pytest.mark.parametrize("register", [r for r in rows(Access.RW) if r.id not in APART])
def test_storing_register_keeps_modelled_bits_and_drops_reserved_ones(device, register):
    device.write32(register.offset, register.modelled | register.reserved)
    assert device.read32(register.offset) == register.modelled
    device.write32(register.offset, 0)
    assert device.read32(register.offset) == 0


@pytest.mark.parametrize("register", rows(Access.RW))
def test_bits_that_are_not_modelled_are_refused_one_by_one(device, register):
    bits = [1 << n for n in range(32) if register.unmodelled >> n & 1]
    for bit in bits:
        with pytest.raises(NotModelled) as caught:
            device.write32(register.offset, bit)
        assert (caught.value.register, caught.value.value) == (register.name, bit)
    assert device.read32(register.offset) == register.reset


def test_configuration_drops_reserved_bits(device):
    device.write32(reg.PE_CONFIG, 0xFFFF_FFFF & ~reg.CONFIG_SWAP_TARGET)
    assert device.read32(reg.PE_CONFIG) == 0x0007_0703


@pytest.mark.parametrize("register", rows(Access.RO))
def test_writing_a_read_only_register_is_the_drivers_fault(device, register):
    with pytest.raises(DriverFault, match="read-only") as caught:
        device.write32(register.offset, 1)
    assert caught.value.register == register.name


@pytest.mark.parametrize("register", rows(*WRITE_ONLY))
def test_reading_a_write_only_register_is_the_drivers_fault(device, register):
    with pytest.raises(DriverFault, match="write-only"):
        device.read32(register.offset)


@pytest.mark.parametrize("register", rows(Access.NOT_MODELLED))
def test_register_that_is_not_modelled_is_refused(device, register):
    with pytest.raises(NotModelled, match=register.name):
        device.read32(register.offset)
    with pytest.raises(NotModelled, match=register.name):
        device.write32(register.offset, 0)


@pytest.mark.parametrize("register", rows(Access.DESCRIPTOR))
def test_descriptor_window_is_not_written_in_ring_mode(bench, register):
    with pytest.raises(DriverFault, match="target command mode"):
        bench.device.write32(register.offset, 0)


@pytest.mark.parametrize("offset", [0x400, 0x4A0 - 0x24, 0x500, 0x534, 0x700, 0x7FC, 0x800, 0x8FC])
def test_windows_belong_to_direct_host_mode(bench, offset):
    for access in (bench.device.read32, lambda at: bench.device.write32(at, 0)):
        with pytest.raises(DriverFault, match=r"direct host mode|write-only"):
            access(offset)


def test_windows_need_the_clock_of_the_engine(device):
    device.write32(reg.PE_CLOCK_CTRL, reg.CLOCK_CTRL_ALL & ~reg.CLOCK_CTRL_PE)
    with pytest.raises(DriverFault, match="clocks"):
        device.write32(reg.SA_WINDOW, 0)


def test_access_that_is_no_word_raises_the_interface_error_as_well(device):
    with pytest.raises(DriverFault):
        device.read32(0x091)
    assert device.read32(reg.INT_UNMASK_STAT) & reg.INT_INTERFACE_ERR


def test_offset_that_no_register_is_known_for_is_refused(device):
    with pytest.raises(NotModelled, match="does not list"):
        device.read32(0x0A0)


@pytest.mark.parametrize("offset", [0x091, 0x092, 0x093, 0x1F5, 0x801])
def test_unaligned_access_is_the_drivers_fault(device, offset):
    with pytest.raises(DriverFault, match="aligned 32-bit words"):
        device.read32(offset)
    with pytest.raises(DriverFault, match="aligned 32-bit words"):
        device.write32(offset, 0)


@pytest.mark.parametrize("offset", [-4, 0x1000, 0x1E00_4000])
def test_access_outside_of_the_window_is_the_drivers_fault(device, offset):
    with pytest.raises(DriverFault, match="window"):
        device.read32(offset)


@pytest.mark.parametrize("value", [-1, 1 << 32])
@pytest.mark.parametrize("offset", [reg.PE_CD_COUNT, reg.PE_CDR_BASE])
def test_value_that_is_no_32_bit_word_is_the_drivers_fault(device, offset, value):
    with pytest.raises(DriverFault, match="32 bits wide"):
        device.write32(offset, value)


@pytest.mark.parametrize(
    ("here", "elsewhere"),
    [
        (reg.PE_ENDIAN_CONFIG_MT7621, reg.PE_ENDIAN_CONFIG_AIROHA),
        (reg.PE_ENDIAN_CONFIG_AIROHA, reg.PE_ENDIAN_CONFIG_MT7621),
    ],
)
def test_endian_register_lies_where_the_variant_says(make_bench, here, elsewhere):
    device = make_bench(replace(MT7621, endian_offset=here)).device
    device.write32(here, 0x00E4_001B)
    assert device.read32(here) == 0x00E4_001B
    with pytest.raises(NotModelled):
        device.read32(elsewhere)


def test_revision_names_the_eip_93(device):
    revision = device.read32(reg.PE_REVISION)
    assert revision & reg.REVISION_EIP_NUMBER == 93
    assert revision >> 8 & 0xFF == 93 ^ 0xFF


def test_power_on_reset_restores_every_register(bench):
    device = bench.device
    for register in REGISTERS:
        outside = register.offset < reg.SA_WINDOW
        if register.access is Access.RW and outside and register.name != "PE_CONFIG":
            device.write32(register.offset, register.modelled)
    bench.ring(3)
    device.write32(reg.PE_RD_COUNT, 1)
    device.reset()
    for register in REGISTERS:
        if register.access in READABLE:
            assert device.read32(register.offset) == RESETS.get(register.name, 0), register.name
    assert not bench.irq.level


def test_a_driver_finds_nothing_but_the_hardwares_doors():
    public = {name for name in vars(Device) if not name.startswith("_")}
    evidence = {"jobs", "faults", "fail", "lose", "unanswered"}
    assert public == {"read32", "write32", "reset"} | evidence


def test_evidence_for_the_bench_cannot_be_forged(device):
    with pytest.raises(AttributeError):
        device.jobs = 1


def test_device_model_imports_only_itself_the_simulation_and_arithmetic():
    folder = Path(tcrypt.engine.eip93.__file__).parent
    allowed = {*sys.stdlib_module_names, "Crypto"}
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module == "tcrypt.engine":
                names = [f"tcrypt.engine.{alias.name}" for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            else:
                continue
            for name in names:
                shared = name in ("tcrypt.engine.sim", "tcrypt.engine.compression")
                own = shared or (
                    f"{name}.".startswith("tcrypt.engine.eip93.") and ".driver" not in name
                )
                assert own or name.split(".")[0] in allowed, f"{path.name} imports {name}"
