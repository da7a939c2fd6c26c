"""Forms of group `hash`: messages in parts, digests in parts, clones."""

from __future__ import annotations

import re

from tcrypt.answers.probe import Probe, attempt, form

__all__ = ()

_GROUP = "hash"
_WHOLE = 64


def _digest(probe: Probe, message: bytes) -> bytes:
    return probe.hash.digest(probe.data.key, message)


@form(_GROUP, r"abc")
def _abc(probe: Probe, match: re.Match[str]) -> object:
    with probe.operation() as op:
        op.sendmsg(b"abc")
        return op.recv(_WHOLE) == _digest(probe, b"abc")


@form(_GROUP, r"RFC(?:4231|2202) tc2")
def _jefe(probe: Probe, match: re.Match[str]) -> object:
    message = b"what do ya want for nothing?"
    with probe.bound() as socket:
        socket.set_key(b"Jefe")
        op = socket.accept()
        op.sendmsg(message)
        return op.recv(_WHOLE) == probe.hash.digest(b"Jefe", message)


@form(_GROUP, r"zero-length key then digest 'abc'")
def _empty_key(probe: Probe, match: re.Match[str]) -> object:
    with probe.bound() as socket:
        socket.set_key(b"")
        op = socket.accept()
        op.sendmsg(b"abc")
        return op.recv(_WHOLE) == probe.hash.digest(b"", b"abc")


@form(_GROUP, r"send\(b''\) then recv|recv without any send")
def _nothing(probe: Probe, match: re.Match[str]) -> object:
    with probe.operation() as op:
        if match[0].startswith("send"):
            op.sendmsg(b"")
        return op.recv(_WHOLE)


@form(_GROUP, r"MSG_MORE 'a' \+ 'bc' == 'abc'", general=True)
def _parts(probe: Probe, match: re.Match[str]) -> object:
    with probe.operation() as op:
        op.sendmsg(b"a", more=True)
        op.sendmsg(b"bc")
        return op.recv(_WHOLE) == _digest(probe, b"abc")


@form(_GROUP, r"MSG_MORE 'abc' then recv finalises", general=True)
def _finalises(probe: Probe, match: re.Match[str]) -> object:
    with probe.operation() as op:
        op.sendmsg(b"abc", more=True)
        first = op.recv(_WHOLE) == _digest(probe, b"abc")
        again = op.recv(_WHOLE) == _digest(probe, b"")
        return first, "then recv again == empty-msg digest:", again


@form(_GROUP, r"send 'abc' \(no MORE\) then send 'def' \(no MORE\), recv", general=True)
def _restarts(probe: Probe, match: re.Match[str]) -> object:
    with probe.operation() as op:
        op.sendmsg(b"abc")
        op.sendmsg(b"def")
        got = op.recv(_WHOLE)
    return "last message only" if got == _digest(probe, b"def") else "OTHER"


@form(_GROUP, r"send 'abc', recv twice", general=True)
def _twice(probe: Probe, match: re.Match[str]) -> object:
    with probe.operation() as op:
        op.sendmsg(b"abc")
        op.recv(_WHOLE)
        got = op.recv(_WHOLE)
    return "second = digest of empty" if got == _digest(probe, b"") else "second = OTHER"


@form(_GROUP, r"recvmsg\((\d+)\): len, prefix ok, flags \(MSG_TRUNC=0x20\), next recv")
def _short(probe: Probe, match: re.Match[str]) -> object:
    with probe.operation() as op:
        op.sendmsg(b"abc")
        got, flags = op.recvmsg(int(match[1]))
        prefix = got == _digest(probe, b"abc")[: len(got)]
        return len(got), prefix, f"flags={flags:#x}", op.recv(_WHOLE)


@form(_GROUP, r"send (\d+) bytes", lambda m: int(m[1]) // 1024)
def _much(probe: Probe, match: re.Match[str]) -> object:
    message = b"x" * int(match[1])
    with probe.operation() as op:
        op.sendmsg(message)
        return op.recv(_WHOLE) == _digest(probe, message)


@form(_GROUP, r"accept\(\) on op socket clones partial state", general=True)
def _clones(probe: Probe, match: re.Match[str]) -> object:
    with probe.operation() as op:
        op.sendmsg(b"ab", more=True)
        clone = op.accept()
        op.sendmsg(b"c")
        clone.sendmsg(b"d")
        right = op.recv(_WHOLE) == _digest(probe, b"abc")
        return right, clone.recv(_WHOLE) == _digest(probe, b"abd")


@form(_GROUP, r"no key: (send|recv only)")
def _no_key(probe: Probe, match: re.Match[str]) -> object:
    with probe.bound() as socket:
        op = socket.accept()
        return op.sendmsg(b"abc") if match[1] == "send" else op.recv(_WHOLE)


@form(_GROUP, r"sendmsg with ALG_SET_OP cmsg")
def _control(probe: Probe, match: re.Match[str]) -> object:
    with probe.operation() as op:
        return op.sendmsg(b"abc", op=1), attempt(lambda: op.recv(_WHOLE))


@form(_GROUP, r"read\(0\)-size recv")
def _nothing_wanted(probe: Probe, match: re.Match[str]) -> object:
    with probe.operation() as op:
        return op.sendmsg(b"abc"), attempt(lambda: op.recv(0))
