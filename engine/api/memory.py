"""Physical memory of the simulated machine: one flat address space with an allocator.

Addresses are plain integers, as a device sees them.  Nothing stops a driver from writing past the
end of a buffer that it was given, exactly as in C; the suite puts guard bytes around every buffer
and looks at them afterwards.  Only accesses outside of all memory fault.
"""

from __future__ import annotations

from collections.abc import Callable

from tcrypt.engine.sim import BusError

__all__ = ("CACHE_LINE", "Buffer", "Memory")

CACHE_LINE = 64
_FIRST_ADDRESS = 0x1000_0000
# What a freed block reads as; nobody should see it, or change it (the kernel's POISON_FREE).
_FREED = 0x6B
# Longer blocks are looked at once after they are freed, and when they are used again.
_SMALL = 4096


def _nobody(text: str) -> None:
    """Who listens where no machine does."""


class Memory:
    """RAM that grows on demand, up to `limit` bytes, from a non-zero base address.

    A freed block is filled with poison: who reads it gets that, and who writes it is told of, when
    the block is used again or somebody looks.  What it held is kept aside: what a driver leaves
    behind can be looked for.

    Attributes:
        allocations: how many blocks were ever allocated.
        report: called with what is wrong with a block that was freed.
        watch: called with address, length and whether it is a write for what the processor does,
            while some memory is not its own; None otherwise.
    """

    __slots__ = (
        "_break",
        "_free",
        "_kept",
        "_limit",
        "_live",
        "_to_fail",
        "_to_look_at",
        "_view",
        "allocations",
        "report",
        "watch",
    )

    base = _FIRST_ADDRESS

    def __init__(self, limit: int = 1 << 30) -> None:
        self._view = memoryview(bytearray(1 << 18))
        self.allocations = 0
        self._break = 0
        self._limit = limit
        self._live: dict[int, int] = {}
        self._free: dict[int, list[int]] = {}
        self._to_fail: list[int] | None = None
        # The content that freed blocks had, and those of them that are looked at the next time.
        self._kept: dict[int, bytes] = {}
        self._to_look_at: dict[int, int] = {}
        self.report: Callable[[str], None] = _nobody
        self.watch: Callable[[int, int, bool], None] | None = None

    def fail_allocs(self, after: int = 0, count: int = 1) -> None:
        """Inject a fault: `after` more allocations succeed, then `count` of them fail.

        It strikes whoever allocates next, so switch it on around a driver's code only.
        """
        self._to_fail = [after, count]

    def mend(self) -> None:
        """Take an injected fault away."""
        self._to_fail = None

    def _count_down(self, size: int) -> None:
        """Raise MemoryError when an injected fault is due."""
        assert self._to_fail is not None
        after, count = self._to_fail
        if after:
            self._to_fail[0] = after - 1
        elif count:
            self._to_fail[1] = count - 1
            raise MemoryError(f"allocation of {size} bytes: injected fault")

    def alloc(self, size: int) -> int:
        """Allocate `size` bytes (content undefined), aligned to a cache line; the address.

        Raises:
            MemoryError: the limit is reached, or a fault was injected.
        """
        if self._to_fail is not None:
            self._count_down(size)
        self.allocations += 1
        return self.room(size)

    def room(self, size: int) -> int:
        """A block that its user's caller has paid for, as the context of a request is.

        A driver that asks for `reqsize` bytes finds them with every request: taking them is no
        allocation of its own and cannot fail.  Such a block is freed like any other.
        """
        rounded = max(CACHE_LINE, -(-size // CACHE_LINE) * CACHE_LINE)
        bucket = self._free.get(rounded)
        if bucket:
            address = bucket.pop()
            self._look_at(address, rounded)
            del self._kept[address]
            self._to_look_at.pop(address, None)
        else:
            address = self._break + self.base
            self._grow(rounded)
        self._live[address] = rounded
        return address

    def zalloc(self, size: int) -> int:
        """Allocate `size` zero bytes; the address."""
        address = self.alloc(size)
        self.write(address, bytes(size))
        return address

    def free(self, address: int) -> None:
        """Return a block to the allocator; BusError when it is not allocated (a double free)."""
        size = self._live.pop(address, None)
        if size is None:
            raise BusError(address, 0, "freed, but not allocated")
        self._free.setdefault(size, []).append(address)
        self._to_look_at[address] = size
        self._kept[address] = self.fetch(address, size)
        self.write(address, bytes([_FREED]) * size)

    def look_at_freed(self) -> None:
        """Report which freed blocks were written since; each time once."""
        for address, size in list(self._to_look_at.items()):
            self._look_at(address, size)
            if size > _SMALL:
                del self._to_look_at[address]

    def _look_at(self, address: int, size: int) -> None:
        found = self.fetch(address, size)
        poison = bytes([_FREED]) * size
        if found != poison:
            first = next(i for i, byte in enumerate(found) if byte != _FREED)
            self.report(f"use after free: byte {first} of {size} at {address:#010x} was written")
            self.store(address, poison)

    def free_sensitive(self, address: int) -> None:
        """As `free`, for a block that held keys: its content is overwritten with zeros first."""
        self.write(address, bytes(self._live.get(address, 0)))
        self.free(address)

    @property
    def live_blocks(self) -> int:
        """How many blocks are allocated: equal before and after where nothing leaks."""
        return len(self._live)

    def live_content(self) -> list[tuple[int, bytes]]:
        """Address and content of every allocated block, in the order of addresses."""
        blocks = sorted(self._live.items())
        return [(address, self.fetch(address, size)) for address, size in blocks]

    def find(self, data: bytes) -> int | None:
        """The first address at which `data` stands, in used or freed blocks; None for nowhere."""
        start = bytes(self._view[: self._break]).find(data)
        if start >= 0:
            return start + self.base
        for address, content in self._kept.items():
            start = content.find(data)
            if start >= 0:
                return address + start
        return None

    def _grow(self, size: int) -> None:
        end = self._break + size
        if end > self._limit:
            raise MemoryError(f"simulated memory is limited to {self._limit} bytes")
        if end > len(self._view):
            bigger = bytearray(max(end, 2 * len(self._view)))
            bigger[: self._break] = self._view[: self._break]
            self._view = memoryview(bigger)
        self._break = end

    def holds(self, address: int, length: int) -> bool:
        """Whether all of these bytes exist."""
        return self.base <= address and address + length <= self.base + self._break

    def read(self, address: int, length: int) -> bytes:
        """The `length` bytes at `address`; BusError outside of memory."""
        if self.watch is not None:
            self.watch(address, length, False)
        return self.fetch(address, length)

    def write(self, address: int, data: bytes | bytearray | memoryview) -> None:
        """Store `data` at `address`; BusError outside of memory."""
        if self.watch is not None:
            self.watch(address, len(data), True)
        self.store(address, data)

    def fetch(self, address: int, length: int) -> bytes:
        """As `read`, unwatched: what a bus master does."""
        start = address - self.base
        if start < 0 or length < 0 or start + length > self._break:
            raise BusError(address, length, "read outside of memory")
        return self._view[start : start + length].tobytes()

    def store(self, address: int, data: bytes | bytearray | memoryview) -> None:
        """As `write`, unwatched: what a bus master does."""
        start = address - self.base
        end = start + len(data)
        if start < 0 or end > self._break:
            raise BusError(address, len(data), "write outside of memory")
        self._view[start:end] = data


class Buffer:
    """A pointer into memory together with the length that its owner promises.

    Like a C pointer it does not stop a write that is too long.
    """

    __slots__ = ("address", "length", "memory")

    def __init__(self, memory: Memory, address: int, length: int) -> None:
        self.memory = memory
        self.address = address
        self.length = length

    def read(self, length: int | None = None) -> bytes:
        """The first `length` bytes (all promised ones by default)."""
        return self.memory.read(self.address, self.length if length is None else length)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Store `data` from the start on, whatever the promised length."""
        self.memory.write(self.address, data)

    def __repr__(self) -> str:
        return f"Buffer({self.address:#010x}, {self.length})"
