"""Check `vectors`: published known answers, in the directions that their source vouches for.

Curated vectors and the user's own run in every layout; those of other sources take turns, each
its own layout by its place in the file, so that a vector run alone runs as it did in the whole.
So do all vectors of a driver whose provider wants a few checks of it only, but in profile `full`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from typing import TypeVar

from tcrypt import facts
from tcrypt.checks import long_vectors
from tcrypt.checks.common import same_bench
from tcrypt.checks.vector_cases import cipher_cases, right_digest, weak_key_errnos
from tcrypt.cipher_bench import CipherBench
from tcrypt.engine.api.errors import errno_name
from tcrypt.engine.api.flags import ReqFlag
from tcrypt.hash_bench import HashBench, HashCase
from tcrypt.layouts import CIPHER_LAYOUTS, HASH_LAYOUTS, CipherLayout, HashLayout, slug
from tcrypt.plan import Plan
from tcrypt.problems import Problem
from tcrypt.recorder import Recorder
from tcrypt.settings import Settings
from tcrypt.subject import Subject
from tcrypt.vectors.catalogue import Catalogue, VectorFile
from tcrypt.vectors.errors import VectorError
from tcrypt.vectors.model import (
    AeadVector,
    HashVector,
    Vector,
    VectorSet,
)
from tcrypt.watchdog import Watchdog

__all__ = ("CHECK", "plans", "vectors_of")

CHECK = "vectors"
_CHUNK = 1000
_EVERY_LAYOUT_UP_TO = 60
_IN_EVERY_LAYOUT = ("curated", "user")
_LONG_MESSAGE = 100_000
_L = TypeVar("_L", CipherLayout, HashLayout)


def plans(subject: Subject, settings: Settings, catalogue: Catalogue) -> Iterator[Plan]:
    """One item for each file of the driver's algorithm, or for each 1000 vectors of it.

    Behind them the long ones: Monte Carlo chains and accumulated vectors.
    When one vector is asked for, the one item that holds it.
    """
    if settings.case:
        return
    for file in catalogue.files(subject.algorithm):
        if file.kind != subject.type.word or (file.optional and not file.available):
            continue
        if settings.vector and settings.vector.rpartition("#")[0] != file.label:
            continue
        for start in range(0, max(1, file.expected_count), _CHUNK):
            if settings.vector and start != _chunk_of(settings.vector, file):
                continue
            part = file.label if start == 0 else f"{file.label}@{start}"
            yield Plan(CHECK, subject, _Chunk(subject, file, start, settings).run, part)
    yield from long_vectors.plans(CHECK, subject, settings, catalogue)


@cache
def vectors_of(file: VectorFile) -> VectorSet:
    """A file's vectors, kept for its next chunk and the next driver: all together take 40 MiB."""
    return file.load()


@lru_cache(maxsize=1)
def _chunk_of(vector: str, file: VectorFile) -> int:
    """The place of the first vector of the chunk that holds a vector; negative when none does."""
    index = next((i for i, v in enumerate(vectors_of(file).vectors) if v.id == vector), -_CHUNK)
    return index // _CHUNK * _CHUNK


class _Chunk:
    """Up to 1000 vectors of one file against one driver."""

    def __init__(self, subject: Subject, file: VectorFile, start: int, settings: Settings) -> None:
        self.subject = subject
        self.file = file
        self.start = start
        self.settings = settings

    def run(self, recorder: Recorder, watchdog: Watchdog) -> None:
        """Load the file and run its vectors; a file that cannot be read is one failed case."""
        if not self.file.available:
            recorder.unexecuted("not-run", self.file.why_not, [self.file.label])
            return
        try:
            loaded = vectors_of(self.file)
        except VectorError as error:
            recorder.result(self.file.label, [_unusable("vector file refused", error)])
            return
        vectors = loaded.vectors
        full = self.settings.profile == "full" and self.file.source != "cavp"
        chosen_few = full or (self.file.source in _IN_EVERY_LAYOUT and not self.subject.checks)
        thorough = len(vectors) <= _EVERY_LAYOUT_UP_TO and chosen_few
        sample = self._sample(vectors)
        chosen = [index for index in sample if recorder.repeats(vectors[index].id)]
        if chosen:
            bench = same_bench(self.subject, watchdog)
            for index in chosen:
                self._vector(bench, recorder, vectors[index], index, thorough)
        self._left_out(recorder, vectors, sample)
        derived = "derived, computed by two libraries; " if loaded.derived else ""
        recorder.source(self.file.label, f"{derived}{loaded.title}", len(chosen))

    def _sample(self, vectors: Sequence[Vector]) -> list[int]:
        stop = min(len(vectors), self.start + _CHUNK)
        indices = list(range(self.start, stop))
        if self.settings.vector:
            return [i for i in indices if vectors[i].id == self.settings.vector]
        if self.settings.profile == "full":
            return indices
        most, every = self.settings.limits.vectors_per_file, self.file.one_in
        most = -(-most * len(indices) // len(vectors)) if vectors else 0
        if self.file.source != "cavp" or not most or len(indices) <= most:
            # A section of a file has `every` vectors: of each another one, so that all kinds come.
            return [i for i in indices if i % every == i // every % every]
        return sorted({indices[i * len(indices) // most] for i in range(most)})

    def _left_out(
        self, recorder: Recorder, vectors: Sequence[Vector], sample: Sequence[int]
    ) -> None:
        if self.settings.vector:
            return
        taken = set(sample)
        stop = min(len(vectors), self.start + _CHUNK)
        missed = [vectors[i].id for i in range(self.start, stop) if i not in taken]
        if missed:
            reason = f"profile {self.settings.profile} runs a sample of each bulk file"
            recorder.unexecuted("skipped", reason, missed)

    def _vector(
        self,
        bench: CipherBench | HashBench,
        recorder: Recorder,
        vector: Vector,
        index: int,
        thorough: bool,
    ) -> None:
        if vector.expect is not None and vector.expect.stage != "crypt":
            found = bench.guarded("setkey", lambda: _refused(bench, vector))
            recorder.result(f"{vector.id}/{vector.expect.stage}", found, vector=vector.id)
        elif isinstance(bench, HashBench):
            assert isinstance(vector, HashVector)
            if vector.length is not None:
                self._long(bench, recorder, vector)
                return
            try:
                right = right_digest(self.subject.algorithm, vector)
            except VectorError as error:
                found = [_unusable("vector contradicts the reference", error)]
                recorder.result(vector.id, found, vector=vector.id)
                return
            if right is None:
                why = "a wrong tag says nothing without a reference implementation"
                recorder.unexecuted("skipped", why, [vector.id])
                return
            hash_case = HashCase(vector.key, vector.message, right)
            layouts = _hash_layouts(vector, index, thorough)
            for hash_layout in self._mine(recorder, layouts, vector, index):
                found = bench.check(hash_case, hash_layout)
                name = hash_layout.name
                recorder.result(f"{vector.id}/{slug(name)}", found, layout=name, vector=vector.id)
        else:
            assert not isinstance(vector, HashVector)
            places = self._mine(recorder, _cipher_layouts(index, thorough), vector, index)
            for word, case in cipher_cases(self.subject.algorithm, vector):
                for layout in places:
                    found = bench.check(case, layout)
                    name = layout.name
                    recorder.result(
                        f"{vector.id}/{word}/{slug(name)}", found, layout=name, vector=vector.id
                    )

    def _mine(
        self, recorder: Recorder, layouts: Sequence[_L], vector: Vector, index: int
    ) -> list[_L]:
        """The layout whose turn it is, and of further ones those that are this driver's to run."""
        return [
            layout
            for place, layout in enumerate(layouts)
            if place == index % len(layouts) or recorder.shares(f"{vector.id}/{slug(layout.name)}")
        ]

    def _long(self, bench: HashBench, recorder: Recorder, vector: HashVector) -> None:
        if self.settings.profile == "full" or self.settings.vector:
            recorder.result(vector.id, long_vectors.long_message(bench, vector), vector=vector.id)
        else:
            why = f"profile {self.settings.profile} hashes no message of gibibytes"
            recorder.unexecuted("skipped", why, [vector.id])


def _unusable(what: str, error: VectorError) -> Problem:
    """A fault of the vectors, not of the driver."""
    return Problem(what, facts.SOURCES, attribution="suite", details=(str(error),))


def _cipher_layouts(index: int, thorough: bool) -> tuple[CipherLayout, ...]:
    return CIPHER_LAYOUTS if thorough else (CIPHER_LAYOUTS[index % len(CIPHER_LAYOUTS)],)


def _hash_layouts(vector: HashVector, index: int, thorough: bool) -> tuple[HashLayout, ...]:
    if thorough and len(vector.message) <= _LONG_MESSAGE:
        return HASH_LAYOUTS
    return (HASH_LAYOUTS[index % len(HASH_LAYOUTS)],)


def _refused(bench: CipherBench | HashBench, vector: Vector) -> list[Problem]:
    """A vector whose key or tag size must be refused with an exact errno."""
    expect = vector.expect
    assert expect is not None
    why = (expect.rule,) if expect.rule else ()
    bench.refresh()
    try:
        if expect.forbid_weak:
            bench.tfm.set_flags(int(ReqFlag.FORBID_WEAK_KEYS))
        if vector.key is not None:
            bench.tfm.setkey(vector.key)
        if expect.stage == "setauthsize":
            assert isinstance(vector, AeadVector)
            bench.tfm.setauthsize(vector.authsize)  # type: ignore[union-attr]
    except OSError as error:
        got = errno_name(-(error.errno or 0))
        if got in (f"-{expect.errno}", *weak_key_errnos(bench.subject.algorithm, vector)):
            return []
        return [Problem("wrong errno", facts.SETKEY, f"-{expect.errno}", got, details=why)]
    finally:
        if expect.forbid_weak:
            bench.tfm.clear_flags(int(ReqFlag.FORBID_WEAK_KEYS))
    return [
        Problem(f"{expect.stage} accepted", facts.SETKEY, f"-{expect.errno}", "0", details=why)
    ]
