"""Operation sockets: what `accept` gives, for data in and results out."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from tcrypt.engine.af_alg.numbers import MSG_TRUNC, SNDBUF
from tcrypt.engine.api.errors import crypto_error

if TYPE_CHECKING:
    from tcrypt.engine.af_alg.calls import Pending
    from tcrypt.engine.af_alg.sockets import AlgSocket

__all__ = ("CipherSocket", "HashSocket", "OperationSocket")


class OperationSocket:
    """What all operation sockets share.

    One that was accepted before its parent had a key answers ENOKEY until the parent has one.

    Attributes:
        sndbuf: how many bytes may wait unread (SO_SNDBUF).
    """

    sndbuf = SNDBUF

    def __init__(self, parent: AlgSocket) -> None:
        self._parent = parent
        self._machine = parent.machine
        self._unkeyed = parent.needs_key
        self._open = True

    @property
    def unkeyed(self) -> bool:
        """Whether the socket has not seen a key yet; such a one does not hold its parent's key."""
        return self._unkeyed

    def _require_key(self) -> None:
        if self._unkeyed:
            if self._parent.needs_key:
                raise crypto_error(-errno.ENOKEY, self._parent.name)
            self._unkeyed = False

    def setsockopt(self, option: int, value: bytes) -> None:
        """Refused with ENOTSUP: options are set on the bound socket."""
        raise crypto_error(-errno.ENOTSUP, f"option {option} of an operation socket")

    def accept(self) -> OperationSocket:
        """Refused with ENOTSUP but for hashes."""
        raise crypto_error(-errno.ENOTSUP, "accept on an operation socket")

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
        """Send data and control messages; the number of bytes taken.

        Args:
            data: may be empty, with control messages or without.
            op: ALG_SET_OP, 0 to decrypt and 1 to encrypt; None for no such message.
            iv: ALG_SET_IV.
            assoclen: ALG_SET_AEAD_ASSOCLEN, in bytes.
            more: MSG_MORE, the message goes on in the next call.
            dontwait: MSG_DONTWAIT, take what there is room for.

        Raises:
            OSError: as measured (real-kernel, 3).
            BlocksError: there is no room, and it was not said not to wait.
        """
        raise NotImplementedError

    def recv_into(self, buffer: bytearray, *, dontwait: bool = False) -> int:
        """Receive into a buffer; the number of bytes.

        Raises:
            OSError: as measured; the buffer may have been written to all the same.
            BlocksError: there is less than the buffer holds, and it was not said not to wait.
        """
        raise NotImplementedError

    def recv(self, length: int, *, dontwait: bool = False) -> bytes:
        """Receive up to `length` bytes; errors as for `recv_into`."""
        buffer = bytearray(length)
        got = self.recv_into(buffer, dontwait=dontwait)
        return bytes(buffer[:got])

    def recvmsg(self, length: int) -> tuple[bytes, int]:
        """Receive without waiting; the bytes, and `MSG_TRUNC` when a digest was cut."""
        got = self.recv(length, dontwait=True)
        return got, self.flags(length)

    def flags(self, length: int) -> int:
        """The message flags of a receive into `length` bytes."""
        return 0

    def close(self) -> None:
        """Close the socket; closing it twice is harmless."""
        if self._open:
            self._open = False
            self._parent.closed(self)


class CipherSocket(OperationSocket):
    """An operation socket of a cipher, with or without authentication."""

    def recv_async(self, length: int, log: list[Pending] | None = None) -> Pending:
        """Receive without waiting for the end (`io_submit`); run the machine for the result.

        Args:
            length: at most so many bytes.
            log: gets the request when it completes.

        Raises:
            OSError: the request could not be made: there is no whole message, or no key.
        """
        raise NotImplementedError

    def recv_thread(self, length: int) -> Pending:
        """Receive as a thread that waits while others go on; run the machine for the result.

        Raises:
            OSError: as for `recv_async`.
        """
        raise NotImplementedError


class HashSocket(OperationSocket):
    """An operation socket of a hash."""

    def __init__(self, parent: AlgSocket, digestsize: int) -> None:
        super().__init__(parent)
        self.digestsize = digestsize

    def flags(self, length: int) -> int:
        """MSG_TRUNC when the digest is longer than `length`."""
        return MSG_TRUNC if length < self.digestsize else 0
