"""Runs one skcipher or AEAD case: key, placement, request, and everything that must hold after it.

This is the one place where a verdict about a cipher request is made.
"""

from __future__ import annotations

import errno
from typing import NamedTuple

from tcrypt import facts
from tcrypt.arena import GUARD, CipherPlan, load, plan_cipher, store
from tcrypt.bench import _MAY_SLEEP, Bench, Ticket
from tcrypt.engine.api.errors import errno_name
from tcrypt.engine.api.flags import AlgType
from tcrypt.engine.api.memory import Buffer
from tcrypt.engine.api.requests import AeadRequest, SkcipherRequest
from tcrypt.engine.api.scatterlist import Scatterlist, Segment
from tcrypt.engine.api.transforms import Aead, Skcipher
from tcrypt.layouts import CipherLayout, InPlace
from tcrypt.problems import Problem, hex_excerpt

__all__ = ("CipherBench", "CipherCase")


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


_Lists = tuple[CipherPlan, tuple[Segment, ...], tuple[Segment, ...]]


class CipherBench(Bench):
    """A transform of an skcipher or AEAD driver, with a request that is used again and again."""

    tfm: Skcipher | Aead
    request: SkcipherRequest | AeadRequest

    def opened(self) -> None:
        """Allocate the transform and its request."""
        registry = self.machine.registry
        if self.subject.type is AlgType.AEAD:
            aead = registry.alloc_aead(self.subject.driver)
            self.tfm, self.request = aead, aead.request()
        else:
            skcipher = registry.alloc_skcipher(self.subject.driver)
            self.tfm, self.request = skcipher, skcipher.request()
        self.ivsize = self.tfm.alg.ivsize
        self._authsize: int | None = None
        self.moved()

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
        found = self._keyed(case)
        if found:
            return found
        assoclen = len(case.assoc)
        plan = plan_cipher(
            layout, assoclen + len(case.data), assoclen + len(case.out), self.ivsize
        )
        image = plan.image(case.assoc + case.data if assoclen else case.data, case.iv)
        base = self.arena(plan.size)
        self.memory.write(base, image)
        self._describe(plan, base, layout, case)
        mappings = self.machine.dma.live_mappings
        ticket = self._submit(case, layout)
        found = ticket.problems()
        self._request_unchanged(found, plan, base, case)
        self._judge_status(found, case, ticket)
        actual = self.memory.read(base, plan.size)
        if not found:
            expected = self._expected(plan, image, case, actual)
            if actual != expected:
                found.append(_difference(plan, image, expected, actual, case))
            elif case.status and case.secret and case.secret in _room(plan, actual, case):
                found.append(Problem("plaintext of a forged message released", facts.FORGERY))
        found.extend(self.machine_problems(mappings))
        return found

    def _keyed(self, case: CipherCase) -> list[Problem]:
        try:
            if case.key is not None:
                self.tfm.setkey(case.key)
            if case.authsize is not None and case.authsize != self._authsize:
                assert isinstance(self.tfm, Aead)
                self.tfm.setauthsize(case.authsize)
                self._authsize = case.authsize
        except OSError as error:
            got = errno_name(-(error.errno or 0))
            return [Problem(str(error), facts.SETKEY, expected="0", got=got)]
        return []

    def _describe(
        self, plan: CipherPlan, base: int, layout: CipherLayout, case: CipherCase
    ) -> None:
        lists = self._lists.get(id(plan))
        if lists is None:
            src = tuple(Segment(base + c.offset, c.length) for c in plan.src)
            dst = tuple(Segment(base + c.offset, c.length) for c in plan.dst)
            # The plan is kept with them: its id stays its own as long as it lives.
            self._lists[id(plan)] = lists = (plan, src, dst)
        memory, request = self.memory, self.request
        src_list = Scatterlist(memory, list(lists[1]))
        dst_list = src_list
        if layout.in_place is not InPlace.ONE_LIST:
            dst_list = Scatterlist(memory, list(lists[2]))
        iv = Buffer(memory, base + plan.iv, self.ivsize) if self.ivsize else None
        request.set_crypt(src_list, dst_list, len(case.data), iv)
        if isinstance(request, AeadRequest):
            request.set_ad(len(case.assoc))

    def _submit(self, case: CipherCase, layout: CipherLayout) -> Ticket:
        request = self.request
        self.uninitialised(request)
        self._before = (request.src, request.dst, request.iv)
        call = self.tfm.encrypt if case.encrypt else self.tfm.decrypt
        return self.perform(request, call, _MAY_SLEEP if layout.may_sleep else 0)

    def _request_unchanged(
        self, found: list[Problem], plan: CipherPlan, base: int, case: CipherCase
    ) -> None:
        request = self.request
        _, src, dst = self._lists[id(plan)]
        changed = []
        if (request.src, request.dst, request.iv) != self._before:
            changed.append("src, dst or iv pointer")
        if request.cryptlen != len(case.data):
            changed.append(f"cryptlen ({len(case.data)} is now {request.cryptlen})")
        if isinstance(request, AeadRequest) and request.assoclen != len(case.assoc):
            changed.append(f"assoclen ({len(case.assoc)} is now {request.assoclen})")
        if request.tfm is not self.tfm:
            changed.append("tfm")
        before_src, before_dst, before_iv = self._before
        if tuple(before_src.entries) != src or tuple(before_dst.entries) != dst:
            changed.append("scatterlist entries")
        if before_iv is not None and before_iv.address != base + plan.iv:
            changed.append("iv address")
        if changed:
            found.append(Problem("the driver changed " + ", ".join(changed), facts.REQUEST))

    def _judge_status(self, found: list[Problem], case: CipherCase, ticket: Ticket) -> None:
        status = ticket.status
        if status == case.status or found:
            return
        fact = facts.FORGERY if case.status == -errno.EBADMSG else facts.STATUS
        wanted, got = errno_name(case.status), errno_name(status)
        found.append(Problem(f"status {got}, wanted {wanted}", fact, wanted, got))

    def _expected(
        self, plan: CipherPlan, image: bytearray, case: CipherCase, actual: bytes
    ) -> bytearray:
        """What the arena must hold; where nothing is promised, what it does hold."""
        expected = bytearray(image)
        assoclen = len(case.assoc)
        if case.status:
            length = max(assoclen + len(case.out), len(case.data) + assoclen if plan.shared else 0)
            store(expected, plan.dst, load(actual, plan.dst, length))
        elif assoclen and not plan.shared:
            # The AAD in the destination is either copied there or left alone; both are right.
            copied = load(actual, plan.dst, assoclen) == case.assoc
            aad = case.assoc if copied else load(image, plan.dst, assoclen)
            store(expected, plan.dst, aad + case.out)
        else:
            store(expected, plan.dst, case.assoc + case.out)
        place = slice(plan.iv, plan.iv + self.ivsize)
        if case.authsize is not None or (case.iv_out is None and not case.status):
            expected[place] = actual[place]
        elif case.iv_out is not None and not case.status:
            expected[place] = case.iv_out
        return expected


def _room(plan: CipherPlan, actual: bytes, case: CipherCase) -> bytes:
    """The text part of the destination."""
    assoclen = len(case.assoc)
    return load(actual, plan.dst, assoclen + len(case.data))[assoclen:]


def _difference(
    plan: CipherPlan,
    image: bytes | bytearray,
    expected: bytearray,
    actual: bytes,
    case: CipherCase,
) -> Problem:
    """Name the first wrong byte: output, IV, source, or memory around a buffer."""
    first = next(i for i, (a, b) in enumerate(zip(expected, actual, strict=True)) if a != b)
    if plan.iv <= first < plan.iv + len(case.iv):
        fact = facts.IV_OUT if case.iv_out is not None and not case.status else facts.IV_KEPT
        place = slice(plan.iv, plan.iv + len(case.iv))
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
                f"byte {where} of the source changed",
                facts.SOURCE,
                f"{expected[first]:02x}",
                f"{actual[first]:02x}",
            )
    return _guard_problem(plan, first, expected, actual)


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
        f"{what}, first at byte {where} of {length}",
        fact,
        hex_excerpt(wanted, where),
        hex_excerpt(got, where),
    )


def _guard_problem(
    plan: CipherPlan, first: int, expected: bytes | bytearray, actual: bytes
) -> Problem:
    buffers = [("IV", plan.iv, 0)] if plan.iv else []
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
        f"memory overwritten {side} a {name} buffer of {length} bytes",
        facts.GUARD,
        bytes(expected[first:stop]).hex(),
        actual[first:stop].hex(),
    )
