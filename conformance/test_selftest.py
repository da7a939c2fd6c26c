"""What the kernel's own self-test says, in the profiles `testmgr` and `testmgr-extra`."""

from __future__ import annotations

from collections.abc import Callable

from tcrypt.plan import Plans


def test_selftest(tcrypt_plans: Plans, tcrypt_run: Callable[[Plans], None]) -> None:
    tcrypt_run(tcrypt_plans)
