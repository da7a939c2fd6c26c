"""How a request may end for which something went wrong: memory, a mapping, the bus, a queue.

That it ends once, and with an error unless its bytes are right, is the kernel's promise
(crypto API, 6.10).  Which errno it is, and whether others that are in flight suffer with it, is
the driver's affair: drivers reset a device that has failed and give up what it held, or do it
again, or in software.  Who documents more says so with `Accelerator.exact`, and is held to that.
"""

from __future__ import annotations

import errno

from tcrypt.engine.api.machine import Machine

__all__ = ("beside", "documented", "exact", "no_memory", "no_room", "short_list", "unreachable")

_NO_MEMORY = (-errno.ENOMEM, -errno.EIO, 0)
_UNREACHABLE = (-errno.EIO,)
_NO_ROOM = (-errno.ENOSPC, -errno.EBUSY)
# Neither what says that a request is still under way, nor a verdict on its key or its tag.
_ANY_TROUBLE = tuple(
    -number
    for number in (
        errno.EIO,
        errno.ENOMEM,
        errno.EFAULT,
        errno.EINVAL,
        errno.ETIMEDOUT,
        errno.EAGAIN,
        errno.ENXIO,
        errno.ENODEV,
        errno.EREMOTEIO,
        errno.ECANCELED,
        errno.ENOSPC,
    )
)


def exact(machine: Machine) -> bool:
    """Whether the drivers of a machine's devices document how faults end requests.

    Software has no device to reset, and ends each request as the kernel's does.
    """
    return not machine.accelerators or documented(machine)


def documented(machine: Machine) -> bool:
    """Whether there is a device, and its drivers say how requests end."""
    return any(accelerator.exact for accelerator in machine.accelerators)


def no_memory(machine: Machine) -> tuple[int, ...]:
    """Where memory or a mapping was missing: 0 if the driver found a way round that."""
    return _NO_MEMORY if exact(machine) else (*_ANY_TROUBLE, 0)


def unreachable(machine: Machine) -> tuple[int, ...]:
    """Where the device could not reach what it was given: 0 if the driver did it in software."""
    return _UNREACHABLE if exact(machine) else (*_ANY_TROUBLE, 0)


def short_list(machine: Machine) -> tuple[int, ...]:
    """Where a list is shorter than its request: it is refused."""
    return (-errno.EINVAL,) if exact(machine) else _ANY_TROUBLE


def no_room(machine: Machine) -> tuple[int, ...]:
    """What a full queue answers to a request that may not be backlogged.

    `crypto_enqueue_request` says -ENOSPC (crypto API, 5.1), or -EBUSY before Linux 4.15; drivers
    with queues of their own also say that the caller should try again.
    """
    return _NO_ROOM if exact(machine) else (*_NO_ROOM, -errno.EAGAIN)


def beside(machine: Machine) -> tuple[int, ...]:
    """Requests that are in flight beside the one whose memory the device could not reach."""
    return (0,) if exact(machine) else (*_ANY_TROUBLE, 0)
