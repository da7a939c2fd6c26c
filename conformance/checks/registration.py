"""Check `registration`: what a driver declares, against the reference and against what it does."""

from __future__ import annotations

from collections.abc import Iterator

from tcrypt import facts
from tcrypt.checks.common import SpecRunner, reference_for
from tcrypt.engine.api.algorithms import AhashAlg, AnyAlg
from tcrypt.engine.api.flags import AlgFlag, AlgType
from tcrypt.oracle import AeadReference
from tcrypt.oracle.properties import registration_properties
from tcrypt.plan import Plan
from tcrypt.problems import Problem
from tcrypt.recorder import Recorder
from tcrypt.settings import Settings
from tcrypt.specs import AeadSpec, HashSpec, SkcipherSpec
from tcrypt.subject import Subject
from tcrypt.vectors.catalogue import Catalogue
from tcrypt.watchdog import Watchdog

__all__ = ("CHECK", "plans")

CHECK = "registration"


def plans(subject: Subject, settings: Settings, catalogue: Catalogue) -> Iterator[Plan]:
    """One item for each driver."""
    if not settings.vector:
        yield Plan(CHECK, subject, _Registration(subject).run)


class _Registration:
    def __init__(self, subject: Subject) -> None:
        self.subject = subject

    def run(self, recorder: Recorder, watchdog: Watchdog) -> None:
        """Sizes, names, flags."""
        alg = self.subject.alg
        for name, wanted in (registration_properties(alg.cra_name) or {}).items():
            self._record(recorder, name, _property(alg, name, wanted))
        self._record(recorder, "driver-name", self._names())
        if reference_for(self.subject) is not None:
            self._record(recorder, "async-flag", self._async(watchdog))

    def _record(self, recorder: Recorder, name: str, problems: list[Problem]) -> None:
        if recorder.wants(name):
            recorder.result(name, problems, token=name)

    def _names(self) -> list[Problem]:
        """Alone under its driver name, and reachable by it."""
        machine = self.subject.provider.boot()
        driver = self.subject.driver
        same = [alg for alg in machine.registry if alg.cra_driver_name == driver]
        if len(same) == 1:
            return []
        return [Problem("driver name registered more than once", facts.NAMES, "1", str(len(same)))]

    def _async(self, watchdog: Watchdog) -> list[Problem]:
        """A driver that completes later must say so, for callers that cannot wait (6.6)."""
        runner = SpecRunner(self.subject, watchdog)
        found = runner.problems(_plain(runner))
        if found:
            # Other checks judge the answer; without any answer there is nothing to say here.
            return [problem for problem in found if problem.fact == facts.PROGRESS]
        if runner.bench.last.pending and not self._flags() & AlgFlag.ASYNC:
            return [Problem("completes later without CRYPTO_ALG_ASYNC", facts.FLAGS)]
        return []

    def _flags(self) -> int:
        return self.subject.alg.cra_flags


def _property(alg: AnyAlg, name: str, wanted: int) -> list[Problem]:
    got = getattr(alg, name)
    if name == "chunksize" and not got:
        got = alg.cra_blocksize
    if got == wanted:
        return []
    return [Problem(f"wrong {name}", facts.PROPERTY, str(wanted), str(got))]


def _plain(runner: SpecRunner) -> SkcipherSpec | AeadSpec | HashSpec:
    if runner.subject.type is AlgType.SKCIPHER:
        return SkcipherSpec("enc", 16, 64)
    if runner.subject.type is AlgType.AEAD:
        assert isinstance(runner.reference, AeadReference)
        return AeadSpec("enc", 16, 64, 16, runner.reference.maxauthsize)
    assert isinstance(runner.subject.alg, AhashAlg)
    return HashSpec(200, 20 if runner.subject.alg.setkey else -1)
