"""What the AEAD templates have in common: names, lists, and MACs over pieces of memory.

A child request works on the caller's memory through lists of its own: a template never moves
data, it puts other entries in front or leaves some out (`struct scatterlist` chains).
"""

from __future__ import annotations

import errno
from collections.abc import Generator, Sequence
from typing import TypeAlias

from tcrypt.engine.api.algorithms import AhashAlg, ShashAlg
from tcrypt.engine.api.errors import check_status
from tcrypt.engine.api.machine import Machine
from tcrypt.engine.api.memory import Buffer
from tcrypt.engine.api.requests import AeadRequest
from tcrypt.engine.api.scatterlist import Scatterlist, Segment
from tcrypt.engine.api.shash import Shash, ShashDesc
from tcrypt.engine.api.transforms import Ahash
from tcrypt.engine.templates.steps import Scratch, Step

__all__ = (
    "Mac",
    "Piece",
    "behind",
    "chain",
    "check_lists",
    "mac_over",
    "status_of",
)

Piece: TypeAlias = "bytes | tuple[Scatterlist, int, int]"
"""Bytes, or (list, length, skip) for bytes of a list."""


def status_of(error: OSError) -> int:
    """The status that an exception of an API call stands for."""
    return -(error.errno or errno.EINVAL)


def behind(scatterlist: Scatterlist, skip: int) -> Scatterlist:
    """The list without its first `skip` bytes; it must hold as many."""
    if not skip:
        return scatterlist
    entries = scatterlist.entries
    for place, (address, size) in enumerate(entries):
        if skip < size:
            head = Segment(address + skip, size - skip)
            return Scatterlist(scatterlist.memory, [head, *entries[place + 1 :]])
        skip -= size
    return Scatterlist(scatterlist.memory, [])


def chain(front: Segment, rest: Scatterlist) -> Scatterlist:
    """One entry, then the entries of a list."""
    return Scatterlist(rest.memory, [front, *rest.entries])


def check_lists(request: AeadRequest, authsize: int, *, encrypt: bool) -> int:
    """-EINVAL when a list is shorter than the request says; 0 otherwise."""
    given = request.assoclen + request.cryptlen
    result = given + authsize if encrypt else given - authsize
    if request.src.nents_for_len(given) < 0 or request.dst.nents_for_len(result) < 0:
        return -errno.EINVAL
    return 0


class Mac:
    """A keyed hash over pieces of memory.

    `digest` is a part of a work (see `steps`); its value is the whole digest.
    """

    tfm: Ahash | Shash
    reqsize = 0

    def digest(self, pieces: Sequence[Piece]) -> Generator[Step, None, bytes]:
        """Hash the pieces, in order, as one message."""
        raise NotImplementedError


class _ShashMac(Mac):
    """Over a synchronous hash, which takes bytes and needs no lists."""

    def __init__(self, machine: Machine, alg: ShashAlg) -> None:
        self.tfm = self._tfm = machine.registry.spawn_shash(alg)
        self._size = alg.digestsize

    def digest(self, pieces: Sequence[Piece]) -> Generator[Step, None, bytes]:
        data = b"".join(p if isinstance(p, bytes) else p[0].read(p[1], p[2]) for p in pieces)
        out, tfm = bytearray(self._size), self._tfm
        check_status(tfm.digest(ShashDesc(tfm), data, out), f"{tfm.alg.cra_driver_name}: digest")
        yield from ()
        return bytes(out)


class _AhashMac(Mac):
    """Over an asynchronous hash: one request on a list of all pieces."""

    def __init__(self, machine: Machine, alg: AhashAlg) -> None:
        self.tfm = self._tfm = machine.registry.spawn_ahash(alg)
        self._memory = machine.memory
        self._size = alg.digestsize
        self.reqsize = self._tfm.reqsize

    def digest(self, pieces: Sequence[Piece]) -> Generator[Step, None, bytes]:
        own = b"".join(piece for piece in pieces if isinstance(piece, bytes))
        with Scratch(self._memory, self._size + len(own)) as room:
            self._memory.write(room + self._size, own)
            entries = _entries(pieces, room + self._size)
            request = self._tfm.request()
            result = Buffer(self._memory, room, self._size)
            request.set_crypt(
                Scatterlist(self._memory, entries), result, sum(entry[1] for entry in entries)
            )
            yield self._tfm.digest, request
            return result.read()


def _entries(pieces: Sequence[Piece], own: int) -> list[Segment]:
    """Entries for all pieces; what is bytes lies at `own`, one after the other."""
    found: list[Segment] = []
    for piece in pieces:
        if not isinstance(piece, bytes):
            found.extend(piece[0].walk(piece[1], piece[2]))
        elif piece:
            found.append(Segment(own, len(piece)))
            own += len(piece)
    return found


def mac_over(machine: Machine, alg: AhashAlg | ShashAlg) -> Mac:
    """A new transform of a hash; OSError when it cannot be had."""
    return _ShashMac(machine, alg) if isinstance(alg, ShashAlg) else _AhashMac(machine, alg)
