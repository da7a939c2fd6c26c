"""Operation sockets of skciphers: the IV chains from one receive to the next."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tcrypt.engine.af_alg.calls import Job, Pending, start, wait
from tcrypt.engine.af_alg.messages import CipherMessages
from tcrypt.engine.api.errors import crypto_error
from tcrypt.engine.api.requests import SkcipherRequest

if TYPE_CHECKING:
    from tcrypt.engine.af_alg.sockets import AlgSocket

__all__ = ("SkcipherSocket",)


class SkcipherSocket(CipherMessages):
    """One skcipher operation socket; the request's IV is the socket's own."""

    def __init__(self, parent: AlgSocket) -> None:
        super().__init__(parent)
        self._chunk = self.tfm.alg.chunksize or self.tfm.alg.cra_blocksize

    def _ready(self) -> bool:
        return self._begun and (not self._more or len(self._unread) >= self._chunk)

    def _receive(self, buffer: bytearray, start: int) -> tuple[int, int]:
        space, length = self._sizes(len(buffer) - start)
        end = start + length
        job = self._job(length, bytes(buffer[start:end]))
        try:
            wait(self._machine, self._request(job, length), self._call(), self._parent.name)
        finally:
            buffer[start:end], self._iv = job.end()
        return space, length

    def _sizes(self, room: int) -> tuple[int, int]:
        """How much of the room is used up, and how many bytes are processed."""
        unread = len(self._unread)
        space = length = min(unread, room)
        if self._more or length < unread:
            # More will follow, so that only whole chunks can be processed now.
            if length < self._chunk:
                raise crypto_error(-errno.EINVAL, f"{self._parent.name}: less than a block")
            length -= length % self._chunk
        return space, length

    def _job(self, length: int, lent: bytes) -> Job:
        return Job(self._machine.memory, self._pull(length), lent, self._iv)

    def _request(self, job: Job, length: int) -> SkcipherRequest:
        request: SkcipherRequest = self.tfm.request()
        iv = job.iv.buffer() if self._ivsize else None
        request.set_crypt(job.src.list(), job.dst.list(), length, iv)
        return request

    def _call(self) -> Callable[[Any], int]:
        call: Callable[[Any], int] = self.tfm.encrypt if self._encrypt else self.tfm.decrypt
        return call

    def recv_async(self, length: int, log: list[Pending] | None = None) -> Pending:
        """See `CipherSocket`; 6.12 waits for the end all the same (real-kernel, 1)."""
        pending = Pending(log)
        pending.end(self.recv(length, dontwait=True))
        return pending

    def recv_thread(self, length: int) -> Pending:
        """See `CipherSocket`; the IV of the next message is this one's, as it was sent."""
        self._require_key()
        self._await(False, 0)
        length = self._sizes(length)[1]
        job, pending = self._job(length, bytes(length)), Pending()
        start(self._request(job, length), self._call(), job, pending, backlog=True)
        return pending
