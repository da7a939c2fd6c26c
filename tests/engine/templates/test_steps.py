"""A chain of steps keeps the rules of completion, whatever its parts answer and when."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from tcrypt.engine.api.algorithms import SkcipherAlg
from tcrypt.engine.api.flags import ReqFlag
from tcrypt.engine.api.machine import Machine
from tcrypt.engine.api.requests import SkcipherRequest
from tcrypt.engine.sim import Context
from tcrypt.engine.templates.steps import Scratch, Work, finish, run_steps

_IN_PROGRESS = -errno.EINPROGRESS
_BUSY = -errno.EBUSY
_BACKLOG = int(ReqFlag.MAY_BACKLOG)
_SLEEP = int(ReqFlag.MAY_SLEEP)


class Part:
    """A part that answers each request as it is told, and can complete it later."""

    def __init__(self, machine: Machine) -> None:
        self.answers: Iterator[int | Callable[[SkcipherRequest], int]] = iter(())
        self.requests: list[SkcipherRequest] = []
        alg = SkcipherAlg(
            cra_name="part",
            cra_driver_name="part-generic",
            cra_priority=1,
            min_keysize=0,
            max_keysize=0,
            setkey=lambda tfm, key: 0,
            encrypt=self._encrypt,
            decrypt=self._encrypt,
        )
        machine.registry.register(alg)
        self.tfm = machine.registry.alloc_skcipher("part")

    def _encrypt(self, request: SkcipherRequest) -> int:
        self.requests.append(request)
        answer = next(self.answers)
        return answer(request) if callable(answer) else answer

    def call_back(self, which: int, status: int) -> None:
        request = self.requests[which]
        request.complete(request.data, status)


class Caller:
    """The owner of the outer request; sees its answer and its callbacks."""

    def __init__(self, part: Part, flags: int = _BACKLOG) -> None:
        self.part = part
        self.seen: list[int] = []
        self.request = part.tfm.request()
        self.request.set_callback(flags, lambda data, status: self.seen.append(status), None)
        self.closed = 0

    def run(self, *answers: int | Callable[[SkcipherRequest], int]) -> int:
        self.part.answers = iter(answers)
        return run_steps(self.request, self._work(len(answers)))

    def _work(self, count: int) -> Work:
        try:
            for _ in range(count):
                yield self.part.tfm.encrypt, self.part.tfm.request()
            return -errno.EBADMSG if self.request.data == "forged" else 0
        finally:
            self.closed += 1


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def part(machine: Machine) -> Part:
    return Part(machine)


def test_synchronous_steps_give_the_status_and_never_call_back(part: Part) -> None:
    caller = Caller(part)

    assert caller.run(0, 0, 0) == 0
    assert caller.seen == []
    assert caller.closed == 1


def test_a_failed_step_is_the_status_and_ends_the_work(part: Part) -> None:
    caller = Caller(part)

    assert caller.run(0, -errno.EIO, 0) == -errno.EIO
    assert len(part.requests) == 2
    assert (caller.seen, caller.closed) == ([], 1)


def test_the_status_of_the_work_itself_is_returned(part: Part) -> None:
    caller = Caller(part)
    caller.request.data = "forged"

    assert caller.run(0) == -errno.EBADMSG


def test_a_later_step_that_completes_completes_the_request_once(part: Part) -> None:
    caller = Caller(part)

    assert caller.run(0, _IN_PROGRESS, 0) == _IN_PROGRESS
    assert caller.seen == []
    part.call_back(1, 0)
    assert len(part.requests) == 3
    assert caller.seen == [0]


def test_every_step_may_complete_later(part: Part) -> None:
    caller = Caller(part)

    assert caller.run(_IN_PROGRESS, _IN_PROGRESS, _IN_PROGRESS) == _IN_PROGRESS
    for which in range(3):
        assert caller.seen == []
        part.call_back(which, 0)
    assert caller.seen == [0]


@pytest.mark.parametrize("how", ["returned", "called back"])
def test_the_error_of_a_later_step_is_final_however_it_comes(part: Part, how: str) -> None:
    caller = Caller(part)
    answer = -errno.EIO if how == "returned" else _IN_PROGRESS

    assert caller.run(_IN_PROGRESS, answer, 0) == _IN_PROGRESS
    part.call_back(0, 0)
    if how == "called back":
        part.call_back(1, -errno.EIO)
    assert caller.seen == [-errno.EIO]
    assert (len(part.requests), caller.closed) == (2, 1)


def test_a_full_queue_in_a_later_step_is_the_final_status(part: Part) -> None:
    caller = Caller(part, flags=0)

    assert caller.run(_IN_PROGRESS, -errno.ENOSPC) == _IN_PROGRESS
    part.call_back(0, 0)
    assert caller.seen == [-errno.ENOSPC]


def test_a_backlog_notice_is_forwarded_to_a_caller_who_was_answered_busy(part: Part) -> None:
    caller = Caller(part)

    assert caller.run(_BUSY, 0) == _BUSY
    part.call_back(0, _IN_PROGRESS)
    assert caller.seen == [_IN_PROGRESS]
    part.call_back(0, 0)
    assert caller.seen == [_IN_PROGRESS, 0]


def test_a_second_notice_is_swallowed(part: Part) -> None:
    caller = Caller(part)
    caller.run(_BUSY)

    part.call_back(0, _IN_PROGRESS)
    part.call_back(0, _IN_PROGRESS)

    assert caller.seen == [_IN_PROGRESS]


def test_a_notice_without_a_busy_answer_is_swallowed(part: Part) -> None:
    caller = Caller(part)

    assert caller.run(_IN_PROGRESS) == _IN_PROGRESS
    part.call_back(0, _IN_PROGRESS)
    assert caller.seen == []


def test_a_later_step_on_the_backlog_is_accepted_and_its_notice_swallowed(part: Part) -> None:
    caller = Caller(part)

    assert caller.run(_IN_PROGRESS, _BUSY) == _IN_PROGRESS
    part.call_back(0, 0)
    part.call_back(1, _IN_PROGRESS)
    assert caller.seen == []
    part.call_back(1, 0)
    assert caller.seen == [0]


def test_the_notice_of_a_later_step_is_swallowed_for_a_caller_who_was_answered_busy(
    part: Part,
) -> None:
    caller = Caller(part)

    assert caller.run(_BUSY, _BUSY) == _BUSY
    part.call_back(0, _IN_PROGRESS)
    part.call_back(0, 0)
    part.call_back(1, _IN_PROGRESS)
    part.call_back(1, 0)
    assert caller.seen == [_IN_PROGRESS, 0]


def test_the_first_step_that_waits_decides_the_answer(part: Part) -> None:
    caller = Caller(part)

    assert caller.run(0, _BUSY) == _BUSY
    part.call_back(1, _IN_PROGRESS)
    part.call_back(1, 0)
    assert caller.seen == [_IN_PROGRESS, 0]


def test_busy_is_an_error_for_a_caller_who_may_not_be_backlogged(part: Part) -> None:
    caller = Caller(part, flags=0)

    assert caller.run(_BUSY, 0) == _BUSY
    assert (len(part.requests), caller.closed, caller.seen) == (1, 1, [])


def test_steps_started_from_a_completion_may_not_sleep(part: Part) -> None:
    caller = Caller(part, flags=_BACKLOG | _SLEEP)

    caller.run(0, _IN_PROGRESS, 0)
    part.call_back(1, 0)

    asked = [request.flags for request in part.requests]
    assert asked == [_BACKLOG | _SLEEP, _BACKLOG | _SLEEP, _BACKLOG]


def test_a_step_completed_before_its_call_returns_goes_on(part: Part) -> None:
    caller = Caller(part)

    def at_once(request: SkcipherRequest) -> int:
        request.complete(request.data, 0)
        return _IN_PROGRESS

    assert caller.run(at_once, 0) == _IN_PROGRESS
    assert caller.seen == [0]


def test_nothing_is_touched_once_the_callback_has_run(part: Part) -> None:
    caller = Caller(part)

    def reuse(data: Any, status: int) -> None:
        caller.seen.append(status)
        for name in ("ctx", "data", "complete", "flags", "tfm"):
            delattr(caller.request, name)

    caller.request.set_callback(_BACKLOG, reuse, None)
    caller.run(_IN_PROGRESS, _IN_PROGRESS)
    part.call_back(0, 0)
    part.call_back(1, 0)
    assert caller.seen == [0]


def test_a_step_that_completes_twice_is_a_warning(part: Part, machine: Machine) -> None:
    caller = Caller(part)
    caller.run(_IN_PROGRESS, _IN_PROGRESS)

    part.call_back(0, 0)
    part.call_back(0, 0)

    assert len(machine.warnings) == 1
    assert "completed step 1 again" in machine.warnings[0]
    assert (len(part.requests), caller.seen) == (2, [])


def test_a_step_that_answers_and_calls_back_is_a_warning(part: Part, machine: Machine) -> None:
    caller = Caller(part)

    def both(request: SkcipherRequest) -> int:
        request.complete(request.data, 0)
        return 0

    assert caller.run(both, 0) == _IN_PROGRESS
    assert caller.seen == [0]
    assert "a step that it has completed" in machine.warnings[0]


def test_a_status_that_is_none_is_passed_on(part: Part) -> None:
    caller = Caller(part)

    assert caller.run(lambda request: None, 0) is None  # type: ignore[arg-type,return-value,comparison-overlap]


def test_scratch_is_wiped_and_given_back_whatever_the_end(part: Part, machine: Machine) -> None:
    memory = machine.memory
    secret = b"sixteen secrets!"

    def work() -> Work:
        with Scratch(memory, 16) as address:
            memory.write(address, secret)
            yield part.tfm.encrypt, part.tfm.request()
        return 0

    caller = Caller(part)
    part.answers = iter([0, -errno.EIO])
    live = memory.live_blocks
    assert run_steps(caller.request, work()) == 0
    assert run_steps(caller.request, work()) == -errno.EIO
    assert (memory.live_blocks, memory.find(secret)) == (live, None)


def test_no_memory_and_errors_of_the_work_end_it_with_their_errno(
    part: Part, machine: Machine
) -> None:
    def allocating() -> Work:
        machine.memory.alloc(16)
        yield part.tfm.encrypt, part.tfm.request()
        return 0

    def failing() -> Work:
        yield part.tfm.encrypt, part.tfm.request()
        raise OSError(errno.EOVERFLOW, "too long")

    caller = Caller(part)
    machine.memory.fail_allocs()
    assert run_steps(caller.request, allocating()) == -errno.ENOMEM
    part.answers = iter([0])
    assert run_steps(caller.request, failing()) == -errno.EOVERFLOW


def test_finish_sleeps_until_the_completion(part: Part, machine: Machine) -> None:
    def in_a_while(request: SkcipherRequest) -> int:
        for delay, status in ((10, _IN_PROGRESS), (20, -errno.EIO)):
            machine.sim.schedule(
                delay, Context.SOFTIRQ, "part", partial(request.complete, request.data, status)
            )
        return _BUSY

    part.answers = iter([in_a_while, 0, _IN_PROGRESS])
    calls = [finish(machine.sim, part.tfm.encrypt, part.tfm.request()) for _ in range(3)]
    assert calls == [-errno.EIO, 0, -errno.ETIMEDOUT]
    assert part.requests[0].flags == _BACKLOG | _SLEEP
