"""Cases of `boundaries` at the limits of hardware: many entries, long messages, cut counters.

They are few and sized on purpose, so they are not held to a profile's longest message.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count, cycle, product

from tcrypt.layouts import (
    CIPHER_LAYOUTS,
    MANY_CIPHER_LAYOUTS,
    MANY_HASH_LAYOUTS,
    CipherLayout,
    slug,
)
from tcrypt.oracle import AeadReference, HashReference, SkcipherReference
from tcrypt.specs import AeadSpec, HashSpec, SkcipherSpec

__all__ = ("aead_limits", "forgeries", "hash_limits", "skcipher_limits")

_MIB = 1 << 20
_ENTRIES = 400
_RANDOM = range(24)
# Lengths that shares of 5 % cut into blocks, so that hardware takes the pieces as they are.
_EVEN_LENGTHS = (320, 640)
# The longest that a 20-bit length field counts, in blocks of 64 and of 16 bytes, and beyond.
_NEAR_1_MIB = (
    (_MIB - 64, "out-of-place"),
    (_MIB - 48, "in-place-one-sglist"),
    (_MIB, "unaligned-buffer-offset-1"),
    (_MIB + 16, "two-even-aligned-splits"),
    (_MIB + 64, "in-place-two-sglists"),
)
_BEYOND = (2 * _MIB - 128, 2 * _MIB, 4 * _MIB + 16)
# Layouts in which a counter can wrap at the end of a piece, and inside of one.
_IN_PIECES = (
    "two-even-aligned-splits",
    "even-splits-in-place",
    "four-even-splits-src-ten-dst",
    "ten-even-splits-src-one-dst",
    "five-splits-src-three-splits-dst",
)
_TO_TEN = "four-even-splits-src-ten-dst"
_OPS = ("enc", "dec")


def skcipher_limits(reference: SkcipherReference, largest: int) -> Iterator[SkcipherSpec]:
    """The limits of an skcipher; those near 1 MiB only where `largest` is beyond 64 KiB."""
    # Hardware that lacks some key sizes has the shortest, most often.
    key = reference.key_sizes[0]
    for layout in MANY_CIPHER_LAYOUTS:
        for length in sorted({_ENTRIES * reference.block_size, 16 * _ENTRIES}):
            for op, size in product(_OPS, sorted({key, reference.key_sizes[-1]})):
                yield SkcipherSpec(op, size, max(length, 800), slug(layout.name), seed=length)
    for number in _RANDOM:
        for length in _EVEN_LENGTHS:
            op = _OPS[(number // 2 + length // 320) % 2]
            yield SkcipherSpec(op, key, length, f"random-{number}", seed=number)
    if reference.ivsize == 16:
        for layout_name in _IN_PIECES:
            for blocks in (*range(1, 11), 19, 20, 21):
                yield SkcipherSpec(
                    _OPS[blocks % 2], key, 320, layout_name, f"wrap32:{blocks}", blocks
                )
    ops = cycle(_OPS)
    for length, layout_name in _long(largest):
        yield SkcipherSpec(next(ops), key, length, layout_name, seed=1)
    if reference.ivsize == 16 and largest > _MIB // 16:
        yield SkcipherSpec("enc", key, _MIB + 64, "out-of-place", "wrap32:65533", 1)


def _long(largest: int) -> Sequence[tuple[int, str]]:
    if largest <= _MIB // 16:
        return ()
    if largest < _MIB:
        return _NEAR_1_MIB
    return (*_NEAR_1_MIB, *((length, "out-of-place") for length in _BEYOND))


def aead_limits(
    reference: AeadReference, largest: int, tags: Sequence[int], *, instance: bool
) -> Iterator[AeadSpec]:
    """The limits of an AEAD with these tag lengths.

    Long messages are left out for an instance of a template, whose parts have the limits.
    """
    usual, tag, key = reference.usual_assoc, tags[-1], reference.enckey_sizes[0]
    for layout in MANY_CIPHER_LAYOUTS:
        for assoc in sorted({usual, 4 * _ENTRIES}):
            for op in _OPS:
                text = 16 * _ENTRIES - assoc // 16 * 16
                yield AeadSpec(op, key, text, assoc, tag, 20, slug(layout.name), seed=assoc)
    yield from _parts_in_entries(reference, tags)
    for number in _RANDOM:
        op = _OPS[number // 2 % 2]
        yield AeadSpec(op, key, 320, usual, tag, 20, f"random-{number}", seed=number)
    if not instance:
        ops = cycle(_OPS)
        for length, layout_name in _long(largest):
            # All that the engine counts, AAD and tag included, comes to the limit.
            text = (length - usual - tag) // 16 * 16
            yield AeadSpec(next(ops), key, text, usual, tag, 20, layout_name, seed=1)


def _parts_in_entries(reference: AeadReference, tags: Sequence[int]) -> Iterator[AeadSpec]:
    """An entry for the AAD, one for the tag, eight for the text, as callers of IPsec have it."""
    for tag in sorted({tags[-1], *(tag for tag in (8, 12, 16) if tag in tags)}):
        for op in _OPS:
            for layout in ("ten-even-splits-src-one-dst", "ten-even-splits-inplace", _TO_TEN):
                yield AeadSpec(op, 16, 8 * tag, tag, tag, 20, layout, seed=tag)


def forgeries(reference: AeadReference, tags: Sequence[int]) -> Iterator[AeadSpec]:
    """One bit changed in tag, text or AAD, for every tag length.

    A short tag may be right by chance; the oracle says so, and then the message is sound.
    """
    assoc, layouts, seeds = reference.usual_assoc, cycle(_slugs(CIPHER_LAYOUTS)), count(1)
    for tag in tags:
        for tamper in ("tag:0", f"tag:{8 * tag - 1}", f"tag:{4 * tag}", "text:0", "text:511"):
            yield AeadSpec("dec", 16, 64, assoc, tag, 20, next(layouts), tamper, next(seeds))
        for tamper in ("aad:0", "aad:127"):
            yield AeadSpec("dec", 32, 48, assoc, tag, 20, next(layouts), tamper, next(seeds))
    for tamper in ("tag:7", "aad:3"):
        yield AeadSpec("dec", 16, 0, assoc, tags[-1], 20, next(layouts), tamper, next(seeds))
    iv = reference.good_iv(bytes(reference.ivsize))
    if not reference.crypt_status(False, 0, tags[-1], tags[-1], iv):
        # Nothing but a tag, and that a wrong one.
        yield AeadSpec("dec", 16, 0, 0, tags[-1], 20, next(layouts), "tag:7", next(seeds))
    for length in (4080, 4112):
        yield AeadSpec(
            "dec", 16, length, assoc, tags[-1], 20, next(layouts), "text:511", next(seeds)
        )
    for bit in range(0, 8 * tags[-1], 8):
        yield AeadSpec("dec", 16, 32, assoc, tags[-1], 20, tamper=f"tag:{bit}", seed=next(seeds))


def _slugs(layouts: Sequence[CipherLayout]) -> Iterator[str]:
    return (slug(layout.name) for layout in layouts)


def hash_limits(reference: HashReference, largest: int, key: int) -> Iterator[HashSpec]:
    """The limits of a hash under a key of `key` bytes, -1 for none."""
    for layout in MANY_HASH_LAYOUTS:
        for length in (64 * _ENTRIES, 64 * _ENTRIES + 37, 1000):
            yield HashSpec(length, key, slug(layout.name), length)
    for number in _RANDOM:
        for length in (640, 1279):
            yield HashSpec(length, key, f"random-{number}", number)
    if reference.keyed:
        return
    # An HMAC is the same hash in the same descriptors; a model takes a second for each of these.
    if largest > _MIB // 16:
        yield HashSpec(_MIB + 192, key, "init-update-final-aligned-buffer", 1)
    if largest >= _MIB:
        for length in _BEYOND:
            yield HashSpec(length, key, "digest-aligned-buffer", 1)
