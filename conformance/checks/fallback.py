"""Check `fallback`: who does the work for each key size, seen at the device, not at the driver.

A key size that the device's capability bits name must run on the device, one they lack in
software, with the same bytes and the same output IV, whichever key came before.  So must the tag
and AAD sizes of an AEAD, where the provider says which of them the hardware has.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations

from tcrypt import facts
from tcrypt.checks.common import AnySpec, SpecRunner, reference_for
from tcrypt.cover.capabilities import devices_of
from tcrypt.engine.api.flags import AlgFlag, AlgType
from tcrypt.engine.api.machine import Accelerator, Shape
from tcrypt.oracle import AeadReference, SkcipherReference
from tcrypt.plan import Plan
from tcrypt.problems import Problem
from tcrypt.recorder import Recorder
from tcrypt.reports.words import Engine
from tcrypt.settings import Settings
from tcrypt.specs import AeadSpec, HashSpec, SkcipherSpec
from tcrypt.subject import Subject
from tcrypt.vectors.catalogue import Catalogue
from tcrypt.watchdog import Watchdog

__all__ = ("CHECK", "plans")

CHECK = "fallback"
_LENGTHS = (16, 64, 256, 1024)
_SHAPE_TEXT = 64
_SHAPE_ASSOC = 16
_ODD_TAGS = (1, 10, 13)
_ASSOCS = (0, 8, 13, 16, 20, 1020, 1024)
_AUTHENC_KEYS = (16, 24, 32)
# They have room for 24 bytes more.
_LONGER = "lists-longer-than-the-request"


def plans(subject: Subject, settings: Settings, catalogue: Catalogue) -> Iterator[Plan]:
    """One item for each driver whose algorithm the oracle knows."""
    if reference_for(subject) is not None and not settings.vector:
        yield Plan(CHECK, subject, _Fallback(subject, settings).run)


class _Fallback:
    def __init__(self, subject: Subject, settings: Settings) -> None:
        self.subject = subject
        self.settings = settings

    def run(self, recorder: Recorder, watchdog: Watchdog) -> None:
        """Each key size alone, then every change from one size to another and back."""
        runner = SpecRunner(self.subject, watchdog)
        found = self._devices(runner)
        if not found:
            self._software(recorder)
            return
        sizes = _key_sizes(runner)
        for size in sizes:
            self._size(recorder, runner, size)
        for first, second in permutations(sizes, 2):
            self._rekey(recorder, runner, first, second)
        self._shapes(recorder, runner)

    def _devices(self, runner: SpecRunner) -> list[Accelerator]:
        """What drives the work, on the machine that the runner has now."""
        return devices_of(self.subject, runner.bench.machine)

    def _shapes(self, recorder: Recorder, runner: SpecRunner) -> None:
        """Requests of an AEAD whose AAD and tag sizes the hardware may not have."""
        accelerator = self._devices(runner)[0]
        reference, takes = runner.reference, accelerator.takes
        if takes is None or not isinstance(reference, AeadReference):
            return
        size = next((n for n in _key_sizes(runner) if self._supported(runner, n)), None)
        if size is None:
            return
        for spec in _shape_specs(reference, size):
            case = f"shape-{spec.op}-assoc-{spec.assoc}-tag-{spec.tag}"
            if not recorder.wants(case):
                continue
            shape = Shape(spec.op == "enc", spec.len, spec.assoc, spec.tag)
            wanted: Engine = "hardware" if takes(self.subject.algorithm, shape) else "software"
            problems, jobs = self._done(runner, spec)
            seen: Engine = "hardware" if jobs else "software"
            if seen != wanted and not problems:
                detail = f"{spec.assoc} bytes of AAD, a tag of {spec.tag}"
                problems = [_who(wanted, seen, size)._replace(details=(detail,))]
            recorder.result(case, problems, token=case)

    def _software(self, recorder: Recorder) -> None:
        if self.subject.instance:
            reason = "a template's instance: the drivers under it are judged by themselves"
            recorder.unexecuted("not-applicable", reason, ["all"])
            return
        flags = self.subject.alg.cra_flags
        if flags & AlgFlag.NEED_FALLBACK:
            problem = Problem(
                "NEED_FALLBACK on a driver that no hardware engine was attached for",
                facts.WHO,
                attribution="suite",
                details=("the provider must attach an Accelerator to its machine",),
            )
            recorder.result("evidence", [problem])
            return
        reason = "a software driver: no hardware engine is attached to its machine"
        recorder.unexecuted("not-applicable", reason, ["all"])

    def _size(self, recorder: Recorder, runner: SpecRunner, size: int) -> None:
        accelerator = self._devices(runner)[0]
        wanted: Engine = "hardware" if self._supported(runner, size) else "software"
        seen: Engine = "none"
        requests = 0
        for length in _LENGTHS:
            if length < self._shortest(accelerator, size):
                continue
            case = f"key-{size}/len-{length}"
            if not recorder.wants(case):
                continue
            problems, jobs = self._job(runner, size, length)
            seen = "hardware" if jobs else "software"
            requests += 1
            if seen != wanted and not problems:
                problems = [_who(wanted, seen, size)]
            recorder.result(case, problems, token=case)
        if not self.settings.case:
            recorder.work(size, seen, wanted, requests)
        self._threshold(recorder, runner, accelerator, size, wanted)

    def _threshold(
        self,
        recorder: Recorder,
        runner: SpecRunner,
        accelerator: Accelerator,
        size: int,
        wanted: Engine,
    ) -> None:
        """Around the length below which the driver's documented policy prefers software."""
        shortest = self._shortest(accelerator, size)
        if shortest <= 1 or wanted == "software":
            return
        granule = getattr(runner.reference, "block_size", 1)
        border = -(-shortest // granule) * granule
        specs = [_spec(runner, size, border + place * granule) for place in (-1, 0, 1)]
        named = {f"threshold-{spec.len}": spec for spec in specs}
        if not isinstance(specs[0], HashSpec):
            # What the request has counts, not what its lists have room for.
            named[f"threshold-{specs[0].len}-in-longer-lists"] = replace(specs[0], layout=_LONGER)
        for name, spec in named.items():
            case = f"key-{size}/{name}"
            if not recorder.wants(case):
                continue
            problems, jobs = self._done(runner, spec)
            expected: Engine = "hardware" if spec.len >= shortest else "software"
            seen: Engine = "hardware" if jobs else "software"
            if seen != expected and not problems:
                problems = [_who(expected, seen, size)]
            recorder.result(case, problems, token=case)

    def _shortest(self, accelerator: Accelerator, size: int) -> int:
        if accelerator.shortest_for_key is not None:
            return accelerator.shortest_for_key(self.subject.algorithm, size)
        return accelerator.shortest(self.subject.algorithm)

    def _supported(self, runner: SpecRunner, size: int) -> bool:
        return any(a.supports(self.subject.algorithm, size) for a in self._devices(runner))

    def _jobs(self, runner: SpecRunner) -> int:
        return sum(accelerator.jobs() for accelerator in self._devices(runner))

    def _job(self, runner: SpecRunner, size: int, length: int) -> tuple[list[Problem], int]:
        """Run one request; its problems, and how many jobs the devices did meanwhile."""
        return self._done(runner, _spec(runner, size, length))

    def _done(self, runner: SpecRunner, spec: AnySpec) -> tuple[list[Problem], int]:
        runner.bench.refresh()
        before = self._jobs(runner)
        problems = runner.problems(spec)
        return problems, self._jobs(runner) - before

    def _rekey(self, recorder: Recorder, runner: SpecRunner, first: int, second: int) -> None:
        case = f"rekey-{first}-{second}-{first}"
        if not recorder.wants(case):
            return
        accelerator = self._devices(runner)[0]
        found: list[Problem] = []
        for size in (first, second, first):
            length = max(64, -(-self._shortest(accelerator, size) // 16) * 16)
            problems, jobs = self._job(runner, size, length)
            wanted: Engine = "hardware" if self._supported(runner, size) else "software"
            seen: Engine = "hardware" if jobs else "software"
            if not problems and seen != wanted:
                problems = [_who(wanted, seen, size)]
            found += problems
        recorder.result(case, found, token=case)


def _key_sizes(runner: SpecRunner) -> list[int]:
    reference = runner.reference
    if isinstance(reference, SkcipherReference):
        return list(reference.key_sizes)
    if isinstance(reference, AeadReference):
        return list(reference.key_sizes or _AUTHENC_KEYS)
    return [32] if reference.keyed else [0]


def _spec(runner: SpecRunner, size: int, length: int) -> SkcipherSpec | AeadSpec | HashSpec:
    kind = runner.subject.type
    if kind is AlgType.SKCIPHER:
        return SkcipherSpec("enc", size, length, seed=size)
    if kind is AlgType.AEAD:
        assert isinstance(runner.reference, AeadReference)
        return AeadSpec("enc", size, length, 16, runner.reference.maxauthsize, seed=size)
    return HashSpec(length, size if size else -1, seed=size)


def _shape_specs(reference: AeadReference, size: int) -> Iterator[AeadSpec]:
    """Both directions of each tag size with plain AAD, and of each AAD size with the full tag.

    Of the sizes that the algorithm has: what is refused is done by nobody.
    """
    most = reference.maxauthsize
    tags = [tag for tag in (*range(4, most, 4), *_ODD_TAGS) if tag < most]
    shapes = [(_SHAPE_ASSOC, tag) for tag in tags if not reference.authsize_status(tag)]
    shapes += [(assoc, most) for assoc in _ASSOCS]
    for assoc, tag in shapes:
        for op in ("enc", "dec"):
            spec = AeadSpec(op, size, _SHAPE_TEXT, assoc, tag, seed=size)
            if not spec.case(reference).status:
                yield spec


def _who(wanted: Engine, seen: Engine, size: int) -> Problem:
    return Problem(
        "the wrong engine did the work",
        facts.WHO,
        wanted,
        seen,
        details=(f"key of {size} bytes",),
    )
