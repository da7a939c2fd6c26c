"""Key bytes left in memory: after a new key, after a refused one, after the transform is gone.

All of the machine's memory is searched, freed blocks included, for every form in which hardware
takes a key: its bytes, its 32-bit words in the other byte order, HMAC's padded key blocks and the
two states that follow from them.  What a driver keeps elsewhere than in memory is not seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tcrypt import facts
from tcrypt.checks.common import AnyReference
from tcrypt.checks.trial import good_spec
from tcrypt.cipher_bench import CipherBench
from tcrypt.hash_bench import HashBench
from tcrypt.layouts import CIPHER_LAYOUTS, HASH_LAYOUTS, Flush
from tcrypt.oracle import AeadReference, HashReference
from tcrypt.oracle.compress import hmac_states
from tcrypt.problems import Problem

__all__ = ("left_after_free", "left_after_new_key", "left_after_refusal", "secrets_of")

_CHUNK = 16
_LEAST = 8
_WORD = 4
_PADS = (0x36, 0x5C)
# Aligned, unaligned, and in pieces: a driver takes each another way.
_LAYOUTS = tuple(CIPHER_LAYOUTS[i] for i in (2, 3, 6))
# Exported states hold what follows from a key; the caller's buffer for them is the caller's.
_HASH_LAYOUTS = tuple(
    layout
    for layout in HASH_LAYOUTS
    if all(division.flush is not Flush.REIMPORT for division in layout.src)
)
AnyBench = CipherBench | HashBench


def left_after_new_key(bench: AnyBench, reference: AnyReference) -> list[Problem]:
    """The first of two keys, once the second one is in use."""
    first, found = _use(bench, reference, 101)
    if not found:
        found = _use(bench, reference, 102)[1]
    return found or _look(bench, reference, first, "an older key left in memory")


def left_after_free(bench: AnyBench, reference: AnyReference) -> list[Problem]:
    """Both of two keys, once the transform is freed."""
    first, found = _use(bench, reference, 103)
    if not found:
        second, found = _use(bench, reference, 104)
        _free(bench)
    for key in () if found else (first, second):
        found = found or _look(bench, reference, key, "key of a freed transform left in memory")
    return found


def left_after_refusal(bench: AnyBench, reference: AnyReference, bad: bytes) -> list[Problem]:
    """A good key and one that the driver refused after it, once the transform is freed."""
    good, found = _use(bench, reference, 105)
    if found:
        return found
    try:
        bench.tfm.setkey(bad)
    except OSError:
        _free(bench)
    else:
        return [Problem("key accepted that must be refused", facts.SETKEY, "-EINVAL", "0")]
    for key in (good, bad):
        found = found or _look(bench, reference, key, "key left in memory after a refused one")
    return found


def _use(bench: AnyBench, reference: AnyReference, seed: int) -> tuple[bytes, list[Problem]]:
    """Set a key of a seed and run a request in several layouts; the key, and what is wrong."""
    spec: Any = good_spec(reference, seed)
    case = spec.case(reference)
    layouts: Any = _HASH_LAYOUTS if isinstance(bench, HashBench) else _LAYOUTS
    for layout in layouts:
        found = bench.check(case, layout)
        if found:
            return case.key, found
    return case.key, []


def _free(bench: AnyBench) -> None:
    # The bench needs a new machine afterwards: its transform is gone.
    bench.broken = True
    bench.machine.registry.free(bench.tfm)


def _look(bench: AnyBench, reference: AnyReference, key: bytes, message: str) -> list[Problem]:
    for form, secret in secrets_of(reference, key):
        place = bench.memory.find(secret)
        if place is not None:
            return [Problem(message, facts.KEY_WIPED, details=(f"{form} at {place:#010x}",))]
    return []


def secrets_of(reference: AnyReference, key: bytes) -> Iterator[tuple[str, bytes]]:
    """Everything that gives a key away, at least 8 bytes each, with what it is."""
    auth, enc, hash_name = _parts(reference, key)
    yield from _forms("cipher key", enc)
    yield from _forms("authentication key", auth)
    if not hash_name:
        return
    for pad in _PADS:
        padded = bytes(byte ^ pad for byte in auth)
        yield from _forms(f"key block with {pad:#04x}", padded)
    for name, state in zip(("inner", "outer"), hmac_states(hash_name, auth) or (), strict=False):
        yield from _forms(f"{name} state", state)


def _parts(reference: AnyReference, key: bytes) -> tuple[bytes, bytes, str]:
    """Authentication key, cipher key, and the hash if the first belongs to an HMAC."""
    if isinstance(reference, HashReference):
        name = _hmac_of(reference)
        return (key, b"", name) if name else (b"", key, "")
    mac: Any = getattr(reference, "mac", None)
    keys = reference.split_key(key) if isinstance(reference, AeadReference) else None
    if mac is None or keys is None:
        return b"", key, ""
    return keys[0], keys[1], _hmac_of(mac)


def _hmac_of(mac: HashReference) -> str:
    name = mac.name
    return name[5:-1] if name.startswith("hmac(") else ""


def _forms(what: str, secret: bytes) -> Iterator[tuple[str, bytes]]:
    for start in range(0, len(secret), _CHUNK):
        piece = secret[start : start + _CHUNK]
        if len(piece) < _LEAST:
            continue
        yield what, piece
        whole = piece[: len(piece) // _WORD * _WORD]
        words = [whole[i : i + _WORD][::-1] for i in range(0, len(whole), _WORD)]
        yield f"{what}, words reversed", b"".join(words)
