"""Check `registration`: what a driver declares, against the reference and against what it does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from tcrypt import facts
from tcrypt.checks.common import SpecRunner, reference_for
from tcrypt.checks.fallback_needs import (
    fallback_taken,
    lookup_of_a_fallback,
    without_a_fallback,
)
from tcrypt.checks.registry_conduct import (
    attempt,
    complete,
    entry_of,
    failed_self_test,
    found_by_name,
    listing,
    priority_policy,
    self_test,
    shadowing,
    unregistering,
)
from tcrypt.checks.transform_lives import init_fails, references_kept, setkey_fails
from tcrypt.checks.trial import good_spec
from tcrypt.engine.api.algorithms import AnyAlg
from tcrypt.engine.api.flags import AlgFlag
from tcrypt.engine.api.machine import Machine, Setup
from tcrypt.layouts import slug
from tcrypt.oracle.properties import registration_properties
from tcrypt.plan import Plan
from tcrypt.problems import Problem
from tcrypt.recorder import Recorder
from tcrypt.settings import Settings
from tcrypt.specs import HashSpec
from tcrypt.subject import Subject
from tcrypt.vectors.catalogue import Catalogue
from tcrypt.watchdog import Watchdog

__all__ = ("CHECK", "plans")

CHECK = "registration"
_OTHER_TEMPLATE = "driver name of another template"
_WRAPPERS = ("cryptd", "pcrypt")
_UNALIGNED = "unaligned buffer, offset=1"
_Case = Callable[[Subject], list[Problem]]
# On one machine, which they leave as it was, but for the last.
_LOOKS: dict[str, _Case] = {
    "shadowing": shadowing,
    "found-by-name": found_by_name,
    "complete": complete,
    "fallback-lookup": lookup_of_a_fallback,
    "proc-crypto": listing,
    "priority-policy": priority_policy,
    "references": references_kept,
    "unregister": unregistering,
}
_CASES: dict[str, _Case] = {
    "failed-self-test": failed_self_test,
    "fallback-taken": fallback_taken,
    "without-fallback": without_a_fallback,
    "init-fails": init_fails,
}


def plans(subject: Subject, settings: Settings, catalogue: Catalogue) -> Iterator[Plan]:
    """One item for each driver."""
    if not settings.vector:
        yield Plan(CHECK, subject, _Registration(subject).run)


class _Registration:
    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self._machine = _OneMachine(subject.provider.build)
        self._runner: SpecRunner | None = None

    def run(self, recorder: Recorder, watchdog: Watchdog) -> None:
        """Sizes, names, flags."""
        alg = self.subject.alg
        for name, wanted in (registration_properties(alg.cra_name) or {}).items():
            self._record(recorder, name, _property(alg, name, wanted))
        self._look(recorder, watchdog)
        for name, case in _CASES.items():
            if recorder.wants(name) and recorder.repeats(name):
                found = attempt(watchdog, name, lambda c=case: c(self.subject))  # type: ignore[misc]
                recorder.result(name, found, token=name)
        if reference_for(self.subject) is None:
            return
        for name, last in (("self-test", self._self_test), ("setkey-fails", self._setkey)):
            if recorder.wants(name) and recorder.repeats(name):
                found = attempt(watchdog, name, lambda c=last: c(watchdog))  # type: ignore[misc]
                recorder.result(name, found, token=name)
        if recorder.wants("kern-driver-only-flag"):
            self._record(recorder, "kern-driver-only-flag", self._hardware(watchdog))
        if recorder.wants("async-flag"):
            self._record(recorder, "async-flag", self._async(watchdog))
        if recorder.wants("allocates-memory-flag"):
            self._record(recorder, "allocates-memory-flag", self._allocates(watchdog))

    def _look(self, recorder: Recorder, watchdog: Watchdog) -> None:
        """What needs no machine of its own, as long as nothing is wrong with the one there is."""
        subject = self.subject
        same = replace(subject, provider=replace(subject.provider, build=self._machine))
        self._record(recorder, "driver-name", _names(same))
        for name, case in _LOOKS.items():
            if recorder.wants(name):
                found = attempt(watchdog, name, lambda c=case: c(same))  # type: ignore[misc]
                recorder.result(name, found, token=name)
                if found:
                    self._machine.drop()
        self._machine.drop()

    def _self_test(self, watchdog: Watchdog) -> list[Problem]:
        return self_test(self.subject)

    def _setkey(self, watchdog: Watchdog) -> list[Problem]:
        return setkey_fails(self.subject, watchdog)

    def _record(self, recorder: Recorder, name: str, problems: list[Problem]) -> None:
        if recorder.wants(name):
            recorder.result(name, problems, token=name)

    def _async(self, watchdog: Watchdog) -> list[Problem]:
        """A driver that completes later must say so, for callers that cannot wait (6.6)."""
        runner = self._running(watchdog)
        found = runner.problems(good_spec(runner.reference))
        if found:
            # Other checks judge the answer; without any answer there is nothing to say here.
            return [problem for problem in found if problem.fact == facts.PROGRESS]
        if runner.bench.last.pending and not self._flags() & AlgFlag.ASYNC:
            return [Problem("completes later without CRYPTO_ALG_ASYNC", facts.FLAGS)]
        return []

    def _hardware(self, watchdog: Watchdog) -> list[Problem]:
        """A driver whose work a device does says that user space has no other way to it (6.6).

        What a template built over such a driver is not one itself.
        """
        runner = self._running(watchdog)
        bench = runner.bench
        own, accelerators = entry_of(bench.machine, self.subject), bench.machine.accelerators
        drives = any(a.drives(self.subject.driver) for a in accelerators)
        if own.parts or not drives or self._flags() & AlgFlag.KERN_DRIVER_ONLY:
            return []
        before = sum(a.jobs() for a in accelerators)
        if runner.problems(good_spec(runner.reference)):
            return []
        if sum(a.jobs() for a in accelerators) == before:
            return []
        return [Problem("drives a device without CRYPTO_ALG_KERN_DRIVER_ONLY", facts.FLAGS)]

    def _allocates(self, watchdog: Watchdog) -> list[Problem]:
        """A driver that allocates for a request must say so, for callers in a low-memory path.

        The request's buffers are unaligned, which is what makes drivers copy.  The second of two
        equal requests counts: the bench's own memory is there by then.
        """
        runner = self._running(watchdog)
        spec = good_spec(runner.reference)
        name = "digest misaligned buffer" if isinstance(spec, HashSpec) else _UNALIGNED
        spec = replace(spec, layout=slug(name))
        if runner.problems(spec):
            return []
        memory = runner.bench.memory
        before = memory.allocations
        runner.problems(spec)
        if memory.allocations == before or self._flags() & AlgFlag.ALLOCATES_MEMORY:
            return []
        return [Problem("allocates memory without CRYPTO_ALG_ALLOCATES_MEMORY", facts.FLAGS)]

    def _running(self, watchdog: Watchdog) -> SpecRunner:
        """One for all flags, which are judged by what good requests do."""
        if self._runner is None:
            self._runner = SpecRunner(self.subject, watchdog)
        return self._runner

    def _flags(self) -> int:
        return self.subject.alg.cra_flags


class _OneMachine:
    """Gives the machine that it booted first again, until that is dropped."""

    def __init__(self, build: Callable[[Setup], Machine]) -> None:
        self._build = build
        self._machine: Machine | None = None

    def __call__(self, setup: Setup) -> Machine:
        if self._machine is None:
            self._machine = self._build(setup)
        return self._machine

    def drop(self) -> None:
        """Boot another one next time."""
        self._machine = None


def _names(subject: Subject) -> list[Problem]:
    """Alone under its driver name, and reachable by it."""
    machine = subject.provider.boot()
    driver = subject.driver
    machine.registry.find(driver, subject.type)
    same = [alg for alg in machine.registry if alg.cra_driver_name == driver]
    if len(same) != 1:
        count = str(len(same))
        return [Problem("driver name registered more than once", facts.NAMES, "1", count)]
    return _name_shape(subject.algorithm, driver)


def _name_shape(algorithm: str, driver: str) -> list[Problem]:
    """A driver name in the form of a template must name the algorithm's template.

    `cbc(aes-mine)` and `cbc-aes-mine` are both usual for `cbc(aes)`; `ebc(aes-mine)` is a typing
    error that no lookup by composed name will find.  `gcm_base(...)` is how the kernel itself
    names the parts of an instance of `gcm(...)`.  A wrapper has the algorithm name of what it
    wraps.  A blank in such a form ends the name where a larger one is composed of it (6.8).
    Where the driver's name has as many templates inside as the algorithm's, they are the same.
    """
    template, bracket, _ = algorithm.partition("(")
    named, driver_bracket, rest = driver.partition("(")
    while named in _WRAPPERS:
        named, driver_bracket, rest = rest.partition("(")
    if not bracket or not driver_bracket or named in (template, f"{template}_base"):
        inside, driver_inside = _templates(algorithm)[1:], _templates(rest)
        if driver_bracket and len(inside) == len(driver_inside) and inside != driver_inside:
            return [Problem(_OTHER_TEMPLATE, facts.NAMES, algorithm, driver)]
        return _blank(driver) if driver_bracket else []
    return [Problem(_OTHER_TEMPLATE, facts.NAMES, f"{template}(...)", driver)]


def _templates(name: str) -> list[str]:
    """The words of a name that an opening bracket follows."""
    return [word.removesuffix("_base") for word in re.findall(r"([^(), ]+)\(", name)]


def _blank(driver: str) -> list[Problem]:
    whole = "".join(driver.split())
    if whole == driver:
        return []
    return [Problem("blank in a driver name", facts.NAMES, whole, driver)]


def _property(alg: AnyAlg, name: str, wanted: int) -> list[Problem]:
    got = getattr(alg, name)
    if name == "chunksize" and not got:
        got = alg.cra_blocksize
    if got == wanted:
        return []
    return [Problem(f"wrong {name}", facts.PROPERTY, str(wanted), str(got))]
