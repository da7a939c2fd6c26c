"""The coverage of skciphers and AEADs, derived from what a driver and its machine declare."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tcrypt.cover.capabilities import PATHS, Capabilities
from tcrypt.cover.classes import (
    ASSOC,
    DIRECTIONS,
    EDGES,
    FLAGS,
    LAYOUTS,
    LENGTHS,
    PIECES,
    QUEUE,
    STATUSES,
    TAGS,
    assoc_class,
    representatives,
    tag_class,
)
from tcrypt.cover.model import CoverModel, Point, Rule, model_of
from tcrypt.cover.queues import queue_rules
from tcrypt.engine.api.algorithms import AeadAlg, SkcipherAlg
from tcrypt.engine.api.machine import Shape
from tcrypt.oracle import AeadReference, SkcipherReference

__all__ = ("CipherReference", "cipher_model", "key_sizes", "unit_of")

CipherReference = SkcipherReference | AeadReference | None

_BY_KEY = "key size x direction x path x layout"
_CROSSES = (
    _BY_KEY,
    "path x direction",
    "direction x length x layout",
    "direction x length x status",
    "edges x layout",
    "direction x pieces",
    "queue x direction x flags",
    "queue x direction x layout",
    "queue x key size",
)
_AEAD_CROSSES = (
    "path x assoc",
    "direction x tag x assoc",
    "direction x status x tag",
    "direction x assoc x layout",
)
_SPLIT = tuple(word for word in LAYOUTS if "pieces" in word)
_NO_PIECE = "no bytes fill two pieces"
_TEXT = 64
_ASSOCS = (0, 8, 16, 20, 1020, 3, 13, 21, 1024, 1025)
_REASONS = PATHS[1:4]


def unit_of(alg: SkcipherAlg | AeadAlg) -> int:
    """The bytes that the algorithm works on at a time."""
    return alg.chunksize or alg.cra_blocksize or 1


def key_sizes(alg: SkcipherAlg | AeadAlg, reference: CipherReference) -> tuple[int, ...]:
    """The lengths of key (bytes) that a driver takes; of authenc's, those of the cipher's key."""
    if isinstance(alg, SkcipherAlg):
        least, most = alg.min_keysize, alg.max_keysize
        if reference is None:
            return tuple(dict.fromkeys((least, most)))
        assert isinstance(reference, SkcipherReference)
        return tuple(size for size in reference.key_sizes if least <= size <= most)
    return () if reference is None else tuple(reference.enckey_sizes)  # type: ignore[union-attr]


def cipher_model(
    alg: SkcipherAlg | AeadAlg, reference: CipherReference, capable: Capabilities
) -> CoverModel:
    """What there is to cover of a driver.

    Args:
        alg: its descriptor.
        reference: the oracle of its algorithm; without one no goal holds.
        capable: what is known of its hardware and queues.
    """
    sizes = key_sizes(alg, reference)
    aead = isinstance(alg, AeadAlg)
    points = [
        Point("direction", DIRECTIONS),
        Point("key size", tuple(map(str, sizes)) or ("any",)),
        Point("length", LENGTHS),
        Point("layout", LAYOUTS),
        Point("pieces", PIECES),
        Point("edges", EDGES),
        Point("status", STATUSES if aead or capable.device else STATUSES[:2]),
        Point("path", PATHS if capable.device else ("software",)),
        Point("queue", QUEUE if capable.waits else QUEUE[:1]),
        Point("flags", FLAGS),
        Point("assoc", ASSOC if aead else ("none",)),
        Point("tag", TAGS if aead else ("none",)),
    ]
    rules = [*_length_rules(unit_of(alg)), *queue_rules(capable, _CROSSES[-2:])]
    if capable.device is not None:
        rules += _path_rules(capable, sizes, aead)
    else:
        rules += _errors_rule(aead)
    if isinstance(reference, SkcipherReference):
        rules += _skcipher_rules(reference, unit_of(alg), capable)
    elif isinstance(reference, AeadReference):
        rules += _aead_rules(reference, unit_of(alg), capable)
    waived = "" if reference else "no reference implementation: only its vectors run"
    names = (*_CROSSES, *(_AEAD_CROSSES if aead else ()))
    return model_of(points, (name.split(" x ") for name in names), rules, waived)


def _errors_rule(aead: bool) -> Iterator[Rule]:
    if aead:
        reason = "no device that could be made to report an error"
        yield Rule("unreachable", reason, {"status": ("another error",)})


def _length_rules(unit: int) -> Iterator[Rule]:
    for word, lengths in representatives(unit):
        if not lengths:
            yield Rule("impossible", f"a block has {unit} bytes", {"length": (word,)})
    yield Rule("impossible", _NO_PIECE, {"length": ("empty",), "layout": _SPLIT})
    one_byte = {"length": ("below a block",), "layout": _SPLIT}
    if unit == 1:
        yield Rule("impossible", _NO_PIECE, one_byte)


def _path_rules(capable: Capabilities, sizes: Sequence[int], aead: bool) -> Iterator[Rule]:
    policy = "the driver's own policy, of which nobody is told"
    yield Rule("not asked", policy, {"path": PATHS[6:]})
    aside = {"path": PATHS[4:6]}
    yield Rule("not asked", "whatever lies there, nothing is worked on", aside, _BY_KEY)
    supported = [size for size in sizes if capable.on_hardware(size)]
    for size in sizes:
        if size not in supported:
            others = {"key size": (str(size),), "path": ("hardware", *PATHS[2:4])}
            yield Rule("impossible", "the device has no keys of this size", others)
            waiting = {"key size": (str(size),), "queue": QUEUE[1:] if capable.waits else ()}
            yield Rule("not asked", "software, which need not wait, has such keys", waiting)
        else:
            other = {"key size": (str(size),), "path": PATHS[1:2]}
            yield Rule("impossible", "the device has keys of this size", other)
    if sizes and len(supported) == len(sizes):
        yield Rule("impossible", "the device has keys of all sizes", {"path": PATHS[1:2]})
    if sizes and not supported:
        yield Rule("impossible", "the device has no key size", {"path": ("hardware",)})
    short = [size for size in supported if capable.shortest(size) > 1 and not aead]
    for size in supported if short else ():
        if size not in short:
            both = {"key size": (str(size),), "path": PATHS[2:3]}
            yield Rule("impossible", "no length is too short with this key", both)
    if not short:
        yield Rule("impossible", "no length is too short for the hardware", {"path": PATHS[2:3]})
    if not aead or capable.takes is None:
        yield Rule("impossible", "nothing is said about shapes", {"path": PATHS[3:4]})
    if aead:
        yield Rule("impossible", "there is a tag to work on", {"path": PATHS[4:5]})


def _skcipher_rules(
    reference: SkcipherReference, unit: int, capable: Capabilities
) -> Iterator[Rule]:
    refuses = takes = False
    for word, lengths in representatives(unit):
        statuses = {reference.length_status(length) for length in lengths}
        refuses |= statuses != {0} and bool(lengths)
        takes |= 0 in statuses and word == "empty"
        if statuses == {0}:
            both = {"length": (word,), "status": ("-EINVAL",)}
            yield Rule("impossible", f"{reference.name} takes such lengths", both)
        elif lengths and 0 not in statuses:
            both = {"length": (word,), "status": ("ok",)}
            yield Rule("impossible", f"{reference.name} refuses such lengths", both)
    if not refuses:
        reason = f"{reference.name} takes every length"
        yield Rule("impossible", reason, {"status": ("-EINVAL",)})
        if capable.device is not None:
            yield Rule("impossible", reason, {"path": ("refused",)})
    if capable.device is None:
        return
    if not takes:
        reason = f"{reference.name} refuses a request without data"
        yield Rule("impossible", reason, {"path": PATHS[4:5]})
    yield Rule("impossible", "there is no tag", {"status": ("-EBADMSG",)})
    where = {"status": ("another error",)}
    if capable.device.report is None:
        yield Rule("unreachable", "the device cannot be made to report an error", where)
    else:
        reason = "errors are reported for requests of a few blocks"
        yield Rule("not asked", reason, where, "direction x length x status")


def _aead_rules(reference: AeadReference, unit: int, capable: Capabilities) -> Iterator[Rule]:
    name, most = reference.name, reference.maxauthsize
    tags = [n for n in range(1, most + 1) if not reference.authsize_status(n)]
    kinds = {tag_class(n, most) for n in tags}
    for number, word in enumerate(TAGS):
        if number not in kinds:
            yield Rule("impossible", f"{name} refuses such tags", {"tag": (word,)})
    enc, dec = ("encrypt",), ("decrypt",)
    forged = {"direction": enc, "status": ("-EBADMSG",)}
    yield Rule("impossible", "encryption verifies nothing", forged)
    late = {"direction": dec, "status": ("-EINVAL",)}
    yield Rule("not asked", "the tag of a message is judged before its sizes", late)
    refuses = False
    for word, lengths in representatives(unit):
        statuses = {_text_status(reference, length) for length in lengths}
        refuses |= statuses != {0} and bool(lengths)
        if statuses == {0}:
            both = {"length": (word,), "status": ("-EINVAL",)}
            yield Rule("not asked", f"{name} takes such lengths", both)
        elif lengths and 0 not in statuses:
            both = {"length": (word,), "status": ("ok",)}
            yield Rule("impossible", f"{name} refuses such lengths", both)
    if not refuses:
        yield Rule("not asked", f"{name} takes every length", {"status": ("-EINVAL",)})
    tags_at_fault = {"status": ("another error",), "tag": TAGS[1:]}
    yield Rule("not asked", "faults strike requests with a full tag", tags_at_fault)
    if capable.device is not None:
        if not refuses:
            yield Rule("not asked", f"{name} takes every length", {"path": ("refused",)})
        late = {"direction": dec, "path": ("refused",)}
        yield Rule("not asked", "the tag of a message is judged before its sizes", late)
        far = {"assoc": ASSOC[3:], "path": ("refused",)}
        yield Rule("not asked", "one reason for a refusal is enough", far)
        yield Rule(
            "not asked",
            "errors are reported for requests of a few blocks",
            {"status": ("another error",)},
            "direction x length x status",
        )
        yield from _assoc_rules(reference)
        yield from _shape_rules(reference, capable)


def _assoc_rules(reference: AeadReference) -> Iterator[Rule]:
    """Nobody works on AAD that the algorithm refuses, as rfc4106 does all but 16 and 20 bytes."""
    name, most = reference.name, reference.maxauthsize
    iv = reference.good_iv(bytes(reference.ivsize))
    for number, word in enumerate(ASSOC):
        lengths = [n for n in _ASSOCS if assoc_class(n) == number]
        if all(reference.crypt_status(True, n, _TEXT, most, iv) for n in lengths):
            both = {"assoc": (word,), "path": (*PATHS[:4], *PATHS[6:])}
            yield Rule("impossible", f"{name} refuses such AAD", both)


def _text_status(reference: AeadReference, length: int) -> int:
    lead = reference.ivsize if reference.iv_in_text else 0
    iv = reference.good_iv(bytes(reference.ivsize))
    most = reference.maxauthsize
    return reference.crypt_status(True, reference.usual_assoc, lead + length, most, iv)


def _shape_rules(reference: AeadReference, capable: Capabilities) -> Iterator[Rule]:
    """Which AAD the hardware never gets, by the provider's own word."""
    takes, most = capable.takes, reference.maxauthsize
    if takes is None:
        return
    for number, word in enumerate(ASSOC):
        shapes = [Shape(True, _TEXT, n, most) for n in _ASSOCS if assoc_class(n) == number]
        taken = {takes(capable.algorithm, shape) for shape in shapes}
        if True not in taken:
            both = {"assoc": (word,), "path": ("hardware",)}
            yield Rule("impossible", "the hardware takes no such AAD", both)
    if all(takes(capable.algorithm, Shape(True, n, 16, most)) for n in range(3 * _TEXT)):
        some: dict[str, tuple[str, ...]] = {"assoc": ASSOC[:2], "path": PATHS[3:4]}
        yield Rule("not asked", "the hardware takes most such requests", some)
