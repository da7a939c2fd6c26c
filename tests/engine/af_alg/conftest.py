from __future__ import annotations

from collections.abc import Iterator

import pytest

from tcrypt.engine import software
from tcrypt.engine.af_alg import AlgSocket
from tcrypt.engine.api.machine import Machine


@pytest.fixture
def machine() -> Machine:
    machine = Machine()
    software.register(machine)
    return machine


@pytest.fixture
def socket(machine: Machine) -> Iterator[AlgSocket]:
    with AlgSocket(machine) as socket:
        yield socket
