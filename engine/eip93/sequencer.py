"""The main state machine: take a command descriptor, let the core work, write the result.

Strictly in order, one packet at a time.  A packet takes one simulation event: descriptor and SA
record are read when the packet begins, everything else happens when its time is over.  With
`Latency.IMMEDIATE` both happen inside the register write that started it.

In autonomous ring mode commands come from the ring; in target command mode the host writes them
to the descriptor registers.  Results go to the result ring, or stay in those registers.

The bus and the interrupt line may lead back here, when what answers them writes a register at
once: nothing begins while a packet is handled, and a packet that was reset meanwhile is dropped.

Source: Analog Devices PKTE chapter, "Autonomous Ring Mode", "Target Command Mode" and "Descriptor
Ownership".
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.fetching import REFETCHES, Fetcher
from tcrypt.engine.eip93.halting import Halting
from tcrypt.engine.eip93.interrupts import InterruptBlock
from tcrypt.engine.eip93.lanes import DMABus
from tcrypt.engine.eip93.operations import Outcome, PacketCore
from tcrypt.engine.eip93.plan import Plan
from tcrypt.engine.eip93.publishing import IDLE_WORDS
from tcrypt.engine.eip93.rings import Rings
from tcrypt.engine.eip93.variants import Variant
from tcrypt.engine.sim import BusError, Context, Simulation

__all__ = ("Latency", "Sequencer")

_OWNERSHIP: Final = 3
_ENGINE_OWNS: Final = 1
_NS: Final = 1_000_000_000


class Latency(enum.Enum):
    """When a packet is done."""

    SIMULATED = "simulated"  # after the time that the variant's timing gives
    IMMEDIATE = "immediate"  # inside the register write that started it


class Sequencer(Fetcher):
    """The state machine of one device.

    Attributes:
        halting: The halt mode.
    """

    def __init__(
        self,
        sim: Simulation,
        bus: DMABus,
        rings: Rings,
        interrupts: InterruptBlock,
        core: PacketCore,
        variant: Variant,
        latency: Latency,
    ) -> None:
        self._immediate = latency is Latency.IMMEDIATE
        self._ns = _NS / variant.clock_hz
        interrupt_ns = 0 if self._immediate else int(variant.timing.interrupt * self._ns)
        super().__init__(sim, bus, rings, interrupts, core, variant, interrupt_ns)
        self.halting = Halting(interrupts)
        self._busy = False
        self._set_defaults()

    def _set_defaults(self) -> None:
        self.window = IDLE_WORDS
        self.sa = bytes(reg.SA_BYTES)
        self._fetches = False
        self._running = False
        self._stopped = False
        self.halting.reset()
        self.abort()

    def abort(self) -> None:
        """Drop the packet in work; its command stays counted unless the rings are reset too."""
        self._tries = 0
        self._epoch += 1
        if self._event is not None:
            self._event.cancel()
            self._event = None

    def reset(self) -> None:
        """Power-on reset; what is still on its way to memory is lost."""
        self.results.reset()
        self._set_defaults()

    def restart(self) -> None:
        """RST_PE: forget an error that stopped the engine, and the descriptor's control words."""
        self._stopped = False
        self.window = (IDLE_WORDS[0], *self.window[1:7], IDLE_WORDS[7])

    def configure(self, *, runs: bool, fetches: bool, results: bool, updates: bool) -> None:
        """Say whether packets may begin, and where commands come from and results go.

        Args:
            runs: whether the mode is one of this state machine's, and no reset lasts.
            fetches: commands come from the command ring.
            results: results go to the result ring.
            updates: processed commands are marked in the command ring.
        """
        self._fetches = fetches
        self.results.configure(writes=results, updates=updates)
        self._running = runs and not self._stopped

    @property
    def working(self) -> bool:
        """Whether a packet is in work."""
        return self._event is not None

    @property
    def neglected(self) -> int:
        """How many commands wait although the next packet could begin, and none is in work."""
        able = self._running and self._rings.ready and self.halting.steps is None
        return self._rings.commands if able and not self.working and not self._tries else 0

    # Registers.

    def doorbell(self, value: int) -> None:
        """PE_CD_COUNT, written: count commands in and begin to work."""
        self._rings.add_commands(value)
        self._tries = 0
        self.kick()

    def take_results(self, value: int) -> None:
        """PE_RD_COUNT, written: a full result ring has room again."""
        stalled = self._rings.full
        self._rings.take_results(value)
        if stalled:
            self.kick()

    def proceed(self, _value: int) -> None:
        """CONTINUE, written: leave a halt."""
        if not self.halting.halted:
            return
        self._busy = True
        try:
            self.halting.walk()
        finally:
            self._busy = False
        self.kick()

    # Packets.

    def kick(self) -> None:
        """Begin the next packet if the engine can take one."""
        while (
            self._rings.ready
            and self._event is None
            and self._running
            and self._tries <= REFETCHES
            and not self._busy
            and self.halting.steps is None
        ):
            self._busy = True
            try:
                self._begin(self._epoch)
            finally:
                self._busy = False

    def _begin(self, epoch: int) -> None:
        words = self._command()
        if words is None:
            return
        self.window = words
        if self.halting.enabled:
            self.halting.begin(self._in_steps(words, epoch))
        elif words[0] & _OWNERSHIP != _ENGINE_OWNS:
            self._refuse(epoch, words, reg.ERR_DESCRIPTOR)
        else:
            self._start(epoch, words)

    def _start(self, epoch: int, words: tuple[int, ...]) -> None:
        """Fetch the SA record and let the time of the packet pass."""
        plan = self._plan(words)
        if epoch != self._epoch:
            return
        if plan is None:
            self._refuse(epoch, words, reg.ERR_BUS)
            return
        sa = self.sa
        if self._immediate:
            self._publish(epoch, words, self._core.run(plan, words, sa))
            return
        blocks = (words[7] & reg.LENGTH_BYTES) + 15 >> 4
        self._event = self._sim.schedule(
            int((plan.fixed + blocks * plan.clocks) * self._ns),
            Context.DEVICE,
            "eip93 packet",
            partial(self._work, epoch, words, plan, sa),
        )

    def _work(self, epoch: int, words: tuple[int, ...], plan: Plan, sa: bytes) -> None:
        """The time of a packet is over."""
        self._event = None
        self._busy = True
        try:
            self._publish(epoch, words, self._core.run(plan, words, sa))
        finally:
            self._busy = False
        self.kick()

    def _refuse(self, epoch: int, words: tuple[int, ...], status: int) -> None:
        """Publish a packet that ends with its descriptor."""
        outcome = Outcome(status, 0, 0)
        clocks = self._variant.timing.descriptor
        self.after(clocks, partial(self._publish, epoch, words, outcome))

    def after(self, clocks: float, complete: Callable[[], None]) -> None:
        """Let time pass, then call a function while nothing else begins."""
        if self._immediate:
            complete()
            return
        self._event = self._sim.schedule(
            int(clocks * self._ns),
            Context.DEVICE,
            "eip93 packet",
            partial(self._complete, complete),
        )

    def _complete(self, complete: Callable[[], None]) -> None:
        self._event = None
        self._busy = True
        try:
            complete()
        finally:
            self._busy = False
        self.kick()

    def _in_steps(self, words: tuple[int, ...], epoch: int) -> Iterator[tuple[int, int]]:
        """Handle a packet; after each step, the bit that halts there and the state then."""
        yield reg.HALT_AFTER_COMMAND, reg.MAIN_STATE_HALT_COMMAND
        if words[0] & _OWNERSHIP != _ENGINE_OWNS:
            outcome = Outcome(reg.ERR_DESCRIPTOR, 0, 0)
        elif (plan := self._plan(words)) is None:
            outcome = Outcome(reg.ERR_BUS, 0, 0)
        else:
            yield reg.HALT_AFTER_SA, reg.MAIN_STATE_HALT_SA
            self._core.hold()
            outcome = self._core.run(plan, words, self.sa)
            yield reg.HALT_AFTER_DATA, reg.MAIN_STATE_HALT_DATA
            try:
                self._core.commit()
            except BusError as error:
                self._core.faults.stray(error)
                outcome = Outcome(reg.ERR_BUS, 0, 0)
            yield reg.HALT_AFTER_SA_WRITE, reg.MAIN_STATE_HALT_SA_WRITE
        self._publish(epoch, words, outcome)
        yield reg.HALT_AFTER_RESULT, reg.MAIN_STATE_HALT_RESULT
