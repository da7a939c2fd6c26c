"""The table of edge cases of eip93, section 8, as a whole: tests, and defects that are planted."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

from tcrypt import mutants
from tcrypt.mutants.places import PLACES

_HERE = Path(__file__).parent
_DOCUMENT = _HERE.parents[3] / "docs" / "edge-cases.md"
_NAME = re.compile(r"test_case_(\d+)_")


def numbered() -> Counter[int]:
    """How many tests each number has, as the modules beside this one define them."""
    found: Counter[int] = Counter()
    for path in sorted(_HERE.glob("test_edge_cases_*.py")):
        for node in ast.parse(path.read_text("utf-8")).body:
            name = _NAME.match(node.name) if isinstance(node, ast.FunctionDef) else None
            if name:
                found[int(name[1])] += 1
    return found


def test_each_of_the_75_cases_has_a_test() -> None:
    assert sorted(numbered()) == list(range(1, 76))


def test_numbered_cases_stand_in_these_modules_alone() -> None:
    """So that nobody looks for one of them elsewhere, or writes it again."""
    others = [path for path in _HERE.glob("*.py") if not path.name.startswith("test_edge_cases")]
    assert others
    pattern = re.compile(r"def test_(edge_)?cases?_\d")
    assert [path.name for path in others if pattern.search(path.read_text("utf-8"))] == []


_ROW = re.compile(r"\| (\d+) \| ([^|]+) \| ([^|]+) \|$")
_NAMED = re.compile(r"\(([A-Z]+-\d\d[a-z]?)\)")


def planted() -> dict[int, list[str]]:
    """The defects that the document names for each case."""
    rows = map(_ROW.match, _DOCUMENT.read_text("utf-8").splitlines())
    return {int(row[1]): row[3].split(", ") for row in rows if row}


# Rows of the table that tell of a driver's mistake: a wrong answer, a hang, or a crash.
_KNOWN = (1, 2, 4, 10, 11, 15, 19, 25, 26, 29, 30, 31, 32, 33, 34, 36, 39, 41, 43, 44, 46)
_KNOWN += (58, 68, 70, 71, 72, 74, 75)


@pytest.mark.skipif(not _DOCUMENT.exists(), reason="the documents are in the checkout only")
def test_every_mistake_of_a_known_driver_is_planted() -> None:
    found = planted()
    assert set(_KNOWN) <= found.keys() <= set(range(1, 76))
    known = {mutant.id for mutant in mutants.all_mutants()}
    assert {name for names in found.values() for name in names} <= known


@pytest.mark.skipif(not _DOCUMENT.exists(), reason="the documents are in the checkout only")
def test_every_defect_of_the_document_has_a_check_that_is_meant_for_it() -> None:
    """tests/conformance/test_mutants.py sees that check fail."""
    text = _DOCUMENT.read_text("utf-8")
    named = {name for names in planted().values() for name in names} | {*_NAMED.findall(text)}
    assert [name for name in sorted(named) if not PLACES[name].check] == []
