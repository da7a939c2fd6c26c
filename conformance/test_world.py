"""Random programs of a whole machine."""

from __future__ import annotations

from collections.abc import Callable

from tcrypt.plan import Plans


def test_world(tcrypt_plans: Plans, tcrypt_run: Callable[[Plans], None]) -> None:
    tcrypt_run(tcrypt_plans)
