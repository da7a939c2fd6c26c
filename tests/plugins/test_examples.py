"""The example driver passes whole, and each defect that its README proposes is found."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

pytest_plugins = ("pytester",)

_EXAMPLES = Path(__file__).parents[2] / "examples"
_SOURCE = (_EXAMPLES / "my_driver.py").read_text()
_README = (_EXAMPLES / "README.md").read_text()
_ROW = re.compile(r"^\| `(?P<old>.+?)` \| `(?P<new>.+?)` \| (?P<said>[^,|]+?)[,|]", re.MULTILINE)
_DEFECTS = [match.groups() for match in _ROW.finditer(_README)]


@pytest.fixture(scope="module")
def sound(tcrypt_once: Any) -> Any:
    """The command of the README, from the folder above the examples."""
    where = tcrypt_once()
    where.write("examples/my_driver.py", _SOURCE)
    (command,) = re.findall(r"^tcrypt run .*$", _README, re.MULTILINE)
    return where.again(command)


def test_example_passes_the_default_profile_whole(sound: Any) -> None:
    assert sound.status == 0, sound.out
    report = sound.report
    assert report.verdict == "passed"
    assert report.run.profile == "default"
    verdicts = {cell.check: cell.verdict for cell in report.cells}
    # The one thing that it does not do is to be taken off its device.
    assert verdicts.pop("lifecycle") == "not-applicable"
    assert set(verdicts.values()) == {"passed"}
    assert not report.totals.failed + report.totals.blocked + report.totals.not_run


def test_example_shows_who_does_the_work(sound: Any) -> None:
    seen = {
        e.key_size: (e.expected, e.hardware > 0, e.software > 0) for e in sound.report.evidence
    }
    assert seen == {
        16: ("hardware", True, False),
        24: ("software", False, True),
        32: ("software", False, True),
    }


def test_readme_proposes_defects() -> None:
    assert len(_DEFECTS) == _README.count("\n| `") > 4


@pytest.mark.parametrize(("old", "new", "said"), _DEFECTS)
def test_defect_of_the_readme_is_found(inside: Any, old: str, new: str, said: str) -> None:
    assert _SOURCE.count(old) == 1
    inside.write("my_driver.py", _SOURCE.replace(old, new))
    words = ("--from", "my_driver.py", "--provider", "my_driver")
    checks = ("fallback", "retry", "boundaries", "faults")
    outcome = inside.run(*words, *(word for check in checks for word in ("--check", check)))
    assert outcome.status == 1
    assert said.strip() in {failure.message for failure in outcome.report.failures}


_TWO = """
from my_driver import ToyDriver

from tcrypt.engine.api.machine import Accelerator


def register(machine):
    for name in ("cbc(aes-one)", "cbc(aes-two)"):
        driver = ToyDriver(machine)
        driver.engine.register(driver.alg().variant(cra_driver_name=name))
        machine.attach(
            Accelerator(
                name=name,
                jobs=lambda driver=driver: driver.device.jobs,
                supports=lambda algorithm, size: size == 16,
                depth=4,
                drives=lambda cra_driver_name, name=name: cra_driver_name == name,
            )
        )
"""


def test_two_devices_with_a_driver_each_pass_and_leave_a_sound_record(inside: Any) -> None:
    """They divide the cases of quick; each is judged by what its own device did."""
    inside.write("my_driver.py", _SOURCE)
    inside.write("two.py", _TWO)
    checks = ("--check", "faults", "--check", "fallback")
    outcome = inside.run("--from", "two.py", "--provider", "two", *checks)
    assert outcome.status == 0, outcome.out
    assert {cell.verdict for cell in outcome.report.cells} == {"passed"}
