"""One packet through the engine: source, cipher, hash, destination, state.

The order of bus accesses is that of the hardware: state and data are read when the packet is
processed, the output is written before the state record, and both before the result.

Source: Analog Devices PKTE chapter, "Packet Engine Data Flow" and the table of result codes;
what Linux drivers rely on where that is silent, as the comments say.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from tcrypt.engine.compression import BLOCK_BYTES
from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.cipher_unit import CipherUnit
from tcrypt.engine.eip93.errors import DriverFault, NotModelled
from tcrypt.engine.eip93.hashing import HashCore
from tcrypt.engine.eip93.lanes import DMABus
from tcrypt.engine.eip93.padding import Verdict, pad_bytes, verify_pad
from tcrypt.engine.eip93.plan import CipherPlan, HashPlan, Kind, Plan
from tcrypt.engine.eip93.records import HashSource, PadType
from tcrypt.engine.eip93.variants import Variant
from tcrypt.engine.sim import BusError

__all__ = ("DMABus", "Outcome", "PacketCore")

_COUNT: Final = struct.Struct("<Q")
_KEYED_BYTES: Final = 64  # byte count that HASH_SOURCE 0 forces: one block of key has gone before
_UNUSUAL: Final = reg.CONTROL_PRNG_MODE | reg.CONTROL_HALT
_NO_PAD: Final = Verdict(0, 0)
_ONLY_FILLS: Final = (PadType.ZERO, PadType.CONSTANT)  # These add nothing to whole blocks.


class Outcome(NamedTuple):
    """What the result descriptor says of a packet: status byte, pad count, length, pad value."""

    status: int
    pad: int
    length: int
    value: int = 0


class _Hashed(NamedTuple):
    """What the hash made of a packet.

    `digest` is as the standards print it, and empty after an intermediate hash; `state` is what
    goes into the state record, in memory order.
    """

    status: int
    digest: bytes
    byte_count: int
    state: bytes


class PacketCore(CipherUnit):
    """The packet engine of one device, between a fetched descriptor and its result.

    Attributes:
        jobs: How many packets with at least one byte of data were processed, ever.
    """

    def __init__(self, bus: DMABus, variant: Variant) -> None:
        super().__init__(bus, variant)
        self.jobs = 0
        self._alignment = variant.data_alignment
        self._hashes = HashCore()

    def run(self, plan: Plan, words: tuple[int, ...], sa: bytes) -> Outcome:
        """Process one packet; `words` is its command descriptor.

        A bus error gives status 0x08.

        Raises:
            NotModelled: the descriptor asks for something that the model lacks.
            DriverFault: it asks for something without a defined answer.
        """
        control, last = words[0], words[7]
        length = last & reg.LENGTH_BYTES
        enough = 0 < length >= (last >> reg.LENGTH_BYPASS_SHIFT << 2) + plan.offset
        usual = enough and not control & _UNUSUAL and self._alignment == 1
        if not (usual and plan.plain):  # Almost every packet is.
            refused = self.refusal(plan, words)
            if refused is not None:
                return refused
        try:
            if not plan.plain:
                return self._special(plan, words, sa)
            data = self._bus.read(words[1], length)
            self.jobs += 1
            if plan.cipher is None:
                return self._hash_only(plan, words, sa, data)
            if plan.command.inbound:
                return self._inbound(plan, plan.cipher, words, sa, data)
            return self._outbound(plan, plan.cipher, words, sa, data)
        except BusError as error:
            self.faults.stray(error)
            return Outcome(reg.ERR_BUS, 0, 0)

    def refusal(self, plan: Plan, words: tuple[int, ...]) -> Outcome | None:
        """The result of a packet that is not even begun; None if it is.

        Priority of errors: operation and zero length come before the algorithms, those before the
        packet length.  Between the first two the manual leaves the order open.
        """
        length = words[7] & reg.LENGTH_BYTES
        if plan.status == reg.ERR_OPERATION:
            return Outcome(reg.ERR_OPERATION, 0, 0)
        mode = words[0] & reg.CONTROL_PRNG_MODE
        if bool(mode) is not (plan.kind is Kind.RANDOM):
            rule = "a PRNG mode goes with the PRNG operation, and only with it"
            raise DriverFault("descriptor word 0", words[0], rule)
        if not length and mode != reg.CONTROL_PRNG_INIT:
            return Outcome(reg.ERR_ZERO_LENGTH, 0, 0)
        if plan.status:
            return Outcome(plan.status, 0, 0)
        if length < (words[7] >> reg.LENGTH_BYPASS_SHIFT) * 4 + plan.offset:
            return Outcome(reg.ERR_LENGTH, 0, 0)
        self._check(words)
        return None

    def _check(self, words: tuple[int, ...]) -> None:
        if words[0] & reg.CONTROL_HALT:
            raise NotModelled("descriptor word 0", words[0], "the halt bit of a descriptor")
        alignment = self._alignment
        for number, name in ((1, "source"), (2, "destination")):
            if words[number] % alignment:
                rule = f"the {name} address is a multiple of {alignment}"
                raise DriverFault(f"descriptor word {number}", words[number], rule)

    def _special(self, plan: Plan, words: tuple[int, ...], sa: bytes) -> Outcome:
        """What goes beyond basic operations."""
        raise NotModelled("SA_CMD0", plan.command.word0, f"what is for {plan.kind.value}")

    def _outbound(
        self, plan: Plan, cipher: CipherPlan, words: tuple[int, ...], sa: bytes, data: bytes
    ) -> Outcome:
        """Encrypt, then hash: the hash covers header, ciphertext and padding."""
        bypass = words[7] >> reg.LENGTH_BYPASS_SHIFT << 2
        start = bypass + plan.offset
        payload = data[start:]
        pad = self._pad(cipher, words, len(payload))
        if pad:
            payload += pad
        text, iv = self._cipher(cipher, words, sa, payload, data[bypass:start])
        hashed = None
        if plan.hash is not None:
            hashed = self._hash(plan.hash, words, sa, data[bypass:start] + text)
        head = data[: start if plan.command.copy_header else bypass]
        return self._finish(
            plan, words, head + text, iv, hashed, Verdict(0, len(pad)) if pad else _NO_PAD
        )

    def _pad(self, cipher: CipherPlan, words: tuple[int, ...], length: int) -> bytes:
        """The padding of `length` bytes of outbound data."""
        alignment = cipher.alignments.get(words[0] >> reg.CONTROL_PAD_SHIFT)
        if alignment is None:
            rule = "pad control is 0 or a power of two"
            raise DriverFault("descriptor word 0", words[0], rule)
        pad_type = cipher.pad_type
        if not alignment or (pad_type in _ONLY_FILLS and not length % alignment):
            return b""
        value = words[0] >> reg.CONTROL_PAD_VALUE_SHIFT & 0xFF
        return pad_bytes(pad_type, length, alignment, value)

    def _inbound(
        self, plan: Plan, cipher: CipherPlan, words: tuple[int, ...], sa: bytes, data: bytes
    ) -> Outcome:
        """Hash and decrypt side by side: the hash covers header and ciphertext."""
        bypass = words[7] >> reg.LENGTH_BYPASS_SHIFT << 2
        start = bypass + plan.offset
        status = 0
        hashed = None
        if plan.hash is not None:
            hashed = self._hash(plan.hash, words, sa, data[bypass:])
            status = self._verify(plan.hash, words, hashed.digest)
        payload = data[start:]
        excess = len(payload) % cipher.block
        if excess:
            # Processed all the same; what the core does with the rest is assumed to be nothing.
            status |= reg.ERR_BLOCK_SIZE
            payload = payload[:-excess]
        text, iv = self._cipher(cipher, words, sa, payload, data[bypass:start])
        verdict = verify_pad(cipher.pad_type, text) if cipher.verifies else _NO_PAD
        head = data[: start if plan.command.copy_header else bypass]
        return self._finish(plan, words, head + text, iv, hashed, verdict, status)

    def _hash_only(self, plan: Plan, words: tuple[int, ...], sa: bytes, data: bytes) -> Outcome:
        bypass = words[7] >> reg.LENGTH_BYPASS_SHIFT << 2
        hashed = None
        if plan.hash is not None:
            hashed = self._hash(plan.hash, words, sa, data[bypass:])
        head = data if plan.command.copy_payload else data[:bypass]
        return self._finish(plan, words, head, b"", hashed, _NO_PAD)

    def _hash(self, plan: HashPlan, words: tuple[int, ...], sa: bytes, data: bytes) -> _Hashed:
        algorithm = plan.algorithm
        size = len(algorithm.initial)
        if plan.source is HashSource.SA:
            state, count = sa[reg.SA_INNER_DIGEST : reg.SA_INNER_DIGEST + size], _KEYED_BYTES
        elif plan.source is HashSource.STATE:
            raw = self._records.read(words[4] + reg.STATE_BYTE_COUNT, _COUNT.size + size)
            count, state = _COUNT.unpack_from(raw)[0], raw[_COUNT.size :]
        else:
            state, count = algorithm.initial, 0
        if not (plan.hmac or words[0] & reg.CONTROL_HASH_FINAL):
            status = reg.ERR_BLOCK_SIZE if len(data) % BLOCK_BYTES else 0
            after = self._hashes.intermediate(algorithm, state, count, data)
            return _Hashed(status, b"", count + len(data), after)
        digest = self._hashes.final(algorithm, state, count, data)
        if plan.hmac:
            outer = sa[reg.SA_OUTER_DIGEST : reg.SA_OUTER_DIGEST + size]
            digest = self._hashes.final(algorithm, outer, _KEYED_BYTES, digest)
        return _Hashed(0, digest, count + len(data), algorithm.in_memory(digest))

    def _verify(self, plan: HashPlan, words: tuple[int, ...], digest: bytes) -> int:
        """Compare the tag that follows the payload, which the descriptor's length leaves out."""
        if not (digest and self._variant.checks_basic_icv and self._finds_tags):
            return 0
        behind = words[1] + (words[7] & reg.LENGTH_BYTES)
        received = self._bus.read(behind, plan.tag_bytes)
        return 0 if received == digest[: plan.tag_bytes] else reg.ERR_AUTH

    def _finish(
        self,
        plan: Plan,
        words: tuple[int, ...],
        output: bytes,
        iv: bytes,
        hashed: _Hashed | None,
        pad: Verdict,
        status: int = 0,
    ) -> Outcome:
        """Write the output, then what is saved in the state record.

        Inbound padding is written all the same; stripping it only shortens the result's length.
        """
        hash_, command = plan.hash, plan.command
        status |= pad.status
        if hash_ is not None and hashed is not None:
            status |= hashed.status
            hidden = plan.cipher is None and not (words[2] or self._variant.hash_writes_to_zero)
            if command.copy_digest and not hidden:
                output += hash_.algorithm.in_memory(hashed.digest)[: hash_.tag_bytes]
        if output:
            self._bus.write(words[2], output)
        cipher = plan.cipher
        if cipher is not None and cipher.save_iv:
            if cipher.arc4 or self._held is not None:
                self._save_iv(cipher, words, iv)
            else:
                self._records.write(words[4] + reg.STATE_IV, iv)
        if hash_ is not None and hashed is not None and hash_.save:
            record = _COUNT.pack(hashed.byte_count % 2**64) + hashed.state
            self._save(words[4] + reg.STATE_BYTE_COUNT, record)
        stripped = pad.found if command.inbound and not command.copy_pad else 0
        return Outcome(status, pad.found, len(output) - stripped, pad.next_header)
