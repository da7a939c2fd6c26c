"""cbc(aes) that leaves the IV as it was: one clear defect that needs no other one."""

from __future__ import annotations

from tcrypt.engine.api.machine import Machine
from tcrypt.engine.api.requests import SkcipherRequest
from tcrypt.engine.software.skcipher import skcipher_algs


def register(machine: Machine) -> None:
    generic = skcipher_algs()[1]

    def encrypt(request: SkcipherRequest) -> int:
        assert request.iv is not None
        iv = request.iv.read()
        status = generic.encrypt(request)
        request.iv.write(iv)
        return status

    machine.registry.register(generic.variant(cra_driver_name="cbc-wrong-iv", encrypt=encrypt))
