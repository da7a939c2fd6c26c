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
