"""A driver that knows the EIP-93 only from eip93, sections 1.8 and 2 to 5: numbers, no imports.

It plays the mainline Linux driver, register write by register write, on whatever port it is
given: a device in this process, or one at the other end of a byte stream.  Nothing of the model
is imported, so that nothing but the hardware's doors can be used.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

CDR_BASE, RDR_BASE, RING_CONFIG, RING_THRESH = 0x080, 0x084, 0x088, 0x08C
CD_COUNT, RD_COUNT = 0x090, 0x094
PE_CONFIG, BUF_THRESH, CLOCK_CTRL, OPTION_1 = 0x100, 0x10C, 0x1E8, 0x1F4
INT_MASK_STAT = INT_CLR = 0x204
MASK_ENABLE, MASK_DISABLE = 0x210, 0x214
RDR = 1 << 1
RING = 512

HOST_READY, PE_READY, HASH_FINAL = 1, 2, 1 << 4
LAST, HASH, AEAD, SKCIPHER = (1 << 16 + bit for bit in (3, 6, 7, 8))


class Port(Protocol):
    """How a driver reaches a device, wherever it is."""

    on_interrupt: Callable[[], None]

    def read32(self, offset: int, /) -> int: ...

    def write32(self, offset: int, value: int, /) -> None: ...

    def load(self, address: int, length: int, /) -> bytes: ...

    def store(self, address: int, data: bytes, /) -> None: ...

    def wait(self) -> None:
        """Let the device work until it has nothing to do."""


class Digest(NamedTuple):
    """One hash as the driver sees it."""

    number: int
    size: int
    initial: str
    swapped: bool


DIGESTS = {
    "md5": Digest(0, 16, "67452301 efcdab89 98badcfe 10325476", False),
    "sha1": Digest(1, 20, "67452301 efcdab89 98badcfe 10325476 c3d2e1f0", True),
    "sha224": Digest(
        2,
        28,
        "c1059ed8 367cd507 3070dd17 f70e5939 ffc00b31 68581511 64f98fa7 befa4fa4",
        True,
    ),
    "sha256": Digest(
        3,
        32,
        "6a09e667 bb67ae85 3c6ef372 a54ff53a 510e527f 9b05688c 1f83d9ab 5be0cd19",
        True,
    ),
}


def reversed_words(data: bytes) -> bytes:
    """Every 32-bit word with its bytes reversed."""
    return b"".join(data[at : at + 4][::-1] for at in range(0, len(data), 4))


def initial_state(name: str) -> bytes:
    """The initial value of a hash, as the driver writes it into a state record."""
    words = [int(word, 16) for word in DIGESTS[name].initial.split()]
    return struct.pack(f"<{len(words)}I", *words)


class Request:
    """Descriptors that belong together; the last one's status is that of the request."""

    def __init__(self) -> None:
        self.status: int | None = None


class Mainline:
    """The driver, bound to a port.

    Attributes:
        interrupts: How often its handler ran.
        unexpected: Interrupts that were none of its own.
        order: The user ids of all results, as they came.
    """

    def __init__(self, port: Port, base: int, *, reset: int = 0x0703) -> None:
        self.port = port
        self.interrupts = self.unexpected = 0
        self.order: list[int] = []
        self._tasklet = False
        self._next = base
        self._requests: dict[int, Request] = {}
        self._write = self._read = self._handle = 0
        self.commands, self.results = self.alloc(RING * 32), self.alloc(RING * 32)
        port.on_interrupt = self.handle_interrupt
        self._probe(reset)

    def alloc(self, data: bytes | int) -> int:
        """Memory at the driver's choice, on 64-byte boundaries."""
        address, content = self._next, bytes(data) if isinstance(data, int) else data
        self._next += (len(content) + 127) // 64 * 64
        self.port.store(address, content)
        return address

    def _probe(self, reset: int) -> None:
        write = self.port.write32
        write(CDR_BASE, self.commands)
        write(RDR_BASE, self.results)
        write(RING_CONFIG, RING - 1)
        write(PE_CONFIG, reset)
        write(PE_CONFIG, 0x0700)
        self.option = self.port.read32(OPTION_1)
        write(CLOCK_CTRL, 0x17)
        write(BUF_THRESH, 0x0080_0080)
        write(RING_THRESH, 0x9400_01E0)
        write(INT_CLR, 0xFFFF_FFFF)
        write(MASK_DISABLE, 0xFFFF_FFFF)
        write(MASK_ENABLE, RDR)

    def remove(self) -> None:
        """Mask and clear everything, stop the clocks, forget the rings."""
        for offset, value in (
            (INT_CLR, 0xFFFF_FFFF),
            (MASK_DISABLE, 0xFFFF_FFFF),
            (CLOCK_CTRL, 0),
            (RING_CONFIG, 0),
            (CDR_BASE, 0),
            (RDR_BASE, 0),
        ):
            self.port.write32(offset, value)

    # Descriptors and interrupts.

    def put(
        self,
        source: int,
        destination: int,
        sa: int,
        state: int,
        user: int,
        length: int,
        final: int,
    ) -> None:
        """One descriptor, and its doorbell; while the ring is full, completions are awaited."""
        while (self._write + 1) % RING == self._read:
            before = self._read
            self.port.wait()
            self.run_tasklet()
            assert self._read != before, "the ring is full, and nothing completes"
        slot = self._write * 32
        self.port.store(self.results + slot, bytes(32))
        words = (HOST_READY | final, source, destination, sa, state, 0, user, length | 1 << 22)
        self.port.store(self.commands + slot, struct.pack("<8I", *words))
        self._write = (self._write + 1) % RING
        self.port.write32(CD_COUNT, 1)

    def handle_interrupt(self) -> None:
        """The hard interrupt handler."""
        self.interrupts += 1
        status = self.port.read32(INT_MASK_STAT)
        if status & RDR:
            self.port.write32(MASK_DISABLE, RDR)
            self._tasklet = True
            return
        self.unexpected += 1
        self.port.write32(INT_CLR, status)
        self.port.write32(MASK_DISABLE, status)

    def run_tasklet(self) -> None:
        """The completion tasklet, if the handler has scheduled it."""
        if not self._tasklet:
            return
        self._tasklet = False
        while self.port.read32(RD_COUNT) & 0x7FF:
            self._take()
        self.port.write32(INT_CLR, RDR)
        self.port.write32(MASK_ENABLE, RDR)

    def _take(self) -> None:
        slot = self._read * 32
        self._read = (self._read + 1) % RING
        self.port.store(self.commands + slot, bytes(32))
        words = struct.unpack("<8I", self.port.load(self.results + slot, 32))
        assert words[0] & 3 == PE_READY, "counted before it is handed over"
        assert words[7] >> 22 & 3 == PE_READY, "counted before it is handed over"
        self.port.write32(RD_COUNT, 1)
        self.port.write32(INT_CLR, RDR)
        self.order.append(words[6])
        if words[6] & LAST:
            self._requests.pop(words[6] & 0xFFFF).status = words[0] >> 16 & 0xFF

    def finish(self, request: Request) -> int:
        """Wait for a request; its status byte."""
        for _ in range(10_000):
            if request.status is not None:
                return request.status
            self.port.wait()
            self.run_tasklet()
        raise AssertionError("the request never completes")

    def new_request(self, flags: int) -> tuple[Request, int]:
        """A request, and the user id of its last descriptor."""
        self._handle = self._handle % 511 + 1
        request = self._requests[self._handle] = Request()
        return request, flags | self._handle

    # Records.

    def sa(
        self, cmd0: int, cmd1: int, key: bytes = b"", inner: bytes = b"", outer: bytes = b""
    ) -> int:
        """An SA record; sequence mask and all else as the driver leaves it."""
        packed = struct.pack(
            "<2I32s32s32s6I", cmd0, cmd1, key, inner, outer, 0, 0, 0, 0xFFFF_FFFF, 0, 0
        )
        return self.alloc(packed)

    # Requests.

    def crypt(
        self, cmd0: int, cmd1: int, key: bytes, iv: bytes, data: bytes, cuts: tuple[int, ...] = ()
    ) -> tuple[int, bytes, bytes]:
        """A skcipher request in segments: status, output, IV afterwards."""
        sa, state = self.sa(cmd0, cmd1, key), self.alloc(iv + bytes(56 - len(iv)))
        source, destination = self.alloc(data), self.alloc(len(data))
        request, last = self.new_request(SKCIPHER | LAST)
        for at, length, is_last in _pieces(len(data), cuts):
            user = last if is_last else last & ~LAST
            self.put(source + at, destination + at, sa, state, user, length, 0)
        status = self.finish(request)
        return status, self.port.load(destination, len(data)), self.port.load(state, len(iv))

    def start_hash(
        self, name: str, data: bytes, *, inner: bytes = b"", outer: bytes = b""
    ) -> tuple[Request, int]:
        """A hash, 64 bytes to a descriptor: the request and where its state record lies."""
        digest, initial = DIGESTS[name], initial_state(name)
        cmd0 = 0x3A00_0FC3 | digest.size // 4 << 20 | digest.number << 12
        rest, final = self.sa(cmd0, 0x9), self.sa(cmd0, 0x100B if outer else 0x9, outer=outer)
        state = self.alloc(bytes(24) + initial + bytes(32 - len(initial)))
        source = self.alloc(inner + data)
        request, last = self.new_request(HASH | LAST)
        for at, length, is_last in _pieces(len(inner + data), (64,) * (len(inner + data) // 64)):
            if is_last:
                self.put(source + at, 0, final, state, last, length, HASH_FINAL)
            else:
                self.put(source + at, 0, rest, state, HASH, length, 0)
        return request, state

    def hash(self, name: str, data: bytes) -> tuple[int, bytes]:
        """The digest of a message that is not empty, in the standard's byte order."""
        request, state = self.start_hash(name, data)
        return self.finish(request), self._digest(name, state)

    def hmac(self, name: str, key: bytes, data: bytes) -> tuple[int, bytes]:
        """An HMAC whose outer state was computed by the engine; the inner pad is data."""
        inner, _, outer = self._keyed(name, key)
        request, state = self.start_hash(name, data, inner=inner, outer=outer)
        return self.finish(request), self._digest(name, state)

    def _keyed(self, name: str, key: bytes) -> tuple[bytes, bytes, bytes]:
        """The inner pad, and the states after the inner and the outer pad."""
        if len(key) > 64:
            key = hashlib.new(name, key).digest()
        block = key + bytes(64 - len(key))
        pads = [bytes(byte ^ value for byte in block) for value in (0x36, 0x5C)]
        inner, outer = (self.partial(name, pad) for pad in pads)
        return pads[0], inner, outer

    def partial(self, name: str, block: bytes) -> bytes:
        """The state after one block, as the engine stores it."""
        digest, initial = DIGESTS[name], initial_state(name)
        cmd0 = 0x3A00_0FC3 | digest.size // 4 << 20 | digest.number << 12
        sa = self.sa(cmd0, 0x9)
        state = self.alloc(bytes(24) + initial + bytes(32 - len(initial)))
        request, last = self.new_request(HASH | LAST)
        self.put(self.alloc(block), 0, sa, state, last, 64, 0)
        assert self.finish(request) == 0
        return self.port.load(state + 24, len(initial))

    def _digest(self, name: str, state: int) -> bytes:
        digest = DIGESTS[name]
        raw = self.port.load(state + 24, digest.size)
        return reversed_words(raw) if digest.swapped else raw

    def authenc(
        self,
        name: str,
        cmd0: int,
        cmd1: int,
        keys: tuple[bytes, bytes],
        iv: bytes,
        packet: bytes,
        tag: int,
    ) -> tuple[int, bytes]:
        """One combined packet; when `cmd0` is inbound the tag ends the input, else the output."""
        _, inner, outer = self._keyed(name, keys[1])
        sa = self.sa(cmd0, cmd1, keys[0], inner, outer)
        state = self.alloc(iv + bytes(56 - len(iv)))
        inbound = bool(cmd0 & 8)
        source, destination = self.alloc(packet), self.alloc(len(packet) + tag)
        length = len(packet) - (tag if inbound else 0)
        request, last = self.new_request(AEAD | LAST)
        self.put(source, destination, sa, state, last, length, HASH_FINAL)
        status = self.finish(request)
        output = self.port.load(destination, length + (0 if inbound else tag))
        if inbound:
            return status, output
        swap = reversed_words if DIGESTS[name].swapped else bytes
        return status, output[:length] + swap(output[length:])


def _pieces(length: int, cuts: tuple[int, ...]) -> Iterator[tuple[int, int, bool]]:
    """Where each segment begins, how long it is, and whether it is the last."""
    at = 0
    for cut in cuts:
        if at + cut < length:
            yield at, cut, False
            at += cut
    yield at, length - at, True
