"""An algorithm that neither vectors nor the oracle know: bytes are turned around."""

from __future__ import annotations

from tcrypt.engine.api.algorithms import SkcipherAlg
from tcrypt.engine.api.machine import Machine
from tcrypt.engine.api.requests import SkcipherRequest
from tcrypt.engine.api.transforms import Skcipher


def _setkey(tfm: Skcipher, key: bytearray) -> int:
    return 0


def _crypt(request: SkcipherRequest) -> int:
    request.dst.write(request.src.read(request.cryptlen)[::-1])
    return 0


def register(machine: Machine) -> None:
    machine.registry.register(
        SkcipherAlg(
            cra_name="turn(toy)",
            cra_driver_name="turn-toy",
            cra_priority=100,
            min_keysize=1,
            max_keysize=8,
            setkey=_setkey,
            encrypt=_crypt,
            decrypt=_crypt,
        )
    )
