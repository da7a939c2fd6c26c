"""The plugin's options, and what they say as settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import pytest

    from tcrypt.settings import Settings

__all__ = (
    "DEFAULT_REPORT",
    "PREFIX",
    "add_options",
    "extra_arguments",
    "option_names",
    "report_directory",
    "settings_of",
)

PREFIX = "--tcrypt-"
DEFAULT_REPORT = "conformance-report"
SINGLE = "single"

_LISTS = (
    ("provider", "NAME", "Test the algorithms of this provider only (pattern, repeatable)"),
    ("driver", "NAME", "Test this driver only, by driver name (pattern, repeatable)"),
    ("algorithm", "NAME", "Test drivers of this algorithm only (pattern, repeatable)"),
    ("type", "TYPE", "Test this type only: skcipher, aead or ahash (repeatable)"),
    ("check", "NAME", "Run this check only (pattern, repeatable)"),
    ("from", "FILE", "Load a driver from a Python file or module with register(machine)"),
    ("vectors", "PATH", "Add a vector file, or a folder of them, in the curated format"),
    ("require", "SOURCE", "Fail when this source of vectors is missing (pattern, repeatable)"),
    ("allow-untested", "NAME", "Accept that nothing tests this algorithm or driver (pattern)"),
    (
        "expect-failures",
        "FILE",
        "Forgive the failures that this file names, until their dates (repeatable)",
    ),
    ("mutant", "ID", "Plant this defect of the catalogue (repeatable): the run must fail"),
)
_VALUES = (
    (
        "profile",
        "NAME",
        "default",
        "How much to run: quick, default or full; or only what the kernel's own self-test does,"
        " testmgr or testmgr-extra",
    ),
    ("seed", "N", "0", "Seed of all generated data (default: 0)"),
    (
        "semantics",
        "NAME",
        "linux-6.17",
        "Whose crypto_engine drivers run on: guide, linux-5.8, linux-6.1, linux-6.6, linux-6.17"
        " (default) or fixed",
    ),
    (
        "report-dir",
        "DIR",
        "",
        f"Where the report goes (default: {DEFAULT_REPORT}, or {DEFAULT_REPORT}/{SINGLE} for a"
        " single vector or case)",
    ),
    (
        "vector",
        "ID",
        "",
        "Run one published vector, by its id; ID.. for a Monte Carlo round and on",
    ),
    ("case", "CASE", "", "Run one case of a check, by its token or name; needs a --check"),
    ("baseline", "FILE", "", "Fail when a report.json of an earlier run covered more"),
)
_TYPES = ("skcipher", "aead", "ahash")
_REPEATED = ("from", "mutant", "vectors")


def add_options(parser: pytest.Parser) -> None:
    """Declare all options in one group."""
    group = parser.getgroup("tcrypt", "conformance of crypto drivers (pytest --pyargs tcrypt)")
    for name, metavar, text in _LISTS:
        group.addoption(
            PREFIX + name,
            action="append",
            default=[],
            metavar=metavar,
            dest=_dest(name),
            help=text,
        )
    for name, metavar, default, text in _VALUES:
        group.addoption(
            PREFIX + name, default=default, metavar=metavar, dest=_dest(name), help=text
        )


def option_names() -> list[str]:
    """The options' names without the prefix."""
    return [name for name, *_ in (*_LISTS, *_VALUES)]


def _dest(name: str) -> str:
    return "tcrypt_" + name.replace("-", "_")


def settings_of(config: pytest.Config) -> Settings:
    """The settings that the options describe.

    Raises:
        pytest.UsageError: a value is not one of the choices, is no number, or lacks another one.
    """
    from tcrypt.engine.semantics import PROFILES as SEMANTICS
    from tcrypt.settings import PROFILES, Selection, Settings

    _one_of("profile", config.getoption("tcrypt_profile"), PROFILES)
    _one_of("semantics", config.getoption("tcrypt_semantics").removesuffix("+mended"), SEMANTICS)
    types = tuple(config.getoption("tcrypt_type"))
    for kind in types:
        _one_of("type", kind, _TYPES)
    vector, case = config.getoption("tcrypt_vector"), config.getoption("tcrypt_case")
    checks = tuple(config.getoption("tcrypt_check"))
    if case and not checks:
        raise _usage(f"{PREFIX}case {case!r}: needs {PREFIX}check with the check that it is of")
    if case and vector:
        raise _usage(f"{PREFIX}case {case!r} and {PREFIX}vector {vector!r}: want one of the two")
    return Settings(
        profile=config.getoption("tcrypt_profile"),
        seed=_seed(config.getoption("tcrypt_seed")),
        semantics=config.getoption("tcrypt_semantics"),
        selection=Selection(
            providers=tuple(config.getoption("tcrypt_provider")),
            drivers=tuple(config.getoption("tcrypt_driver")),
            algorithms=tuple(config.getoption("tcrypt_algorithm")),
            types=types,
            checks=checks,
        ),
        vector=vector,
        case=case,
        extra_arguments=extra_arguments(config),
    )


def _usage(text: str) -> pytest.UsageError:
    import pytest

    return pytest.UsageError(text)


def _one_of(option: str, value: str, choices: Iterable[str]) -> None:
    names = list(choices)
    if value not in names:
        raise _usage(f"{PREFIX}{option} {value!r}: must be one of {', '.join(names)}")


def _seed(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise _usage(f"{PREFIX}seed {text!r}: must be a number") from None


def extra_arguments(config: pytest.Config) -> tuple[str, ...]:
    """Options that change what the drivers are, which a reproducing command must repeat."""
    found: list[str] = []
    for name in _REPEATED:
        for value in config.getoption(_dest(name)):
            found += [f"--{name}", value]
    for plugin in config.option.plugins:
        # A plugin named on the command line may be the one that registers the driver.
        if not plugin.startswith("no:"):
            found += ["-p", plugin]
    return tuple(found)


def report_directory(config: pytest.Config) -> Path:
    """Where the report goes, as given, relative to where the run was started.

    A single vector or case has a folder of its own by default, lest the command that reproduces a
    failure replace the report that it was copied from.
    """
    start = config.invocation_params.dir
    chosen = str(config.getoption("tcrypt_report_dir"))
    if chosen:
        return start / chosen
    single = config.getoption("tcrypt_vector") or config.getoption("tcrypt_case")
    return start / DEFAULT_REPORT / SINGLE if single else start / DEFAULT_REPORT
