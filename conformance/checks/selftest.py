"""Check `selftest`: the kernel's own self-test, and nothing else, in the profiles `testmgr*`.

It says what a kernel would have said of a driver at registration.  Like testmgr, it stops at a
driver's first failure.
"""

from __future__ import annotations

from collections.abc import Iterator

from tcrypt import facts
from tcrypt.plan import Plan
from tcrypt.problems import Problem
from tcrypt.recorder import Recorder
from tcrypt.selftest import SOURCE, Extra, SelfTest, vectors_of
from tcrypt.settings import Settings
from tcrypt.subject import Subject
from tcrypt.vectors.catalogue import Catalogue
from tcrypt.watchdog import Watchdog

__all__ = ("CHECK", "plans")

CHECK = "selftest"
_CRASHES = ("crash", "hang")


def plans(subject: Subject, settings: Settings, catalogue: Catalogue) -> Iterator[Plan]:
    """One item for each driver, in a profile that is testmgr's."""
    if settings.limits.testmgr and not settings.narrow:
        yield Plan(CHECK, subject, _Test(subject, settings, catalogue).run)


class _Test:
    def __init__(self, subject: Subject, settings: Settings, catalogue: Catalogue) -> None:
        self.subject = subject
        self.settings = settings
        self.catalogue = catalogue

    def run(self, recorder: Recorder, watchdog: Watchdog) -> None:
        """Test the driver as the kernel would, and say where it stopped."""
        vectors = vectors_of(self.subject, self.catalogue)
        if not vectors:
            reason = f"{SOURCE} has no vectors for it: the kernel would not test it"
            recorder.unexecuted("not-applicable", reason, ["all"])
            return
        extra = Extra(self.settings.seed) if self.settings.limits.testmgr == "extra" else None
        test = SelfTest(self.subject, vectors, watchdog, extra)
        for step in test.passed():
            recorder.result(step, [])
        verdict = test.verdict
        if verdict is None:
            return
        grave = verdict.how in _CRASHES
        prefix = "" if verdict.how == "verdict" else f"{verdict.how}: "
        message = prefix + verdict.message
        recorder.result(verdict.where, [Problem(message, facts.TESTMGR, grave=grave)])
        reason = "testmgr stops at an algorithm's first failure"
        recorder.unexecuted("skipped", reason, [f"{verdict.where}/and-what-follows"])
