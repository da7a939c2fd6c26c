"""Faults that meet requests while these wait: their turn comes, and they cannot be started.

On a machine whose ring one request fills, a fault that strikes after the submissions meets the
first ones that are started later.  Each of them ends once, who was backlogged is told, those
behind are started all the same, and whoever is called back may submit again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from tcrypt.checks.common import AnyBench
from tcrypt.checks.fault_loads import BACKLOG, Watch, ended
from tcrypt.checks.loads import MIXED, SINGLE, fill, make_swarm
from tcrypt.engine.api.machine import Machine
from tcrypt.layouts import CipherLayout
from tcrypt.problems import Problem
from tcrypt.trouble import no_memory

__all__ = ("TIGHT", "WAITING_FAULTS")

TIGHT = {"ring_size": 2, "queue_length": 2}
# One runs, two wait and the others are backlogged; each of the first ones is followed by another.
_FIRST, _FOLLOWERS = 6, 3
_FAULTS = 2

_Inject = Callable[[Machine], None]


def _fail_maps(machine: Machine) -> None:
    machine.dma.fail_maps(0, _FAULTS)


def _fail_allocs(machine: Machine) -> None:
    machine.memory.fail_allocs(0, _FAULTS)


def _waiting(bench: AnyBench, layouts: Sequence[CipherLayout], inject: _Inject) -> list[Problem]:
    """Submit, let the next two things that are asked for fail, and let everybody go on."""
    machine, swarm = bench.machine, make_swarm(bench)
    found = fill(swarm, _FIRST + _FOLLOWERS, layouts)
    if found:
        return found
    watch = Watch(bench)
    followers = iter(swarm.flights[_FIRST:])
    for flight in swarm.flights[:_FIRST]:
        follower = next(followers, None)
        then = partial(swarm.launch, follower, BACKLOG) if follower is not None else None
        swarm.launch(flight, BACKLOG, then)
        if then is not None and not flight.ticket.pending:
            then()
    inject(machine)
    try:
        bench.settle()
    finally:
        machine.memory.mend()
        machine.dma.mend()
    return ended(swarm, {f.index: no_memory(machine) for f in swarm.flights}) or watch.problems()


# By the names of their cases.  Several pieces go through a buffer, for which memory is needed.
WAITING_FAULTS: Mapping[str, Callable[[AnyBench], list[Problem]]] = {
    "mappings-fail-of-the-waiting": partial(_waiting, layouts=SINGLE, inject=_fail_maps),
    "allocations-fail-of-the-waiting": partial(_waiting, layouts=MIXED, inject=_fail_allocs),
}
