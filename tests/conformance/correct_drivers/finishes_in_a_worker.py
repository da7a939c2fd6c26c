"""Completion in a work item that disables bottom halves: as good a context as a tasklet."""

from __future__ import annotations

from toy_accelerator import Driver

from tcrypt.engine.api.machine import Machine
from tcrypt.engine.sim import WorkItem


class Worker(Driver):
    def __init__(self, machine: Machine) -> None:
        super().__init__(machine)
        self.item = WorkItem(machine.sim, "toy: finish", lambda: self.softly(self.done_task))

    def interrupt(self) -> None:
        self.irq.set_level(False)
        self.item.queue()


def register(machine: Machine) -> None:
    Worker(machine).attach()
