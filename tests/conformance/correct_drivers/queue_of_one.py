"""A queue for a single request: nearly everything is backlogged or refused."""

from __future__ import annotations

from toy_accelerator import Driver

from tcrypt.engine.api.machine import Machine


class ShortQueue(Driver):
    queue_length = 1


def register(machine: Machine) -> None:
    ShortQueue(machine).attach()
