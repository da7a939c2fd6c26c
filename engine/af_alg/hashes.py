"""Operation sockets of hashes: a message that is updated, finished and cloned."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tcrypt.engine.af_alg.calls import Pages, wait
from tcrypt.engine.af_alg.numbers import CHUNK
from tcrypt.engine.af_alg.operation import HashSocket
from tcrypt.engine.api.errors import check_status

if TYPE_CHECKING:
    from tcrypt.engine.af_alg.sockets import AlgSocket

__all__ = ("MessageSocket",)


class MessageSocket(HashSocket):
    """One hash operation socket.

    The digest is made when the last part is sent, and kept until it is received; a receive in the
    middle of a message ends it.
    """

    def __init__(self, parent: AlgSocket) -> None:
        super().__init__(parent, parent.tfm.alg.digestsize)
        self._tfm = parent.tfm
        self._request = self._tfm.request()
        self._out = Pages(self._machine.memory, self.digestsize)
        self._digest: bytes | None = None
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
        """See `OperationSocket`; control messages say nothing to a hash."""
        self._require_key()
        if not self._more:
            self._digest = None
            if not data:
                return 0
        if data:
            self._hash(data, more)
        elif not more:
            self._step(self._tfm.final, b"")
            self._keep()
        self._more = more
        return len(data)

    def _hash(self, data: bytes, more: bool) -> None:
        tfm, fresh = self._tfm, not self._more
        if fresh and not more and len(data) <= CHUNK:
            self._step(tfm.digest, data)
            self._keep()
            return
        if fresh:
            self._step(tfm.init, b"")
        for start in range(0, len(data), CHUNK):
            last = not more and start + CHUNK >= len(data)
            self._step(tfm.finup if last else tfm.update, data[start : start + CHUNK])
        if not more:
            self._keep()

    def _step(self, call: Callable[[Any], int], data: bytes) -> None:
        request, machine = self._request, self._machine
        pages = Pages(machine.memory, len(data)) if data else None
        if pages is not None:
            pages.write(data)
        source = pages.list() if pages is not None else None
        request.set_crypt(source, self._out.buffer(), len(data))
        try:
            wait(machine, request, call, self._parent.name)
        except OSError:
            self._more = False
            raise
        finally:
            if pages is not None:
                pages.free()

    def _keep(self) -> None:
        self._digest = self._out.read()

    def recv_into(self, buffer: bytearray, *, dontwait: bool = False) -> int:
        """See `OperationSocket`; never waits; what does not fit of a digest is lost."""
        self._require_key()
        if self._digest is None and not self._more:
            self._step(self._tfm.init, b"")
        if self._digest is None or self._more:
            self._more = False
            self._step(self._tfm.final, b"")
            self._keep()
        assert self._digest is not None
        length = min(len(buffer), self.digestsize)
        buffer[:length] = self._digest[:length]
        self._digest = None
        return length

    def accept(self) -> MessageSocket:
        """A second socket that goes on from the state of this one."""
        self._require_key()
        state = None
        if self._more:
            state = Pages(self._machine.memory, self._tfm.alg.statesize)
            check_status(self._tfm.export(self._request, state.buffer()), self._parent.name)
        clone = self._parent.accept()
        assert isinstance(clone, MessageSocket)
        if state is not None:
            clone.resume(state)
            state.free()
        return clone

    def resume(self, state: Pages) -> None:
        """Go on from an exported state."""
        status = self._tfm.import_state(self._request, state.buffer())
        check_status(status, f"{self._parent.name}: import")
        self._more = True

    def close(self) -> None:
        """See `OperationSocket`."""
        if self._open:
            self._out.free()
        super().close()
