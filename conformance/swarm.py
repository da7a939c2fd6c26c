"""Several requests in flight at once on one machine, each judged for itself, and their order."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from typing import Any

from tcrypt import facts
from tcrypt.bench import Ticket
from tcrypt.cipher_bench import CipherBench, CipherCase, Prepared
from tcrypt.engine.api.transforms import Aead, Skcipher
from tcrypt.layouts import CipherLayout
from tcrypt.problems import Problem

__all__ = ("Flight", "Swarm")

_EINPROGRESS = -errno.EINPROGRESS


class Flight:
    """One request of a swarm."""

    __slots__ = ("index", "prepared", "ticket")

    def __init__(self, index: int, prepared: Prepared) -> None:
        self.index = index
        self.prepared = prepared
        self.ticket: Ticket


class Swarm:
    """Requests that are all submitted before the machine runs.

    Attributes:
        finished: indices of the flights in the order of their final completion.
    """

    def __init__(self, bench: CipherBench) -> None:
        self.bench = bench
        self.flights: list[Flight] = []
        self.finished: list[int] = []

    def add(self, tfm: Skcipher | Aead, case: CipherCase, layout: CipherLayout) -> None:
        """Prepare one request on a transform that has its key."""
        prepared = self.bench.prepare(case, layout, tfm)
        self.flights.append(Flight(len(self.flights), prepared))

    def submit(self, flags: int) -> None:
        """Submit all, in order, with `flags` (`MAY_BACKLOG` or 0)."""
        for flight in self.flights:
            self.launch(flight, flags)

    def launch(self, flight: Flight, flags: int) -> None:
        """Submit one."""
        bench = self.bench
        request = flight.prepared.request
        flight.ticket = ticket = Ticket(request, bench.sim)

        def completed(data: Any, status: int) -> None:
            ticket.completed(status)
            if status != _EINPROGRESS:
                self.finished.append(flight.index)

        request.set_callback(flags, completed, ticket)
        tfm = request.tfm
        call: Any = tfm.encrypt if flight.prepared.case.encrypt else tfm.decrypt
        ticket.submitted = call(request)

    def problems(self, flight: Flight) -> list[Problem]:
        """What is wrong with one request, after the machine has settled."""
        return self.bench.judge(flight.prepared, flight.ticket)

    def order_problems(self, flights: Sequence[Flight]) -> list[Problem]:
        """Whether these flights, all accepted for later, were completed in their order."""
        wanted = [flight.index for flight in flights]
        kept = set(wanted)
        got = [index for index in self.finished if index in kept]
        if got == wanted:
            return []
        first = next((i for i, (a, b) in enumerate(zip(wanted, got, strict=False)) if a != b), 0)
        return [
            Problem(
                "completed out of order",
                facts.ORDER,
                " ".join(map(str, wanted[first : first + 12])),
                " ".join(map(str, got[first : first + 12])),
                details=(f"from completion {first} on; numbers are places in the submission",),
            )
        ]
