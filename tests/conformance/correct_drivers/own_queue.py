"""A queue of the driver's own, and errnos of its own.

A full queue is -EAGAIN for a request that may not be backlogged, a list that is too short -EFAULT.
"""

from __future__ import annotations

import errno

from toy_accelerator import Driver

from tcrypt.engine.api.algorithms import SkcipherAlg
from tcrypt.engine.api.dma import DmaError
from tcrypt.engine.api.machine import Machine
from tcrypt.engine.api.queue import CryptoQueue
from tcrypt.engine.api.requests import SkcipherRequest

_LENGTH = 5


class OwnQueue(Driver):
    waits = _LENGTH

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine)
        self.queue = CryptoQueue(_LENGTH)

    def alg(self) -> SkcipherAlg:
        found = super().alg()
        found.do_one_request = None
        return found

    def enlist(self, alg: SkcipherAlg) -> None:
        self.machine.registry.register(alg)
        # There is no engine on this machine for the suite to see.
        self.engine.exit()
        self.machine.engines.clear()

    def submit(self, request: SkcipherRequest, *, encrypt: bool) -> int:
        for entries in (request.src, request.dst):
            if entries.nents_for_len(request.cryptlen) < 0:
                return -errno.EFAULT
        return super().submit(request, encrypt=encrypt)

    def hand_over(self, request: SkcipherRequest) -> int:
        status = self.queue.enqueue(request)
        self.softly(self.feed)
        return -errno.EAGAIN if status == -errno.ENOSPC else status

    def feed(self) -> None:
        while len(self.queue) and not self.device.full:
            promoted = self.queue.backlog
            request = self.queue.dequeue()
            assert request is not None
            if promoted is not None:
                promoted.complete(promoted.data, -errno.EINPROGRESS)
            try:
                job = self.prepare(request)
            except (DmaError, MemoryError):
                self.release(request.ctx)
                request.complete(request.data, -errno.ENOMEM)
                continue
            self.device.push(job)

    def complete(self, request: SkcipherRequest, status: int) -> None:
        self.release(request.ctx)
        self.leave_iv(request, status)
        request.complete(request.data, status)

    def done_task(self) -> None:
        super().done_task()
        self.feed()


def register(machine: Machine) -> None:
    OwnQueue(machine).attach()
