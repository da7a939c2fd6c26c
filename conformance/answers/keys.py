"""Forms of groups `setkey` and `authsize`: which keys and tag sizes are accepted."""

from __future__ import annotations

import re
import struct

from tcrypt.answers.material import authenc_key, pattern
from tcrypt.answers.probe import NotHere, Probe, form

__all__ = ()

_SETKEY = "setkey"
_AUTHKEY, _ENCKEY = pattern(20), pattern(16)
_DES_KEYS = {"1": bytes(range(1, 9)), "2": bytes(range(17, 25)), "3": bytes(range(33, 41))}
_TRIPLE = re.compile(r"K([123])")


def _set(probe: Probe, key: bytes) -> None:
    with probe.bound() as socket:
        socket.set_key(key)


@form(_SETKEY, r"keylen=(\d+)")
def _length(probe: Probe, match: re.Match[str]) -> None:
    _set(probe, pattern(int(match[1])))


@form(_SETKEY, r"empty")
def _empty(probe: Probe, match: re.Match[str]) -> None:
    _set(probe, b"")


@form(_SETKEY, r"(\d+) bytes|no rtattr: raw (\d+) bytes|(\d+)-byte key raw")
def _raw(probe: Probe, match: re.Match[str]) -> None:
    length = next(int(value) for value in match.groups() if value is not None)
    _set(probe, b"\x5a" * length)


@form(_SETKEY, r"(?:weak |semi-weak )?((?:[0-9a-f]{2}){8,})")
def _literal(probe: Probe, match: re.Match[str]) -> None:
    _set(probe, bytes.fromhex(match[1]))


@form(_SETKEY, r"zero")
def _zero(probe: Probe, match: re.Match[str]) -> None:
    _set(probe, bytes(len(probe.data.key or b"")))


@form(_SETKEY, r"K[123](?:(?: |==)K[123])+(?: \([^)]*\))?")
def _triple(probe: Probe, match: re.Match[str]) -> None:
    """`K1==K2`: a triple-DES key in which these parts are equal."""
    keys = dict(_DES_KEYS)
    for chain in match[0].split(" "):
        names = _TRIPLE.findall(chain)
        for name in names:
            keys[name] = keys[names[0]]
    _set(probe, b"".join(keys[name] for name in "123"))


@form(_SETKEY, r"(\d+)B(?: halves (equal|differ)| \((\d+)x(\d+)\))?")
def _halves(probe: Probe, match: re.Match[str]) -> None:
    half = int(match[1]) // 2
    other = pattern(half) if match[2] == "equal" else b"\xa5" * (int(match[1]) - half)
    _set(probe, pattern(half) + other)


@form(_SETKEY, r"authkey=(\d+) enckey=(\d+)")
def _blob(probe: Probe, match: re.Match[str]) -> None:
    _set(probe, authenc_key(pattern(int(match[1])), pattern(int(match[2]))))


@form(_SETKEY, r"rtattr only, no param")
def _no_param(probe: Probe, match: re.Match[str]) -> None:
    _set(probe, struct.pack("<HH", 8, 1))


@form(_SETKEY, r"rta type (\d+)")
def _type(probe: Probe, match: re.Match[str]) -> None:
    _attribute(probe, 8, int(match[1]))


@form(_SETKEY, r"rta_len (\d+)(?: > keylen)?")
def _attribute_length(probe: Probe, match: re.Match[str]) -> None:
    _attribute(probe, int(match[1]), 1)


def _attribute(probe: Probe, length: int, type_: int) -> None:
    header = struct.pack("<HH", length, type_) + struct.pack(">I", len(_ENCKEY))
    _set(probe, header + _AUTHKEY + _ENCKEY)


@form(_SETKEY, r"enckeylen > rest|enckeylen (\d+)|enckeylen little-endian")
def _enckeylen(probe: Probe, match: re.Match[str]) -> None:
    rest = _AUTHKEY + _ENCKEY
    if match[1] is not None:
        value = struct.pack(">I", int(match[1]))
    elif "little" in match[0]:
        value = struct.pack("<I", len(_ENCKEY))
    else:
        value = struct.pack(">I", len(rest) + 1)
    _set(probe, struct.pack("<HH", 8, 1) + value + rest)


@form(_SETKEY, r"enckeylen = all \(authkey empty\)")
def _all(probe: Probe, match: re.Match[str]) -> None:
    _set(probe, authenc_key(b"", _ENCKEY))


@form("authsize", r"(\d+)")
def _authsize(probe: Probe, match: re.Match[str]) -> None:
    with probe.bound() as socket:
        socket.set_authsize(int(match[1]))


@form("authsize", r"ALG_SET_AEAD_AUTHSIZE while op socket open")
def _busy(probe: Probe, match: re.Match[str]) -> None:
    with probe.keyed() as socket:
        socket.accept()
        socket.set_authsize(16)


@form("setkey authsize aead aioaead skcipher hash rng conc", r"bind")
def _bind(probe: Probe, match: re.Match[str]) -> object:
    with probe.bound():
        return None


@form("setkey", r"setkey time.*")
@form("skcipher", r"setkey time")
def _time(probe: Probe, match: re.Match[str]) -> object:
    raise NotHere("a time: the simulation's clock says nothing about the host's")
