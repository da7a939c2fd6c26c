"""`tcrypt mutants`: each defect is hunted alone, and what is said of it is true."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

_DEFECTS = """
import os
from contextlib import contextmanager

from tcrypt.engine.software import block_ciphers
from tcrypt.mutants import NotApplicableError, Place, mutant
from tcrypt.mutants.seams import replaced


@mutant("ORDER", "encrypts backwards", Place(check="vectors"))
def order():
    def backwards(self, data, encrypt):
        return ecb(self, data, encrypt)[::-1]

    ecb = block_ciphers._Keyed.ecb
    return replaced((block_ciphers._Keyed, "ecb", backwards))


@mutant("HARMLESS", "changes nothing that can be seen")
@contextmanager
def harmless():
    yield


@mutant("LOST", "has no place in the code")
def lost():
    return replaced((block_ciphers, "no_such_name", None))


@mutant("ELSEWHERE", "belongs to other hardware")
def elsewhere():
    raise NotApplicableError("there is no such register")


@mutant("DEADLY", "ends the process")
def deadly():
    os._exit(3)


@mutant("STUCK", "never gets planted")
def stuck():
    while True:
        pass
"""
_NARROW = ("--provider", "software", "--algorithm", "ecb(aes)", "--profile", "quick")


def hunt(folder: Path, *words: str) -> tuple[int, dict[str, Any], str]:
    """Run the command; its status, what it found by id, and what it printed as errors."""
    done = subprocess.run(
        [Path(sys.executable).with_name("tcrypt"), "mutants", "--json", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    loaded = json.loads(done.stdout) if done.stdout else {"mutants": []}
    return done.returncode, {one["id"]: one for one in loaded["mutants"]}, done.stderr


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, dict[str, Any], str]:
    folder = tmp_path_factory.mktemp("mutants")
    (folder / "mine.py").write_text(_DEFECTS)
    return hunt(
        folder,
        "--from",
        "mine.py",
        "--check",
        "registration",
        "--check",
        "vectors",
        "--check",
        "keys",
        "--timeout",
        "15",
        *_NARROW,
    )


def test_a_defect_is_killed_with_the_command_that_shows_it(
    found: tuple[int, dict[str, Any], str],
) -> None:
    one = found[1]["mine.py::ORDER"]
    assert one["outcome"] == "killed"
    assert one["expected"] == "vectors"
    assert "--mutant mine.py::ORDER" in one["command"]
    assert one["driver"] in one["command"]


def test_a_survivor_says_what_it_passed(found: tuple[int, dict[str, Any], str]) -> None:
    one = found[1]["mine.py::HARMLESS"]
    assert one["outcome"] == "survived"
    assert one["reason"].endswith("items passed")
    assert one["items"] > 1


def test_a_defect_without_its_place_is_broken_and_not_killed(
    found: tuple[int, dict[str, Any], str],
) -> None:
    one = found[1]["mine.py::LOST"]
    assert one["outcome"] == "broken"
    assert "the defect has lost its place" in one["reason"]


def test_a_defect_that_cannot_be_had_is_not_applicable(
    found: tuple[int, dict[str, Any], str],
) -> None:
    one = found[1]["mine.py::ELSEWHERE"]
    assert (one["outcome"], one["reason"]) == ("not applicable", "there is no such register")


def test_a_defect_that_ends_or_holds_its_process_leaves_the_others_alone(
    found: tuple[int, dict[str, Any], str],
) -> None:
    deadly, stuck = (found[1][f"mine.py::{name}"] for name in ("DEADLY", "STUCK"))
    assert (deadly["outcome"], deadly["reason"]) == ("survived", "the run died with status 3")
    assert (stuck["outcome"], stuck["reason"]) == ("survived", "no failure within 15 s")


def test_the_status_says_that_something_survived(found: tuple[int, dict[str, Any], str]) -> None:
    assert found[0] == 1


def test_what_fails_without_the_defect_kills_nothing(tmp_path: Path) -> None:
    """The driver is wrong by itself; the defect is harmless."""
    (tmp_path / "mine.py").write_text(_DEFECTS)
    (tmp_path / "wrong.py").write_text(
        "from tcrypt.engine.api.algorithms import SkcipherAlg\n"
        "def done(*_): return 0\n"
        "def register(machine):\n"
        "    machine.registry.register(SkcipherAlg(cra_name='ecb(des)',\n"
        "        cra_driver_name='wrong', cra_priority=9, cra_blocksize=8, min_keysize=8,\n"
        "        max_keysize=8, setkey=done, encrypt=done, decrypt=done))\n"
    )
    words = ("--driver-from", "wrong.py", "--provider", "wrong", "--profile", "quick")
    checks = ("--check", "vectors", "--check", "keys")
    status, results, _ = hunt(tmp_path, "mine.py::HARMLESS", *words, *checks)
    assert status == 1
    assert results["mine.py::HARMLESS"]["outcome"] == "survived"


def test_a_defect_of_the_catalogue_is_killed_by_the_check_meant_for_it(tmp_path: Path) -> None:
    status, results, errors = hunt(tmp_path, "IV-01")
    assert status == 0, errors
    assert results["IV-01"]["check"] == results["IV-01"]["expected"] == "boundaries"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("NO-SUCH",), "no mutant 'NO-SUCH'; there are IV-01,"),
        (("--from", "gone.py"), "gone.py: FileNotFoundError: no such file"),
        (("--from", "bad.py"), "bad.py: ZeroDivisionError: division by zero ("),
        (("--from", "none.py"), "none.py: it decorates nothing with tcrypt.mutants.mutant"),
    ],
)
def test_what_is_not_there_is_named(tmp_path: Path, words: tuple[str, ...], message: str) -> None:
    (tmp_path / "bad.py").write_text("1 / 0\n")
    (tmp_path / "none.py").write_text("")
    status, _, errors = hunt(tmp_path, *words)
    assert status == 2
    assert message in errors
    assert "Traceback" not in errors
