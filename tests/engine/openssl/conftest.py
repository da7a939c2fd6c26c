"""A machine with the generics and the drivers on OpenSSL, and a caller on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tcrypt.engine import openssl, software
from tcrypt.engine.api.machine import Machine

if TYPE_CHECKING:
    from tests.engine.conftest import Caller


@pytest.fixture
def caller(make_caller: Callable[[Machine], Caller]) -> Caller:
    machine = Machine()
    software.register(machine)
    openssl.register(machine)
    return make_caller(machine)
