"""The driver's side of the command and result rings.

Both rings have the same number of entries and move in step: result n belongs to command n.  One
entry stays empty, so that a full ring and an empty one look different (eip93, section 4.2).
"""

from __future__ import annotations

from tcrypt.engine.api.dma import DmaBus
from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.descriptors import Descriptor, Ownership, ownership

__all__ = ("Rings",)

_EMPTY = bytes(reg.DESCRIPTOR_BYTES)


class Rings:
    """A command ring and a result ring of `size` entries in coherent memory."""

    def __init__(self, bus: DmaBus, size: int) -> None:
        self.size = size
        self._bus = bus
        self._memory = bus.memory
        self.commands = bus.alloc_coherent(size * reg.DESCRIPTOR_BYTES)
        self.results = bus.alloc_coherent(size * reg.DESCRIPTOR_BYTES)
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
        """Write one command and clear the result slot that answers it; check `free` before."""
        offset = self._write * reg.DESCRIPTOR_BYTES
        # A result of the previous lap must not be taken for the answer to this command.
        self._memory.write(self.results + offset, _EMPTY)
        self._memory.write(self.commands + offset, command.pack())
        self._write = (self._write + 1) % self.size
        self.used += 1

    def take(self) -> Descriptor | None:
        """The oldest result, or None while the engine has not handed all of it over."""
        address = self.results + self._read * reg.DESCRIPTOR_BYTES
        result = Descriptor.unpack(self._memory.read(address, reg.DESCRIPTOR_BYTES))
        if ownership(result.control, result.length) is not Ownership.HOST:
            return None
        self._read = (self._read + 1) % self.size
        self.used -= 1
        return result

    def release(self) -> None:
        """Free both rings."""
        size = self.size * reg.DESCRIPTOR_BYTES
        self._bus.free_coherent(self.commands, size)
        self._bus.free_coherent(self.results, size)
