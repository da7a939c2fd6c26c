"""Check `retry`: more requests than the hardware holds, all at once.

Every accepted request must complete once, with the right bytes, in the order of submission; the
hardware must have been seen to be full.  With MAY_BACKLOG nothing is refused; without it a full
queue answers -ENOSPC, and what it refused must stay untouched.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from tcrypt import facts
from tcrypt.checks.common import AnyBench, make_bench, reference_for
from tcrypt.cipher_bench import CipherCase
from tcrypt.engine.api.errors import errno_name
from tcrypt.engine.api.flags import AlgFlag, ReqFlag
from tcrypt.engine.sim import Costs
from tcrypt.hash_bench import HashBench
from tcrypt.layouts import CIPHER_LAYOUTS, CipherLayout
from tcrypt.material import draw
from tcrypt.oracle import AeadReference, HashReference, SkcipherReference
from tcrypt.plan import Plan
from tcrypt.problems import Problem
from tcrypt.recorder import Recorder
from tcrypt.settings import Settings
from tcrypt.specs import AeadSpec, SkcipherSpec
from tcrypt.subject import Subject
from tcrypt.swarm import CipherSwarm, Flight, HashSwarm, Swarm
from tcrypt.vectors.catalogue import Catalogue
from tcrypt.watchdog import Watchdog

__all__ = ("CHECK", "plans")

CHECK = "retry"
_BEYOND = 40
_TRANSFORMS = 4
_KEPT_BLOCKS = 8
_MAY_BACKLOG = int(ReqFlag.MAY_BACKLOG)
# One piece, an even split, one that needs a bounce buffer, and several pieces.
_MIXED = (CIPHER_LAYOUTS[0], CIPHER_LAYOUTS[2], CIPHER_LAYOUTS[4], CIPHER_LAYOUTS[3])
_SINGLE = (CIPHER_LAYOUTS[0], CIPHER_LAYOUTS[2])
# What a full queue answers to a request that may not be backlogged.
_REFUSALS = (-errno.ENOSPC, -errno.EBUSY)
_HASH_LENGTHS = (1, 64, 65, 200, 3, 128, 55)


@dataclass(frozen=True, slots=True)
class _Load:
    """Requests that are submitted at once.

    Attributes:
        name: the case's name.
        layouts: in which ciphers' requests lie, in turn.
        flags: of the requests.
        most: how many requests at most; 0 for more than ring and queue hold.
        slow_host: whether the host answers interrupts more slowly than the device works, so that
            several results wait when it does.
        stop: whether the engines are stopped while the requests wait; they must drain.
    """

    name: str
    layouts: tuple[CipherLayout, ...]
    flags: int
    most: int = 0
    slow_host: bool = False
    stop: bool = False


_LOADS = (
    _Load("backlog", _SINGLE, _MAY_BACKLOG),
    _Load("no-backlog", _SINGLE, 0),
    _Load("backlog-mixed", _MIXED, _MAY_BACKLOG),
    _Load("backlog-slow-host", _SINGLE, _MAY_BACKLOG, most=120, slow_host=True),
    _Load("stopped", _SINGLE, _MAY_BACKLOG, most=60, stop=True),
)
_AnySwarm = Swarm[Any]
_Fill = Callable[[_AnySwarm, int], list[Problem]]


def plans(subject: Subject, settings: Settings, catalogue: Catalogue) -> Iterator[Plan]:
    """One item for each driver whose algorithm the oracle knows."""
    if not settings.vector and reference_for(subject) is not None:
        yield Plan(CHECK, subject, _Retry(subject).run)


class _Retry:
    def __init__(self, subject: Subject) -> None:
        self.subject = subject

    def run(self, recorder: Recorder, watchdog: Watchdog) -> None:
        """Fill ring and queue, with and without MAY_BACKLOG, with equal and mixed requests."""
        if not self.subject.alg.cra_flags & AlgFlag.ASYNC:
            reason = "a synchronous driver: its requests never wait"
            recorder.unexecuted("not-applicable", reason, ["all"])
            return
        bench = make_bench(self.subject, watchdog)
        for load in _LOADS:
            mixed = load.layouts is _MIXED and isinstance(bench, HashBench)
            if recorder.wants(load.name) and not mixed:
                self._load(recorder, bench, load)

    def _load(self, recorder: Recorder, bench: AnyBench, load: _Load) -> None:
        """One load on a machine of its own: judged as a whole, then request by request."""
        name = load.name
        bench.broken = True
        bench.refresh()
        swarm: _AnySwarm
        fill: _Fill
        if isinstance(bench, HashBench):
            swarm, fill = HashSwarm(bench), self._fill_hashes
        else:
            swarm, fill = CipherSwarm(bench), partial(self._fill_ciphers, load.layouts)
        play = partial(self._play, bench, swarm, fill, load)
        found = bench.guarded("retry", play, again=False)
        recorder.result(f"{name}/all", found, token=name)
        if found:
            return
        for flight in swarm.flights:
            judge = partial(_flight_problems, swarm, flight)
            problems = bench.guarded("retry", judge, again=False)
            recorder.result(f"{name}/request-{flight.index}", problems, token=name)

    def _play(self, bench: AnyBench, swarm: _AnySwarm, fill: _Fill, load: _Load) -> list[Problem]:
        machine = bench.machine
        if load.slow_host:
            machine.sim.costs = Costs(softirq=1_000, irq=2_000)
        depth = sum(accelerator.depth for accelerator in machine.accelerators)
        room = sum(engine.queue.max_qlen for engine in machine.engines)
        # All are submitted before the engine's worker runs, so the longer of both overflows both.
        overflow = max(depth, room) + _BEYOND
        found = fill(swarm, min(load.most, overflow) if load.most else overflow)
        if found:
            return found
        mappings, blocks = machine.dma.live_mappings, machine.memory.live_blocks
        swarm.submit(load.flags)
        if load.stop:
            for engine in machine.engines:
                engine.stop()
        bench.settle()
        full = len(swarm.flights) == overflow and self.subject.alg.do_one_request is not None
        found = _whole(swarm, load.flags, full=full) + bench.machine_problems(mappings)
        return found + _blocks_left(blocks, machine.memory.live_blocks)

    def _fill_ciphers(
        self, layouts: tuple[CipherLayout, ...], swarm: _AnySwarm, count: int
    ) -> list[Problem]:
        assert isinstance(swarm, CipherSwarm)
        reference = reference_for(self.subject)
        assert reference is not None
        assert not isinstance(reference, HashReference)
        least = max((a.shortest(reference.name) for a in swarm.machine.accelerators), default=1)
        transforms = []
        for number in range(_TRANSFORMS):
            tfm = swarm.bench.new_tfm()
            found = swarm.bench.keyed(tfm, _case(reference, number, number, least))
            if found:
                return found
            transforms.append(tfm)
        for index in range(count):
            number = index % _TRANSFORMS
            case = _case(reference, number, index, least)
            swarm.add(transforms[number], case, layouts[index % len(layouts)])
        return []

    def _fill_hashes(self, swarm: _AnySwarm, count: int) -> list[Problem]:
        assert isinstance(swarm, HashSwarm)
        reference = reference_for(self.subject)
        assert isinstance(reference, HashReference)
        tfm = swarm.bench.tfm
        key = None
        if reference.keyed:
            key = draw("retry key", 20 if reference.key_sizes is None else reference.key_sizes[0])
            tfm.setkey(key)
        for index in range(count):
            message = draw(f"retry {index}", _HASH_LENGTHS[index % len(_HASH_LENGTHS)])
            swarm.add(tfm, message, reference.digest(key, message))
        return []


def _whole(swarm: _AnySwarm, flags: int, *, full: bool) -> list[Problem]:
    """What can be said of all requests together; `full` if they are more than the ring holds."""
    accepted = [f for f in swarm.flights if f.ticket.pending]
    found: list[Problem] = []
    refused = [f.ticket.submitted for f in swarm.flights if _is_refused(f)]
    if flags & _MAY_BACKLOG and refused:
        found.append(
            Problem(
                "request refused although it may be backlogged",
                facts.BACKLOG,
                "accepted",
                ", ".join(sorted({errno_name(status) for status in refused})),
                details=(f"{len(refused)} of {len(swarm.flights)} requests",),
            )
        )
    lost = [f for f in accepted if f.ticket.status is None]
    if lost:
        problem = lost[0].ticket.problems()[0]
        detail = f"{len(lost)} of {len(accepted)} requests, the first is number {lost[0].index}"
        found.append(problem._replace(details=(*problem.details, detail)))
    found += swarm.order_problems([f for f in accepted if f.ticket.status is not None])
    engines = [engine for engine in swarm.machine.engines if engine.retry_support]
    if full and flags & _MAY_BACKLOG and engines and not any(engine.retries for engine in engines):
        found.append(
            Problem(
                "the hardware was never full",
                facts.RING_FULL,
                "-ENOSPC from do_one_request",
                "none",
                details=(f"{len(accepted)} requests at once",),
            )
        )
    return found


def _blocks_left(before: int, after: int) -> list[Problem]:
    """Memory that the load left allocated; a few blocks may be kept for the next one."""
    if after - before <= _KEPT_BLOCKS:
        return []
    return [Problem("memory left allocated", facts.LEAK, f"{before} blocks", f"{after} blocks")]


def _is_refused(flight: Flight[Any]) -> bool:
    return not flight.ticket.pending and flight.ticket.submitted in _REFUSALS


def _flight_problems(swarm: _AnySwarm, flight: Flight[Any]) -> list[Problem]:
    ticket = flight.ticket
    if not _is_refused(flight):
        return swarm.problems(flight)
    if ticket.notes:
        return [Problem("refused by a full queue and called back", facts.ONCE)]
    if not swarm.untouched(flight):
        return [Problem("refused by a full queue, but its memory changed", facts.GUARD)]
    return []


def _case(
    reference: SkcipherReference | AeadReference, number: int, index: int, least: int
) -> CipherCase:
    """Request `index` on the transform keyed with key `number`; no two have the same data.

    It is long enough (`least` bytes or more) for the driver to leave it to the hardware.
    """
    op = "dec" if index % 3 == 2 else "enc"
    length = 16 * (-(-least // 16) + index % 5)
    if isinstance(reference, AeadReference):
        spec = AeadSpec(op, 16, length, 16, reference.maxauthsize, seed=number)
        return spec.case(reference)
    key = draw(f"key {number}", reference.key_sizes[0])
    drawn = SkcipherSpec(op, len(key), length, seed=1000 + index).case(reference)
    call = reference.encrypt if drawn.encrypt else reference.decrypt
    answer = call(key, drawn.iv, drawn.data)
    return drawn._replace(key=key, out=answer.out, iv_out=answer.iv_out)
