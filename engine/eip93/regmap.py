"""Every register of the window, with the behaviour of all its 32 bits.

A bit is modelled, known but not modelled, or reserved (whatever the other two leave).  Reserved
bits read 0 and ignore what is written; a known bit that is not modelled raises `NotModelled` when
it is set.

Source: Analog Devices PKTE chapter, register descriptions; resets that it does not list are
assumed to be 0.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

from tcrypt.engine.eip93 import registers as reg

__all__ = ("WINDOWS", "Access", "Register", "registers_of")

_ALL: Final = 0xFFFF_FFFF


class Access(enum.Enum):
    """What reading and writing a register does.

    The hardware has no defined answer to a write where this says "read only", nor to a read where
    it says "write only": the model raises `DriverFault`.
    """

    RO = "read only"
    RW = "reads back what was written"
    RO_ADD = "reads a count, a write adds to it"
    RO_SUBTRACT = "reads a count, a write subtracts from it"
    RO_CLEAR = "reads status, any write clears it"
    RO_W1C = "reads enabled latches, writing 1 clears latches"
    W1S = "write only, writing 1 sets bits of another register"
    W1C = "write only, writing 1 clears bits of another register"
    RO_DHM = "read only here, written in direct host mode, which is not modelled"
    NOT_MODELLED = "known, not modelled"


@dataclass(frozen=True, slots=True)
class Register:
    """One register.

    Attributes:
        name: Its name in the Linux driver, or in the manual where Linux has none.
        offset: Byte offset in the window.
        access: What reads and writes do.
        modelled: Bits with a meaning in the model, of the value read or of the value written.
        unmodelled: Bits that the hardware has and the model refuses.
        reset: Value after power-on.
    """

    name: str
    offset: int
    access: Access
    modelled: int = 0
    unmodelled: int = 0
    reset: int = 0

    @property
    def reserved(self) -> int:
        """The other bits."""
        return _ALL & ~(self.modelled | self.unmodelled)


WINDOWS: Final = (
    (*reg.PRNG_WINDOW, "the random number generator"),
    (*reg.SA_WINDOW, "the SA record window of direct host mode"),
    (*reg.STATE_WINDOW, "the state record window of direct host mode"),
    (*reg.ARC4_WINDOW, "the ARC4 state window"),
    (*reg.DATA_WINDOW, "the data window of direct host mode"),
)

_COUNT: Final = reg.COUNT_VALUE
_SWAPS: Final = 0x0017_0000
_DHM_COUNT: Final = 0x1FF

_FIXED: Final = (
    Register("PE_CTRL_STAT", reg.PE_CTRL_STAT, Access.RO_DHM, _ALL, 0, reg.CONTROL_PE_READY),
    Register("PE_SOURCE_ADDR", reg.PE_SOURCE_ADDR, Access.RO_DHM, _ALL),
    Register("PE_DEST_ADDR", reg.PE_DEST_ADDR, Access.RO_DHM, _ALL),
    Register("PE_SA_ADDR", reg.PE_SA_ADDR, Access.RO_DHM, _ALL),
    Register("PE_ADDR", reg.PE_ADDR, Access.RO_DHM, _ALL),
    Register("PE_ARC4STATE_ADDR", reg.PE_ARC4STATE_ADDR, Access.RO_DHM, _ALL),
    Register("PE_USER_ID", reg.PE_USER_ID, Access.RO_DHM, _ALL),
    Register("PE_LENGTH", reg.PE_LENGTH, Access.RO_DHM, _ALL),
    Register("PE_CDR_BASE", reg.PE_CDR_BASE, Access.RW, _ALL),
    Register("PE_RDR_BASE", reg.PE_RDR_BASE, Access.RW, _ALL),
    Register("PE_RING_CONFIG", reg.PE_RING_CONFIG, Access.RW, 0x00FF_03FF, 1 << 31),
    Register("PE_RING_THRESH", reg.PE_RING_THRESH, Access.RW, 0xBFFF_03FF),
    Register("PE_CD_COUNT", reg.PE_CD_COUNT, Access.RO_ADD, _COUNT),
    Register("PE_RD_COUNT", reg.PE_RD_COUNT, Access.RO_SUBTRACT, _COUNT),
    Register("PE_RING_RW_PNTR", reg.PE_RING_RW_PNTR, Access.RO, 0x03FF_03FF),
    Register("RING_STAT", reg.PE_RING_STAT, Access.RO_CLEAR, 3),
    Register("PE_CONFIG", reg.PE_CONFIG, Access.RW, 0x703, _SWAPS),
    Register("PE_STATUS", reg.PE_STATUS, Access.RO, _ALL, 0, reg.STATUS_IDLE),
    Register("PE_BUF_THRESH", reg.PE_BUF_THRESH, Access.RW, 0x00FC_00FC),
    Register("PE_INBUF_COUNT", reg.PE_INBUF_COUNT, Access.NOT_MODELLED, 0, _DHM_COUNT),
    Register("PE_OUTBUF_COUNT", reg.PE_OUTBUF_COUNT, Access.NOT_MODELLED, 0, _DHM_COUNT),
    Register("PE_BUF_RW_PNTR", reg.PE_BUF_RW_PNTR, Access.NOT_MODELLED, 0, 0x00FF_00FF),
    Register("DMA_CFG", reg.PE_DMA_CFG, Access.NOT_MODELLED, 0, 0x0019_000F),
    Register("HALT", reg.PE_HALT, Access.NOT_MODELLED, 0, 0x07FF_003F),
    Register("CONTINUE", reg.PE_CONTINUE, Access.NOT_MODELLED, 0, _ALL),
    Register("PE_CLOCK_CTRL", reg.PE_CLOCK_CTRL, Access.RW, 0x1F, 0, reg.CLOCK_CTRL_ALL),
    Register("PE_OPTION_1", reg.PE_OPTION_1, Access.RO, _ALL),
    Register("PE_OPTION_0", reg.PE_OPTION_0, Access.RO, _ALL),
    Register("PE_REVISION", reg.PE_REVISION, Access.RO, _ALL),
    Register("INT_UNMASK_STAT", reg.INT_UNMASK_STAT, Access.RO, reg.INT_SOURCES, 0, 1),
    Register("INT_MASK_STAT/INT_CLR", reg.INT_MASK_STAT, Access.RO_W1C, reg.INT_SOURCES),
    Register("INT_MASK", reg.INT_MASK, Access.RW, reg.INT_SOURCES),
    Register("INT_CFG", reg.INT_CFG, Access.RW, 0, 3),
    Register("INT_MASK_ENABLE", reg.INT_MASK_ENABLE, Access.W1S, reg.INT_SOURCES),
    Register("INT_MASK_DISABLE", reg.INT_MASK_DISABLE, Access.W1C, reg.INT_SOURCES),
)


def registers_of(endian_offset: int) -> tuple[Register, ...]:
    """All registers of a device whose PE_ENDIAN_CONFIG lies at `endian_offset`, by offset.

    The swap that it selects is only stored: it works where PE_CONFIG enables it, which is refused.
    """
    endian = Register("PE_ENDIAN_CONFIG", endian_offset, Access.RW, 0x00FF_00FF)
    return tuple(sorted((*_FIXED, endian), key=lambda register: register.offset))
