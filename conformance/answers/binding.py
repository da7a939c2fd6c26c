"""Forms of group `bind`: names, options, and which socket takes which call."""

from __future__ import annotations

import re
from ast import literal_eval

from tcrypt.answers.probe import NotHere, Probe, form
from tcrypt.engine.af_alg import AlgSocket

__all__ = ("bind_name",)

_GROUP = "bind"
_SOCKETS = {"SOCK_STREAM": 1, "SOCK_DGRAM": 2, "SOCK_RAW": 3, "SOCK_SEQPACKET": 5}
_KEY_OPTION = 1


def bind_name(case: str) -> str | None:
    """The name that a case binds, `'cbc(aes)'`; None for a case about something else."""
    quoted = len(case) >= 2 and case[0] == case[-1] and case[0] in "'\""
    return str(literal_eval(case)) if quoted else None


@form(_GROUP, r"(?:'[^']*'|\"[^\"]*\")")
def _name(probe: Probe, match: re.Match[str]) -> None:
    with AlgSocket(probe.machine) as socket:
        socket.bind(probe.kind, bind_name(match[0]) or "")


@form(_GROUP, r"(\S+) feat=(0x[0-9a-f]+) mask=(0x[0-9a-f]+)")
def _flags(probe: Probe, match: re.Match[str]) -> None:
    with AlgSocket(probe.machine) as socket:
        socket.bind(probe.kind, match[1], int(match[2], 16), int(match[3], 16))


@form(_GROUP, r"bind again(?: while an op socket is open|, no op socket)")
def _again(probe: Probe, match: re.Match[str]) -> None:
    with probe.keyed() as socket:
        if "while" in match[0]:
            socket.accept()
        socket.bind(probe.kind, probe.driver)


@form(_GROUP, r"ALG_SET_KEY (while op socket open|after op socket closed|on the op socket)")
def _key(probe: Probe, match: re.Match[str]) -> None:
    key = probe.data.key or b""
    with probe.keyed() as socket:
        op = socket.accept()
        if match[1] == "on the op socket":
            op.setsockopt(_KEY_OPTION, key)
            return
        if match[1] == "after op socket closed":
            op.close()
        socket.set_key(key)


@form(_GROUP, r"ALG_SET_KEY before bind|accept before bind")
def _unbound(probe: Probe, match: re.Match[str]) -> None:
    with AlgSocket(probe.machine) as socket:
        if match[0].startswith("accept"):
            socket.accept()
            return
        socket.set_key(bytes(16))


@form(_GROUP, r"send on the tfm \(bound\) socket")
def _send(probe: Probe, match: re.Match[str]) -> object:
    with probe.keyed() as socket:
        return socket.sendmsg(bytes(16))


@form(_GROUP, r"setsockopt SOL_ALG optname=(\d+) (\d+) bytes")
def _option(probe: Probe, match: re.Match[str]) -> None:
    with probe.bound() as socket:
        socket.setsockopt(int(match[1]), bytes(int(match[2])))


@form(_GROUP, r"socket (SOCK_[A-Z]+)|socket proto=(\d+)")
def _socket(probe: Probe, match: re.Match[str]) -> object:
    kind = _SOCKETS.get(match[1] or "SOCK_SEQPACKET")
    if kind is None:
        raise NotHere(f"socket type {match[1]} has no number here")
    AlgSocket(probe.machine, kind, int(match[2] or 0)).close()
    return None
