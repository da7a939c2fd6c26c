"""A provider that fails while it registers."""

from __future__ import annotations

from tcrypt.engine.api.machine import Machine


def register(machine: Machine) -> None:
    raise RuntimeError("no such bus")
