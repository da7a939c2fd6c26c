"""Counts which kinds of requests were judged, while they are; costs a few microseconds each.

A sample is a tuple of places in the bins of the model's points, -1 where a property is not known.
A driver's samplers are one for all its benches, and what is new in them is written down together
with the cases that showed it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from operator import itemgetter
from types import MappingProxyType
from typing import Any

from tcrypt.cover.capabilities import PATHS, Capabilities, capabilities_of
from tcrypt.cover.ciphers import cipher_model, key_sizes, unit_of
from tcrypt.cover.classes import (
    FLAGS_CLASS,
    IDLE,
    STATUS_CLASS,
    Lengths,
    assoc_class,
    hash_edge_class,
    how_class,
    pieces_class,
    queue_class,
    tag_class,
)
from tcrypt.cover.hashes import HMAC_KEYS, hash_keys, hash_model, hash_unit
from tcrypt.cover.model import CoverModel
from tcrypt.engine.api.algorithms import AeadAlg, AhashAlg, SkcipherAlg
from tcrypt.engine.api.machine import Machine, Shape
from tcrypt.layouts import HashLayout
from tcrypt.oracle import AeadReference, HashReference, SkcipherReference, reference
from tcrypt.reports.events import CoverHits, CoverModelled, CoverRule, Event
from tcrypt.subject import Subject
from tcrypt.ticket import Ticket

__all__ = ("CipherSampler", "HashSampler", "Sampler", "begin", "events", "sampler_for")

Sample = tuple[int, ...]

_HARDWARE, _REFUSED = PATHS.index("hardware"), PATHS.index("refused")
_EINVAL = STATUS_CLASS[-22]


class Sampler:
    """What one driver was seen to do, in this process.

    Attributes:
        model: what there is to see.
    """

    def __init__(self, subject: Subject, capable: Capabilities, model: CoverModel) -> None:
        self.subject = subject
        self.capable = capable
        if subject.checks:
            only = ", ".join(subject.checks)
            model = replace(model, waived=f"its provider wants only these checks of it: {only}")
        self.model = model
        self._seen: set[Sample] = set()
        self._fresh: list[Sample] = []
        self._told: list[set[Any]] = [set() for _ in model.crosses]
        self._pick = [itemgetter(*cross) for cross in model.crosses]
        self._announced = False

    def _add(self, sample: Sample) -> None:
        self._seen.add(sample)
        self._fresh.append(sample)

    def _queue(self, ticket: Ticket, machine: Machine) -> int:
        """Place in `QUEUE`."""
        if not ticket.ahead:
            return queue_class(ticket, 0, False)
        life = machine.monitor.known(ticket.request)
        retried = life is not None and life.retried
        waits = self.capable.depth > 0
        depth = sum(a.depth for a in machine.accelerators) if waits else 0
        return queue_class(ticket, depth, retried)

    def events(self) -> list[Event]:
        """The model once, and the bins that were hit since the last call."""
        if not self._fresh:
            return []
        found: list[Event] = []
        subject = self.subject
        who = subject.provider.name, subject.driver, subject.algorithm
        if not self._announced:
            self._announced = True
            found.append(_modelled(who, self.model, _main.get(subject.id, "")))
        hits = self._new_hits()
        if hits:
            found.append(CoverHits(*who, hits))
        return found

    def _new_hits(self) -> list[list[int]]:
        fresh, self._fresh = self._fresh, []
        hits = []
        for number, (pick, told) in enumerate(zip(self._pick, self._told, strict=True)):
            sizes = [len(self.model.points[point].bins) for point in self.model.crosses[number]]
            new = {pick(sample) for sample in fresh} - told
            told |= new
            for bins in new:
                places = (bins,) if len(sizes) == 1 else bins
                # A defect may show what the model has no bin for.
                if all(0 <= place < size for place, size in zip(places, sizes, strict=True)):
                    hits.append([number, *places])
        return sorted(hits)


def _modelled(who: tuple[str, str, str], model: CoverModel, main: str) -> CoverModelled:
    return CoverModelled(
        *who,
        [(point.name, list(point.bins)) for point in model.points],
        [list(cross) for cross in model.crosses],
        [
            CoverRule(
                rule.kind, rule.reason, {k: list(v) for k, v in rule.where.items()}, rule.cross
            )
            for rule in model.rules
        ],
        model.waived,
        main,
    )


class CipherSampler(Sampler):
    """The requests of an skcipher or AEAD driver."""

    def __init__(self, subject: Subject, machine: Machine) -> None:
        alg, known = subject.alg, reference(subject.algorithm)
        assert isinstance(alg, SkcipherAlg | AeadAlg)
        fits = isinstance(known, AeadReference if isinstance(alg, AeadAlg) else SkcipherReference)
        found: Any = known if fits else None
        capable = capabilities_of(subject, machine)
        super().__init__(subject, capable, cipher_model(alg, found, capable))
        sizes = key_sizes(alg, found)
        self._sizes = sizes
        self._keys = {size: number for number, size in enumerate(sizes)}
        self._blob = isinstance(found, AeadReference) and found.key_sizes is None
        self._lead = found.ivsize if isinstance(found, AeadReference) and found.iv_in_text else 0
        self._lengths = Lengths(unit_of(alg))
        self._aead = isinstance(alg, AeadAlg)
        self._most = alg.maxauthsize if isinstance(alg, AeadAlg) else 0
        self._whys: dict[tuple[int, ...], int] = {}

    def judged(self, prepared: Any, ticket: Ticket, machine: Machine) -> None:
        """Take one request, finished or refused, with the place and the case it was made from."""
        case = prepared.case
        encrypt, secret, data = case.encrypt, case.key, case.data
        key = -1
        if secret is not None:
            size = int.from_bytes(secret[4:8]) if self._blob else len(secret)
            key = self._keys.get(size, -1) if self._keys else 0
        length, assoc, tag = len(data), -1, -1
        if self._aead:
            tag_size = case.authsize if case.authsize is not None else self._most
            length -= self._lead if encrypt else self._lead + tag_size
            assoc, tag = assoc_class(len(case.assoc)), tag_class(tag_size, self._most)
        status = STATUS_CLASS[ticket.status]
        sample = (
            0 if encrypt else 1,
            key,
            self._lengths[length if length > 0 else 0],
            *prepared.plan.kinds,
            status,
            -1 if ticket.jobs is None else self._path(ticket.jobs, key, status, case, length),
            IDLE if ticket.alone else self._queue(ticket, machine),
            FLAGS_CLASS[ticket.given[1]],
            assoc,
            tag,
        )
        if sample not in self._seen:
            self._add(sample)

    def _path(self, jobs: int, key: int, status: int, case: Any, length: int) -> int:
        """Place in `PATHS` of a request that was alone, and that the device did `jobs` for."""
        if jobs:
            return _HARDWARE
        if status == _EINVAL:
            return _REFUSED
        assoc, tag = len(case.assoc), case.authsize or self._most
        asked = (key, length, assoc, tag)
        why = self._whys.get(asked)
        if why is None:
            size = self._sizes[key] if 0 <= key < len(self._sizes) else None
            shape = Shape(case.encrypt, length, assoc, tag) if self._aead else None
            self._whys[asked] = why = self.capable.why_software(size, shape, length)
        return why


class HashSampler(Sampler):
    """The messages of an ahash driver."""

    def __init__(self, subject: Subject, machine: Machine) -> None:
        alg, known = subject.alg, reference(subject.algorithm)
        assert isinstance(alg, AhashAlg)
        found = known if isinstance(known, HashReference) else None
        capable = capabilities_of(subject, machine)
        super().__init__(subject, capable, hash_model(alg, found, capable))
        self._unit = hash_unit(alg, found)
        self._bins = hash_keys(alg, found)
        self._lengths = Lengths(self._unit)

    def message(
        self,
        layout: HashLayout | None,
        length: int,
        pieces: int,
        key: bytes | None,
        jobs: int | None,
        ticket: Ticket,
        machine: Machine,
    ) -> None:
        """Take one message.

        Args:
            layout: where it lay and in which steps it was hashed; None for one piece, one step.
            length: its bytes.
            pieces: in how many pieces with bytes it lay.
            key: the key that was set for it; None for none, or for one that is not known.
            jobs: how many jobs the driver's device did for it; None where that is not known.
            ticket: the life of its last step.
            machine: where that was.
        """
        if jobs is None:
            path = -1
        else:
            path = _HARDWARE if jobs else self.capable.why_software(None, None, length)
        sample = (
            0 if layout is None else how_class(layout),
            self._key(key),
            self._lengths[length],
            pieces_class(pieces, 0),
            0 if layout is None else hash_edge_class(layout),
            path,
            IDLE if ticket.alone else self._queue(ticket, machine),
            FLAGS_CLASS[ticket.given[1]],
        )
        if sample not in self._seen:
            self._add(sample)

    def _key(self, key: bytes | None) -> int:
        if key is None or len(self._bins) == 1:
            return -1 if key is None and len(self._bins) > 1 else 0
        if self._bins is HMAC_KEYS:
            size = len(key)
            return (size > 0) + (size >= self._unit) + (size > self._unit)
        word = str(len(key))
        return self._bins.index(word) if word in self._bins else -1


# The samplers by their subjects' ids, and the subjects as the run has them.
_samplers: dict[str, Sampler] = {}
_subjects: dict[str, Subject] = {}
_main: dict[str, str] = {}


def begin(subjects: Iterable[Subject], main: Mapping[str, str] = MappingProxyType({})) -> None:
    """Forget what was seen before, and expect these drivers.

    Args:
        subjects: the drivers.
        main: for ids of those whose driver has its main machine elsewhere, which provider has it.
    """
    _samplers.clear()
    _subjects.clear()
    _main.clear()
    _main.update(main)
    _subjects.update((subject.id, subject) for subject in subjects)


def sampler_for(subject: Subject, machine: Machine) -> Any:
    """The sampler of a driver, one for all its benches.

    Args:
        subject: the driver, wherever a bench has it from.
        machine: one that it is registered on.
    """
    found = _samplers.get(subject.id)
    if found is None:
        known = _subjects.get(subject.id, subject)
        kind = HashSampler if isinstance(known.alg, AhashAlg) else CipherSampler
        _samplers[subject.id] = found = kind(known, machine)
    return found


def events() -> list[Event]:
    """What is to be written down of the expected drivers: see `Sampler.events`.

    Others may have taken part in a load beside one of them.
    """
    return [
        event
        for name, sampler in _samplers.items()
        if not _subjects or name in _subjects
        for event in sampler.events()
    ]
