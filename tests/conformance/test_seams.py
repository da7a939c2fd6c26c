"""The seams that others plant their defects at exist under the names of the document."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tcrypt.mutants.seams import replaced

_DOCUMENT = Path(__file__).parents[2] / "docs" / "mutants.md"


def seams() -> Iterator[tuple[str, str]]:
    for row in _DOCUMENT.read_text("utf-8").partition("## Seams")[2].splitlines():
        cells = [cell.strip() for cell in row.split("|")]
        if len(cells) <= 4:
            continue
        classes = re.findall(r"^`(tcrypt[\w.]+\.[A-Z]\w+)`$", cells[2])
        modules = re.findall(r"`(tcrypt[\w.]+)`", cells[2]) if "module" in cells[2] else []
        for owner in classes or modules:
            for name in re.findall(r"`(\w+)`", cells[3]):
                yield owner, name


def test_document_names_many_seams() -> None:
    assert len(list(seams())) > 80


@pytest.mark.parametrize(("owner", "name"), list(seams()))
def test_seam_exists(owner: str, name: str) -> None:
    module, _, kind = owner.rpartition(".")
    place = getattr(importlib.import_module(module), kind, None)
    assert hasattr(place or importlib.import_module(owner), name)


class Base:
    def method(self) -> str:
        return "right"


class Derived(Base):
    pass


def test_what_a_class_inherits_is_replaced_for_it_alone() -> None:
    with replaced((Derived, "method", lambda self: "wrong")):
        assert (Base().method(), Derived().method()) == ("right", "wrong")
    assert Derived().method() == "right"
    assert "method" not in vars(Derived)


def test_two_changes_of_one_place_are_undone_in_turn() -> None:
    original = vars(Base)["method"]
    with replaced((Base, "method", lambda self: "one"), (Base, "method", lambda self: "two")):
        assert Base().method() == "two"
    assert vars(Base)["method"] is original
