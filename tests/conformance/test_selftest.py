"""What testmgr would say: nothing of correct drivers, its own words of defects it can see."""

from __future__ import annotations

from pathlib import Path

import pytest

from tcrypt.mutants import all_mutants
from tcrypt.plugins.discovery import discover
from tcrypt.plugins.hunt import Prey
from tcrypt.plugins.providers import Providers
from tcrypt.plugins.side_by_side import figures, self_tested
from tcrypt.selftest import CONFIGS, HASH_CONFIGS, self_test
from tcrypt.vectors.catalogue import Catalogue
from tcrypt.watchdog import Watchdog


@pytest.fixture(scope="module")
def providers() -> Providers:
    found = Providers()
    found.add_entry_points()
    return found


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.load()


def test_it_has_the_eight_and_the_nine_configurations_of_linux_6_1() -> None:
    assert (len(CONFIGS), len(HASH_CONFIGS)) == (8, 9)
    assert CONFIGS[-1].name == "misaligned splits crossing pages, inplace"
    assert HASH_CONFIGS[-1].name == "import/export"


@pytest.mark.parametrize("algorithm", ["cbc(aes)", "ecb(des)", "hmac(sha1)", "sha256"])
def test_correct_drivers_pass(providers: Providers, catalogue: Catalogue, algorithm: str) -> None:
    watchdog = Watchdog(10.0)
    chosen = [one for one in providers if one.name in ("eip93-mt7621", "software")]
    subjects = [s for s in discover(chosen, watchdog)[0] if s.algorithm == algorithm]
    assert subjects
    for subject in subjects:
        with watchdog.watching(subject.id):
            assert self_test(subject, catalogue, watchdog) is None, subject.id


@pytest.mark.parametrize(
    ("name", "outcome", "says"),
    [
        ("IV-01", "killed", "wrong output IV"),
        ("SG-09", "killed", ""),
        ("CTR-03", "survived", ""),
    ],
)
def test_it_sees_what_its_vectors_and_assertions_can_see(
    providers: Providers, catalogue: Catalogue, name: str, outcome: str, says: str
) -> None:
    mutant = next(m for m in all_mutants() if m.id == name)
    found = self_tested(mutant, Prey(), providers, catalogue)
    assert found.outcome == outcome, found
    assert says in found.message
    assert figures([found], [found])["testmgr"] == (outcome == "killed")


def test_the_table_has_every_defect_once_and_its_figures_are_its_rows() -> None:
    text = (Path(__file__).parents[2] / "docs" / "testmgr.md").read_text()
    _, _, table = text.partition("| id |")
    rows = [line.split(" | ") for line in table.splitlines()[2:]]
    assert [row[0].lstrip("| ") for row in rows] == [m.id for m in all_mutants()]
    counts = [sum(row[1].startswith(w) for row in rows) for w in ("verdict", "hang", "crash")]
    figures_told = (
        f"Of the {len(rows)} defects that are planted here, testmgr catches {sum(counts)}:"
        f" {counts[0]} by a verdict, {counts[1]} by a hang, {counts[2]} by a crash."
    )
    assert figures_told in text.replace("\n", " ")
