"""What the kernel's own self-test says, in the profiles `testmgr` and `testmgr-extra`."""

from __future__ import annotations

from collections.abc import Callable

from tcrypt.plan import Plan


def test_selftest(tcrypt_plan: Plan, tcrypt_run: Callable[[Plan], None]) -> None:
    tcrypt_run(tcrypt_plan)
