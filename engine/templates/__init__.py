"""Templates: algorithms built on demand over whatever implements their parts."""

from __future__ import annotations

from tcrypt.engine.api.machine import Machine
from tcrypt.engine.api.templates import Template

__all__ = ("TEMPLATES", "register")

TEMPLATES: tuple[Template, ...] = ()


def register(machine: Machine) -> None:
    """Offer all templates on a machine."""
    for template in TEMPLATES:
        machine.registry.register_template(template)
