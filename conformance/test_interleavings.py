"""Every schedule of small worlds."""

from __future__ import annotations

from collections.abc import Callable

from tcrypt.plan import Plan


def test_interleavings(tcrypt_plan: Plan, tcrypt_run: Callable[[Plan], None]) -> None:
    tcrypt_run(tcrypt_plan)
