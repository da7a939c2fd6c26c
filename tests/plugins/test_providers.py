"""The ways in which a driver gets into the suite, and what happens when one is broken."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

pytest_plugins = ("pytester",)

_GENERIC = """
from tcrypt.engine.api.flags import AlgType

def register(machine):
    generic = machine.registry.find("cbc(aes-generic)", AlgType.SKCIPHER)
    machine.registry.register(generic.variant(cra_driver_name="cbc-mine"))
"""
_ONLY = ("--check", "registration", "--driver", "cbc-mine")


def _tested(outcome: Any) -> list[tuple[str, str]]:
    assert outcome.status == 0, outcome.out + outcome.err
    return [(cell.provider, cell.driver) for cell in outcome.report.cells]


def test_provider_of_a_file(inside: Any) -> None:
    inside.write("mine.py", _GENERIC)
    assert _tested(inside.run("--from", "mine.py", *_ONLY)) == [("mine", "cbc-mine")]


def test_file_may_import_its_neighbour_and_name_its_provider(inside: Any) -> None:
    inside.write("parts/device.py", _GENERIC)
    # The name of a module of the standard library must not stand in the way.
    inside.write("parts/json.py", "from device import register\nPROVIDER = 'my-board'\n")
    outcome = inside.run("--from", "parts/json.py", *_ONLY)
    assert _tested(outcome) == [("my-board", "cbc-mine")]


def test_file_with_dataclasses_works(inside: Any) -> None:
    head = "from __future__ import annotations\nfrom dataclasses import dataclass\n"
    body = "@dataclass(slots=True)\nclass Context:\n    key: bytes\n"
    inside.write("mine.py", head + body + _GENERIC)
    assert _tested(inside.run("--from", "mine.py", *_ONLY)) == [("mine", "cbc-mine")]


def test_provider_of_a_conftest_hook(inside: Any) -> None:
    hook = "def pytest_tcrypt_register(providers):\n    providers.add('hooked', register)\n"
    inside.write("conftest.py", _GENERIC + hook)
    assert _tested(inside.run(*_ONLY)) == [("hooked", "cbc-mine")]


def test_provider_of_a_plugin_reproduces_with_that_plugin(
    inside: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = "def pytest_tcrypt_register(providers):\n    providers.add('hooked', register)\n"
    wrong = _GENERIC.replace('"cbc-mine"', '"cbc-mine", ivsize=8')
    inside.write("mine_plugin.py", wrong + hook)
    monkeypatch.syspath_prepend(inside.folder)
    outcome = inside.run("-p", "mine_plugin", *_ONLY)
    (failure,) = [f for f in outcome.report.failures if f.case == "ivsize"]
    assert "-p mine_plugin" in failure.command


def test_provider_of_an_entry_point(inside: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    inside.write("lib/mine_driver.py", _GENERIC)
    inside.write("lib/mine-1.0.dist-info/METADATA", "Name: mine\nVersion: 1.0\n")
    inside.write(
        "lib/mine-1.0.dist-info/entry_points.txt",
        "[tcrypt.providers]\nmine-board = mine_driver:register\nlost = mine_missing:register\n",
    )
    monkeypatch.syspath_prepend(inside.folder / "lib")
    outcome = inside.run(*_ONLY)
    assert {c.provider for c in outcome.report.cells} == {"mine-board"}
    # The other entry point of the distribution cannot be imported: named, and the run is not good.
    assert outcome.status == 1
    assert "provider lost" in outcome.out
    assert "ModuleNotFoundError: No module named 'mine_missing'" in outcome.text


@pytest.mark.parametrize(
    ("profile", "checks"),
    [("quick", {"keys"}), ("full", {"keys", "registration"})],
)
def test_checks_that_a_provider_leaves_out_run_in_full_only(
    inside: Any, profile: str, checks: set[str]
) -> None:
    offer = "    machine.offer(AlgType.SKCIPHER, 'cts(cbc(aes-generic))', checks=('keys',))\n"
    head = "from tcrypt.engine.api.flags import AlgType\n"
    inside.write("few.py", f"{head}def register(machine):\n{offer}")
    words = ("--from", "few.py", "--provider", "few", "--check", "keys", "--check", "registration")
    outcome = inside.run(*words, "--profile", profile)
    assert outcome.status == 0, outcome.out
    assert {cell.check for cell in outcome.report.cells if cell.verdict == "passed"} == checks


@pytest.fixture
def with_broken(inside: Any, drivers: Callable[[str], str]) -> Any:
    return inside.run(
        *("--from", drivers("broken"), "--provider", "broken"),
        *("--provider", "software", "--algorithm", "cbc(aes)", "--check", "registration"),
    )


def test_broken_provider_is_named_and_the_rest_goes_on(with_broken: Any) -> None:
    (lost,) = with_broken.report.coverage_lost
    assert lost.what == "provider broken"
    assert re.search(r"RuntimeError: no such bus \(.*broken\.py:9\)$", lost.reason)
    assert "provider broken" in with_broken.out
    assert {cell.verdict for cell in with_broken.report.cells} == {"passed"}
    assert {cell.provider for cell in with_broken.report.cells} == {"software"}


def test_broken_provider_makes_the_exit_status_non_zero(with_broken: Any) -> None:
    assert with_broken.status == 1
    assert with_broken.report.verdict == "incomplete"


def test_broken_provider_that_is_not_selected_does_not_matter(
    inside: Any, drivers: Callable[[str], str]
) -> None:
    words = ("--provider", "software", "--algorithm", "cbc(aes)", "--check", "keys")
    outcome = inside.run("--from", drivers("broken"), *words)
    assert outcome.status == 0


@pytest.mark.usefixtures("impatient")
def test_provider_that_registers_nothing_or_hangs_is_named(inside: Any) -> None:
    inside.write("empty.py", "def register(machine):\n    pass\n")
    inside.write("stuck.py", "import time\n\ndef register(machine):\n    time.sleep(3600)\n")
    outcome = inside.run(
        *("--from", "empty.py", "--from", "stuck.py", "--check", "registration"),
        *("--provider", "empty", "--provider", "stuck", "--provider", "software"),
        *("--algorithm", "cbc(aes)"),
    )
    lost = {loss.what: loss.reason for loss in outcome.report.coverage_lost}
    assert "registers nothing" in lost["provider empty"]
    assert "no answer within" in lost["provider stuck"]
    assert outcome.status == 1
    assert {cell.provider for cell in outcome.report.cells} == {"software"}


def test_name_that_is_taken_is_refused(inside: Any) -> None:
    inside.write("software.py", _GENERIC)
    outcome = inside.run("--from", "software.py")
    assert outcome.status == 4
    assert "provider name 'software' of software.py is taken by entry point" in outcome.err


def test_hook_that_raises_is_a_usage_error(inside: Any) -> None:
    inside.write("conftest.py", "def pytest_tcrypt_register(providers):\n    providers.add()\n")
    outcome = inside.run(*_ONLY)
    assert outcome.status == 4
    assert "hook pytest_tcrypt_register: TypeError" in outcome.err


def test_list_shows_every_algorithm_with_its_provider(inside: Any) -> None:
    inside.write("mine.py", "print('loaded')\n" + _GENERIC.replace("cbc-mine", "[cbc] mine"))
    table = inside.command("tcrypt", "list", "--from", "mine.py")
    assert table.status == 0
    assert "loaded" not in table.out
    assert "[cbc] mine" in table.out
    listed = inside.command("tcrypt", "list", "--json", "--from", "mine.py")
    rows = {(row["provider"], row["driver"]): row for row in json.loads(listed.out)}
    assert len(rows) == len(table.out.splitlines()) - 1
    row = rows["mine", "[cbc] mine"]
    expected = {"algorithm": "cbc(aes)", "type": "skcipher", "min keysize": 16, "ivsize": 16}
    assert expected.items() <= row.items()
    assert ("eip93-mt7621", "cbc(aes-eip93)") in rows


def test_list_names_a_broken_provider_on_stderr(
    inside: Any, drivers: Callable[[str], str]
) -> None:
    outcome = inside.command("tcrypt", "list", "--json", "--from", drivers("broken"))
    assert outcome.status == 1
    assert "provider broken" in outcome.err
    assert "no such bus" in outcome.err
    assert {row["provider"] for row in json.loads(outcome.out)} >= {"software", "eip93-mt7621"}


def test_list_writes_what_proc_crypto_shows_of_a_provider(inside: Any) -> None:
    outcome = inside.command("tcrypt", "list", "--proc-crypto", "--provider", "eip93-mt7621")
    assert outcome.status == 0
    blocks = outcome.out.split("\n\n")
    assert blocks[-1] == "", "each block has an empty line behind it"
    drivers = [block.splitlines()[1] for block in blocks[:-1]]
    assert drivers.index("driver       : cbc(aes-eip93)") < drivers.index(
        "driver       : aes-generic"
    )
    both = inside.command("tcrypt", "list", "--proc-crypto", "--provider", "eip93-*")
    assert both.out.count("# provider eip93-") > 1


def test_list_of_an_unknown_provider_names_the_known_ones(inside: Any) -> None:
    outcome = inside.command("tcrypt", "list", "--provider", "nobody")
    assert outcome.status == 2
    assert outcome.err.startswith("tcrypt list: no provider 'nobody': there are ")


def test_list_of_a_missing_file_says_so(inside: Any) -> None:
    outcome = inside.command("tcrypt", "list", "--from", "none.py")
    assert outcome.status == 2
    assert outcome.err == "tcrypt list: --from none.py: FileNotFoundError: no such file\n"
