"""The requests of a world: what each may do, and what is wrong with what it did."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from typing import Any

from tcrypt import facts
from tcrypt.bench import Ticket
from tcrypt.engine.api.errors import errno_name
from tcrypt.engine.api.flags import ReqFlag
from tcrypt.problems import Problem
from tcrypt.search.fingerprint import Apart
from tcrypt.swarm import CipherSwarm, HashSwarm
from tcrypt.trouble import no_room

__all__ = ("Order", "order_problems", "verdict")

_MAY_BACKLOG = int(ReqFlag.MAY_BACKLOG)
# What a full queue answers to a request that may not be backlogged.


class Order(Apart):
    """One request of a world.

    Attributes:
        number: its place among all requests of the world.
        swarm: what judges it; `flight` is the request there.
        rekeyed: whether its transform got another key since its submission.
        key: the key under which its answer is known.
        encrypt: the direction; True for a digest.
        what: the request in words.
        turn: its place among the submissions, from 1 on; 0 when it completed in its own, or when
            others could be submitted inside of it.
        ticket: its life.
        launched: whether it was submitted.
        over: whether it has its final status.
        keyless: whether its transform had no key when it was submitted.
        full: whether the queue was full then.
        flags: its flags.
        allowed: errors that a fault, or the engine's state, permits.
        owed: an error that it must end with, because its fault was hit; 0 for none.
    """

    __slots__ = (
        "allowed",
        "encrypt",
        "flags",
        "flight",
        "full",
        "key",
        "keyless",
        "launched",
        "number",
        "over",
        "owed",
        "rekeyed",
        "swarm",
        "ticket",
        "transform",
        "turn",
        "what",
    )

    def __init__(
        self,
        number: int,
        swarm: CipherSwarm | HashSwarm,
        key: int,
        encrypt: bool,
        transform: Any,
        who: str,
    ) -> None:
        self.number = number
        self.swarm = swarm
        self.flight: Any = swarm.flights[-1]
        self.key = key
        self.encrypt = encrypt
        self.transform = transform
        verb = "encryption" if encrypt else "decryption"
        self.what = f"request {number}, {'digest' if self.hashes else verb} by {who}"
        self.ticket = self.flight.ticket = Ticket(self.flight.request, swarm.machine.sim)
        self.launched = self.over = self.keyless = self.full = self.rekeyed = False
        self.flags = self.turn = 0
        self.allowed: frozenset[int] = frozenset()
        self.owed = 0

    @property
    def name_apart(self) -> int:
        """Its number."""
        return self.number

    @property
    def refusable(self) -> bool:
        """Whether a full queue may refuse it: one seen to be full, or one that is not seen."""
        return not self.flags & _MAY_BACKLOG and (self.full or not self.seen)

    @property
    def seen(self) -> bool:
        """Whether it came to an engine."""
        return self.swarm.machine.monitor.known(self.flight.request) is not None

    @property
    def place(self) -> tuple[Any, int] | None:
        """The engine that accepted it, and its number there; None where no engine has."""
        life = self.swarm.machine.monitor.known(self.flight.request)
        if life is None or not life.number:
            return None
        return life.watch, life.number

    @property
    def hashes(self) -> bool:
        """Whether it is a digest."""
        return isinstance(self.swarm, HashSwarm)


def verdict(order: Order) -> list[Problem]:
    """What is wrong with a request after the machine has settled."""
    ticket = order.ticket
    status = ticket.status
    if order.keyless and not ticket.pending:
        return _expected(order, -errno.ENOKEY)
    full = no_room(order.swarm.machine)
    refused = not ticket.pending and ticket.submitted in full
    if refused and order.refusable:
        return _refused(order)
    if order.owed and status == 0:
        return [Problem("success of a request that a fault hit", facts.STATUS, _names(order), "0")]
    if status in order.allowed:
        return ticket.problems() if order.hashes else _judged_as(order, status)
    if order.rekeyed:
        return _rekeyed(order)
    found: list[Problem] = order.swarm.problems(order.flight)
    return found


def _names(order: Order) -> str:
    return " or ".join(sorted(errno_name(status) for status in order.allowed))


def _expected(order: Order, status: int) -> list[Problem]:
    """A submission that must be refused with a status, and touch nothing."""
    found = order.ticket.problems()
    if not found and order.ticket.status != status:
        got = errno_name(order.ticket.status)
        found = [Problem("wrong status", facts.NO_KEY, errno_name(status), got)]
    return found or _untouched(order)


def _refused(order: Order) -> list[Problem]:
    if order.ticket.notes:
        return [Problem("refused by a full queue and called back", facts.ONCE)]
    if order.seen:
        return _untouched(order)
    # A queue further down, such as a fallback's, may refuse when a part of the work is done.
    return [] if order.hashes else _judged_as(order, order.ticket.submitted)


def _untouched(order: Order) -> list[Problem]:
    if order.swarm.untouched(order.flight):
        return []
    return [Problem("refused, but its memory changed", facts.GUARD)]


def _judged_as(order: Order, status: int) -> list[Problem]:
    """The bench's verdict, where this error is the right status."""
    prepared = order.flight.load
    prepared.case = prepared.case._replace(status=status, iv_out=None)
    found: list[Problem] = order.swarm.problems(order.flight)
    return found


def _rekeyed(order: Order) -> list[Problem]:
    """The verdict on a request whose transform got a key while it was in flight.

    Callers must not do that (6.10), so nothing is promised about the output, and a decryption may
    find its tag to be wrong; it completes once and stays within its buffers all the same.
    """
    status, load = order.ticket.status, order.flight.load
    if order.hashes:
        load.expected = load.result.read()
    elif status in (-errno.EBADMSG, -errno.ENOKEY):
        return _judged_as(order, status)
    else:
        written = b"".join(
            order.swarm.machine.memory.read(entry.address, entry.length)
            for entry in load.dst.entries
        )
        start = len(load.case.assoc)
        out = written[start : start + len(load.case.out)]
        load.case = load.case._replace(out=out, iv_out=None)
    found: list[Problem] = order.swarm.problems(order.flight)
    return found


def order_problems(orders: Sequence[Order], finished: Sequence[int]) -> list[Problem]:
    """Whether what an engine accepted and did was completed in the order of submission (5.4).

    Requests that failed are left aside: one that cannot be started is completed at once.  So are
    those that no engine has seen, such as what a driver leaves to an asynchronous fallback; on a
    machine without engines the order of submission counts, for its one device's own drivers.
    """
    done = {order.number: order for order in orders if order.ticket.status == 0}
    engines: dict[Any, list[tuple[int, int]]] = {}
    for order in done.values():
        place, machine = order.place, order.swarm.machine
        if not all(accelerator.in_order for accelerator in machine.accelerators):
            continue
        if place is not None and place[0].semantics.keeps_order:
            engines.setdefault(place[0], []).append((place[1], order.number))
        elif not machine.engines and order.turn and _of_one_device(order):
            engines.setdefault(None, []).append((order.turn, order.number))
    found: list[Problem] = []
    for places in engines.values():
        wanted = [number for _, number in sorted(places)]
        got = [number for number in finished if number in set(wanted)]
        if wanted != got:
            found.append(_out_of_order(wanted, got))
    return found


def _of_one_device(order: Order) -> bool:
    """Whether the only device of the machine does the work of the request's driver itself."""
    machine, driver = order.swarm.machine, order.transform.name
    others = [alg for alg in machine.registry if alg.cra_driver_name.startswith("cryptd(")]
    devices = machine.accelerators
    return len(devices) == 1 and devices[0].drives(driver) and not others


def _out_of_order(wanted: Sequence[int], got: Sequence[int]) -> Problem:
    where = next((i for i, (a, b) in enumerate(zip(wanted, got, strict=False)) if a != b), 0)
    return Problem(
        "completed out of order",
        facts.ORDER,
        " ".join(map(str, wanted[where : where + 12])),
        " ".join(map(str, got[where : where + 12])),
        details=(f"from completion {where} on; numbers are those of the requests",),
    )
