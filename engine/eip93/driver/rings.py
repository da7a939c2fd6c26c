"""The driver's side of the command and result rings.

Both rings have the same number of entries and move in step: result n belongs to command n.  One
entry stays empty, so that a full ring and an empty one look different (eip93, section 4.2).
"""

from __future__ import annotations

from tcrypt.engine.api.dma import DmaBus, DmaError
from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.descriptors import Descriptor, Ownership, ownership
from tcrypt.engine.sim import Simulation

__all__ = ("Rings",)

_EMPTY = bytes(reg.DESCRIPTOR_BYTES)


class Rings:
    """A command ring and a result ring of `size` entries in coherent memory.

    Making them raises MemoryError or DmaError when there is no room, and leaves nothing behind.
    """

    def __init__(self, bus: DmaBus, size: int, sim: Simulation) -> None:
        self.size = size
        self._bus = bus
        self._sim = sim
        self._memory = bus.memory
        self.commands = bus.alloc_coherent(size * reg.DESCRIPTOR_BYTES)
        try:
            self.results = bus.alloc_coherent(size * reg.DESCRIPTOR_BYTES)
        except (MemoryError, DmaError):
            bus.free_coherent(self.commands, size * reg.DESCRIPTOR_BYTES)
            raise
        self.used = 0
        self._write = 0
        self._read = 0

    @property
    def capacity(self) -> int:
        """How many descriptors fit at once."""
        return self.size - 1

    @property
    def free(self) -> int:
        """How many descriptors fit now."""
        return self.size - 1 - self.used

    def put(self, command: Descriptor) -> None:
        """Write one command and clear the result slot that answers it; check `free` before.

        Two contexts that do so at once would use the same entry: the caller holds a lock.
        """
        offset, used = self._write * reg.DESCRIPTOR_BYTES, self.used
        # A result of the previous lap must not be taken for the answer to this command.
        self._memory.write(self.results + offset, _EMPTY)
        self._sim.preemption_point("descriptor")
        self._memory.write(self.commands + offset, command.pack())
        self._write = (self._write + 1) % self.size
        self.used = used + 1

    def take(self) -> Descriptor | None:
        """The oldest result, or None while the engine has not handed all of it over."""
        address = self.results + self._read * reg.DESCRIPTOR_BYTES
        result = Descriptor.unpack(self._memory.read(address, reg.DESCRIPTOR_BYTES))
        if ownership(result.control, result.length) is not Ownership.HOST:
            return None
        self._read = (self._read + 1) % self.size
        self.used -= 1
        return result

    def take_ready(self, count: int) -> list[Descriptor]:
        """The oldest results, at most `count`, up to the first that is not ready."""
        found: list[Descriptor] = []
        while len(found) < count:
            result = self.take()
            if result is None:
                break
            found.append(result)
        return found

    def release(self) -> None:
        """Free both rings."""
        size = self.size * reg.DESCRIPTOR_BYTES
        self._bus.free_coherent(self.commands, size)
        self._bus.free_coherent(self.results, size)
