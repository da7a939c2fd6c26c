"""The words of a report: verdicts, engines and attributions, each with one meaning.

==================  ==============================================================================
passed              the case ran and everything that was checked held
failed              the case ran and something that was checked did not hold
expected-failure    the case ran and failed as a file of expected failures says, with a reason
skipped             left out on purpose: a selection, a marker, a budget
unsupported         the driver says, correctly, that it does not offer this
blocked             a policy, a permission or a missing facility kept the case from running
not-applicable      the check says nothing about this algorithm
not-run             it was planned and never had its turn
not-tested          the algorithm is registered and no case ran against it
==================  ==============================================================================

An item (a group of cases that run together) may also be *interrupted*: started, never finished.
A cell or a run is *incomplete* when what ran passed, but less ran than was promised.
"""

from __future__ import annotations

from typing import Literal, get_args

__all__ = (
    "CASE_VERDICTS",
    "DIVIDED_CHECKS",
    "DRAWN_CHECKS",
    "ENGINES",
    "Attribution",
    "CaseVerdict",
    "CellVerdict",
    "Engine",
    "ExpectationState",
    "ItemVerdict",
    "RunVerdict",
    "UnexecutedVerdict",
)

UnexecutedVerdict = Literal["skipped", "unsupported", "blocked", "not-applicable", "not-run"]
CaseVerdict = Literal[
    "passed",
    "failed",
    "expected-failure",
    "skipped",
    "unsupported",
    "blocked",
    "not-applicable",
    "not-run",
]
ItemVerdict = Literal[
    "passed",
    "failed",
    "expected-failure",
    "skipped",
    "unsupported",
    "blocked",
    "not-applicable",
    "not-run",
    "interrupted",
]
CellVerdict = Literal[
    "passed",
    "failed",
    "expected-failure",
    "skipped",
    "unsupported",
    "blocked",
    "not-applicable",
    "not-run",
    "interrupted",
    "incomplete",
]
RunVerdict = Literal["passed", "failed", "interrupted", "incomplete", "not-tested"]
ExpectationState = Literal[
    "in-use", "unexpected-pass", "fails-otherwise", "stale", "not-judged", "expired"
]

Engine = Literal["hardware", "software", "none"]
Attribution = Literal["driver", "profile", "device", "suite", "unknown"]

CASE_VERDICTS: tuple[CaseVerdict, ...] = get_args(CaseVerdict)
ENGINES: tuple[Engine, ...] = get_args(Engine)

DIVIDED_CHECKS = frozenset({"boundaries", "fuzz", "interleavings", "world"})
"""The checks whose cases many drivers of one provider and type run between them."""

DRAWN_CHECKS = frozenset({"fuzz", "world"})
"""The checks whose cases are drawn; those that pass are numbered, and one that fails is shrunk."""
