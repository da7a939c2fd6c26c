"""An engine without retry support, which gives the driver one request at a time."""

from __future__ import annotations

from toy_accelerator import Driver

from tcrypt.engine.api.machine import Machine


class OneAtATime(Driver):
    retry_support = False


def register(machine: Machine) -> None:
    OneAtATime(machine).attach()
