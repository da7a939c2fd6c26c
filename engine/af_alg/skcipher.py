"""Operation sockets of skciphers: the IV chains from one receive to the next."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from tcrypt.engine.af_alg.calls import Pages, Pending, wait
from tcrypt.engine.af_alg.messages import CipherMessages
from tcrypt.engine.api.errors import crypto_error

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
        unread = len(self._unread)
        space = length = min(unread, len(buffer) - start)
        if self._more or length < unread:
            # More will follow, so that only whole chunks can be processed now.
            if length < self._chunk:
                raise crypto_error(-errno.EINVAL, f"{self._parent.name}: less than a block")
            length -= length % self._chunk
        self._crypt(self._pull(length), buffer, start)
        return space, length

    def _crypt(self, data: bytes, buffer: bytearray, start: int) -> None:
        machine, tfm, length = self._machine, self.tfm, len(data)
        memory = machine.memory
        src, dst, iv = Pages(memory, length), Pages(memory, length), Pages(memory, self._ivsize)
        src.write(data)
        dst.write(memoryview(buffer)[start : start + length])
        iv.write(self._iv)
        request = tfm.request()
        request.set_crypt(src.list(), dst.list(), length, iv.buffer() if self._ivsize else None)
        try:
            call = tfm.encrypt if self._encrypt else tfm.decrypt
            wait(machine, request, call, self._parent.name)
        finally:
            buffer[start : start + length] = dst.read()
            self._iv = iv.read()
            for pages in (src, dst, iv):
                pages.free()

    def recv_async(self, length: int) -> Pending:
        """See `CipherSocket`; 6.12 waits for the end all the same (real-kernel, 1)."""
        pending = Pending()
        pending.result = self.recv(length, dontwait=True)
        return pending
