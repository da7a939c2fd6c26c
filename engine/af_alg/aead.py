"""Operation sockets of AEADs: whole messages only, received as associated data and output."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any, NamedTuple

from tcrypt.engine.af_alg.calls import Pages, Pending, wait
from tcrypt.engine.af_alg.messages import CipherMessages
from tcrypt.engine.api.errors import crypto_error
from tcrypt.engine.api.flags import ReqFlag
from tcrypt.engine.api.requests import AeadRequest

if TYPE_CHECKING:
    from tcrypt.engine.af_alg.sockets import AlgSocket

__all__ = ("AeadSocket",)

_MAY_SLEEP = int(ReqFlag.MAY_SLEEP)
_EINPROGRESS = -errno.EINPROGRESS


class _Sizes(NamedTuple):
    """Of one request, in bytes: input (with associated data) and output."""

    taken: int
    given: int


class _Job:
    """One request and the memory that it lies in."""

    def __init__(self, socket: AeadSocket, sizes: _Sizes, lent: bytes | memoryview) -> None:
        memory = socket.machine.memory
        data, assoclen = socket.take(sizes.taken), socket.assoclen
        self.src = Pages(memory, sizes.taken)
        self.dst = Pages(memory, sizes.given)
        # The driver works on a copy of the IV: the next message starts from the same one.
        self.iv = Pages(memory, len(socket.iv))
        self.src.write(data)
        self.dst.write(lent)
        self.dst.write(data[: min(assoclen, sizes.given)])
        self.iv.write(socket.iv)
        self.request: AeadRequest = socket.tfm.request()
        text = sizes.taken - assoclen
        iv = self.iv.buffer() if socket.iv else None
        self.request.set_crypt(self.src.list(), self.dst.list(), text, iv)
        self.request.set_ad(assoclen)

    def end(self) -> bytes:
        """Give the memory back; what the destination holds."""
        out = self.dst.read()
        for pages in (self.src, self.dst, self.iv):
            pages.free()
        return out


class AeadSocket(CipherMessages):
    """One AEAD operation socket."""

    _fatal = (errno.EBADMSG,)

    def __init__(self, parent: AlgSocket) -> None:
        super().__init__(parent)
        self.machine = parent.machine

    @property
    def iv(self) -> bytes:
        """The IV of the next message."""
        return self._iv

    @property
    def assoclen(self) -> int:
        """Bytes of associated data in the next message."""
        return self._assoclen

    def take(self, length: int) -> bytes:
        """Take data out of the message."""
        return self._pull(length)

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

    def _call(self) -> Any:
        return self.tfm.encrypt if self._encrypt else self.tfm.decrypt

    def _receive(self, buffer: bytearray, start: int) -> tuple[int, int]:
        sizes = self._sizes(len(buffer) - start)
        end = start + sizes.given
        job = _Job(self, sizes, memoryview(buffer)[start:end].tobytes())
        try:
            wait(self.machine, job.request, self._call(), self._parent.name)
        finally:
            buffer[start:end] = job.end()
        return sizes.given, sizes.given

    def recv_async(self, length: int) -> Pending:
        """See `CipherSocket`; such a request is never put onto a backlog."""
        self._require_key()
        self._await(True, 0)
        job, pending = _Job(self, self._sizes(length), b""), Pending()

        def completed(data: Any, status: int) -> None:
            out = job.end()
            pending.result = status or out

        job.request.set_callback(_MAY_SLEEP, completed, None)
        status = self._call()(job.request)
        if status != _EINPROGRESS:
            completed(None, status)
        return pending
