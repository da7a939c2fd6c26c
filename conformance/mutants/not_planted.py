"""Entries of the catalogue that no driver here can have, and why: none, as it stands."""

from __future__ import annotations

__all__ = ("NOT_PLANTED",)

NOT_PLANTED: dict[str, tuple[str, str]] = {}
"""Id: (what the defect is, why it cannot be planted)."""
