"""Loads: several good requests at once on one machine, for every type of driver.

All requests of a load differ, in key or data, and ciphers' in layout as well, so that one that is
done with what belongs to another one shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tcrypt.checks.common import AnyBench, reference_for
from tcrypt.cipher_bench import CipherCase
from tcrypt.cover.capabilities import device_has
from tcrypt.hash_bench import HashBench
from tcrypt.layouts import CIPHER_LAYOUTS, CipherLayout, Division, InPlace
from tcrypt.material import draw
from tcrypt.oracle import AeadReference, HashReference, SkcipherReference
from tcrypt.problems import Problem
from tcrypt.specs import AeadSpec, SkcipherSpec
from tcrypt.swarm import CipherSwarm, HashSwarm, Swarm

__all__ = ("EVERY", "MIXED", "SINGLE", "AnySwarm", "fill", "fill_pair", "make_swarm")

AnySwarm = Swarm[Any]

_EVEN = (Division(5000), Division(5000))
_THREE = CipherLayout("three even splits", (Division(3333), Division(3333), Division(3334)))
# In place, two and three pieces, one that needs a bounce buffer, and out of place.  They take
# turns with lengths of one to five blocks, so that each piece is made of whole blocks.
MIXED = (CIPHER_LAYOUTS[0], CIPHER_LAYOUTS[4], _THREE, CIPHER_LAYOUTS[3], CIPHER_LAYOUTS[2])
SINGLE = (CIPHER_LAYOUTS[0], CIPHER_LAYOUTS[2])
_FIFTHS = (Division(4000), Division(6000))
# The same lengths again, in the layouts that are left.
EVERY = (
    *MIXED,
    CIPHER_LAYOUTS[1],
    CipherLayout("even splits, inplace", _EVEN, in_place=InPlace.ONE_LIST),
    CipherLayout("one src, three even splits dst", (Division(10_000),), _THREE.src),
    CipherLayout("even splits, inplace, two sglists", _EVEN, in_place=InPlace.TWO_LISTS),
    CipherLayout("two splits src, one dst", _FIFTHS, (Division(10_000),)),
)
_TRANSFORMS = 4
_HASH_LENGTHS = (1, 64, 65, 200, 3, 128, 55)
_CUT = 64


def make_swarm(bench: AnyBench) -> AnySwarm:
    """An empty load on a bench's machine."""
    return HashSwarm(bench) if isinstance(bench, HashBench) else CipherSwarm(bench)


def fill(
    swarm: AnySwarm, count: int, layouts: Sequence[CipherLayout], *, key_size: int = 0
) -> list[Problem]:
    """Add requests to a load, ciphers' in these layouts in turn; why a key was refused.

    Ciphers work on four transforms, whose keys have `key_size` bytes, or else the sizes that the
    hardware has in turn; hashes on the bench's own, some of them in two pieces.
    """
    if isinstance(swarm, HashSwarm):
        _fill_hashes(swarm, range(count), cut=_CUT)
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
    sizes = (key_size,) if key_size else _hardware_sizes(swarm, reference)
    transforms = {}
    for number in dict.fromkeys(index % _TRANSFORMS for index in numbers):
        tfm = swarm.bench.new_tfm()
        found = swarm.bench.keyed(tfm, _case(reference, number, number, least, sizes))
        if found:
            return found
        transforms[number] = tfm
    for index in numbers:
        number = index % _TRANSFORMS
        case = _case(reference, number, index, least, sizes)
        swarm.add(transforms[number], case, layouts[index % len(layouts)])
    return []


def _key_sizes(reference: SkcipherReference | AeadReference) -> tuple[int, ...]:
    """The accepted lengths (bytes) of the cipher's key."""
    if isinstance(reference, AeadReference):
        return reference.enckey_sizes
    return reference.key_sizes


def _hardware_sizes(
    swarm: CipherSwarm, reference: SkcipherReference | AeadReference
) -> tuple[int, ...]:
    """The sizes of key that the hardware has; the first one where there is none."""
    device, sizes = swarm.bench.device, _key_sizes(reference)
    devices = [device] if device is not None else []
    if swarm.bench.subject.instance:
        devices = swarm.machine.accelerators
    if not devices:
        return sizes[:1]
    had = (n for n in sizes if all(device_has(each, reference.name, n) for each in devices))
    return tuple(had) or sizes[:1]


def _fill_hashes(swarm: HashSwarm, numbers: Sequence[int], cut: int = 0) -> None:
    reference = reference_for(swarm.bench.subject)
    assert isinstance(reference, HashReference)
    tfm = swarm.bench.tfm
    key = None
    if reference.keyed:
        key = draw("retry key", 20 if reference.key_sizes is None else reference.key_sizes[0])
        tfm.setkey(key)
    for index in numbers:
        message = draw(f"retry {index}", _HASH_LENGTHS[index % len(_HASH_LENGTHS)])
        swarm.add(tfm, message, reference.digest(key, message), cut)


def _case(
    reference: SkcipherReference | AeadReference,
    number: int,
    index: int,
    least: int,
    sizes: tuple[int, ...],
) -> CipherCase:
    """Request `index` on the transform keyed with key `number`; no two have the same data.

    It is long enough (`least` bytes or more) for the driver to leave it to the hardware.
    """
    op = "dec" if index % 3 == 2 else "enc"
    length, size = 16 * (-(-least // 16) + index % 5), sizes[number % len(sizes)]
    if isinstance(reference, AeadReference):
        assoc = reference.usual_assoc
        spec = AeadSpec(
            op, size, length, assoc, reference.maxauthsize, seed=number, text=1 + index
        )
        return spec.case(reference)
    return SkcipherSpec(op, size, length, seed=number, text=1 + index).case(reference)
