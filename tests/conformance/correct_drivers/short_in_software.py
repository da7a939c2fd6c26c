"""Without retry support, and short requests are done at once in software, with no callback."""

from __future__ import annotations

from toy_accelerator import Driver

from tcrypt.engine.api.machine import Machine


class Mixed(Driver):
    retry_support = False
    shortest = 33


def register(machine: Machine) -> None:
    Mixed(machine).attach()
