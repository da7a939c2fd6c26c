"""Rules that the two command words of an SA record have to keep, whatever the device.

Source: Analog Devices PKTE chapter, "Configuring Operations in the PKTE" and the tables of
algorithms, IV formats and pad alignments.
"""

from __future__ import annotations

from typing import Final

from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.errors import DriverFault, NotModelled
from tcrypt.engine.eip93.plan import CipherPlan
from tcrypt.engine.eip93.records import (
    Cipher,
    CipherMode,
    IVSource,
    Opcode,
    PadType,
    SACommand,
)

__all__ = (
    "arc4_is_stateful",
    "check_mode",
    "crypt_offset",
    "iv_source_of",
    "pad_type_of",
    "refuse_protocol_bits",
)

_EXPLICIT_COUNTER_IV: Final = 8


def refuse_protocol_bits(words: tuple[int, int]) -> None:
    """NotModelled for a bit that only makes sense in a protocol operation."""
    for index, bit, feature in (
        (0, reg.CMD0_HDR_PROC, "header processing (HDR_PROC) of a basic operation"),
        (1, reg.CMD1_SSL_MAC, "the SSL MAC (SSL_MAC)"),
        (1, reg.CMD1_SEQNUM_CHECK, "sequence number checks (SEQNUM_CHK) of a basic operation"),
    ):
        if words[index] & bit:
            raise NotModelled(f"SA_CMD{index}", words[index], feature)


def crypt_offset(command: SACommand, words: tuple[int, int], cipher: CipherPlan | None) -> int:
    """HASH_CRYPT_OFFSET in bytes; protocol operations have their own."""
    if command.group:
        return 0
    offset = command.offset if command.byte_offset else command.offset * 4
    from_input = cipher is not None and cipher.iv_bytes and cipher.iv_source is IVSource.INPUT
    if offset and command.opcode != Opcode.CRYPT_AND_HASH and not from_input:
        raise NotModelled("SA_CMD1", words[1], "HASH_CRYPT_OFFSET without a header to skip")
    if cipher is not None and from_input:
        needed = _EXPLICIT_COUNTER_IV if cipher.counter else cipher.iv_bytes
        if offset < needed:
            rule = f"HASH_CRYPT_OFFSET spans at least the IV, {needed} bytes"
            raise DriverFault("SA_CMD1", words[1], rule)
    return offset


def pad_type_of(command: SACommand, word0: int) -> PadType:
    """PAD_TYPE with EXT_PAD; DriverFault for a reserved value."""
    try:
        return PadType(command.pad_type)
    except ValueError:
        rule = f"PAD_TYPE {command.pad_type & 3} with EXT_PAD is reserved"
        raise DriverFault("SA_CMD0", word0, rule) from None


def check_mode(cipher: Cipher, mode: CipherMode, words: tuple[int, int], esp: bool) -> None:
    """DriverFault for a mode that a cipher or ESP does not have."""
    if cipher is not Cipher.AES and mode is not CipherMode.CBC:
        raise DriverFault("SA_CMD1", words[1], f"{mode.name} mode is for AES only")
    if esp and mode is CipherMode.ICM:
        raise DriverFault("SA_CMD1", words[1], "ESP has no ICM mode")


def iv_source_of(
    command: SACommand, mode: CipherMode, word0: int, has_iv: bool, esp: bool
) -> IVSource:
    """Where the IV comes from; DriverFault where the PRNG cannot give it."""
    source = IVSource(command.iv_source)
    if esp and command.inbound:
        return IVSource.INPUT
    if has_iv and source is IVSource.PRNG:
        if command.inbound:
            raise DriverFault("SA_CMD0", word0, "an IV from the PRNG is for outbound packets")
        if mode is CipherMode.ICM:
            raise DriverFault("SA_CMD0", word0, "ICM mode takes no IV from the PRNG")
    return source


def arc4_is_stateful(command: SACommand, word1: int) -> int:
    """1 for stateful ARC4, 0 for stateless; DriverFault for another mode."""
    if command.mode > 1:
        raise DriverFault("SA_CMD1", word1, "ARC4 is stateless (0) or stateful (1)")
    return command.mode
