"""`crypto_queue`: a FIFO with a soft limit and a backlog (kernel-crypto, section 5.1)."""

from __future__ import annotations

import errno
from collections import deque

from tcrypt.engine.api.flags import ReqFlag
from tcrypt.engine.api.requests import AnyRequest

__all__ = ("CryptoQueue",)

_MAY_BACKLOG = int(ReqFlag.MAY_BACKLOG)


class CryptoQueue:
    """Requests that wait; the last `backlogged` of them were answered -EBUSY."""

    __slots__ = ("_backlogged", "_requests", "max_qlen")

    def __init__(self, max_qlen: int) -> None:
        self.max_qlen = max_qlen
        self._requests: deque[AnyRequest] = deque()
        self._backlogged = 0

    def __len__(self) -> int:
        return len(self._requests)

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
        """Put a request back in front; never refused.

        On a queue that is full or over-full the last accepted request becomes the first of the
        backlog, and so is notified later although it was never answered -EBUSY (wedge J).
        """
        if len(self._requests) >= self.max_qlen:
            self._backlogged += 1
        self._requests.appendleft(request)

    @property
    def backlog(self) -> AnyRequest | None:
        """The oldest request whose submitter was told -EBUSY and nothing since."""
        if not self._backlogged:
            return None
        return self._requests[len(self._requests) - self._backlogged]

    def dequeue(self) -> AnyRequest | None:
        """Take the oldest request; one backlogged request thereby counts as accepted."""
        if not self._requests:
            return None
        if self._backlogged:
            self._backlogged -= 1
        return self._requests.popleft()
