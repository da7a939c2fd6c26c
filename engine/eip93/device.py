"""The EIP-93 packet engine, at its registers.

A driver reaches the device through four doors: `read32` and `write32`, memory behind a bus on
which the device is the master, and an interrupt line that the device drives.  `jobs`, `options`,
`faults` and `unanswered` are for a test bench: evidence of what the device did, of what it was
built with, of what it was asked to do against the rules, and of what it should have done.  So are
`fail` and `lose`, which have it report an error.

The device allocates nothing and keeps no reference to anything of a driver: what implements
the bus may sit in another process.  It may also call `read32` and `write32` from inside of a bus
access or a change of the line.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.direct import DirectHost
from tcrypt.engine.eip93.errors import DriverFault, NotModelled
from tcrypt.engine.eip93.fetching import Record
from tcrypt.engine.eip93.interrupts import InterruptBlock, InterruptLine
from tcrypt.engine.eip93.lanes import DMABus, swap_word
from tcrypt.engine.eip93.modes import Modes, Parts
from tcrypt.engine.eip93.options import Options
from tcrypt.engine.eip93.protocols import ProtocolCore
from tcrypt.engine.eip93.regmap import Register, registers_of
from tcrypt.engine.eip93.rings import Rings
from tcrypt.engine.eip93.sequencer import Latency, Sequencer
from tcrypt.engine.eip93.variants import MT7621, Variant
from tcrypt.engine.eip93.window_door import WindowDoor
from tcrypt.engine.eip93.windows import Windows
from tcrypt.engine.sim import Simulation

__all__ = ("DMABus", "Device", "InterruptLine", "Latency", "Record")

_Reader = Callable[[], int]
_Writer = Callable[[int], None]
_STORED: Final = (reg.PE_BUF_THRESH, reg.PE_DMA_CFG, reg.PE_CLOCK_CTRL)
_STATUS_BITS: Final = 0xFF << reg.CONTROL_STATUS_SHIFT
_NS: Final = 1_000_000_000
_PULSE_CLOCKS: Final = 2


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
        self._core = ProtocolCore(bus, variant)
        self._rings = Rings(sim, variant, self._core.faults, lambda: self._interrupts.update())
        pulse = _PULSE_CLOCKS * _NS // variant.clock_hz
        self._interrupts = InterruptBlock(sim, irq, self._rings.levels, pulse)
        self._sequencer = Sequencer(
            sim, bus, self._rings, self._interrupts, self._core, variant, latency
        )
        self._windows = Windows()
        self._direct = DirectHost(
            self._sequencer, self._rings, self._interrupts, self._core, self._windows
        )
        parts = Parts(
            self._sequencer,
            self._direct,
            self._rings,
            self._interrupts,
            self._core,
            self._windows,
        )
        self._modes = Modes(bus, variant, parts, self._follow_mode)
        self._registers = registers_of(variant.endian_offset)
        self._stored = {offset: self._registers[offset].reset for offset in _STORED}
        self._door = WindowDoor(parts, self._modes, self._stored, variant.endian_offset)
        self._variant = variant
        self._readers = self._make_readers()
        self._writers = self._make_writers()
        self.reset()

    @property
    def jobs(self) -> int:
        """How many packets with at least one byte of data the core has processed, ever."""
        return self._core.jobs

    @property
    def faults(self) -> tuple[DriverFault, ...]:
        """Rules that the driver broke so far, where the hardware has an answer to that."""
        return tuple(self._core.faults)

    @property
    def unanswered(self) -> int:
        """How many commands wait although nothing keeps the engine from working on them.

        None do in a sound device that is at rest: it takes a command as soon as it can.  What a
        driver has to do first, such as a restart after an error, or taking results from a full
        ring, is no fault of the device.
        """
        return self._sequencer.neglected

    def fail(self, status: int, after: int = 0) -> None:
        """Inject a fault: after so many packets more, one ends with this status of 8 bits.

        Its data and records are written as if nothing had happened; what a bus or processing
        error stops, it stops.
        """
        self._sequencer.forced = (after, status)

    def lose(self, record: Record, after: int = 0) -> None:
        """Inject a fault: after so many packets more, memory does not answer for a record.

        The bus error is one like any other: that packet ends with it, having written nothing, and
        the engine stops.  A packet that uses no state record passes the fault on to the next.  In
        direct host mode records do not come over the bus, and nothing is lost.
        """
        self._sequencer.lost = (after, record)

    def reset(self) -> None:
        """Power-on reset: every register, every count, and the packet in work."""
        for offset in self._stored:
            self._stored[offset] = self._registers[offset].reset
        self._core.reset()
        self._rings.reset()
        self._sequencer.reset()
        self._windows.clear()
        self._modes.reset()
        self._interrupts.reset()

    def read32(self, offset: int) -> int:
        """Read the register at byte `offset` of the window.

        Raises:
            DriverFault: `offset` is no 32-bit word of the window, or the register is write-only.
            NotModelled: the register is not modelled.
        """
        reader = self._readers.get(offset)
        return self._door.read(offset) if reader is None else reader()

    def write32(self, offset: int, value: int) -> None:
        """Write a 32-bit `value` to the register at byte `offset` of the window.

        Raises:
            DriverFault: `offset` is no 32-bit word of the window, `value` does not fit in 32 bits,
                the register is read-only, or the hardware has no defined answer to the value.
            NotModelled: the register, or a bit that `value` sets, is not modelled.
        """
        writer = self._writers.get(offset)
        if writer is None or value >> 32:
            self._door.write(offset, value)
        else:
            writer(value)

    # Registers.

    def _make_readers(self) -> dict[int, _Reader]:
        rings, interrupts, sequencer = self._rings, self._interrupts, self._sequencer
        variant = self._variant
        readers: dict[int, _Reader] = {
            reg.PE_CDR_BASE: lambda: rings.command_base,
            reg.PE_RDR_BASE: lambda: rings.result_base,
            reg.PE_RING_CONFIG: rings.read_config,
            reg.PE_RING_THRESH: rings.read_thresholds,
            reg.PE_CD_COUNT: lambda: rings.commands,
            reg.PE_RD_COUNT: lambda: rings.results,
            reg.PE_RING_RW_PNTR: rings.read_pointers,
            reg.PE_RING_STAT: rings.read_status,
            reg.PE_CONFIG: self._modes.read_config,
            reg.PE_STATUS: self._modes.read_status,
            reg.PE_INBUF_COUNT: lambda: 0,  # What is written there is taken at once.
            reg.PE_OUTBUF_COUNT: lambda: self._windows.output_bytes,
            reg.PE_BUF_RW_PNTR: self._windows.read_pointers,
            variant.endian_offset: self._modes.read_endian,
            reg.PE_HALT: lambda: sequencer.halting.read(sequencer.working),
            reg.PE_OPTION_1: lambda: variant.option_1,
            reg.PE_OPTION_0: lambda: variant.option_0,
            reg.PE_REVISION: lambda: variant.revision,
            reg.INT_UNMASK_STAT: interrupts.raw,
            reg.INT_MASK_STAT: interrupts.masked,
            reg.INT_MASK: interrupts.enabled,
            reg.INT_CFG: interrupts.read_config,
        }
        for index in range(reg.DESCRIPTOR_BYTES // 4):
            readers[reg.PE_CTRL_STAT + 4 * index] = partial(self._read_descriptor, index)
        for offset in self._stored:
            readers[offset] = partial(self._stored.__getitem__, offset)
        return readers

    def _read_descriptor(self, index: int) -> int:
        return self._sequencer.window[index]

    def _make_writers(self) -> dict[int, _Writer]:
        rings, interrupts, sequencer = self._rings, self._interrupts, self._sequencer
        variant = self._variant
        checked: dict[int, _Writer] = {
            reg.PE_CDR_BASE: rings.write_command_base,
            reg.PE_RDR_BASE: rings.write_result_base,
            reg.PE_RING_CONFIG: rings.write_config,
            reg.PE_RING_THRESH: rings.write_thresholds,
            reg.PE_CONFIG: self._modes.write_config,
            reg.PE_BUF_THRESH: self._write_buffer_thresholds,
            reg.PE_DMA_CFG: partial(self._stored.__setitem__, reg.PE_DMA_CFG),
            reg.PE_CLOCK_CTRL: partial(self._stored.__setitem__, reg.PE_CLOCK_CTRL),
            variant.endian_offset: self._modes.write_endian,
            reg.PE_HALT: sequencer.halting.write,
            reg.INT_MASK: interrupts.set_mask,
            reg.INT_CFG: interrupts.configure,
        }
        writers: dict[int, _Writer] = {
            # These decode their value themselves: they are written for every packet.
            reg.PE_CD_COUNT: sequencer.doorbell,
            reg.PE_RD_COUNT: sequencer.take_results,
            reg.PE_RING_STAT: rings.clear_status,
            reg.PE_INBUF_COUNT: self._door.add_input,
            reg.PE_OUTBUF_COUNT: self._door.take_output,
            reg.PE_CONTINUE: sequencer.proceed,
            reg.INT_CLR: interrupts.clear,
            reg.INT_MASK_ENABLE: interrupts.enable,
            reg.INT_MASK_DISABLE: interrupts.disable,
        }
        for offset, store in checked.items():
            writers[offset] = partial(_write_checked, self._registers[offset], store)
        for index in range(reg.DESCRIPTOR_BYTES // 4):
            writers[reg.PE_CTRL_STAT + 4 * index] = partial(self._write_descriptor, index)
        return writers

    def _write_descriptor(self, index: int, value: int) -> None:
        """A word of the descriptor; only the engine sets PE_READY and the status bits."""
        name = self._registers[reg.PE_CTRL_STAT + 4 * index].name
        if self._modes.rings:
            rule = "descriptors are written to registers in direct host and target command mode"
            raise DriverFault(name, value, rule)
        words = list(self._sequencer.window)
        if index == 0:
            value &= words[0] | ~reg.CONTROL_PE_READY
            value &= ~_STATUS_BITS
        words[index] = value
        self._sequencer.window = tuple(words)

    def _write_buffer_thresholds(self, value: int) -> None:
        self._stored[reg.PE_BUF_THRESH] = value
        self._direct.write_thresholds(value)

    def _follow_mode(self, direct: bool, lanes: int | None) -> None:
        """Let counts go to the part that is in charge, and accesses through the byte lanes."""
        counts: tuple[_Writer, _Writer] = (
            (self._direct.doorbell, self._direct.take_result)
            if direct
            else (self._sequencer.doorbell, self._sequencer.take_results)
        )
        if lanes != self._door.lanes:
            self._door.lanes = lanes
            self._readers, self._writers = self._make_readers(), self._make_writers()
            if lanes is not None:
                readers, writers = self._readers, self._writers
                self._readers = {at: partial(_read_swapped, readers[at], lanes) for at in readers}
                self._writers = {at: partial(_write_swapped, writers[at], lanes) for at in writers}
        for offset, count in zip((reg.PE_CD_COUNT, reg.PE_RD_COUNT), counts, strict=True):
            self._writers[offset] = (
                count if lanes is None else partial(_write_swapped, count, lanes)
            )


def _read_swapped(read: _Reader, lanes: int) -> int:
    return swap_word(read(), lanes)


def _write_swapped(write: _Writer, lanes: int, value: int) -> None:
    write(swap_word(value, lanes))


def _write_checked(register: Register, store: _Writer, value: int) -> None:
    """Refuse bits that are not modelled, drop reserved ones, and hand on the rest."""
    refused = value & register.unmodelled
    if refused:
        raise NotModelled(register.name, value, f"what its bits {refused:#x} select")
    store(value & register.modelled)
