"""DMA mappings: which memory a bus master may touch, and in which direction.

A device reaches memory only through a `DmaBus`.  It works where the driver mapped memory for it,
and answers a bus error everywhere else, so that a stray address in a descriptor shows, and a
mapping that nobody takes back can be counted.

Between its mapping and its unmapping memory is the device's.  A driver that writes it meanwhile,
or reads what the device has written, may be right on one machine and wrong on the next, whose
caches nobody keeps coherent: the bus reports it.  Coherent memory is for both at all times, and
`sync_for_cpu` lends the rest to the driver, until `sync_for_device`.
"""

from __future__ import annotations

import enum
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator

from tcrypt.engine.api.memory import Memory
from tcrypt.engine.sim import BusError

__all__ = ("DmaBus", "DmaDirection", "DmaError")


class DmaDirection(enum.Enum):
    """Who writes the memory while it is mapped (`enum dma_data_direction`)."""

    BIDIRECTIONAL = "bidirectional"
    TO_DEVICE = "to device"
    FROM_DEVICE = "from device"


class DmaError(Exception):
    """A mapping failed, or broke a rule: an empty map, an unmap that matches no mapping."""


_Mapping = tuple[int, int, int, DmaDirection]
_LONG = 4096


def _nobody(text: str) -> None:
    """Who listens where no machine does."""


_TO_DEVICE, _FROM_DEVICE = DmaDirection.TO_DEVICE, DmaDirection.FROM_DEVICE


class DmaBus:
    """The memory interface of one bus master, with the driver's mappings behind it.

    Attributes:
        maps: how many mappings were ever asked for.
        faults: how many accesses of the device an injected fault has refused.
        report: called with what the driver did to memory that was the device's, once.
        strays: how many accesses were refused because the driver had mapped nothing for them.
    """

    __slots__ = (
        "_broken",
        "_dirty",
        "_long",
        "_mappings",
        "_starts",
        "_to_break",
        "_to_fail",
        "_told",
        "faults",
        "maps",
        "memory",
        "report",
        "seen",
        "strays",
    )

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        # Address, number of the mapping, size and direction, in the order of the first two; and
        # the addresses alone, among which a search is several times as fast.
        self._mappings: list[_Mapping] = []
        self._starts: list[int] = []
        # What is the device's, by number: which bytes of it, from and to, the device has written.
        self._dirty: dict[int, tuple[int, int]] = {}
        self._told = False
        self.report: Callable[[str], None] = _nobody
        # The longest ones, by their numbers; the others end near to where they begin.
        self._long: dict[int, tuple[int, int]] = {}
        self._broken: tuple[int, int] | None = None
        self._to_break: int | None = None
        self._to_fail: tuple[int, int] | None = None
        # Address and length of what is mapped, for whoever puts a list here.
        self.seen: list[tuple[int, int]] | None = None
        self.faults = 0
        self.maps = 0
        self.strays = 0

    def break_range(self, address: int, length: int) -> None:
        """Inject a fault: no bus master reaches these bytes any more; `faults` counts the hits."""
        self._broken = (address, address + length)
        self.faults = 0

    def break_map(self, after: int = 0) -> None:
        """Inject a fault: `after` more mappings work, and no bus master reaches the next one.

        `faults` counts the hits.
        """
        self._to_break = self.maps + after
        self.faults = 0

    def fail_maps(self, after: int = 0, count: int = 1) -> None:
        """Inject a fault: `after` more mappings work, then `count` of them fail."""
        self._to_fail = (self.maps + after, self.maps + after + count)

    def mend(self) -> None:
        """Take injected faults away."""
        self._broken = self._to_fail = self._to_break = None

    @property
    def live_mappings(self) -> int:
        """How many mappings exist: equal before and after where nothing leaks."""
        return len(self._mappings)

    def mappings(self) -> list[tuple[int, int, str]]:
        """Address, length and direction of every mapping, in the order of addresses."""
        return [(address, size, way.value) for address, _, size, way in self._mappings]

    def since(self, maps: int) -> list[tuple[int, int]]:
        """Address and length of what exists of the mappings made since `maps` was that high."""
        return [(address, size) for address, serial, size, _ in self._mappings if serial > maps]

    def reaching(self, address: int, length: int, maps: int) -> list[tuple[int, int]]:
        """The same of the mappings that any of these bytes, 1 or more, belong to."""
        end = address + length
        return [
            (start, size)
            for number, start, size in self._near(address, end)
            if number > maps and start < end and start + size > address
        ]

    def map(self, address: int, length: int, direction: DmaDirection) -> int:
        """Open `length` bytes (1 or more) at `address` to the device; the bus address.

        Raises:
            DmaError: the length is not positive, or there is no room for one more mapping.
        """
        self._open(address, length, direction)
        if self.seen is not None:
            self.seen.append((address, length))
        # A window on more than there is of memory is no buffer that anybody fills or reads.
        if self.memory.holds(address, length):
            self._lend(self.maps)
        return address

    def _lend(self, number: int) -> None:
        self._dirty[number] = (0, 0)
        self.memory.watch = self._touched

    def _take_back(self, number: int) -> None:
        self._dirty.pop(number, None)
        if not self._dirty:
            self.memory.watch = None

    def _touched(self, address: int, length: int, write: bool) -> None:
        """The driver reads or writes memory while some of it is mapped."""
        end = address + length
        for number, start, size in self._near(address, end):
            dirty = self._dirty.get(number)
            if dirty is None or start + size <= address or start >= end or self._told:
                continue
            if write or (dirty[0] < end and dirty[1] > address):
                what = "written" if write else "read"
                self._told = True
                owned = f"{size} at {start:#010x} are the device's"
                self.report(f"{length} bytes at {address:#010x} {what} while {owned}")

    def _near(self, address: int, end: int) -> Iterator[tuple[int, int, int]]:
        """Number, start and size of all mappings that may reach these bytes."""
        for number, (start, size) in self._long.items():
            yield number, start, size
        for index in range(bisect_left(self._starts, end) - 1, -1, -1):
            start, number, size, _ = self._mappings[index]
            if start + _LONG <= address:
                break
            if size <= _LONG:
                yield number, start, size

    def _open(self, address: int, length: int, direction: DmaDirection) -> None:
        if length <= 0:
            raise DmaError(f"mapping of {length} bytes at {address:#010x}")
        number, self.maps = self.maps, self.maps + 1
        if self._to_fail is not None and self._to_fail[0] <= number < self._to_fail[1]:
            raise DmaError(f"mapping of {length} bytes at {address:#010x}: injected fault")
        if number == self._to_break:
            self._broken = (address, address + length)
        if length > _LONG:
            self._long[self.maps] = (address, length)
        index = bisect_right(self._starts, address)
        self._starts.insert(index, address)
        self._mappings.insert(index, (address, self.maps, length, direction))

    def unmap(self, address: int, length: int, direction: DmaDirection) -> None:
        """Take back one mapping; DmaError when none is exactly like it."""
        index = self._find(address, length, direction, "unmap")
        number = self._mappings[index][1]
        self._long.pop(number, None)
        del self._mappings[index], self._starts[index]
        self._take_back(number)

    def sync_for_cpu(self, address: int, length: int, direction: DmaDirection) -> None:
        """Lend all of one mapping to the driver; DmaError when none is exactly like it."""
        self._take_back(self._mappings[self._find(address, length, direction, "sync")][1])

    def sync_for_device(self, address: int, length: int, direction: DmaDirection) -> None:
        """Give the device back what `sync_for_cpu` has lent; DmaError as there."""
        self._lend(self._mappings[self._find(address, length, direction, "sync")][1])

    def _find(self, address: int, length: int, direction: DmaDirection, what: str) -> int:
        """Where the first mapping exactly like this stands."""
        index = bisect_left(self._starts, address)
        mappings = self._mappings
        while index < len(mappings) and mappings[index][0] == address:
            if mappings[index][2] == length and mappings[index][3] is direction:
                return index
            index += 1
        raise DmaError(f"{what} of {length} bytes at {address:#010x}: never mapped like that")

    def alloc_coherent(self, size: int) -> int:
        """Allocate and map `size` zero bytes for both sides; the address.

        Raises:
            MemoryError: no memory.
            DmaError: it cannot be mapped, and is freed again.
        """
        address = self.memory.zalloc(size)
        try:
            self._open(address, size, DmaDirection.BIDIRECTIONAL)
        except DmaError:
            self.memory.free(address)
            raise
        return address

    def free_coherent(self, address: int, size: int) -> None:
        """Unmap and free what `alloc_coherent` gave."""
        self.unmap(address, size, DmaDirection.BIDIRECTIONAL)
        self.memory.free(address)

    def _check(self, address: int, length: int, forbidden: DmaDirection) -> _Mapping:
        mappings = self._mappings
        index = bisect_right(self._starts, address) - 1
        end = address + length
        broken = self._broken
        if broken is not None and address < broken[1] and end > broken[0]:
            self.faults += 1
            raise BusError(address, length, "injected fault")
        while index >= 0:
            found = mappings[index]
            if found[0] + found[2] >= end and found[3] is not forbidden:
                return found
            index -= 1
        self.strays += 1
        raise BusError(address, length, "not mapped for this direction")

    def _covering(self, address: int, length: int, forbidden: DmaDirection) -> _Mapping:
        # The first look of `_check`, which almost always is enough.
        index = bisect_right(self._starts, address)
        if index and self._broken is None:
            found = self._mappings[index - 1]
            if found[0] + found[2] >= address + length and found[3] is not forbidden:
                return found
        return self._check(address, length, forbidden)

    def read(self, address: int, length: int) -> bytes:
        """The device reads; BusError where the driver mapped nothing it may read."""
        self._covering(address, length, _FROM_DEVICE)
        return self.memory.fetch(address, length)

    def write(self, address: int, data: bytes) -> None:
        """The device writes; BusError where the driver mapped nothing it may write."""
        _, number, _, _ = self._covering(address, len(data), _TO_DEVICE)
        self.memory.store(address, data)
        dirty = self._dirty.get(number)
        if dirty is not None:
            end = address + len(data)
            new = (min(dirty[0], address), max(dirty[1], end)) if dirty[1] else (address, end)
            self._dirty[number] = new
