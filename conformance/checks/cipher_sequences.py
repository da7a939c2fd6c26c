"""Scenarios of several skcipher or AEAD requests, keys and transforms."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from tcrypt import facts
from tcrypt.cipher_bench import CipherBench, CipherCase
from tcrypt.engine.api.errors import errno_name
from tcrypt.engine.api.flags import ReqFlag
from tcrypt.engine.sim import Context
from tcrypt.layouts import CIPHER_LAYOUTS, CipherLayout
from tcrypt.oracle import AeadReference, SkcipherReference
from tcrypt.problems import Problem
from tcrypt.specs import AeadSpec, SkcipherSpec
from tcrypt.swarm import CipherSwarm

__all__ = ("cipher_scenarios",)

_OUT_OF_PLACE = CIPHER_LAYOUTS[2]
_EVEN_SPLITS = CIPHER_LAYOUTS[4]
_MAY_BACKLOG = int(ReqFlag.MAY_BACKLOG)
_CipherReference = SkcipherReference | AeadReference
_Scenario = Callable[[], list[Problem]]
_AUTHENC_KEYS = (16, 24, 32)


def cipher_scenarios(
    bench: CipherBench, reference: _CipherReference
) -> Iterator[tuple[str, _Scenario]]:
    """Name and function of every scenario."""
    make = _Maker(reference)
    yield "encrypt-after-decrypt", partial(_one_after_another, bench, make.directions())
    yield "same-key-many-lengths", partial(_one_after_another, bench, make.lengths())
    yield "new-key-each-time", partial(_one_after_another, bench, make.keys())
    yield "two-transforms-in-turn", partial(_in_turn, bench, make)
    yield "many-transforms", partial(_many_transforms, bench, make)
    yield "all-in-flight-mixed", partial(_in_flight, bench, make, _MAY_BACKLOG)
    yield "setkey-of-another-in-flight", partial(_setkey_in_flight, bench, make)
    yield "submitted-from-softirq", partial(_from_softirq, bench, make)
    for events in range(4):
        play = partial(_neighbours, bench, make, events)
        yield f"neighbours-change-after-{events}-events", play
    yield "source-list-too-short", partial(_short_list, bench, make, "src")
    yield "destination-list-too-short", partial(_short_list, bench, make, "dst")
    yield "bus-error-on-source", partial(_bus_error, bench, make, "src")
    yield "bus-error-on-destination", partial(_bus_error, bench, make, "dst")
    yield "freed-transform", partial(_freed, bench, make)
    if isinstance(reference, AeadReference):
        yield "assoclen-changes", partial(_one_after_another, bench, make.assoclens())
        yield "authsize-changes", partial(_one_after_another, bench, make.authsizes())
        yield "authsize-after-key", partial(_authsize_after_key, bench, make)
        yield "default-authsize", partial(_default_authsize, bench, make)
        yield "sound-after-forged", partial(_one_after_another, bench, make.forged_then_sound())
    else:
        yield "one-message-in-two-requests", partial(_chained, bench, reference)


class _Maker:
    """Cases that share keys: `seed` names the key, and sizes tell the requests apart."""

    def __init__(self, reference: _CipherReference) -> None:
        self.reference = reference
        self.sizes = tuple(reference.key_sizes or _AUTHENC_KEYS)

    def case(
        self,
        op: str,
        length: int,
        *,
        seed: int = 1,
        size: int = 0,
        with_key: bool = False,
        assoc: int = 16,
        tag: int = 0,
        tamper: str = "",
    ) -> CipherCase:
        size = size or self.sizes[0]
        reference = self.reference
        if isinstance(reference, SkcipherReference):
            return SkcipherSpec(op, size, length, seed=seed).case(reference, with_key=with_key)
        spec = AeadSpec(
            op, size, length, assoc, tag or reference.maxauthsize, tamper=tamper, seed=seed
        )
        return spec.case(reference, with_key=with_key)

    def directions(self) -> list[CipherCase]:
        """Both directions in turn, with one setkey at the start."""
        first = self.case("dec", 64, with_key=True)
        return [first, *(self.case(op, 64) for op in ("enc", "dec", "dec", "enc", "enc", "dec"))]

    def lengths(self) -> list[CipherCase]:
        """Short, empty, long and short again."""
        first = self.case("enc", 16, with_key=True)
        return [
            first,
            *(self.case(op, n) for n in (0, 512, 16, 4096, 0, 32) for op in ("enc", "dec")),
        ]

    def keys(self) -> list[CipherCase]:
        """Other bytes and other sizes of key, there and back."""
        found = []
        for seed in (1, 2, 3, 1):
            for size in self.sizes:
                for op in ("enc", "dec"):
                    found.append(self.case(op, 64, seed=seed, size=size, with_key=True))
        return found

    def assoclens(self) -> list[CipherCase]:
        """AAD of changing length on one key."""
        first = self.case("enc", 32, with_key=True)
        lengths = (8, 12, 0, 16, 20, 13, 256, 16)
        return [first, *(self.case(op, 32, assoc=n) for n in lengths for op in ("enc", "dec"))]

    def authsizes(self) -> list[CipherCase]:
        """Tags of changing length on one key."""
        first = self.case("enc", 32, with_key=True)
        most = self.reference.maxauthsize if isinstance(self.reference, AeadReference) else 0
        tags = [n for n in (12, 4, most, 8, 10, 12, most) if n <= most]
        return [first, *(self.case(op, 32, tag=n) for n in tags for op in ("enc", "dec"))]

    def forged_then_sound(self) -> list[CipherCase]:
        """Forgeries between sound messages of both directions."""
        first = self.case("dec", 64, with_key=True)
        forged = [self.case("dec", 64, tamper=t) for t in ("tag:3", "text:77", "aad:9")]
        sound = [self.case(op, 64) for op in ("dec", "enc", "dec")]
        return [first, *(case for pair in zip(forged, sound, strict=True) for case in pair)]


def _one_after_another(bench: CipherBench, cases: Sequence[CipherCase]) -> list[Problem]:
    for number, case in enumerate(cases):
        layout = CIPHER_LAYOUTS[number % 5]
        found = bench._check(case, layout)
        if found:
            return [_at(problem, number, case) for problem in found]
    return []


def _at(problem: Problem, number: int, case: CipherCase) -> Problem:
    what = "encrypt" if case.encrypt else "decrypt"
    detail = f"request {number} of the sequence, {what} of {len(case.data)} bytes"
    return problem._replace(details=(*problem.details, detail))


def _in_turn(bench: CipherBench, make: _Maker) -> list[Problem]:
    """Two keyed transforms used alternately, neither keyed again."""
    tfms = [bench.new_tfm(), bench.new_tfm()]
    for seed, tfm in enumerate(tfms, 1):
        found = bench.keyed(tfm, make.case("enc", 16, seed=seed, with_key=True))
        if found:
            return found
    for turn in range(6):
        swarm = CipherSwarm(bench)
        seed = 1 + turn % 2
        swarm.add(
            tfms[seed - 1], make.case("dec" if turn > 2 else "enc", 64, seed=seed), _OUT_OF_PLACE
        )
        swarm.submit(_MAY_BACKLOG)
        bench.settle()
        found = swarm.problems(swarm.flights[0])
        if found:
            return found
    return []


def _many_transforms(bench: CipherBench, make: _Maker) -> list[Problem]:
    """Forty transforms with a key each: more than a device may have key slots."""
    tfms = []
    for seed in range(1, 41):
        tfm = bench.new_tfm()
        found = bench.keyed(tfm, make.case("enc", 16, seed=seed, with_key=True))
        if found:
            return found
        tfms.append(tfm)
    swarm = CipherSwarm(bench)
    for seed, tfm in enumerate(tfms, 1):
        swarm.add(tfm, make.case("enc", 32, seed=seed), _OUT_OF_PLACE)
    return _play(swarm, _MAY_BACKLOG)


def _in_flight(bench: CipherBench, make: _Maker, flags: int) -> list[Problem]:
    """Requests of two transforms, both directions, many sizes and layouts, all at once."""
    tfms = [bench.new_tfm(), bench.new_tfm()]
    sizes = (make.sizes[0], make.sizes[-1])
    for seed, tfm in enumerate(tfms, 1):
        size = sizes[seed - 1]
        found = bench.keyed(tfm, make.case("enc", 16, seed=seed, size=size, with_key=True))
        if found:
            return found
    swarm = CipherSwarm(bench)
    for number, length in enumerate((16, 4096, 0, 64, 512, 16, 1024, 32, 48, 256, 16, 96)):
        seed = 1 + number % 2
        op = "enc" if number % 3 else "dec"
        # Some AAD lengths are such that hardware leaves the request to software.
        assoc = (16, 13, 0, 20)[number // 2 % 4]
        case = make.case(op, length, seed=seed, size=sizes[seed - 1], assoc=assoc)
        swarm.add(tfms[seed - 1], case, CIPHER_LAYOUTS[number % len(CIPHER_LAYOUTS)])
    return _play(swarm, flags)


def _setkey_in_flight(bench: CipherBench, make: _Maker) -> list[Problem]:
    """Requests wait on one transform while others are keyed."""
    first = bench.new_tfm()
    found = bench.keyed(first, make.case("enc", 16, seed=1, with_key=True))
    if found:
        return found
    swarm = CipherSwarm(bench)
    for op in ("enc", "dec", "enc"):
        swarm.add(first, make.case(op, 64, seed=1), _OUT_OF_PLACE)
    for flight in swarm.flights:
        swarm.launch(flight, _MAY_BACKLOG)
        other = bench.new_tfm()
        case = make.case("enc", 16, seed=9, size=make.sizes[-1], with_key=True)
        found = bench.keyed(other, case)
        if found:
            return found
    bench.settle()
    return _first_problem(swarm)


def _keyed_swarm(
    bench: CipherBench, make: _Maker, layouts: Sequence[CipherLayout]
) -> CipherSwarm | list[Problem]:
    """Both directions in some layouts on a new transform, prepared; or why its key was refused."""
    tfm = bench.new_tfm()
    found = bench.keyed(tfm, make.case("enc", 16, seed=1, with_key=True))
    if found:
        return found
    swarm = CipherSwarm(bench)
    for layout in layouts:
        for op in ("enc", "dec"):
            # Not a multiple of a cache line, so that others' data share the last one.
            swarm.add(tfm, make.case(op, 48, seed=1), layout)
    return swarm


def _from_softirq(bench: CipherBench, make: _Maker) -> list[Problem]:
    """Requests without MAY_SLEEP from softirq context, more than a small ring holds."""
    swarm = _keyed_swarm(bench, make, CIPHER_LAYOUTS[:5])
    if isinstance(swarm, list):
        return swarm
    submit = partial(swarm.submit, _MAY_BACKLOG)
    bench.sim.schedule(0, Context.SOFTIRQ, "submitter", submit)
    bench.settle()
    return _first_problem(swarm)


def _neighbours(bench: CipherBench, make: _Maker, events: int) -> list[Problem]:
    """What stands around the buffers is changed by its owners when so many events have run."""
    swarm = _keyed_swarm(bench, make, CIPHER_LAYOUTS[:5])
    if isinstance(swarm, list):
        return swarm
    swarm.submit(_MAY_BACKLOG)
    for _ in range(events):
        bench.sim.step()
    for flight in swarm.flights:
        if flight.ticket.pending and not flight.ticket.notes:
            flight.load.change_neighbours(bench.memory)
    bench.settle()
    found = _first_problem(swarm)
    return [p._replace(fact=facts.NEIGHBOUR) if p.fact == facts.GUARD else p for p in found]


def _short_list(bench: CipherBench, make: _Maker, which: str) -> list[Problem]:
    """The last entry of a list is missing."""
    for op in ("enc", "dec"):
        tfm = bench.new_tfm()
        found = bench.keyed(tfm, make.case("enc", 16, seed=1, with_key=True))
        if found:
            return found
        swarm = CipherSwarm(bench)
        swarm.add(tfm, make.case(op, 64, seed=1), _EVEN_SPLITS)
        (flight,) = swarm.flights
        flight.load.drop_last_entry(which)
        swarm.submit(_MAY_BACKLOG)
        bench.settle()
        found = flight.ticket.problems()
        if not found and flight.ticket.status != -errno.EINVAL:
            got = errno_name(flight.ticket.status)
            found = [Problem("wrong status", facts.SHORT_LIST, "-EINVAL", got)]
        if found:
            return found
    return []


def _bus_error(bench: CipherBench, make: _Maker, which: str) -> list[Problem]:
    """The device cannot reach a buffer once; a driver that uses no DMA does not notice."""
    for op in ("enc", "dec"):
        tfm = bench.new_tfm()
        sound = make.case(op, 1024, seed=1)
        found = bench.keyed(tfm, make.case("enc", 16, seed=1, with_key=True))
        if found:
            return found
        for layout in (_OUT_OF_PLACE, _EVEN_SPLITS):
            swarm = CipherSwarm(bench)
            swarm.add(tfm, sound, layout)
            swarm.add(tfm, sound, layout)
            broken, whole = swarm.flights
            entry = getattr(broken.load, which).entries[0]
            bench.machine.dma.break_range(*entry)
            swarm.launch(broken, _MAY_BACKLOG)
            bench.settle()
            bench.machine.dma.mend()
            if bench.machine.dma.faults:
                broken.load.case = sound._replace(status=-errno.EIO, iv_out=None)
            swarm.launch(whole, _MAY_BACKLOG)
            bench.settle()
            found = _first_problem(swarm)
            if found:
                return [problem._replace(fact=facts.BUS_ERROR) for problem in found]
    return []


def _freed(bench: CipherBench, make: _Maker) -> list[Problem]:
    """A key is looked for in all of memory after its transform is gone."""
    case = make.case("enc", 64, seed=77, with_key=True)
    tfm = bench.new_tfm()
    found = bench.keyed(tfm, case)
    if found:
        return found
    swarm = CipherSwarm(bench)
    swarm.add(tfm, case, _OUT_OF_PLACE)
    found = _play(swarm, _MAY_BACKLOG)
    bench.machine.registry.free(tfm)
    assert case.key is not None
    place = bench.memory.find(case.key[-16:])
    if found or place is None:
        return found
    return [Problem("key left in memory", facts.KEY_WIPED, details=(f"at {place:#010x}",))]


def _authsize_after_key(bench: CipherBench, make: _Maker) -> list[Problem]:
    """A transform whose tag size is set before the key, and one where it is set after."""
    reference = make.reference
    assert isinstance(reference, AeadReference)
    tag = 12 if not reference.authsize_status(12) else reference.maxauthsize
    spec = AeadSpec("enc", make.sizes[0], 48, 16, tag, auth=100, seed=4)
    case = spec.case(reference)
    assert case.key is not None
    for key_first in (True, False):
        tfm = bench.new_tfm()
        if key_first:
            tfm.setkey(case.key)
        tfm.setauthsize(tag)  # type: ignore[union-attr]
        if not key_first:
            tfm.setkey(case.key)
        swarm = CipherSwarm(bench)
        swarm.add(tfm, case, _OUT_OF_PLACE)
        found = _play(swarm, _MAY_BACKLOG)
        if found:
            return found
    return []


def _default_authsize(bench: CipherBench, make: _Maker) -> list[Problem]:
    """Without setauthsize the tag has the algorithm's full length (crypto API, 6.4)."""
    for op in ("enc", "dec"):
        tfm = bench.new_tfm()
        case = make.case(op, 32, with_key=True)
        assert case.key is not None
        tfm.setkey(case.key)
        swarm = CipherSwarm(bench)
        swarm.add(tfm, case, _OUT_OF_PLACE)
        found = _play(swarm, _MAY_BACKLOG)
        if found:
            return found
    return []


def _chained(bench: CipherBench, reference: SkcipherReference) -> list[Problem]:
    """A message cut in two, the second request starting from the IV that the first left."""
    if (
        not reference.ivsize
        or reference.encrypt(
            bytes(reference.key_sizes[0]), bytes(reference.ivsize), bytes(64)
        ).iv_out
        is None
    ):
        return []
    for op in ("enc", "dec"):
        whole = SkcipherSpec(op, reference.key_sizes[0], 160, seed=5).case(reference)
        call = reference.encrypt if whole.encrypt else reference.decrypt
        key, iv = whole.key, whole.iv
        assert key is not None
        for piece in (whole.data[:48], whole.data[48:]):
            answer = call(key, iv, piece)
            case = CipherCase(whole.encrypt, key, iv, piece, answer.out, answer.iv_out)
            found = bench._check(case, CIPHER_LAYOUTS[0])
            if found:
                return found
            assert answer.iv_out is not None
            iv = answer.iv_out
    return []


def _play(swarm: CipherSwarm, flags: int) -> list[Problem]:
    mappings = swarm.bench.machine.dma.live_mappings
    swarm.submit(flags)
    swarm.bench.settle()
    return _first_problem(swarm) or swarm.bench.machine_problems(mappings)


def _first_problem(swarm: CipherSwarm) -> list[Problem]:
    for flight in swarm.flights:
        found = swarm.problems(flight)
        if found:
            return [_at(problem, flight.index, flight.load.case) for problem in found]
    return []
