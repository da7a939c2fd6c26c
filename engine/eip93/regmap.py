"""Every register of the window, with the behaviour of all its 32 bits.

A bit is modelled, known but not modelled, or reserved (whatever the other two leave).  Reserved
bits read 0 and ignore what is written; a known bit that is not modelled raises `NotModelled` when
it is set.

Source: Analog Devices PKTE chapter, register descriptions; the out-of-tree Linux driver for the
random number generator.  Resets that neither lists are assumed to be 0.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from tcrypt.engine.eip93 import registers as reg

__all__ = ("Access", "Register", "registers_of")

_ALL: Final = 0xFFFF_FFFF


class Access(enum.Enum):
    """What reading and writing a register does.

    The hardware has no defined answer to a write where this says "read only", nor to a read where
    it says "write only": the model raises `DriverFault`.
    """

    RO = "read only"
    RW = "reads back what was written"
    WO = "write only"
    RO_ADD = "reads a count, a write adds to it"
    RO_SUBTRACT = "reads a count, a write subtracts from it"
    RO_CLEAR = "reads status, any write clears it"
    RO_W1C = "reads enabled latches, writing 1 clears latches"
    RO_CONTROL = "reads status with the control bits, a write sets the control bits"
    W1S = "write only, writing 1 sets bits of another register"
    W1C = "write only, writing 1 clears bits of another register"
    TRIGGER = "write only, any value"
    DESCRIPTOR = "the descriptor in work; written in direct host and target command mode"
    DATA = "reads the output buffer, writes the input buffer"
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


def _words(
    name: str, first: int, count: int, access: Access, modelled: int = _ALL
) -> tuple[Register, ...]:
    """`count` registers of one kind, from offset `first` on."""
    unmodelled = _ALL & ~modelled
    return tuple(
        Register(f"{name}{index}", first + 4 * index, access, modelled, unmodelled)
        for index in range(count)
    )


_COUNT: Final = reg.COUNT_VALUE
_BUFFER_COUNT: Final = 0x1FF
_SA: Final = reg.SA_WINDOW

_FIXED: Final = (
    Register("PE_CTRL_STAT", reg.PE_CTRL_STAT, Access.DESCRIPTOR, _ALL, 0, reg.CONTROL_PE_READY),
    Register("PE_SOURCE_ADDR", reg.PE_SOURCE_ADDR, Access.DESCRIPTOR, _ALL),
    Register("PE_DEST_ADDR", reg.PE_DEST_ADDR, Access.DESCRIPTOR, _ALL),
    Register("PE_SA_ADDR", reg.PE_SA_ADDR, Access.DESCRIPTOR, _ALL),
    Register("PE_ADDR", reg.PE_ADDR, Access.DESCRIPTOR, _ALL),
    Register("PE_ARC4STATE_ADDR", reg.PE_ARC4STATE_ADDR, Access.DESCRIPTOR, _ALL),
    Register("PE_USER_ID", reg.PE_USER_ID, Access.DESCRIPTOR, _ALL),
    Register("PE_LENGTH", reg.PE_LENGTH, Access.DESCRIPTOR, _ALL),
    Register("PE_CDR_BASE", reg.PE_CDR_BASE, Access.RW, _ALL),
    Register("PE_RDR_BASE", reg.PE_RDR_BASE, Access.RW, _ALL),
    Register("PE_RING_CONFIG", reg.PE_RING_CONFIG, Access.RW, 0x00FF_03FF, 1 << 31),
    Register("PE_RING_THRESH", reg.PE_RING_THRESH, Access.RW, 0xBFFF_03FF),
    Register("PE_CD_COUNT", reg.PE_CD_COUNT, Access.RO_ADD, _COUNT),
    Register("PE_RD_COUNT", reg.PE_RD_COUNT, Access.RO_SUBTRACT, _COUNT),
    Register("PE_RING_RW_PNTR", reg.PE_RING_RW_PNTR, Access.RO, 0x03FF_03FF),
    Register("RING_STAT", reg.PE_RING_STAT, Access.RO_CLEAR, 3),
    Register("PE_CONFIG", reg.PE_CONFIG, Access.RW, 0x0017_0703),
    Register("PE_STATUS", reg.PE_STATUS, Access.RO, _ALL, 0, reg.STATUS_IDLE),
    Register("PE_BUF_THRESH", reg.PE_BUF_THRESH, Access.RW, 0x00FC_00FC),
    Register("PE_INBUF_COUNT", reg.PE_INBUF_COUNT, Access.RO_ADD, _BUFFER_COUNT),
    Register("PE_OUTBUF_COUNT", reg.PE_OUTBUF_COUNT, Access.RO_SUBTRACT, _BUFFER_COUNT),
    Register("PE_BUF_RW_PNTR", reg.PE_BUF_RW_PNTR, Access.RO, 0x00FC_00FC),
    # How the bus is used, which no driver can see; it is stored.  Big-endian masters are not.
    Register("DMA_CFG", reg.PE_DMA_CFG, Access.RW, 0x0018_000F, reg.DMA_CFG_BIG_ENDIAN),
    Register("HALT", reg.PE_HALT, Access.RO_CONTROL, 0x07FF_003F),
    Register("CONTINUE", reg.PE_CONTINUE, Access.TRIGGER, _ALL),
    Register("PE_CLOCK_CTRL", reg.PE_CLOCK_CTRL, Access.RW, 0x1F, 0, reg.CLOCK_CTRL_ALL),
    Register("PE_OPTION_1", reg.PE_OPTION_1, Access.RO, _ALL),
    Register("PE_OPTION_0", reg.PE_OPTION_0, Access.RO, _ALL),
    Register("PE_REVISION", reg.PE_REVISION, Access.RO, _ALL),
    Register("INT_UNMASK_STAT", reg.INT_UNMASK_STAT, Access.RO, reg.INT_SOURCES, 0, 1),
    Register("INT_MASK_STAT/INT_CLR", reg.INT_MASK_STAT, Access.RO_W1C, reg.INT_SOURCES),
    Register("INT_MASK", reg.INT_MASK, Access.RW, reg.INT_SOURCES),
    Register("INT_CFG", reg.INT_CFG, Access.RW, 3),
    Register("INT_MASK_ENABLE", reg.INT_MASK_ENABLE, Access.W1S, reg.INT_SOURCES),
    Register("INT_MASK_DISABLE", reg.INT_MASK_DISABLE, Access.W1C, reg.INT_SOURCES),
    Register("PRNG_STAT", reg.PRNG_STAT, Access.NOT_MODELLED, 0, _ALL),
    Register("PRNG_CTRL", reg.PRNG_CTRL, Access.NOT_MODELLED, 0, _ALL),
    *_words("PRNG_SEED", reg.PRNG_SEED, 4, Access.NOT_MODELLED, 0),
    *_words("PRNG_KEY", reg.PRNG_KEY, 4, Access.NOT_MODELLED, 0),
    *_words("PRNG_RESULT", reg.PRNG_RESULT, 4, Access.NOT_MODELLED, 0),
    *_words("PRNG_LFSR", reg.PRNG_LFSR, 2, Access.NOT_MODELLED, 0),
    *_words("SA_CMD", _SA, 2, Access.WO),
    *_words("SA_KEY", _SA + reg.SA_KEY, 8, Access.WO),
    *_words("SA_INNER_DIGEST", _SA + reg.SA_INNER_DIGEST, 8, Access.RW),
    *_words("SA_OUTER_DIGEST", _SA + reg.SA_OUTER_DIGEST, 8, Access.WO),
    *_words("SA_SPI", _SA + reg.SA_SPI, 1, Access.WO),
    *_words("SA_SEQUENCE", _SA + reg.SA_SEQUENCE, 2, Access.RW),
    *_words("SA_SEQUENCE_MASK", _SA + reg.SA_SEQUENCE_MASK, 2, Access.RW),
    Register("SA_NONCE/SA_READY", reg.SA_READY, Access.RW, _ALL),
    *_words("STATE_IV", reg.STATE_WINDOW + reg.STATE_IV, 4, Access.RW),
    *_words("STATE_BYTE_COUNT", reg.STATE_WINDOW + reg.STATE_BYTE_COUNT, 2, Access.RW),
    *_words("STATE_DIGEST", reg.STATE_WINDOW + reg.STATE_DIGEST, 8, Access.RW),
    *_words("ARC4_STATE", reg.ARC4_WINDOW, reg.ARC4_BYTES // 4, Access.RW),
    *_words("DATA", reg.DATA_WINDOW, reg.DATA_BYTES // 4, Access.DATA),
)


@lru_cache
def registers_of(endian_offset: int) -> Mapping[int, Register]:
    """All registers of a device whose PE_ENDIAN_CONFIG lies at `endian_offset`, by offset."""
    endian = Register("PE_ENDIAN_CONFIG", endian_offset, Access.RW, 0x00FF_00FF)
    everything = sorted((*_FIXED, endian), key=lambda register: register.offset)
    return MappingProxyType({register.offset: register for register in everything})
