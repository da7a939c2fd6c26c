"""Published known answers."""

from __future__ import annotations

from collections.abc import Callable

from tcrypt.plan import Plans


def test_vectors(tcrypt_plans: Plans, tcrypt_run: Callable[[Plans], None]) -> None:
    tcrypt_run(tcrypt_plans)
