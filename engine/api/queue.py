"""`crypto_queue`: a FIFO with a soft limit and a backlog (kernel-crypto, section 5.1)."""

from __future__ import annotations

import errno
from collections import deque
from collections.abc import Collection, Iterator
from itertools import islice
from typing import Literal

from tcrypt.engine.api.flags import ReqFlag
from tcrypt.engine.api.requests import AnyRequest

__all__ = ("CryptoQueue", "HeadRule")

_MAY_BACKLOG = int(ReqFlag.MAY_BACKLOG)

HeadRule = Literal["moves", "stays", "undoes"]


class CryptoQueue:
    """Requests that wait; the last `backlogged` of them were answered -EBUSY.

    Attributes:
        max_qlen: how many it holds before it is full.
        head_rule: what an insertion at the head does to the backlog.  `moves` it by one when the
            queue is full (Linux from 6.1.29 on), lets it as it `stays` (before), or `undoes` just
            what the dequeue did.
        waiting: the requests, the oldest first; for looking only.
    """

    __slots__ = ("_backlogged", "_promoted", "_requests", "head_rule", "max_qlen", "waiting")

    def __init__(self, max_qlen: int, head_rule: HeadRule = "moves") -> None:
        self.max_qlen = max_qlen
        self.head_rule = head_rule
        self._requests: deque[AnyRequest] = deque()
        self.waiting: Collection[AnyRequest] = self._requests
        self._backlogged = 0
        self._promoted = False

    def __len__(self) -> int:
        return len(self._requests)

    def __iter__(self) -> Iterator[AnyRequest]:
        """The waiting requests, the oldest first."""
        return iter(self._requests)

    @property
    def backlogged(self) -> int:
        """How many of the waiting requests are beyond the limit."""
        return self._backlogged

    def enqueue(self, request: AnyRequest) -> int:
        """Append a request.

        Returns:
            -EINPROGRESS when there was room; -EBUSY when the queue is full and the request may be
            backlogged (it is queued all the same); -ENOSPC when it is full (not queued).
        """
        if len(self._requests) < self.max_qlen:
            self._requests.append(request)
            return -errno.EINPROGRESS
        if not request.flags & _MAY_BACKLOG:
            return -errno.ENOSPC
        self._requests.append(request)
        self._backlogged += 1
        return -errno.EBUSY

    def enqueue_head(self, request: AnyRequest) -> None:
        """Put back in front what was dequeued last; never refused.

        Under the rule `moves`, on a queue that has become exactly full meanwhile, the last
        accepted request becomes the first of the backlog, and so is notified later although it
        was never answered -EBUSY (wedge J).
        """
        rule = self.head_rule
        full = len(self._requests) >= self.max_qlen
        if (full and rule == "moves") or (self._promoted and rule == "undoes"):
            self._backlogged += 1
        self._requests.appendleft(request)

    @property
    def backlog(self) -> AnyRequest | None:
        """The oldest request whose submitter was told -EBUSY and nothing since."""
        if not self._backlogged:
            return None
        return self._requests[len(self._requests) - self._backlogged]

    def backlog_requests(self) -> list[AnyRequest]:
        """All requests of the backlog, the oldest first."""
        return list(islice(self._requests, len(self._requests) - self._backlogged, None))

    def dequeue(self) -> AnyRequest | None:
        """Take the oldest request; one backlogged request thereby counts as accepted."""
        if not self._requests:
            return None
        self._promoted = self._backlogged > 0
        if self._promoted:
            self._backlogged -= 1
        return self._requests.popleft()
