"""cbc(aes) that leaves the IV as it was: one clear defect that needs no other one."""

from __future__ import annotations

from typing import Any

from tcrypt.engine.api.flags import AlgType
from tcrypt.engine.api.machine import Machine
from tcrypt.engine.api.requests import SkcipherRequest


def register(machine: Machine) -> None:
    generic: Any = machine.registry.find("cbc(aes-generic)", AlgType.SKCIPHER)

    def encrypt(request: SkcipherRequest) -> int:
        assert request.iv is not None
        iv = request.iv.read()
        status: int = generic.encrypt(request)
        request.iv.write(iv)
        return status

    machine.registry.register(generic.variant(cra_driver_name="cbc-wrong-iv", encrypt=encrypt))
