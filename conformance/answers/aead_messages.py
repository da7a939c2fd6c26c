"""Forms of group `aead`: several sends, and receives that wait."""

from __future__ import annotations

import re

from tcrypt.answers.aeads import seal, sealed
from tcrypt.answers.probe import Probe, form

__all__ = ()

_GROUP = "aead"


@form(_GROUP, r"all data with MSG_MORE then (recv DONTWAIT|blocking recv)")
def _unfinished(probe: Probe, match: re.Match[str]) -> object:
    data = probe.data
    with probe.operation() as op:
        head = len(data.assoc)
        op.sendmsg(data.assoc + data.text, op=1, iv=data.iv, assoclen=head, more=True)
        return op.recv(96, dontwait=match[1] != "blocking recv")


@form(_GROUP, r"blocking recv bigger than the output")
def _bigger(probe: Probe, match: re.Match[str]) -> object:
    data = probe.data
    with probe.operation() as op:
        op.sendmsg(data.assoc + data.text, op=1, iv=data.iv, assoclen=len(data.assoc))
        return op.recv(len(data.assoc + data.text) + 64)


@form(_GROUP, r"MSG_MORE aad / pt (\d+) / rest")
def _parts(probe: Probe, match: re.Match[str]) -> object:
    data, first = probe.data, int(match[1])
    with probe.operation() as op:
        op.sendmsg(data.assoc, op=1, iv=data.iv, assoclen=len(data.assoc), more=True)
        op.sendmsg(data.text[:first], more=True)
        op.sendmsg(data.text[first:])
        return op.recv(256, dontwait=True) == sealed(probe, data.assoc, data.text)


@form(_GROUP, r"second send before recv")
def _early(probe: Probe, match: re.Match[str]) -> object:
    data = probe.data
    with probe.operation() as op:
        op.sendmsg(data.assoc + data.text, op=1, iv=data.iv, assoclen=len(data.assoc))
        return op.sendmsg(data.text)


@form(_GROUP, r"second plain send: op/iv/assoclen kept")
def _kept(probe: Probe, match: re.Match[str]) -> object:
    data = probe.data
    with probe.operation() as op:
        first = seal(probe, op, data.assoc, data.text)
        sent = op.sendmsg(data.assoc + data.text)
        return sent, op.recv(256, dontwait=True) == first


@form(_GROUP, r"second plain send: iv")
def _iv_kept(probe: Probe, match: re.Match[str]) -> object:
    data, head = probe.data, len(probe.data.assoc)
    with probe.operation() as op:
        first = seal(probe, op, data.assoc, data.text)
        op.sendmsg(data.assoc + data.text)
        second = op.recv(256, dontwait=True)
    if second == first:
        return "iv kept original"
    last = first[head + len(data.text) - len(data.iv) : head + len(data.text)]
    chained = sealed(probe, data.assoc, data.text, last)
    return "iv = last ct block" if second == chained else "iv OTHER"


@form(_GROUP, r"send (\d+) (?:\(.*\) )?DONTWAIT")
def _much(probe: Probe, match: re.Match[str]) -> object:
    with probe.operation() as op:
        return op.sendmsg(bytes(int(match[1])), op=1, iv=probe.data.iv, assoclen=0, dontwait=True)
