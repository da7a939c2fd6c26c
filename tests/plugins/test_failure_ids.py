"""A failure has one id in every run, so that a person or a file can name it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tcrypt.reports.model import Report

if TYPE_CHECKING:
    from tests.plugins.conftest import Tcrypt

# No generated case is in these: which cases there are does not follow from the seed.
_UNSEEDED = ("boundaries", "sequences", "vectors")


@pytest.fixture(scope="module")
def run(tcrypt_once: Callable[[], Tcrypt]) -> Callable[..., Report]:
    """Runs one driver that never writes the IV back; the report."""

    def report(*, seed: int, workers: int) -> Report:
        checks = [word for check in _UNSEEDED for word in ("--check", check)]
        driver = ["--provider", "eip93-mt7621", "--algorithm", "cbc(aes)", "--mutant", "IV-01"]
        more = ["--seed", str(seed), "-n", str(workers)]
        return tcrypt_once().run(*driver, *checks, *more).report

    return report


@pytest.fixture(scope="module")
def first(run: Callable[..., Report]) -> Report:
    return run(seed=1, workers=0)


def _named(report: Report) -> dict[str, tuple[str, ...]]:
    return {
        failure.id: (failure.driver, failure.check, failure.case, failure.layout)
        for failure in report.failures
    }


def test_failures_of_every_unseeded_check_have_ids_of_their_own(first: Report) -> None:
    assert {failure.check for failure in first.failures} == set(_UNSEEDED)
    assert len(_named(first)) == len(first.failures)


def test_another_seed_and_more_workers_change_no_id(
    first: Report, run: Callable[..., Report]
) -> None:
    assert _named(run(seed=7, workers=2)) == _named(first)
