"""The generic implementation, which testmgr's extra tests compare with, whatever it answers.

Its answers are the expectation, errors included (kernel-crypto, sections 2.4 to 2.6).
"""

from __future__ import annotations

import errno
from typing import Any, NamedTuple

from tcrypt.cipher_bench import CipherBench
from tcrypt.engine.api.flags import AlgType, ReqFlag
from tcrypt.engine.api.memory import Buffer
from tcrypt.engine.api.requests import AeadRequest
from tcrypt.engine.api.scatterlist import Scatterlist, Segment
from tcrypt.hash_bench import HashBench
from tcrypt.oracle.names import Name, parse_name
from tcrypt.selftest.judging import FailedError, waited
from tcrypt.subject import Subject

__all__ = (
    "LARGEST",
    "Answer",
    "Generic",
    "GenericHash",
    "generic_name",
    "properties",
    "same_status",
)

# Two pages of 4096 bytes, less the guard.
LARGEST = 2 * 4096 - 16
_ROOM = LARGEST + 256
_SLEEPS = int(ReqFlag.MAY_SLEEP | ReqFlag.MAY_BACKLOG)
_COMPARED = {
    AlgType.SKCIPHER: ("min_keysize", "max_keysize", "ivsize", "cra_blocksize"),
    AlgType.AEAD: ("maxauthsize", "ivsize", "cra_blocksize"),
    AlgType.AHASH: ("digestsize", "cra_blocksize"),
}


# What testmgr's table names itself, because the templates are built over others.
_GCM = "gcm_base(ctr(aes-generic),ghash-generic)"
_CCM = "ccm_base(ctr(aes-generic),cbcmac(aes-generic))"
_NAMED = {
    "gcm(aes)": _GCM,
    "rfc4106(gcm(aes))": f"rfc4106({_GCM})",
    "rfc4543(gcm(aes))": f"rfc4543({_GCM})",
    "ccm(aes)": _CCM,
    "rfc4309(ccm(aes))": f"rfc4309({_CCM})",
    "xts(aes)": "xts(ecb(aes-generic))",
}


def generic_name(algorithm: str) -> str:
    """What testmgr's table names, else the name with `-generic` behind what is no template."""
    if algorithm in _NAMED:
        return _NAMED[algorithm]
    parsed = parse_name(algorithm)
    return "" if parsed is None else str(_generic(parsed))


def _generic(name: Name) -> Name:
    if name.args:
        return Name(name.base, tuple(map(_generic, name.args)))
    return Name(f"{name.base}-generic")


def properties(subject: Subject, generic: Any) -> str:
    """The first property in which a driver's descriptor differs from the generic one's."""
    for field in _COMPARED[subject.type]:
        own, other = getattr(subject.alg, field), getattr(generic, field)
        if own != other:
            return f"{field.removeprefix('cra_')} is {own}, the generic implementation's {other}"
    return ""


class Answer(NamedTuple):
    """What the generic implementation made of an input: its error, or its output."""

    status: int
    out: bytes = b""


class Generic:
    """A generic cipher or AEAD on the bench's machine, with plain buffers of its own.

    Raises:
        OSError: what its allocation gave; ENOENT when there is none.
    """

    def __init__(self, bench: CipherBench, name: str) -> None:
        registry, self.bench = bench.machine.registry, bench
        aead = bench.subject.type is AlgType.AEAD
        self.tfm: Any = registry.alloc_aead(name) if aead else registry.alloc_skcipher(name)
        self.alg = self.tfm.alg
        self._request = self.tfm.request()
        self._src, self._dst, self._iv = (bench.memory.alloc(n) for n in (_ROOM, _ROOM, 64))

    def set_key(self, key: bytes) -> int:
        """0, or the errno of setkey, negative."""
        return _status(self.tfm.setkey, key)

    def set_authsize(self, authsize: int) -> int:
        """0, or the errno of setauthsize, negative."""
        return _status(self.tfm.setauthsize, authsize)

    def encrypt(self, iv: bytes, text: bytes, assoc: bytes = b"", tag: int = 0) -> Answer:
        """What encryption gives, out of place, from and to one buffer each."""
        memory, request = self.bench.memory, self._request
        memory.write(self._src, assoc + text)
        memory.write(self._iv, iv)
        size = len(assoc) + len(text)
        src = Scatterlist(memory, [Segment(self._src, size)])
        dst = Scatterlist(memory, [Segment(self._dst, size + tag)])
        pointer = Buffer(memory, self._iv, len(iv)) if iv else None
        request.set_crypt(src, dst, len(text), pointer)
        if isinstance(request, AeadRequest):
            request.set_ad(len(assoc))
        status = waited(self.bench, request, self.tfm.encrypt, _SLEEPS)
        if status:
            return Answer(status)
        return Answer(0, memory.read(self._dst + len(assoc), len(text) + tag))


class GenericHash:
    """A generic hash on the bench's machine; raises as `Generic`."""

    def __init__(self, bench: HashBench, name: str) -> None:
        self.bench = bench
        self.tfm = bench.machine.registry.alloc_ahash(name)
        self.alg = self.tfm.alg
        self._request = self.tfm.request()
        self._src, self._out = bench.memory.alloc(_ROOM), bench.memory.alloc(64)

    def set_key(self, key: bytes) -> int:
        """0, or the errno of setkey, negative."""
        return _status(self.tfm.setkey, key)

    def digest(self, message: bytes) -> Answer:
        """What digest gives of a message in one buffer."""
        memory = self.bench.memory
        memory.write(self._src, message)
        size = self.alg.digestsize
        src = Scatterlist(memory, [Segment(self._src, len(message))])
        self._request.set_crypt(src, Buffer(memory, self._out, size), len(message))
        status = waited(self.bench, self._request, self.tfm.digest, _SLEEPS)
        return Answer(status, b"" if status else memory.read(self._out, size))


def _status(call: Any, value: Any) -> int:
    try:
        call(value)
    except OSError as error:
        return -(error.errno or errno.EINVAL)
    return 0


def same_status(what: str, call: Any, value: Any, wanted: int) -> bool:
    """Whether a driver accepts what the generic implementation accepts; it must refuse the rest.

    Raises:
        FailedError: the two answer differently.
    """
    status = _status(call, value)
    if status != wanted:
        raise FailedError(f"{what} gave {status}, the generic implementation's {wanted}")
    return not status
