"""The plan of the house: who may import whom, and that every file of a room is shipped.

Imports run downwards only.  The rules are data; `breaches` finds what breaks them in a map of
modules to what they import, so that it can be shown to find each kind of breach.
"""

from __future__ import annotations

import ast
import importlib
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

_ROOT = Path(__file__).parents[1]
_ROOMS = ("engine", "plugins", "reports", "vectors")
_ENGINE = "tcrypt.engine"
_DEVICE_NUMBERS = tuple(
    f"{_ENGINE}.eip93.{name}" for name in ("registers", "descriptors", "records")
)
# What the one module `sim` offers is written in these.
_SIMULATION = tuple(
    f"{_ENGINE}.{name}" for name in ("events", "processor", "simulation", "deferral", "irq_line")
)
_ENGINE_PARTS = tuple(f"{_ENGINE}.{name}" for name in ("api", "sim", "semantics", "coverage"))

# The first rule whose place a module lies in says what it may import besides its own place.
_RULES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("tcrypt.plugins", ("tcrypt",)),
    ("tcrypt.vectors", ()),
    ("tcrypt.reports", ()),
    # The engine: a driver knows the API and the hardware's numbers, never the device's objects.
    (f"{_ENGINE}.sim", _SIMULATION),
    *((module, _SIMULATION) for module in _SIMULATION),
    (f"{_ENGINE}.native_compression", ()),
    (f"{_ENGINE}.compression", (f"{_ENGINE}.native_compression",)),
    (f"{_ENGINE}.preemption", (f"{_ENGINE}.sim",)),
    # What is known of crypto_engine without one: versions, states, the rules of its requests.
    (f"{_ENGINE}.semantics", ()),
    (f"{_ENGINE}.coverage", (f"{_ENGINE}.semantics",)),
    (f"{_ENGINE}.coverage_table", (f"{_ENGINE}.coverage", f"{_ENGINE}.semantics")),
    (f"{_ENGINE}.monitor", (f"{_ENGINE}.semantics",)),
    (f"{_ENGINE}.api", (f"{_ENGINE}.sim", f"{_ENGINE}.monitor")),
    (f"{_ENGINE}.engine_state", _ENGINE_PARTS),
    (f"{_ENGINE}.engine_hooks", (f"{_ENGINE}.engine_state", *_ENGINE_PARTS)),
    (
        f"{_ENGINE}.engine_pump",
        (f"{_ENGINE}.engine_hooks", f"{_ENGINE}.engine_state", *_ENGINE_PARTS),
    ),
    (
        f"{_ENGINE}.crypto_engine",
        (f"{_ENGINE}.engine_pump", f"{_ENGINE}.engine_state", *_ENGINE_PARTS),
    ),
    (f"{_ENGINE}.templates", (f"{_ENGINE}.api", f"{_ENGINE}.sim")),
    (f"{_ENGINE}.af_alg", (f"{_ENGINE}.api", f"{_ENGINE}.sim")),
    (
        f"{_ENGINE}.software",
        (f"{_ENGINE}.api", f"{_ENGINE}.sim", f"{_ENGINE}.compression", f"{_ENGINE}.templates"),
    ),
    # The same drivers on another library.
    (
        f"{_ENGINE}.openssl",
        (f"{_ENGINE}.api", f"{_ENGINE}.software", f"{_ENGINE}.templates"),
    ),
    (
        f"{_ENGINE}.eip93.driver",
        (
            f"{_ENGINE}.api",
            f"{_ENGINE}.crypto_engine",
            f"{_ENGINE}.sim",
            f"{_ENGINE}.compression",
            f"{_ENGINE}.preemption",
            *_DEVICE_NUMBERS,
        ),
    ),
    (f"{_ENGINE}.eip93", (f"{_ENGINE}.sim", f"{_ENGINE}.compression")),
    (_ENGINE, ()),
    # The suite: the oracle is a second opinion, so it shares nothing with what it judges.
    ("tcrypt.oracle", ()),
    ("tcrypt.mutants", (_ENGINE, "tcrypt")),
    ("tcrypt.checks.queue", (_ENGINE, "tcrypt")),
    (
        "tcrypt",
        (
            f"{_ENGINE}.af_alg",
            f"{_ENGINE}.api",
            f"{_ENGINE}.sim",
            f"{_ENGINE}.coverage",
            "tcrypt.vectors",
            "tcrypt.reports",
        ),
    ),
)
# Inside of a permitted place, what is not meant: a device may not look up at its driver, the
# suite produces records and leaves rendering to others, and nobody imports the plugins.
_EXCEPT: tuple[tuple[str, str], ...] = (
    (f"{_ENGINE}.eip93", f"{_ENGINE}.eip93.driver"),
    *(
        (place, f"tcrypt.reports.{writer}")
        for place in ("tcrypt", "tcrypt.checks.queue", "tcrypt.mutants")
        for writer in ("html", "junit", "terminal", "view", "write", "build", "compare")
    ),
    *((place, "tcrypt.plugins") for place in ("tcrypt", "tcrypt.checks.queue", "tcrypt.mutants")),
)


def within(module: str, place: str) -> bool:
    """Whether a module is a place, or lies in it."""
    return module == place or module.startswith(f"{place}.")


def room(module: str) -> str:
    """The room of a module; the suite itself is what lies in no other."""
    return next(
        (f"tcrypt.{name}" for name in _ROOMS if within(module, f"tcrypt.{name}")), "tcrypt"
    )


def breaches(imports: Mapping[str, set[str]]) -> list[str]:
    """Every import that the plan does not allow."""
    found = []
    for module, targets in sorted(imports.items()):
        place, allowed = next(rule for rule in _RULES if within(module, rule[0]))
        if place == _ENGINE and module != _ENGINE:
            found.append(f"{module} has no rule: say here what it may import")
            continue
        for target in sorted(targets):
            own = within(target, place) and room(target) == room(module)
            barred = any(place == p and within(target, t) for p, t in _EXCEPT)
            permitted = own or any(within(target, other) for other in allowed)
            if barred or not permitted:
                found.append(f"{module} imports {target}")
    return found


# Reading the house.


def pyproject() -> dict[str, Any]:
    return tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def folder(package: str) -> Path:
    """Where a package's files lie in the checkout."""
    where: dict[str, str] = pyproject()["tool"]["setuptools"]["package-dir"]
    parts = package.split(".")
    for end in range(len(parts), 0, -1):
        base = where.get(".".join(parts[:end]))
        if base is not None:
            return _ROOT.joinpath(base, *parts[end:])
    raise AssertionError(f"no folder for {package}")


def packages() -> list[str]:
    found: list[str] = pyproject()["tool"]["setuptools"]["packages"]
    return found


def sources() -> dict[str, Path]:
    """Every module of the packages."""
    found = {}
    for package in packages():
        for path in folder(package).glob("*.py"):
            found[package if path.stem == "__init__" else f"{package}.{path.stem}"] = path
    return found


def imported(path: Path, modules: set[str]) -> Iterator[str]:
    """The modules of ours that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if within(alias.name, "tcrypt"))
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: a relative import loads a package a second time"
            if node.module and within(node.module, "tcrypt"):
                names = {f"{node.module}.{alias.name}" for alias in node.names}
                yield from names & modules
                if not names <= modules:
                    yield node.module


def house() -> dict[str, set[str]]:
    found = sources()
    return {module: set(imported(path, set(found))) for module, path in found.items()}


# Imports.


def test_imports_run_downwards_only() -> None:
    assert breaches(house()) == []


def test_the_scan_sees_the_house() -> None:
    imports = house()
    assert len(imports) > 100
    assert f"{_ENGINE}.eip93.driver.core" in imports["tcrypt.engine.eip93.driver.probe"]
    assert f"{_ENGINE}.eip93.registers" in imports["tcrypt.engine.eip93.device"]
    assert f"{_ENGINE}.api.machine" in imports[f"{_ENGINE}.api.registry"], "under TYPE_CHECKING"


@pytest.mark.parametrize(
    ("module", "target"),
    [
        (f"{_ENGINE}.sim", f"{_ENGINE}.api.memory"),
        (f"{_ENGINE}.api.registry", f"{_ENGINE}.software"),
        (f"{_ENGINE}.api.registry", f"{_ENGINE}.eip93.driver.probe"),
        (f"{_ENGINE}.api.queue", f"{_ENGINE}.crypto_engine"),
        (f"{_ENGINE}.crypto_engine", f"{_ENGINE}.eip93.registers"),
        (f"{_ENGINE}.eip93.device", f"{_ENGINE}.api.dma"),
        (f"{_ENGINE}.eip93.device", f"{_ENGINE}.eip93.driver.core"),
        (f"{_ENGINE}.eip93.hashing", f"{_ENGINE}.software.hashes"),
        (f"{_ENGINE}.eip93.driver.core", f"{_ENGINE}.eip93.device"),
        (f"{_ENGINE}.eip93.driver.core", f"{_ENGINE}.eip93.sequencer"),
        (f"{_ENGINE}.eip93.driver.ahash", f"{_ENGINE}.software.hashes"),
        (f"{_ENGINE}.software.hashes", f"{_ENGINE}.eip93.records"),
        (f"{_ENGINE}.api.machine", "tcrypt.vectors.model"),
        (f"{_ENGINE}.api.machine", "tcrypt.bench"),
        ("tcrypt.vectors.model", "tcrypt.reports.words"),
        ("tcrypt.reports.model", "tcrypt.settings"),
        ("tcrypt.reports.model", "tcrypt.plugins.session"),
        ("tcrypt.oracle.modes", f"{_ENGINE}.api.errors"),
        ("tcrypt.oracle.modes", "tcrypt.specs"),
        ("tcrypt.bench", f"{_ENGINE}.software"),
        ("tcrypt.bench", f"{_ENGINE}.crypto_engine"),
        ("tcrypt.checks.fuzz", f"{_ENGINE}.eip93.driver.policy"),
        ("tcrypt.recorder", "tcrypt.reports.html"),
        ("tcrypt.recorder", "tcrypt.plugins.session"),
        ("tcrypt.mutants.ring", "tcrypt.plugins.providers"),
        ("tcrypt.mutants.ring", "tcrypt.reports.write"),
    ],
)
def test_a_breach_is_found(module: str, target: str) -> None:
    assert breaches({module: {target}}) == [f"{module} imports {target}"]


def test_a_part_of_the_engine_without_a_rule_is_found() -> None:
    module = f"{_ENGINE}.another_device"
    assert breaches({module: set()}) == [f"{module} has no rule: say here what it may import"]


@pytest.mark.parametrize(
    ("module", "target"),
    [
        (f"{_ENGINE}.eip93.driver.core", f"{_ENGINE}.eip93.registers"),
        (f"{_ENGINE}.eip93.driver.core", f"{_ENGINE}.crypto_engine"),
        (f"{_ENGINE}.eip93.device", f"{_ENGINE}.eip93.rings"),
        (f"{_ENGINE}.software.hashes", f"{_ENGINE}.software.block_ciphers"),
        ("tcrypt.bench", f"{_ENGINE}.api.machine"),
        ("tcrypt.recorder", "tcrypt.reports.events"),
        ("tcrypt.checks.fuzz", "tcrypt.oracle"),
        ("tcrypt.mutants.ring", f"{_ENGINE}.eip93.driver.core"),
        ("tcrypt.checks.queue", f"{_ENGINE}.crypto_engine"),
        ("tcrypt.plugins.session", f"{_ENGINE}.eip93.device"),
    ],
)
def test_what_the_plan_allows_is_no_breach(module: str, target: str) -> None:
    assert breaches({module: {target}}) == []


# Shipping.


def data_files() -> set[Path]:
    """The files that package-data ships."""
    found: set[Path] = set()
    for package, patterns in pyproject()["tool"]["setuptools"]["package-data"].items():
        for pattern in patterns:
            matching = set(folder(package).glob(pattern))
            assert matching, f"package-data of {package}: {pattern!r} matches nothing"
            found |= matching
    return found


def tracked() -> list[Path]:
    """The files of the five rooms, as git knows them; skips outside of a checkout."""
    if not (_ROOT / ".git").exists():
        pytest.skip(f"{_ROOT} is no git checkout, so there is no list of what should be shipped")
    rooms = sorted({folder(package).relative_to(_ROOT).parts[0] for package in packages()})
    assert rooms == ["conformance", *_ROOMS]
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", *rooms],
        cwd=_ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    paths = [_ROOT / name for name in listed.stdout.split("\0") if name]
    assert len(paths) > 100
    # A file that is deleted and not yet committed is nothing to ship.
    return [path for path in paths if path.exists()]


def test_every_file_is_shipped() -> None:
    shipped = set(sources().values()) | data_files()
    missing = [str(path.relative_to(_ROOT)) for path in tracked() if path not in shipped]
    assert missing == [], "add to [tool.setuptools] packages or package-data"


@pytest.mark.parametrize("package", packages())
def test_every_listed_package_is_one(package: str) -> None:
    assert (folder(package) / "__init__.py").is_file()
    assert importlib.import_module(package).__doc__


def test_type_information_is_shipped() -> None:
    assert _ROOT / "conformance" / "py.typed" in data_files()


def entry_points() -> Iterator[str]:
    project = pyproject()["project"]
    yield from project["scripts"].values()
    for group in project["entry-points"].values():
        yield from group.values()


@pytest.mark.parametrize("target", list(entry_points()))
def test_every_entry_point_leads_somewhere(target: str) -> None:
    module, _, name = target.partition(":")
    found = importlib.import_module(module)
    assert not name or callable(getattr(found, name))
