"""Which keys are accepted, and with which errno the rest is refused."""

from __future__ import annotations

from collections.abc import Callable

from tcrypt.plan import Plans


def test_keys(tcrypt_plans: Plans, tcrypt_run: Callable[[Plans], None]) -> None:
    tcrypt_run(tcrypt_plans)
