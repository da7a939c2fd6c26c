"""A job in the driver's hands, and what the engine's verdict on it means as an errno."""

from __future__ import annotations

import errno
from collections.abc import Callable

from tcrypt.engine.api.dma import DmaDirection
from tcrypt.engine.api.requests import AnyRequest
from tcrypt.engine.eip93 import registers as reg

__all__ = ("HANDLE", "Job", "status_to_errno")

# The bits of a descriptor's user id that say whose it is.
HANDLE = 0xFFFF


def status_to_errno(status: int) -> int:
    """The errno for a result's status byte (eip93, section 4.4); 0 for success.

    The bits are tested one by one, a forged message first: two of them may stand together.
    A sequence number error is left to the caller's protocol, as on all known drivers.
    """
    if status & (reg.ERR_AUTH | reg.ERR_PAD):
        return -errno.EBADMSG
    if not status & reg.ERR_EXTENDED:
        return 0 if not status & ~reg.ERR_SEQNUM else -errno.EINVAL
    return _EXTENDED.get(status & 0xF8, -errno.EINVAL)


_EXTENDED = {
    reg.ERR_BUS: -errno.EIO,
    reg.ERR_DESCRIPTOR: -errno.EACCES,
    reg.ERR_OPERATION: -errno.EINVAL,
    reg.ERR_ALGORITHM: -errno.EINVAL,
    reg.ERR_SPI: -errno.EINVAL,
    reg.ERR_ZERO_LENGTH: -errno.EBADMSG,
    reg.ERR_LENGTH: -errno.EBADMSG,
    reg.ERR_BLOCK_SIZE: -errno.EBADMSG,
    reg.ERR_PROCESSING: -errno.EIO,
}


class Job:
    """One request on the hardware, from its first descriptor to its completion.

    Attributes:
        request: the crypto request.
        slot: address of the SA record; two state records and a second SA record follow, at
            STATE_A, STATE_B and SECOND_SA.
        finish: called with (job, errno) once all results are in, to copy out and complete.
        status: the first error among the results, as an errno.
    """

    __slots__ = ("bounces", "finish", "handle", "mappings", "pending", "request", "slot", "status")

    def __init__(self, request: AnyRequest, slot: int, finish: Callable[[Job, int], None]) -> None:
        self.request = request
        self.slot = slot
        self.finish = finish
        self.handle = 0
        self.pending = 0
        self.status = 0
        self.mappings: list[tuple[int, int, DmaDirection]] = []
        self.bounces: list[int] = []
