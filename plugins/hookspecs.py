"""Hooks that this plugin calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tcrypt.plugins.providers import Providers

__all__ = ("pytest_tcrypt_register",)


@pytest.hookspec
def pytest_tcrypt_register(providers: Providers) -> None:
    """Add providers of algorithms, e.g. `providers.add("mydriver", register)`.

    `register(machine)` is called for every machine that the run boots, and registers algorithms on
    `machine.registry`.  Called once, before collection.
    """
