"""Scenarios of cipher requests in trouble: softirq, neighbours, short lists, bus errors."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from functools import partial

from tcrypt import facts
from tcrypt.checks.cipher_material import Maker, Scenario, first_problem, play
from tcrypt.cipher_bench import CipherBench, Prepared
from tcrypt.engine.api.errors import errno_name
from tcrypt.engine.api.flags import ReqFlag
from tcrypt.engine.api.scatterlist import Scatterlist, Segment
from tcrypt.engine.sim import Context
from tcrypt.layouts import CIPHER_LAYOUTS, CipherLayout, cipher_layout
from tcrypt.problems import Problem
from tcrypt.swarm import CipherSwarm
from tcrypt.trouble import short_list, unreachable

__all__ = ("hazard_scenarios",)

_OUT_OF_PLACE = CIPHER_LAYOUTS[2]
_EVEN_SPLITS = CIPHER_LAYOUTS[4]
_LONGER = cipher_layout("lists-longer-than-the-request")
_MAY_BACKLOG = int(ReqFlag.MAY_BACKLOG)


def hazard_scenarios(bench: CipherBench, make: Maker) -> Iterator[tuple[str, Scenario]]:
    """Name and function of every scenario."""
    yield "submitted-from-softirq", partial(_from_softirq, bench, make)
    for events in range(4):
        changed = partial(_neighbours, bench, make, events)
        yield f"neighbours-change-after-{events}-events", changed
    for which, name in (("src", "source"), ("dst", "destination")):
        yield f"{name}-list-too-short", partial(_short_list, bench, make, which, by=0)
        yield f"{name}-list-a-byte-too-short", partial(_short_list, bench, make, which, by=1)
    yield "lists-of-unlike-length", partial(_unlike_lists, bench, make)
    yield "bus-error-on-source", partial(_bus_error, bench, make, "src")
    yield "bus-error-on-destination", partial(_bus_error, bench, make, "dst")
    yield "freed-transform", partial(_freed, bench, make)


def _keyed_swarm(
    bench: CipherBench, make: Maker, layouts: Sequence[CipherLayout]
) -> CipherSwarm | list[Problem]:
    """Both directions in some layouts on a new transform, prepared; or why its key was refused."""
    tfm = bench.new_tfm()
    found = bench.keyed(tfm, make.case("enc", 16, seed=1, with_key=True))
    if found:
        return found
    swarm = CipherSwarm(bench)
    for text, layout in enumerate(layouts, 1):
        for op in ("enc", "dec"):
            # Not a multiple of a cache line, so that others' data share the last one.
            swarm.add(tfm, make.case(op, 48, seed=1, text=text), layout)
    return swarm


def _from_softirq(bench: CipherBench, make: Maker) -> list[Problem]:
    """Requests without MAY_SLEEP from softirq context, more than a small ring holds."""
    swarm = _keyed_swarm(bench, make, CIPHER_LAYOUTS[:5])
    if isinstance(swarm, list):
        return swarm
    submit = partial(swarm.submit, _MAY_BACKLOG)
    bench.sim.schedule(0, Context.SOFTIRQ, "submitter", submit)
    bench.settle()
    return first_problem(swarm)


def _neighbours(bench: CipherBench, make: Maker, events: int) -> list[Problem]:
    """What stands around the buffers is changed by its owners when so many events have run.

    A driver that gave the device more than the buffers is seen to: that memory is written.
    """
    swarm = _keyed_swarm(bench, make, CIPHER_LAYOUTS[:5])
    if isinstance(swarm, list):
        return swarm
    # What a transform has mapped for its life is there by now.
    mappings = bench.machine.dma.live_mappings
    swarm.submit(_MAY_BACKLOG)
    for _ in range(events):
        bench.sim.step()
    for flight in swarm.flights:
        if flight.ticket.pending and not flight.ticket.notes:
            flight.load.change_neighbours(bench.memory)
    bench.settle()
    found = first_problem(swarm) or bench.machine_problems(mappings)
    return [p._replace(fact=facts.NEIGHBOUR) if p.fact == facts.GUARD else p for p in found]


def _short_list(bench: CipherBench, make: Maker, which: str, *, by: int) -> list[Problem]:
    """The last `by` bytes of a list are missing; 0 for its last entry."""
    for op in ("enc", "dec"):
        tfm = bench.new_tfm()
        found = bench.keyed(tfm, make.case("enc", 16, seed=1, with_key=True))
        if found:
            return found
        swarm = CipherSwarm(bench)
        swarm.add(tfm, make.case(op, 64, seed=1), _EVEN_SPLITS)
        (flight,) = swarm.flights
        if by:
            _shorten(flight.load, which, by)
        else:
            flight.load.drop_last_entry(which)
        swarm.submit(_MAY_BACKLOG)
        bench.settle()
        found = flight.ticket.problems()
        if not found and flight.ticket.status not in short_list(bench.machine):
            got = errno_name(flight.ticket.status)
            found = [Problem("wrong status", facts.SHORT_LIST, "-EINVAL", got)]
        if found:
            return found
    return []


def _unlike_lists(bench: CipherBench, make: Maker) -> list[Problem]:
    """Only one of the lists describes more than the request: the destination, then the source."""
    swarm = _keyed_swarm(bench, make, [_LONGER] * 2)
    if isinstance(swarm, list):
        return swarm
    for flight, which in zip(swarm.flights, ("src", "src", "dst", "dst"), strict=True):
        _shorten(flight.load, which, _LONGER.slack)
    return play(swarm, _MAY_BACKLOG)


def _shorten(prepared: Prepared, which: str, by: int) -> None:
    """Take `by` bytes off a list of a request, and off what is known of it."""
    plan, src, dst = prepared.lists
    full = src if which == "src" else dst
    address, length = full[-1]
    entries = (*full[:-1], Segment(address, length - by))
    scatterlist = Scatterlist(prepared.src.memory, list(entries))
    if which == "src":
        prepared.request.src = prepared.src = scatterlist
        prepared.lists = (plan, entries, dst)
    else:
        prepared.request.dst = prepared.dst = scatterlist
        prepared.lists = (plan, src, entries)


def _bus_error(bench: CipherBench, make: Maker, which: str) -> list[Problem]:
    """The device cannot reach a buffer once; a driver that uses no DMA does not notice."""
    for op in ("enc", "dec"):
        tfm = bench.new_tfm()
        sound = make.case(op, 1024, seed=1)
        found = bench.keyed(tfm, make.case("enc", 16, seed=1, with_key=True))
        if found:
            return found
        for layout in (_OUT_OF_PLACE, _EVEN_SPLITS):
            swarm = CipherSwarm(bench)
            swarm.add(tfm, sound, layout)
            swarm.add(tfm, sound, layout)
            broken, whole = swarm.flights
            entry = getattr(broken.load, which).entries[0]
            bench.machine.dma.break_range(*entry)
            swarm.launch(broken, _MAY_BACKLOG)
            bench.settle()
            bench.machine.dma.mend()
            status = broken.ticket.status
            if bench.machine.dma.faults and status not in unreachable(bench.machine):
                status = -errno.EIO
            if bench.machine.dma.faults and status:
                broken.load.case = sound._replace(status=status, iv_out=None)
            swarm.launch(whole, _MAY_BACKLOG)
            bench.settle()
            found = first_problem(swarm)
            if found:
                return [problem._replace(fact=facts.BUS_ERROR) for problem in found]
    return []


def _freed(bench: CipherBench, make: Maker) -> list[Problem]:
    """A key is looked for in all of memory after its transform is gone."""
    case = make.case("enc", 64, seed=77, with_key=True)
    tfm = bench.new_tfm()
    found = bench.keyed(tfm, case)
    if found:
        return found
    swarm = CipherSwarm(bench)
    swarm.add(tfm, case, _OUT_OF_PLACE)
    found = play(swarm, _MAY_BACKLOG)
    bench.machine.registry.free(tfm)
    assert case.key is not None
    place = bench.memory.find(case.key[-16:])
    if found or place is None:
        return found
    return [Problem("key left in memory", facts.KEY_WIPED, details=(f"at {place:#010x}",))]
