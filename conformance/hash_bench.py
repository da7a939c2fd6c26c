"""Runs one hash case: a message in a layout, step by step, and everything that must hold.

This is the one place where a verdict about a hash request is made.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from tcrypt import facts
from tcrypt.arena import GUARD, POISON, Chunk, pieces_of, plan_message
from tcrypt.bench import Bench, Ticket, flags_of
from tcrypt.engine.api.errors import errno_name
from tcrypt.engine.api.flags import ReqFlag
from tcrypt.engine.api.memory import Buffer
from tcrypt.engine.api.requests import AhashRequest
from tcrypt.engine.api.scatterlist import Scatterlist, Segment
from tcrypt.engine.api.transforms import Ahash
from tcrypt.layouts import Final, Flush, HashLayout, divide
from tcrypt.problems import Problem, hex_excerpt

__all__ = ("HashBench", "HashCase", "Steps")

_GUARD = bytes([POISON]) * GUARD
_MAY_BACKLOG = int(ReqFlag.MAY_BACKLOG)


class HashCase(NamedTuple):
    """A message and its digest.

    Attributes:
        key: as setkey takes it; None for an unkeyed hash, or to keep the transform's key.
        message: any length.
        digest: the expected digest, or its first bytes.
    """

    key: bytes | None
    message: bytes
    digest: bytes


class HashBench(Bench):
    """A transform of an ahash driver."""

    tfm: Ahash

    def opened(self) -> None:
        """Allocate the transform, and guarded room for results and exported states."""
        self.tfm = self.machine.registry.alloc_ahash(self.subject.driver)
        alg = self.tfm.alg
        self.digestsize, self.statesize = alg.digestsize, alg.statesize
        self.result = self.guarded_buffer(self.digestsize)
        self.state = self.guarded_buffer(self.statesize)

    def guarded_buffer(self, length: int) -> Buffer:
        """A new buffer of `length` bytes with room for guards on both sides."""
        address = self.memory.alloc(length + 2 * GUARD)
        return Buffer(self.memory, address + GUARD, length)

    def check(self, case: HashCase, layout: HashLayout) -> list[Problem]:
        """Run one case in one layout; what is wrong with it."""
        self.refresh()
        return self.guarded("hash", lambda: self._check(case, layout))

    def _check(self, case: HashCase, layout: HashLayout) -> list[Problem]:
        if case.key is not None:
            try:
                self.tfm.setkey(case.key)
            except OSError as error:
                got = errno_name(-(error.errno or 0))
                return [Problem("key refused", facts.SETKEY, "0", got, details=(str(error),))]
        size, chunks = plan_message(layout, len(case.message))
        base = self.arena(size)
        image = bytearray([POISON]) * size
        for chunk in chunks:
            part = case.message[chunk.start : chunk.start + chunk.length]
            image[chunk.offset : chunk.offset + len(part)] = part
        self.memory.write(base, image)
        mappings, before = self.machine.dma.live_mappings, self.jobs()
        steps = Steps(self, flags_of(layout))
        self._play(steps, layout, base, chunks, len(case.message))
        self._sample(case, layout, pieces_of(chunks), self.jobs() - before)
        found = steps.found or self.judge(case.digest, self.result)
        if not found and self.memory.read(base, size) != image:
            found.append(Problem("the message or memory around it changed", facts.SOURCE))
        found.extend(self.machine_problems(mappings))
        return found

    def _sample(self, case: HashCase, layout: HashLayout, pieces: int, jobs: int) -> None:
        message = len(case.message)
        self.cover.message(layout, message, pieces, case.key, jobs, self.last, self.machine)

    def _play(
        self,
        steps: Steps,
        layout: HashLayout,
        base: int,
        chunks: tuple[Chunk, ...],
        total: int,
    ) -> None:
        """Hash the chunks as the layout says (testmgr, section 1.7)."""
        segments = [Segment(base + c.offset, c.length) for c in chunks]
        if layout.final is Final.DIGEST:
            steps.digest(segments, total)
            return
        steps.init()
        pending: list[Segment] = []
        divisions = divide(total, layout.src)
        for (division, _), segment in zip(divisions, segments, strict=True):
            if division.flush is not Flush.NONE and pending:
                steps.update(pending)
                pending = []
            if division.flush is Flush.REIMPORT:
                steps.reimport()
            pending.append(segment)
        if layout.final is Final.FINUP:
            steps.finup(pending)
        else:
            steps.update(pending)
            steps.final()

    def judge(self, digest: bytes, result: Buffer) -> list[Problem]:
        """Compare a result buffer with the expected digest, and the guards around it."""
        room = self.memory.read(result.address - GUARD, result.length + 2 * GUARD)
        got = room[GUARD : GUARD + result.length]
        if got[: len(digest)] != digest:
            return [Problem("wrong digest", facts.OUTPUT, hex_excerpt(digest), hex_excerpt(got))]
        return _guard_problems(room, result.length, "result", facts.GUARD)

    def poison(self, buffer: Buffer) -> None:
        """Fill a guarded buffer and its guards."""
        poison = bytes([POISON]) * (buffer.length + 2 * GUARD)
        self.memory.write(buffer.address - GUARD, poison)

    def is_poisoned(self, buffer: Buffer) -> bool:
        """Whether nobody has written to a buffer since it was poisoned."""
        return set(buffer.read()) == {POISON}

    def status_problems(self, name: str, ticket: Ticket) -> list[Problem]:
        """Whether a step ended with 0."""
        if ticket.status == 0:
            return []
        got = errno_name(ticket.status)
        return [Problem(f"wrong status of {name}", facts.STATUS, "0", got)]


def _guard_problems(room: bytes, length: int, name: str, fact: str) -> list[Problem]:
    before, behind = room[:GUARD], room[GUARD + length :]
    for side, guard in (("before", before), ("behind", behind)):
        if guard != _GUARD:
            return [
                Problem(
                    f"memory {side} the {name} buffer overwritten",
                    fact,
                    _GUARD.hex(),
                    guard.hex(),
                    details=(f"a buffer of {length} bytes",),
                )
            ]
    return []


class Steps:
    """The steps of one message, each checked; after the first problem the rest is not played."""

    def __init__(
        self, bench: HashBench, flags: int = _MAY_BACKLOG, result: Buffer | None = None
    ) -> None:
        self.bench = bench
        self.flags = flags
        self.result = result or bench.result
        self.found: list[Problem] = []
        self.request = bench.tfm.request()
        bench.uninitialised(self.request)
        bench.poison(self.result)

    def _do(
        self,
        name: str,
        call: Callable[[AhashRequest], int],
        segments: list[Segment] | None,
        *,
        last: bool,
        nbytes: int | None = None,
    ) -> None:
        if self.found:
            return
        bench, request = self.bench, self.request
        src = None if segments is None else Scatterlist(bench.memory, list(segments))
        if nbytes is None:
            nbytes = 0 if segments is None else sum(s.length for s in segments)
        request.set_crypt(src, self.result, nbytes)
        # A step that is done may be followed by the next at once, before anything else runs.
        ticket = bench.perform(request, call, self.flags, settle=last)
        found = ticket.problems()
        if not found:
            found = bench.status_problems(name, ticket)
        if not found:
            found = self._unchanged(ticket, src, segments, nbytes)
        if not found and not last:
            found = self._result_kept(name)
        self.found = found

    def _unchanged(
        self,
        ticket: Ticket,
        src: Scatterlist | None,
        segments: list[Segment] | None,
        nbytes: int,
    ) -> list[Problem]:
        request = self.request
        changed = list(ticket.changes())
        if request.src is not src or request.result is not self.result:
            changed.append("src or result pointer")
        if request.nbytes != nbytes:
            changed.append(f"nbytes ({nbytes} is now {request.nbytes})")
        if src is not None and list(src.entries) != segments:
            changed.append("scatterlist entries")
        if not changed:
            return []
        return [Problem("request changed by the driver", facts.REQUEST, details=tuple(changed))]

    def _result_kept(self, name: str) -> list[Problem]:
        if self.bench.is_poisoned(self.result):
            return []
        got = self.result.read().hex()
        return [Problem(f"{name} wrote to the result buffer", facts.RESULT_KEPT, got=got)]

    def init(self) -> None:
        """Start the message."""
        self._do("init", self.bench.tfm.init, None, last=False)

    def update(self, segments: list[Segment]) -> None:
        """Add data."""
        self._do("update", self.bench.tfm.update, segments, last=False)

    def final(self) -> None:
        """End the message."""
        self._do("final", self.bench.tfm.final, None, last=True)

    def finup(self, segments: list[Segment]) -> None:
        """Add data and end the message."""
        self._do("finup", self.bench.tfm.finup, segments, last=True)

    def digest(self, segments: list[Segment], nbytes: int | None = None) -> None:
        """Hash everything, or the first `nbytes` of it, in one step."""
        self._do("digest", self.bench.tfm.digest, segments, last=True, nbytes=nbytes)

    def export(self) -> bytes:
        """Export the state of the message; its bytes."""
        if self.found:
            return b""
        bench = self.bench
        bench.poison(bench.state)
        status: Any = bench.tfm.export(self.request, bench.state)
        if status != 0:
            got = errno_name(status)
            self.found = [Problem("wrong status of export", facts.STATUS, "0", got)]
            return b""
        room = bench.memory.read(bench.state.address - GUARD, bench.statesize + 2 * GUARD)
        self.found = _guard_problems(room, bench.statesize, "state", facts.STATE_SIZE)
        return room[GUARD : GUARD + bench.statesize]

    def import_state(self, state: bytes) -> None:
        """Go on from a state, in a request that has never seen the message."""
        if self.found:
            return
        bench = self.bench
        bench.uninitialised(self.request)
        self.request = bench.tfm.request()
        bench.uninitialised(self.request)
        bench.state.write(state)
        status: Any = bench.tfm.import_state(self.request, bench.state)
        # The exported bytes belong to the caller, who may overwrite them at once.
        bench.poison(bench.state)
        if status != 0:
            got = errno_name(status)
            self.found = [Problem("wrong status of import", facts.STATUS, "0", got)]

    def reimport(self) -> None:
        """Export, forget everything, import into another request."""
        state = self.export()
        self.import_state(state)
