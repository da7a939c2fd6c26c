"""Forms of group `skcipher`: several messages, sends and keys on one socket."""

from __future__ import annotations

import re

from tcrypt.answers.probe import Probe, attempt, form
from tcrypt.answers.skciphers import one_shot, sealed, start, text

__all__ = ()

_GROUP = "skcipher"
_RIGHT = "== one-shot"
_GOES_ON = "iv continues"


@form("skcipher aead", r"no key(?:: (accept only|accept\+sendmsg|sendmsg|recv without send))?")
def _no_key(probe: Probe, match: re.Match[str]) -> object:
    with probe.bound() as socket:
        op = socket.accept()
        if match[1] == "accept only":
            return None
        if match[1] == "recv without send":
            return op.recv(16, dontwait=True)
        return op.sendmsg(probe.data.text[:16], op=1, iv=probe.data.iv or None)


@form(_GROUP, r"accept, THEN set key on tfm socket, then use")
def _key_later(probe: Probe, match: re.Match[str]) -> object:
    with probe.bound() as socket:
        op = socket.accept()
        socket.set_key(probe.data.key or b"")
        start(probe, op, probe.data.text[:16])
        return None if op.recv(16) == sealed(probe, 16) else "WRONG"


@form(_GROUP, r"good key, then bad key\((\d+)\) -> ; then use: sendmsg, recv==old-key result")
def _key_lost(probe: Probe, match: re.Match[str]) -> object:
    with probe.keyed() as socket:
        refused = attempt(lambda: socket.set_key(bytes(int(match[1]))))
        op = socket.accept()
        sent = attempt(lambda: start(probe, op, probe.data.text[:16]))
        return refused, sent, attempt(lambda: op.recv(16, dontwait=True) == sealed(probe, 16))


@form(_GROUP, r"bad key\((\d+)\) only, then sendmsg")
def _bad_key(probe: Probe, match: re.Match[str]) -> object:
    with probe.bound() as socket:
        refused = attempt(lambda: socket.set_key(bytes(int(match[1]))))
        op = socket.accept()
        return refused, attempt(lambda: start(probe, op, probe.data.text[:16]))


@form(_GROUP, r"rekey (\d+) -> (\d+) on same tfm")
def _rekey(probe: Probe, match: re.Match[str]) -> object:
    found = []
    data = probe.data
    with probe.bound() as socket:
        for size in map(int, match.groups()):
            key = bytes(range(size))
            socket.set_key(key)
            op = socket.accept()
            start(probe, op, data.text[:16])
            wanted = probe.skcipher.encrypt(key, data.iv, data.text[:16]).out
            found.append(op.recv(16) == wanted)
            op.close()
    return tuple(found)


@form(_GROUP, r"control-only sendmsg \(no data, no MSG_MORE\), then send")
@form(_GROUP, r"control-only sendmsg with MSG_MORE, then send")
def _control_only(probe: Probe, match: re.Match[str]) -> object:
    with probe.operation() as op:
        start(probe, op, b"", more=" with " in match[0])
        op.sendmsg(probe.data.text[:16])
        return op.recv(16) == sealed(probe, 16)


@form(_GROUP, r"(DEC )?((?:MSG_MORE )?\d+(?: \+ (?:MSG_MORE )?\d+)+), recv\((\d+)\)")
def _parts(probe: Probe, match: re.Match[str]) -> object:
    return _sent_in_parts(probe, match[1] is None, list(map(int, re.findall(r"\d+", match[2]))))


@form(_GROUP, r"(DEC )?MSG_MORE in odd pieces (\d+(?:\+\d+)+), recv\((\d+)\)")
def _odd_parts(probe: Probe, match: re.Match[str]) -> object:
    return _sent_in_parts(probe, match[1] is None, list(map(int, match[2].split("+"))))


@form(_GROUP, r"(DEC )?MSG_MORE (\d+) then send\(b''\) to finish, recv")
def _empty_end(probe: Probe, match: re.Match[str]) -> object:
    return _sent_in_parts(probe, match[1] is None, [int(match[2]), 0])


def _sent_in_parts(probe: Probe, encrypt: bool, sizes: list[int]) -> str:
    """All parts but the last with MSG_MORE, then one receive."""
    left, total = text(probe, encrypt), sum(sizes)
    with probe.operation() as op:
        for place, size in enumerate(sizes):
            part, left, more = left[:size], left[size:], place + 1 < len(sizes)
            if place:
                op.sendmsg(part, more=more)
            else:
                start(probe, op, part, encrypt, more)
        out = op.recv(total, dontwait=True)
    return _RIGHT if out == one_shot(probe, encrypt)[:total] else "DIFFERS"


@form(_GROUP, r"send 16 MSG_MORE: recv DONTWAIT\(16\) / \+16 MORE recv blocking\(16\) / .*")
def _while_more(probe: Probe, match: re.Match[str]) -> object:
    plain = probe.data.text
    with probe.operation() as op:
        start(probe, op, plain[:16], more=True)
        first = op.recv(16, dontwait=True)
        op.sendmsg(plain[16:32], more=True)
        return first, op.recv(16), attempt(lambda: op.recv(16))


@form(_GROUP, r"second plain send on same op socket \(no cmsg\): op and iv kept\?")
def _second_plain(probe: Probe, match: re.Match[str]) -> object:
    return _second(probe, True), _second_half(probe, True)


@form(_GROUP, r"DEC second plain send on same op socket")
def _second_decrypt(probe: Probe, match: re.Match[str]) -> object:
    return _second(probe, False).removesuffix(" (CBC chain)")


@form(_GROUP, r"second sendmsg with only ALG_SET_OP")
def _second_op(probe: Probe, match: re.Match[str]) -> object:
    return _second(probe, True, op=1).removesuffix(" (CBC chain)")


def _second_half(probe: Probe, encrypt: bool, op: int | None = None) -> bytes:
    """What the second half gives as a message of its own behind the first half."""
    source = text(probe, encrypt)
    with probe.operation() as socket:
        start(probe, socket, source[:32], encrypt)
        socket.recv(32)
        socket.sendmsg(source[32:64], op=op)
        return socket.recv(32)


def _second(probe: Probe, encrypt: bool, op: int | None = None) -> str:
    right = _second_half(probe, encrypt, op) == one_shot(probe, encrypt)[32:64]
    return f"{_GOES_ON} (CBC chain)" if right else "iv OTHER"


@form(_GROUP, r"second sendmsg with only ALG_SET_IV")
def _second_iv(probe: Probe, match: re.Match[str]) -> object:
    with probe.operation() as op:
        start(probe, op, probe.data.text[:16])
        cipher = op.recv(16)
        op.sendmsg(cipher, iv=probe.data.iv)
        return "became decrypt" if op.recv(16) == probe.data.text[:16] else "still encrypts"


@form(_GROUP, r"second (?:plain send|sendmsg with op\+iv) while first \(final\) not yet received")
def _second_early(probe: Probe, match: re.Match[str]) -> object:
    plain = probe.data.text
    with probe.operation() as op:
        start(probe, op, plain[:16])
        if "op+iv" in match[0]:
            refused = attempt(lambda: start(probe, op, plain[16:32]))
        else:
            refused = attempt(lambda: op.sendmsg(plain[16:32]))
        return refused, op.recv(16)


@form(_GROUP, r"op\+iv cmsg again in the middle of MSG_MORE")
def _again(probe: Probe, match: re.Match[str]) -> object:
    plain = probe.data.text
    with probe.operation() as op:
        start(probe, op, plain[:16], more=True)
        sent = start(probe, op, plain[16:32])
        out = op.recv(32)
        return sent, (out == sealed(probe, 32), out)


@form(_GROUP, r"(\d+) B -> recv ; recv again ; send (\d+) more \(.*\) ; recv")
def _consumed(probe: Probe, match: re.Match[str]) -> object:
    first, second = int(match[1]), int(match[2])
    plain = probe.data.text
    with probe.operation() as op:
        start(probe, op, plain[:first])
        return (
            attempt(lambda: op.recv(64, dontwait=True)),
            attempt(lambda: op.recv(64, dontwait=True)),
            attempt(lambda: op.sendmsg(plain[first : first + second])),
            attempt(lambda: op.recv(64, dontwait=True)),
        )


@form(_GROUP, r"(\d+) B -> recv error ; fresh sendmsg op\+iv (\d+) ; recv\((\d+)\)")
def _recovered(probe: Probe, match: re.Match[str]) -> object:
    first, second, size = map(int, match.groups())
    with probe.operation() as op:
        start(probe, op, probe.data.text[:first])
        failed = attempt(lambda: op.recv(64, dontwait=True))
        sent = start(probe, op, probe.data.text[:second])
        return failed, sent, attempt(lambda: op.recv(size, dontwait=True))


@form(_GROUP, r"send (\d+) / recv / plain send rest: iv-out")
def _counter_after(probe: Probe, match: re.Match[str]) -> object:
    """A counter goes on behind the last block that was begun."""
    size, plain = int(match[1]), probe.data.text
    with probe.operation() as op:
        start(probe, op, plain[:size])
        op.recv(size)
        op.sendmsg(plain[size:])
        out = op.recv(len(plain) - size)
    used = -(-size // 16)
    if out == probe.skcipher.encrypt(probe.data.key or b"", probe.data.iv, plain).out[size:]:
        return "continues"
    padded = bytes(16 * used) + plain[size:]
    ahead = probe.skcipher.encrypt(probe.data.key or b"", probe.data.iv, padded).out[16 * used :]
    if out == ahead:
        return "counter advanced by ceil"
    return "restarted" if out == sealed(probe, len(out)) else "OTHER"
