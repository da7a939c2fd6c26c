"""Scenarios of several skcipher or AEAD requests, keys and transforms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from tcrypt.checks.cipher_hazards import hazard_scenarios
from tcrypt.checks.cipher_material import (
    CipherReference,
    Maker,
    Scenario,
    at_request,
    first_problem,
    play,
)
from tcrypt.cipher_bench import CipherBench, CipherCase
from tcrypt.engine.api.flags import ReqFlag
from tcrypt.layouts import CIPHER_LAYOUTS
from tcrypt.oracle import AeadReference, SkcipherReference
from tcrypt.problems import Problem
from tcrypt.specs import AeadSpec, SkcipherSpec
from tcrypt.swarm import CipherSwarm

__all__ = ("cipher_scenarios",)

_OUT_OF_PLACE = CIPHER_LAYOUTS[2]
_MAY_BACKLOG = int(ReqFlag.MAY_BACKLOG)
_COUNTER = 16
_TRANSFORMS = 130


def cipher_scenarios(
    bench: CipherBench, reference: CipherReference
) -> Iterator[tuple[str, Scenario]]:
    """Name and function of every scenario."""
    make = Maker(reference)
    yield "encrypt-after-decrypt", partial(_one_after_another, bench, make.directions())
    yield "same-key-many-lengths", partial(_one_after_another, bench, make.lengths())
    yield "new-key-each-time", partial(_one_after_another, bench, make.keys())
    near = make.nearly_the_same_keys()
    yield "key-changes-by-a-bit", partial(_one_after_another, bench, near)
    yield "two-transforms-in-turn", partial(_in_turn, bench, make)
    yield "many-transforms", partial(_many_transforms, bench, make)
    yield "all-in-flight-mixed", partial(_in_flight, bench, make, _MAY_BACKLOG)
    yield "setkey-of-another-in-flight", partial(_setkey_in_flight, bench, make)
    yield from hazard_scenarios(bench, make)
    if isinstance(reference, AeadReference):
        yield "assoclen-changes", partial(_one_after_another, bench, make.assoclens())
        yield "authsize-changes", partial(_one_after_another, bench, make.authsizes())
        yield "authsize-after-key", partial(_authsize_after_key, bench, make)
        yield "default-authsize", partial(_default_authsize, bench, make)
        yield "sound-after-forged", partial(_one_after_another, bench, make.forged_then_sound())
    else:
        yield "one-message-in-two-requests", partial(_chained, bench, reference)
        if reference.ivsize == _COUNTER:
            yield "counters-wrap-in-flight", partial(_wraps_in_flight, bench, reference)


def _one_after_another(bench: CipherBench, cases: Sequence[CipherCase]) -> list[Problem]:
    for number, case in enumerate(cases):
        layout = CIPHER_LAYOUTS[number % 5]
        found = bench._check(case, layout)
        if found:
            return [at_request(problem, number, case) for problem in found]
    return []


def _in_turn(bench: CipherBench, make: Maker) -> list[Problem]:
    """Two transforms of the shortest keys used in turn, keyed once; then two of the longest."""
    for size in sorted({make.sizes[0], make.sizes[-1]}):
        tfms = [bench.new_tfm(), bench.new_tfm()]
        for seed, tfm in enumerate(tfms, 1):
            found = bench.keyed(tfm, make.case("enc", 16, seed=seed, size=size, with_key=True))
            if found:
                return found
        for turn in range(6):
            swarm = CipherSwarm(bench)
            seed, op = 1 + turn % 2, "dec" if turn > 2 else "enc"
            case = make.case(op, 64, seed=seed, size=size, text=1 + turn)
            swarm.add(tfms[seed - 1], case, _OUT_OF_PLACE)
            swarm.submit(_MAY_BACKLOG)
            bench.settle()
            found = swarm.problems(swarm.flights[0])
            if found:
                return found
    return []


def _many_transforms(bench: CipherBench, make: Maker) -> list[Problem]:
    """Transforms with a key each: more than a device may have key slots."""
    tfms = []
    for seed in range(1, _TRANSFORMS + 1):
        tfm = bench.new_tfm()
        found = bench.keyed(tfm, make.case("enc", 16, seed=seed, with_key=True))
        if found:
            return found
        tfms.append(tfm)
    swarm = CipherSwarm(bench)
    for seed, tfm in enumerate(tfms, 1):
        swarm.add(tfm, make.case("enc", 32, seed=seed), _OUT_OF_PLACE)
    return play(swarm, _MAY_BACKLOG)


def _in_flight(bench: CipherBench, make: Maker, flags: int) -> list[Problem]:
    """Requests of two transforms, both directions, many sizes and layouts, all at once.

    The transforms of an AEAD have tags of different lengths: a request has its transform's.
    """
    tfms = [bench.new_tfm(), bench.new_tfm()]
    sizes, tags = (make.sizes[0], make.sizes[-1]), (0, make.short_tag())
    for seed, tfm in enumerate(tfms, 1):
        size, tag = sizes[seed - 1], tags[seed - 1]
        case = make.case("enc", 16, seed=seed, size=size, tag=tag, with_key=True)
        found = bench.keyed(tfm, case)
        if found:
            return found
    swarm = CipherSwarm(bench)
    for number, length in enumerate((16, 4096, 0, 64, 512, 16, 1024, 32, 48, 256, 16, 96)):
        seed = 1 + number % 2
        op = "enc" if number % 3 else "dec"
        # Some AAD lengths are such that hardware leaves the request to software.
        assoc = (16, 13, 0, 20)[number // 2 % 4]
        size, tag = sizes[seed - 1], tags[seed - 1]
        case = make.case(op, length, seed=seed, size=size, assoc=assoc, tag=tag, text=1 + number)
        swarm.add(tfms[seed - 1], case, CIPHER_LAYOUTS[number % len(CIPHER_LAYOUTS)])
    return play(swarm, flags)


def _wraps_in_flight(bench: CipherBench, reference: SkcipherReference) -> list[Problem]:
    """Requests of one key whose counters wrap, each elsewhere, between some that do not."""
    tfm = bench.new_tfm()
    swarm = CipherSwarm(bench)
    for number in range(12):
        iv = f"wrap32:{1 + number % 9}" if number % 4 != 3 else "random"
        spec = SkcipherSpec(
            "enc" if number % 2 else "dec", reference.key_sizes[0], 160, "", iv, 3, 1 + number
        )
        case = spec.case(reference)
        if not number:
            found = bench.keyed(tfm, case)
            if found:
                return found
        swarm.add(tfm, case, CIPHER_LAYOUTS[number % len(CIPHER_LAYOUTS)])
    return play(swarm, _MAY_BACKLOG)


def _setkey_in_flight(bench: CipherBench, make: Maker) -> list[Problem]:
    """Requests wait on one transform while others are keyed."""
    first = bench.new_tfm()
    found = bench.keyed(first, make.case("enc", 16, seed=1, with_key=True))
    if found:
        return found
    swarm = CipherSwarm(bench)
    for text, op in enumerate(("enc", "dec", "enc"), 1):
        swarm.add(first, make.case(op, 64, seed=1, text=text), _OUT_OF_PLACE)
    for flight in swarm.flights:
        swarm.launch(flight, _MAY_BACKLOG)
        other = bench.new_tfm()
        case = make.case("enc", 16, seed=9, size=make.sizes[-1], with_key=True)
        found = bench.keyed(other, case)
        if found:
            return found
    bench.settle()
    return first_problem(swarm)


def _authsize_after_key(bench: CipherBench, make: Maker) -> list[Problem]:
    """A transform whose tag size is set before the key, and one where it is set after.

    A message without text is one that hardware leaves to software, if any.
    """
    reference = make.reference
    assert isinstance(reference, AeadReference)
    tag = make.short_tag() or reference.maxauthsize
    cases = []
    for length in (48, 0):
        for op in ("enc", "dec"):
            spec = AeadSpec(op, make.sizes[0], length, reference.usual_assoc, tag, 100, seed=4)
            cases.append(spec.case(reference))
    key = cases[0].key
    assert key is not None
    for key_first in (True, False):
        tfm = bench.new_tfm()
        if key_first:
            tfm.setkey(key)
        tfm.setauthsize(tag)  # type: ignore[union-attr]
        if not key_first:
            tfm.setkey(key)
        swarm = CipherSwarm(bench)
        for case in cases:
            swarm.add(tfm, case, _OUT_OF_PLACE)
        found = play(swarm, _MAY_BACKLOG)
        if found:
            return found
    return []


def _default_authsize(bench: CipherBench, make: Maker) -> list[Problem]:
    """Without setauthsize the tag has the algorithm's full length (crypto API, 6.4)."""
    for op in ("enc", "dec"):
        tfm = bench.new_tfm()
        case = make.case(op, 32, with_key=True)
        assert case.key is not None
        tfm.setkey(case.key)
        swarm = CipherSwarm(bench)
        swarm.add(tfm, case, _OUT_OF_PLACE)
        found = play(swarm, _MAY_BACKLOG)
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
