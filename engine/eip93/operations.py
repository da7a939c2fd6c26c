"""One packet through the engine: source, cipher, hash, destination, state.

The order of bus accesses is that of the hardware: state and data are read when the packet is
processed, the output is written before the state record, and both before the result.

Source: Analog Devices PKTE chapter, "Packet Engine Data Flow" and the table of result codes;
what Linux drivers rely on where that is silent, as the comments say.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple, Protocol

from tcrypt.engine.compression import BLOCK_BYTES
from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.errors import DriverFault, NotModelled
from tcrypt.engine.eip93.hashing import HashCore
from tcrypt.engine.eip93.padding import pad_bytes, pkcs7_length
from tcrypt.engine.eip93.plan import CipherPlan, HashPlan, Plan
from tcrypt.engine.eip93.records import HashSource, PadType
from tcrypt.engine.eip93.variants import Variant
from tcrypt.engine.sim import BusError

__all__ = ("DMABus", "Outcome", "PacketCore")

_COUNT: Final = struct.Struct("<Q")
_AES_IV_BYTES: Final = 16
_KEYED_BYTES: Final = 64  # byte count that HASH_SOURCE 0 forces: one block of key has gone before


class DMABus(Protocol):
    """The device's way to memory; both methods raise `tcrypt.engine.sim.BusError`."""

    def read(self, address: int, length: int, /) -> bytes:
        """The `length` bytes at a bus address."""

    def write(self, address: int, data: bytes, /) -> None:
        """Store `data` at a bus address."""


class Outcome(NamedTuple):
    """What the result descriptor says of a packet: status byte, pad count, output length."""

    status: int
    pad: int
    length: int


class _Hashed(NamedTuple):
    """What the hash made of a packet.

    `digest` is as the standards print it, and empty after an intermediate hash; `state` is what
    goes into the state record, in memory order.
    """

    status: int
    digest: bytes
    byte_count: int
    state: bytes


class PacketCore:
    """The packet engine of one device, between a fetched descriptor and its result."""

    def __init__(self, bus: DMABus, variant: Variant) -> None:
        self.jobs = 0
        self._bus = bus
        self._variant = variant
        self._hashes = HashCore()
        self._iv = bytes(_AES_IV_BYTES)

    def reset(self) -> None:
        """Forget the IV that the last packet left behind."""
        self._iv = bytes(_AES_IV_BYTES)

    def run(self, plan: Plan, words: tuple[int, ...], sa: bytes) -> Outcome:
        """Process one packet; `words` is its command descriptor.

        A bus error gives status 0x08.

        Raises:
            NotModelled: the descriptor asks for something that the model lacks.
            DriverFault: it asks for something without a defined answer.
        """
        length = words[7] & reg.LENGTH_BYTES
        bypass = (words[7] >> reg.LENGTH_BYPASS_SHIFT) * 4
        # Priority of errors: operation and zero length come before the algorithms, those before
        # the packet length.  Between the first two the manual leaves the order open.
        if plan.status == reg.ERR_OPERATION:
            return Outcome(reg.ERR_OPERATION, 0, 0)
        if not length:
            return Outcome(reg.ERR_ZERO_LENGTH, 0, 0)
        if plan.status:
            return Outcome(plan.status, 0, 0)
        if length < bypass + plan.offset:
            return Outcome(reg.ERR_LENGTH, 0, 0)
        self._check(words)
        try:
            data = self._bus.read(words[1], length)
            self.jobs += 1
            if plan.cipher is None:
                return self._hash_only(plan, words, sa, data)
            if plan.command.inbound:
                return self._inbound(plan, plan.cipher, words, sa, data)
            return self._outbound(plan, plan.cipher, words, sa, data)
        except BusError:
            return Outcome(reg.ERR_BUS, 0, 0)

    def _check(self, words: tuple[int, ...]) -> None:
        control = words[0]
        if control & reg.CONTROL_PRNG_MODE:
            raise NotModelled("descriptor word 0", control, "the random number generator")
        if control & reg.CONTROL_HALT:
            raise NotModelled("descriptor word 0", control, "the halt mode")
        alignment = self._variant.data_alignment
        for number, name in ((1, "source"), (2, "destination")):
            if words[number] % alignment:
                rule = f"the {name} address is a multiple of {alignment}"
                raise DriverFault(f"descriptor word {number}", words[number], rule)

    def _outbound(
        self, plan: Plan, cipher: CipherPlan, words: tuple[int, ...], sa: bytes, data: bytes
    ) -> Outcome:
        """Encrypt, then hash: the hash covers header, ciphertext and padding."""
        bypass = words[7] >> reg.LENGTH_BYPASS_SHIFT << 2
        start = bypass + plan.offset
        payload = data[start:]
        alignment = cipher.alignments.get(words[0] >> reg.CONTROL_PAD_SHIFT)
        if alignment is None:
            rule = "pad control is 0 or a power of two"
            raise DriverFault("descriptor word 0", words[0], rule)
        pad = b""
        if alignment > 1:
            constant = words[0] >> reg.CONTROL_PAD_VALUE_SHIFT & 0xFF
            pad = pad_bytes(cipher.pad_type, len(payload), alignment, constant)
        text, iv = self._cipher(cipher, words, sa, payload + pad)
        hashed = None
        if plan.hash is not None:
            hashed = self._hash(plan.hash, words, sa, data[bypass:start] + text)
        head = data[: start if plan.command.copy_header else bypass]
        return self._finish(plan, words, head + text, iv, hashed, len(pad))

    def _inbound(
        self, plan: Plan, cipher: CipherPlan, words: tuple[int, ...], sa: bytes, data: bytes
    ) -> Outcome:
        """Hash and decrypt side by side: the hash covers header and ciphertext."""
        bypass = words[7] >> reg.LENGTH_BYPASS_SHIFT << 2
        start = bypass + plan.offset
        status = pad = 0
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
        text, iv = self._cipher(cipher, words, sa, payload)
        if cipher.block > 1 and cipher.pad_type is not PadType.ZERO:
            status_of_pad, pad = _check_padding(cipher, text)
            status |= status_of_pad
            if not plan.command.copy_pad:
                text = text[: len(text) - pad]
        head = data[: start if plan.command.copy_header else bypass]
        return self._finish(plan, words, head + text, iv, hashed, pad, status)

    def _hash_only(self, plan: Plan, words: tuple[int, ...], sa: bytes, data: bytes) -> Outcome:
        bypass = words[7] >> reg.LENGTH_BYPASS_SHIFT << 2
        hashed = None
        if plan.hash is not None:
            hashed = self._hash(plan.hash, words, sa, data[bypass:])
        head = data if plan.command.copy_payload else data[:bypass]
        return self._finish(plan, words, head, b"", hashed, 0)

    def _cipher(
        self, cipher: CipherPlan, words: tuple[int, ...], sa: bytes, data: bytes
    ) -> tuple[bytes, bytes]:
        """Output and next IV; the engine keeps that IV for packets that read none."""
        key = sa[reg.SA_KEY : reg.SA_KEY + cipher.key_bytes]
        size = cipher.iv_bytes
        if not size:
            return cipher.run(key, b"", data)
        if cipher.iv_from_state:
            iv = self._bus.read(words[4] + reg.STATE_IV, size)
        else:
            iv = self._iv[:size]
        text, iv = cipher.run(key, iv, data)
        self._iv = iv + self._iv[size:]
        return text, iv

    def _hash(self, plan: HashPlan, words: tuple[int, ...], sa: bytes, data: bytes) -> _Hashed:
        algorithm = plan.algorithm
        size = len(algorithm.initial)
        if plan.source is HashSource.SA:
            state, count = sa[reg.SA_INNER_DIGEST : reg.SA_INNER_DIGEST + size], _KEYED_BYTES
        elif plan.source is HashSource.STATE:
            raw = self._bus.read(words[4] + reg.STATE_BYTE_COUNT, _COUNT.size + size)
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
        if not (digest and self._variant.checks_basic_icv):
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
        pad: int,
        status: int = 0,
    ) -> Outcome:
        """Write the output, then what is saved in the state record."""
        hash_ = plan.hash
        if hash_ is not None and hashed is not None:
            status |= hashed.status
            hidden = plan.cipher is None and not (words[2] or self._variant.hash_writes_to_zero)
            if plan.command.copy_digest and not hidden:
                output += hash_.algorithm.in_memory(hashed.digest)[: hash_.tag_bytes]
        if output:
            self._bus.write(words[2], output)
        if plan.cipher is not None and plan.cipher.save_iv:
            self._bus.write(words[4] + reg.STATE_IV, iv)
        if hash_ is not None and hashed is not None and hash_.save:
            record = _COUNT.pack(hashed.byte_count % 2**64) + hashed.state
            self._bus.write(words[4] + reg.STATE_BYTE_COUNT, record)
        return Outcome(status, pad, len(output))


def _check_padding(cipher: CipherPlan, text: bytes) -> tuple[int, int]:
    """Status and number of pad bytes of inbound text; a constant pad cannot be told from data."""
    if cipher.pad_type is PadType.IPSEC:
        raise NotModelled("SA_CMD0", cipher.pad_type, "IPsec padding in a basic operation")
    if cipher.pad_type is PadType.CONSTANT:
        return 0, 0
    count = pkcs7_length(text)
    return (reg.ERR_PAD, 0) if count is None else (0, count)
