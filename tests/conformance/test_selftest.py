"""What testmgr would say: nothing of correct drivers, its own words of defects it can see."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import pytest

from tcrypt.engine.templates import gcm
from tcrypt.mutants import all_mutants
from tcrypt.plugins.discovery import discover
from tcrypt.plugins.hunt import Prey
from tcrypt.plugins.providers import Providers
from tcrypt.plugins.side_by_side import figures, self_tested
from tcrypt.selftest import Extra, SelfTest, Verdict, self_test, vectors_of
from tcrypt.selftest.configs import CONFIGS, HASH_CONFIGS
from tcrypt.selftest.generic import generic_name
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
    assert figures({"testmgr": [found]}, [found])["testmgr"] == (outcome == "killed")


def test_the_table_has_every_defect_once_and_its_figures_are_its_rows() -> None:
    text = (Path(__file__).parents[2] / "docs" / "testmgr.md").read_text()
    _, _, table = text.partition("| id |")
    rows = [line.split(" | ") for line in table.splitlines()[2:]]
    assert [row[0].lstrip("| ") for row in rows] == [m.id for m in all_mutants()]
    default, extra = (
        [sum(row[n].startswith(w) for row in rows) for w in ("verdict", "hang", "crash")]
        for n in (1, 2)
    )
    figures_told = (
        f"Of the {len(rows)} defects that are planted here, testmgr catches {sum(default)}:"
        f" {default[0]} by a verdict, {default[1]} by a hang, {default[2]} by a crash."
        f" With its extra tests it catches {sum(extra)}:"
        f" {extra[0]} by a verdict, {extra[1]} by a hang, {extra[2]} by a crash."
        f" The suite catches {sum(row[3].startswith('`') for row in rows)}."
    )
    assert figures_told in text.replace("\n", " ")


# The extra tests, shortened.

_FEW = Extra(seed=0, iterations=10)
_GCM = "gcm_base(ctr(aes-generic),ghash-generic)"


class Outcome(NamedTuple):
    verdict: Verdict | None
    steps: list[str]


def drawn(
    providers: Providers, catalogue: Catalogue, driver: str, provider: str, extra: Extra = _FEW
) -> Outcome:
    watchdog = Watchdog(10.0)
    (home,) = providers.of(provider.__eq__)
    (subject,) = [s for s in discover([home], watchdog)[0] if s.driver == driver]
    test = SelfTest(subject, vectors_of(subject, catalogue), watchdog, extra)
    with watchdog.watching(subject.id):
        steps = list(test.passed())
    return Outcome(test.verdict, steps)


@pytest.mark.parametrize(
    ("provider", "driver", "kinds"),
    [
        ("eip93-mt7621", "cbc(aes-eip93)", {"generic"}),
        ("eip93-mt7621", "hmac(sha256-eip93)", {"generic"}),
        ("eip93-mt7621", "authenc(hmac(sha1-eip93),cbc(aes-eip93))", {"generic", "inauthentic"}),
        ("openssl", "gcm-aes-openssl", {"generic", "inauthentic"}),
        ("software", _GCM, set()),
    ],
)
def test_correct_drivers_pass_the_extra_tests_as_well(
    providers: Providers, catalogue: Catalogue, provider: str, driver: str, kinds: set[str]
) -> None:
    test = drawn(providers, catalogue, driver, provider)
    assert test.verdict is None
    steps = test.steps
    assert {s.split("/")[0] for s in steps if ":" not in s} == kinds
    assert sum("/random " in step for step in steps) >= 10
    assert (sum(s.startswith("generic/") for s in steps) == 8 * _FEW.iterations + 1) == bool(kinds)


def test_what_is_drawn_follows_from_the_seed(providers: Providers, catalogue: Catalogue) -> None:
    driver = "cbc(aes-eip93)"
    same = [drawn(providers, catalogue, driver, "eip93-mt7621") for _ in range(2)]
    other = drawn(providers, catalogue, driver, "eip93-mt7621", Extra(1, 10))
    first, second = (test.steps for test in same)
    assert first == second != other.steps


def test_the_extra_tests_see_what_the_vectors_cannot(
    providers: Providers, catalogue: Catalogue
) -> None:
    """A length that is no multiple of the block: only the generic driver says what is right."""
    mutant = next(m for m in all_mutants() if m.id == "LEN-03")
    alone = self_tested(mutant, Prey(), providers, catalogue)
    extra = self_tested(mutant, Prey(), providers, catalogue, "testmgr-extra")
    assert (alone.outcome, extra.outcome, extra.check) == ("survived", "killed", "verdict")
    assert extra.case.startswith("generic/")
    assert "-EINVAL" in extra.message


def test_a_forged_tag_that_is_accepted_is_seen_by_inauthentic_inputs(
    providers: Providers, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a tag, only the first bytes are compared; the vectors have none that is right there."""
    compare = SimpleNamespace(compare_digest=lambda one, other: one[:4] == other[:4])
    monkeypatch.setattr(gcm, "hmac", compare)
    driver = "gcm_base(ctr(aes-eip93),ghash-generic)"
    test = drawn(providers, catalogue, driver, "eip93-templates")
    assert test.verdict is not None
    assert test.verdict.where.startswith(("generic/", "inauthentic/"))
    assert test.verdict.message == "failed with 0, not -EBADMSG"


@pytest.mark.parametrize(
    ("algorithm", "generic"),
    [
        ("cbc(aes)", "cbc(aes-generic)"),
        ("sha256", "sha256-generic"),
        (
            "authenc(hmac(sha1),cbc(aes))",
            "authenc(hmac(sha1-generic),cbc(aes-generic))",
        ),
        ("gcm(aes)", _GCM),
        ("rfc4106(gcm(aes))", f"rfc4106({_GCM})"),
    ],
)
def test_the_generic_implementation_has_the_name_that_testmgr_gives_it(
    algorithm: str, generic: str
) -> None:
    assert generic_name(algorithm) == generic
