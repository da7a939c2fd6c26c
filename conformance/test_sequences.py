"""What one request, key or transform leaves behind for the next."""

from __future__ import annotations

from collections.abc import Callable

from tcrypt.plan import Plans


def test_sequences(tcrypt_plans: Plans, tcrypt_run: Callable[[Plans], None]) -> None:
    tcrypt_run(tcrypt_plans)
