"""How a request may end for which something went wrong: memory, a mapping, the bus.

That it ends once, and with an error unless its bytes are right, is the kernel's promise
(crypto API, 6.10).  Which errno it is, and whether others that are in flight suffer with it, is
the driver's affair: drivers reset a device that has failed and give up what it held, or do it
again, or in software.  Who documents more says so with `Accelerator.exact`, and is held to that.
"""

from __future__ import annotations

import errno

from tcrypt.engine.api.machine import Machine

__all__ = ("beside", "exact", "no_memory", "unreachable")

_NO_MEMORY = (-errno.ENOMEM, -errno.EIO, 0)
_UNREACHABLE = (-errno.EIO,)
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
    """Whether the drivers of a machine's devices document how faults end requests."""
    return any(accelerator.exact for accelerator in machine.accelerators)


def no_memory(machine: Machine) -> tuple[int, ...]:
    """Where memory or a mapping was missing: 0 if the driver found a way round that."""
    return _NO_MEMORY if exact(machine) else (*_ANY_TROUBLE, 0)


def unreachable(machine: Machine) -> tuple[int, ...]:
    """Where the device could not reach what it was given: 0 if the driver did it in software."""
    return _UNREACHABLE if exact(machine) else (*_ANY_TROUBLE, 0)


def beside(machine: Machine) -> tuple[int, ...]:
    """Requests that are in flight beside the one whose memory the device could not reach."""
    return (0,) if exact(machine) else (*_ANY_TROUBLE, 0)
