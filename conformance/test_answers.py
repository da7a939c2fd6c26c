"""What a live Linux kernel answered."""

from __future__ import annotations

from collections.abc import Callable

from tcrypt.plan import Plans


def test_answers(tcrypt_plans: Plans, tcrypt_run: Callable[[Plans], None]) -> None:
    tcrypt_run(tcrypt_plans)
