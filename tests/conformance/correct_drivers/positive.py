"""do_one_request answers a positive number: for the engine that is no error (crypto API, 5.5)."""

from __future__ import annotations

from toy_accelerator import Driver

from tcrypt.engine.api.machine import Machine
from tcrypt.engine.api.requests import SkcipherRequest
from tcrypt.engine.crypto_engine import CryptoEngine


class Positive(Driver):
    def do_one_request(self, engine: CryptoEngine, request: SkcipherRequest) -> int:
        return super().do_one_request(engine, request) or 1


def register(machine: Machine) -> None:
    Positive(machine).attach()
