"""One packet in direct host mode: its way through the device's windows and buffers.

The engine cannot compare a tag behind the payload in this mode, for the payload's length leaves
it out and it has no way in.  So it is made to put out the tag that it computed, and the driver
compares (Analog Devices PKTE chapter, "PKTE Programming Model"; eip93, section 9.1).
"""

from __future__ import annotations

import hmac
from dataclasses import replace
from typing import Final

from tcrypt.engine.api.memory import Memory
from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.descriptors import Descriptor, result_length, result_status
from tcrypt.engine.eip93.records import Digest, Opcode, SACommand, swap_words
from tcrypt.engine.preemption import Mmio

__all__ = ("Packet",)

_WORD: Final = 4
_COUNT: Final = 0x3FF
_POINTER: Final = 0xFF
# What DIGEST_LENGTH 0 stands for (eip93, section 3.2).
_DEFAULT_TAG_WORDS: Final = 3


class Packet:
    """A packet in work, from its descriptor to its result.

    Args:
        mmio: the device's registers.
        memory: where records and data lie.
        command: the descriptor, as it would stand in a ring.
    """

    def __init__(self, mmio: Mmio, memory: Memory, command: Descriptor) -> None:
        self._mmio = mmio
        self._memory = memory
        self._command = command
        self._length = command.length & reg.LENGTH_BYTES
        self._given = self._in_at = self._out_at = 0
        self._output = bytearray()
        record = memory.read(command.sa, reg.SA_BYTES)
        words = int.from_bytes(record[:4], "little"), int.from_bytes(record[4:8], "little")
        self._sa = sa = SACommand.decode(*words)
        self._tag_bytes = 0
        if sa.inbound and sa.opcode == Opcode.CRYPT_AND_HASH:
            self._tag_bytes = (sa.digest_length or _DEFAULT_TAG_WORDS) * _WORD
        told = replace(sa, copy_pad=True, copy_digest=sa.copy_digest or bool(self._tag_bytes))
        self._record = record[:4] + told.word1.to_bytes(4, "little") + record[8:]

    @property
    def wants_input(self) -> bool:
        """Whether the device has not got all of the data."""
        return self._given < self._length

    def begin(self) -> None:
        """Hand over descriptor and records; the last word of the SA record starts the packet.

        Both buffers are empty then: where the engine goes on is where the host does.
        """
        command, write = self._command, self._mmio.write32
        pointers = self._mmio.read32(reg.PE_BUF_RW_PNTR)
        self._in_at, self._out_at = pointers & _POINTER, pointers >> 16 & _POINTER
        write(reg.PE_CTRL_STAT, command.control)
        write(reg.PE_USER_ID, command.user_id)
        write(reg.PE_LENGTH, command.length)
        write(reg.PE_CD_COUNT, 1)
        self._put(reg.STATE_WINDOW, self._memory.read(command.state, reg.STATE_BYTES))
        self._put(reg.SA_WINDOW, self._record)

    def give_input(self, status: int) -> None:
        """Fill the input buffer as far as PE_STATUS has room."""
        room = (status >> reg.STATUS_INPUT_FREE_SHIFT & _COUNT) * _WORD
        size = min(room, self._length - self._given)
        data = self._memory.read(self._command.source + self._given, size)
        self._given += size
        data += bytes(-size % _WORD)
        for place in range(0, len(data), _WORD):
            word = int.from_bytes(data[place : place + _WORD], "little")
            self._mmio.write32(reg.DATA_WINDOW + self._in_at, word)
            self._in_at = (self._in_at + _WORD) % reg.DATA_BYTES
        self._mmio.write32(reg.PE_INBUF_COUNT, len(data))

    def take_output(self, status: int) -> None:
        """Take from the output buffer what PE_STATUS says is there."""
        words = status >> reg.STATUS_OUTPUT_FULL_SHIFT & _COUNT
        for _ in range(words):
            word = self._mmio.read32(reg.DATA_WINDOW + self._out_at)
            self._output += word.to_bytes(_WORD, "little")
            self._out_at = (self._out_at + _WORD) % reg.DATA_BYTES
        self._mmio.write32(reg.PE_OUTBUF_COUNT, words * _WORD)

    def finish(self) -> Descriptor:
        """Take the result, and store output and state where the descriptor says."""
        read = self._mmio.read32
        control, length = read(reg.PE_CTRL_STAT), read(reg.PE_LENGTH)
        state = self._get(reg.STATE_WINDOW, reg.STATE_BYTES)
        self._mmio.write32(reg.PE_RD_COUNT, 1)
        command = self._command
        if not result_status(control) & reg.ERR_EXTENDED:
            control |= self._verify(result_length(length))
            size = result_length(length) - self._tag_bytes
            self._memory.write(command.destination, self._output[:size])
            if self._sa.save_iv or self._sa.save_hash:
                self._memory.write(command.state, state)
        return command._replace(control=control, length=length)

    def _verify(self, length: int) -> int:
        """AUTH_ERR, as a result has it, when the tag behind the source is another one."""
        if not self._tag_bytes:
            return 0
        words = bytes(self._output[length - self._tag_bytes : length])
        computed = words if self._sa.digest == Digest.MD5 else swap_words(words)
        received = self._memory.read(self._command.source + self._length, self._tag_bytes)
        same = hmac.compare_digest(computed, received)
        return 0 if same else reg.ERR_AUTH << reg.CONTROL_STATUS_SHIFT

    def _put(self, first: int, data: bytes) -> None:
        for place in range(0, len(data), _WORD):
            word = int.from_bytes(data[place : place + _WORD], "little")
            self._mmio.write32(first + place, word)

    def _get(self, first: int, length: int) -> bytes:
        words = [self._mmio.read32(first + place) for place in range(0, length, _WORD)]
        return b"".join(word.to_bytes(_WORD, "little") for word in words)
