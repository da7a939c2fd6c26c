"""Runs one skcipher or AEAD case: key, placement, request, and everything that must hold after it.

This is the one place where a verdict about a cipher request is made.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

from tcrypt import facts
from tcrypt.arena import CipherPlan, load, plan_cipher, store
from tcrypt.bench import Bench, Ticket, flags_of
from tcrypt.cipher_case import CipherCase, Lists, Prepared
from tcrypt.cipher_verdicts import (
    FOREIGN_IV,
    changes,
    difference,
    released,
    room,
    with_header,
)
from tcrypt.engine.api.errors import errno_name
from tcrypt.engine.api.flags import AlgType
from tcrypt.engine.api.memory import Buffer
from tcrypt.engine.api.requests import AeadRequest, SkcipherRequest
from tcrypt.engine.api.scatterlist import Scatterlist, Segment
from tcrypt.engine.api.transforms import Aead, Skcipher
from tcrypt.layouts import CipherLayout, InPlace
from tcrypt.problems import Problem

__all__ = ("CipherBench", "CipherCase", "Prepared")


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
        self.ivroom = self.ivsize or FOREIGN_IV
        self.moved()

    def new_tfm(self) -> Skcipher | Aead:
        """Another transform of the driver on the same machine."""
        registry = self.machine.registry
        if self.subject.type is AlgType.AEAD:
            return registry.alloc_aead(self.subject.driver)
        return registry.alloc_skcipher(self.subject.driver)

    def moved(self) -> None:
        """Drop the scatterlist entries made for the old arena."""
        # With each plan itself, which keeps its number from becoming another's.
        self._lists: dict[int, tuple[CipherPlan, Lists]] = {}

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
        before = self.jobs()
        ticket = self.perform(prepared.request, self._call(prepared), flags_of(layout))
        ticket.jobs = self.jobs() - before
        found = self.judge(prepared, ticket)
        found.extend(self.machine_problems(mappings))
        return found

    def status(self, case: CipherCase, layout: CipherLayout) -> int:
        """Run a case and return its status, whatever else happens."""
        prepared = self.prepare(case, layout)
        ticket = self.perform(prepared.request, self._call(prepared), flags_of(layout))
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
            layout,
            assoclen + len(case.data),
            assoclen + len(case.out),
            self.ivroom,
            assoclen if layout.shared_head else 0,
        )
        image = plan.image(case.assoc + case.data if assoclen else case.data, case.iv)
        if tfm is None:
            request, base = self.request, self.arena(plan.size)
            known = self._lists.get(id(plan))
            if known is None:
                self._lists[id(plan)] = known = plan, _entries(plan, base)
            lists = known[1]
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
        self.cover.judged(prepared, ticket, self.machine)
        changed = changes(prepared) + ticket.changes()
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
            found.append(difference(plan, expected, actual, case))
        elif case.status and case.secret and released(case.secret, room(plan, actual, case)):
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
            whole = with_header(plan, image, actual, whole, case.header or (assoclen,))
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


def _entries(plan: CipherPlan, base: int) -> Lists:
    # The plan is kept with its entries, so that its id stays its own as long as they live.
    src = tuple(Segment(base + c.offset, c.length) for c in plan.src)
    dst = tuple(Segment(base + c.offset, c.length) for c in plan.dst)
    return plan, src, dst
