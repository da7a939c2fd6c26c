"""A fixed walk over the sizes at which drivers break."""

from __future__ import annotations

from collections.abc import Callable

from tcrypt.plan import Plans


def test_boundaries(tcrypt_plans: Plans, tcrypt_run: Callable[[Plans], None]) -> None:
    tcrypt_run(tcrypt_plans)
