"""Which keys are accepted, and with which errno the rest is refused."""

from __future__ import annotations

from collections.abc import Callable

from tcrypt.plan import Plan


def test_keys(tcrypt_plan: Plan, tcrypt_run: Callable[[Plan], None]) -> None:
    tcrypt_run(tcrypt_plan)
