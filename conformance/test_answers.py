"""What a live Linux kernel answered."""

from __future__ import annotations

from collections.abc import Callable

from tcrypt.plan import Plan


def test_answers(tcrypt_plan: Plan, tcrypt_run: Callable[[Plan], None]) -> None:
    tcrypt_run(tcrypt_plan)
