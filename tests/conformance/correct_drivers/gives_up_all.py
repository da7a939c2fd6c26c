"""A device that met a bus error is reset: all that it held is lost, and ends with -ETIMEDOUT."""

from __future__ import annotations

import errno

from toy_accelerator import Device, Driver, Job

from tcrypt.engine.api.machine import Machine


class Fragile(Device):
    def begin(self, job: Job) -> None:
        def still_there() -> None:
            if job in self.waiting:
                super(Fragile, self).finish(job)

        self.finish_later(job, still_there)

    def work(self, job: Job) -> None:
        super().work(job)
        if job.broken:
            for lost in self.waiting:
                lost.broken = True
            self.done.extend(self.waiting)
            self.waiting.clear()


class GivingUp(Driver):
    device_class = Fragile

    def done_task(self) -> None:
        while self.device.done:
            job = self.device.done.popleft()
            self.complete(job.tag, -errno.ETIMEDOUT if job.broken else 0)


def register(machine: Machine) -> None:
    GivingUp(machine).attach()
