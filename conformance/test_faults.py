"""What goes wrong around a driver: interrupts, memory, mappings, buses, fallbacks."""

from __future__ import annotations

from collections.abc import Callable

from tcrypt.plan import Plans


def test_faults(tcrypt_plans: Plans, tcrypt_run: Callable[[Plans], None]) -> None:
    tcrypt_run(tcrypt_plans)
