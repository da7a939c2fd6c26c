"""What a run will do: the selected drivers, and the items of every check for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import ModuleType

from tcrypt.checks import (
    answers,
    boundaries,
    fallback,
    faults,
    fuzz,
    interleavings,
    keys,
    lifecycle,
    registration,
    retry,
    selftest,
    sequences,
    vectors,
    world,
)
from tcrypt.checks.common import case_fault, reference_for
from tcrypt.checks.long_vectors import ONWARDS
from tcrypt.plan import Plan, Plans
from tcrypt.plugins.options import PREFIX
from tcrypt.plugins.selection import SelectionError
from tcrypt.settings import Settings
from tcrypt.subject import Subject
from tcrypt.vectors.catalogue import Catalogue

__all__ = ("CHECKS", "Agenda")

CHECKS: dict[str, ModuleType] = {
    module.CHECK: module
    for module in (
        registration,
        keys,
        vectors,
        answers,
        boundaries,
        fuzz,
        sequences,
        fallback,
        retry,
        interleavings,
        world,
        faults,
        lifecycle,
        selftest,
    )
}


class Agenda:
    """The items of a run.

    Attributes:
        untested: the selected drivers that nothing tests, and why.
        all: the items of each check, in the order in which they run.

    Raises:
        SelectionError: nothing has the one vector or case that was asked for.
    """

    def __init__(
        self, settings: Settings, subjects: Sequence[Subject], catalogue: Catalogue
    ) -> None:
        self.settings = settings
        self.subjects = subjects
        self.catalogue = catalogue
        self.untested = dict(self._untested())
        self.all = {name: list(self._planned(name)) for name in CHECKS}
        if settings.narrow and not any(self.all.values()):
            raise SelectionError(self._nowhere())

    def _untested(self) -> Iterable[tuple[Subject, str]]:
        """The selected algorithms that nothing tests, and why."""
        for subject in self.subjects:
            files = [
                file
                for file in self.catalogue.files(subject.algorithm)
                if file.kind == subject.type.word
            ]
            if reference_for(subject) is None and not any(file.available for file in files):
                why = f"its vectors are missing ({files[0].why_not})" if files else "no vectors"
                yield subject, f"{why} and no reference implementation"

    def _planned(self, check: str) -> Iterable[Plan]:
        if not self.settings.selection.takes_check(check):
            return
        for subject in self.subjects:
            # A look at its registration alone would let an untested algorithm pass as tested.
            if subject not in self.untested and self._wanted(check, subject):
                yield from CHECKS[check].plans(subject, self.settings, self.catalogue)

    def _wanted(self, check: str, subject: Subject) -> bool:
        """Whether its provider has a driver tested by a check; in `full` every one is, by all."""
        testmgr = bool(self.settings.limits.testmgr)
        if testmgr or check == selftest.CHECK:
            return testmgr and check == selftest.CHECK
        few = subject.checks if self.settings.profile != "full" else ()
        return not few or check in few

    def _nowhere(self) -> str:
        """Why the one vector or case that was asked for is not to be had."""
        vector, case = self.settings.vector, self.settings.case
        if vector:
            algorithm = self.catalogue.find(vector.removesuffix(ONWARDS))[0].algorithm
            return (
                f"{PREFIX}vector {vector!r}: no selected driver and check uses vectors of"
                f" {algorithm}"
            )
        faults = [case_fault(s, case) for s in self.subjects if reference_for(s) is not None]
        fault = next((fault for fault in faults if fault), "no selected check has such cases")
        return f"{PREFIX}case {case!r}: {fault.removeprefix(f'case {case!r}: ')}"

    def plans(self, check: str) -> Sequence[Plan]:
        """All items of a check for the selected drivers."""
        return self.all.get(check, [])

    def bundles(self, check: str) -> dict[str, Plans]:
        """What pytest runs at once, by the names of its items."""
        bundles: dict[str, Plans] = {}
        for plan in self.plans(check):
            name = self.settings.bundle(plan)
            bundles[name] = (*bundles.get(name, ()), plan)
        return bundles
