"""The plugin's options, and what they say as settings."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tcrypt.settings import Settings

__all__ = ("DEFAULT_REPORT", "PREFIX", "add_options", "extra_arguments", "settings_of")

PREFIX = "--tcrypt-"
DEFAULT_REPORT = "conformance-report"

_LISTS = (
    ("provider", "NAME", "Test the algorithms of this provider only (pattern, repeatable)"),
    ("driver", "NAME", "Test this driver only, by driver name (pattern, repeatable)"),
    ("algorithm", "NAME", "Test drivers of this algorithm only (pattern, repeatable)"),
    ("type", "TYPE", "Test this type only: skcipher, aead or ahash (repeatable)"),
    ("check", "NAME", "Run this check only (pattern, repeatable)"),
    ("from", "FILE", "Load a driver from a Python file or module with register(machine)"),
    ("vectors", "PATH", "Add a vector file, or a folder of them, in the curated format"),
    ("require", "SOURCE", "Fail when this source of vectors is missing"),
    ("allow-untested", "NAME", "Accept that nothing tests this algorithm (pattern)"),
    ("mutant", "ID", "Plant this defect of the catalogue (repeatable): the run must fail"),
)
_VALUES = (
    ("profile", "NAME", "default", "How much to run: quick, default or full"),
    ("seed", "N", "0", "Seed of all generated data (default: 0)"),
    ("report-dir", "DIR", DEFAULT_REPORT, f"Where the report goes (default: {DEFAULT_REPORT})"),
    ("vector", "ID", "", "Run one published vector, by its id"),
    ("case", "TOKEN", "", "Run one generated case, by its token"),
    ("baseline", "FILE", "", "Fail when a report.json of an earlier run covered more"),
)


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
        pytest.UsageError: a value is not one of the choices, or is no number.
    """
    import pytest

    from tcrypt.settings import PROFILES, Selection, Settings

    profile = config.getoption("tcrypt_profile")
    if profile not in PROFILES:
        raise pytest.UsageError(
            f"{PREFIX}profile {profile!r}: must be one of {', '.join(PROFILES)}"
        )
    types = tuple(config.getoption("tcrypt_type"))
    for kind in types:
        if kind not in ("skcipher", "aead", "ahash"):
            raise pytest.UsageError(f"{PREFIX}type {kind!r}: must be skcipher, aead or ahash")
    return Settings(
        profile=profile,
        seed=_seed(config.getoption("tcrypt_seed")),
        selection=Selection(
            providers=tuple(config.getoption("tcrypt_provider")),
            drivers=tuple(config.getoption("tcrypt_driver")),
            algorithms=tuple(config.getoption("tcrypt_algorithm")),
            types=types,
            checks=tuple(config.getoption("tcrypt_check")),
        ),
        vector=config.getoption("tcrypt_vector"),
        case=config.getoption("tcrypt_case"),
        extra_arguments=extra_arguments(config),
    )


def _seed(text: str) -> int:
    import pytest

    try:
        return int(text)
    except ValueError:
        raise pytest.UsageError(f"{PREFIX}seed {text!r}: must be a number") from None


def extra_arguments(config: pytest.Config) -> tuple[str, ...]:
    """Options that change what the drivers are, which a reproducing command must repeat."""
    found: list[str] = []
    for name in ("from", "mutant", "vectors"):
        for value in config.getoption(_dest(name)):
            found += [f"--{name}", value]
    return tuple(found)


def command_line(config: pytest.Config) -> str:
    """The run's own command line, for the report."""
    return shlex.join(str(word) for word in config.invocation_params.args)


def report_directory(config: pytest.Config) -> Path:
    """Where the report goes, as given, relative to where the run was started."""
    chosen = str(config.getoption("tcrypt_report_dir"))
    return config.invocation_params.dir / chosen
