"""What one request, key or transform leaves behind for the next."""

from __future__ import annotations

from collections.abc import Callable

from tcrypt.plan import Plan


def test_sequences(tcrypt_plan: Plan, tcrypt_run: Callable[[Plan], None]) -> None:
    tcrypt_run(tcrypt_plan)
