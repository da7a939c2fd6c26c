"""The driver without rings and DMA: direct host mode, in which the processor moves all data.

A descriptor, its records and its data are written to the device's registers, and the output and
the result are read from there, one packet at a time (Analog Devices PKTE chapter, "PKTE
Programming Model").  Jobs, records and algorithms are those of ring mode: a queue of descriptors
stands for the ring, and what the engine does there with memory is done here by the tasklet.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from tcrypt.engine.api.dma import DmaDirection
from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.descriptors import Descriptor
from tcrypt.engine.eip93.driver.core import Core
from tcrypt.engine.eip93.driver.jobs import HANDLE, Job
from tcrypt.engine.eip93.driver.packets import Packet
from tcrypt.engine.eip93.driver.rings import Rings

__all__ = ("HostCore", "PacketQueue")

_DONE: Final = reg.INT_OPERATION_DONE
_SOURCES: Final = _DONE | reg.INT_INBUF_THRESH | reg.INT_OUTBUF_THRESH
_THRESHOLDS: Final = 0x0080_0080
_RESET_NS: Final = 10_000


class PacketQueue(Rings):
    """Descriptors that wait for their turn; no memory that a device could reach is behind them."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.used = 0
        self._waiting: deque[Descriptor] = deque()

    def put(self, command: Descriptor) -> None:
        """Add one behind the others; check `free` before."""
        self._waiting.append(command)
        self.used += 1

    def take(self) -> Descriptor | None:
        """The oldest, or None."""
        if not self._waiting:
            return None
        self.used -= 1
        return self._waiting.popleft()

    def release(self) -> None:
        """There is nothing to free."""


class HostCore(Core):
    """One EIP-93 in direct host mode."""

    _packet: Packet | None = None

    def _make_rings(self, size: int) -> PacketQueue:
        return PacketQueue(size)

    def _initialise(self) -> int:
        """Reset, clocks (all that a packet uses must run in this mode), thresholds, interrupts."""
        self.reset()
        write = self.mmio.write32
        option = self.mmio.read32(reg.PE_OPTION_1)
        write(reg.PE_CLOCK_CTRL, reg.CLOCK_CTRL_ALL)
        write(reg.PE_BUF_THRESH, _THRESHOLDS)
        write(reg.INT_MASK_DISABLE, 0xFFFF_FFFF)
        write(reg.INT_CLR, 0xFFFF_FFFF)
        write(reg.INT_MASK_ENABLE, _DONE)
        return option

    def reset(self) -> None:
        """Reset the engine, and enter direct host mode."""
        begun = reg.CONFIG_MODE_DHM | reg.CONFIG_RST_PE | reg.CONFIG_RST_RING
        self.mmio.write32(reg.PE_CONFIG, begun)
        self.machine.sim.sleep(_RESET_NS, f"{self.name}: reset")
        self.mmio.write32(reg.PE_CONFIG, reg.CONFIG_MODE_DHM)

    def recover(self) -> None:
        """Restart the engine after an error that stops it."""
        self.mmio.write32(reg.PE_CONFIG, reg.CONFIG_MODE_DHM | reg.CONFIG_RST_PE)
        self.mmio.write32(reg.PE_CONFIG, reg.CONFIG_MODE_DHM)

    def map(self, job: Job, address: int, length: int, direction: DmaDirection) -> None:
        """Nothing is mapped: the device reads no memory."""

    def ring_doorbell(self, count: int) -> None:
        """Let the tasklet see to the descriptors; moving data here would hold up interrupts."""
        self._tasklet.schedule()

    def interrupt(self) -> None:
        """Interrupt handler: mask what has come, and leave the rest to the tasklet."""
        pending = self.mmio.read32(reg.INT_MASK_STAT)
        if pending:
            self.mmio.write32(reg.INT_MASK_DISABLE, _SOURCES)
            self.mmio.write32(reg.INT_CLR, pending & ~_SOURCES)
            self._tasklet.schedule()

    def done_task(self) -> None:
        """Move data until the device has to work on; then wait for its interrupt.

        The latches are cleared first: what comes while data is moved interrupts again.
        """
        self.mmio.write32(reg.INT_CLR, _SOURCES)
        while self._advance():
            pass
        if self._packet is not None:
            self.mmio.write32(reg.INT_MASK_ENABLE, _SOURCES)

    def _advance(self) -> bool:
        """Do one thing for the packet in work, or begin the next one; False for nothing to do."""
        if self._packet is None:
            with self.write_lock:
                command = self.rings.take()
            if command is None:
                return False
            self._packet = Packet(self.mmio, self.machine.memory, command)
            self._packet.begin()
            return True
        packet = self._packet
        status = self.mmio.read32(reg.PE_STATUS)
        if status & reg.STATUS_OUTPUT_REQUEST:
            packet.take_output(status)
        elif status & reg.STATUS_OPERATION_DONE:
            self._packet = None
            self._finish_packet(packet.finish())
        elif status & reg.STATUS_INPUT_REQUEST and packet.wants_input:
            packet.give_input(status)
        else:
            return False
        return True

    def _finish_packet(self, result: Descriptor) -> None:
        """Count a result towards its job, and complete that when it was the last one."""
        job = self._jobs[result.user_id & HANDLE]
        self.note_result(job, result)
        if not job.pending:
            self.complete(job)
