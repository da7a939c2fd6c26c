"""A plan: one item of the run, that is some cases of one check against one driver."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from tcrypt.subject import Subject

if TYPE_CHECKING:
    from tcrypt.recorder import Recorder
    from tcrypt.watchdog import Watchdog

__all__ = ("Body", "Plan", "Plans")

Body = Callable[["Recorder", "Watchdog"], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """One item.

    Attributes:
        check: the check's name, a column of the report.
        subject: the driver.
        body: runs the cases and records each.
        part: tells apart the items of one check and driver, e.g. a vector file; may be empty.
        cases: how many cases will be recorded; None when that depends on the data.
    """

    check: str
    subject: Subject
    body: Body
    part: str = ""
    cases: int | None = None

    @property
    def item(self) -> str:
        """The item's id: stable from run to run and unique in one."""
        tail = f"/{self.part}" if self.part else ""
        return f"{self.check}/{self.subject.id}{tail}"


# What pytest runs at once: the items of one check and driver, or one of them.
Plans: TypeAlias = tuple[Plan, ...]
