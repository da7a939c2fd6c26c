"""The table of edge cases of eip93, section 8, as a whole: every number has a test."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

_HERE = Path(__file__).parent
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
