"""The EIP-93 packet engine in autonomous ring mode, at its registers.

A driver reaches the device through four doors: `read32` and `write32`, memory behind a bus on
which the device is the master, and an interrupt line that the device drives.  `jobs` and `options`
are for a test bench: evidence of what the device did and of what it was built with.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final, NoReturn

from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.errors import DriverFault, NotModelled
from tcrypt.engine.eip93.interrupts import InterruptBlock, InterruptLine
from tcrypt.engine.eip93.operations import DMABus, PacketCore
from tcrypt.engine.eip93.options import Options
from tcrypt.engine.eip93.regmap import WINDOWS, Access, Register, registers_of
from tcrypt.engine.eip93.rings import Rings
from tcrypt.engine.eip93.sequencer import Latency, Sequencer
from tcrypt.engine.eip93.variants import MT7621, Variant
from tcrypt.engine.sim import Simulation

__all__ = ("DMABus", "Device", "InterruptLine", "Latency")

_Reader = Callable[[], int]
_Writer = Callable[[int], None]
_WRITE_ONLY: Final = frozenset({Access.W1S, Access.W1C})


class Device:
    """One EIP-93.

    Args:
        sim: The clock; every packet is an event of it.
        bus: Memory, as the device sees it.
        irq: The interrupt line, active high.
        variant: Which chip, and which reading of the uncertain points.
        latency: Whether packets take time, or are done inside the register write that starts them.
    """

    def __init__(
        self,
        sim: Simulation,
        bus: DMABus,
        irq: InterruptLine,
        variant: Variant = MT7621,
        latency: Latency = Latency.SIMULATED,
    ) -> None:
        self.options: Final = Options.decode(variant.option_1)
        self._core = PacketCore(bus, variant)
        self._rings = Rings(sim, variant, lambda: self._interrupts.update())
        self._interrupts = InterruptBlock(irq, self._rings.levels)
        self._sequencer = Sequencer(
            sim, bus, self._rings, self._interrupts, self._core, variant, latency
        )
        registers = registers_of(variant.endian_offset)
        self._registers = {register.offset: register for register in registers}
        self._stored = {r.offset: r.reset for r in registers if r.access is Access.RW}
        self._readers = self._make_readers(variant)
        self._writers = self._make_writers()
        self.reset()

    @property
    def jobs(self) -> int:
        """How many packets with at least one byte of data the core has processed, ever."""
        return self._core.jobs

    def reset(self) -> None:
        """Power-on reset: every register, every count, and the packet in work."""
        for offset in self._stored:
            self._stored[offset] = self._registers[offset].reset
        self._core.reset()
        self._rings.reset()
        self._sequencer.reset()
        self._interrupts.reset()

    def read32(self, offset: int) -> int:
        """Read the register at byte `offset` of the window.

        Raises:
            DriverFault: `offset` is no 32-bit word of the window, or the register is write-only.
            NotModelled: the register is not modelled.
        """
        reader = self._readers.get(offset)
        if reader is None:
            self._refuse(offset, None)
        return reader()

    def write32(self, offset: int, value: int) -> None:
        """Write a 32-bit `value` to the register at byte `offset` of the window.

        Raises:
            DriverFault: `offset` is no 32-bit word of the window, `value` does not fit in 32 bits,
                the register is read-only, or the hardware has no defined answer to the value.
            NotModelled: the register, or a bit that `value` sets, is not modelled.
        """
        writer = self._writers.get(offset)
        if writer is None or value >> 32:
            self._refuse(offset, value)
        writer(value)

    def _refuse(self, offset: int, value: int | None) -> NoReturn:
        name = f"offset {offset:#x}"
        if not 0 <= offset < reg.WINDOW_SIZE:
            raise DriverFault(name, value, f"the window has {reg.WINDOW_SIZE:#x} bytes")
        if offset % 4:
            raise DriverFault(name, value, "registers are accessed as aligned 32-bit words")
        register = self._registers.get(offset)
        if register is not None:
            self._refuse_register(register, value)
        for first, end, feature in WINDOWS:
            if first <= offset < end:
                raise NotModelled(name, value, feature)
        raise NotModelled(name, value, "a register that the register map does not list")

    def _refuse_register(self, register: Register, value: int | None) -> NoReturn:
        if register.access in _WRITE_ONLY and value is None:
            raise DriverFault(register.name, value, "the register is write-only")
        if register.access is Access.RO and value is not None:
            raise DriverFault(register.name, value, "the register is read-only")
        if value is not None and value >> 32:
            raise DriverFault(register.name, value, "registers are 32 bits wide")
        raise NotModelled(register.name, value, register.access.value)

    def _make_readers(self, variant: Variant) -> dict[int, _Reader]:
        rings, interrupts, sequencer = self._rings, self._interrupts, self._sequencer
        readers: dict[int, _Reader] = {
            reg.PE_CDR_BASE: lambda: rings.command_base,
            reg.PE_RDR_BASE: lambda: rings.result_base,
            reg.PE_RING_CONFIG: rings.read_config,
            reg.PE_RING_THRESH: rings.read_thresholds,
            reg.PE_CD_COUNT: lambda: rings.commands,
            reg.PE_RD_COUNT: lambda: rings.results,
            reg.PE_RING_RW_PNTR: rings.read_pointers,
            reg.PE_RING_STAT: rings.read_status,
            reg.PE_CONFIG: sequencer.read_config,
            reg.PE_STATUS: sequencer.read_status,
            reg.PE_OPTION_1: lambda: variant.option_1,
            reg.PE_OPTION_0: lambda: variant.option_0,
            reg.PE_REVISION: lambda: variant.revision,
            reg.INT_UNMASK_STAT: interrupts.raw,
            reg.INT_MASK_STAT: interrupts.masked,
            reg.INT_MASK: interrupts.enabled,
        }
        for index in range(reg.DESCRIPTOR_BYTES // 4):
            readers[reg.PE_CTRL_STAT + 4 * index] = partial(self._read_window, index)
        for offset in self._stored:
            readers.setdefault(offset, partial(self._stored.__getitem__, offset))
        return readers

    def _read_window(self, index: int) -> int:
        return self._sequencer.window[index]

    def _make_writers(self) -> dict[int, _Writer]:
        rings, interrupts, sequencer = self._rings, self._interrupts, self._sequencer
        special: dict[int, _Writer] = {
            reg.PE_CDR_BASE: rings.write_command_base,
            reg.PE_RDR_BASE: rings.write_result_base,
            reg.PE_RING_CONFIG: rings.write_config,
            reg.PE_RING_THRESH: rings.write_thresholds,
            reg.PE_CONFIG: sequencer.write_config,
            reg.INT_MASK: interrupts.set_mask,
        }
        writers: dict[int, _Writer] = {
            # These decode their value themselves: they are written for every packet.
            reg.PE_CD_COUNT: sequencer.doorbell,
            reg.PE_RD_COUNT: sequencer.take_results,
            reg.PE_RING_STAT: rings.clear_status,
            reg.INT_CLR: interrupts.clear,
            reg.INT_MASK_ENABLE: interrupts.enable,
            reg.INT_MASK_DISABLE: interrupts.disable,
        }
        for offset in self._stored:
            store = special.get(offset, partial(self._stored.__setitem__, offset))
            writers[offset] = partial(_write_checked, self._registers[offset], store)
        return writers


def _write_checked(register: Register, store: _Writer, value: int) -> None:
    """Refuse bits that are not modelled, drop reserved ones, and hand on the rest."""
    refused = value & register.unmodelled
    if refused:
        raise NotModelled(register.name, value, f"what its bits {refused:#x} select")
    store(value & register.modelled)
