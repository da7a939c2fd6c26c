"""Operation sockets of AEADs: whole messages only, received as associated data and output."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any, NamedTuple

from tcrypt.engine.af_alg.calls import Job, Pending, start, wait
from tcrypt.engine.af_alg.messages import CipherMessages
from tcrypt.engine.api.errors import crypto_error
from tcrypt.engine.api.requests import AeadRequest

__all__ = ("AeadSocket",)


class _Sizes(NamedTuple):
    """Of one request, in bytes: input (with associated data) and output."""

    taken: int
    given: int


class AeadSocket(CipherMessages):
    """One AEAD operation socket."""

    _fatal = (errno.EBADMSG,)

    def _ready(self) -> bool:
        return self._begun and not self._more

    def _sizes(self, space: int) -> _Sizes:
        """What to process; an output that does not fit shortens the input (measured)."""
        have, authsize = len(self._unread), self.tfm.authsize
        what = f"{self._parent.name}: {have} bytes, {self._assoclen} of them associated data"
        if have < self._assoclen + (0 if self._encrypt else authsize):
            raise crypto_error(-errno.EINVAL, what)
        given = have + authsize if self._encrypt else have - authsize
        missing = max(0, given - space)
        if have - self._assoclen < missing:
            raise crypto_error(-errno.EINVAL, f"{what}: room for {space}")
        return _Sizes(have - missing, given - missing)

    def _submission(self, sizes: _Sizes, lent: bytes) -> tuple[AeadRequest, Job]:
        """A request for the next message, and its memory.

        The associated data are in the output already, and the driver works on a copy of the IV:
        the next message starts from the same one (measured).
        """
        data, assoclen = self._pull(sizes.taken), self._assoclen
        aad = data[: min(assoclen, sizes.given)]
        job = Job(self._machine.memory, data, aad + lent[len(aad) : sizes.given], self._iv)
        request: AeadRequest = self.tfm.request()
        iv = job.iv.buffer() if self._ivsize else None
        request.set_crypt(job.src.list(), job.dst.list(), sizes.taken - assoclen, iv)
        request.set_ad(assoclen)
        return request, job

    def _call(self) -> Callable[[Any], int]:
        call: Callable[[Any], int] = self.tfm.encrypt if self._encrypt else self.tfm.decrypt
        return call

    def _receive(self, buffer: bytearray, start: int) -> tuple[int, int]:
        sizes = self._sizes(len(buffer) - start)
        end = start + sizes.given
        request, job = self._submission(sizes, bytes(buffer[start:end]))
        try:
            wait(self._machine, request, self._call(), self._parent.name)
        finally:
            buffer[start:end] = job.end()[0]
        return sizes.given, sizes.given

    def recv_async(self, length: int, log: list[Pending] | None = None) -> Pending:
        """See `CipherSocket`; such a request is never put onto a backlog."""
        return self._begin(length, Pending(log), backlog=False)

    def recv_thread(self, length: int) -> Pending:
        """See `CipherSocket`."""
        return self._begin(length, Pending(), backlog=True)

    def _begin(self, length: int, pending: Pending, *, backlog: bool) -> Pending:
        self._require_key()
        self._await(True, 0)
        sizes = self._sizes(length)
        request, job = self._submission(sizes, bytes(sizes.given))
        start(request, self._call(), job, pending, backlog=backlog)
        return pending
