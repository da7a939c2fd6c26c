"""A fixed walk over the sizes at which drivers break."""

from __future__ import annotations

from collections.abc import Callable

from tcrypt.plan import Plan


def test_boundaries(tcrypt_plan: Plan, tcrypt_run: Callable[[Plan], None]) -> None:
    tcrypt_run(tcrypt_plan)
