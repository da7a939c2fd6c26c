"""The one processor of a simulated machine: in which context it runs, and what is switched off."""

from __future__ import annotations

from tcrypt.engine.events import AtomicSleepError, Context, SimulationError

__all__ = ("Processor",)

# A name of the module is found faster than a member of an enumeration.
_SOFTIRQ, _HARDIRQ, _DEVICE = Context.SOFTIRQ, Context.HARDIRQ, Context.DEVICE


class Processor:
    """Contexts, and sections in which something is disabled; sections of every kind nest.

    Attributes:
        context: the context of the running code.
        no_sleep: whether the running code works for a caller who did not allow it to sleep.
    """

    def __init__(self) -> None:
        self.context = Context.TASK
        self.no_sleep = False
        self._bh_disabled = 0
        self._irqs_disabled = 0
        self._preemption_disabled = 0

    @property
    def in_atomic(self) -> bool:
        """Whether the running code may not sleep: softirq, hardirq, or something disabled."""
        disabled = self._bh_disabled or self._irqs_disabled or self._preemption_disabled
        return disabled > 0 or self.context is _SOFTIRQ or self.context is _HARDIRQ

    @property
    def in_softirq(self) -> bool:
        """Whether completion callbacks may be called: softirq, or bottom halves disabled."""
        return self.context is _SOFTIRQ or self._bh_disabled > 0

    @property
    def irqs_disabled(self) -> bool:
        """Whether no interrupt strikes: the running code is between save and restore."""
        return self._irqs_disabled > 0

    @property
    def disabled(self) -> str:
        """What is switched off now, in words; empty for nothing."""
        counts = {
            "bottom halves": self._bh_disabled,
            "interrupts": self._irqs_disabled,
            "preemption": self._preemption_disabled,
        }
        return ", ".join(name for name, count in counts.items() if count)

    def local_bh_disable(self) -> None:
        """Enter a section with bottom halves disabled; sections nest."""
        self._bh_disabled += 1

    def local_bh_enable(self) -> None:
        """Leave a section entered with `local_bh_disable`."""
        if not self._bh_disabled:
            raise SimulationError("local_bh_enable without local_bh_disable")
        self._bh_disabled -= 1

    def local_irq_save(self) -> None:
        """Enter a section that no interrupt strikes; sections nest."""
        self._irqs_disabled += 1

    def local_irq_restore(self) -> None:
        """Leave a section entered with `local_irq_save`."""
        if not self._irqs_disabled:
            raise SimulationError("local_irq_restore without local_irq_save")
        self._irqs_disabled -= 1

    def preempt_disable(self) -> None:
        """Enter a section in which no other task or work item runs; sections nest."""
        self._preemption_disabled += 1

    def preempt_enable(self) -> None:
        """Leave a section entered with `preempt_disable`."""
        if not self._preemption_disabled:
            raise SimulationError("preempt_enable without preempt_disable")
        self._preemption_disabled -= 1

    def lock_out(self) -> None:
        """Enter a section that no interrupt strikes and in which nothing else runs: both at once.

        A spinlock does this for every descriptor, so it is one call.
        """
        self._irqs_disabled += 1
        self._preemption_disabled += 1

    def let_in(self) -> None:
        """Leave a section entered with `lock_out`."""
        if not (self._irqs_disabled and self._preemption_disabled):
            raise SimulationError("let_in without lock_out")
        self._irqs_disabled -= 1
        self._preemption_disabled -= 1

    def may_strike(self, context: Context) -> bool:
        """Whether an event of `context` can run inside of the running callback.

        The device always works on; an interrupt strikes unless interrupts are off; softirqs run
        when it returns, where nothing atomic runs; tasks and work items only displace each other.
        """
        if context is _DEVICE:
            return True
        if self._irqs_disabled or self.context is _HARDIRQ:
            return False
        return context is _HARDIRQ or (
            not self._bh_disabled
            and self.context is not _SOFTIRQ
            and (context is _SOFTIRQ or not self._preemption_disabled)
        )

    def might_sleep(self, what: str) -> None:
        """Raise AtomicSleepError when the running context must not sleep."""
        if self.in_atomic:
            raise AtomicSleepError(f"{what} sleeps in {self.context.value} context")
        if self.no_sleep:
            raise AtomicSleepError(f"{what} sleeps for a request without MAY_SLEEP")
