"""Errors of the crypto API: kernel errnos, and drivers that break the calling convention."""

from __future__ import annotations

import errno
import os

__all__ = ("DriverNonsenseError", "check_status", "crypto_error", "errno_name")


class DriverNonsenseError(Exception):
    """A driver returned something that is neither 0 nor a status of the kernel's."""


def errno_name(status: object) -> str:
    """A status as people write it: `0`, `-EINVAL`, or the value itself when it is neither."""
    if isinstance(status, int) and not isinstance(status, bool):
        if status == 0:
            return "0"
        if status < 0 and -status in errno.errorcode:
            return f"-{errno.errorcode[-status]}"
    return repr(status)


def crypto_error(status: int, what: str) -> OSError:
    """The OSError for a negative status; `what` names the call."""
    return OSError(-status, f"{what}: {os.strerror(-status)}")


def check_status(status: object, what: str) -> None:
    """Turn a driver's status into an exception.

    Raises:
        OSError: `status` is a negative errno.
        DriverNonsenseError: it is no int, or a positive one.
    """
    if type(status) is not int or status > 0:
        raise DriverNonsenseError(f"{what} returned {status!r}: must be 0 or a negative errno")
    if status < 0:
        raise crypto_error(status, what)
