"""`crypto_queue`: the table of kernel-crypto, section 5.1, and a model that keeps its pointer."""

from __future__ import annotations

import errno
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcrypt.engine.api.flags import ReqFlag
from tcrypt.engine.api.queue import CryptoQueue

_EINPROGRESS, _EBUSY, _ENOSPC = -errno.EINPROGRESS, -errno.EBUSY, -errno.ENOSPC


def request(name: object, *, may_backlog: bool = True) -> Any:
    """What a queue looks at in a request, and a name for the test."""
    return SimpleNamespace(name=name, flags=int(ReqFlag.MAY_BACKLOG) if may_backlog else 0)


def filled(max_qlen: int, count: int) -> CryptoQueue:
    queue = CryptoQueue(max_qlen)
    for name in range(count):
        queue.enqueue(request(name))
    return queue


def name(found: Any) -> object:
    return None if found is None else found.name


def test_an_empty_queue_has_nothing() -> None:
    queue = CryptoQueue(2)
    assert (len(queue), queue.backlog, queue.dequeue()) == (0, None, None)


@pytest.mark.parametrize("may_backlog", [True, False])
def test_with_room_a_request_is_in_progress(may_backlog: bool) -> None:
    queue = CryptoQueue(2)
    for count in (1, 2):
        assert queue.enqueue(request(count, may_backlog=may_backlog)) == _EINPROGRESS
        assert len(queue) == count
    assert queue.backlog is None


def test_a_full_queue_refuses_a_request_that_may_not_be_backlogged() -> None:
    queue = filled(2, 2)
    assert queue.enqueue(request("refused", may_backlog=False)) == _ENOSPC
    assert len(queue) == 2
    assert queue.backlog is None


def test_a_full_queue_takes_any_number_that_may_be_backlogged() -> None:
    queue = filled(2, 2)
    for count in range(3, 40):
        assert queue.enqueue(request(count)) == _EBUSY
        assert len(queue) == count
    assert name(queue.backlog) == 3


def test_requests_leave_in_the_order_in_which_they_came() -> None:
    queue = filled(2, 5)
    assert [name(queue.dequeue()) for _ in range(6)] == [0, 1, 2, 3, 4, None]


def test_every_dequeue_accepts_one_from_the_backlog() -> None:
    queue = filled(2, 5)
    seen = []
    while len(queue):
        seen.append(name(queue.backlog))
        queue.dequeue()
    assert seen == [2, 3, 4, None, None]


def test_a_request_put_back_is_the_next_one() -> None:
    queue = filled(4, 3)
    first = queue.dequeue()
    assert first is not None
    queue.enqueue_head(first)
    assert [name(queue.dequeue()) for _ in range(3)] == [0, 1, 2]


def test_putting_back_undoes_the_acceptance_of_one_from_the_backlog() -> None:
    queue = filled(2, 4)
    first = queue.dequeue()
    assert first is not None
    assert name(queue.backlog) == 3
    queue.enqueue_head(first)
    assert name(queue.backlog) == 2


def test_putting_back_is_never_refused() -> None:
    queue = filled(2, 2)
    queue.enqueue_head(request("back", may_backlog=False))
    assert len(queue) == 3


def test_putting_back_on_an_exactly_full_queue_names_an_accepted_request() -> None:
    """The quirk of section 5.1 (wedge J): the last one was told -EINPROGRESS, not -EBUSY."""
    queue = CryptoQueue(2)
    for number in range(2):
        assert queue.enqueue(request(number, may_backlog=False)) == _EINPROGRESS
    queue.enqueue_head(request("back"))
    assert name(queue.backlog) == 1
    assert name(queue.dequeue()) == "back"
    assert queue.backlog is None


class Model:
    """The table as it stands: a list, and `backlog` as a place in it (None for its head)."""

    def __init__(self, max_qlen: int) -> None:
        self.max_qlen = max_qlen
        self.requests: list[Any] = []
        self.backlog: Any = None

    def enqueue(self, new: Any) -> int:
        status = _EINPROGRESS
        if len(self.requests) >= self.max_qlen:
            if not new.flags & ReqFlag.MAY_BACKLOG:
                return _ENOSPC
            status = _EBUSY
            if self.backlog is None:
                self.backlog = new
        self.requests.append(new)
        return status

    def enqueue_head(self, old: Any) -> None:
        if len(self.requests) >= self.max_qlen:
            before = self.requests.index(self.backlog) if self.backlog else len(self.requests)
            self.backlog = self.requests[before - 1] if before else None
        self.requests.insert(0, old)

    def dequeue(self) -> Any:
        if not self.requests:
            return None
        if self.backlog is not None:
            following = self.requests.index(self.backlog) + 1
            self.backlog = self.requests[following] if following < len(self.requests) else None
        return self.requests.pop(0)


@given(
    st.integers(1, 4),
    st.lists(st.sampled_from(["backlog", "no backlog", "dequeue", "put back"]), max_size=60),
)
def test_the_queue_follows_the_table(max_qlen: int, steps: list[str]) -> None:
    queue, model = CryptoQueue(max_qlen), Model(max_qlen)
    taken: Any = None
    for number, step in enumerate(steps):
        if step == "dequeue":
            taken = model.dequeue()
            assert queue.dequeue() is taken
        elif step == "put back":
            # A pump puts back only what it has just taken; others may have come meanwhile.
            if taken is not None:
                queue.enqueue_head(taken)
                model.enqueue_head(taken)
                taken = None
        else:
            new = request(number, may_backlog=step == "backlog")
            assert queue.enqueue(new) == model.enqueue(new)
        assert len(queue) == len(model.requests)
        assert queue.backlog is model.backlog
