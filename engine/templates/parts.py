"""What the templates share: keys and data for their parts, and room in the request's context."""

from __future__ import annotations

import errno
from types import TracebackType

from tcrypt.engine.api.flags import ReqFlag
from tcrypt.engine.api.memory import Buffer, Memory
from tcrypt.engine.api.requests import SkcipherRequest
from tcrypt.engine.api.scatterlist import Scatterlist, Segment
from tcrypt.engine.api.shash import Shash
from tcrypt.engine.api.transforms import Aead, Ahash, Cipher, Skcipher, Transform

__all__ = ("Room", "key_part", "xor")

_REQUEST_MASK = int(ReqFlag.request_mask())


def key_part(
    part: Cipher | Skcipher | Aead | Ahash | Shash, owner: Transform, key: bytes | bytearray
) -> int:
    """Give a part its key under the owner's flags (FORBID_WEAK_KEYS); 0 or its errno."""
    part.flags = part.flags & ~_REQUEST_MASK | owner.flags & _REQUEST_MASK
    try:
        part.setkey(bytes(key))
    except OSError as error:
        return -(error.errno or errno.EINVAL)
    return 0


def xor(left: bytes, right: bytes) -> bytes:
    """The exclusive or of two strings of one length."""
    whole = int.from_bytes(left, "little") ^ int.from_bytes(right, "little")
    return whole.to_bytes(len(left), "little")


class Room:
    """Memory inside of a request's context for a `with` statement, wiped before it is given up.

    The caller allocated it together with the request, so that it costs no allocation.
    """

    __slots__ = ("_address", "_memory", "_size")

    def __init__(self, request: SkcipherRequest, size: int) -> None:
        self._memory: Memory = request.tfm.machine.memory
        self._size = size
        self._address = 0

    def __enter__(self) -> Room:
        self._address = self._memory.room(self._size)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._memory.write(self._address, bytes(self._size))
        self._memory.free(self._address)

    @property
    def buffer(self) -> Buffer:
        """All of it, as an IV is given."""
        return Buffer(self._memory, self._address, self._size)

    @property
    def list(self) -> Scatterlist:
        """All of it, as data are given."""
        return Scatterlist(self._memory, [Segment(self._address, self._size)])
