"""Check `retry`: more requests than the hardware holds, all at once.

Every accepted request must complete once, with the right bytes, in the order of submission; the
hardware must have been seen to be full.  With MAY_BACKLOG nothing is refused; without it a full
queue answers -ENOSPC, and what it refused must stay untouched.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from functools import partial
from typing import Any

from tcrypt import facts
from tcrypt.checks.common import AnyReference, make_bench, reference_for
from tcrypt.cipher_bench import CipherBench, CipherCase
from tcrypt.engine.api.flags import AlgFlag, AlgType, ReqFlag
from tcrypt.layouts import CIPHER_LAYOUTS, CipherLayout
from tcrypt.oracle import AeadReference, SkcipherReference
from tcrypt.plan import Plan
from tcrypt.problems import Problem
from tcrypt.recorder import Recorder
from tcrypt.settings import Settings
from tcrypt.specs import AeadSpec, SkcipherSpec
from tcrypt.subject import Subject
from tcrypt.swarm import Flight, Swarm
from tcrypt.vectors.catalogue import Catalogue
from tcrypt.watchdog import Watchdog

__all__ = ("CHECK", "plans")

CHECK = "retry"
_BEYOND = 40
_TRANSFORMS = 4
_MAY_BACKLOG = int(ReqFlag.MAY_BACKLOG)
# One piece, an even split, one that needs a bounce buffer, and several pieces.
_LAYOUTS = (CIPHER_LAYOUTS[0], CIPHER_LAYOUTS[2], CIPHER_LAYOUTS[4], CIPHER_LAYOUTS[3])
_SINGLE = (CIPHER_LAYOUTS[0], CIPHER_LAYOUTS[2])


def plans(subject: Subject, settings: Settings, catalogue: Catalogue) -> Iterator[Plan]:
    """One item for each cipher driver whose algorithm the oracle knows."""
    if settings.vector or reference_for(subject) is None or subject.type is AlgType.AHASH:
        return
    yield Plan(CHECK, subject, _Retry(subject, settings).run)


class _Retry:
    def __init__(self, subject: Subject, settings: Settings) -> None:
        self.subject = subject
        self.settings = settings

    def run(self, recorder: Recorder, watchdog: Watchdog) -> None:
        """Fill ring and queue, with and without MAY_BACKLOG, with equal and mixed requests."""
        if not self.subject.alg.cra_flags & AlgFlag.ASYNC:
            reason = "a synchronous driver: its requests never wait"
            recorder.unexecuted("not-applicable", reason, ["all"])
            return
        bench = make_bench(self.subject, watchdog)
        assert isinstance(bench, CipherBench)
        for name, layouts, flags in (
            ("backlog", _SINGLE, _MAY_BACKLOG),
            ("backlog-mixed", _LAYOUTS, _MAY_BACKLOG),
            ("no-backlog", _SINGLE, 0),
        ):
            if self.settings.case and self.settings.case.partition("/")[0] != name:
                continue
            swarm = Swarm(bench)
            bench.refresh()
            found = bench.guarded("retry", partial(self._fill, swarm, layouts, flags))
            recorder.result(f"{name}/run", found, token=name)
            for flight in swarm.flights if not found else ():
                problems = self._flight(swarm, flight)
                layout = flight.prepared.layout.name
                case = f"{name}/request-{flight.index}"
                recorder.result(case, problems, layout=layout, token=name)
            bench.broken = True

    def _fill(self, swarm: Swarm, layouts: tuple[CipherLayout, ...], flags: int) -> list[Problem]:
        bench = swarm.bench
        reference = reference_for(self.subject)
        assert reference is not None
        depth = sum(a.depth for a in bench.machine.accelerators)
        transforms = []
        for number in range(_TRANSFORMS):
            tfm = bench.new_tfm()
            found = bench.keyed(tfm, _case(reference, number, number))
            if found:
                return found
            transforms.append(tfm)
        for index in range(depth + self._queue_room(bench) + _BEYOND):
            number = index % _TRANSFORMS
            layout = layouts[index % len(layouts)]
            swarm.add(transforms[number], _case(reference, number, index), layout)
        mappings = bench.machine.dma.live_mappings
        swarm.submit(flags)
        bench.settle()
        return self._whole(swarm, flags, mappings)

    def _queue_room(self, bench: CipherBench) -> int:
        return sum(engine.queue.max_qlen for engine in bench.machine.engines)

    def _whole(self, swarm: Swarm, flags: int, mappings: int) -> list[Problem]:
        """What can be said of all requests together."""
        bench = swarm.bench
        accepted = [f for f in swarm.flights if f.ticket.pending]
        refused = len(swarm.flights) - len(accepted)
        found: list[Problem] = []
        if flags & _MAY_BACKLOG and refused:
            statuses = {str(f.ticket.submitted) for f in swarm.flights if not f.ticket.pending}
            found.append(
                Problem(
                    "request refused although it may be backlogged",
                    facts.BACKLOG,
                    "accepted",
                    ", ".join(sorted(statuses)),
                    details=(f"{refused} of {len(swarm.flights)} requests",),
                )
            )
        found += swarm.order_problems([f for f in accepted if f.ticket.notes])
        engines = [e for e in bench.machine.engines if e.retry_support]
        if flags & _MAY_BACKLOG and engines and not any(e.retries for e in engines):
            found.append(
                Problem(
                    "the hardware was never full",
                    facts.RING_FULL,
                    "-ENOSPC from do_one_request",
                    "none",
                    details=(f"{len(accepted)} requests at once",),
                )
            )
        found += bench.machine_problems(mappings)
        return found

    def _flight(self, swarm: Swarm, flight: Flight) -> list[Problem]:
        ticket = flight.ticket
        if ticket.submitted != -errno.ENOSPC:
            return swarm.problems(flight)
        if ticket.notes:
            return [Problem("refused with -ENOSPC and called back", facts.ONCE)]
        prepared = flight.prepared
        memory: Any = swarm.bench.memory
        if memory.read(prepared.base, prepared.plan.size) != prepared.image:
            return [Problem("refused with -ENOSPC, but its memory changed", facts.GUARD)]
        return []


def _case(reference: AnyReference, number: int, index: int) -> CipherCase:
    """Request `index` on the transform keyed with key `number`; no two have the same data."""
    op = "dec" if index % 3 == 2 else "enc"
    if isinstance(reference, SkcipherReference):
        key = reference.key_sizes[0]
        length = 16 * (1 + index % 5)
        keyed = SkcipherSpec(op, key, length, seed=number).case(reference)
        other = SkcipherSpec(op, key, length, seed=1000 + index)
        return _with_data(reference, keyed, other)
    assert isinstance(reference, AeadReference)
    spec = AeadSpec(op, 16, 16 * (1 + index % 5), 16, reference.maxauthsize, seed=number)
    return spec.case(reference)


def _with_data(reference: SkcipherReference, keyed: CipherCase, other: SkcipherSpec) -> CipherCase:
    """The key of one case with IV and data of another."""
    drawn = other.case(reference)
    assert keyed.key is not None
    call = reference.encrypt if drawn.encrypt else reference.decrypt
    answer = call(keyed.key, drawn.iv, drawn.data)
    return drawn._replace(key=keyed.key, out=answer.out, iv_out=answer.iv_out)
