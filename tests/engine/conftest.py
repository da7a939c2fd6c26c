"""A caller of the crypto API: lays requests out in memory, submits them, and tells what came."""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tcrypt.engine.api.flags import ReqFlag
from tcrypt.engine.api.machine import Machine
from tcrypt.engine.api.memory import Buffer
from tcrypt.engine.api.requests import AeadRequest, AnyRequest, SkcipherRequest
from tcrypt.engine.api.scatterlist import Scatterlist, Segment
from tcrypt.engine.api.transforms import Aead, Ahash, Skcipher

_LATER = (-errno.EINPROGRESS, -errno.EBUSY)
_GUARD = 16
_POISON = 0xFE


class Call:
    """A submitted request: what the submission returned, and every callback since."""

    def __init__(self, request: AnyRequest) -> None:
        self.request = request
        self.submitted: Any = None
        self.notes: list[int] = []
        self.dst: Scatterlist | None = None
        self.iv: Buffer | None = None
        self.out_length = 0

    @property
    def status(self) -> Any:
        """How it ended; exactly one of submission and callbacks may say so."""
        if self.submitted not in _LATER:
            assert self.notes == [], "returned a status and called back as well"
            return self.submitted
        finals = [note for note in self.notes if note != -errno.EINPROGRESS]
        assert len(finals) == 1, f"{len(finals)} completions"
        return finals[0]

    @property
    def out(self) -> bytes:
        """The output."""
        assert self.dst is not None
        return self.dst.read(self.out_length)

    @property
    def iv_out(self) -> bytes:
        """The IV afterwards."""
        assert self.iv is not None
        return self.iv.read()


class Caller:
    """One user of a machine's algorithms."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.memory = machine.memory

    def scatter(
        self, data: bytes | int, cuts: Sequence[int] = (), *, offset: int = 0
    ) -> Scatterlist:
        """Memory with `data`, or poison, in pieces of `cuts` bytes and one of the rest.

        Each piece has a block of its own, `offset` bytes from an aligned address.
        """
        content = bytes([_POISON]) * data if isinstance(data, int) else data
        entries = []
        for cut in (*cuts, len(content) - sum(cuts)):
            block = self.memory.alloc(offset + cut + 2 * _GUARD)
            self.memory.write(block, bytes([_POISON]) * (offset + cut + 2 * _GUARD))
            entries.append(Segment(block + _GUARD + offset, cut))
        scatterlist = Scatterlist(self.memory, entries)
        scatterlist.write(content)
        return scatterlist

    def buffer(self, data: bytes, *, offset: int = 0) -> Buffer:
        """A copy of `data` in memory."""
        entry = self.scatter(data, offset=offset).entries[0]
        return Buffer(self.memory, entry.address, entry.length)

    def submit(
        self, request: AnyRequest, call: Callable[[Any], int], *, flags: int = ReqFlag.MAY_BACKLOG
    ) -> Call:
        """Submit without running the machine."""
        made = Call(request)
        request.set_callback(flags, lambda data, status: made.notes.append(status), None)
        made.submitted = call(request)
        return made

    def settle(self) -> None:
        """Run the machine until nothing is left to do."""
        assert self.machine.sim.run(max_steps=200_000)

    def start(
        self,
        tfm: Skcipher | Aead,
        data: bytes,
        iv: bytes = b"",
        *,
        decrypt: bool = False,
        assoc: bytes = b"",
        src: Scatterlist | None = None,
        dst: Scatterlist | None = None,
        flags: int = ReqFlag.MAY_BACKLOG,
    ) -> Call:
        """Submit one skcipher or AEAD request; out of place unless `dst` is `src`."""
        length = len(assoc) + len(data)
        if isinstance(tfm, Aead):
            length += -min(tfm.authsize, len(data)) if decrypt else tfm.authsize
        request: SkcipherRequest | AeadRequest = tfm.request()
        src = src or self.scatter(assoc + data)
        dst = dst or self.scatter(length)
        buffer = self.buffer(iv) if iv else None
        request.set_crypt(src, dst, len(data), buffer)
        if isinstance(request, AeadRequest):
            request.set_ad(len(assoc))
        made = self.submit(request, tfm.decrypt if decrypt else tfm.encrypt, flags=flags)
        made.dst, made.iv, made.out_length = dst, buffer, length
        return made

    def crypt(self, tfm: Skcipher | Aead, data: bytes, iv: bytes = b"", **options: Any) -> Call:
        """Run one request to its end; options as for `start`."""
        made = self.start(tfm, data, iv, **options)
        self.settle()
        return made

    def hash(self, tfm: Ahash) -> Hashing:
        """Begin a message, in a request of its own; nothing is submitted yet."""
        return Hashing(self, tfm)


class Hashing:
    """One message in work; every step runs to its end and gives its status."""

    def __init__(self, caller: Caller, tfm: Ahash) -> None:
        self.caller = caller
        self.tfm = tfm
        self.request = tfm.request()
        self.result = caller.buffer(bytes(tfm.alg.digestsize))

    def step(
        self,
        name: str,
        data: bytes | None = None,
        src: Scatterlist | None = None,
        nbytes: int | None = None,
    ) -> Any:
        """Run `init`, `update`, `final`, `finup` or `digest`."""
        if src is None and data is not None:
            src = self.caller.scatter(data)
        length = len(data or b"") if nbytes is None else nbytes
        self.request.set_crypt(src, self.result, length)
        made = self.caller.submit(self.request, getattr(self.tfm, name))
        self.caller.settle()
        return made.status

    def hexdigest(self) -> str:
        """What the result buffer holds."""
        return self.result.read().hex()

    def export(self) -> bytes:
        """The exported state."""
        room = self.caller.buffer(bytes(self.tfm.alg.statesize))
        assert self.tfm.export(self.request, room) == 0
        return room.read()

    def import_state(self, state: bytes) -> int:
        """Go on from a state."""
        return self.tfm.import_state(self.request, self.caller.buffer(state))


@pytest.fixture
def make_caller() -> Callable[[Machine], Caller]:
    """A maker of callers."""
    return Caller
