"""Defects of a driver's control plane: who waits, who is told, what is left when it goes."""

from __future__ import annotations

import errno
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from tcrypt.engine.api.requests import AnyRequest, SkcipherRequest
from tcrypt.engine.crypto_engine import CryptoEngine
from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.driver.core import Core, Job
from tcrypt.engine.eip93.driver.offload import Offload
from tcrypt.engine.eip93.driver.own_queue import OwnQueue
from tcrypt.engine.eip93.driver.probe import Driver
from tcrypt.engine.eip93.driver.skcipher import EipSkcipher
from tcrypt.engine.sim import IrqLine, Timer
from tcrypt.mutants.seams import replaced
from tcrypt.plugins import providers as builtin
from tcrypt.plugins.providers import Providers, Register
from tcrypt.plugins.session import TcryptSession
from tcrypt.recorder import EventSink
from tcrypt.reports.events import CaseFailed, Event
from tcrypt.settings import Selection, Settings
from tcrypt.vectors.catalogue import Catalogue

Planted = AbstractContextManager[None]
_ENOSPC = -errno.ENOSPC
_WATCHDOG_NS = 50_000_000


@pytest.fixture(autouse=True)
def _short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """What never ends is told after fewer events than in a run, long before it seems to hang."""
    monkeypatch.setattr("tcrypt.bench._STEP_BUDGET", 40_000)


class Failures(EventSink):
    """What was wrong, by case."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}

    def append(self, event: Event) -> None:
        if isinstance(event, CaseFailed):
            self.found[event.case] = event.message


def failures(
    register: Register, check: str, case: str, algorithm: str = "cbc(aes)"
) -> dict[str, str]:
    """What one case of a check says of an algorithm."""
    providers = Providers()
    providers.add("mine", register)
    selection = Selection(algorithms=(algorithm,), checks=(check,))
    settings = Settings(selection=selection, case=case)
    session = TcryptSession(settings, providers, Catalogue(()))
    session.sink = sink = Failures()
    try:
        for plan in session.plans(check):
            session.run(plan)
    finally:
        session.release()
    return sink.found


def feeding(
    ended: Callable[[OwnQueue, AnyRequest, int], bool],
    told: Callable[[OwnQueue, AnyRequest], None] | None = None,
) -> Planted:
    """A feeder with its own way to end what cannot be started (whether it goes on), and to tell.

    `told` tells who was promoted while the queue's lock is held.
    """

    def feed_one(self: OwnQueue) -> bool:
        with self._locked():
            request = next(iter(self.queue), None)
            status = _ENOSPC if request is None else self._try(request)
            if request is None or status == _ENOSPC:
                return False
            promoted = self.queue.backlog
            self.queue.dequeue()
            if told is not None and promoted is not None:
                told(self, promoted)
        if told is None and promoted is not None:
            promoted.complete(promoted.data, -errno.EINPROGRESS)
        return not status or ended(self, request, status)

    return replaced((OwnQueue, "_feed_one", feed_one))


def complete(queue: OwnQueue, request: AnyRequest, status: int) -> bool:
    request.complete(request.data, status)
    return True


def dropped() -> Planted:
    """What waited and cannot be started is forgotten."""
    return feeding(lambda queue, request, status: True)


def stops_feeding() -> Planted:
    """After one that cannot be started the others wait for a completion that may not come."""

    def ended(queue: OwnQueue, request: AnyRequest, status: int) -> bool:
        complete(queue, request, status)
        return False

    return feeding(ended)


def ended_under_lock() -> Planted:
    """The callback of one that cannot be started runs under the lock that submissions take."""

    def ended(queue: OwnQueue, request: AnyRequest, status: int) -> bool:
        with queue._locked():
            return complete(queue, request, status)

    return feeding(ended)


def told_under_lock() -> Planted:
    """So does a backlog notice."""

    def told(queue: OwnQueue, request: AnyRequest) -> None:
        request.complete(request.data, -errno.EINPROGRESS)

    return feeding(complete, told)


def left_disabled() -> Planted:
    """A submission that fails forgets to enable bottom halves again."""
    transfer = OwnQueue.transfer

    def forgets(self: OwnQueue, request: AnyRequest) -> int:
        status = transfer(self, request)
        if status == -errno.ENOMEM:
            self.machine.sim.local_bh_disable()
        return status

    return replaced((OwnQueue, "transfer", forgets))


def not_masked() -> Planted:
    """The handler leaves its line high until the tasklet has run."""

    def interrupt(self: Core) -> None:
        if self.mmio.read32(reg.INT_MASK_STAT) & reg.INT_RDR_THRESH:
            self._tasklet.schedule()

    return replaced((Core, "interrupt", interrupt))


def drains_nothing() -> Planted:
    """The driver goes whether or not the hardware has answered."""
    drain = Core.drain

    def gives_up(self: Core) -> int:
        drain(self)
        return 0

    return replaced((Core, "drain", gives_up))


def worker_kept() -> Planted:
    """The engine is stopped and never exited."""
    return replaced((CryptoEngine, "exit", lambda self: None))


def interrupt_kept() -> Planted:
    """The interrupt handler is never freed."""
    return replaced((IrqLine, "free", lambda self: None))


def algorithm_kept() -> Planted:
    """The loop that unregisters ends one too early."""

    def remove(self: Driver) -> int:
        for alg in self.algs[:-1]:
            self.core.machine.registry.unregister(alg)
        return self.core.remove()

    return replaced((Driver, "remove", remove))


def timer_kept() -> Planted:
    """A watchdog of each job looks at the device, also when the driver has gone."""
    begin = Core.begin

    def watched(
        self: Core, request: AnyRequest, count: int, finish: Callable[[Job, int], None]
    ) -> Job | None:
        look = Timer(self.machine.sim, "watchdog", lambda: void(self.mmio.read32(reg.PE_CD_COUNT)))
        look.start(_WATCHDOG_NS)
        return begin(self, request, count, finish)

    return replaced((Core, "begin", watched))


def failed_registration(clean: Callable[[Driver], None], *, far: int = 0) -> Planted:
    """What a driver does when one of its algorithms was refused; `far` more are unregistered."""

    def register(self: Driver) -> None:
        registry = self.core.machine.registry
        for place, alg in enumerate(self.algs):
            try:
                self.core.engine.register(alg)
            except OSError:
                for done in self.algs[: place + far]:
                    registry.unregister(done)
                clean(self)
                raise

    return replaced((Driver, "register", register))


def one_too_far() -> Planted:
    """The refused algorithm is unregistered as well."""
    return failed_registration(lambda driver: void(driver.core.remove()), far=1)


def engine_forgotten() -> Planted:
    """The engine outlives a driver that could not be bound."""

    def clean(driver: Driver) -> None:
        with worker_kept():
            driver.core.remove()

    return failed_registration(clean)


def interrupt_forgotten() -> Planted:
    """So does its interrupt handler."""

    def clean(driver: Driver) -> None:
        with interrupt_kept():
            driver.core.remove()

    return failed_registration(clean)


def unlocked() -> Planted:
    """Descriptors are written without the lock that keeps completions away."""

    def start(self: Core, job: Job, prepare: Callable[[Job], Callable[[], None]]) -> int:
        prepare(job)()
        self.ring_doorbell(job.pending)
        return 0

    return replaced((Core, "start", start))


def void(value: int) -> None:
    """Look, and do nothing."""


def full_is_an_error() -> Planted:
    """A full ring is told with an errno that the engine takes for the request's end."""
    launch = Offload.launch

    def busy(self: Offload, request: AnyRequest, count: int, prepare: object) -> int:
        status = launch(self, request, count, prepare)  # type: ignore[arg-type]
        return -errno.EBUSY if status == _ENOSPC else status

    return replaced((Offload, "launch", busy))


DIRECT, RINGS, TINY = builtin.eip93_direct, builtin.eip93_mt7621, builtin.eip93_tiny_ring
MAPPINGS = "mappings-fail-of-the-waiting"
TAKEN = "bound-while-its-name-is-taken"
GONE = "left behind by a driver that is gone"
PLANTED: dict[str, tuple[Callable[[], Planted], Register, str, str, str]] = {
    "dropped": (dropped, DIRECT, "faults", MAPPINGS, "accepted and never completed"),
    "stops feeding": (stops_feeding, DIRECT, "faults", MAPPINGS, "accepted and never completed"),
    "under lock": (ended_under_lock, DIRECT, "faults", MAPPINGS, "request raised DeadlockError"),
    "told under lock": (
        told_under_lock,
        DIRECT,
        "retry",
        "from-callbacks",
        "retry raised DeadlockError",
    ),
    "left disabled": (left_disabled, DIRECT, "faults", "mapping-0-fails", "left switched off"),
    "not masked": (
        not_masked,
        RINGS,
        "faults",
        "interrupt-spurious-idle",
        "the interrupt line stays high behind its handler",
    ),
    "drains nothing": (
        drains_nothing,
        DIRECT,
        "lifecycle",
        "unbound-unanswered",
        "accepted and never completed",
    ),
    "worker": (worker_kept, RINGS, "lifecycle", "unbound-unused", f"engine {GONE}"),
    "interrupt": (
        interrupt_kept,
        RINGS,
        "lifecycle",
        "unbound-unused",
        f"interrupt handler {GONE}",
    ),
    "algorithm": (algorithm_kept, RINGS, "lifecycle", "unbound-unused", f"algorithms {GONE}"),
    "timer": (
        timer_kept,
        RINGS,
        "lifecycle",
        "unbound-in-flight-2",
        "a driver that is gone uses its device",
    ),
    "one too far": (one_too_far, RINGS, "lifecycle", TAKEN, "the kernel would warn"),
    "engine": (engine_forgotten, RINGS, "lifecycle", TAKEN, f"engine {GONE}"),
    "handler": (interrupt_forgotten, RINGS, "lifecycle", TAKEN, f"interrupt handler {GONE}"),
    "unlocked": (unlocked, TINY, "faults", "preempted-every-1100-ns", "request never ends"),
    "full": (full_is_an_error, TINY, "retry", "backlog", "wrong status"),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_case_shows_it(name: str) -> None:
    plant, register, check, case, message = PLANTED[name]
    with plant():
        assert message in failures(register, check, case).values()


@pytest.mark.parametrize("register", [DIRECT, RINGS, TINY], ids=lambda r: r.__name__)
@pytest.mark.parametrize(
    ("check", "case"),
    [
        ("faults", MAPPINGS),
        ("faults", "allocations-fail-of-the-waiting"),
        ("faults", "interrupt-spurious-idle"),
        ("retry", "from-callbacks"),
        ("lifecycle", "unbound-unanswered"),
        ("lifecycle", "unbound-unused"),
        ("lifecycle", "unbound-in-flight-2"),
        ("lifecycle", TAKEN),
        ("lifecycle", "bound-without-memory"),
        ("faults", "preempted-every-1100-ns"),
    ],
)
def test_the_driver_itself_passes(register: Register, check: str, case: str) -> None:
    assert failures(register, check, case) == {}


def test_a_request_that_never_fits_is_not_tried_for_ever() -> None:
    case = "counter-wraps-in-the-smallest-ring"
    assert failures(RINGS, "faults", case, "ctr(aes)") == {}
    with replaced((EipSkcipher, "submit", unchecked)):
        found = failures(RINGS, "faults", case, "ctr(aes)")
    assert found == {case: "encrypt never ends"}


def unchecked(self: EipSkcipher, request: SkcipherRequest, *, encrypt: bool) -> int:
    """A submission that does not ask whether an empty ring holds the request."""
    context = request.tfm.ctx
    request.ctx = self.plan(request, context.encrypt_sa if encrypt else context.decrypt_sa)
    return self.enqueue(request)
