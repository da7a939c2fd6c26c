"""Every check has found planted defects, and the table that says so has the registry's numbers."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from tcrypt.mutants import all_mutants
from tcrypt.plugins.agenda import CHECKS

_TABLE = (Path(__file__).parents[2] / "docs" / "mutants.md").read_text()
_ROWS = {
    check: (meant, int(killed.group()) if (killed := re.search(r"[0-9]+", alone)) else None)
    for check, meant, alone in re.findall(r"^\| `(\w+)` \| (\w+) \| (.+) \|$", _TABLE, re.M)
}
# The kernel's own self-test is no check of ours.
_OURS = set(CHECKS) - {"selftest"}


def test_each_check_has_a_row() -> None:
    assert set(_ROWS) == _OURS


def test_the_defects_that_are_meant_for_a_check_are_counted() -> None:
    meant = Counter(mutant.place.check for mutant in all_mutants())
    assert {check: row[0] for check, row in _ROWS.items()} == {
        check: str(meant[check]) if meant[check] else "none" for check in _OURS
    }


def test_what_is_meant_for_no_defect_has_found_some_all_the_same() -> None:
    found = {check: killed for check, (meant, killed) in _ROWS.items() if meant == "none"}
    assert found
    assert all(found.values())
