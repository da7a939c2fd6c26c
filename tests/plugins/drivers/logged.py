"""A sound cbc(aes) that writes down every request, in the order in which they come."""

from __future__ import annotations

import os
from pathlib import Path

from tcrypt.engine.api.machine import Machine
from tcrypt.engine.api.requests import SkcipherRequest
from tcrypt.engine.software.skcipher import skcipher_algs


def register(machine: Machine) -> None:
    generic = skcipher_algs()[1]
    log = Path(os.environ["REQUEST_LOG"])

    def encrypt(request: SkcipherRequest) -> int:
        with log.open("a") as lines:
            lines.write(request.src.read(request.cryptlen).hex() + "\n")
        return generic.encrypt(request)

    machine.registry.register(generic.variant(cra_driver_name="cbc-logged", encrypt=encrypt))
