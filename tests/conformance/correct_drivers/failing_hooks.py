"""A prepare hook that fails as the kernel lets it; the engines before 6.6 do not survive that."""

from __future__ import annotations

import errno

from prepare_hooks import SEMANTICS, Hooks

from tcrypt.engine.api.machine import Machine
from tcrypt.engine.api.requests import SkcipherRequest
from tcrypt.engine.crypto_engine import CryptoEngine

__all__ = ("SEMANTICS", "register")


class FailingHooks(Hooks):
    def map_all(self, engine: CryptoEngine, request: SkcipherRequest) -> int:
        super().map_all(engine, request)
        if request.ctx.job is not None:
            return 0
        self.release(request.ctx)
        return -errno.ENOMEM


def register(machine: Machine) -> None:
    FailingHooks(machine).attach()
