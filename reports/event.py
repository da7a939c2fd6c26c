"""What all events of a run have in common."""

from __future__ import annotations

import msgspec

__all__ = ("Event",)


class Event(msgspec.Struct, frozen=True, tag_field="event", tag=True):
    """Base of all events; the JSON member "event" holds the name of the class."""
