"""A sound cbc(aes) that writes down every request, in the order in which they come."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from tcrypt.engine.api.flags import AlgType
from tcrypt.engine.api.machine import Machine
from tcrypt.engine.api.requests import SkcipherRequest


def register(machine: Machine) -> None:
    generic: Any = machine.registry.find("cbc(aes-generic)", AlgType.SKCIPHER)
    log = Path(os.environ["REQUEST_LOG"])

    def encrypt(request: SkcipherRequest) -> int:
        with log.open("a") as lines:
            lines.write(request.src.read(request.cryptlen).hex() + "\n")
        status: int = generic.encrypt(request)
        return status

    machine.registry.register(generic.variant(cra_driver_name="cbc-logged", encrypt=encrypt))
