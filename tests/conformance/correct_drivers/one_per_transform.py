"""A transform has one request at the device; others overtake those that wait for it in a list.

The engine is never told to wait, for the driver takes whatever it is given.
"""

from __future__ import annotations

import errno
from collections import deque

from toy_accelerator import Driver

from tcrypt.engine.api.dma import DmaError
from tcrypt.engine.api.machine import Machine
from tcrypt.engine.api.requests import SkcipherRequest
from tcrypt.engine.api.transforms import Skcipher
from tcrypt.engine.crypto_engine import CryptoEngine


class OnePerTransform(Driver):
    def __init__(self, machine: Machine) -> None:
        super().__init__(machine)
        self.busy: set[Skcipher] = set()
        self.held: deque[SkcipherRequest] = deque()

    def do_one_request(self, engine: CryptoEngine, request: SkcipherRequest) -> int:
        self.held.append(request)
        self.softly(self.feed)
        return 0

    def feed(self) -> None:
        for request in list(self.held):
            if self.device.full:
                return
            if request.tfm in self.busy:
                continue
            self.held.remove(request)
            try:
                job = self.prepare(request)
            except (DmaError, MemoryError):
                self.release(request.ctx)
                self.engine.finalize(request, -errno.EINVAL)
                continue
            self.busy.add(request.tfm)
            self.device.push(job)

    def complete(self, request: SkcipherRequest, status: int) -> None:
        self.busy.discard(request.tfm)
        super().complete(request, status)

    def done_task(self) -> None:
        super().done_task()
        self.feed()


def register(machine: Machine) -> None:
    OnePerTransform(machine).attach()
