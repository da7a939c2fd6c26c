"""How much of its coverage every driver must reach, by profile and cross.

A goal holds for each driver whose cases all ran, in percent of its bins.  Drivers of one
provider and type divide long walks among them, the more so the quicker the profile: so there is a
lower goal for what a driver showed itself, and a higher one for what it or another driver of its
provider and type has shown.  A provider with a single driver has to reach the higher one alone.

The numbers are a few points below the least that any correct driver reached under several seeds.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

__all__ = ("GOALS", "Goal")


class Goal(NamedTuple):
    """Percent of the bins of a cross.

    Attributes:
        own: by the driver itself.
        shared: by any driver of its provider and type.
    """

    own: int
    shared: int


_QUICK = {
    "*": Goal(8, 15),
    "point": Goal(15, 35),
    "direction x layout": Goal(55, 90),
    "direction x pieces": Goal(45, 70),
    "direction x assoc x layout": Goal(30, 45),
    "direction x tag x assoc": Goal(45, 65),
    "direction x path x layout": Goal(60, 75),
    "key size x direction x layout": Goal(35, 60),
    "key size x direction x path x layout": Goal(35, 45),
    "path x direction": Goal(70, 75),
    "path x assoc": Goal(65, 70),
    "how x edges": Goal(65, 75),
    "how x key": Goal(50, 55),
}
_DEFAULT = {
    "*": Goal(25, 40),
    "point": Goal(70, 85),
    "direction x layout": Goal(95, 100),
    "direction x flags": Goal(90, 100),
    "direction x pieces": Goal(85, 95),
    "direction x length x status": Goal(45, 60),
    "direction x status x tag": Goal(80, 85),
    "direction x assoc x layout": Goal(65, 80),
    "direction x tag x assoc": Goal(65, 75),
    "direction x path x layout": Goal(90, 95),
    "edges x layout": Goal(50, 60),
    "key size x direction x layout": Goal(80, 85),
    "key size x direction x path x layout": Goal(80, 85),
    "path x direction": Goal(90, 95),
    "path x assoc": Goal(75, 80),
    "path x length": Goal(75, 80),
    "queue x direction x flags": Goal(75, 80),
    "queue x direction x layout": Goal(60, 65),
    "queue x flags": Goal(75, 80),
    "queue x pieces": Goal(75, 80),
    "how x edges": Goal(80, 90),
    "how x key": Goal(90, 95),
    "how x path": Goal(90, 95),
    "how x length x pieces": Goal(40, 60),
    "key x length": Goal(60, 75),
}

GOALS: Mapping[str, Mapping[str, Goal]] = MappingProxyType(
    {
        "quick": MappingProxyType(_QUICK),
        "default": MappingProxyType(_DEFAULT),
        "full": MappingProxyType(_DEFAULT | {"direction x length x layout": Goal(35, 45)}),
    }
)
