"""Several requests in flight at once on one machine, each judged for itself, and their order."""

from __future__ import annotations

import errno
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from tcrypt import facts
from tcrypt.bench import Ticket
from tcrypt.cipher_bench import CipherBench, CipherCase, Prepared
from tcrypt.engine.api.memory import Buffer
from tcrypt.engine.api.requests import AhashRequest, AnyRequest
from tcrypt.engine.api.scatterlist import Scatterlist, Segment
from tcrypt.engine.api.transforms import Aead, Ahash, Skcipher
from tcrypt.hash_bench import HashBench
from tcrypt.layouts import CipherLayout
from tcrypt.problems import Problem

__all__ = ("CipherSwarm", "Digest", "Flight", "HashSwarm", "Swarm")

_EINPROGRESS = -errno.EINPROGRESS
_Load = TypeVar("_Load")


class Flight(Generic[_Load]):
    """One request of a swarm, and what it carries."""

    __slots__ = ("call", "index", "load", "request", "ticket")

    def __init__(
        self, index: int, request: AnyRequest, call: Callable[[Any], int], load: _Load
    ) -> None:
        self.index = index
        self.request = request
        self.call = call
        self.load = load
        self.ticket: Ticket


class Swarm(ABC, Generic[_Load]):
    """Requests that are all submitted before the machine runs.

    Attributes:
        flights: the requests, in the order in which they were added.
        launched: those that were submitted, in the order of their submission.
        finished: indices of the flights in the order of their final completion.
    """

    def __init__(self, bench: CipherBench | HashBench) -> None:
        self.machine = bench.machine
        self.flights: list[Flight[_Load]] = []
        self.launched: list[Flight[_Load]] = []
        self.finished: list[int] = []
        self._accepted = 0

    def _add(self, request: AnyRequest, call: Callable[[Any], int], load: _Load) -> None:
        self.flights.append(Flight(len(self.flights), request, call, load))

    def submit(self, flags: int) -> None:
        """Submit all, in order, with `flags` (`MAY_BACKLOG` or 0)."""
        for flight in self.flights:
            self.launch(flight, flags)

    def launch(
        self, flight: Flight[_Load], flags: int, then: Callable[[], None] | None = None
    ) -> None:
        """Submit one; `then` is called in its first callback.

        That is the notice of a request that was backlogged, which says that more may come, or
        else its completion.
        """
        left = [then] if then is not None else []
        flight.ticket = ticket = Ticket(flight.request, self.machine.sim)
        self.launched.append(flight)

        def completed(data: Any, status: int) -> None:
            ticket.completed(status)
            if status != _EINPROGRESS:
                self.finished.append(flight.index)
            if left:
                left.pop()()

        ticket.ahead = self._accepted - len(self.finished)
        # Callbacks may submit others before this returns.
        self._accepted += 1
        ticket.submit(flags, completed, flight.call)
        self._accepted -= not ticket.pending

    @abstractmethod
    def problems(self, flight: Flight[_Load]) -> list[Problem]:
        """What is wrong with one request, after the machine has settled."""

    def untouched(self, flight: Flight[_Load]) -> bool:
        """Whether a request that was refused left no trace in memory."""
        self.sample(flight)
        return self._untouched(flight)

    @abstractmethod
    def _untouched(self, flight: Flight[_Load]) -> bool:
        """The same, where it has been counted."""

    @abstractmethod
    def sample(self, flight: Flight[_Load]) -> None:
        """Count what kind of request it was; `problems` and `untouched` do it themselves."""

    def order_problems(self, flights: Sequence[Flight[_Load]]) -> list[Problem]:
        """Whether these flights, all accepted for later, were completed in their order."""
        wanted = [flight.index for flight in flights]
        kept = set(wanted)
        got = [index for index in self.finished if index in kept]
        if got == wanted:
            return []
        pairs = enumerate(zip(wanted, got, strict=False))
        first = next((i for i, (a, b) in pairs if a != b), 0)
        return [
            Problem(
                "completed out of order",
                facts.ORDER,
                " ".join(map(str, wanted[first : first + 12])),
                " ".join(map(str, got[first : first + 12])),
                details=(f"from completion {first} on; numbers are places in the submission",),
            )
        ]


class CipherSwarm(Swarm[Prepared]):
    """A swarm of skcipher or AEAD requests."""

    def __init__(self, bench: CipherBench) -> None:
        super().__init__(bench)
        self.bench = bench

    def add(self, tfm: Skcipher | Aead, case: CipherCase, layout: CipherLayout) -> None:
        """Prepare one request on a transform that has its key."""
        prepared = self.bench.prepare(case, layout, tfm)
        call: Any = tfm.encrypt if case.encrypt else tfm.decrypt
        self._add(prepared.request, call, prepared)

    def problems(self, flight: Flight[Prepared]) -> list[Problem]:
        """What is wrong with one request, after the machine has settled."""
        return self.bench.judge(flight.load, flight.ticket)

    def _untouched(self, flight: Flight[Prepared]) -> bool:
        flight.ticket.give_back()
        return self.bench.untouched(flight.load)

    def sample(self, flight: Flight[Prepared]) -> None:
        """Count what kind of request it was."""
        self.bench.cover.judged(flight.load, flight.ticket, self.machine)


class Digest:
    """One message of a swarm: its bytes, their pieces, the digest, and where the result goes."""

    __slots__ = ("expected", "message", "pieces", "result")

    def __init__(self, message: bytes, expected: bytes, result: Buffer, pieces: int = 1) -> None:
        self.message = message
        self.expected = expected
        self.result = result
        self.pieces = pieces


class HashSwarm(Swarm[Digest]):
    """A swarm of one-step digests."""

    def __init__(self, bench: HashBench) -> None:
        super().__init__(bench)
        self.bench = bench

    def add(self, tfm: Ahash, message: bytes, expected: bytes, cut: int = 0) -> None:
        """Prepare one digest on a transform that has its key; `cut` bytes are a piece, if any."""
        bench = self.bench
        address = bench.own_memory(max(1, len(message)))
        bench.memory.write(address, message)
        result = bench.guarded_buffer(bench.digestsize)
        bench.poison(result)
        request: AhashRequest = tfm.request()
        bench.uninitialised(request)
        first = cut if 0 < cut < len(message) else len(message)
        entries = [Segment(address, first)]
        if first < len(message):
            entries.append(Segment(address + first, len(message) - first))
        source = Scatterlist(bench.memory, entries)
        request.set_crypt(source, result, len(message))
        self._add(request, tfm.digest, Digest(message, expected, result, len(entries)))

    def problems(self, flight: Flight[Digest]) -> list[Problem]:
        """What is wrong with one request, after the machine has settled."""
        found = flight.ticket.problems() or self.bench.status_problems("digest", flight.ticket)
        self.sample(flight)
        return found or self.bench.judge(flight.load.expected, flight.load.result)

    def _untouched(self, flight: Flight[Digest]) -> bool:
        return self.bench.is_poisoned(flight.load.result)

    def sample(self, flight: Flight[Digest]) -> None:
        """Count what kind of message it was."""
        load, ticket = flight.load, flight.ticket
        length, pieces = len(load.message), load.pieces if load.message else 0
        self.bench.cover.message(None, length, pieces, None, None, ticket, self.machine)
