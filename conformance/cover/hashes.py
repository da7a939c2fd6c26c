"""The coverage of hashes, derived from what a driver and its machine declare."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tcrypt.cover.capabilities import PATHS, Capabilities
from tcrypt.cover.classes import EDGES, FLAGS, HOW, LENGTHS, PIECES, QUEUE, representatives
from tcrypt.cover.model import CoverModel, Point, Rule, model_of
from tcrypt.cover.queues import queue_rules
from tcrypt.engine.api.algorithms import AhashAlg
from tcrypt.engine.api.flags import AlgFlag
from tcrypt.oracle import HashReference

__all__ = ("HMAC_KEYS", "hash_keys", "hash_model", "hash_unit")

HMAC_KEYS = ("no bytes", "shorter than a block", "one block", "longer than a block")
_CROSSES = (
    "how x length x pieces",
    "how x key",
    "key x length",
    "how x edges",
    "how x path",
    "path x length",
    "queue x flags",
    "queue x pieces",
)
_SPLIT = PIECES[1:]


def hash_unit(alg: AhashAlg, reference: HashReference | None) -> int:
    """The bytes that the compression function takes at a time."""
    return reference.block_size if reference is not None else max(1, alg.cra_blocksize)


def hash_keys(alg: AhashAlg, reference: HashReference | None) -> tuple[str, ...]:
    """The bins of keys: their sizes, or for HMAC how they compare with a block."""
    if alg.setkey is None or reference is None or not reference.keyed:
        return ("any",)
    if reference.key_sizes is None:
        return HMAC_KEYS
    return tuple(map(str, reference.key_sizes))


def hash_model(
    alg: AhashAlg, reference: HashReference | None, capable: Capabilities
) -> CoverModel:
    """What there is to cover of a driver; arguments as for `cipher_model`."""
    points: Sequence[Point] = (
        Point("how", HOW),
        Point("key", hash_keys(alg, reference)),
        Point("length", LENGTHS),
        Point("pieces", PIECES),
        Point("edges", EDGES),
        Point("path", PATHS if capable.device else ("software",)),
        Point("queue", QUEUE if capable.waits else QUEUE[:1]),
        Point("flags", FLAGS),
    )
    unit = hash_unit(alg, reference)
    rules = [*_rules(unit), *queue_rules(capable, _CROSSES[-1:])]
    if capable.device is not None:
        rules += _path_rules(capable, steps=not alg.cra_flags & AlgFlag.NEED_FALLBACK)
    waived = "" if reference else "no reference implementation: only its vectors run"
    return model_of(points, (name.split(" x ") for name in _CROSSES), rules, waived)


def _rules(unit: int) -> Iterator[Rule]:
    for word, lengths in representatives(unit):
        if not lengths:
            yield Rule("impossible", f"a block has {unit} bytes", {"length": (word,)})
    empty = {"length": ("empty",), "pieces": _SPLIT}
    yield Rule("impossible", "no bytes fill two pieces", empty)
    many = {"length": ("below a block", "one block"), "pieces": PIECES[3:]}
    yield Rule("impossible", "a block has fewer bytes than that", many)
    steps = {"how": HOW[1:], "edges": EDGES[3:]}
    yield Rule("not asked", "only layouts of one step have such lists", steps)
    rare = {"pieces": PIECES[2:]}
    yield Rule("not asked", "lists of many entries come with a few lengths", rare, _CROSSES[0])
    yield Rule("not asked", "loads are made of short messages", rare, "queue x pieces")


def _path_rules(capable: Capabilities, *, steps: bool) -> Iterator[Rule]:
    if not steps:
        reason = "a driver with a fallback may leave messages that come in steps to it"
        yield Rule("not asked", reason, {"how": HOW[1:], "path": ("hardware",)})
    yield Rule(
        "not asked", "the driver's own policy, of which nobody is told", {"path": PATHS[6:]}
    )
    reason = "hashes are not told apart by keys, shapes or lengths"
    yield Rule("impossible", reason, {"path": PATHS[1:4]})
    yield Rule("impossible", "a hash takes every message", {"path": PATHS[5:6]})
    yield Rule("not asked", "an empty message has a constant digest", {"path": PATHS[4:5]})
    empty = {"length": ("empty",), "path": ("hardware",)}
    yield Rule("not asked", "an empty message has a constant digest", empty)
    if not capable.on_hardware(0):
        yield Rule("impossible", "the device has no such digest", {"path": ("hardware",)})
