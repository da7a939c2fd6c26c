"""Jobs run side by side and finish in any order: the kernel promises the order of starts only."""

from __future__ import annotations

from toy_accelerator import Device, Driver, Job

from tcrypt.engine.api.machine import Machine


class Lanes(Device):
    """Every job has a lane of its own, and takes as long as its size."""

    def push(self, job: Job) -> None:
        self.waiting.append(job)
        self.begin(job)

    def finish(self, job: Job) -> None:
        self.waiting.remove(job)
        self.work(job)
        self.done.append(job)
        self.irq.set_level(True)


class LanesDriver(Driver):
    device_class = Lanes


def register(machine: Machine) -> None:
    LanesDriver(machine).attach()
