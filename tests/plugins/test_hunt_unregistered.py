"""A defect that lets nothing be registered is found, whatever part of a provider is hunted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tcrypt.mutants import load
from tcrypt.plugins import providers as builtin
from tcrypt.plugins.hunt import REGISTERING, Found, Hunt, Prey
from tcrypt.plugins.providers import Providers
from tcrypt.settings import Selection
from tcrypt.vectors.catalogue import Catalogue

_DEFECTS = """
import errno
from contextlib import nullcontext

from tcrypt.engine.eip93.driver.core import Core
from tcrypt.mutants import mutant
from tcrypt.mutants.seams import replaced


@mutant("NEVER-UP", "the device never comes out of reset")
def never_up():
    def reset(self):
        raise OSError(errno.ETIMEDOUT, "reset")

    return replaced((Core, "reset", reset))


@mutant("HARMLESS", "changes nothing")
def harmless():
    return nullcontext()
"""


@pytest.fixture
def defects(tmp_path: Path) -> str:
    """A file of defects."""
    where = tmp_path / "defects.py"
    where.write_text(_DEFECTS)
    return str(where)


def hunted(defects: str, name: str, algorithm: str) -> Found:
    """What comes of hunting a defect with one algorithm of one provider."""
    providers = Providers()
    providers.add("mine", builtin.eip93_mt7621)
    (found,) = (m for m in load(defects) if m.id == name)
    prey = Prey(Selection(algorithms=(algorithm,), checks=("keys",)), profiles=("quick",))
    return Hunt(found, prey, providers, Catalogue(())).run()


def test_it_is_killed_where_an_algorithm_was_asked_for(defects: str) -> None:
    found = hunted(defects, "NEVER-UP", "cbc(aes)")
    assert (found.outcome, found.check, found.provider) == ("killed", REGISTERING, "mine")
    assert "reset" in found.message


def test_an_algorithm_that_is_nowhere_is_no_kill(defects: str) -> None:
    assert hunted(defects, "HARMLESS", "no-such").outcome == "survived"
