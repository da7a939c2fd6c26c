"""Looks for a failing example with Hypothesis and keeps the smallest one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import FlakyFailure
from hypothesis.strategies import SearchStrategy

from tcrypt.problems import Problem
from tcrypt.recorder import Recorder
from tcrypt.seeding import seed_alone
from tcrypt.watchdog import DriverGivenUpError

__all__ = ("Smallest",)

_T = TypeVar("_T")


class _ExampleFailedError(Exception):
    """Carries the message of a failing example through Hypothesis."""


class Smallest(Generic[_T]):
    """One Hypothesis run; counts what passed and remembers the last, that is smallest, failure.

    Args:
        problems: what is wrong with an example.
        seed_: decides which examples are drawn.
        examples: how many at most.
        known: whether a failing example is expected to fail; the search goes on behind it, lest a
            known defect hide a new one.

    Attributes:
        passed: how many examples passed.
        expected: the first one that failed as expected, with what is wrong with it.
    """

    def __init__(
        self,
        problems: Callable[[_T], list[Problem]],
        seed_: int,
        examples: int,
        known: Callable[[_T, list[Problem]], bool] = lambda example, problems: False,
    ) -> None:
        self.passed = 0
        self.expected: tuple[_T, list[Problem]] | None = None
        self._known = known
        self._problems = problems
        self._seed = seed_
        self._examples = examples
        self._failing: tuple[_T, list[Problem]] | None = None

    def search(self, strategy: SearchStrategy[_T]) -> tuple[_T, list[Problem]] | None:
        """The smallest failing example with what is wrong with it, or None.

        Raises:
            DriverGivenUpError: the driver was given up before anything was found.
        """

        @seed(self._seed)
        @settings(
            max_examples=self._examples,
            database=None,
            deadline=None,
            derandomize=False,
            report_multiple_bugs=False,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
            print_blob=False,
        )
        @given(strategy)
        def examine(example: _T) -> None:
            self._examine(example)

        try:
            with seed_alone():
                examine()
        except (_ExampleFailedError, FlakyFailure):
            pass
        except DriverGivenUpError:
            # What was found before the driver was given up is still a finding.
            if self._failing is None:
                raise
        return self._failing

    def record(self, recorder: Recorder) -> None:
        """Record what passed: numbered, so that runs with other seeds have the same cases."""
        for number in range(1, self.passed + 1):
            recorder.result(f"example-{number}", [])

    def _examine(self, example: _T) -> None:
        problems = self._problems(example)
        if not problems:
            self.passed += 1
            return
        if self._known(example, problems):
            self.expected = self.expected or (example, problems)
            return
        self._failing = (example, problems)
        raise _ExampleFailedError(problems[0].message)
