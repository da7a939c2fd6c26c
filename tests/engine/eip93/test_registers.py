"""The register file: every bit accounted for, reset values, access rules, refusals."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import tcrypt.engine.eip93
from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.device import Device
from tcrypt.engine.eip93.errors import DriverFault, NotModelled
from tcrypt.engine.eip93.regmap import WINDOWS, Access, registers_of
from tcrypt.engine.eip93.variants import MT7621

if TYPE_CHECKING:
    from tests.engine.eip93.conftest import Bench

REGISTERS = registers_of(reg.PE_ENDIAN_CONFIG_MT7621)
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


READABLE = [a for a in Access if a not in (Access.W1S, Access.W1C, Access.NOT_MODELLED)]


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


def test_no_two_registers_share_an_offset_or_lie_in_a_window():
    offsets = [register.offset for register in REGISTERS]
    assert len(set(offsets)) == len(offsets)
    assert not [o for o in offsets for first, end, _ in WINDOWS if first <= o < end]


@pytest.mark.parametrize("register", rows(*READABLE))
def test_value_after_power_on(device, register):
    assert device.read32(register.offset) == RESETS.get(register.name, 0)


@pytest.mark.parametrize("register", rows(Access.RW))
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


def test_configuration_bits_that_swap_bytes_are_refused(device):
    for bit in (16, 17, 18, 20):
        with pytest.raises(NotModelled):
            device.write32(reg.PE_CONFIG, reg.CONFIG_MODE_ARM | 1 << bit)


@pytest.mark.parametrize("register", rows(Access.RO))
def test_writing_a_read_only_register_is_the_drivers_fault(device, register):
    with pytest.raises(DriverFault, match="read-only") as caught:
        device.write32(register.offset, 1)
    assert caught.value.register == register.name


@pytest.mark.parametrize("register", rows(Access.W1S, Access.W1C))
def test_reading_a_write_only_register_is_the_drivers_fault(device, register):
    with pytest.raises(DriverFault, match="write-only"):
        device.read32(register.offset)


@pytest.mark.parametrize("register", rows(Access.NOT_MODELLED))
def test_register_that_is_not_modelled_is_refused(device, register):
    with pytest.raises(NotModelled, match=register.name):
        device.read32(register.offset)
    with pytest.raises(NotModelled, match=register.name):
        device.write32(register.offset, 0)


@pytest.mark.parametrize("register", rows(Access.RO_DHM))
def test_descriptor_window_is_read_only_outside_of_direct_host_mode(device, register):
    with pytest.raises(NotModelled, match="direct host mode"):
        device.write32(register.offset, 0)


@pytest.mark.parametrize(("first", "end", "feature"), WINDOWS)
def test_windows_of_other_modes_are_refused(device, first, end, feature):
    for offset in (first, end - 4):
        with pytest.raises(NotModelled, match=feature):
            device.read32(offset)
        with pytest.raises(NotModelled, match=feature):
            device.write32(offset, 0)


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


@pytest.mark.parametrize("mode", [reg.CONFIG_MODE_TCM, reg.CONFIG_MODE_TCM_RDR])
def test_target_command_mode_is_refused(device, mode):
    with pytest.raises(NotModelled, match="target command mode"):
        device.write32(reg.PE_CONFIG, mode)


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
        if register.access is Access.RW and register.name != "PE_CONFIG":
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
    assert public == {"read32", "write32", "reset", "jobs"}


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
