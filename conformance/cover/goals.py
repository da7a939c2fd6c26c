"""How much of its coverage every driver must reach, by profile.

A goal holds for each point and each cross of each driver whose cases all ran, in percent of the
bins that count.  Drivers of one provider and type divide long walks among them, the more so the
quicker the profile: so there is a lower goal for what a driver showed itself, and a higher one for
what it or another driver of its provider and type has shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

__all__ = ("GOALS", "Goal")


class Goal(NamedTuple):
    """Percent of the bins of every cross.

    Attributes:
        own: by the driver itself.
        shared: by any driver of its provider and type.
    """

    own: int
    shared: int


GOALS: Mapping[str, Goal] = MappingProxyType(
    {
        "quick": Goal(0, 0),
        "default": Goal(0, 0),
        "full": Goal(0, 0),
    }
)
