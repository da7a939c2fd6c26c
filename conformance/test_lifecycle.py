"""Taking a driver off its device, and putting it on again."""

from __future__ import annotations

from collections.abc import Callable

from tcrypt.plan import Plans


def test_lifecycle(tcrypt_plans: Plans, tcrypt_run: Callable[[Plans], None]) -> None:
    tcrypt_run(tcrypt_plans)
