"""Direct host mode: what goes wrong where the driver does what the engine does in rings."""

from __future__ import annotations

from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.descriptors import Descriptor
from tcrypt.engine.eip93.driver.host_mode import HostCore
from tcrypt.engine.eip93.driver.packets import Packet
from tcrypt.mutants import mutant
from tcrypt.mutants.seams import Planted, replaced

__all__: tuple[str, ...] = ()

_SOURCES = reg.INT_OPERATION_DONE | reg.INT_INBUF_THRESH | reg.INT_OUTBUF_THRESH


@mutant("AE-01b", "nobody compares tags in direct host mode")
def tag_left_to_the_engine() -> Planted:
    """The driver relies on an error that the engine reports in ring mode only."""

    def verify(self: Packet, length: int) -> int:
        return 0

    return replaced((Packet, "_verify", verify))


@mutant("CR-12b", "interrupts are acknowledged after the work that they announce")
def late_acknowledgement() -> Planted:
    """What came while data was moved is cleared with what was worked on, and never seen."""

    def done_task(self: HostCore) -> None:
        while self._advance():
            pass
        self.mmio.write32(reg.INT_CLR, _SOURCES)
        if self._packet is not None:
            self.mmio.write32(reg.INT_MASK_ENABLE, _SOURCES)

    return replaced((HostCore, "done_task", done_task))


@mutant("SG-23b", "output is stored in whole words")
def whole_words() -> Planted:
    """The output buffer hands out words; a message that ends inside of one gets all of it."""
    original = Packet.finish

    def finish(self: Packet) -> Descriptor:
        result = original(self)
        self._memory.write(self._command.destination, self._output)
        return result

    return replaced((Packet, "finish", finish))
