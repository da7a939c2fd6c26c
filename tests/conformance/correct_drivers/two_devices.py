"""Two devices, each with its line and its engine: requests of one transform go to both in turn."""

from __future__ import annotations

from toy_accelerator import Driver

from tcrypt.engine.api.algorithms import SkcipherAlg
from tcrypt.engine.api.machine import Accelerator, Machine
from tcrypt.engine.api.requests import SkcipherRequest
from tcrypt.engine.crypto_engine import CryptoEngine


class Pair(Driver):
    """The first of the two; the second one only works."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine)
        self.other = Driver(machine)
        self.turn = 0

    def enlist(self, alg: SkcipherAlg) -> None:
        super().enlist(alg)
        self.machine.attach(
            Accelerator(
                name="the other toy",
                jobs=lambda: self.other.device.jobs,
                supports=lambda algorithm, size: size == 16,
                depth=4,
            )
        )

    def hand_over(self, request: SkcipherRequest) -> int:
        self.turn += 1
        driver: Driver = self.other if self.turn % 2 else self
        return driver.engine.transfer(request)

    def do_one_request(self, engine: CryptoEngine, request: SkcipherRequest) -> int:
        if engine is self.other.engine:
            return self.other.do_one_request(engine, request)
        return super().do_one_request(engine, request)


def register(machine: Machine) -> None:
    Pair(machine).attach()
