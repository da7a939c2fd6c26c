"""Forms of group `skcipher`: one request in one message."""

from __future__ import annotations

import re

from tcrypt.answers.material import SP800_38A_COUNTER, SP800_38A_KEYS, pattern
from tcrypt.answers.probe import Probe, attempt, counted, form
from tcrypt.engine.af_alg import OperationSocket

__all__ = ("one_shot", "sealed", "start")

_GROUP = "skcipher"
_RIGHT = "== one-shot"


def one_shot(probe: Probe, encrypt: bool, iv: bytes | None = None) -> bytes:
    """What the whole text gives in one request, by the reference."""
    data, reference = probe.data, probe.skcipher
    call = reference.encrypt if encrypt else reference.decrypt
    return call(data.key or b"", data.iv if iv is None else iv, text(probe, encrypt)).out


def text(probe: Probe, encrypt: bool) -> bytes:
    """The input of one direction: the text, or its ciphertext."""
    if encrypt:
        return probe.data.text
    return probe.skcipher.encrypt(probe.data.key or b"", probe.data.iv, probe.data.text).out


def sealed(probe: Probe, length: int) -> bytes:
    """The first bytes of what the whole text encrypts to."""
    return one_shot(probe, True)[:length]


def start(
    probe: Probe, op: OperationSocket, data: bytes, encrypt: bool = True, more: bool = False
) -> int:
    """Send with operation and IV."""
    iv = probe.data.iv or None
    return op.sendmsg(data, op=int(encrypt), iv=iv, more=more)


@form(_GROUP, r"NIST SP800-38A (ECB|CBC|CTR)-AES(\d+)(?: (encrypt|decrypt))?")
def _published(probe: Probe, match: re.Match[str]) -> object:
    key, encrypt = SP800_38A_KEYS[int(match[2])], match[3] != "decrypt"
    iv = {"ECB": b"", "CBC": bytes(range(16)), "CTR": SP800_38A_COUNTER}[match[1]]
    plain = probe.data.text
    cipher = probe.skcipher.encrypt(key, iv, plain).out
    source, wanted = (plain, cipher) if encrypt else (cipher, plain)
    with probe.bound() as socket:
        socket.set_key(key)
        op = socket.accept()
        op.sendmsg(source, op=int(encrypt), iv=iv or None)
        return None if op.recv(len(source)) == wanted else "WRONG"


@form(_GROUP, r"RFC3686 vector 1")
def _rfc3686(probe: Probe, match: re.Match[str]) -> object:
    with probe.operation() as op:
        op.sendmsg(b"Single block msg", op=1, iv=bytes(8))
        return op.recv(16).hex() == "e4095d4fb7a7b3792d6175a3261311b8"


@form(_GROUP, r"(enc|dec) len=(\d+)(?:, recv\(max\(len,16\)\))?")
def _length(probe: Probe, match: re.Match[str]) -> object:
    encrypt, length = match[1] == "enc", int(match[2])
    source = text(probe, encrypt)
    source = (source * -(-max(length, 1) // len(source)))[:length]
    with probe.operation() as op:
        start(probe, op, source, encrypt)
        out = op.recv(max(length, 16), dontwait=True)
    if probe.algorithm.startswith("ctr("):
        call = probe.skcipher.encrypt if encrypt else probe.skcipher.decrypt
        return len(out), out == call(probe.data.key or b"", probe.data.iv, source).out
    return out


@form(_GROUP, r"send (\d+), (blocking|MSG_DONTWAIT) recv\((\d+)\)(?: \[bigger than output\])?")
def _bigger(probe: Probe, match: re.Match[str]) -> object:
    length, dontwait = int(match[1]), match[2] != "blocking"
    with probe.operation() as op:
        start(probe, op, probe.data.text[:length])
        out = op.recv(int(match[3]), dontwait=dontwait)
        return out == sealed(probe, length) if dontwait else out


@form(_GROUP, r"send (\d+)(?: then|,) repeated recv\((\d+)\)(?: \[.*\])?")
@form(_GROUP, r"DEC send (\d+) then repeated recv\((\d+)\)")
def _repeated(probe: Probe, match: re.Match[str]) -> object:
    encrypt, length = not match[0].startswith("DEC"), int(match[1])
    chunks: list[bytes] = []
    with probe.operation() as op:
        start(probe, op, text(probe, encrypt)[:length], encrypt)
        while sum(map(len, chunks)) < length:
            chunks.append(op.recv(int(match[2]), dontwait=True))
    same = b"".join(chunks) == one_shot(probe, encrypt)[:length]
    verdict = _RIGHT if same else "DIFFERS"
    if not encrypt:
        return verdict
    sizes = [len(chunk) for chunk in chunks]
    return f"chunks {sizes} {verdict}" if " then " in match[0] else (sizes, verdict)


@form(_GROUP, r"send (\d+), recv\((\d+)\) twice")
def _twice(probe: Probe, match: re.Match[str]) -> object:
    length, size = int(match[1]), int(match[2])
    with probe.operation() as op:
        start(probe, op, probe.data.text[:length])
        out = op.recv(size, dontwait=True) + op.recv(size, dontwait=True)
    return _RIGHT if out == sealed(probe, length) else "DIFFERS (tweak restarted/other)"


@form(_GROUP, r"send (\d+), recv\((\d+)\), then recv\((\d+)\)")
def _rest(probe: Probe, match: re.Match[str]) -> object:
    length, first, second = map(int, match.groups())
    with probe.operation() as op:
        start(probe, op, probe.data.text[:length])
        right = op.recv(first, dontwait=True) == sealed(probe, first)
        return right, f"then recv({second}):", attempt(lambda: op.recv(second, dontwait=True))


@form(_GROUP, r"send (\d+), recv\(0\)")
def _nothing_first(probe: Probe, match: re.Match[str]) -> object:
    length = int(match[1])
    with probe.operation() as op:
        start(probe, op, probe.data.text[:length])
        return op.recv(0), op.recv(length)


@form(_GROUP, r"empty data \(0 bytes\), recv\((\d+)\)")
def _empty(probe: Probe, match: re.Match[str]) -> object:
    with probe.operation() as op:
        start(probe, op, b"")
        return op.recv(int(match[1]), dontwait=True)


@form(_GROUP, r"recvmsg\((\d+)\) of (\d+): len, ancdata, msg_flags")
def _recvmsg(probe: Probe, match: re.Match[str]) -> object:
    with probe.operation() as op:
        start(probe, op, probe.data.text[: int(match[2])])
        got, flags = op.recvmsg(int(match[1]))
        return counted(got, sealed(probe, len(got))), [], flags


@form("skcipher aead", r"recv before (?:any )?send(?: (MSG_DONTWAIT|DONTWAIT|blocking))?")
def _before(probe: Probe, match: re.Match[str]) -> object:
    dontwait = match[1] is not None and match[1] != "blocking"
    with probe.operation() as op:
        return op.recv(16, dontwait=dontwait)


@form(_GROUP, r"(?:(?:sendmsg ALG_SET_IV )?ivlen=|send with ALG_SET_IV of )(\d+)(?: \(.*\))?")
def _ivlen(probe: Probe, match: re.Match[str]) -> object:
    size, data = int(match[1]), probe.data
    iv = data.iv if size == len(data.iv) else bytes(size)
    single = b"Single block msg" if probe.algorithm.startswith("rfc3686") else data.text[:16]
    with probe.operation() as op:
        op.sendmsg(single, op=1, iv=iv)
        return op.recv(16, dontwait=True)


@form(_GROUP, r"send without iv|no ALG_SET_IV at all")
def _no_iv(probe: Probe, match: re.Match[str]) -> object:
    data = probe.data
    with probe.operation() as op:
        op.sendmsg(data.text[:16], op=1)
        out = op.recv(16, dontwait=True)
    if not data.iv:
        return out
    zero = probe.skcipher.encrypt(data.key or b"", bytes(len(data.iv)), data.text[:16]).out
    return out, "== zero iv" if out == zero else "OTHER iv"


@form(_GROUP, r"no ALG_SET_OP \(only IV\)")
def _no_op(probe: Probe, match: re.Match[str]) -> object:
    with probe.operation() as op:
        op.sendmsg(sealed(probe, 16), iv=probe.data.iv)
        return "decrypts" if op.recv(16) == probe.data.text[:16] else "encrypts"


@form(_GROUP, r"plain send, no control messages")
def _plain(probe: Probe, match: re.Match[str]) -> object:
    with probe.operation() as op:
        op.sendmsg(probe.data.text[:16])
        return op.recv(16)


@form(_GROUP, r"ALG_SET_OP=(0x[0-9a-f]+|\d+)")
def _op(probe: Probe, match: re.Match[str]) -> object:
    with probe.operation() as op:
        op.sendmsg(probe.data.text[:16], op=int(match[1], 0), iv=probe.data.iv or None)
        return op.recv(16)


@form(_GROUP, r"sendmsg (\d+) bytes (?:\(blocking\)|(MSG_DONTWAIT)) return value")
def _much(probe: Probe, match: re.Match[str]) -> object:
    with probe.operation() as op:
        data = bytes(int(match[1]))
        return op.sendmsg(data, op=1, iv=probe.data.iv or None, dontwait=match[2] is not None)


@form(_GROUP, r"send (\d+) DONTWAIT then recv: \(sent, received\)", lambda m: int(m[1]) // 8192)
def _much_and_back(probe: Probe, match: re.Match[str]) -> object:
    length, data = int(match[1]), probe.data
    message = pattern(length)
    with probe.operation() as op:
        sent = op.sendmsg(message, op=1, iv=data.iv or None, dontwait=True)
        wanted = probe.skcipher.encrypt(data.key or b"", data.iv, message[:sent]).out
        return sent, counted(op.recv(length, dontwait=True), wanted)


@form(_GROUP, r"SO_SNDBUF default")
def _sndbuf(probe: Probe, match: re.Match[str]) -> object:
    with probe.operation() as op:
        return op.sndbuf


@form(_GROUP, r"counter ff\.\.ff wraps to 0 \(full 128 bit\)")
def _wrap(probe: Probe, match: re.Match[str]) -> object:
    last = b"\xff" * len(probe.data.iv)
    with probe.operation() as op:
        op.sendmsg(probe.data.text, op=1, iv=last)
        right = op.recv(len(probe.data.text)) == one_shot(probe, True, last)
        return "128-bit big-endian wrap" if right else "OTHER"
