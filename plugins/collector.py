"""Garbage collection that suits many short-lived machines beside a large heap that stays."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ("collect_nothing", "collect_rarely")

# A machine is a few thousand objects that refer to each other, and is dropped after some
# milliseconds.  With Python's own thresholds the collector took a sixth of the profile quick, most
# of it for looking through modules and vectors again.
_THRESHOLDS = (10_000, 10, 50)


def collect_rarely() -> Callable[[], None]:
    """Let the collector pass by all that lives now, and run less often; what undoes it."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)

    def undo() -> None:
        gc.set_threshold(*before)
        gc.unfreeze()

    return undo


@contextmanager
def collect_nothing() -> Iterator[None]:
    """Make no garbage worth looking for meanwhile; the collector took a third of a report."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
