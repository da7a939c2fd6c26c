"""Registers that bring the engine up, restart it, and count descriptors in and out.

The values are those that known drivers write (eip93, section 1.8).
"""

from __future__ import annotations

from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.driver.rings import Rings
from tcrypt.engine.preemption import Mmio

__all__ = (
    "INTERRUPT",
    "RESET_NS",
    "clocks",
    "count_in_steps",
    "prepare_engine",
    "prepare_rings",
    "reset_begins",
    "reset_ends",
    "restart",
)

# The only interrupt that the driver waits for in ring mode.
INTERRUPT = reg.INT_RDR_THRESH
RESET_NS = 10_000
_RUNNING = reg.CONFIG_MODE_ARM | reg.CONFIG_EN_CDR_UPDATE
_THRESHOLDS = 0x9400_01E0
_BUFFERS = 0x0080_0080
_DIGESTS = reg.OPTION_1_MD5 | reg.OPTION_1_SHA_1 | reg.OPTION_1_SHA_224 | reg.OPTION_1_SHA_256


def prepare_rings(mmio: Mmio, rings: Rings) -> None:
    """Say where the rings lie and how large they are; before the reset, which keeps that."""
    mmio.write32(reg.PE_CDR_BASE, rings.commands)
    mmio.write32(reg.PE_RDR_BASE, rings.results)
    stride = reg.DESCRIPTOR_BYTES // 4 << reg.RING_CONFIG_STRIDE_SHIFT
    mmio.write32(reg.PE_RING_CONFIG, stride | (rings.size - 1))


def reset_begins(mmio: Mmio) -> None:
    """Hold engine and ring pointers in reset, in autonomous ring mode; for RESET_NS."""
    mmio.write32(reg.PE_CONFIG, _RUNNING | reg.CONFIG_RST_PE | reg.CONFIG_RST_RING)


def reset_ends(mmio: Mmio) -> None:
    """Let them go."""
    mmio.write32(reg.PE_CONFIG, _RUNNING)


def restart(mmio: Mmio) -> None:
    """Restart the engine after an error that stops it; rings and counts survive."""
    mmio.write32(reg.PE_CONFIG, _RUNNING | reg.CONFIG_RST_PE)
    mmio.write32(reg.PE_CONFIG, _RUNNING)


def prepare_engine(mmio: Mmio) -> int:
    """Clocks, thresholds and interrupts, after the reset; the capability word."""
    option = mmio.read32(reg.PE_OPTION_1)
    mmio.write32(reg.PE_CLOCK_CTRL, clocks(option))
    mmio.write32(reg.PE_BUF_THRESH, _BUFFERS)
    mmio.write32(reg.PE_RING_THRESH, _THRESHOLDS)
    mmio.write32(reg.INT_MASK_DISABLE, 0xFFFF_FFFF)
    mmio.write32(reg.INT_CLR, 0xFFFF_FFFF)
    mmio.write32(reg.INT_MASK_ENABLE, INTERRUPT)
    return option


def clocks(option: int) -> int:
    """PE_CLOCK_CTRL for a device: its engine and the cores that the driver uses of it."""
    cores = (
        (reg.OPTION_1_TDES, reg.CLOCK_CTRL_DES),
        (reg.OPTION_1_AES, reg.CLOCK_CTRL_AES),
        (_DIGESTS, reg.CLOCK_CTRL_HASH),
    )
    return sum((clock for bits, clock in cores if option & bits), reg.CLOCK_CTRL_PE)


def count_in_steps(mmio: Mmio, offset: int, count: int) -> None:
    """Write a count to PE_CD_COUNT or PE_RD_COUNT, which take at most 255 at a time."""
    while count > 0:
        step = min(count, reg.COUNT_STEP)
        mmio.write32(offset, step)
        count -= step
