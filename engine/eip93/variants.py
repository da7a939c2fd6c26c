"""Devices as data: what differs from one chip with an EIP-93 to the next, and what is uncertain.

Where the public sources contradict each other or are silent, the model follows a switch of the
variant.  Each switch says what its default rests on, so that a suite can run a driver under both
readings.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.timing import Timing
from tcrypt.engine.eip93.unsteady import Unsteadiness

__all__ = (
    "AES128_ONLY",
    "AN7583",
    "FLAKY",
    "MT7621",
    "NO_MD5",
    "SLOW_IRQ",
    "TINY_RING",
    "VARIANTS",
    "CDRUpdate",
    "MissingAESKey",
    "Timing",
    "Variant",
)


class MissingAESKey(enum.Enum):
    """What happens to an AES key length whose bit in PE_OPTION_1 is clear."""

    FIRST_16_BYTES = "first 16 bytes"  # works as AES-128 with the start of the key, no error
    ERROR = "error"  # extended error 3, reserved cipher


class CDRUpdate(enum.Enum):
    """What EN_CDR_UPDATE writes into the processed command descriptor; the manual says both."""

    CLEAR_OWNERSHIP = "clear ownership"
    WRITE_RESULT = "write result"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One device.

    Attributes:
        name: What reports call it.
        option_1: PE_OPTION_1, the capability bits.
        option_0: PE_OPTION_0, undocumented; the default was seen on an EcoNet EN75xx.
        revision: PE_REVISION; the default is the EN75xx's 3.0 patch 1.
        endian_offset: Where PE_ENDIAN_CONFIG lies.
        ring_size: Entries that a driver should give its rings.  The hardware takes 2..1024.
        clock_hz: Engine clock, which times packets and the result timeout.  Not published; the
            manual's examples use 100 MHz.
        timing: Clocks of the engine's parts.
        checks_basic_icv: Whether an inbound hash-then-decrypt compares the tag behind the payload
            and reports AUTH_ERR.  On: the Linux drivers turn that error into -EBADMSG and look at
            nothing else.  Against: the manual lists AUTH_ERR for protocol operations only.
        missing_aes_key: See `MissingAESKey`.  Unknown; the default is the reading that hurts a
            driver most, wrong output without an error.
        cdr_update: See `CDRUpdate`.  The manual says both; drivers clear the entry themselves.
        null_cipher_pads: Whether the null cipher, outbound with pad control 0, pads to 8 bytes.
            On: so the manual's alignment table, though its text says that null is never padded.
        ctr_tail_counts: Whether the IV saved after a partial CTR block counts that block.  On:
            generic ctr does.  The manual only calls that IV invalid.
        length_error_stops: Whether a bad packet length (0x68) stops the engine until RST_PE.
            Off: the manual's "soft reset" is read as the engine's own, and no known driver resets.
        hash_writes_to_zero: Whether a hash operation with COPY_DIGEST and destination 0 writes to
            bus address 0.  Off: the upstream driver always builds such commands and works.
        zero_stride_words: What stride 0 in PE_RING_CONFIG means.  8: the upstream driver leaves
            it 0 for the same tight rings for which older drivers wrote 8.
        data_alignment: Bytes to which source and destination must be aligned.  1: the manual
            calls them byte addresses.  Drivers only use multiples of 4; 4 makes that a rule.
        target_modes_swapped: Whether mode 1 is target command mode with a result ring and mode 2
            the one without.  Off: so the manual, in text and tables; the Linux header names them
            the other way round, and no driver uses either.
        extended_group: Which operation group the extended protocols are.  2: so the field table
            and the Linux header; one decode table of the manual prints 3.
        icm_counter_bits: How wide the counter of ICM mode is.  16: the packets of SRTP, for which
            the mode is made, are that short (RFC 3711, 4.1.1).
        ten_is_bytes: Whether DIGEST_LENGTH 10 means 10 bytes, as SRTP and TLS use.  On: so the
            manual.  The Linux header calls it 10 words, which no hash here has: off makes it
            a fault.
        input_iv_ends_header: Where an IV from the input lies in the header of a basic operation:
            at its end, before the payload, as ESP has it, or at its start.  The manual only says
            that the header is at least that long.
        torn_result_ns: How much later than the result count all but the first word of a result
            descriptor reaches memory.  0: at once.  Above: the driver has to check both ownership
            pairs, or reads whose the result is before that is there.
        unsteady: Transient faults of the interrupt wire; None for a steady one.  Whoever connects
            the device puts an `UnsteadyWire` between.
    """

    name: str
    option_1: int
    option_0: int = 0x4171_0041
    revision: int = 0x0301_A25D
    endian_offset: int = reg.PE_ENDIAN_CONFIG_MT7621
    ring_size: int = 512
    clock_hz: int = 100_000_000
    timing: Timing = field(default_factory=Timing)
    checks_basic_icv: bool = True
    missing_aes_key: MissingAESKey = MissingAESKey.FIRST_16_BYTES
    cdr_update: CDRUpdate = CDRUpdate.CLEAR_OWNERSHIP
    null_cipher_pads: bool = True
    ctr_tail_counts: bool = True
    length_error_stops: bool = False
    hash_writes_to_zero: bool = False
    zero_stride_words: int = 8
    data_alignment: int = 1
    target_modes_swapped: bool = False
    extended_group: int = 2
    icm_counter_bits: int = 16
    ten_is_bytes: bool = True
    input_iv_ends_header: bool = True
    torn_result_ns: int = 0
    unsteady: Unsteadiness | None = None


MT7621: Final = Variant(
    name="mt7621",
    # Read on an EN75xx; the Linux device tree binding calls the MT7621's an equal implementation.
    option_1=0x000F_E007,
)

AES128_ONLY: Final = Variant(
    name="aes128-only",
    option_1=MT7621.option_1 & ~(reg.OPTION_1_AES_192 | reg.OPTION_1_AES_256),
)

AN7583: Final = Variant(
    name="an7583",
    # A public register dump of the Airoha AN7583: also XCBC and CBC-MAC, which no driver uses.
    option_1=0xF08F_E007,
    revision=0x0341_A25D,
    endian_offset=reg.PE_ENDIAN_CONFIG_AIROHA,
)

NO_MD5: Final = Variant(name="no-md5", option_1=MT7621.option_1 & ~reg.OPTION_1_MD5)

TINY_RING: Final = Variant(name="tiny-ring", option_1=MT7621.option_1, ring_size=4)

# 0.2 ms from a result to the interrupt: longer than most packets take, so results pile up.
SLOW_IRQ: Final = Variant(
    name="slow-irq", option_1=MT7621.option_1, timing=Timing(interrupt=20_000)
)

# Interrupts that are late or spurious, results that arrive in two halves, and a ring that is soon
# full: all of it passes, and a correct driver hides it.  Of the two readings of a bad packet
# length, the one that needs the driver's help.
FLAKY: Final = Variant(
    name="flaky",
    option_1=MT7621.option_1,
    ring_size=8,
    length_error_stops=True,
    torn_result_ns=300,
    unsteady=Unsteadiness(),
)

VARIANTS: Final[Mapping[str, Variant]] = MappingProxyType(
    {
        variant.name: variant
        for variant in (MT7621, AN7583, AES128_ONLY, NO_MD5, TINY_RING, SLOW_IRQ, FLAKY)
    }
)
