"""Lets the seed alone decide what Hypothesis draws.

Hypothesis also draws numbers that it finds in the source of the user's modules.  Which ones are
loaded differs between machines, between processes, and from one moment of a run to the next, so
the same seed would not give the same cases.  It has no setting for that.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hypothesis.internal.conjecture import providers

__all__ = ("seed_alone",)

_FOUND = "_get_local_constants"
_CACHE = "CONSTANTS_CACHE"


@contextmanager
def seed_alone() -> Iterator[None]:
    """Draw no constants of loaded modules inside; what others cached of them is set aside.

    The names are Hypothesis's own affair.  Where a version lacks one nothing is changed, and a
    test of this project fails.
    """
    inside: Any = providers
    if not hasattr(inside, _FOUND) or not hasattr(inside, _CACHE):
        yield
        return
    found, cache = getattr(inside, _FOUND), getattr(inside, _CACHE)
    setattr(inside, _FOUND, inside.Constants)
    setattr(inside, _CACHE, type(cache)(cache.max_size))
    try:
        yield
    finally:
        setattr(inside, _FOUND, found)
        setattr(inside, _CACHE, cache)
