"""The plugin is installed everywhere, and must not be felt where nobody asks for it."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

_HEAVY = ("hypothesis", "cryptography", "Crypto", "jinja2", "msgspec", "yaml", "rich")
_MOST_MS = 20


def _imported(code: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys, pytest\n{code}\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


def _plugin_ms() -> float:
    """Milliseconds of all modules that the plugin imports, without pytest's own."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import pytest, tcrypt.plugins.pytest_tcrypt"],
        capture_output=True,
        text=True,
        check=True,
    )
    behind_pytest = re.split(r"\| pytest\n", done.stderr)[-1]
    return sum(int(us) for us in re.findall(r"import time:\s+(\d+) \|", behind_pytest)) / 1000


def test_plugin_imports_nothing_heavy() -> None:
    modules = _imported("import tcrypt.plugins.pytest_tcrypt")
    assert "tcrypt.plugins.pytest_tcrypt" in modules
    assert [name for name in _HEAVY if name in modules] == []
    ours = {name for name in modules if name.startswith("tcrypt.")}
    allowed = {"pytest_tcrypt", "hookspecs", "options"}
    assert ours <= {"tcrypt.plugins", *(f"tcrypt.plugins.{name}" for name in allowed)}


def test_plugin_import_takes_less_than_20_ms() -> None:
    assert min(_plugin_ms() for _ in range(3)) < _MOST_MS


def test_unrelated_project_sees_nothing_of_the_plugin(tcrypt: Any) -> None:
    tcrypt.write("test_own.py", "def test_own():\n    assert True\n")
    with_it = tcrypt.command("pytest", "-p", "no:cacheprovider")
    without = tcrypt.command("pytest", "-p", "no:cacheprovider", "-p", "no:tcrypt")
    assert with_it.status == without.status == 0
    body = [_without_header(outcome.out) for outcome in (with_it, without)]
    assert body[0] == body[1]
    assert {path.name for path in tcrypt.folder.iterdir()} - {"__pycache__"} == {"test_own.py"}


def _without_header(out: str) -> str:
    # The header lists plugins, the last line holds a duration.
    lines = [line for line in out.splitlines() if not line.startswith(("plugins:", "hypothesis"))]
    return re.sub(r"in [\d.]+s", "", "\n".join(lines))


def test_unrelated_project_does_not_import_the_suite(tcrypt: Any) -> None:
    tcrypt.write(
        "test_own.py",
        "import sys\n\ndef test_own():\n    assert 'tcrypt.plugins.session' not in sys.modules\n",
    )
    outcome = tcrypt.command("pytest", "-q", "-p", "no:cacheprovider", "-p", "no:hypothesispytest")
    assert outcome.status == 0, outcome.out
