"""The packet core with all that goes beyond basic operations: ESP and random numbers.

ESP (RFC 4303), outbound: header from the SA record, IV, ciphertext with its trailer, ICV.  Inbound
the same backwards, with a window of 64 sequence numbers against replay.  The engine has no
extended sequence numbers: it never hashes the high word of one.

Source: Analog Devices PKTE chapter, "Sequence Number Processing", "IV Processing", "Crypto
Padding" and the table of result codes.  ICVs of protocol operations are in network order, as the
out-of-tree Linux driver shows (eip93, section 1.6).
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.errors import DriverFault, NotModelled
from tcrypt.engine.eip93.operations import Outcome, PacketCore
from tcrypt.engine.eip93.padding import Verdict, verify_pad
from tcrypt.engine.eip93.plan import CipherPlan, Kind, Plan
from tcrypt.engine.eip93.prng import BLOCK_BYTES
from tcrypt.engine.eip93.records import IVSource

__all__ = ("ProtocolCore", "ReplayWindow")

_SA_ESP: Final = struct.Struct("<IQQ")  # SPI, sequence number, mask
_HEADER: Final = struct.Struct(">II")
_SEQUENCE: Final = struct.Struct("<Q")
_WINDOW: Final = struct.Struct("<QQ")
_WORD: Final = 0xFFFF_FFFF
_MASK_BITS: Final = 64
_ALL_SEEN: Final = (1 << _MASK_BITS) - 1
_COUNTER_IV: Final = 8
_LONGEST_RANDOM: Final = 4080
_NO_PAD: Final = Verdict(0, 0)


class ReplayWindow(NamedTuple):
    """The newest sequence number that arrived, and which of the 64 up to it did (bit 0 first)."""

    newest: int
    mask: int

    def seen(self, number: int) -> bool:
        """Whether a number is too old, or arrived before."""
        age = self.newest - number
        return age >= 0 and (age >= _MASK_BITS or bool(self.mask >> age & 1))

    def after(self, number: int) -> ReplayWindow:
        """The window when a number that was not seen has arrived."""
        ahead = number - self.newest
        if ahead <= 0:
            return ReplayWindow(self.newest, self.mask | 1 << -ahead)
        return ReplayWindow(number, (self.mask << min(ahead, _MASK_BITS) | 1) & _ALL_SEEN)


class ProtocolCore(PacketCore):
    """The packet engine of one device, with every operation that is modelled."""

    def _special(self, plan: Plan, words: tuple[int, ...], sa: bytes) -> Outcome:
        if plan.kind is Kind.RANDOM:
            return self._random(words, sa)
        return self._esp(plan, words, sa)

    def _random(self, words: tuple[int, ...], sa: bytes) -> Outcome:
        """PRNG init, generate and test."""
        mode = words[0] & reg.CONTROL_PRNG_MODE
        if mode == reg.CONTROL_PRNG_INIT:
            key, seed, time = (
                sa[at : at + BLOCK_BYTES]
                for at in (reg.SA_KEY, reg.SA_INNER_DIGEST, reg.SA_OUTER_DIGEST)
            )
            self.random.initialise(key, seed, time)
            return Outcome(0, 0, 0)
        length = words[7] & reg.LENGTH_BYTES
        if length % BLOCK_BYTES or length > _LONGEST_RANDOM:
            rule = "random numbers come in blocks of 16 bytes, up to 4080 bytes"
            raise DriverFault("descriptor word 7", words[7], rule)
        times: list[bytes | None] = [None] * (length // BLOCK_BYTES)
        if mode == reg.CONTROL_PRNG_TEST:
            data = self._bus.read(words[1], length)
            times = [data[at : at + BLOCK_BYTES] for at in range(0, length, BLOCK_BYTES)]
        self.jobs += 1
        output = b"".join(self.random.block(time) for time in times)
        self._bus.write(words[2], output)
        return Outcome(0, 0, length)

    def _esp(self, plan: Plan, words: tuple[int, ...], sa: bytes) -> Outcome:
        """ESP, either way."""
        data = self._bus.read(words[1], words[7] & reg.LENGTH_BYTES)
        assert plan.cipher is not None, "ESP has a cipher, if only the null cipher"
        self.jobs += 1
        spi, sequence, mask = _SA_ESP.unpack_from(sa, reg.SA_SPI)
        if sequence >> 32:
            raise NotModelled("SA word 28", sequence >> 32, "extended sequence numbers (ESN)")
        if plan.command.inbound:
            window = ReplayWindow(sequence, mask)
            return self._esp_inbound(plan, plan.cipher, words, sa, data, spi, window)
        return self._esp_outbound(
            plan, plan.cipher, words, sa, data, _HEADER.pack(spi, sequence + 1 & _WORD)
        )

    def _esp_outbound(
        self,
        plan: Plan,
        cipher: CipherPlan,
        words: tuple[int, ...],
        sa: bytes,
        data: bytes,
        header: bytes,
    ) -> Outcome:
        bypass = words[7] >> reg.LENGTH_BYPASS_SHIFT << 2
        payload = data[bypass:]
        if not plan.command.header_processing:
            header, payload = payload[: _HEADER.size], payload[_HEADER.size :]
            if len(header) < _HEADER.size:
                return Outcome(reg.ERR_LENGTH, 0, 0)
        size = _COUNTER_IV if cipher.counter else cipher.iv_bytes
        given = b""
        if cipher.iv_source is IVSource.INPUT:
            given, payload = payload[:size], payload[size:]
        iv = self._first_iv(cipher, words, sa, given) if size else b""
        explicit = iv[4:12] if cipher.counter else iv
        pad = self._pad(cipher, words, len(payload))
        text, iv = self._encipher(cipher, sa, iv, payload + pad)
        covered = header + explicit + text
        output = data[:bypass] + covered + self._icv(plan, sa, covered)
        self._bus.write(words[2], output)
        status = self._save_sequence(plan, words, header)
        if cipher.save_iv:
            self._save_iv(cipher, words, iv)
        return Outcome(status, len(pad), len(output))

    def _save_sequence(self, plan: Plan, words: tuple[int, ...], header: bytes) -> int:
        """Write the number of an outbound packet back; the status when it went past the last."""
        if not plan.command.header_processing:
            return 0
        number = _HEADER.unpack(header)[1]
        self._save(words[3] + reg.SA_SEQUENCE, _SEQUENCE.pack(number))
        return reg.ERR_SEQNUM if plan.command.sequence_check and not number else 0

    def _esp_inbound(
        self,
        plan: Plan,
        cipher: CipherPlan,
        words: tuple[int, ...],
        sa: bytes,
        data: bytes,
        spi: int,
        window: ReplayWindow,
    ) -> Outcome:
        command = plan.command
        bypass = words[7] >> reg.LENGTH_BYPASS_SHIFT << 2
        size = _COUNTER_IV if cipher.counter else cipher.iv_bytes
        tag_bytes = plan.hash.tag_bytes if plan.hash is not None else 0
        start = bypass + _HEADER.size + size
        end = len(data) - tag_bytes
        if end < start or (len(data) - bypass) % 4:
            return Outcome(reg.ERR_LENGTH, 0, 0)
        received_spi, number = _HEADER.unpack_from(data, bypass)
        status = 0
        payload = data[start:end]
        if command.header_processing and received_spi != spi:
            status = reg.ERR_SPI
        elif len(payload) % cipher.block:
            status = reg.ERR_BLOCK_SIZE
        payload = payload[: len(payload) - len(payload) % cipher.block]
        if self._icv(plan, sa, data[bypass:end]) != data[end:]:
            status |= reg.ERR_AUTH
        iv = self._first_iv(cipher, words, sa, data[start - size : start]) if size else b""
        text, iv = self._encipher(cipher, sa, iv, payload)
        pad = verify_pad(cipher.pad_type, text) if cipher.verifies else _NO_PAD
        output = data[: start if command.copy_header else bypass] + text
        if output:
            self._bus.write(words[2], output)
        status |= pad.status | self._check_sequence(plan, words, window, number, status)
        if cipher.save_iv:
            self._save_iv(cipher, words, iv)
        length = len(output) - (0 if command.copy_pad else pad.found)
        return Outcome(status, pad.found, length, pad.next_header)

    def _check_sequence(
        self, plan: Plan, words: tuple[int, ...], window: ReplayWindow, number: int, status: int
    ) -> int:
        """Look for a replay, and move the window on unless the packet is a forgery."""
        if not plan.command.header_processing:
            return 0
        if plan.command.sequence_check:
            if window.seen(number):
                return reg.ERR_SEQNUM
            window = window.after(number)
        else:
            window = ReplayWindow(number, window.mask)
        if not status & (reg.ERR_AUTH | reg.ERR_EXTENDED):
            self._save(words[3] + reg.SA_SEQUENCE, _WINDOW.pack(*window))
        return 0

    def _encipher(
        self, cipher: CipherPlan, sa: bytes, iv: bytes, data: bytes
    ) -> tuple[bytes, bytes]:
        if cipher.arc4 or cipher.last_key:
            raise NotModelled("SA_CMD0", cipher.arc4, "ESP with ARC4 or a last round key")
        text, iv = cipher.run(sa[reg.SA_KEY : reg.SA_KEY + cipher.key_bytes], iv, data)
        self._iv = iv + self._iv[len(iv) :]
        return text, iv

    def _icv(self, plan: Plan, sa: bytes, covered: bytes) -> bytes:
        """The integrity check value, in network order."""
        if plan.hash is None:
            return b""
        # Words 0, 4 and 7 of a descriptor do not matter to an HMAC that starts from the SA.
        hashed = self._hash(plan.hash, (0,) * 8, sa, covered)
        return hashed.digest[: plan.hash.tag_bytes]
