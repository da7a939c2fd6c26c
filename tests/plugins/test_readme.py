"""The README names everything that can be chosen, and nothing else."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tcrypt.engine.semantics import PROFILES as SEMANTICS
from tcrypt.plugins.agenda import CHECKS
from tcrypt.plugins.options import option_names
from tcrypt.settings import PROFILES

_ROOT = Path(__file__).parents[2]
_README = (_ROOT / "README.md").read_text(encoding="utf-8")
_PROJECT = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))
_PROVIDERS = _PROJECT["project"]["entry-points"]["tcrypt.providers"]


def _first_column(heading: str) -> list[str]:
    """The names in the first column of the table under a heading."""
    table = _README.split(f"\n| {heading} |", 1)[1].split("\n\n", 1)[0]
    cells = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`(?:--)?(.+?)`", cell)]


@pytest.mark.parametrize(
    ("heading", "names"),
    [("provider", _PROVIDERS), ("check", CHECKS), ("option", option_names())],
)
def test_table_has_a_row_for_each(heading: str, names: list[str]) -> None:
    assert sorted(_first_column(heading)) == sorted(names)


@pytest.mark.parametrize("name", [*SEMANTICS, *PROFILES])
def test_value_is_offered(name: str) -> None:
    assert f"`{name}`" in _README


@pytest.mark.parametrize("command", ["run", "list", "answers", "expect", "report"])
def test_command_is_shown(command: str) -> None:
    assert re.search(rf"^tcrypt {command}\b", _README, re.MULTILINE)


def test_documents_that_it_leads_to_exist() -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", _README)
    assert len(targets) > 5
    assert [target for target in targets if not (_ROOT / target).exists()] == []
