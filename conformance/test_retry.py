"""More requests at once than the hardware holds."""

from __future__ import annotations

from collections.abc import Callable

from tcrypt.plan import Plan


def test_retry(tcrypt_plan: Plan, tcrypt_run: Callable[[Plan], None]) -> None:
    tcrypt_run(tcrypt_plan)
