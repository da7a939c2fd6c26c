"""Runs one skcipher or AEAD case: key, placement, request, and everything that must hold after it.

This is the one place where a verdict about a cipher request is made.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any, NamedTuple

from tcrypt import facts
from tcrypt.arena import GUARD, NEIGHBOUR, CipherPlan, load, plan_cipher, store
from tcrypt.bench import _MAY_SLEEP, Bench, Ticket
from tcrypt.engine.api.errors import errno_name
from tcrypt.engine.api.flags import AlgType
from tcrypt.engine.api.memory import Buffer, Memory
from tcrypt.engine.api.requests import AeadRequest, SkcipherRequest
from tcrypt.engine.api.scatterlist import Scatterlist, Segment
from tcrypt.engine.api.transforms import Aead, Skcipher
from tcrypt.layouts import CipherLayout, InPlace
from tcrypt.problems import Problem, hex_excerpt

__all__ = ("CipherBench", "CipherCase", "Prepared")


class CipherCase(NamedTuple):
    """One request and what a correct driver makes of it.

    Attributes:
        encrypt: the direction.
        key: as setkey takes it; None to keep the transform's key.
        iv: `ivsize` bytes.
        data: what the source holds behind the AAD: text, and on decryption the tag.
        out: what the destination must hold behind the AAD; for an expected failure, its length
            says how much room there is.
        iv_out: what the IV must be afterwards; None where nothing is promised.
        status: the expected status; with `statuses`, one of several.
        assoc: the AAD.
        authsize: the tag length; None for a skcipher.
        secret: bytes that must not appear in the destination when the operation fails.
        derive: for an algorithm that chooses its IV itself: what the output must be, given the
            actual one, which tells the IV; `out` is then only as long.
        header: lengths of the pieces that the destination begins with, each of which is copied
            from the source or left alone; empty for one piece, the AAD.
    """

    encrypt: bool
    key: bytes | None
    iv: bytes
    data: bytes
    out: bytes
    iv_out: bytes | None = None
    status: int = 0
    assoc: bytes = b""
    authsize: int | None = None
    secret: bytes = b""
    derive: Callable[[bytes], bytes] | None = None
    header: tuple[int, ...] = ()


_FOREIGN_IV = 16
_NEIGHBOUR_BYTE = bytes([NEIGHBOUR])

_Lists = tuple[CipherPlan, tuple[Segment, ...], tuple[Segment, ...]]


class Prepared:
    """A case laid out in memory, its request filled in; what happened to it is judged later."""

    __slots__ = ("base", "case", "dst", "image", "iv", "layout", "lists", "plan", "request", "src")

    def __init__(
        self,
        case: CipherCase,
        layout: CipherLayout,
        plan: CipherPlan,
        image: bytearray,
        base: int,
        lists: _Lists,
        request: SkcipherRequest | AeadRequest,
    ) -> None:
        self.case = case
        self.layout = layout
        self.plan = plan
        self.image = image
        self.base = base
        self.lists = lists
        self.request = request
        self.src = request.src
        self.dst = request.dst
        self.iv = request.iv

    def change_neighbours(self, memory: Memory) -> None:
        """Write to everything that stands around the buffers, as their owners may at any time."""
        plan, used = self.plan, bytearray(self.plan.size)
        for chunk in (*plan.src, *plan.dst):
            used[chunk.offset : chunk.offset + chunk.length] = b"\1" * chunk.length
        ivroom = self.iv.length if self.iv is not None else 0
        used[plan.iv : plan.iv + ivroom] = b"\1" * ivroom
        for place, taken in enumerate(used):
            if not taken:
                self.image[place] = NEIGHBOUR
                memory.write(self.base + place, _NEIGHBOUR_BYTE)

    def drop_last_entry(self, which: str) -> None:
        """Shorten `src` or `dst` of the request, and what is known of it, by an entry."""
        plan, src, dst = self.lists
        if which == "src":
            src = src[:-1]
            self.request.src = self.src = Scatterlist(self.src.memory, list(src))
        else:
            dst = dst[:-1]
            self.request.dst = self.dst = Scatterlist(self.dst.memory, list(dst))
        self.lists = (plan, src, dst)


class CipherBench(Bench):
    """A transform of an skcipher or AEAD driver, with a request that is used again and again."""

    tfm: Skcipher | Aead
    request: SkcipherRequest | AeadRequest

    def opened(self) -> None:
        """Allocate the transform and its request."""
        self.tfm = self.new_tfm()
        self.request = self.tfm.request()
        self.ivsize = self.tfm.alg.ivsize
        # A mode without IV may be called with a pointer to something else's live data (LRW).
        self.ivroom = self.ivsize or _FOREIGN_IV
        self.moved()

    def new_tfm(self) -> Skcipher | Aead:
        """Another transform of the driver on the same machine."""
        registry = self.machine.registry
        if self.subject.type is AlgType.AEAD:
            return registry.alloc_aead(self.subject.driver)
        return registry.alloc_skcipher(self.subject.driver)

    def moved(self) -> None:
        """Drop the scatterlist entries made for the old arena."""
        self._lists: dict[int, _Lists] = {}

    def check(self, case: CipherCase, layout: CipherLayout) -> list[Problem]:
        """Run one case in one layout; what is wrong with it."""
        self.refresh()
        return self.guarded(
            "encrypt" if case.encrypt else "decrypt", lambda: self._check(case, layout)
        )

    def _check(self, case: CipherCase, layout: CipherLayout) -> list[Problem]:
        found = self.keyed(self.tfm, case)
        if found:
            return found
        mappings = self.machine.dma.live_mappings
        prepared = self.prepare(case, layout)
        ticket = self.perform(prepared.request, self._call(prepared), _flags(layout))
        found = self.judge(prepared, ticket)
        found.extend(self.machine_problems(mappings))
        return found

    def status(self, case: CipherCase, layout: CipherLayout) -> int:
        """Run a case and return its status, whatever else happens."""
        prepared = self.prepare(case, layout)
        ticket = self.perform(prepared.request, self._call(prepared), _flags(layout))
        return int(ticket.status)

    def keyed(self, tfm: Skcipher | Aead, case: CipherCase) -> list[Problem]:
        """Set the case's key and tag size; a refusal is a problem."""
        try:
            if case.key is not None:
                tfm.setkey(case.key)
            if isinstance(tfm, Aead) and case.authsize not in (None, tfm.authsize):
                assert case.authsize is not None
                tfm.setauthsize(case.authsize)
        except OSError as error:
            got = errno_name(-(error.errno or 0))
            return [
                Problem("key or tag size refused", facts.SETKEY, "0", got, details=(str(error),))
            ]
        return []

    def prepare(
        self,
        case: CipherCase,
        layout: CipherLayout,
        tfm: Skcipher | Aead | None = None,
    ) -> Prepared:
        """Lay a case out: in the shared arena, or for another transform in memory of its own."""
        assoclen = len(case.assoc)
        plan = plan_cipher(
            layout, assoclen + len(case.data), assoclen + len(case.out), self.ivroom
        )
        image = plan.image(case.assoc + case.data if assoclen else case.data, case.iv)
        if tfm is None:
            request, base = self.request, self.arena(plan.size)
            lists = self._lists.get(id(plan))
            if lists is None:
                self._lists[id(plan)] = lists = _entries(plan, base)
        else:
            request, base = tfm.request(), self.own_memory(plan.size)
            lists = _entries(plan, base)
        self.memory.write(base, image)
        memory = self.memory
        src = Scatterlist(memory, list(lists[1]))
        shared = layout.in_place is InPlace.ONE_LIST
        dst = src if shared else Scatterlist(memory, list(lists[2]))
        pointed = self.ivsize or layout.iv_offset
        iv = Buffer(memory, base + plan.iv, self.ivroom) if pointed else None
        request.set_crypt(src, dst, len(case.data), iv)
        if isinstance(request, AeadRequest):
            request.set_ad(assoclen)
        self.uninitialised(request)
        return Prepared(case, layout, plan, image, base, lists, request)

    def _call(self, prepared: Prepared) -> Callable[[Any], int]:
        tfm = prepared.request.tfm
        return tfm.encrypt if prepared.case.encrypt else tfm.decrypt

    def judge(self, prepared: Prepared, ticket: Ticket) -> list[Problem]:
        """What is wrong with a finished case: life cycle, request, status, memory."""
        case, plan = prepared.case, prepared.plan
        found = ticket.problems()
        changed = _changes(prepared) + ticket.changes()
        if changed:
            found.append(Problem("request changed by the driver", facts.REQUEST, details=changed))
        if not found and ticket.status != case.status:
            fact = facts.FORGERY if case.status == -errno.EBADMSG else facts.STATUS
            wanted, got = errno_name(case.status), errno_name(ticket.status)
            found.append(Problem("wrong status", fact, wanted, got))
        if found:
            return found
        actual = self.memory.read(prepared.base, plan.size)
        expected = self._expected(plan, prepared.image, case, actual)
        if actual != expected:
            found.append(_difference(plan, expected, actual, case))
        elif case.status and case.secret and _released(case.secret, _room(plan, actual, case)):
            found.append(Problem("plaintext of a forged message released", facts.FORGERY))
        return found

    def untouched(self, prepared: Prepared) -> bool:
        """Whether a request that was refused left no trace in memory.

        An instance of a template may have done a part of its work before another part refused:
        then its destination and its IV are not looked at, as after any other error.
        """
        actual, plan = self.memory.read(prepared.base, prepared.plan.size), prepared.plan
        entry = prepared.request.tfm.entry
        if entry is None or not entry.parts:
            return actual == prepared.image
        case = prepared.case._replace(status=-errno.ENOSPC, iv_out=None)
        expected = self._expected(plan, prepared.image, case, actual)
        expected[plan.iv : plan.iv + self.ivsize] = actual[plan.iv : plan.iv + self.ivsize]
        return actual == expected

    def _expected(
        self, plan: CipherPlan, image: bytearray, case: CipherCase, actual: bytes
    ) -> bytearray:
        """What the arena must hold; where nothing is promised, what it does hold."""
        expected = image
        assoclen = len(case.assoc)
        if case.status:
            length = max(assoclen + len(case.out), len(case.data) + assoclen if plan.shared else 0)
            store(expected, plan.dst, load(actual, plan.dst, length))
            return self._with_iv(expected, plan, case, actual)
        out = case.out
        if case.derive is not None:
            out = case.derive(load(actual, plan.dst, assoclen + len(out))[assoclen:])
        whole = case.assoc + out if assoclen else out
        if (assoclen or case.header) and not plan.shared:
            whole = _with_header(plan, image, actual, whole, case.header or (assoclen,))
        store(expected, plan.dst, whole)
        return self._with_iv(expected, plan, case, actual)

    def _with_iv(
        self, expected: bytearray, plan: CipherPlan, case: CipherCase, actual: bytes
    ) -> bytearray:
        """The same, with what must be in the IV's place."""
        if case.authsize is not None or (case.iv_out is None and not case.status):
            place = slice(plan.iv, plan.iv + self.ivsize)
            expected[place] = actual[place]
        elif case.iv_out is not None and not case.status:
            expected[plan.iv : plan.iv + self.ivsize] = case.iv_out
        return expected


def _with_header(
    plan: CipherPlan, image: bytearray, actual: bytes, whole: bytes, header: tuple[int, ...]
) -> bytes:
    """The expected destination: every piece of its header that was left alone is as it was."""
    expected, start = bytearray(whole), 0
    front = sum(header)
    before, now = load(image, plan.dst, front), load(actual, plan.dst, front)
    for length in header:
        stop = start + length
        if now[start:stop] == before[start:stop]:
            expected[start:stop] = before[start:stop]
        start = stop
    return bytes(expected)


def _flags(layout: CipherLayout) -> int:
    return _MAY_SLEEP if layout.may_sleep else 0


def _entries(plan: CipherPlan, base: int) -> _Lists:
    # The plan is kept with its entries, so that its id stays its own as long as they live.
    src = tuple(Segment(base + c.offset, c.length) for c in plan.src)
    dst = tuple(Segment(base + c.offset, c.length) for c in plan.dst)
    return plan, src, dst


def _changes(prepared: Prepared) -> tuple[str, ...]:
    """Which fields of the request are not what they were."""
    request, case = prepared.request, prepared.case
    changed = []
    same = request.src is prepared.src and request.dst is prepared.dst
    if not same or request.iv is not prepared.iv:
        changed.append("src, dst or iv pointer")
    if request.cryptlen != len(case.data):
        changed.append(f"cryptlen ({len(case.data)} is now {request.cryptlen})")
    if isinstance(request, AeadRequest) and request.assoclen != len(case.assoc):
        changed.append(f"assoclen ({len(case.assoc)} is now {request.assoclen})")
    _, src, dst = prepared.lists
    if tuple(prepared.src.entries) != src or tuple(prepared.dst.entries) != dst:
        changed.append("scatterlist entries")
    iv = prepared.iv
    if iv is not None and iv.address != prepared.base + prepared.plan.iv:
        changed.append("iv address")
    return tuple(changed)


def _released(secret: bytes, room: bytes) -> bool:
    """Whether any block of the plaintext, or all of a shorter one, is in the destination."""
    pieces = [secret[i : i + 16] for i in range(0, len(secret), 16)]
    return any(piece in room for piece in pieces if len(piece) >= min(16, len(secret)))


def _room(plan: CipherPlan, actual: bytes, case: CipherCase) -> bytes:
    """The text part of the destination."""
    assoclen = len(case.assoc)
    return load(actual, plan.dst, assoclen + len(case.data))[assoclen:]


def _difference(
    plan: CipherPlan,
    expected: bytearray,
    actual: bytes,
    case: CipherCase,
) -> Problem:
    """Name the first wrong byte: output, IV, source, or memory around a buffer."""
    first = next(i for i, (a, b) in enumerate(zip(expected, actual, strict=True)) if a != b)
    ivroom = len(case.iv) or _FOREIGN_IV
    if plan.iv <= first < plan.iv + ivroom:
        fact = facts.IV_OUT if case.iv_out is not None and not case.status else facts.IV_KEPT
        place = slice(plan.iv, plan.iv + ivroom)
        return Problem("wrong output IV", fact, expected[place].hex(), actual[place].hex())
    assoclen = len(case.assoc)
    length = assoclen + len(case.out)
    for chunk in plan.dst:
        inside = first - chunk.offset
        if 0 <= inside < chunk.length and chunk.start + inside < length:
            where = chunk.start + inside
            if where < assoclen:
                return _bytes_problem(
                    "AAD in the destination", facts.AAD, plan, expected, actual, length, where
                )
            return _bytes_problem(
                "wrong output", facts.OUTPUT, plan, expected, actual, length, where
            )
    for chunk in plan.src:
        if chunk.offset <= first < chunk.offset + chunk.length and not plan.shared:
            where = chunk.start + first - chunk.offset
            return Problem(
                "source changed",
                facts.SOURCE,
                f"{expected[first]:02x}",
                f"{actual[first]:02x}",
                details=(f"byte {where}",),
            )
    return _guard_problem(plan, len(case.iv), first, expected, actual)


def _bytes_problem(
    what: str,
    fact: str,
    plan: CipherPlan,
    expected: bytes | bytearray,
    actual: bytes,
    length: int,
    where: int,
) -> Problem:
    wanted, got = load(expected, plan.dst, length), load(actual, plan.dst, length)
    return Problem(
        what,
        fact,
        hex_excerpt(wanted, where),
        hex_excerpt(got, where),
        details=(f"first wrong byte {where} of {length}",),
    )


def _guard_problem(
    plan: CipherPlan, ivsize: int, first: int, expected: bytes | bytearray, actual: bytes
) -> Problem:
    buffers = [("IV", plan.iv, ivsize)] if ivsize else []
    buffers += [("source", c.offset, c.length) for c in plan.src]
    if not plan.shared:
        buffers += [("destination", c.offset, c.length) for c in plan.dst]
    name, start, length = min(
        buffers, key=lambda b: min(abs(first - b[1]), abs(first - b[1] - b[2]))
    )
    side = (
        f"{start - first} bytes before"
        if first < start
        else f"{first - start - length} bytes behind"
    )
    stop = first + GUARD
    return Problem(
        f"memory around the {name} overwritten",
        facts.GUARD,
        bytes(expected[first:stop]).hex(),
        actual[first:stop].hex(),
        details=(f"{side} a buffer of {length} bytes",),
    )
