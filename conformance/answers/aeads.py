"""Forms of group `aead`: what is sealed, and what is opened."""

from __future__ import annotations

import re

from tcrypt.answers.probe import NotHere, Probe, attempt, counted, form
from tcrypt.engine.af_alg import OperationSocket

__all__ = ("aad_of", "forged", "open_", "seal")

_GROUP = "aead"
_POISON = 0xEE
_SHOWN = 30


def aad_of(probe: Probe, length: int) -> bytes:
    """Associated data of a length."""
    assoc = probe.data.assoc
    return (assoc * -(-length // len(assoc)))[:length] if length else b""


def sealed(probe: Probe, assoc: bytes, ptext: bytes, iv: bytes | None = None) -> bytes:
    """What a receive must give: associated data, ciphertext, the longest tag."""
    data, reference = probe.data, probe.aead
    iv = data.iv if iv is None else iv
    size = reference.maxauthsize
    return assoc + reference.encrypt(data.key or b"", iv, assoc, ptext, size)


def seal(
    probe: Probe, op: OperationSocket, assoc: bytes, ptext: bytes, iv: bytes | None = None
) -> bytes:
    """Encrypt through a socket; everything received, without waiting for more."""
    iv = probe.data.iv if iv is None else iv
    op.sendmsg(assoc + ptext, op=1, iv=iv, assoclen=len(assoc))
    return op.recv(len(assoc) + len(ptext) + 64, dontwait=True)


def open_(
    probe: Probe, op: OperationSocket, whole: bytes, assoclen: int, iv: bytes | None = None
) -> bytes:
    """Decrypt through a socket."""
    iv = probe.data.iv if iv is None else iv
    op.sendmsg(whole, op=0, iv=iv, assoclen=assoclen)
    return op.recv(len(whole), dontwait=True)


def forged(whole: bytes, place: int) -> bytes:
    """The same with one bit turned."""
    changed = bytearray(whole)
    changed[place] ^= 1
    return bytes(changed)


@form(_GROUP, r"GCM spec test case 4 encrypt: recv = aad\|ct\|tag")
@form(_GROUP, r"encrypt (\d+): = aad \| cbc \| hmac-\w+\(aad\|ct\)")
def _encrypt(probe: Probe, match: re.Match[str]) -> object:
    data = probe.data
    length = int(match[1]) if match.re.groups else len(data.text)
    ptext = data.text[:length]
    wanted = sealed(probe, data.assoc, ptext)
    with probe.operation() as op:
        out = seal(probe, op, data.assoc, ptext)
    split = len(data.assoc) + length
    return len(out), out[:split] == wanted[:split], out[split:] == wanted[split:]


@form(_GROUP, r"decrypt ok(: recv = aad\|pt)?")
def _decrypt(probe: Probe, match: re.Match[str]) -> object:
    data = probe.data
    with probe.operation() as op:
        out = open_(probe, op, sealed(probe, data.assoc, data.text), len(data.assoc))
    right, head = out == data.assoc + data.text, len(data.assoc)
    if match[1] is None:
        return right
    return len(out), out[:head] == data.assoc, out[head:] == data.text


@form(_GROUP, r"decrypt (bad tag|bad aad|flipped ct bit|bad iv)( \(not authenticated!\))?")
def _forgery(probe: Probe, match: re.Match[str]) -> object:
    data, head = probe.data, len(probe.data.assoc)
    whole = sealed(probe, data.assoc, data.text)
    iv = forged(data.iv, 0) if match[1] == "bad iv" else data.iv
    place = {"bad tag": len(whole) - 1, "bad aad": 0, "flipped ct bit": head}.get(match[1])
    with probe.operation() as op:
        out = open_(probe, op, whole if place is None else forged(whole, place), head, iv)
    return len(out), out[head + 16 :] == data.text[16:], out[head:] == data.text


@form(_GROUP, r"bad tag: is the receive buffer written\?")
def _released(probe: Probe, match: re.Match[str]) -> object:
    data, head = probe.data, len(probe.data.assoc)
    whole = sealed(probe, data.assoc, data.text)
    buffer = bytearray([_POISON]) * (head + len(data.text))
    untouched = bytes(buffer)
    with probe.operation() as op:
        op.sendmsg(forged(whole, len(whole) - 1), op=0, iv=data.iv, assoclen=head)
        status = attempt(lambda: op.recv_into(buffer, dontwait=True))
    if data.text[:16] in buffer:
        return status, "plaintext RELEASED"
    if buffer == untouched:
        return status, "buffer untouched"
    return status, f"buffer changed: {bytes(buffer[:_SHOWN]).hex()}"


@form(_GROUP, r"same op socket usable after EBADMSG")
def _usable(probe: Probe, match: re.Match[str]) -> object:
    data, head = probe.data, len(probe.data.assoc)
    whole = sealed(probe, data.assoc, data.text)
    with probe.operation() as op:
        refused = attempt(lambda: open_(probe, op, forged(whole, len(whole) - 1), head))
        return refused, open_(probe, op, whole, head) == data.assoc + data.text


@form(_GROUP, r"empty pt, empty aad, encrypt|(empty) pt, (\d+) aad, encrypt|empty aad, (\d+) pt")
def _small(probe: Probe, match: re.Match[str]) -> object:
    aad, ptext = int(match[2] or 0), int(match[3] or 0)
    with probe.operation() as op:
        return seal(probe, op, aad_of(probe, aad), _block_text(ptext))


def _block_text(length: int) -> bytes:
    """The text that the measuring program took where it needed whole blocks."""
    return bytes.fromhex("6bc1bee22e409f96e93d7e117393172a")[:length]


@form(
    _GROUP, r"decrypt of tag only(?: \(empty ct, no aad\): recv size 0 requested|, recv\((\d+)\))"
)
def _tag_only(probe: Probe, match: re.Match[str]) -> object:
    with probe.operation() as op:
        op.sendmsg(sealed(probe, b"", b""), op=0, iv=probe.data.iv, assoclen=0)
        return op.recv(int(match[1] or 0), dontwait=True)


@form(_GROUP, r"decrypt (?:input )?shorter than (?:tag|authsize)(?: \((\d+)\))?")
def _shorter(probe: Probe, match: re.Match[str]) -> object:
    length = int(match[1]) if match[1] else probe.aead.maxauthsize - 1
    with probe.operation() as op:
        op.sendmsg(bytes(length), op=0, iv=probe.data.iv, assoclen=0)
        return op.recv(64, dontwait=True)


@form(_GROUP, r"decrypt input = aad only \+ (\d+) \(assoclen (\d+)\)")
def _aad_only(probe: Probe, match: re.Match[str]) -> object:
    extra, assoclen = int(match[1]), int(match[2])
    with probe.operation() as op:
        op.sendmsg(bytes(assoclen + extra), op=0, iv=probe.data.iv, assoclen=assoclen)
        return op.recv(64, dontwait=True)


@form(_GROUP, r"(encrypt|decrypt) recv buffer (one byte short|larger)")
def _buffer(probe: Probe, match: re.Match[str]) -> object:
    data, encrypt = probe.data, match[1] == "encrypt"
    whole = sealed(probe, data.assoc, data.text)
    source = data.assoc + data.text if encrypt else whole
    length = len(whole) if encrypt else len(data.assoc + data.text)
    with probe.operation() as op:
        sent = op.sendmsg(source, op=int(encrypt), iv=data.iv, assoclen=len(data.assoc))
        if match[2] == "larger":
            wanted = whole if encrypt else data.assoc + data.text
            return counted(op.recv(length + 64, dontwait=True), wanted)
        return sent, op.recv(length - 1, dontwait=True)


@form(_GROUP, r"assoclen > data \(assoc (\d+), data (\d+)\)")
def _too_long_aad(probe: Probe, match: re.Match[str]) -> object:
    with probe.operation() as op:
        op.sendmsg(bytes(int(match[2])), op=1, iv=probe.data.iv, assoclen=int(match[1]))
        return op.recv(256, dontwait=True)


@form(_GROUP, r"no assoclen cmsg \(treated as 0\)|no authsize set: encrypt (\d+) bytes")
def _defaults(probe: Probe, match: re.Match[str]) -> object:
    with probe.operation() as op:
        op.sendmsg(_block_text(int(match[1] or 16)), op=1, iv=probe.data.iv)
        return op.recv(64, dontwait=True)


@form(_GROUP, r"no authsize set -> encrypt")
def _default_tag(probe: Probe, match: re.Match[str]) -> object:
    ptext = probe.data.text[:16]
    with probe.operation() as op:
        return (counted(seal(probe, op, b"", ptext), sealed(probe, b"", ptext)),)


@form(_GROUP, r"ivlen=(\d+)")
def _ivlen(probe: Probe, match: re.Match[str]) -> object:
    size, data = int(match[1]), probe.data
    iv = data.iv if size == len(data.iv) else bytes(size)
    with probe.operation() as op:
        op.sendmsg(data.assoc + data.text, op=1, iv=iv, assoclen=len(data.assoc))
        out = op.recv(256, dontwait=True)
    return counted(out, sealed(probe, data.assoc, data.text, iv))


@form(_GROUP, r"authsize=(\d+)(?: roundtrip; truncated tag prefix ok|: roundtrip, tag is prefix)")
def _authsize(probe: Probe, match: re.Match[str]) -> object:
    size, data = int(match[1]), probe.data
    end = len(data.assoc) + len(data.text) + size
    with probe.operation(size) as op:
        out = seal(probe, op, data.assoc, data.text)
        back = open_(probe, op, out, len(data.assoc))
    whole = sealed(probe, data.assoc, data.text)
    return len(out), back == data.assoc + data.text, out == whole[:end]


@form(_GROUP, r"no iv")
def _no_iv(probe: Probe, match: re.Match[str]) -> object:
    data, zero = probe.data, bytes(len(probe.data.iv))
    with probe.operation() as op:
        op.sendmsg(data.assoc + data.text, op=1, assoclen=len(data.assoc))
        return op.recv(256, dontwait=True) == sealed(probe, data.assoc, data.text, zero)


@form(_GROUP, r"no aad|aad len=(\d+)")
def _aad(probe: Probe, match: re.Match[str]) -> object:
    assoc, ptext = aad_of(probe, int(match[1] or 0)), probe.data.text
    wanted = sealed(probe, assoc, ptext)
    with probe.operation() as op:
        right = seal(probe, op, assoc, ptext) == wanted
        return right and open_(probe, op, wanted, len(assoc)) == assoc + ptext


@form(_GROUP, r"encrypt pt len=(\d+)")
def _text_length(probe: Probe, match: re.Match[str]) -> object:
    assoc, ptext = probe.data.assoc, probe.data.text[: int(match[1])]
    with probe.operation() as op:
        out = seal(probe, op, assoc, ptext)
    return len(out), out if not ptext else out == sealed(probe, assoc, ptext)


@form(_GROUP, r"decrypt ct len=(\d+) with (correct mac|WRONG mac \(which error first\?\))")
def _which_error(probe: Probe, match: re.Match[str]) -> object:
    """The MAC of a ciphertext that may be of no valid length."""
    length, assoc = int(match[1]), probe.data.assoc
    cipher = sealed(probe, b"", probe.data.text)[:length]
    tag = _mac(probe, assoc + cipher)
    if match[2] != "correct mac":
        tag = forged(tag, 0)
    with probe.operation() as op:
        return open_(probe, op, assoc + cipher + tag, len(assoc))


def _mac(probe: Probe, message: bytes) -> bytes:
    """The MAC as the reference makes it: that of an empty text over the same bytes."""
    data, reference = probe.data, probe.aead
    return reference.encrypt(data.key or b"", data.iv, message, b"", reference.maxauthsize)


@form(_GROUP, r"assoclen=(\d+) \(must be .*\)")
def _assoclen(probe: Probe, match: re.Match[str]) -> object:
    assoc, ptext = aad_of(probe, int(match[1])), probe.data.text[:16]
    with probe.operation() as op:
        out = seal(probe, op, assoc, ptext)
    return counted(out, sealed(probe, assoc, ptext))


@form(_GROUP, r"iv\[0\]=(\d+) \(L-1\)")
def _length_field(probe: Probe, match: re.Match[str]) -> object:
    iv, ptext = bytes([int(match[1])]) + probe.data.iv[1:], probe.data.text[:8]
    with probe.operation() as op:
        out = seal(probe, op, b"", ptext, iv)
    return counted(out, sealed(probe, b"", ptext, iv))


@form(_GROUP, r"encrypt (\d+) aad \+ (\d+) iv \+ (\d+) pt")
def _own_iv(probe: Probe, match: re.Match[str]) -> object:
    """An algorithm that makes its IV has room for it behind the associated data."""
    aad, iv, ptext = map(int, match.groups())
    with probe.operation() as op:
        assoc = aad_of(probe, aad) + bytes(iv)
        return len(seal(probe, op, assoc, probe.data.text[:ptext]))


@form(_GROUP, r"(\d+) aad \+ (\d+) iv \+ (\d+) pt; generated iv")
def _generated_iv(probe: Probe, match: re.Match[str]) -> object:
    raise NotHere("a generated IV comes from a salt that is random")
