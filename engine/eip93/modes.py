"""PE_CONFIG and PE_ENDIAN_CONFIG: which mode the engine is in, its resets, and its byte order.

Source: Analog Devices PKTE chapter, registers PKTE_CFG and PKTE_ENDIAN_CFG; the swap of target
accesses is enabled by bit 20 of PE_CONFIG, which only the Linux header names.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.direct import DirectHost
from tcrypt.engine.eip93.interrupts import InterruptBlock
from tcrypt.engine.eip93.lanes import NO_SWAP, DMABus, SwappingBus
from tcrypt.engine.eip93.operations import PacketCore
from tcrypt.engine.eip93.rings import Rings
from tcrypt.engine.eip93.sequencer import Sequencer
from tcrypt.engine.eip93.variants import Variant
from tcrypt.engine.eip93.windows import Windows

__all__ = ("Modes", "Parts")

_RESETS: Final = reg.CONFIG_RST_PE | reg.CONFIG_RST_RING
_BUSY: Final = ~reg.STATUS_OUTPUT_DONE


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of one device that its mode rules over."""

    sequencer: Sequencer
    direct: DirectHost
    rings: Rings
    interrupts: InterruptBlock
    core: PacketCore
    windows: Windows


class Modes:
    """The mode of one device.

    `changed` is called with whether the mode is direct host mode, and with the lanes of register
    accesses (None when they go straight), whenever one of them may have changed.
    """

    def __init__(
        self,
        bus: DMABus,
        variant: Variant,
        parts: Parts,
        changed: Callable[[bool, int | None], None],
    ) -> None:
        self._bus = bus
        self._variant = variant
        self._parts = parts
        self._changed = changed
        self._config = self._endian = 0

    def reset(self) -> None:
        """Power-on reset: direct host mode, no swaps."""
        self._config = self._endian = 0
        self._parts.direct.reset()
        self._apply()

    @property
    def direct(self) -> bool:
        """Whether this is direct host mode."""
        return self._config & reg.CONFIG_MODE == reg.CONFIG_MODE_DHM

    @property
    def rings(self) -> bool:
        """Whether this is autonomous ring mode."""
        return self._config & reg.CONFIG_MODE == reg.CONFIG_MODE_ARM

    def read_config(self) -> int:
        """PE_CONFIG."""
        return self._config

    def write_config(self, value: int) -> None:
        """PE_CONFIG: resets, mode, EN_CDR_UPDATE and swaps.  A reset lasts while its bit is 1."""
        parts = self._parts
        resets = (value | self._config) & _RESETS
        mode = (value ^ self._config) & reg.CONFIG_MODE
        self._config = value
        if resets:
            parts.sequencer.abort()
        if resets & reg.CONFIG_RST_PE:
            parts.sequencer.restart()
        if resets or mode:
            parts.direct.reset()
        if resets & reg.CONFIG_RST_RING:
            parts.rings.restart()
        self._apply()
        parts.interrupts.update()
        parts.sequencer.kick()

    def read_endian(self) -> int:
        """PE_ENDIAN_CONFIG."""
        return self._endian

    def write_endian(self, value: int) -> None:
        """PE_ENDIAN_CONFIG: what the swaps do where they are enabled."""
        self._endian = value
        self._apply()

    def read_status(self) -> int:
        """PE_STATUS: the flow of data in direct host mode, else idle or busy; and the errors."""
        sequencer = self._parts.sequencer
        errors = (sequencer.window[0] >> reg.CONTROL_STATUS_SHIFT & 0xF) << reg.STATUS_ERRORS_SHIFT
        if self.direct:
            return self._parts.direct.read_status() | errors
        return (reg.STATUS_IDLE & _BUSY if sequencer.working else reg.STATUS_IDLE) | errors

    def _apply(self) -> None:
        """Make every part follow both registers."""
        parts, mode = self._parts, self._config & reg.CONFIG_MODE
        fetches = mode == reg.CONFIG_MODE_ARM
        ringless, ringed = reg.CONFIG_MODE_TCM, reg.CONFIG_MODE_TCM_RDR
        if self._variant.target_modes_swapped:
            ringless, ringed = ringed, ringless
        results = fetches or mode == ringed
        parts.rings.use(commands=fetches, results=results)
        parts.sequencer.configure(
            runs=not self.direct and not self._config & _RESETS,
            fetches=fetches,
            results=results,
            updates=fetches and bool(self._config & reg.CONFIG_EN_CDR_UPDATE),
        )
        descriptors = self._swapped(reg.CONFIG_SWAP_DESCRIPTORS)
        records = self._swapped(reg.CONFIG_SWAP_SA)
        parts.sequencer.attach(descriptors, records)
        if self.direct:
            parts.core.mount(parts.windows, parts.windows, finds_tags=False)
            parts.interrupts.levels = self._direct_levels
        else:
            parts.core.mount(self._swapped(reg.CONFIG_SWAP_DATA), records)
            parts.interrupts.levels = parts.rings.levels
        swaps = self._config & reg.CONFIG_SWAP_TARGET
        lanes = self._endian >> reg.ENDIAN_CONFIG_TARGET_SHIFT if swaps else NO_SWAP
        self._changed(self.direct, None if lanes == NO_SWAP else lanes)

    def _direct_levels(self) -> int:
        return self._parts.rings.levels() | self._parts.direct.levels()

    def _swapped(self, enable: int) -> DMABus:
        """The bus, through the lanes of a class of data if its swap is enabled."""
        lanes = self._endian & reg.ENDIAN_CONFIG_MASTER
        if not self._config & enable or lanes == NO_SWAP:
            return self._bus
        return SwappingBus(self._bus, lanes)
