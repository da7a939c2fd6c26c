"""The order in which people count."""

from __future__ import annotations

import re

__all__ = ("natural_key",)


def natural_key(text: str) -> list[tuple[int, str]]:
    """Return a sort key under which gw2 comes before gw10."""
    return [
        (int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", text)
    ]
