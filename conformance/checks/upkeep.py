"""A scenario for every type: the same work again and again takes no more memory than once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from tcrypt import facts
from tcrypt.checks.cipher_material import CipherReference, Maker
from tcrypt.cipher_bench import CipherBench, CipherCase
from tcrypt.hash_bench import HashBench, HashCase
from tcrypt.layouts import CIPHER_LAYOUTS, CipherLayout, hash_layout
from tcrypt.material import draw
from tcrypt.oracle import AeadReference, HashReference
from tcrypt.problems import Problem

__all__ = ("cipher_upkeep", "hash_upkeep")

_ROUNDS = 6
_ODD = 63
# One that hardware takes as it is, one at odd addresses, one in two pieces.
_CIPHER_LAYOUTS = (CIPHER_LAYOUTS[2], CIPHER_LAYOUTS[3], CIPHER_LAYOUTS[4])
_HASH_LAYOUTS = tuple(
    hash_layout(name)
    for name in (
        "digest-aligned-buffer",
        "init-update-final-misaligned-buffer",
        "import-export",
        "updates-of-several-splits-each-finup-of-two",
    )
)


def cipher_upkeep(bench: CipherBench, reference: CipherReference) -> list[Problem]:
    """Transforms, keys, good requests, what is refused, what is out of reach, forgeries."""
    make = Maker(reference)

    def turn() -> list[Problem]:
        bench.tfm = bench.new_tfm()
        bench.request = bench.tfm.request()
        cases = [
            make.case(op, 64, seed=seed, size=size, with_key=True)
            for size in sorted({make.sizes[0], make.sizes[-1]})
            for seed, op in enumerate(("enc", "dec"), 1)
        ]
        if isinstance(reference, AeadReference):
            cases.append(make.case("dec", 64, tamper="tag:3", with_key=True))
        # No number of blocks: refused by all that work on whole ones.
        cases.append(make.case("enc", _ODD, with_key=True))
        for case in cases:
            for layout in _CIPHER_LAYOUTS:
                found = bench._check(case, layout)
                if found:
                    return found
        _unreachable(bench, cases[0], _CIPHER_LAYOUTS[0])
        with suppress(OSError):
            # A byte too long; who takes that for a key all the same is another check's finding.
            bench.tfm.setkey((cases[0].key or b"") + bytes(1))
        bench.machine.registry.free(bench.tfm)
        return []

    return _grown(bench, turn)


def _unreachable(bench: CipherBench, case: CipherCase, layout: CipherLayout) -> None:
    """One request whose source the device cannot read; how it ends is another scenario's."""
    prepared = bench.prepare(case, layout)
    bench.machine.dma.break_range(*prepared.src.entries[0])
    bench.perform(prepared.request, prepared.request.tfm.encrypt).problems()
    bench.machine.dma.mend()


def hash_upkeep(bench: HashBench, reference: HashReference) -> list[Problem]:
    """Transforms, keys and messages in several layouts."""
    sizes = (reference.key_sizes or (20, 100)) if reference.keyed else (0,)

    def turn() -> list[Problem]:
        bench.tfm = bench.machine.registry.alloc_ahash(bench.subject.driver)
        for size in sizes:
            key = draw("upkeep key", size) if reference.keyed else None
            message = draw("upkeep", 333)
            case = HashCase(key, message, reference.digest(key, message))
            for layout in _HASH_LAYOUTS:
                found = bench._check(case, layout)
                if found:
                    return found
        bench.machine.registry.free(bench.tfm)
        return []

    return _grown(bench, turn)


def _grown(bench: CipherBench | HashBench, turn: Callable[[], list[Problem]]) -> list[Problem]:
    """Whether memory grows by a block or more with every turn; some may be kept for later."""
    blocks = []
    for _ in range(_ROUNDS):
        found = turn()
        if found:
            return found
        blocks.append(bench.memory.live_blocks)
    # By the second turn whatever is kept for later is there.
    before, after = blocks[1], blocks[-1]
    if after - before < _ROUNDS - 2:
        return []
    detail = f"{_ROUNDS - 2} times the same transforms, keys and requests, all given back"
    return [
        Problem(
            "memory left allocated",
            facts.LEAK,
            f"{before} blocks",
            f"{after} blocks",
            details=(detail,),
        )
    ]
