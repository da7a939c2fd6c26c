"""A bare machine, without any algorithm."""

from __future__ import annotations

import pytest

from tcrypt.engine.api.machine import Machine


@pytest.fixture
def machine() -> Machine:
    return Machine()
