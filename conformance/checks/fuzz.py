"""Check `fuzz`: random cases from boundary-biased strategies, against the oracle.

Hypothesis draws sizes and choices and shrinks what fails; the smallest failing case is reported as
a token that replays it without Hypothesis.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from hypothesis import strategies as st

from tcrypt.checks.common import AnyReference, AnySpec, SpecRunner, case_fault, reference_for
from tcrypt.layouts import CIPHER_LAYOUTS, HASH_LAYOUTS, slug
from tcrypt.oracle import AeadReference, SkcipherReference
from tcrypt.plan import Plan
from tcrypt.random_layouts import RANDOM_LAYOUTS
from tcrypt.recorder import Recorder
from tcrypt.settings import Settings
from tcrypt.smallest import Smallest
from tcrypt.specs import AeadSpec, HashSpec, SkcipherSpec
from tcrypt.subject import Subject
from tcrypt.vectors.catalogue import Catalogue
from tcrypt.watchdog import Watchdog

__all__ = ("CHECK", "lengths", "plans", "specs")

CHECK = "fuzz"

_T = TypeVar("_T")
_EDGES = (0, 1, 8, 16, 20, 32, 64, 128, 256, 512, 1024, 4096, 65_536)
_SEEDS = st.integers(0, 999)
_OPS = st.sampled_from(("enc", "dec"))
_RANDOM_LAYOUT = st.integers(0, RANDOM_LAYOUTS - 1).map("random-{}".format)
_CIPHER_LAYOUT = st.sampled_from([slug(layout.name) for layout in CIPHER_LAYOUTS]) | _RANDOM_LAYOUT
_HASH_LAYOUT = st.sampled_from([slug(layout.name) for layout in HASH_LAYOUTS]) | _RANDOM_LAYOUT
_IVS = st.one_of(
    st.just("random"),
    st.just("ones"),
    st.builds("wrap{}:{}".format, st.sampled_from((16, 32, 64, 128)), st.integers(1, 20)),
)


def plans(subject: Subject, settings: Settings, catalogue: Catalogue) -> Iterator[Plan]:
    """One item for each driver whose algorithm the oracle knows."""
    if reference_for(subject) is None or settings.vector:
        return
    if not settings.case or not case_fault(subject, settings.case):
        yield Plan(CHECK, subject, _Fuzz(subject, settings).run)


def lengths(largest: int, granule: int) -> st.SearchStrategy[int]:
    """Lengths up to `largest`: near the edges where drivers break, whole blocks, and any."""
    edges = [edge for edge in _EDGES if edge <= largest]
    near = st.builds(
        lambda edge, by: max(0, edge + by), st.sampled_from(edges), st.integers(-2, 2)
    )
    blocks = st.integers(0, 40).map(lambda n: n * granule)
    around = st.builds(
        lambda edge, n: edge + n * granule, st.sampled_from(edges), st.integers(0, 2)
    )
    whole = 3 if granule > 1 else 1
    anything = st.integers(0, min(largest, 700))
    return _weighted((whole, blocks), (whole, around), (1, near), (1, anything))


def _weighted(*choices: tuple[int, st.SearchStrategy[_T]]) -> st.SearchStrategy[_T]:
    """One of some strategies, each as often as its weight says (`one_of` drops repetitions)."""
    tickets = [strategy for weight, strategy in choices for _ in range(weight)]
    return st.integers(0, len(tickets) - 1).flatmap(tickets.__getitem__)


def specs(reference: AnyReference, largest: int) -> st.SearchStrategy[AnySpec]:
    """The cases of an algorithm."""
    if isinstance(reference, SkcipherReference):
        return st.builds(
            SkcipherSpec,
            op=_OPS,
            key=st.sampled_from(reference.key_sizes),
            len=lengths(largest, reference.block_size),
            layout=_CIPHER_LAYOUT,
            iv=_IVS if reference.ivsize == 16 else st.just("random"),
            seed=_SEEDS,
        )
    if isinstance(reference, AeadReference):
        return _aead_specs(reference, largest)
    auth = lengths(300, 64)
    if reference.key_sizes is not None:
        auth = st.sampled_from(reference.key_sizes)
    return st.builds(
        HashSpec,
        len=lengths(largest, 64),
        key=auth if reference.keyed else st.just(-1),
        layout=_HASH_LAYOUT,
        seed=_SEEDS,
    )


def _aead_specs(reference: AeadReference, largest: int) -> st.SearchStrategy[AnySpec]:
    tags = [n for n in range(1, reference.maxauthsize + 1) if not reference.authsize_status(n)]
    assoc = st.one_of(st.integers(0, 40), lengths(4096, 4))
    if reference.assoc_sizes is not None:
        lead = reference.ivsize if reference.iv_in_text else 0
        accepted = st.sampled_from([size + lead for size in reference.assoc_sizes])
        assoc = _weighted((4, accepted), (1, assoc))
    common = {
        "key": st.sampled_from(reference.enckey_sizes),
        "assoc": assoc,
        "auth": lengths(300, 64),
        "layout": _CIPHER_LAYOUT,
        "seed": _SEEDS,
        "iv": st.sampled_from(("good", "good", "any") if reference.picky_iv else ("good",)),
    }
    sound = st.builds(
        AeadSpec,
        op=_OPS,
        len=lengths(largest, reference.block_size),
        tag=st.sampled_from(tags),
        **common,
    )
    where = st.builds("{}:{}".format, st.sampled_from(("tag", "text")), st.integers(0, 1023))
    forged = st.builds(
        AeadSpec,
        op=st.just("dec"),
        len=st.integers(1, 40).map(lambda n: n * max(reference.block_size, 16)),
        tag=st.sampled_from(tags),
        tamper=where,
        **common,
    )
    return _weighted((2, sound), (1, forged))


class _Fuzz:
    def __init__(self, subject: Subject, settings: Settings) -> None:
        self.subject = subject
        self.settings = settings

    def run(self, recorder: Recorder, watchdog: Watchdog) -> None:
        """Fuzz, or replay the one case that was asked for."""
        if not recorder.repeats("search"):
            return
        runner = SpecRunner(self.subject, watchdog)
        if self.settings.case:
            runner.run([runner.parse(self.settings.case)], recorder)
            return
        limits = self.settings.limits
        examples = self.settings.share(self.subject, limits.fuzz_examples, most=limits.teams)
        search = Smallest(
            runner.problems,
            self.settings.seed,
            examples,
            known=lambda spec, problems: recorder.forgives(spec.token, problems),
        )
        runner.bench.timelines = 0
        failing = search.search(specs(runner.reference, limits.largest)) or search.expected
        search.record(recorder)
        if failing is not None:
            spec, problems = failing
            runner.bench.timelines = 1
            problems = runner.problems(spec) or problems
            recorder.result(spec.token, problems, layout=spec.layout, token=spec.token)
