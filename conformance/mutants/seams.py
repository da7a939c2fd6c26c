"""How a defect is put into running code: named attributes of classes and modules are replaced.

Which of them keep their names is written in docs/mutants.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

from tcrypt.engine.eip93 import registers as reg

__all__ = ("Planted", "is_inbound", "replaced")

Planted = AbstractContextManager[None]


@contextmanager
def replaced(*changes: tuple[object, str, object]) -> Iterator[None]:
    """Replace attributes, and put the old ones back on exit.

    Args:
        changes: (class or module, attribute that it has, new value) for each.  What a class
            inherits is replaced for it and what derives from it.

    Raises:
        LookupError: there is no such attribute, because the code has changed since.
    """
    with ExitStack() as undo:
        for owner, name, value in changes:
            if not hasattr(owner, name):
                raise LookupError(f"{owner!r} has no {name!r}: the defect has lost its place")
            if name in vars(owner):
                undo.callback(setattr, owner, name, vars(owner)[name])
            else:
                undo.callback(delattr, owner, name)
            setattr(owner, name, value)
        yield


def is_inbound(sa: bytes) -> bool:
    """Whether an SA record is one for decryption."""
    return bool(sa[0] & reg.CMD0_INBOUND)
