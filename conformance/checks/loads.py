"""Loads: several good requests at once on one machine, for every type of driver.

All requests of a load differ, in key or data, and ciphers' in layout as well, so that one that is
done with what belongs to another one shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tcrypt.checks.common import AnyBench, reference_for
from tcrypt.cipher_bench import CipherCase
from tcrypt.hash_bench import HashBench
from tcrypt.layouts import CIPHER_LAYOUTS, CipherLayout, Division
from tcrypt.material import draw
from tcrypt.oracle import AeadReference, HashReference, SkcipherReference
from tcrypt.problems import Problem
from tcrypt.specs import AeadSpec, SkcipherSpec
from tcrypt.swarm import CipherSwarm, HashSwarm, Swarm

__all__ = ("MIXED", "SINGLE", "AnySwarm", "fill", "fill_pair", "make_swarm")

AnySwarm = Swarm[Any]

_THREE = CipherLayout("three even splits", (Division(3333), Division(3333), Division(3334)))
# In place, two and three pieces, one that needs a bounce buffer, and out of place.  They take
# turns with lengths of one to five blocks, so that each piece is made of whole blocks.
MIXED = (CIPHER_LAYOUTS[0], CIPHER_LAYOUTS[4], _THREE, CIPHER_LAYOUTS[3], CIPHER_LAYOUTS[2])
SINGLE = (CIPHER_LAYOUTS[0], CIPHER_LAYOUTS[2])
_TRANSFORMS = 4
_HASH_LENGTHS = (1, 64, 65, 200, 3, 128, 55)


def make_swarm(bench: AnyBench) -> AnySwarm:
    """An empty load on a bench's machine."""
    return HashSwarm(bench) if isinstance(bench, HashBench) else CipherSwarm(bench)


def fill(
    swarm: AnySwarm, count: int, layouts: Sequence[CipherLayout], *, key_size: int = 0
) -> list[Problem]:
    """Add requests to a load, ciphers' in these layouts in turn; why a key was refused.

    Ciphers work on four transforms, whose keys have `key_size` bytes, or else the algorithm's
    first size; hashes on the bench's own.
    """
    if isinstance(swarm, HashSwarm):
        _fill_hashes(swarm, range(count))
        return []
    assert isinstance(swarm, CipherSwarm)
    return _fill_ciphers(swarm, range(count), layouts, key_size)


def fill_pair(swarm: AnySwarm, index: int) -> list[Problem]:
    """Add the request that `fill` gives this number, and the next one of the same transform."""
    numbers = (index, index + _TRANSFORMS)
    if isinstance(swarm, HashSwarm):
        _fill_hashes(swarm, numbers)
        return []
    assert isinstance(swarm, CipherSwarm)
    return _fill_ciphers(swarm, numbers, MIXED, 0)


def _fill_ciphers(
    swarm: CipherSwarm, numbers: Sequence[int], layouts: Sequence[CipherLayout], key_size: int
) -> list[Problem]:
    reference = reference_for(swarm.bench.subject)
    assert isinstance(reference, SkcipherReference | AeadReference)
    least = max((a.shortest(reference.name) for a in swarm.machine.accelerators), default=1)
    transforms = {}
    for number in dict.fromkeys(index % _TRANSFORMS for index in numbers):
        tfm = swarm.bench.new_tfm()
        found = swarm.bench.keyed(tfm, _case(reference, number, number, least, key_size))
        if found:
            return found
        transforms[number] = tfm
    for index in numbers:
        number = index % _TRANSFORMS
        case = _case(reference, number, index, least, key_size)
        swarm.add(transforms[number], case, layouts[index % len(layouts)])
    return []


def _fill_hashes(swarm: HashSwarm, numbers: Sequence[int]) -> None:
    reference = reference_for(swarm.bench.subject)
    assert isinstance(reference, HashReference)
    tfm = swarm.bench.tfm
    key = None
    if reference.keyed:
        key = draw("retry key", 20 if reference.key_sizes is None else reference.key_sizes[0])
        tfm.setkey(key)
    for index in numbers:
        message = draw(f"retry {index}", _HASH_LENGTHS[index % len(_HASH_LENGTHS)])
        swarm.add(tfm, message, reference.digest(key, message))


def _case(
    reference: SkcipherReference | AeadReference,
    number: int,
    index: int,
    least: int,
    key_size: int,
) -> CipherCase:
    """Request `index` on the transform keyed with key `number`; no two have the same data.

    It is long enough (`least` bytes or more) for the driver to leave it to the hardware.
    """
    op = "dec" if index % 3 == 2 else "enc"
    length = 16 * (-(-least // 16) + index % 5)
    if isinstance(reference, AeadReference):
        size, assoc = key_size or reference.enckey_sizes[0], reference.usual_assoc
        spec = AeadSpec(
            op, size, length, assoc, reference.maxauthsize, seed=number, text=1 + index
        )
        return spec.case(reference)
    size = key_size or reference.key_sizes[0]
    return SkcipherSpec(op, size, length, seed=number, text=1 + index).case(reference)
