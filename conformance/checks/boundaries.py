"""Check `boundaries`: a fixed walk over the sizes at which drivers break, against the oracle.

Every boundary length, key size, AAD and tag length, counter wrap and HMAC key length comes up, in
both directions; layouts take turns.  Nothing is random, so a defect at a boundary that is listed
here is found in every run.  What hardware cannot count or list is in `boundary_limits`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import count, cycle

from tcrypt.checks.boundary_limits import (
    aead_limits,
    forgeries,
    hash_limits,
    skcipher_limits,
)
from tcrypt.checks.common import AnyReference, AnySpec, SpecRunner, case_fault, reference_for
from tcrypt.layouts import AEAD_LAYOUTS, CIPHER_LAYOUTS, HASH_LAYOUTS, slug
from tcrypt.oracle import AeadReference, HashReference, SkcipherReference
from tcrypt.plan import Plan
from tcrypt.recorder import Recorder
from tcrypt.settings import Settings
from tcrypt.specs import AeadSpec, HashSpec, SkcipherSpec
from tcrypt.subject import Subject
from tcrypt.vectors.catalogue import Catalogue
from tcrypt.watchdog import Watchdog

__all__ = ("CHECK", "plans", "walk")

CHECK = "boundaries"

_LENGTHS = (
    *(0, 1, 2, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 40, 47, 48, 63, 64, 65, 72, 80),
    *(127, 128, 129, 160, 255, 256, 257, 272, 511, 512, 513, 528, 1008, 1023, 1024, 1025),
    *(4080, 4095, 4096, 4097, 4112, 8176, 16_384),
    *(65_520, 65_535, 65_536, 65_537, 65_552, 1_048_560, 1_048_576, 1_048_592),
)
_HASH_LENGTHS = (
    *(0, 1, 3, 8, 55, 56, 57, 63, 64, 65, 111, 112, 119, 120, 121, 127, 128, 129, 191, 192, 193),
    *(255, 256, 257, 320, 511, 512, 513, 1000, 1024, 4095, 4096, 4097, 8192),
    *(65_535, 65_536, 65_537, 1_048_512, 1_048_576),
)
_HMAC_KEYS = (1, 20, 32, 63, 64, 65, 100, 128, 200, 0)
_ASSOC = (
    *(0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 15, 16, 17, 20, 21, 24, 63, 64, 65, 255, 256, 257),
    *(1016, *range(1019, 1029), 4096, 8191, 8192, 65_280, 65_536),
)
_TEXTS = (16, 32, 48, 64, 80, 128, 256, 512, 1024, 4096)
_ODD_TEXTS = (0, 1, 2, 4, 8, 12, 15, 17, 20, 24, 33, 40, 65)
_COSTLY = 1 << 19
_WRAPS = ("ones", "wrap32:1", "wrap32:2", "wrap32:3", "wrap16:1", "wrap64:2", "wrap128:2")
_WRAP_LENGTHS = (15, 16, 17, 31, 32, 33, 47, 48, 49, 64, 96, 4096)


def plans(subject: Subject, settings: Settings, catalogue: Catalogue) -> Iterator[Plan]:
    """One item for each driver whose algorithm the oracle knows."""
    if reference_for(subject) is None or settings.vector:
        return
    if not settings.case or not case_fault(subject, settings.case):
        yield Plan(CHECK, subject, _Walk(subject, settings).run)


class _Walk:
    def __init__(self, subject: Subject, settings: Settings) -> None:
        self.subject = subject
        self.settings = settings

    def run(self, recorder: Recorder, watchdog: Watchdog) -> None:
        """Run the walk, or the one case that was asked for."""
        runner = SpecRunner(self.subject, watchdog)
        specs: Iterable[AnySpec]
        if self.settings.case:
            specs = [runner.parse(self.settings.case)]
        else:
            largest = self.settings.limits.largest
            specs = walk(runner.reference, largest, instance=self.subject.instance)
            specs = self._mine(specs)
        runner.run(specs, recorder)

    def _mine(self, specs: Iterable[AnySpec]) -> Iterator[AnySpec]:
        """The cases that are this driver's part; those that take long go to fewer drivers."""
        teams = self.settings.limits.teams
        mine = self.settings.part(self.subject, teams)
        costly = self.settings.part(self.subject) if teams > 1 else mine
        for spec in specs:
            if (costly if spec.len > _COSTLY else mine).takes(spec.identity):
                yield spec


def walk(reference: AnyReference, largest: int, *, instance: bool = False) -> Iterator[AnySpec]:
    """All boundary cases of an algorithm.

    Args:
        reference: the algorithm.
        largest: the longest message, in bytes; those of `boundary_limits` have their own lengths.
        instance: whether a template built the driver over other algorithms.
    """
    if isinstance(reference, SkcipherReference):
        return _skcipher(reference, largest)
    if isinstance(reference, AeadReference):
        return _aead(reference, largest, instance=instance)
    return _hash(reference, largest)


def _shift(layouts: Iterator[str]) -> None:
    """Leave three layouts out, so that each meets both directions: there is an even number."""
    for _ in range(3):
        next(layouts)


def _up_to(lengths: Sequence[int], largest: int) -> list[int]:
    return [length for length in lengths if length <= largest]


def _skcipher(reference: SkcipherReference, largest: int) -> Iterator[AnySpec]:
    layouts = cycle(slug(layout.name) for layout in CIPHER_LAYOUTS)
    seeds = count(1)
    for length in _up_to(_LENGTHS, largest):
        for key in reference.key_sizes:
            for op in ("enc", "dec"):
                yield SkcipherSpec(op, key, length, next(layouts), seed=next(seeds))
        _shift(layouts)
    yield from _skcipher_layouts(reference)
    yield from skcipher_limits(reference, largest)
    if reference.ivsize != 16:
        return
    for iv in _WRAPS:
        for length in _up_to(_WRAP_LENGTHS, largest):
            key = reference.key_sizes[length % len(reference.key_sizes)]
            for op in ("enc", "dec"):
                yield SkcipherSpec(op, key, length, next(layouts), iv, next(seeds))


def _skcipher_layouts(reference: SkcipherReference) -> Iterator[AnySpec]:
    """Every layout in both directions, with sizes that cut blocks and with ones that do not."""
    for layout in CIPHER_LAYOUTS:
        for length in (64, 160, 240, 496):
            for op in ("enc", "dec"):
                key = reference.key_sizes[0]
                yield SkcipherSpec(op, key, length, slug(layout.name), seed=length)


def _aead(reference: AeadReference, largest: int, *, instance: bool) -> Iterator[AnySpec]:
    layouts = cycle(slug(layout.name) for layout in CIPHER_LAYOUTS)
    keys, seeds = cycle(reference.enckey_sizes), count(1)
    tags = [n for n in range(1, reference.maxauthsize + 1) if not reference.authsize_status(n)]
    full, texts, auths = tags[-1], cycle(_TEXTS), cycle(_HMAC_KEYS)
    for assoc in _up_to(_ASSOC, largest):
        for op in ("enc", "dec"):
            for layout in (next(layouts), next(layouts)):
                yield AeadSpec(
                    op, next(keys), next(texts), assoc, full, next(auths), layout, seed=next(seeds)
                )
        _shift(layouts)
    for tag in tags:
        for op in ("enc", "dec"):
            for assoc in (0, 16, 21):
                yield AeadSpec(
                    op,
                    next(keys),
                    next(texts),
                    assoc,
                    tag,
                    next(auths),
                    next(layouts),
                    "",
                    next(seeds),
                )
    for length in _up_to((*_ODD_TEXTS, *_TEXTS, 4097, 4112, 65_536, 1_048_576), largest):
        for op in ("enc", "dec"):
            for assoc in (0, 16):
                yield AeadSpec(
                    op, next(keys), length, assoc, full, 20, next(layouts), seed=next(seeds)
                )
        _shift(layouts)
    yield from _aead_layouts(reference, full)
    yield from _long_auth_keys([n for n in (full, 12) if n in tags], reference.usual_assoc)
    yield from forgeries(reference, tags)
    yield from aead_limits(reference, largest, tags, instance=instance)
    if reference.picky_iv:
        for seed in range(40):
            yield AeadSpec(("enc", "dec")[seed % 2], 16, 32, 16, full, seed=seed, iv="any")


def _aead_layouts(reference: AeadReference, tag: int) -> Iterator[AnySpec]:
    for layout in (*CIPHER_LAYOUTS, *AEAD_LAYOUTS):
        for assoc, tagged in ((8, tag), (20, 12), (32, 4)):
            if reference.authsize_status(tagged):
                continue
            for op in ("enc", "dec"):
                yield AeadSpec(op, 16, 64, assoc, tagged, 20, slug(layout.name), seed=assoc)


def _long_auth_keys(tags: Sequence[int], assoc: int) -> Iterator[AnySpec]:
    """Keys longer than a hash block, with full and truncated tags."""
    for auth in (63, 64, 65, 100, 200):
        for tag in tags:
            for op in ("enc", "dec"):
                yield AeadSpec(op, 16, 48, assoc, tag, auth, seed=auth)


def _hash(reference: HashReference, largest: int) -> Iterator[AnySpec]:
    layouts = cycle(slug(layout.name) for layout in HASH_LAYOUTS)
    seeds = count(1)
    keys = reference.key_sizes or _HMAC_KEYS
    sizes = cycle(keys) if reference.keyed else cycle((-1,))
    for length in _up_to(_HASH_LENGTHS, largest):
        yield HashSpec(length, next(sizes), next(layouts), next(seeds))
    for layout in HASH_LAYOUTS:
        for length in (0, 1, 63, 64, 65, 128, 200, 256, 333, 512, 1280):
            yield HashSpec(length, next(sizes), slug(layout.name), next(seeds))
    # Counts of 16 bits, carried from one step to the next.
    for layout in HASH_LAYOUTS[:1] + HASH_LAYOUTS[8:9]:
        for length in _up_to((65_537, 65_552), largest):
            yield HashSpec(length, next(sizes), slug(layout.name), next(seeds))
    yield from hash_limits(reference, largest, next(sizes))
    if reference.keyed:
        for key in keys:
            for length in (0, 64, 100):
                yield HashSpec(length, key, next(layouts), next(seeds))
