"""Forms of groups `conc`, `aioaead` and `hang`: many requests at once, and long ones."""

from __future__ import annotations

import errno
import re
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack

from tcrypt.answers.material import pattern
from tcrypt.answers.probe import NotHere, Probe, counted, form
from tcrypt.answers.skciphers import one_shot, start
from tcrypt.engine.af_alg import AlgSocket, CipherSocket, OperationSocket, Pending
from tcrypt.engine.af_alg.calls import finish

__all__ = ()

_KIBIBYTE = 1024


def _message(probe: Probe, index: int) -> bytes:
    """1 KiB that differs from request to request."""
    text = probe.data.text
    whole = text * (_KIBIBYTE // len(text) + 1)
    return index.to_bytes(4, "big") + whole[4:_KIBIBYTE]


def _cipher(op: OperationSocket) -> CipherSocket:
    assert isinstance(op, CipherSocket)
    return op


def _order(log: Sequence[Pending], submitted: Sequence[Pending]) -> str:
    if list(log) == list(submitted):
        return "FIFO"
    first = [submitted.index(pending) for pending in log[:8]]
    return f"not FIFO, first {first}"


def _no_room(submitted: Sequence[Pending]) -> None:
    """Refuse to judge a driver whose queue is shorter than the measured one's."""
    full = sum(pending.result == -errno.ENOSPC for pending in submitted)
    if full:
        raise NotHere(
            f"{full} of {len(submitted)} requests at once were refused with ENOSPC, as the"
            " measured hardware does when its queue is full"
        )


@form("conc", r"AIO \(io_submit\) (\d+) op sockets of ONE tfm, 1 KiB each", lambda m: int(m[1]))
def _aio(probe: Probe, match: re.Match[str]) -> object:
    count, data = int(match[1]), probe.data
    log: list[Pending] = []
    with probe.keyed() as socket:
        submitted = []
        for index in range(count):
            op = _cipher(socket.accept())
            start(probe, op, _message(probe, index))
            submitted.append(op.recv_async(_KIBIBYTE, log))
        finish(probe.machine)
    _no_room(submitted)
    wanted = [
        probe.skcipher.encrypt(data.key or b"", data.iv, _message(probe, index)).out
        for index in range(count)
    ]
    right = sum(p.result == w for p, w in zip(submitted, wanted, strict=True))
    others = [p.result for p in submitted if not isinstance(p.result, bytes)]
    return (
        f"submitted {count}, completed {len(log)}, correct {right}, other results {others},"
        f" completion order {_order(log, submitted)}"
    )


@form("conc", r"AIO (\d+) x (\d+)-byte reads queued on ONE op socket holding (\d+) bytes")
def _queued(probe: Probe, match: re.Match[str]) -> object:
    count, size, length = map(int, match.groups())
    log: list[Pending] = []
    with probe.operation() as op:
        start(probe, op, probe.data.text[:length])
        submitted = [_cipher(op).recv_async(size, log) for _ in range(count)]
        finish(probe.machine)
    results = [pending.result for pending in submitted]
    events = [(submitted.index(p), len(p.result)) for p in log if isinstance(p.result, bytes)]
    out = b"".join(result for result in results if isinstance(result, bytes))
    same = "==" if out == one_shot(probe, True)[:length] else "!="
    return f"events {events}; concatenation {same} one-shot CBC"


@form(
    "conc",
    r"(\d+) threads x own tfm x (\d+) requests of 1 KiB",
    lambda m: int(m[1]) * int(m[2]),
)
def _threads(probe: Probe, match: re.Match[str]) -> object:
    """Every thread has one request under way at a time."""
    threads, rounds = int(match[1]), int(match[2])
    data, right = probe.data, 0
    errors: list[str] = []
    with ExitStack() as stack:
        sockets = [stack.enter_context(probe.keyed()) for _ in range(threads)]
        ops = [_cipher(socket.accept()) for socket in sockets]
        for index in range(rounds):
            message = _message(probe, index)
            wanted = probe.skcipher.encrypt(data.key or b"", data.iv, message).out
            for op in ops:
                start(probe, op, message)
            pending = [op.recv_thread(_KIBIBYTE) for op in ops]
            finish(probe.machine)
            right += sum(one.result == wanted for one in pending)
            errors += [str(p.result) for p in pending if not isinstance(p.result, bytes)]
    wrong = threads * rounds - right - len(errors)
    kinds = sorted(set(errors))
    return f"correct {right}, wrong {wrong}, errors {kinds} x{len(errors)}"


@form("conc", r"how many keyed tfms \(device sessions\) at once \(up to (\d+)\)", lambda m: 60)
def _sessions(probe: Probe, match: re.Match[str]) -> object:
    count = int(match[1])
    with ExitStack() as stack:
        for number in range(1, count + 1):
            socket = stack.enter_context(probe.bound())
            try:
                socket.set_key(probe.data.key or b"")
            except OSError as error:
                word = errno.errorcode.get(error.errno or 0, str(error.errno))
                return f"setkey #{number} fails {word}"
    return f"{count} keyed tfms ok"


@form("conc", r"still works afterwards")
def _afterwards(probe: Probe, match: re.Match[str]) -> object:
    with probe.operation() as op:
        start(probe, op, probe.data.text[:16])
        return op.recv(16) == one_shot(probe, True)[:16]


@form("aioaead", r"AIO AEAD encrypt 1 KiB, (\d+) op sockets of one tfm", lambda m: int(m[1]))
def _aio_aead(probe: Probe, match: re.Match[str]) -> object:
    count, data = int(match[1]), probe.data
    assoc, key = data.assoc[:8], data.key or b""
    log: list[Pending] = []
    with probe.keyed() as socket:
        submitted = []
        for index in range(count):
            op = _cipher(socket.accept())
            message = assoc + _message(probe, index)
            op.sendmsg(message, op=1, iv=data.iv, assoclen=len(assoc))
            submitted.append(op.recv_async(2 * _KIBIBYTE, log))
        finish(probe.machine)
    _no_room(submitted)
    tag, right = probe.aead.maxauthsize, True
    for index, pending in enumerate(submitted):
        sealed = probe.aead.encrypt(key, data.iv, assoc, _message(probe, index), tag)
        right = right and pending.result == assoc + sealed
    sizes = Counter(len(p.result) if isinstance(p.result, bytes) else p.result for p in submitted)
    verdict = "sampled data correct" if right else "sampled data WRONG"
    return (
        f"submitted {count}, events {len(log)}, results {dict(sizes)}, {verdict},"
        f" order {_order(log, submitted)}"
    )


@form("hang", r"one request of (\d+) bytes \((\d+) pages\)", lambda m: int(m[1]) // 8192)
def _long(probe: Probe, match: re.Match[str]) -> object:
    length, data = int(match[1]), probe.data
    message = pattern(length)
    wanted = probe.skcipher.encrypt(data.key or b"", data.iv, message).out
    with probe.operation() as op:
        start(probe, op, message)
        got = counted(op.recv(length), wanted)
    return "exit 0 (0 = ok)" if got == length else got


@form("hang", r"after that: default driver still works")
def _default(probe: Probe, match: re.Match[str]) -> object:
    with AlgSocket(probe.machine) as socket:
        socket.bind(probe.kind, probe.algorithm)
        socket.set_key(probe.data.key or b"")
        op = socket.accept()
        start(probe, op, probe.data.text[:16])
        return "exit 0" if op.recv(16) == one_shot(probe, True)[:16] else "WRONG"
