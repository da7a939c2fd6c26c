"""Sending and receiving that skcipher and AEAD sockets share: one message at a time.

A message consists of all data up to the first send without MSG_MORE.  Operation, IV and length of
the associated data last from one message to the next until a control message changes them.
"""

from __future__ import annotations

import errno
from abc import abstractmethod
from typing import TYPE_CHECKING

from tcrypt.engine.af_alg.calls import BlocksError
from tcrypt.engine.af_alg.numbers import DECRYPT, ENCRYPT, PAGE
from tcrypt.engine.af_alg.operation import CipherSocket
from tcrypt.engine.api.errors import crypto_error

if TYPE_CHECKING:
    from tcrypt.engine.af_alg.sockets import AlgSocket

__all__ = ("CipherMessages",)


class CipherMessages(CipherSocket):
    """The message in work, and the loop that receives it."""

    def __init__(self, parent: AlgSocket) -> None:
        super().__init__(parent)
        self.tfm = parent.tfm
        self._ivsize = self.tfm.alg.ivsize
        self._iv = bytes(self._ivsize)
        self._encrypt = False
        self._assoclen = 0
        self._unread = bytearray()
        # A message has begun; it goes on in the next send.
        self._begun = False
        self._more = False

    def sendmsg(
        self,
        data: bytes,
        *,
        op: int | None = None,
        iv: bytes | None = None,
        assoclen: int | None = None,
        more: bool = False,
        dontwait: bool = False,
    ) -> int:
        """See `OperationSocket`; any control message without an operation means to decrypt."""
        self._require_key()
        if op is not None and op not in (DECRYPT, ENCRYPT):
            raise crypto_error(-errno.EINVAL, f"{self._parent.name}: operation {op:#x}")
        if iv is not None and len(iv) != self._ivsize:
            raise crypto_error(-errno.EINVAL, f"{self._parent.name}: IV of {len(iv)} bytes")
        if self._begun and not self._more and self._unread:
            what = f"{self._parent.name}: a whole message is unread"
            raise crypto_error(-errno.EINVAL, what)
        self._begun = True
        if op is not None or iv is not None or assoclen is not None:
            self._encrypt = op == ENCRYPT
            self._assoclen = assoclen or 0
            if iv is not None:
                self._iv = bytes(iv)
        return self._take(data, more, dontwait)

    def _take(self, data: bytes, more: bool, dontwait: bool) -> int:
        used = len(self._unread)
        room = self.sndbuf - used
        if room < PAGE:
            # What is left of a page that was begun is filled all the same.
            room = -used % PAGE
        taken = min(len(data), room)
        self._unread += data[:taken]
        if taken < len(data):
            if not dontwait:
                raise BlocksError(f"{self._parent.name}: {len(data)} bytes, room for {taken}")
            if not taken:
                raise crypto_error(-errno.EAGAIN, f"{self._parent.name}: no room")
            return taken
        self._more = more
        return taken

    def recv_into(self, buffer: bytearray, *, dontwait: bool = False) -> int:
        """See `OperationSocket`; goes on with the next message until the buffer is full."""
        self._require_key()
        got, start = 0, 0
        while start < len(buffer) and self._await(dontwait, got):
            try:
                used, produced = self._receive(buffer, start)
            except OSError as error:
                if not got or error.errno in self._fatal:
                    raise
                return got
            got += produced
            start += used
            if not produced:
                break
        return got

    # Errors that a receive reports even when earlier parts of it succeeded.
    _fatal: tuple[int, ...] = ()

    def _await(self, dontwait: bool, got: int) -> bool:
        """Whether there is something to process; EAGAIN or BlocksError when nothing came yet."""
        if self._ready():
            return True
        if not dontwait:
            raise BlocksError(f"{self._parent.name}: waits for more data after {got} bytes")
        if not got:
            raise crypto_error(-errno.EAGAIN, f"{self._parent.name}: nothing to receive")
        return False

    @abstractmethod
    def _ready(self) -> bool:
        """Whether enough was sent for a request."""

    @abstractmethod
    def _receive(self, buffer: bytearray, start: int) -> tuple[int, int]:
        """Make one request into `buffer` from `start` on.

        Returns:
            How much of the buffer is used up, and how many bytes of it are results.
        """

    def _pull(self, length: int) -> bytes:
        """Take data out of the message; a message that is used up has ended."""
        data = bytes(self._unread[:length])
        del self._unread[:length]
        if not self._unread:
            self._begun = self._more
        return data
