"""The life-cycle monitor and the verdict on a cipher request: each misdeed has its own problem.

A driver that is right but for one planted misdeed runs one case.  The bench must name exactly
that misdeed, and must run the next case, of a driver that has reformed, on a fresh machine.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from typing import Any

import pytest

from tcrypt import facts
from tcrypt.cipher_bench import CipherBench, CipherCase
from tcrypt.engine import software
from tcrypt.engine.api.dma import DmaDirection
from tcrypt.engine.api.flags import AlgType, ReqFlag
from tcrypt.engine.api.machine import Machine, Setup
from tcrypt.engine.api.scatterlist import Scatterlist, Segment
from tcrypt.engine.sim import Context
from tcrypt.layouts import CIPHER_LAYOUTS, CipherLayout, cipher_layout
from tcrypt.oracle import reference as find_reference
from tcrypt.problems import Problem
from tcrypt.specs import AeadSpec, SkcipherSpec
from tcrypt.subject import Provider, Subject
from tcrypt.swarm import CipherSwarm
from tcrypt.watchdog import Watchdog

_EINPROGRESS, _EBUSY, _EINVAL = -errno.EINPROGRESS, -errno.EBUSY, -errno.EINVAL
_OUT_OF_PLACE = cipher_layout("out-of-place")
_IN_PLACE = cipher_layout("in-place-one-sglist")
_DRIVERS = {"cbc(aes)": "cbc-planted", "authenc(hmac(sha1),cbc(aes))": "authenc-planted"}
_AEAD = "authenc(hmac(sha1),cbc(aes))"

Right = Callable[[], int]
Misdeed = Callable[[Machine, Any, Right], Any]


def synchronous(machine: Machine, request: Any, right: Right) -> int:
    """No misdeed: the driver does its work at once."""
    return right()


def asynchronous(machine: Machine, request: Any, right: Right) -> int:
    """No misdeed either: the work is done where one may sleep, the completion in softirq."""
    status: list[int] = []
    machine.sim.schedule(500, Context.WORK, "work", lambda: status.append(right()))
    return later(machine, lambda: request.complete(request.data, status[0]))


def later(machine: Machine, act: Callable[[], object], context: Context = Context.SOFTIRQ) -> int:
    def event() -> None:
        act()

    machine.sim.schedule(1_000, context, "planted", event)
    return _EINPROGRESS


class Planted:
    """A provider of one driver with a misdeed, which may reform."""

    def __init__(self, misdeed: Misdeed, algorithm: str = "cbc(aes)") -> None:
        self.misdeed = misdeed
        self.machines: list[Machine] = []
        self.algorithm = algorithm
        self.alg = self.alone(Setup())[1]

    def call(self, request: Any, right: Callable[[Any], int]) -> Any:
        return self.misdeed(request.tfm.machine, request, lambda: right(request))

    def alone(self, setup: Setup) -> tuple[Machine, Any]:
        """A machine with the generics, and the driver that computes with them."""
        machine = Machine(setup=setup)
        software.register(machine)
        kind = AlgType.AEAD if self.algorithm == _AEAD else AlgType.SKCIPHER
        right: Any = machine.registry.find(self.algorithm, kind)
        alg = right.variant(
            cra_driver_name=_DRIVERS[self.algorithm],
            encrypt=lambda request: self.call(request, right.encrypt),
            decrypt=lambda request: self.call(request, right.decrypt),
        )
        return machine, alg

    def build(self, setup: Setup) -> Machine:
        machine, alg = self.alone(setup)
        machine.registry.register(alg)
        self.machines.append(machine)
        return machine

    def bench(self, seconds: float = 30.0) -> CipherBench:
        return CipherBench(Subject(Provider("planted", self.build), self.alg), Watchdog(seconds))


def reference(algorithm: str) -> Any:
    return find_reference(algorithm)


def cbc(op: str = "enc", length: int = 48) -> CipherCase:
    return SkcipherSpec(op, 16, length).case(reference("cbc(aes)"))


def authenc(op: str = "dec", tamper: str = "") -> CipherCase:
    return AeadSpec(op, 16, 48, 16, 12, tamper=tamper).case(reference(_AEAD))


def verdict(
    misdeed: Misdeed,
    case: CipherCase | None = None,
    layout: CipherLayout = _OUT_OF_PLACE,
    algorithm: str = "cbc(aes)",
) -> list[Problem]:
    """What the bench says, after it was seen to recover: the next case passes, elsewhere."""
    planted = Planted(misdeed, algorithm)
    bench = planted.bench()
    found = bench.check(case or cbc(), layout)
    where = bench.machine
    planted.misdeed = asynchronous
    good = cbc() if algorithm == "cbc(aes)" else authenc()
    assert bench.check(good, layout) == []
    assert (bench.machine is where) == (not found), (
        "a fresh machine after a failure, and only then"
    )
    return found


def only(found: list[Problem]) -> Problem:
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize("layout", CIPHER_LAYOUTS, ids=lambda layout: layout.name)
@pytest.mark.parametrize("driver", [synchronous, asynchronous])
@pytest.mark.parametrize("op", ["enc", "dec"])
@pytest.mark.parametrize("algorithm", list(_DRIVERS))
def test_a_right_driver_has_no_problem(
    algorithm: str, op: str, driver: Misdeed, layout: CipherLayout
) -> None:
    bench = Planted(driver, algorithm).bench()
    for length in (0, 16, 4096):
        for tamper in ("", "tag:3") if op == "dec" and algorithm == _AEAD else ("",):
            if algorithm == _AEAD:
                spec: Any = AeadSpec(op, 16, length, 13, 12, tamper=tamper)
            else:
                spec = SkcipherSpec(op, 16, length)
            assert bench.check(spec.case(reference(algorithm)), layout) == []


@pytest.mark.parametrize("layout", CIPHER_LAYOUTS[:9], ids=lambda layout: layout.name)
def test_an_expected_refusal_is_right(layout: CipherLayout) -> None:
    assert verdict(synchronous, cbc(length=17), layout) == []
    assert verdict(asynchronous, cbc(length=17), layout) == []


# Life cycle (crypto API, 6.10).


def completes_twice(machine: Machine, request: Any, right: Right) -> int:
    status = right()
    later(machine, lambda: request.complete(request.data, status))
    return later(machine, lambda: request.complete(request.data, -errno.EIO))


def returns_and_calls_back(machine: Machine, request: Any, right: Right) -> int:
    status = right()
    later(machine, lambda: request.complete(request.data, status))
    return status


def never_completes(machine: Machine, request: Any, right: Right) -> int:
    right()
    return _EINPROGRESS


def only_says_accepted(machine: Machine, request: Any, right: Right) -> int:
    """What an -EINPROGRESS from do_one_request looks like (wedge H)."""
    right()
    return later(machine, lambda: request.complete(request.data, _EINPROGRESS))


def says_accepted_without_backlog(machine: Machine, request: Any, right: Right) -> int:
    later(machine, lambda: request.complete(request.data, _EINPROGRESS))
    return asynchronous(machine, request, right)


def says_accepted_twice(machine: Machine, request: Any, right: Right) -> int:
    says_accepted_without_backlog(machine, request, right)
    later(machine, lambda: request.complete(request.data, _EINPROGRESS))
    return _EBUSY


def says_accepted_at_the_end(machine: Machine, request: Any, right: Right) -> int:
    asynchronous(machine, request, right)
    later(machine, lambda: request.complete(request.data, _EINPROGRESS))
    return _EBUSY


def completes_in_process_context(machine: Machine, request: Any, right: Right) -> int:
    return later(machine, lambda: request.complete(request.data, right()), Context.WORK)


def completes_in_the_interrupt_handler(machine: Machine, request: Any, right: Right) -> int:
    return later(machine, lambda: request.complete(request.data, right()), Context.HARDIRQ)


def completes_in_a_hard_interrupt_that_disables_bottom_halves(
    machine: Machine, request: Any, right: Right
) -> int:
    def complete() -> None:
        machine.sim.local_bh_disable()
        request.complete(request.data, right())
        machine.sim.local_bh_enable()

    return later(machine, complete, Context.HARDIRQ)


def completes_under_a_lock(machine: Machine, request: Any, right: Right) -> int:
    def complete() -> None:
        machine.sim.local_irq_save()
        request.complete(request.data, right())
        machine.sim.local_irq_restore()

    return later(machine, complete)


def unmaps_after_the_callback(machine: Machine, request: Any, right: Right) -> int:
    address, length = request.dst.entries[0]
    status = right()
    machine.dma.map(address, length, DmaDirection.FROM_DEVICE)

    def complete() -> None:
        request.complete(request.data, status)
        machine.dma.unmap(address, length, DmaDirection.FROM_DEVICE)

    return later(machine, complete)


def answers_at_once_and_unmaps_later(machine: Machine, request: Any, right: Right) -> int:
    (piece, *_), way, status = request.src.entries, DmaDirection.TO_DEVICE, right()
    machine.dma.map(piece.address, piece.length, way)
    later(machine, lambda: machine.dma.unmap(piece.address, piece.length, way))
    return status


@pytest.mark.parametrize(
    ("misdeed", "message", "fact"),
    [
        (completes_twice, "completed more than once", facts.ONCE),
        (returns_and_calls_back, "returned a status and called back as well", facts.ONCE),
        (never_completes, "accepted and never completed", facts.PROGRESS),
        (only_says_accepted, "accepted and never completed", facts.PROGRESS),
        (says_accepted_without_backlog, "unexpected backlog notice", facts.BACKLOG),
        (says_accepted_twice, "unexpected backlog notice", facts.BACKLOG),
        (says_accepted_at_the_end, "unexpected backlog notice", facts.BACKLOG),
        (completes_in_process_context, "completed with bottom halves enabled", facts.CONTEXT),
        (
            completes_in_the_interrupt_handler,
            "completed with interrupts off",
            facts.INTERRUPTS,
        ),
        (
            completes_in_a_hard_interrupt_that_disables_bottom_halves,
            "completed with interrupts off",
            facts.INTERRUPTS,
        ),
        (completes_under_a_lock, "completed with interrupts off", facts.INTERRUPTS),
        (
            unmaps_after_the_callback,
            "completed while its memory is mapped for the device",
            facts.UNMAPPED,
        ),
        (
            answers_at_once_and_unmaps_later,
            "completed while its memory is mapped for the device",
            facts.UNMAPPED,
        ),
    ],
    ids=lambda value: value.__name__ if callable(value) else None,
)
def test_a_broken_life_cycle(misdeed: Misdeed, message: str, fact: str) -> None:
    found = only(verdict(misdeed))
    assert (found.message, found.fact) == (message, fact)


def test_what_was_mapped_before_the_request_does_not_speak_against_it() -> None:
    bench = Planted(asynchronous).bench()
    bench.machine.dma.map(1, 1 << 31, DmaDirection.BIDIRECTIONAL)
    assert bench.check(cbc(), _OUT_OF_PLACE) == []


def test_a_backlog_notice_after_ebusy_is_right() -> None:
    def backlogged(machine: Machine, request: Any, right: Right) -> int:
        says_accepted_without_backlog(machine, request, right)
        return _EBUSY

    assert verdict(backlogged) == []


def test_both_statuses_of_a_double_completion_are_told() -> None:
    found = only(verdict(completes_twice))
    assert (found.expected, found.got) == ("one status", "0, -EIO")


def test_both_answers_of_a_double_answer_are_told() -> None:
    found = only(verdict(returns_and_calls_back))
    assert found.details == ("returned 0, called back with 0",)


@pytest.mark.parametrize("status", [None, 5, True, False, 0.0, "0"], ids=repr)
@pytest.mark.parametrize("way", ["returns", "completes with"])
def test_a_status_that_is_none(status: object, way: str) -> None:
    def garbage(machine: Machine, request: Any, right: Right) -> Any:
        right()
        if way == "returns":
            return status
        return later(machine, lambda: request.complete(request.data, status))

    found = only(verdict(garbage))
    assert found.message == "status is neither 0 nor a negative errno"
    assert (found.fact, found.got) == (facts.STATUS, repr(status))


@pytest.mark.parametrize(
    ("case", "status", "expected", "fact"),
    [
        (cbc(), -errno.EIO, "0", facts.STATUS),
        (cbc(length=17), 0, "-EINVAL", facts.STATUS),
        (cbc(length=17), -errno.EIO, "-EINVAL", facts.STATUS),
    ],
    ids=["error for success", "success for error", "another error"],
)
def test_a_wrong_status(case: CipherCase, status: int, expected: str, fact: str) -> None:
    def answers(machine: Machine, request: Any, right: Right) -> int:
        right()
        return status

    found = only(verdict(answers, case))
    assert (found.message, found.fact, found.expected) == ("wrong status", fact, expected)
    assert found.got in ("0", "-EIO")


def test_a_forgery_that_is_accepted() -> None:
    def accepts(machine: Machine, request: Any, right: Right) -> int:
        right()
        return 0

    found = only(verdict(accepts, authenc(tamper="text:5"), algorithm=_AEAD))
    assert (found.message, found.fact) == ("wrong status", facts.FORGERY)
    assert (found.expected, found.got) == ("-EBADMSG", "0")


# Hanging and raising.


def spins_fast(machine: Machine, request: Any, right: Right) -> int:
    def again() -> None:
        machine.sim.schedule(100, Context.SOFTIRQ, "spin", again)

    again()
    return _EINPROGRESS


def spins_slowly(machine: Machine, request: Any, right: Right) -> int:
    def again() -> None:
        machine.sim.schedule(1_000_000_000, Context.WORK, "poll", again)

    again()
    return _EINPROGRESS


def test_events_without_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tcrypt.bench._STEP_BUDGET", 5_000)
    found = only(verdict(spins_fast))
    assert (found.message, found.fact) == ("encrypt never ends", facts.PROGRESS)
    assert "5000 events without an end" in found.details[0]


def test_simulated_time_without_an_end() -> None:
    found = only(verdict(spins_slowly, cbc("dec")))
    assert (found.message, found.fact) == ("decrypt never ends", facts.PROGRESS)
    assert found.details == ("still busy after 30 s of simulated time",)


def test_a_loop_in_the_drivers_code_is_ended_by_the_watchdog() -> None:
    def loops(machine: Machine, request: Any, right: Right) -> int:
        while True:
            pass

    planted = Planted(loops)
    bench = planted.bench(seconds=0.1)
    began = time.monotonic()
    with bench.watchdog.watching("planted"):
        found = only(bench.check(cbc(), _OUT_OF_PLACE))
        planted.misdeed = asynchronous
        assert bench.check(cbc(), _OUT_OF_PLACE) == []
    assert (found.message, found.fact) == ("encrypt hangs", facts.PROGRESS)
    assert found.details[0].startswith("no answer within 0.1 s of real time, in ")
    assert time.monotonic() - began < 5
    assert len(planted.machines) == 2


def test_an_exception_is_named_with_its_place() -> None:
    def raises(machine: Machine, request: Any, right: Right) -> int:
        raise ZeroDivisionError("planted")

    found = only(verdict(raises))
    assert found.message == "encrypt raised ZeroDivisionError"
    assert found.fact == "a driver answers with a status, it does not raise"
    assert "planted at raises, line" in found.details[0]


def test_an_exception_in_an_event_is_the_drivers_too() -> None:
    def raises(machine: Machine, request: Any, right: Right) -> int:
        return later(machine, lambda: [][0])

    assert only(verdict(raises, cbc("dec"))).message == "decrypt raised IndexError"


def test_a_stray_dma_access_is_an_exception_of_the_driver() -> None:
    def strays(machine: Machine, request: Any, right: Right) -> int:
        machine.dma.read(0x10, 16)
        return right()

    assert only(verdict(strays)).message == "encrypt raised BusError"


def test_sleeping_in_atomic_context_is_an_exception_of_the_driver() -> None:
    def sleeps(machine: Machine, request: Any, right: Right) -> int:
        return later(machine, lambda: machine.sim.sleep(500, "usleep_range"))

    found = only(verdict(sleeps))
    assert found.message == "encrypt raised AtomicSleepError"
    assert "usleep_range sleeps in softirq context" in found.details[0]


def test_request_context_is_not_zero_for_the_driver() -> None:
    def counts_on_zero(machine: Machine, request: Any, right: Right) -> int:
        if request.ctx:
            request.ctx.key  # noqa: B018
        return right()

    assert only(verdict(counts_on_zero)).message == "encrypt raised AttributeError"


# The request.


def shortens(machine: Machine, request: Any, right: Right) -> int:
    status = right()
    request.cryptlen -= 16
    return status


def moves_src(machine: Machine, request: Any, right: Right) -> int:
    status = right()
    request.src = Scatterlist(machine.memory, request.src.entries)
    return status


def moves_dst(machine: Machine, request: Any, right: Right) -> int:
    status = right()
    request.dst = request.src
    return status


def moves_iv(machine: Machine, request: Any, right: Right) -> int:
    status = right()
    request.iv = None
    return status


def advances_the_iv_pointer(machine: Machine, request: Any, right: Right) -> int:
    status = right()
    request.iv.address += 16
    return status


def consumes_the_source_list(machine: Machine, request: Any, right: Right) -> int:
    status = right()
    address, length = request.src.entries[0]
    request.src.entries[0] = Segment(address + length, 0)
    return status


def consumes_the_destination_list(machine: Machine, request: Any, right: Right) -> int:
    status = right()
    request.dst.entries.pop()
    return status


def takes_the_callback(machine: Machine, request: Any, right: Right) -> int:
    complete, data = request.complete, request.data
    request.complete = lambda *arguments: None
    return later(machine, lambda: complete(data, right()))


def takes_the_callback_data(machine: Machine, request: Any, right: Right) -> int:
    complete, data = request.complete, request.data
    request.data = "mine"
    return later(machine, lambda: complete(data, right()))


def sets_flags(machine: Machine, request: Any, right: Right) -> int:
    request.flags |= ReqFlag.MAY_SLEEP
    return right()


def takes_the_transform(machine: Machine, request: Any, right: Right) -> int:
    status = right()
    request.tfm = None
    return status


@pytest.mark.parametrize(
    ("misdeed", "detail"),
    [
        (shortens, "cryptlen (48 is now 32)"),
        (moves_src, "src, dst or iv pointer"),
        (moves_dst, "src, dst or iv pointer"),
        (moves_iv, "src, dst or iv pointer"),
        (advances_the_iv_pointer, "iv address"),
        (consumes_the_source_list, "scatterlist entries"),
        (consumes_the_destination_list, "scatterlist entries"),
        (takes_the_callback, "complete"),
        (takes_the_callback_data, "data"),
        (sets_flags, "flags"),
        (takes_the_transform, "tfm"),
    ],
    ids=lambda value: value.__name__ if callable(value) else None,
)
def test_a_changed_request(misdeed: Misdeed, detail: str) -> None:
    """What testmgr calls a corrupted request struct or scatterlist (kernel-crypto, 1.6)."""
    found = only(verdict(misdeed))
    assert (found.message, found.fact) == ("request changed by the driver", facts.REQUEST)
    assert found.details == (detail,)


def test_a_changed_request_shows_on_a_failing_one_too() -> None:
    found = only(verdict(shortens, cbc(length=33)))
    assert found.details == ("cryptlen (33 is now 17)",)


def test_a_changed_assoclen() -> None:
    def moves_aad(machine: Machine, request: Any, right: Right) -> int:
        status = right()
        request.assoclen = 0
        return status

    found = only(verdict(moves_aad, authenc(), algorithm=_AEAD))
    assert found.details == ("assoclen (16 is now 0)",)


# Memory.


def pokes(where: Callable[[Any], int]) -> Misdeed:
    """The right bytes, and one wrong one at an address."""

    def misdeed(machine: Machine, request: Any, right: Right) -> int:
        status = right()
        address = where(request)
        (old,) = machine.memory.read(address, 1)
        machine.memory.write(address, bytes([old ^ 0x80]))
        return status

    return misdeed


def in_front(scatterlist: Scatterlist, entry: int = 0, distance: int = 1) -> int:
    return scatterlist.entries[entry].address - distance


def behind(scatterlist: Scatterlist, entry: int = -1, distance: int = 0) -> int:
    place = scatterlist.entries[entry]
    return place.address + place.length + distance


@pytest.mark.parametrize(
    ("where", "name", "side"),
    [
        (lambda r: in_front(r.dst), "destination", "1 bytes before"),
        (lambda r: in_front(r.dst, distance=32), "destination", "32 bytes before"),
        (lambda r: behind(r.dst), "destination", "0 bytes behind"),
        (lambda r: behind(r.dst, distance=31), "destination", "31 bytes behind"),
        (lambda r: in_front(r.src), "source", "1 bytes before"),
        (lambda r: behind(r.src), "source", "0 bytes behind"),
        (lambda r: r.iv.address - 1, "IV", "1 bytes before"),
        (lambda r: r.iv.address + 16, "IV", "0 bytes behind"),
    ],
    ids=["dst-1", "dst-32", "dst+0", "dst+31", "src-1", "src+0", "iv-1", "iv+16"],
)
@pytest.mark.parametrize("expected", [0, _EINVAL], ids=["success", "refusal"])
def test_a_byte_outside_of_the_buffers(
    where: Callable[[Any], int], name: str, side: str, expected: int
) -> None:
    length = 48 if expected == 0 else 47
    found = only(verdict(pokes(where), cbc(length=length)))
    assert found.message == f"memory around the {name} overwritten"
    assert found.fact == facts.GUARD
    size = 16 if name == "IV" else length
    assert found.details == (f"{side} a buffer of {size} bytes",)


@pytest.mark.parametrize("entry", [0, 1])
@pytest.mark.parametrize("side", [in_front, behind])
def test_every_entry_of_a_list_is_guarded(side: Any, entry: int) -> None:
    layout = cipher_layout("two-even-aligned-splits")
    found = only(verdict(pokes(lambda r: side(r.dst, entry)), layout=layout))
    assert found.message == "memory around the destination overwritten"
    assert found.details[0].endswith("a buffer of 24 bytes")


def test_what_a_list_describes_behind_the_request_is_guarded() -> None:
    layout = cipher_layout("lists-longer-than-the-request")
    found = only(verdict(pokes(lambda r: r.dst.entries[0].address + 48), layout=layout))
    assert found.message == "memory around the destination overwritten"


@pytest.mark.parametrize("where", [0, 20, 47])
def test_a_changed_source(where: int) -> None:
    found = only(verdict(pokes(lambda r: r.src.entries[0].address + where)))
    assert (found.message, found.fact) == ("source changed", facts.SOURCE)
    assert found.details == (f"byte {where}",)


@pytest.mark.parametrize("where", [0, 20, 47])
@pytest.mark.parametrize("layout", [_OUT_OF_PLACE, _IN_PLACE], ids=lambda layout: layout.name)
def test_a_wrong_byte_of_the_output(where: int, layout: CipherLayout) -> None:
    found = only(verdict(pokes(lambda r: r.dst.entries[0].address + where), layout=layout))
    assert (found.message, found.fact) == ("wrong output", facts.OUTPUT)
    assert found.details == (f"first wrong byte {where} of 48",)
    assert found.expected == cbc().out.hex()
    assert found.got != found.expected


def test_a_destination_that_was_not_written() -> None:
    found = only(verdict(lambda machine, request, right: 0))
    assert found.message == "wrong output"
    assert found.got == "fe" * 48


def test_a_forgotten_iv() -> None:
    def forgets(machine: Machine, request: Any, right: Right) -> int:
        iv = request.iv.read()
        status = right()
        request.iv.write(iv)
        return status

    found = only(verdict(forgets))
    assert (found.message, found.fact) == ("wrong output IV", facts.IV_OUT)
    assert (found.expected, found.got) == (cbc().out[-16:].hex(), cbc().iv.hex())


def test_an_iv_written_by_a_request_that_failed() -> None:
    def writes(machine: Machine, request: Any, right: Right) -> int:
        request.iv.write(bytes(16))
        return right()

    found = only(verdict(writes, cbc(length=17)))
    assert (found.message, found.fact) == ("wrong output IV", facts.IV_KEPT)
    assert found.got == "00" * 16


@pytest.mark.parametrize("flip", [0x00, 0x01], ids=["left alone", "copied"])
def test_aad_in_the_destination_may_be_left_alone_or_copied(flip: int) -> None:
    def leaves(machine: Machine, request: Any, right: Right) -> int:
        before = request.dst.read(16)
        status = right()
        if not flip:
            request.dst.write(before)
        return status

    assert verdict(leaves, authenc("enc"), algorithm=_AEAD) == []


def test_aad_in_the_destination_must_not_be_garbage() -> None:
    misdeed = pokes(lambda request: request.dst.entries[0].address + 5)
    found = only(verdict(misdeed, authenc("enc"), algorithm=_AEAD))
    assert (found.message, found.fact) == ("AAD in the destination", facts.AAD)
    assert found.details == ("first wrong byte 5 of 76",)


def test_plaintext_of_a_forgery_must_not_be_released() -> None:
    case = authenc(tamper="tag:1")

    def releases(machine: Machine, request: Any, right: Right) -> int:
        request.dst.write(case.secret, request.assoclen)
        return right()

    found = only(verdict(releases, case, algorithm=_AEAD))
    assert (found.message, found.fact) == (
        "plaintext of a forged message released",
        facts.FORGERY,
    )


# The machine.


def test_a_mapping_left_behind() -> None:
    def leaks(machine: Machine, request: Any, right: Right) -> int:
        machine.dma.map(request.src.entries[0].address, 16, DmaDirection.TO_DEVICE)
        return right()

    found = only(verdict(leaks))
    assert (found.message, found.fact) == ("DMA mappings left behind", facts.LEAK)
    assert (found.expected, found.got) == ("0", "1")


def test_a_kernel_warning() -> None:
    def warns(machine: Machine, request: Any, right: Right) -> int:
        machine.warn("planted warning")
        return right()

    found = only(verdict(warns))
    assert (found.message, found.fact) == ("the kernel would warn", facts.KERNEL_WARNING)
    assert found.details == ("planted warning",)


def test_a_refused_key() -> None:
    case = cbc()._replace(key=bytes(20))
    found = only(verdict(synchronous, case))
    assert (found.message, found.fact) == ("key or tag size refused", facts.SETKEY)
    assert (found.expected, found.got) == ("0", "-EINVAL")


def test_several_misdeeds_are_all_told() -> None:
    def leaks_and_warns(machine: Machine, request: Any, right: Right) -> int:
        machine.warn("planted warning")
        machine.dma.map(request.src.entries[0].address, 16, DmaDirection.TO_DEVICE)
        return completes_twice(machine, request, right)

    assert [problem.message for problem in verdict(leaks_and_warns)] == [
        "completed more than once",
        "DMA mappings left behind",
        "the kernel would warn",
    ]


def test_a_case_that_passes_keeps_its_machine() -> None:
    planted = Planted(asynchronous)
    bench = planted.bench()
    for _ in range(5):
        assert bench.check(cbc(), _OUT_OF_PLACE) == []
    assert len(planted.machines) == 1


def test_a_larger_case_moves_the_arena() -> None:
    bench = Planted(asynchronous).bench()
    for length in (16, 1 << 17, 16, 1 << 18):
        assert bench.check(cbc(length=length), _OUT_OF_PLACE) == []


# Failing cases are told with what the machine did.


def test_a_failure_has_a_timeline() -> None:
    found = only(verdict(completes_twice))
    text = "\n".join(found.timeline)
    assert "completion callback: 0" in text
    assert "completion callback: -EIO" in text
    assert "softirq" in text


def test_a_failure_that_does_not_come_back_says_so() -> None:
    failures = [-errno.EIO]

    def once(machine: Machine, request: Any, right: Right) -> int:
        return failures.pop() if failures else right()

    found = only(verdict(once))
    assert found.message == "wrong status"
    assert "alone, on a new machine, this case does not fail like that" in found.details
    assert found.timeline == ()


# Several requests at once.


def swarm_of(misdeed: Misdeed, count: int) -> CipherSwarm:
    bench = Planted(misdeed).bench()
    tfm = bench.new_tfm()
    tfm.setkey(cbc().key or b"")
    swarm = CipherSwarm(bench)
    for _ in range(count):
        swarm.add(tfm, cbc(), _OUT_OF_PLACE)
    swarm.submit(int(ReqFlag.MAY_BACKLOG))
    bench.settle()
    return swarm


def test_a_swarm_that_completes_in_order_is_right() -> None:
    swarm = swarm_of(asynchronous, 5)
    assert [swarm.problems(flight) for flight in swarm.flights] == [[]] * 5
    assert swarm.order_problems(swarm.flights) == []
    assert swarm.finished == [0, 1, 2, 3, 4]


def test_a_swarm_out_of_order_is_told_from_the_first_wrong_one() -> None:
    delays = iter([100, 300, 200, 400])

    def shuffles(machine: Machine, request: Any, right: Right) -> int:
        def done() -> None:
            request.complete(request.data, right())

        machine.sim.schedule(next(delays), Context.SOFTIRQ, "done", done)
        return _EINPROGRESS

    swarm = swarm_of(shuffles, 4)
    found = only(swarm.order_problems(swarm.flights))
    assert (found.message, found.fact) == ("completed out of order", facts.ORDER)
    assert (found.expected, found.got) == ("1 2 3", "2 1 3")
    assert swarm.order_problems([swarm.flights[0], swarm.flights[3]]) == []


def test_each_request_of_a_swarm_is_judged_for_itself() -> None:
    counter = iter(range(9))

    def third_fails(machine: Machine, request: Any, right: Right) -> int:
        if next(counter) == 2:
            return -errno.EIO
        return asynchronous(machine, request, right)

    swarm = swarm_of(third_fails, 4)
    assert [swarm.untouched(flight) for flight in swarm.flights] == [False, False, True, False]
    messages = [[p.message for p in swarm.problems(flight)] for flight in swarm.flights]
    assert messages == [[], [], ["wrong status"], []]
