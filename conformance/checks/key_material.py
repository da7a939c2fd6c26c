"""Keys for check `keys`: every length, malformed authenc blobs, refused ones, weak ones."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from tcrypt.checks.common import AnyReference
from tcrypt.material import draw
from tcrypt.oracle import (
    SEMI_WEAK_DES_KEYS,
    WEAK_DES_KEYS,
    AeadReference,
    HashReference,
    SkcipherReference,
)

__all__ = ("all_keys", "fips_keys", "good_and_bad", "weak_keys")

_BEYOND = 16
_LONGEST_HMAC_KEY = 144
# One weak key of DES and one of its semi-weak ones (SP 800-67, 3.3.2).
_WEAK_DES = (("des", "0101010101010101"), ("semi", "01fe01fe01fe01fe"))
_DES_KEY = 8


def weak_keys(reference: SkcipherReference | AeadReference) -> Iterator[tuple[str, bytes]]:
    """Keys of each good size that some cipher calls weak: equal parts, weak DES keys."""
    if isinstance(reference, AeadReference):
        sizes = reference.enckey_sizes
    else:
        sizes = reference.key_sizes
    for size in sizes:
        keys = [("thirds", draw("weak", 8) * (size // 8))]
        keys += [(name, bytes.fromhex(text) * (size // 8)) for name, text in _WEAK_DES]
        keys.append(("halves", draw("weak", size // 2) * 2))
        keys.append(("first-two", draw("weak", 8) * 2 + draw("other", max(size - 16, 0))))
        keys.append(("last-two", draw("other", 8) + draw("weak", 8) * 2))
        keys.append(("outer", draw("weak", 8) + draw("other", 8) + draw("weak", 8)))
        keys += _all_weak_des() if size == _DES_KEY else []
        for name, key in keys:
            if len(key) == size:
                yield f"{size}-{name}", _blob(reference, key)


def fips_keys(reference: SkcipherReference | AeadReference) -> Iterator[tuple[str, bytes]]:
    """Keys that only FIPS mode refuses, without a flag: two equal parts of 3DES, halves of XTS."""
    for name, key in weak_keys(reference):
        if reference.setkey_allowed(key, fips=True) != reference.setkey_allowed(key):
            yield name, key


def _all_weak_des() -> list[tuple[str, bytes]]:
    """The 16 keys with another parity than the list's, and for each one that is nearly weak."""
    found: list[tuple[str, bytes]] = []
    for key in (*WEAK_DES_KEYS, *SEMI_WEAK_DES_KEYS):
        parity = key[:-1] + bytes([key[-1] ^ 1])
        nearly = key[:-1] + bytes([key[-1] ^ 2])
        found += [(parity.hex(), parity), (f"nearly-{key.hex()}", nearly)]
    return found


def _blob(reference: SkcipherReference | AeadReference, key: bytes) -> bytes:
    if isinstance(reference, AeadReference) and reference.key_sizes is None:
        return reference.join_key(draw("auth", 20), key)
    return key


def all_keys(reference: AnyReference) -> Iterator[tuple[str, bytes]]:
    """Every length up to some beyond the longest; for authenc, blobs in their stead."""
    if isinstance(reference, SkcipherReference):
        longest = reference.max_keysize + _BEYOND
    elif isinstance(reference, HashReference):
        longest = _LONGEST_HMAC_KEY
        if reference.key_sizes is not None:
            longest = max(reference.key_sizes) + _BEYOND
    elif reference.key_sizes is not None:
        longest = max(reference.key_sizes) + _BEYOND
    else:
        yield from _authenc_blobs(reference)
        return
    for length in range(longest + 1):
        yield f"length-{length}", draw("keys", length)


def _authenc_blobs(reference: AeadReference) -> Iterator[tuple[str, bytes]]:
    """Blobs with every cipher key length, some authentication keys, and every malformation."""
    auth = draw("auth", 20)
    for length in range(33 + _BEYOND):
        yield f"enckey-{length}", reference.join_key(auth, draw("keys", length))
    for length in (0, 1, 19, 20, 21, 63, 64, 65, 128, 200):
        enckey = draw("keys", reference.enckey_sizes[0])
        yield f"authkey-{length}", reference.join_key(draw("auth", length), enckey)
    good = reference.join_key(auth, draw("keys", reference.enckey_sizes[0]))
    for length in (0, 1, 4, 7, 8):
        yield f"blob-cut-to-{length}", good[:length]
    for what, header in (
        ("type-0", struct.pack("<HH", 8, 0)),
        ("type-2", struct.pack("<HH", 8, 2)),
        ("rta-len-0", struct.pack("<HH", 0, 1)),
        ("rta-len-7", struct.pack("<HH", 7, 1)),
        ("rta-len-12", struct.pack("<HH", 12, 1)),
        ("rta-len-200", struct.pack("<HH", 200, 1)),
    ):
        yield f"blob-{what}", header + good[4:]
    rest = len(good) - 8
    for what, size in (("one-more", rest + 1), ("huge", 0xFFFF_FFFF), ("negative", 1 << 31)):
        yield f"blob-enckeylen-{what}", good[:4] + struct.pack(">I", size) + good[8:]
    yield "blob-enckeylen-little-endian", good[:4] + struct.pack("<I", 16) + good[8:]
    yield "blob-raw-key", draw("keys", 36)


def good_and_bad(reference: AnyReference) -> tuple[bytes, bytes | None]:
    """A good key, and one that passes the core's length check but not the driver's."""
    if isinstance(reference, SkcipherReference):
        good = draw("keys", reference.key_sizes[0])
        between = range(reference.min_keysize + 1, reference.max_keysize)
        odd = [n for n in between if n not in reference.key_sizes]
        return good, draw("keys", odd[0]) if odd else None
    if isinstance(reference, AeadReference):
        size = reference.enckey_sizes[0]
        return _blob(reference, draw("keys", size)), _blob(reference, draw("keys", size + 1))
    if reference.key_sizes is None:
        return draw("keys", 16), None
    size = reference.key_sizes[0]
    return draw("keys", size), draw("keys", size + 1)
