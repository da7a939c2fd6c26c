"""How a defect is put into running code: named attributes of classes and modules are replaced."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from tcrypt.engine.eip93 import registers as reg

__all__ = ("Planted", "is_inbound", "replaced")

Planted = AbstractContextManager[None]


@contextmanager
def replaced(*changes: tuple[object, str, object]) -> Iterator[None]:
    """Replace attributes, and put the old ones back on exit.

    Args:
        changes: (class or module, attribute that it defines itself, new value) for each.

    Raises:
        LookupError: there is no such attribute, because the code has changed since.
    """
    undo: list[tuple[object, str, object]] = []
    try:
        for owner, name, value in changes:
            if name not in vars(owner):
                raise LookupError(f"{owner!r} defines no {name!r}: the defect has lost its place")
            undo.append((owner, name, vars(owner)[name]))
            setattr(owner, name, value)
        yield
    finally:
        for owner, name, value in reversed(undo):
            setattr(owner, name, value)


def is_inbound(sa: bytes) -> bool:
    """Whether an SA record is one for decryption."""
    return bool(sa[0] & reg.CMD0_INBOUND)
