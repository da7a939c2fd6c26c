"""The profiles as kernel-crypto, section 5.9, and the guide have them."""

from __future__ import annotations

import dataclasses
import re

import pytest

from tcrypt.engine import semantics
from tcrypt.engine.api.machine import Machine, Setup
from tcrypt.engine.crypto_engine import CryptoEngine
from tcrypt.engine.semantics import (
    DEFAULT,
    PROFILES,
    WEDGES,
    Semantics,
    UnknownSemanticsError,
    semantics_of,
)


def test_every_machine_has_the_default_unless_told_otherwise() -> None:
    assert Setup().semantics == DEFAULT
    assert CryptoEngine(Machine(), "device").semantics is PROFILES[DEFAULT]


def test_a_machine_has_the_semantics_of_its_setup() -> None:
    machine = Machine(setup=Setup(semantics="linux-5.8"))
    assert CryptoEngine(machine, "device").semantics is PROFILES["linux-5.8"]


@pytest.mark.parametrize("name", ["linux", "", "Linux-6.17"])
def test_an_unknown_name_is_refused_with_the_choices(name: str) -> None:
    with pytest.raises(UnknownSemanticsError) as caught:
        semantics_of(name)
    text = str(caught.value)
    assert repr(name) in text
    assert all(known in text for known in PROFILES)
    with pytest.raises(UnknownSemanticsError):
        CryptoEngine(Machine(setup=Setup(semantics=name)), "device")


# Section 5.9, column by column; what a row leaves out is as in the column to its right.


def _changes(older: str, newer: str) -> dict[str, tuple[object, object]]:
    """The fields in which two profiles differ, with both values."""
    pairs = {
        field.name: (getattr(PROFILES[older], field.name), getattr(PROFILES[newer], field.name))
        for field in dataclasses.fields(Semantics)
        if field.name != "name"
    }
    return {name: (a, b) for name, (a, b) in pairs.items() if a != b}


@pytest.mark.parametrize(
    ("older", "newer", "changes"),
    [
        (
            "linux-5.8",
            "linux-6.1",
            {"notice_before_start": (True, False), "head_moves_backlog": (False, True)},
        ),
        (
            "linux-6.1",
            "linux-6.6",
            {
                "request_hooks": (True, False),
                "missing_operation": ("run-time", "registration"),
                "exit_returns_status": (True, False),
            },
        ),
        (
            "linux-6.6",
            "linux-6.17",
            {"hardware_hooks": (True, False), "batch": ("after-pump", "none")},
        ),
        ("linux-6.17", "fixed", {"mended": (frozenset(), frozenset(WEDGES))}),
    ],
)
def test_versions_differ_in_these_points_only(
    older: str, newer: str, changes: dict[str, tuple[object, object]]
) -> None:
    assert _changes(older, newer) == changes


def test_the_guide_differs_from_every_kernel_in_the_retry_rules() -> None:
    guide = PROFILES["guide"]
    assert guide.no_room == "all-after-delay"
    assert guide.requeues_fatal
    assert guide.batch == "replaces"
    linux = [profile for name, profile in PROFILES.items() if name != "guide"]
    assert not any(p.requeues_fatal or p.no_room == guide.no_room for p in linux)


def test_no_released_kernel_mends_a_wedge() -> None:
    linux = [profile for name, profile in PROFILES.items() if name.startswith("linux-")]
    assert len(linux) == 4
    assert not any(profile.mended for profile in linux)


def test_every_field_names_its_source() -> None:
    text = (Semantics.__doc__ or "").replace("\n", " ")
    for field in dataclasses.fields(Semantics):
        entry = re.search(rf" {field.name}: (.*?)(?= \w+: |$)", text)
        assert entry, field.name
    assert set(re.findall(r"5\.\d", text)) >= {"5.1", "5.4", "5.5", "5.7", "5.9"}
    assert semantics.__doc__
    assert "the guide" in text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mended": frozenset("G")}, "no such wedge to mend: G"),
        ({"no_room": "all-after-delay"}, "retry_delay 0 ns"),
        ({"retry_delay": 5}, "retry_delay 5 ns with head-at-once"),
    ],
)
def test_contradictions_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        Semantics(name="odd", **changes)  # type: ignore[arg-type]
