"""What the checks share: benches by type, references by name, and running generated specs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from tcrypt.cipher_bench import CipherBench
from tcrypt.engine.api.flags import AlgType
from tcrypt.hash_bench import HashBench
from tcrypt.oracle import AeadReference, HashReference, SkcipherReference, reference
from tcrypt.problems import Problem
from tcrypt.random_layouts import cipher_layout, hash_layout
from tcrypt.recorder import Recorder
from tcrypt.specs import AeadSpec, HashSpec, SkcipherSpec, SpecError
from tcrypt.subject import Subject
from tcrypt.watchdog import Watchdog

__all__ = (
    "AnyBench",
    "AnyReference",
    "AnySpec",
    "SpecRunner",
    "bench_kept",
    "case_fault",
    "make_bench",
    "reference_for",
    "same_bench",
)

AnyBench = CipherBench | HashBench
AnyReference = SkcipherReference | AeadReference | HashReference
AnySpec = SkcipherSpec | AeadSpec | HashSpec

_REFERENCE_TYPES: dict[AlgType, type[AnyReference]] = {
    AlgType.SKCIPHER: SkcipherReference,
    AlgType.AEAD: AeadReference,
    AlgType.AHASH: HashReference,
}
_SPEC_TYPES: dict[AlgType, type[AnySpec]] = {
    AlgType.SKCIPHER: SkcipherSpec,
    AlgType.AEAD: AeadSpec,
    AlgType.AHASH: HashSpec,
}


def reference_for(subject: Subject) -> AnyReference | None:
    """The oracle for a driver's algorithm; None when there is none of the driver's type."""
    found = reference(subject.algorithm)
    return found if isinstance(found, _REFERENCE_TYPES[subject.type]) else None


def case_fault(subject: Subject, token: str) -> str:
    """Why a token is no generated case for a driver; empty when it is one."""
    found: Any = reference_for(subject)
    try:
        spec: Any = _SPEC_TYPES[subject.type].parse(token)
        (hash_layout if isinstance(spec, HashSpec) else cipher_layout)(spec.layout)
        spec.case(found)
    except SpecError as error:
        return str(error)
    except Exception as error:
        # Values that are numbers and still no case fail wherever they are first used.
        return f"case {token!r}: {error or type(error).__name__}"
    return ""


def make_bench(subject: Subject, watchdog: Watchdog) -> AnyBench:
    """A bench for the driver's type, on a newly booted machine."""
    if subject.type is AlgType.AHASH:
        return HashBench(subject, watchdog)
    return CipherBench(subject, watchdog)


_kept: list[AnyBench] | None = None


@contextmanager
def bench_kept() -> Iterator[None]:
    """Let items that are run inside, of one driver, have the bench of the first of them."""
    global _kept
    _kept = []
    try:
        yield
    finally:
        _kept = None


def same_bench(subject: Subject, watchdog: Watchdog) -> AnyBench:
    """The bench of an earlier item inside of `bench_kept`, or a new one."""
    if _kept is None:
        return make_bench(subject, watchdog)
    if not _kept or _kept[0].subject is not subject or _kept[0].watchdog is not watchdog:
        _kept[:] = [make_bench(subject, watchdog)]
    return _kept[0]


class SpecRunner:
    """Runs generated specs against one driver and the oracle."""

    def __init__(self, subject: Subject, watchdog: Watchdog) -> None:
        found = reference_for(subject)
        assert found is not None, f"no reference for {subject.algorithm}: plan nothing"
        self.subject = subject
        self.reference: AnyReference = found
        self.bench = make_bench(subject, watchdog)

    def problems(self, spec: AnySpec) -> list[Problem]:
        """What is wrong with one case."""
        reference, bench = self.reference, self.bench
        if isinstance(spec, HashSpec):
            assert isinstance(reference, HashReference)
            assert isinstance(bench, HashBench)
            return bench.check(spec.case(reference), hash_layout(spec.layout))
        assert isinstance(bench, CipherBench)
        layout = cipher_layout(spec.layout)
        if isinstance(spec, AeadSpec):
            assert isinstance(reference, AeadReference)
            return bench.check(spec.case(reference), layout)
        assert isinstance(reference, SkcipherReference)
        return bench.check(spec.case(reference), layout)

    def parse(self, token: str) -> AnySpec:
        """The spec of a token, of the driver's type; SpecError when it is malformed."""
        return _SPEC_TYPES[self.subject.type].parse(token)

    def run(self, specs: Iterable[AnySpec], recorder: Recorder) -> None:
        """Run specs and record each under its token."""
        for spec in specs:
            token = spec.token
            found = self.problems(spec)
            recorder.result(token, found, layout=spec.layout, token=token)
